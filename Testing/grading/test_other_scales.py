"""Zdichavsky, Heary, Ravi, facet grades, angles and the bone-screw channel from hand-built cases."""

from __future__ import annotations

import builders
import numpy as np
import pytest

from spinescrew.anatomy.frame import VertebralFrame, direction_from_angles
from spinescrew.anatomy.vertebra import Canal, FacetJoint
from spinescrew.geometry.vectors import rotation
from spinescrew.grading import scales
from spinescrew.grading.grade import assess
from spinescrew.grading.shaft import shaft_of
from spinescrew.grading.surroundings import clearance
from spinescrew.implants.screw import Screw


def grade(case, screw, others=()):
    return assess(screw, case.spine, case.level, "right", others)


@pytest.fixture(scope="module")
def vertebra():
    return builders.vertebra_case()


def through(case, x, slope, rise=0.0, length=45.0):
    """A screw that passes (x, -25, 0) and starts at y = -40."""
    direction = np.array([slope, 1.0, rise])
    return case.screw(np.array([x, -25.0, 0.0]) - 15 * direction, direction, length=length * np.linalg.norm(direction))


@pytest.mark.parametrize(
    ("x", "slope", "expected"),
    [
        (12.0, 0.0, "Ia"),
        (18.6, 0.0, "Ib"),
        (10.0, 0.6, "IIa"),
        (14.0, -0.6, "IIb"),
        (22.5, 0.0, "IIIa"),
        (4.0, -0.4, "IIIb"),
    ],
)
def test_each_zdichavsky_class_has_its_screw(vertebra, x, slope, expected):
    found = grade(vertebra, through(vertebra, x, slope))
    assert found.zdichavsky == expected
    assert (found.pedicle_fraction >= 0.5) == expected.startswith(("Ia", "II")) or expected.startswith("III")
    assert (found.body_fraction >= 0.5) == (expected in ("Ia", "Ib", "IIb", "IIIb"))


def test_a_screw_above_pedicle_and_body_fits_no_zdichavsky_class(vertebra):
    screw = vertebra.screw((12, -40, 14), length=45)
    found = grade(vertebra, screw)
    assert found.zdichavsky == "unclassified"
    assert found.breach_direction == "superior"
    assert found.body_breaches["superior"] == pytest.approx(5.0, abs=0.3)
    assert found.heary == "unclassified"


def test_the_fraction_is_the_share_of_the_section_inside(vertebra):
    """A chord through the centre of the screw halves it (the pedicle's wall is nearly straight there)."""
    found = grade(vertebra, vertebra.screw((18, -40, 0), length=45, diameter=2.0))
    assert found.pedicle_fraction == pytest.approx(0.5, abs=0.06)


def test_heary_and_ravi_follow_the_breaches(vertebra):
    inside, lateral = grade(vertebra, through(vertebra, 12, 0)), grade(vertebra, through(vertebra, 17, -0.05))
    medial, deep = grade(vertebra, through(vertebra, 7, 0)), grade(vertebra, through(vertebra, 12, 0, length=60))
    assert (inside.heary, lateral.heary, medial.heary, deep.heary) == (1, 2, 4, 3)
    assert (inside.ravi, lateral.ravi) == (1, 2 if lateral.breach_mm < 2 else 3)
    assert deep.gertzbein_robbins == "A"
    assert deep.body_breaches["anterior"] == pytest.approx(5.0, abs=0.2)
    assert [scales.ravi(mm) for mm in (0, 1.9, 2, 4, 4.1)] == [1, 2, 3, 3, 4]


def test_breaches_of_the_body_stay_out_of_the_pedicle_grade(vertebra):
    found = grade(vertebra, through(vertebra, 12, 0.35, length=50))
    assert found.gertzbein_robbins in "AB"
    assert found.body_breaches["lateral"] > 2
    assert found.body_breaches["medial"] == 0


