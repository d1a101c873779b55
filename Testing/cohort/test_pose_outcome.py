"""Screws of two radiographs beside their plan: what is asked of the registration, and what is told."""

import csv
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from known_poses import solved
from small_spine import make_mask_spine, make_plan

from spinescrew.anatomy.levels import Level
from spinescrew.cohort import pose, pose_outcome
from spinescrew.cohort.pose import solve_case
from spinescrew.cohort.pose_outcome import PlanCase, PlanInput, outcome_from_ct, outcome_from_views, read_plan_case
from spinescrew.cohort.pose_pair import SolvedPair
from spinescrew.errors import InputError
from spinescrew.exchange import write_plan
from spinescrew.geometry.vectors import rotation
from spinescrew.implants.screw import Screw
from spinescrew.outcome.compare import VertebraFound, compare_plan
from spinescrew.outcome.postop import FoundScrew, PostopOutcome
from spinescrew.outcome.registration import VertebraPose
from spinescrew.planning.plan import Plan
from spinescrew.radiographs import write_geometry, write_radiograph

SHIFT = np.array([30.0, -12.0, 55.0])
TURN = rotation((0.2, 0.4, 1.0), 9.0)


@pytest.fixture(scope="module")
def spine():
    return make_mask_spine()


@pytest.fixture(scope="module")
def plan(spine):
    return make_plan(spine)


@pytest.fixture(scope="module")
def known(plan):
    """The first four planned screws, each 2 mm to the right and 1 mm up, where the views are; a pose result of them."""
    case = solved()
    screws = []
    for row, posed in zip(plan.planned, case.result.screws, strict=False):
        own = replace(row.screw, entry=row.screw.entry + (2.0, 0.0, 1.0))
        there = Screw(TURN @ own.entry + SHIFT, TURN @ own.direction, own.shape)
        screws.append(replace(posed, screw=there))
    return SimpleNamespace(
        radiographs=case.radiographs, views=case.views, result=replace(case.result, screws=tuple(screws[:4]))
    )


@pytest.fixture
def register(monkeypatch):
    """A registration that knows where every vertebra is, and what it was asked."""
    asked = []

    def answer(ct, labels, radiographs, views, levels, metal, *, start, progress):
        asked.append(SimpleNamespace(levels=list(levels), start=start, metal=metal, views=views))
        if answer.missing & set(levels):
            raise InputError("T12 is not in image 1")
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = TURN, SHIFT
        doubts = {Level.L2: answer.doubts}
        return {
            level: VertebraPose(level, matrix, (0.8, 0.7), 0.4, 0.0, 0.0, doubts.get(level, ())) for level in levels
        }

    answer.asked, answer.missing, answer.doubts = asked, set(), ()
    monkeypatch.setattr(pose_outcome, "register_vertebrae", answer)
    return answer


@pytest.fixture
def case(plan, spine):
    return PlanCase(plan, spine, spine.labels, spine.labels)


def test_planned_and_placed_are_compared_vertebra_by_vertebra(case, known, register):
    found = outcome_from_views(case, known.result, known.radiographs)
    first = found.found.get(Level.L1, "left")
    assert first.number == 1
    assert first.entry.medial_mm == pytest.approx(2.0, abs=1e-6)
    assert first.entry.cranial_mm == pytest.approx(1.0, abs=1e-6)
    assert first.angle_deg == pytest.approx(0.0, abs=1e-5)
    assert first.grade == "B"
    assert found.found.get(Level.L3, "left").reason == "no screw was found there"
    assert found.to_dict()["vertebrae"]["L1"]["expected_mm"] == 0.4


def test_only_levels_with_a_screw_are_registered_from_where_the_screws_put_the_ct(case, known, register):
    outcome_from_views(case, known.result, known.radiographs)
    asked = register.asked[0]
    assert {Level.L1, Level.L2} <= set(asked.levels)
    assert asked.views is known.result.views
    assert [mask.shape for mask in asked.metal] == [image.shape for image in known.radiographs]
    middle = case.spine.vertebrae[Level.L1].frame.origin
    places = [start[:3, :3] @ middle + start[:3, 3] for start in asked.start]
    assert min(np.linalg.norm(place - (TURN @ middle + SHIFT)) for place in places) < 8.0


def test_a_level_beyond_the_images_does_not_stop_the_others(case, known, register, monkeypatch):
    monkeypatch.setattr(pose_outcome, "_levels_near", lambda planned, placed, starts: next(answers))
    answers = iter([[Level.L1, Level.L2], [Level.L2, Level.L3]])
    monkeypatch.setattr(pose_outcome, "starts_from_screws", lambda planned, placed: [np.eye(4)] * 2)
    register.missing = {Level.L3}
    found = outcome_from_views(case, known.result, known.radiographs)
    assert [asked.levels for asked in register.asked] == [[Level.L1, Level.L2, Level.L3], [Level.L1, Level.L2]]
    assert "L3 was not found in the images" in found.found.get(Level.L3, "left").reason


