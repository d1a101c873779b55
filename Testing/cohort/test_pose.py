"""From two radiographs in files to poses in files, by a search that a test can rely on."""

import csv
import json
from dataclasses import replace

import pytest
from known_poses import solved

from spinescrew.cohort.pose import PoseCase, solve_case, write_pose_case
from spinescrew.cohort.pose_pair import SolvedPair
from spinescrew.errors import InputError
from spinescrew.exchange.pose_file import read_pose
from spinescrew.networks.card import ModelCard
from spinescrew.networks.weights import ModelEntry
from spinescrew.progress import Cancelled, Progress
from spinescrew.radiographs import write_geometry, write_radiograph
from spinescrew.radiographs.find import MODEL

NAMES = {"pose.json", "screws.csv", "report.html", "screws"}


@pytest.fixture(scope="module")
def known():
    return solved()


@pytest.fixture(scope="module")
def files(known, tmp_path_factory):
    """Files whose names tell a patient."""
    folder = tmp_path_factory.mktemp("images")
    images = [write_radiograph(folder / f"Doe_Jane_{n}.dcm", image) for n, image in enumerate(known.radiographs)]
    return images, write_geometry(folder / "Doe_Jane.json", known.views)


@pytest.fixture
def pose(known):
    """A solver that knows the answer, and what it was asked."""
    asked = []

    def answer(pair, sizes, *, device, progress):
        asked.append((pair, sizes, device))
        with progress.step("find the screws"):
            progress.update(0.5)
        return SolvedPair(pair.radiographs, known.result)

    answer.asked = asked
    return answer


@pytest.fixture(scope="module")
def written(known, files, tmp_path_factory):
    """One run with an installed model, and where it wrote."""
    card = ModelCard(
        name=MODEL, task="xray", version="1.0", created="2026-01-01", trained_on="phantoms", sha256="a" * 64
    )
    out = tmp_path_factory.mktemp("case") / "out"

    def answer(pair, sizes, *, device, progress):
        with progress.step("find the screws"):
            return SolvedPair(pair.radiographs, known.result)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("spinescrew.cohort.pose.list_models", lambda: [ModelEntry(MODEL, None, card, "")])
        return solve_case(*files, out, pose=answer), out


def test_everything_is_written_and_listed(written):
    case, out = written
    assert {path.name for path in out.iterdir()} == NAMES
    assert set(case.files) == {path for path in out.rglob("*") if path.is_file()}
    assert len(list((out / "screws").iterdir())) == 5
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_the_poses_tell_images_geometry_models_and_times(written, known):
    case, out = written
    kept = read_pose(out / "pose.json")
    assert kept.check_images(case.radiographs) == ()
    told = kept.document
    assert [model["sha256"] for model in told["models"]] == ["a" * 64]
    assert "simulated images" in told["provenance"]
    assert {"find the screws", "draw the report"} <= set(told["seconds"])
    assert case.result.seconds.keys() == told["seconds"].keys()
    with (out / "screws.csv").open(newline="") as file:
        assert [row["number"] for row in csv.DictReader(file)] == [str(posed.number) for posed in known.result.screws]


def test_no_file_tells_whose_images_they_are(written):
    for path in written[1].rglob("*"):
        if path.is_file():
            assert b"Doe_Jane" not in path.read_bytes(), path.name


def test_sizes_and_device_are_handed_on(files, pose, tmp_path):
    solve_case(*files, tmp_path / "out", sizes=[(6.5, 45.0)], device="cpu", pose=pose)
    assert [(sizes, device) for _, sizes, device in pose.asked] == [([(6.5, 45.0)], "cpu")]


def test_a_case_of_ours_is_replaced_and_a_foreign_folder_only_by_force(files, pose, tmp_path, monkeypatch):
    monkeypatch.setattr("spinescrew.cohort.pose.write_pose_report", lambda *_given, **_options: None)
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.doc").write_text("mine")
    with pytest.raises(InputError, match="holds other files"):
        solve_case(*files, out, pose=pose)
    assert pose.asked == []
    assert [path.name for path in out.iterdir()] == ["thesis.doc"]
    for force in (True, False):
        solve_case(*files, out, force=force, pose=pose)
        assert {path.name for path in out.iterdir()} == NAMES - {"report.html"}


def test_what_is_refused_or_cancelled_leaves_nothing(files, tmp_path):
    def refuse(pair, sizes, *, device, progress):
        raise InputError("image 1 shows no pedicle screw")

    def cancel(pair, sizes, *, device, progress):
        progress.cancel()
        progress.check()

    for pose, error in ((refuse, InputError), (cancel, Cancelled)):
        with pytest.raises(error):
            solve_case(*files, tmp_path / "out", pose=pose, progress=Progress())
    with pytest.raises(InputError, match="no radiograph|no DICOM"):
        (tmp_path / "notes.txt").write_text("not an image")
        solve_case([files[0][0], tmp_path / "notes.txt"], files[1], tmp_path / "out", pose=refuse)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_poses_in_memory_are_written_with_the_times_they_took(known, tmp_path, monkeypatch):
    monkeypatch.setattr("spinescrew.cohort.pose.write_pose_report", lambda *_given, **_options: None)
    corrected = replace(known.result, seconds={"solve": 4.2})
    case = write_pose_case(PoseCase(corrected, known.radiographs), tmp_path / "out")
    told = json.loads((tmp_path / "out" / "pose.json").read_text())
    assert told["seconds"]["solve"] == 4.2
    assert case.result.screws is known.result.screws
