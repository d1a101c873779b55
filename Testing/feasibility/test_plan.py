"""C2 as a spine with a plan: the suggested screws are graded and can be moved as any other."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from axis_bones import axis_bone

from spinescrew.anatomy.frame import SIDES, side_sign
from spinescrew.anatomy.levels import Level
from spinescrew.feasibility.measures import measure_pedicle
from spinescrew.feasibility.plan import c2_plan, c2_spine
from spinescrew.grading.scales import NOT_GRADABLE
from spinescrew.planning.edits import move
from spinescrew.planning.session import Session

THIN, WIDE = "left", "right"


@cache
def measures():
    """Of a patient whose left pedicle is too thin."""
    case = axis_bone(3)
    return {side: measure_pedicle(case.bone, case.poses[side], case.frame) for side in SIDES}


@cache
def spine():
    case = axis_bone(3)
    return c2_spine(case.labels, None, case.bone, case.frame, measures())


@cache
def plan():
    return c2_plan(spine(), measures())


def test_the_spine_holds_c2_with_both_pedicles_as_measured():
    vertebra = spine().vertebrae[Level.C2]
    for side in SIDES:
        pedicle = vertebra.pedicles[side]
        assert pedicle.width_mm == measures()[side].outer_width_mm
        assert pedicle.medial @ vertebra.frame.right * side_sign(side) < 0.0
        assert abs(pedicle.medial @ pedicle.axis) < 1e-9
        assert vertebra.bone.sample(pedicle.isthmus) < 0.0
        assert pedicle.inner_source == "assumed walls"


def test_the_corridor_is_a_catalogue_screw_without_a_breach():
    row = plan().get(Level.C2, WIDE)
    corridor = measures()[WIDE].corridors[3.5]
    assert row.screw.shape.diameter_mm == 3.5
    assert row.screw.shape.item.startswith("generic")
    assert 20.0 <= row.screw.shape.length_mm <= corridor.length_mm
    assert row.screw.entry == pytest.approx(corridor.entry)
    assert row.assessment.gertzbein_robbins == "A"
    assert row.assessment.depth_percent <= 80.5
    assert "facet_grade" in row.assessment.reasons


def test_a_side_that_takes_no_screw_has_the_reason_in_its_row():
    row = plan().get(Level.C2, THIN)
    assert row.screw is None
    assert "no 3.5 mm screw passes" in row.reason


def test_a_session_can_nudge_the_screw_and_grades_it_anew():
    session = Session(plan(), spine())
    outwards = side_sign(WIDE) * spine().vertebrae[Level.C2].frame.right
    session.edit("nudge", lambda p: move(p, Level.C2, WIDE, 4.0 * outwards))
    moved = session.plan.get(Level.C2, WIDE).assessment
    assert moved.gertzbein_robbins in "BCDE"
    assert moved.breach.direction == "lateral"
    session.undo()
    assert session.plan.get(Level.C2, WIDE).assessment.gertzbein_robbins == "A"


def test_a_pedicle_that_is_not_there_refuses_the_grade_with_its_reason():
    none = replace(measures()[THIN], outer_width_mm=0.0)
    alone = c2_spine(axis_bone(3).labels, None, axis_bone(3).bone, axis_bone(3).frame, {**measures(), THIN: none})
    screw = plan().get(Level.C2, WIDE).screw
    plain = plan().get(Level.C2, THIN)
    graded = Session(plan().with_screw(replace(plain, screw=screw, reason="")), alone).plan.get(Level.C2, THIN)
    assert graded.assessment.gertzbein_robbins == NOT_GRADABLE
    assert "absent" in graded.assessment.reasons["gertzbein_robbins"]


def test_the_plan_knows_its_image_and_how_it_was_made():
    assert plan().input_hash["labels"] == axis_bone(3).labels.content_hash()
    assert plan().parameters["diameter_mm"] == 3.5
    assert [row.side for row in plan().screws] == list(SIDES)
    thick = c2_plan(spine(), measures(), 4.0).get(Level.C2, WIDE)
    assert thick.screw.shape.diameter_mm == 4.0
    assert np.linalg.norm(thick.screw.entry - plan().get(Level.C2, WIDE).screw.entry) < 1e-9
