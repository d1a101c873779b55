"""Planning in a process of its own: the same plan, and nothing left behind whatever happens."""

import os
import signal
import stat
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spinescrew.anatomy.levels import Level
from spinescrew.cohort.background import (
    BackgroundError,
    BackgroundJob,
    BackgroundJudging,
    BackgroundPlanning,
    find_python,
)
from spinescrew.cohort.case import plan_volumes
from spinescrew.errors import InputError, OtherImageError
from spinescrew.phantoms import make_spine_phantom
from spinescrew.planning.options import PlanningOptions
from spinescrew.progress import Cancelled
from spinescrew.viewer.opened import Target

LEVELS = (Level.L3, Level.L4)
OPTIONS = PlanningOptions(trajectory="anatomic", align_heads=False)
LIBRARY = Path(__file__).resolve().parents[2]
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and shell scripts of POSIX")


@pytest.fixture(scope="module")
def phantom():
    return make_spine_phantom(3, spacing=(1.2, 1.2, 1.2))


@pytest.fixture(scope="module")
def direct(phantom):
    return plan_volumes(phantom.labels, phantom.ct, LEVELS, OPTIONS)


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """All temporary folders of a test, here and in its children."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    return folder


def planning(phantom, **options):
    return BackgroundPlanning(phantom.labels, phantom.ct, LEVELS, OPTIONS, **options)


def wait_until(condition):
    """Wait; a minute without it is a failure, not a slow computer."""
    for _ in range(1200):
        if condition():
            return
        time.sleep(0.05)
    pytest.fail("this never came")


def watched(job):
    """All states until the end."""
    states = [job.poll()]
    while not states[-1].finished:
        time.sleep(0.01)
        states.append(job.poll())
    return states


def runs(pid):
    """Whether a process runs; one that ended and was not asked for (a zombie) does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] == "Z")


def same_screws(one, other):
    assert [row.key for row in one.screws] == [row.key for row in other.screws]
    for a, b in zip(one.screws, other.screws, strict=True):
        np.testing.assert_array_equal(a.screw.entry, b.screw.entry)
        np.testing.assert_array_equal(a.screw.tip, b.screw.tip)
        assert a.screw.shape == b.screw.shape
        assert a.assessment.gertzbein_robbins == b.assessment.gertzbein_robbins
        assert a.assessment.mean_hu == b.assessment.mean_hu


# the result


def test_the_plan_is_that_of_the_function_run_here(phantom, direct, temporary):
    with planning(phantom).start() as job:
        states = watched(job)
        case = job.result()
    same_screws(case.plan, direct.plan)
    assert len(case.plan.screws) == 4
    assert case.plan.parameters == direct.plan.parameters
    assert case.plan.input_hash == direct.plan.input_hash
    assert case.spine.vertebrae.keys() == direct.spine.vertebrae.keys()
    assert case.spine.labels is phantom.labels
    assert case.spine.ct is phantom.ct
    assert job.result() is case
    assert states[-1].error == ""
    assert not list(temporary.iterdir())


def test_progress_rises_to_the_end_and_names_the_steps(phantom):
    with planning(phantom) as job:
        assert (job.poll().fraction, job.poll().finished) == (0.0, False)
        states = watched(job.start())
    fractions = [state.fraction for state in states]
    assert fractions == sorted(fractions)
    assert len(set(fractions)) > 3
    assert fractions[-1] == 1.0
    assert any("surface of L3" in state.text for state in states)
    assert not any(state.error for state in states)


def test_a_mask_alone_is_planned(phantom):
    with BackgroundPlanning(phantom.labels, None, (Level.L4,)).start() as job:
        case = job.result()
    assert case.spine.ct is None
    assert {row.level for row in case.plan.screws} == {Level.L4}


