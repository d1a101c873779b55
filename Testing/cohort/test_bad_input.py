"""The command line as a user runs it: wrong input ends in one readable line and leaves nothing behind."""

import subprocess
import sys

import nibabel
import numpy as np
import pytest

from spinescrew.images import write_volume
from spinescrew.phantoms import make_spine_phantom


def run(*arguments):
    command = [sys.executable, "-m", "spinescrew.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    folder = tmp_path_factory.mktemp("case")
    phantom = make_spine_phantom(3, spacing=(2.0, 2.0, 2.0))
    write_volume(phantom.labels, folder / "labels.nii.gz")
    write_volume(phantom.ct, folder / "ct.nii.gz")
    one = phantom.labels.with_array(np.where(phantom.labels.array == 22, 22, 0).astype(np.int16))
    write_volume(one, folder / "one.nii.gz")
    merged = phantom.labels.with_array(np.where(phantom.labels.array > 0, 22, 0).astype(np.int16))
    write_volume(merged, folder / "merged.nii.gz")
    sparse = np.zeros(phantom.labels.shape, np.int16)
    sparse[5, 5, 5] = 22
    write_volume(phantom.labels.with_array(sparse), folder / "speck.nii.gz")
    far = phantom.labels.affine.copy()
    far[:3, 3] += 500
    nibabel.save(nibabel.Nifti1Image(phantom.labels.array, far), folder / "elsewhere.nii.gz")
    (folder / "broken.csv").write_text("item,diameter_mm,length_mm\nA,65,450\n")
    (folder / "broken.json").write_text("{not json")
    (folder / "foreign").mkdir()
    (folder / "foreign" / "thesis.doc").write_text("mine")
    return folder


WRONG = {
    "missing labels": (["plan", "--labels", "no.nii.gz"], "does not exist"),
    "missing CT": (["plan", "noct.nii.gz", "--labels", "labels.nii.gz"], "does not exist"),
    "unknown level": (["plan", "--labels", "labels.nii.gz", "--levels", "L9"], "not a vertebra level"),
    "levels upwards": (["plan", "--labels", "labels.nii.gz", "--levels", "S1-L1"], "runs upwards"),
    "levels not in the map": (["plan", "--labels", "labels.nii.gz", "--levels", "T3-T4"], "none of T3"),
    "ambiguous numbering": (["plan", "--labels", "one.nii.gz"], "--numbering"),
    "wrong numbering": (["plan", "--labels", "labels.nii.gz", "--numbering", "totalsegmentator-v1"], "would lie below"),
    "CT given as labels": (["plan", "--labels", "ct.nii.gz"], "that is an image"),
    "labels of another image": (["plan", "ct.nii.gz", "--labels", "elsewhere.nii.gz"], "does not belong"),
    "x10 catalogue": (["plan", "--labels", "labels.nii.gz", "--catalog", "broken.csv"], "tenths"),
    "unknown catalogue": (["plan", "--labels", "labels.nii.gz", "--catalog", "acme"], "no catalogue 'acme'"),
    "broken plan": (["grade", "--labels", "labels.nii.gz", "--plan", "broken.json"], "broken.json"),
    "missing plan": (["grade", "--labels", "labels.nii.gz", "--plan", "none.json"], "none.json"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_input_ends_in_one_line(case, tmp_path, name):
    arguments, words = WRONG[name]
    full = [str(case / a) if (a.endswith((".gz", ".csv", ".json"))) else a for a in arguments]
    done = run(*full, "--out", tmp_path / "out")
    assert done.returncode != 0
    lines = [line for line in done.stderr.strip().splitlines() if line.strip()]
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    assert words in lines[0]
    assert not list(tmp_path.iterdir())


def test_a_folder_with_other_files_is_refused_and_untouched(case):
    done = run("plan", "--labels", case / "labels.nii.gz", "--levels", "L3", "--out", case / "foreign")
    assert done.returncode != 0
    assert "holds other files" in done.stderr
    assert [path.name for path in (case / "foreign").iterdir()] == ["thesis.doc"]


def test_a_file_in_place_of_the_folder_is_refused(case):
    done = run("plan", "--labels", case / "labels.nii.gz", "--levels", "L3", "--out", case / "broken.csv")
    assert "is a file" in done.stderr
    assert done.returncode != 0


def test_a_wrong_trajectory_names_the_right_ones(case, tmp_path):
    done = run("plan", "--labels", case / "labels.nii.gz", "--trajectory", "sideways", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "straight-forward" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["merged.nii.gz", "speck.nii.gz"])
def test_merged_or_tiny_vertebrae_are_never_planned_quietly(case, tmp_path, name):
    out = tmp_path / "out"
    done = run("plan", "--labels", case / name, "--numbering", "verse", "--levels", "L3", "--out", out)
    assert "Traceback" not in done.stderr
    if done.returncode == 0:
        assert "0 of 2 screws planned" in done.stdout
        assert "L3 (22) left: " in done.stdout


def test_a_plan_is_graded_on_its_own_image_and_refused_on_another(case, tmp_path):
    out = tmp_path / "out"
    assert run("plan", "--labels", case / "labels.nii.gz", "--levels", "L3-L4", "--out", out).returncode == 0
    names = {path.name for path in out.iterdir()}
    assert names == {"plan.json", "screws.csv", "screws", "report.html", "scene.mrb"}
    again = run("grade", "--labels", case / "labels.nii.gz", "--plan", out / "plan.json", "--out", tmp_path / "graded")
    assert again.returncode == 0, again.stderr
    other = run(
        "grade",
        "--labels",
        case / "one.nii.gz",
        "--numbering",
        "verse",
        "--plan",
        out / "plan.json",
        "--out",
        tmp_path / "x",
    )
    assert other.returncode != 0
    assert not (tmp_path / "x").exists()
    assert list(out.iterdir())


def test_what_was_decided_while_reading_is_said_everywhere(case, tmp_path):
    out = tmp_path / "out"
    done = run("plan", case / "ct.nii.gz", "--labels", case / "labels.nii.gz", "--levels", "L3", "--out", out)
    assert done.returncode == 0, done.stderr
    for text in (done.stdout, (out / "plan.json").read_text(), (out / "report.html").read_text()):
        assert "numbering of the labels: verse" in text
