"""The real package is not needed: a script that behaves like it stands in."""

import os
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

from spinescrew.anatomy.levels import Level
from spinescrew.errors import InputError
from spinescrew.images import read_image
from spinescrew.phantoms import make_spine_phantom
from spinescrew.progress import Cancelled, Job, Progress
from spinescrew.segmentation.total_segmentator import Listener, TotalSegmentatorEngine

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a script with a first line")

START = """#!{python}
import os, shutil, signal, subprocess, sys, time
arguments = sys.argv[1:]
image, result = arguments[arguments.index("-i") + 1], arguments[arguments.index("-o") + 1]
open("{folder}/arguments", "w").write(" ".join(arguments))
shutil.copy(image, "{folder}/image.nii.gz")
print("If you use this tool please cite: https://pubs.rsna.org/doi/10.1148/ryai.230024")
"""

WORKS = """
print("Resampling...")
print("Predicting part 1 of 1 ...")
for done in range(0, 101, 25):
    sys.stderr.write("\\r %3d%%|#####| %d/4 [00:01<00:00]" % (done, done // 25))
print("Saving segmentations...")
shutil.copy("{folder}/answer.nii.gz", result)
"""
OFFLINE = """
print("Downloading model for Task 291 ...")
print("Traceback (most recent call last):")
sys.exit("requests.exceptions.ConnectionError: HTTPSConnectionPool(host='github.com', port=443): Max retries exceeded")
"""
FULL = 'sys.exit("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB")'
KILLED = "os.kill(os.getpid(), signal.SIGKILL)"
CRASHES = 'sys.exit("ValueError: the affine of the image is not usable")'
SILENT = 'print("done")'
SLOW = """
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
open("{folder}/pids", "w").write("%d %d" % (os.getpid(), child.pid))
print("Predicting...", flush=True)
time.sleep(60)
"""


@pytest.fixture(scope="module")
def phantom():
    return make_spine_phantom(7, spacing=(3.0, 3.0, 3.0))


@pytest.fixture
def stand_in(tmp_path, phantom, monkeypatch):
    """Makes a command of the given behaviour, and looks where its private folder goes."""
    private = tmp_path / "private"
    private.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(private))

    def make(behaviour):
        script = tmp_path / "TotalSegmentator"
        script.write_text((START + behaviour).replace("{python}", sys.executable).replace("{folder}", str(tmp_path)))
        script.chmod(0o755)
        return str(script)

    return make


def answer(phantom, folder):
    """What the package would write: its own numbers."""
    import nibabel

    array = np.zeros(phantom.labels.shape, np.uint8)
    for level in (Level.T12, Level.L1, Level.L2, Level.L3, Level.L4, Level.L5):
        array[phantom.labels.array == level] = 51 - level.value
    array[phantom.labels.array == Level.S1] = 25
    nibabel.save(nibabel.Nifti1Image(array, phantom.labels.affine), folder / "answer.nii.gz")


def test_its_labels_come_back_in_verse_ids_on_the_grid_of_the_ct(stand_in, phantom, tmp_path):
    answer(phantom, tmp_path)
    heard = []
    progress = Progress(lambda fraction, text: heard.append(fraction))
    found = TotalSegmentatorEngine(command=stand_in(WORKS)).segment(phantom.ct, None, progress)
    assert np.array_equal(found.labels.array, phantom.labels.array)
    assert found.engine == "totalsegmentator"
    assert "TotalSegmentator" in found.provenance
    assert heard == sorted(heard)
    assert len({round(value, 3) for value in heard}) >= 6
    assert "segment (TotalSegmentator)" in found.timings_s


def test_it_is_given_the_levels_asked_for_and_their_neighbours(stand_in, phantom, tmp_path):
    answer(phantom, tmp_path)
    TotalSegmentatorEngine(fast=True, device="cpu", command=stand_in(WORKS)).segment(
        phantom.ct, [Level.L4, Level.L5], Progress()
    )
    told = (tmp_path / "arguments").read_text()
    assert "--ml --roi_subset vertebrae_L3 vertebrae_L4 vertebrae_L5 vertebrae_S1 sacrum --fast --device cpu" in told