def test_it_runs_where_the_library_is_not_installed(phantom, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "numpy.py").write_text("raise RuntimeError('a file of the folder was taken for a package')")
    monkeypatch.setenv("PYTHONPATH", "")
    with BackgroundPlanning(phantom.labels, None, (Level.L4,)).start() as job:
        command = Path(f"/proc/{job.pid}/environ")
        while command.exists() and not (found := command.read_bytes()):
            pass  # the child has not become its program yet
        if command.exists():
            assert f"PYTHONPATH={LIBRARY}".encode() in found.split(b"\0")
        assert len(job.result().plan.screws) == 2


# errors


def test_wrong_input_arrives_as_it_was_raised(phantom, temporary):
    with BackgroundPlanning(phantom.labels, phantom.ct, (Level.T3,)).start() as job:
        state = watched(job)[-1]
        with pytest.raises(InputError, match=r"none of T3 \(10\) is in the label map") as raised:
            job.result()
        assert not list(temporary.iterdir())
    with pytest.raises(InputError) as here:
        plan_volumes(phantom.labels, phantom.ct, (Level.T3,))
    assert state.error == str(raised.value) == str(here.value)
    assert "\n" not in state.error


def test_another_image_arrives_as_such(phantom, tmp_path):
    (tmp_path / "c2.json").write_text('{"image": {"sha256": ""}}')
    with BackgroundJudging(Target(c2=tmp_path), phantom.ct).start() as job, pytest.raises(OtherImageError):
        job.result()


def test_a_defect_is_told_from_wrong_input(phantom):
    broken = BackgroundJob("plan", {"labels": phantom.labels}, {"levels": (Level.L3,), "options": "none"})
    with broken.start() as job, pytest.raises(BackgroundError, match="defect of the program") as raised:
        job.result()
    assert "Traceback" in raised.value.__notes__[0]


@posix
def test_a_killed_child_is_reported(phantom, temporary):
    with planning(phantom).start() as job:
        os.kill(job.pid, signal.SIGKILL)
        state = watched(job)[-1]
        assert "ended from outside (signal 9)" in state.error
        assert job.poll() == state
        with pytest.raises(BackgroundError, match="memory"):
            job.result()
        assert not list(temporary.iterdir())


@posix
def test_a_python_that_cannot_run_the_library_says_what_it_said(phantom, tmp_path, temporary):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 'No module named numpy' >&2\nexit 3\n")
    python.chmod(0o755)
    with planning(phantom, python=str(python)).start() as job:
        assert "ended with code 3 (No module named numpy)" in watched(job)[-1].error
    assert not list(temporary.iterdir())


def test_a_python_that_does_not_exist_is_wrong_input(phantom, tmp_path, temporary):
    with pytest.raises(InputError, match="cannot be started"):
        planning(phantom, python=str(tmp_path / "none")).start()
    assert not list(temporary.iterdir())


def test_a_full_or_missing_temporary_folder_is_wrong_input(phantom, temporary, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(temporary / "none"))
    with pytest.raises(InputError, match="no temporary folder"):
        planning(phantom).start()


# the end


def test_cancel_leaves_no_process_and_no_folder(phantom, temporary):
    job = planning(phantom).start()
    wait_until(lambda: job.poll().fraction > 0)
    assert runs(job.pid)
    assert list(temporary.iterdir()) == [job.folder]
    job.cancel()
    assert not runs(job.pid)
    assert not list(temporary.iterdir())
    assert (job.poll().finished, job.poll().error) == (True, "cancelled")
    with pytest.raises(Cancelled):
        job.result()
    job.cancel()


def test_cancel_before_the_start_and_after_the_end(phantom, temporary):
    with planning(phantom) as job:
        pass
    assert job.poll().finished
    with pytest.raises(Cancelled):
        job.result()
    with BackgroundPlanning(phantom.labels, None, (Level.L4,)).start() as job:
        case = job.result()
        job.cancel()
        assert job.result() is case
    with BackgroundPlanning(phantom.labels, None, (Level.L4,)).start() as job:
        assert watched(job)[-1].error == ""
        job.cancel()
        with pytest.raises(Cancelled):
            job.result()
    assert not list(temporary.iterdir())


