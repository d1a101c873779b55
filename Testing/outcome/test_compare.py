"""Planned beside placed: known displacements come back with their signs, words and grades."""

from dataclasses import replace

import numpy as np
import pytest

from spinescrew.anatomy.frame import VertebralFrame, direction_from_angles
from spinescrew.anatomy.levels import Level
from spinescrew.anatomy.vertebra import Pedicle, Spine, Vertebra
from spinescrew.errors import InputError
from spinescrew.geometry.sdf import SignedDistance
from spinescrew.geometry.vectors import rotation
from spinescrew.implants.screw import Screw, ScrewShape
from spinescrew.outcome.compare import VertebraFound, brought_to_ct, compare, compare_plan, match_to_plan
from spinescrew.outcome.shift import Shift
from spinescrew.outcome.wording import lines, screw_line, shift_words
from spinescrew.planning.plan import Plan, PlannedScrew

FRAME = VertebralFrame(np.array([5.0, -8.0, 30.0]), *rotation((1, 2, 0.5), 12.0).T)
LOW, HIGH = (-40, -60, -30), (40, 40, 30)


def bone(local):
    """A body 44 x 32 x 26 mm and a pedicle 12 mm thick on either side, from y = -42."""
    size = np.array([22, 16, 13])
    body = np.max(np.abs(local) - size, axis=1)
    necks = np.hypot(np.abs(local[:, 0]) - 12, local[:, 2]) - 6.0
    return np.minimum(body, np.maximum(necks, np.maximum(-42 - local[:, 1], local[:, 1] + 14)))


@pytest.fixture(scope="module")
def spine():
    """L3 in a turned frame; its pedicles run along anterior."""
    corners = FRAME.to_ras(np.array(np.meshgrid(*zip(LOW, HIGH, strict=True))).reshape(3, -1).T)
    low, high = corners.min(axis=0), corners.max(axis=0)
    field = SignedDistance.from_function(lambda p: bone(FRAME.to_local(p)), low, high, 1.0)
    labels = field.volume.with_array(np.where(field.volume.array < 0, Level.L3.value, 0).astype(np.uint8))
    pedicles = {
        side: Pedicle(
            side, FRAME.to_ras([sign * 12, -26, 0]), FRAME.anterior, -sign * FRAME.right, 12.0, 12.0, 10.6, 9.1,
            "assumed walls", 10.0, -16.0, 58.0, 0.0, 0.0,
        )
        for side, sign in (("left", -1.0), ("right", 1.0))
    }  # fmt: skip
    return Spine({Level.L3: Vertebra(Level.L3, field, FRAME, pedicles)}, labels)


def planned(side="left", pta=0.0, length=45.0, diameter=6.5):
    sign = 1.0 if side == "right" else -1.0
    return Screw(
        FRAME.to_ras([sign * 12.0, -42.0, 0.0]),
        direction_from_angles(pta, 0.0, FRAME, side),
        ScrewShape(diameter, length, tip_taper_mm=0.0),
    )


def moved(screw, right=0.0, anterior=0.0, superior=0.0):
    return replace(screw, entry=screw.entry + FRAME.axes @ np.array([right, anterior, superior]))


def plan_of(*rows):
    return Plan(tuple(PlannedScrew(Level.L3, side, screw) for side, screw in rows))


def test_a_pure_shift_has_its_parts_and_no_turn(spine):
    screw = planned("left")
    found = compare(screw, moved(screw, right=1.5, anterior=2.0, superior=-1.0), spine, Level.L3, "left")
    for shift in (found.entry, found.middle, found.tip):
        assert (shift.medial_mm, shift.cranial_mm, shift.deeper_mm) == pytest.approx((1.5, -1.0, 2.0))
        assert shift.distance_mm == pytest.approx(np.sqrt(1.5**2 + 1 + 4))
    assert (found.angle_deg, found.pta_deg, found.psa_deg) == pytest.approx((0.0, 0.0, 0.0), abs=1e-5)


def test_medial_is_towards_the_midline_on_both_sides(spine):
    for side, right in (("left", 2.0), ("right", -2.0)):
        screw = planned(side)
        assert compare(screw, moved(screw, right=right), spine, Level.L3, side).tip.medial_mm == pytest.approx(2.0)


@pytest.mark.parametrize("side", ["left", "right"])
def test_angles_are_placed_less_planned(spine, side):
    screw = planned(side, pta=5.0)
    turned = replace(screw, direction=direction_from_angles(12.0, -4.0, FRAME, side))
    found = compare(screw, turned, spine, Level.L3, side)
    assert (found.pta_deg, found.psa_deg) == pytest.approx((7.0, -4.0))
    assert found.tip.medial_mm > 0 > found.tip.cranial_mm
    assert found.entry.distance_mm == pytest.approx(0.0, abs=1e-9)


