"""Two radiographs as windows ask for them: what is read, what is refused, what is handed out."""

import pickle
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest

from spinescrew.anatomy.levels import Level
from spinescrew.cohort import pose_demo, pose_open
from spinescrew.cohort.pose_open import EXAMPLE_NAME, case_of, open_pose, pack_pose, target_of
from spinescrew.cohort.pose_outcome import PoseOutcome
from spinescrew.errors import InputError
from spinescrew.implants.screw import Screw
from spinescrew.outcome.compare import Outcome
from spinescrew.planning.plan import Plan, PlannedScrew
from spinescrew.viewer.opened import Posed, PoseTarget


@pytest.fixture
def asked(monkeypatch):
    """What was read and solved; nothing is."""
    seen = []
    monkeypatch.setattr(pose_open, "read_pair", lambda images, geometry: seen.append((images, geometry)) or "pair")
    found = SimpleNamespace(result="result", radiographs=("first", "second"))
    monkeypatch.setattr(pose_open, "solve_pair", lambda pair, sizes, progress: seen.append((pair, sizes)) or found)
    return seen


def test_sizes_are_read_as_typed(tmp_path):
    target = target_of(["a.dcm", "b.dcm"], "g.json", "6.5x45; 5.5 x 40,")
    assert target.sizes == ((6.5, 45.0), (5.5, 40.0))
    assert not target.built_in
    assert target_of([], None).built_in
    with pytest.raises(InputError, match="'long' is no size"):
        target_of([], None, "long")


def test_files_are_read_in_their_order_and_measured_where_no_size_is_given(asked, tmp_path):
    images = (tmp_path / "AP.dcm", tmp_path / "LAT.dcm")
    posed = open_pose(PoseTarget(images, tmp_path / "g.json"))
    assert asked == [(images, tmp_path / "g.json"), ("pair", None)]
    assert posed.name == "AP.dcm, LAT.dcm"
    assert posed.radiographs == ("first", "second")


def test_images_without_a_geometry_ask_for_it(asked, tmp_path):
    with pytest.raises(InputError, match="the geometry is missing"):
        open_pose(PoseTarget((tmp_path / "AP.dcm", tmp_path / "LAT.dcm")))
    assert asked == []


def test_without_files_there_is_a_simulated_pair(asked, monkeypatch):
    def example(folder, progress):
        assert folder.is_dir()
        return PoseTarget((folder / "first.dcm", folder / "second.dcm"), folder / "geometry.json")

    monkeypatch.setattr(pose_open, "write_example", example)
    assert open_pose(PoseTarget()).name == EXAMPLE_NAME
    assert [path.name for path in asked[0][0]] == ["first.dcm", "second.dcm"]


def test_the_example_is_found_again_only_when_it_is_whole(tmp_path):
    names = (*pose_demo.IMAGES, pose_demo.GEOMETRY)
    for name in names:
        assert pose_demo.example_in(tmp_path) is None
        (tmp_path / name).write_text("")
    found = pose_demo.example_in(tmp_path)
    assert [path.name for path in (*found.images, found.geometry)] == list(names)


def test_everything_is_packed(monkeypatch, tmp_path):
    def write(case, out, *, force, progress):
        assert case.result == "corrected" and force
        out.mkdir()
        for name in ("report.html", "pose.json"):
            (out / name).write_text(name)

    monkeypatch.setattr(pose_open, "write_pose_case", write)
    posed = Posed("corrected", ("first", "second"), "a, b")
    report, poses, archive = pack_pose(posed, tmp_path / "screws", tmp_path / "screws.zip")
    assert report.read_text() == "report.html" and poses.read_text() == "pose.json"
    names = {name.split("/")[-1] for name in zipfile.ZipFile(archive).namelist()}
    assert {"report.html", "pose.json"} <= names


@pytest.fixture
def plan(monkeypatch):
    """A plan of one screw, whose vertebra is found where it is asked for; nothing is measured."""
    vertebra = SimpleNamespace(pose=np.eye(4), error_mm=0.4, doubts=("seen in one image",))
    outcome = PoseOutcome(Outcome(()), {Level.L3: vertebra}, {}, inclusive=True)
    monkeypatch.setattr(pose_open, "build_spine", lambda labels, ct, levels, progress: (labels, ct, levels))
    monkeypatch.setattr(pose_open, "check_plan_matches", lambda plan, spine: None)
    monkeypatch.setattr(pose_open, "outcome_from_views", lambda case, result, radiographs, progress: outcome)
    screw = Screw.between((0.0, 0.0, 0.0), (0.0, 45.0, 0.0), 6.5)
    return Plan(screws=(PlannedScrew(Level.L3, "left", screw),))


def test_a_plan_is_compared_in_its_own_image_only(asked, plan, tmp_path):
    target = PoseTarget((tmp_path / "a.dcm", tmp_path / "b.dcm"), tmp_path / "g.json")
    with pytest.raises(InputError, match="load it with its vertebrae"):
        open_pose(target, plan, ct="ct")
    with pytest.raises(InputError, match="holds no screw"):
        open_pose(target, Plan(), "ct", "labels")
    found = open_pose(target, plan, "ct", "labels").planned
    assert found.case.spine == ("labels", "ct", (Level.L3,))


def test_corrected_poses_are_compared_with_each_vertebra_where_it_was_found(asked, plan, tmp_path, monkeypatch):
    target = PoseTarget((tmp_path / "a.dcm", tmp_path / "b.dcm"), tmp_path / "g.json")
    posed = open_pose(target, plan, "ct", "labels")
    given = {}

    def compare(plan, placed, homes, spine, *, options):
        given.update(placed=placed, homes=homes, inclusive=options.inclusive)
        return Outcome((), unassigned=(7,))

    monkeypatch.setattr(pose_open, "compare_plan", compare)
    result = SimpleNamespace(screws=(SimpleNamespace(number=7, screw="corrected"),))
    case = case_of(Posed(result, posed.radiographs, "a, b", pickle.loads(pickle.dumps(posed.planned))))
    assert case.outcome.found.unassigned == (7,)
    assert given["placed"] == {7: "corrected"} and given["inclusive"]
    home = given["homes"][Level.L3]
    assert (home.error_mm, home.doubts) == (0.4, ("seen in one image",))