def slab(case, near, depth=1.5):
    """Joint points from ``near`` mm beside the axis x = 12 on, between y = -36 and -30."""
    axes = [np.arange(near, near + depth + 1e-9, 0.25), np.arange(-36, -29.9, 0.5), np.arange(-3, 3.1, 0.25)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3) + np.array([12, 0, 0])
    joint = FacetJoint("right", case.frame.to_ras(points), 0.25, case.frame.right, 1.5)
    case.vertebra.facets["right"] = joint
    return case


@pytest.mark.parametrize(("near", "expected", "gap"), [(5.0, 0, 2.0), (3.6, 1, 0.6), (2.5, 2, -0.5), (1.5, 3, -1.5)])
def test_the_four_facet_grades_follow_from_the_gap(near, expected, gap):
    case = slab(builders.vertebra_case(), near)
    found = grade(case, through(case, 12, 0))
    assert found.facet_grade == expected
    assert found.facet_gap_mm == pytest.approx(gap, abs=0.02)
    assert found.facet_penetration_mm == pytest.approx(max(-gap, 0), abs=0.02)


def test_an_axis_within_the_joint_is_grade_3_however_thin_the_screw():
    case = slab(builders.vertebra_case(), -0.5, 1.0)
    found = grade(case, case.screw((12, -40, 0), diameter=1.2, length=45))
    assert found.facet_penetration_mm < 1.0
    assert found.facet_grade == 3


def test_the_tulip_is_told_apart_from_the_shaft():
    case = slab(builders.vertebra_case(), 5.0)
    found = grade(case, case.screw((12, -28, 0), length=35, tulip_diameter_mm=13.0, tulip_height_mm=15.0))
    assert found.facet_grade == 0
    assert found.head_facet_gap_mm < 0


def test_without_the_vertebra_above_the_facet_is_not_gradable():
    case = builders.vertebra_case()
    found = grade(case, through(case, 12, 0))
    assert found.facet_grade == "not gradable"
    assert found.facet_gap_mm is None
    assert "not in view" in found.reasons["facet_grade"]
    case.vertebra.missing["facet right"] = "no joint: the surfaces are 7 mm apart"
    assert grade(case, through(case, 12, 0)).reasons["facet_grade"] == "no joint: the surfaces are 7 mm apart"


def test_points_are_measured_to_the_tapered_shaft():
    shaft = shaft_of(Screw.between((0, 0, 0), (0, 40, 0), 6.0, tip_taper_mm=5.0, tip_radius_mm=0.5))
    known = {(5, 20, 0): 2.0, (0, 20, 0): -3.0, (0, -4, 0): 4.0, (0, 43, 0): 3.0, (3, -4, 0): 4.0, (0, 1, 1): -1.0}
    for point, distance in known.items():
        assert clearance(np.array([point], float), shaft) == pytest.approx(distance, abs=1e-9)
    slope = np.array([5.0, -2.5]) / np.hypot(5, 2.5)
    middle = np.array([[1.75 + 2 * slope[0], 37.5 - 2 * slope[1], 0]])
    assert clearance(middle, shaft) == pytest.approx(2.0, abs=1e-9)