def test_the_screw_as_placed_is_graded_as_the_planner_would(spine):
    screw = planned("left")
    good = compare(screw, screw, spine, Level.L3, "left")
    assert (good.grade, good.planned_assessment.gertzbein_robbins) == ("A", "A")
    bad = compare(screw, moved(screw, right=5.0), spine, Level.L3, "left")
    assert bad.grade == "C"
    assert bad.assessment.breach.direction == "medial"
    assert bad.assessment.breach.mm == pytest.approx(2.25, abs=0.2)


def test_the_error_of_the_pose_widens_the_letters(spine):
    screw = planned("left")
    found = compare(screw, moved(screw, right=4.0), spine, Level.L3, "left", error_mm=1.0)
    assert found.grade == "B"
    assert found.grades == ("A", "C")
    assert "(A to C within the error)" in screw_line(found)


def test_what_is_not_trusted_is_not_graded(spine):
    screw = planned("left")
    found = compare(screw, screw, spine, Level.L3, "left", doubts=("image 2 does not look like L3 there",))
    assert found.assessment is None
    assert found.grade == "not gradable"
    assert "not gradable: image 2 does not look like L3 there" in screw_line(found)


def test_screws_are_brought_back_through_the_pose():
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = rotation((0.2, 1, -0.5), 40.0), (10, -20, 5)
    screw = planned("right", pta=10.0)
    there = Screw(pose[:3, :3] @ screw.entry + pose[:3, 3], pose[:3, :3] @ screw.direction, screw.shape)
    back = brought_to_ct(there, pose)
    np.testing.assert_allclose([back.entry, back.tip], [screw.entry, screw.tip], atol=1e-9)


def test_matching_goes_by_distance_and_leaves_out_what_is_far(spine):
    left, right = planned("left"), planned("right")
    vertebrae = {Level.L3: VertebraFound(np.eye(4))}
    placed = {7: moved(right, right=3.0), 9: moved(left, superior=40.0)}
    pairs = match_to_plan({(Level.L3, "left"): left, (Level.L3, "right"): right}, placed, vertebrae)
    assert pairs == {(Level.L3, "right"): 7}


def test_missing_unplanned_and_stray_screws_are_told(spine):
    right = planned("right")
    plan = plan_of(("right", right))
    stray = moved(right, superior=90.0)
    placed = {1: moved(planned("left"), superior=1.0), 2: stray}
    outcome = compare_plan(plan, placed, {Level.L3: VertebraFound(np.eye(4))}, spine)
    assert [(each.side, each.status) for each in outcome.screws] == [("left", "unplanned"), ("right", "missing")]
    assert outcome.get(Level.L3, "left").grade == "A"
    assert outcome.unassigned == (2,)
    told = lines(outcome)
    assert told[0].startswith("L3 left: a screw that was not planned; grade A")
    assert told[1] == "L3 right: no screw was found there"
    assert "screw 2" in told[2]


def test_a_level_that_was_not_registered_is_told(spine):
    outcome = compare_plan(plan_of(("right", planned("right"))), {1: planned("right")}, {}, spine)
    assert outcome.screws[0].reason == "L3 was not found in the images"
    assert outcome.unassigned == (1,)


def test_words_name_what_is_large_first(spine):
    assert shift_words(Shift(0.4, 0.3, 0.2, 0.1)) == "as planned"
    assert shift_words(Shift(2.3, 2.1, -0.8, 0.2)) == "2.1 mm more medial, 0.8 mm more caudal"
    assert shift_words(Shift(0.7, 0.4, -0.4, 0.4)) == "0.7 mm off"
    screw = planned("left")
    line = screw_line(compare(screw, moved(screw, right=-2.0, anterior=-3.0), spine, Level.L3, "left"))
    assert line.startswith("L3 left: entry 3.0 mm less deep, 2.0 mm more lateral; tip 3.0 mm less deep")
    assert "same direction; grade A" in line


def test_an_outcome_is_ready_for_json(spine):
    import json

    outcome = compare_plan(
        plan_of(("left", planned("left")), ("right", planned("right"))),
        {3: moved(planned("left"), right=1.0)},
        {Level.L3: VertebraFound(np.eye(4), 0.4)},
        spine,
    )
    values = json.loads(json.dumps(outcome.to_dict(), allow_nan=False))
    assert values["screws"][0]["tip"]["medial_mm"] == pytest.approx(1.0)
    assert values["screws"][0]["status"] == "compared"
    assert values["screws"][1]["status"] == "missing"


def test_a_level_that_is_not_there_is_refused(spine):
    with pytest.raises(InputError, match="L4"):
        compare(planned(), planned(), spine, Level.L4, "left")