@posix
def test_cancel_ends_also_what_a_launcher_started(phantom, tmp_path, temporary):
    launcher = tmp_path / "PythonSlicer"
    launcher.write_text(f'#!/bin/sh\n"{sys.executable}" "$@" &\necho $! > "{tmp_path}/pid"\nwait\n')
    launcher.chmod(0o755)
    job = planning(phantom, python=str(launcher)).start()
    wait_until(lambda: job.poll().fraction > 0)
    child = int((tmp_path / "pid").read_text())
    assert runs(child)
    os.kill(child, signal.SIGSTOP)  # it cannot end by itself
    job.cancel()
    wait_until(lambda: not runs(child))
    assert not list(temporary.iterdir())


def test_a_forgotten_job_ends(phantom, temporary):
    job = planning(phantom).start()
    pid = job.pid
    del job
    assert not runs(pid)
    assert not list(temporary.iterdir())


PARENT = """
import os, signal, sys
import numpy as np
from spinescrew.anatomy.levels import Level
from spinescrew.cohort.background import BackgroundPlanning
from spinescrew.geometry.volume import Volume
labels = Volume(np.load(sys.argv[1]), np.diag([1.2, 1.2, 1.2, 1.0]))
job = BackgroundPlanning(labels, None, (Level.L3, Level.L4)).start()
print(job.pid, flush=True)
{ending}
"""


@posix
@pytest.mark.parametrize("ending", ["os.kill(os.getpid(), signal.SIGKILL)", "sys.exit()", "raise KeyError"])
def test_when_the_parent_ends_nothing_is_left(phantom, tmp_path, temporary, ending):
    np.save(tmp_path / "labels.npy", phantom.labels.array)
    code = PARENT.format(ending=ending)
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "labels.npy"], capture_output=True, text=True)
    pid = int(done.stdout)
    wait_until(lambda: not runs(pid))
    assert not list(temporary.iterdir())


# privacy


@posix
def test_the_folder_is_private_and_knows_no_patient(phantom):
    secret = {**phantom.labels.metadata, "PatientName": "Ivanova^Anna"}
    labels = replace(phantom.labels, metadata=secret)
    with BackgroundPlanning(labels, replace(phantom.ct, metadata=secret), LEVELS).start() as job:
        os.kill(job.pid, signal.SIGSTOP)
        assert stat.S_IMODE(job.folder.stat().st_mode) == 0o700
        held = {path.name: path.read_bytes() for path in job.folder.iterdir()}
        assert {"labels.npy", "ct.npy", "job"} <= held.keys()
        assert not any(b"Ivanova" in content for content in held.values())
        os.kill(job.pid, signal.SIGCONT)
        case = job.result()
    assert case.spine.labels.metadata["PatientName"] == "Ivanova^Anna"
    assert case.plan.parameters["input_notes"] == ["numbering of the labels: verse, built in"]


# which Python


def test_a_running_python_is_taken_itself():
    assert find_python() == sys.executable


@posix
@pytest.mark.parametrize("where", ["beside the program", "on the path"])
def test_in_slicer_the_python_is_slicers(tmp_path, monkeypatch, where):
    program, elsewhere = tmp_path / "bin" / "SlicerApp-real", tmp_path / "elsewhere"
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setenv("PATH", str(elsewhere))
    with pytest.raises(InputError, match="PythonSlicer"):
        find_python()
    python = (program.parent if where == "beside the program" else elsewhere) / "PythonSlicer"
    python.parent.mkdir()
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    assert find_python() == str(python)


def test_only_known_jobs_are_run(phantom):
    with pytest.raises(ValueError, match="no job is called format"):
        BackgroundJob("format", {"labels": phantom.labels}, {})