def test_it_is_given_the_image_and_nothing_about_the_patient(stand_in, phantom, tmp_path):
    import nibabel

    answer(phantom, tmp_path)
    named = phantom.ct.with_array(phantom.ct.array)
    named.metadata["series"] = "DOE^JANE"
    TotalSegmentatorEngine(command=stand_in(WORKS)).segment(named, None, Progress())
    image = nibabel.load(tmp_path / "image.nii.gz")
    assert np.array_equal(read_image(tmp_path / "image.nii.gz").array, phantom.ct.array)
    assert b"DOE" not in image.header.binaryblock
    assert not image.header.extensions


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (OFFLINE, "could not fetch its weights: there is no network"),
        (FULL, "ran out of memory"),
        (KILLED, "ran out of memory"),
        (CRASHES, r"failed with code 1 \(ValueError: the affine of the image is not usable\)"),
        (SILENT, r"wrote no labels \(its last line: done\)"),
    ],
    ids=["offline", "GPU full", "killed", "crash", "silent"],
)
def test_failures_are_said_in_one_line_and_leave_nothing(stand_in, phantom, tmp_path, behaviour, words):
    with pytest.raises(InputError, match=words) as failure:
        TotalSegmentatorEngine(command=stand_in(behaviour)).segment(phantom.ct, None, Progress())
    assert "\n" not in str(failure.value)
    assert not list((tmp_path / "private").iterdir())


def runs(process):
    try:
        os.kill(process, 0)
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_cancel_ends_it_with_its_children_and_leaves_nothing(stand_in, phantom, tmp_path):
    engine = TotalSegmentatorEngine(command=stand_in(SLOW))
    job = Job(lambda progress: engine.segment(phantom.ct, None, progress)).start()
    deadline = time.monotonic() + 20
    while not (tmp_path / "pids").exists() or " " not in (tmp_path / "pids").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    job.cancel()
    with pytest.raises(Cancelled):
        job.result(timeout=10)
    assert not any(runs(int(process)) for process in (tmp_path / "pids").read_text().split())
    assert not list((tmp_path / "private").iterdir())


def test_it_is_found_through_the_path(stand_in, phantom, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    assert "pip install TotalSegmentator" in TotalSegmentatorEngine().unavailable()
    with pytest.raises(InputError, match="pip install TotalSegmentator"):
        TotalSegmentatorEngine().segment(phantom.ct, None, Progress())
    stand_in(WORKS)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert TotalSegmentatorEngine().unavailable() == ""


def test_inside_slicer_its_command_runs_in_slicers_python(stand_in, phantom, tmp_path, monkeypatch):
    answer(phantom, tmp_path)
    script = Path(stand_in(WORKS))
    script.write_text(script.read_text().replace(sys.executable, "/nowhere/python"))
    python = tmp_path / "bin" / "PythonSlicer"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "SlicerApp-real"))
    assert Level.L3 in TotalSegmentatorEngine().segment(phantom.ct, None, Progress()).levels
    python.unlink()
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert "PythonSlicer" in TotalSegmentatorEngine().unavailable()


def test_a_command_that_cannot_be_started_says_so(phantom, tmp_path):
    broken = tmp_path / "broken"
    broken.write_text("#!/nowhere/python\n")
    broken.chmod(0o755)
    with pytest.raises(InputError, match="cannot be started"):
        TotalSegmentatorEngine(command=str(broken)).segment(phantom.ct, None, Progress())


def test_its_output_says_how_far_it_is_and_never_runs_back():
    hear = Listener()
    lines = [
        "Resampling...",
        "Predicting part 2 of 5 ...",
        " 50%|###   | 2/4",
        "x",
        " 25%|#     | 1/4",
        "Saving segmentations",
    ]
    assert [hear(line) for line in lines] == [0.1, 0.2, pytest.approx(0.41), None, pytest.approx(0.41), 0.95]