def test_canal_clearance_turns_negative_in_the_canal():
    case = builders.vertebra_case()
    assert grade(case, through(case, 12, 0)).canal_clearance_mm is None
    axes = [np.arange(-4, 5.1, 0.5), np.arange(-35, -16, 0.5), np.arange(-8, 9, 0.5)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    case = builders.vertebra_case(canal=Canal(case.frame.to_ras(points), 0.5, 9.0, 19.0))
    assert grade(case, through(case, 12, 0)).canal_clearance_mm == pytest.approx(4.0, abs=0.01)
    assert grade(case, through(case, 7, 0)).canal_clearance_mm == pytest.approx(-1.0, abs=0.01)


def test_neighbouring_screws_are_told_by_their_room(vertebra):
    screw, near = through(vertebra, 12, 0), vertebra.screw((12, -40, 8), diameter=5.0, length=45)
    assert grade(vertebra, screw).neighbour_screw_clearance_mm is None
    far = vertebra.screw((12, -40, 30), length=45)
    assert grade(vertebra, screw, [far, near]).neighbour_screw_clearance_mm == pytest.approx(2.5, abs=0.01)


@pytest.mark.parametrize("turn", [0, 1])
def test_angles_are_those_of_the_vertebra(turn):
    frame = VertebralFrame(np.zeros(3), *builders.turned(turn).T)
    case = builders.vertebra_case()
    for side in ("left", "right"):
        direction = direction_from_angles(30.0, 10.0, frame, side)
        local = frame.axes.T @ direction
        assert local[0] * (1 if side == "right" else -1) < 0
        case.vertebra.pedicles["left"] = case.vertebra.pedicles["right"]
        screw = case.screw((12, -40, 0), local, length=45)
        found = assess(screw, case.spine, case.level, side)
        assert found.pta_deg == pytest.approx(30.0, abs=1e-6)
        assert found.psa_deg == pytest.approx(10.0, abs=1e-6)
        assert found.psa_elevation_deg == pytest.approx(8.68, abs=0.01)


def test_depth_and_fill_follow_from_channel_and_isthmus(vertebra):
    found = grade(vertebra, through(vertebra, 12, 0, length=44))
    assert found.channel_mm == pytest.approx(55.0, abs=0.1)
    assert found.depth_percent == pytest.approx(80.0, abs=0.2)
    assert found.fill_percent == pytest.approx(50.0)


def test_only_the_part_in_bone_counts_as_depth(vertebra):
    proud = grade(vertebra, vertebra.screw((12, -45, 0), length=49))
    sunk = grade(vertebra, vertebra.screw((12, -36, 0), length=40))
    assert proud.depth_percent == pytest.approx(80.0, abs=0.2)
    assert sunk.depth_percent == pytest.approx(80.0, abs=0.2)
    assert proud.zone_mm[0] == pytest.approx(8.0, abs=0.1)
    assert sunk.zone_mm[0] == pytest.approx(0.0, abs=0.1)


@pytest.mark.parametrize(("hole", "expected"), [(1.5, 55.0), (4.0, 40.0)])
def test_small_holes_do_not_end_the_channel(hole, expected):
    def with_hole(points):
        return np.maximum(builders.whole_vertebra(points), -builders.box(points, (-30, 0, -20), (30, hole, 20)))

    case = builders.vertebra_case(with_hole)
    assert grade(case, through(case, 12, 0)).channel_mm == pytest.approx(expected, abs=0.3)


def test_grades_do_not_depend_on_how_the_patient_lies():
    grid = {"exact": False, "spacing": 0.8}
    plain, turned = builders.vertebra_case(**grid), builders.vertebra_case(turn=3, left_handed=True, **grid)
    for x, slope in ((12, 0), (15.8, 0), (8.0, 0)):
        first, second = grade(plain, through(plain, x, slope)), grade(turned, through(turned, x, slope))
        assert first.gertzbein_robbins == second.gertzbein_robbins
        assert first.breach.margin_mm == pytest.approx(second.breach.margin_mm, abs=0.25)
        assert first.breach_direction == second.breach_direction
        assert first.zdichavsky == second.zdichavsky
        assert first.channel_mm == pytest.approx(second.channel_mm, abs=0.4)


def test_turning_a_screw_about_its_own_axis_changes_nothing(vertebra):
    """Angles are counted from the vertebra's medial direction, not from the screw."""
    shaft = shaft_of(vertebra.screw((12, -40, 0)), vertebra.frame, "right")
    assert shaft.u == pytest.approx(-vertebra.frame.right)
    assert shaft.v == pytest.approx(vertebra.frame.superior)
    turned = rotation(shaft.direction, 40) @ shaft.u
    assert abs(turned @ shaft.direction) < 1e-12