def test_a_vertebra_that_cannot_be_trusted_grades_nothing(case, known, register):
    register.doubts = ("both images fit poorly",)
    found = outcome_from_views(case, known.result, known.radiographs)
    second = found.found.get(Level.L2, "left")
    assert second.assessment is None
    assert "both images fit poorly" in second.reason


def test_a_plan_needs_its_ct_and_a_ct_its_plan(tmp_path):
    with pytest.raises(InputError, match="give it with --ct"):
        solve_case(["a.dcm", "b.dcm"], "g.json", tmp_path / "out", plan=tmp_path / "plan.json")
    for name in ("ct", "labels", "postop"):
        with pytest.raises(InputError, match="give --plan"):
            solve_case(["a.dcm", "b.dcm"], "g.json", tmp_path / "out", **{name: tmp_path / "x.nii.gz"})
    assert not list(tmp_path.iterdir())


def test_an_empty_plan_and_another_image_are_refused(plan, spine, tmp_path, monkeypatch):
    path = write_plan(Plan(()), tmp_path / "empty.json")
    with pytest.raises(InputError, match=r"empty.json plans no screw"):
        read_plan_case(PlanInput(path, tmp_path / "ct.nii.gz"))
    path = write_plan(plan, tmp_path / "plan.json")
    monkeypatch.setattr(pose_outcome, "load_case", lambda source, progress: (spine.labels, spine.labels))
    monkeypatch.setattr(pose_outcome, "build_spine", lambda labels, ct, levels, progress: spine)
    with pytest.raises(InputError, match="made on other labels"):
        read_plan_case(PlanInput(path, tmp_path / "ct.nii.gz"))
    own = replace(plan, input_hash={"labels": spine.labels.content_hash(), "ct": None})
    found = read_plan_case(PlanInput(write_plan(own, tmp_path / "own.json"), tmp_path / "ct.nii.gz"))
    assert [row.key for row in found.plan.planned] == [row.key for row in plan.planned]


@pytest.fixture
def compared(case, known, register, tmp_path, monkeypatch):
    """What one run with a plan wrote."""
    images = [write_radiograph(tmp_path / f"{n}.dcm", image) for n, image in enumerate(known.radiographs)]
    geometry = write_geometry(tmp_path / "geometry.json", known.views)
    monkeypatch.setattr(pose, "read_plan_case", lambda source, progress: case)
    told = {}
    monkeypatch.setattr(pose, "write_pose_report", lambda *_given, **options: told.update(options))

    def solver(pair, sizes, **_options):
        return SolvedPair(pair.radiographs, known.result)

    found = solve_case(images, geometry, tmp_path / "out", plan=tmp_path / "p.json", ct=tmp_path / "c.nii", pose=solver)
    return found, tmp_path / "out", told


def test_the_files_tell_differences_and_grades_beside_the_screws(compared):
    case, out, told = compared
    document = json.loads((out / "pose.json").read_text())["outcome"]
    assert document["screws"][0]["level"] == "L1"
    assert document["screws"][0]["grade"] == "B"
    assert set(document["input_hash"]) == {"ct", "labels"}
    with (out / "screws.csv").open(newline="") as file:
        first, *_ = csv.DictReader(file)
    assert (first["level"], first["side"], first["gertzbein_robbins"]) == ("L1", "left", "B")
    assert float(first["entry_medial_mm"]) == pytest.approx(2.0, abs=1e-3)
    (section,) = told["placed"]
    assert section.outcome is case.outcome.found
    assert "rigid body" in section.words
    assert "compare with the plan" in case.result.seconds


def test_a_later_ct_is_compared_by_its_own_metal(case, plan, spine, monkeypatch):
    screws = {n: row.screw for n, row in enumerate(plan.planned, start=1)}
    homes = {level: VertebraFound(np.eye(4), 0.2) for level in spine.vertebrae}
    asked = []

    def compare_postop(own, its_spine, later, *, options, progress):
        asked.append((own is plan, its_spine is spine, options.inclusive))
        found = tuple(FoundScrew(n, screw, 100.0, ("look at it",) if n == 2 else ()) for n, screw in screws.items())
        return PostopOutcome(found, homes, compare_plan(own, screws, homes, its_spine))

    monkeypatch.setattr(pose_outcome, "compare_postop", compare_postop)
    found = outcome_from_ct(case, spine.labels)
    assert asked == [(True, True, False)]
    assert "after the operation" in found.title
    assert found.found.warnings[-1] == "screw 2 of the later CT: look at it"
    told = found.to_dict()
    assert set(told["input_hash"]) == {"ct", "labels", "postop"}
    assert told["vertebrae"]["L1"]["expected_mm"] == 0.2
    assert json.dumps(told, allow_nan=False)
