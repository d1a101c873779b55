"""Breaches of known size."""

from __future__ import annotations

import builders
import numpy as np
import pytest
from scipy.spatial import cKDTree

from spinescrew.anatomy.frame import VertebralFrame
from spinescrew.anatomy.levels import Level
from spinescrew.geometry.vectors import rotation
from spinescrew.grading.grade import assess, shaft_points
from spinescrew.grading.scales import gertzbein_robbins

DELTAS = (0.0, 0.5, 1.999, 2.0, 4.0, 6.0)


def grade(case, screw, side="right", **options):
    return assess(screw, case.spine, case.level, side, **options)


def tube_errors(case, deltas=DELTAS, radius=5.0):
    """Measured less true breach of 6 mm screws offset in a tube, in eight directions around it."""
    errors = []
    for angle in np.arange(8) * np.pi / 4 + 0.2:
        for delta in deltas:
            offset = radius - 3.0 + delta
            screw = case.screw((offset * np.cos(angle), -20, offset * np.sin(angle)))
            errors.append(grade(case, screw).breach.margin_mm - delta)
    return np.array(errors)


@pytest.mark.parametrize("turn", [0, 1, 2])
@pytest.mark.parametrize("left_handed", [False, True])
def test_a_screw_offset_in_a_tube_breaches_by_the_offset_under_any_rotation(turn, left_handed):
    case = builders.make_case(builders.tube, turn=turn, left_handed=left_handed)
    errors = np.abs(tube_errors(case))
    assert errors.mean() <= 0.10
    assert errors.max() <= 0.20


def test_an_exact_field_gives_the_letters_of_the_six_offsets():
    case = builders.make_case(builders.tube, exact=True)
    letters = []
    for delta in (-0.02, 0.5, 1.98, 2.02, 4.02, 6.02):
        letters.append(grade(case, case.screw((2 + delta, -20, 0))).gertzbein_robbins)
    assert letters == ["A", "B", "B", "C", "D", "E"]


def test_letters_switch_exactly_at_0_2_4_and_6_mm():
    below = [np.nextafter(limit, 0) for limit in (2.0, 4.0, 6.0)]
    assert gertzbein_robbins(0.0) == "A"
    assert gertzbein_robbins(np.nextafter(0, 1)) == "B"
    assert [gertzbein_robbins(mm) for mm in below] == ["B", "C", "D"]
    assert [gertzbein_robbins(mm) for mm in (2.0, 4.0, 6.0)] == ["C", "D", "E"]
    assert [gertzbein_robbins(mm, inclusive=True) for mm in (2.0, 4.0, 6.0)] == ["B", "C", "D"]
    assert [gertzbein_robbins(np.nextafter(mm, 9), inclusive=True) for mm in (2.0, 4.0, 6.0)] == ["C", "D", "E"]


def square(points):
    return builders.box(points, (-5, -20, -7), (5, 20, 7))


def square_errors(case):
    errors = []
    for way, wall in (((1, 0, 0), 5.0), ((-1, 0, 0), 5.0), ((0, 0, 1), 7.0), ((0, 0, -1), 7.0)):
        for delta in (-1.0, 0.5, 1.7, 3.1):
            screw = case.screw((wall - 3.0 + delta) * np.array(way) + (0, -20, 0))
            errors.append(grade(case, screw).breach.margin_mm - delta)
    return np.array(errors)


@pytest.mark.parametrize("turn", [0, 2])
def test_a_square_pedicle_is_measured_across_its_faces(turn):
    errors = np.abs(square_errors(builders.make_case(square, turn=turn)))
    assert errors.mean() <= 0.10
    assert errors.max() <= 0.20


def waisted_errors(case, seed, number):
    """Measured less true margin of screws with random offsets and tilts in the waisted pedicle."""
    random = np.random.default_rng(seed)
    wall = cKDTree(builders.waisted_wall())
    errors = []
    while len(errors) < number:
        yaw, pitch = np.radians(random.uniform(-14, 14, size=2))
        direction = np.array([np.tan(yaw), 1.0, np.tan(pitch)])
        middle = np.array([random.uniform(-4, 4), 0.0, random.uniform(-5, 5)])
        screw = case.screw(middle - 14 * direction, direction, diameter=random.uniform(4, 6.5), length=32)
        found = grade(case, screw)
        if found.breach is None:
            continue
        stations = np.linspace(0, 32, 65)
        kept = (stations >= found.zone_mm[0]) & (stations <= found.zone_mm[1])
        points = case.frame.to_local(shaft_points(screw)[kept].reshape(-1, 3))
        width, height = builders.waist(points[:, 1])
        outside = np.hypot(points[:, 0] / width, points[:, 2] / height) > 1
        distance = wall.query(points)[0]
        if not outside.any():
            continue
        errors.append(found.breach.mm - distance[outside].max())
    return np.array(errors)


@pytest.mark.parametrize("turn", [0, 3, 4])
def test_breaches_of_an_analytic_pedicle_are_measured_within_a_tenth_of_a_millimetre(turn):
    pedicle = {"width": 8.0, "height": 13.0, "junction": 9.0, "dorsal": -14.0}
    case = builders.make_case(builders.waisted, (-14, -18, -14), (14, 27, 14), turn=turn, pedicle=pedicle)
    errors = np.abs(waisted_errors(case, turn, 20))
    assert errors.mean() <= 0.10
    assert errors.max() <= 0.20


def test_breaches_on_oblique_1_by_1_by_2_mm_voxels_stay_within_a_quarter_millimetre():
    pedicle = {"width": 8.0, "height": 13.0, "junction": 9.0, "dorsal": -14.0}
    errors = []
    for seed in (1, 2, 3):
        grid = {"axes": builders.turned(seed), "spacing": (1, 1, 2)}
        errors.append(tube_errors(builders.make_case(builders.tube, **grid)))
        case = builders.make_case(builders.waisted, (-14, -18, -14), (14, 27, 14), pedicle=pedicle, **grid)
        errors.append(waisted_errors(case, seed, 15))
        errors.append(square_errors(builders.make_case(square, **grid)))
    assert np.mean([np.abs(part).mean() for part in errors]) <= 0.25
    assert np.abs(np.concatenate(errors)).max() <= 0.5


def test_flat_voxels_give_the_true_letter_or_a_range_that_holds_it():
    case = builders.make_case(builders.tube, spacing=(0.4, 0.4, 2.0))
    for delta in (-0.6, 0.4, 1.2, 2.5, 3.2, 4.7, 6.6):
        for way in ((1, 0, 0), (0, 0, 1), (0.6, 0, -0.8)):
            found = grade(case, case.screw((2 + delta) * np.array(way) + (0, -20, 0)))
            truth = gertzbein_robbins(max(delta, 0))
            assert truth == found.gertzbein_robbins or found.grade_range.best <= truth <= found.grade_range.worst
            assert found.grade_range.low_mm <= max(delta, 0) <= found.grade_range.high_mm


def test_a_screw_in_the_neighbours_bone_is_not_contained():
    case = builders.make_case(builders.tube)
    neighbour = builders.make_case(lambda p: builders.tube(p, x=11.0), level=Level.L2)
    case.spine.vertebrae[Level.L2] = neighbour.vertebra
    found = grade(case, case.screw((11, -20, 0)))
    assert found.gertzbein_robbins == "E"
    assert found.breach_mm == pytest.approx(9.0, abs=0.2)
    assert found.neighbour_bone_overlap_mm["L2"] == pytest.approx(2.0, abs=0.2)


def with_process(points):
    """A tube with a transverse process: 1 mm beside the shaft of a 5 mm breach, attached at the dorsal end."""
    process = builders.box(points, (11, -14, -5), (17, 4, 5))
    bridge = builders.box(points, (0, -20, -5), (17, -14, 5))
    return np.minimum(builders.tube(points), np.minimum(process, bridge))


def test_a_process_beside_a_breach_does_not_shrink_it():
    case = builders.make_case(with_process, (-10, -24, -10), (21, 24, 10))
    found = grade(case, case.screw((7, -20, 0)))
    assert found.gertzbein_robbins == "D"
    assert found.breach_mm == pytest.approx(5.0, abs=0.2)
    assert found.breach_direction == "lateral"
    alone = builders.make_case(lambda p: np.minimum(builders.tube(p), builders.box(p, (11, -14, -5), (17, 4, 5))),
                               (-10, -24, -10), (21, 24, 10))  # fmt: skip
    assert grade(alone, alone.screw((7, -20, 0))).breach_mm == pytest.approx(5.0, abs=0.2)


def test_a_breach_that_ends_inside_a_process_is_still_measured_to_the_pedicle():
    case = builders.make_case(with_process, (-10, -24, -10), (21, 24, 10))
    found = grade(case, case.screw((9.5, -20, 0)))
    assert found.breach_mm == pytest.approx(7.5, abs=0.25)


def test_a_screw_thicker_than_its_pedicle_breaches_on_both_sides():
    case = builders.make_case(lambda p: builders.box(p, (-2.5, -20, -8), (2.5, 20, 8)))
    found = grade(case, case.screw((0, -20, 0), diameter=7.0))
    assert found.gertzbein_robbins == "B"
    assert found.breach_by_direction["medial"] == pytest.approx(1.0, abs=0.15)
    assert found.breach_by_direction["lateral"] == pytest.approx(1.0, abs=0.15)
    assert found.breach_by_direction["superior"] == found.breach_by_direction["inferior"] == 0


def test_a_screw_that_misses_bone_is_never_graded_a():
    case = builders.make_case(builders.tube)
    found = grade(case, case.screw((12, -20, 0)))
    assert found.gertzbein_robbins == "E"
    assert found.breach_mm == pytest.approx(10.0, abs=0.3)
    assert found.channel_mm is None
    assert "projected" in found.notes[0]
    far = grade(case, case.screw((200, -20, 0)))
    assert far.gertzbein_robbins not in "A"


def test_a_screw_inside_has_its_margin_and_says_which_letter_is_next():
    case = builders.make_case(builders.tube, spacing=1.0)
    found = grade(case, case.screw((1.7, -20, 0)))
    assert found.gertzbein_robbins == "A"
    assert found.breach.margin_mm == pytest.approx(-0.3, abs=0.15)
    assert found.breach_direction is None
    assert (found.grade_range.best, found.grade_range.worst) == ("A", "B")
    assert found.grade_range.half_voxel_mm == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("degrees", [0, 30, -30])
def test_medial_stays_medial_in_a_turned_vertebra(side, degrees):
    axes = rotation((0, 0, 1), degrees)
    frame = VertebralFrame(np.zeros(3), *axes.T)
    case = builders.make_case(builders.tube, side=side, exact=True)
    turned = builders.Case(case.spine, frame)
    labels = builders.voxelised(builders.tube, frame, (-14, -24, -14), (14, 24, 14))
    vertebra = type(case.vertebra)(
        Level.L3, builders.SignedDistance.from_mask(labels), frame, {side: builders.make_pedicle(frame, side)}
    )
    turned.spine = builders.Spine({Level.L3: vertebra}, labels)
    towards_midline = -1.0 if side == "right" else 1.0
    for way, name in (
        ((towards_midline, 0, 0), "medial"),
        ((-towards_midline, 0, 0), "lateral"),
        ((0, 0, 1), "superior"),
        ((0, 0, -1), "inferior"),
    ):
        found = grade(turned, turned.screw(3.5 * np.array(way) + (0, -20, 0)), side)
        assert found.breach_direction == name
        assert found.breach_by_direction[name] == pytest.approx(1.5, abs=0.2)
        assert max(mm for other, mm in found.breach_by_direction.items() if other != name) < 1.5


def test_the_cortex_opened_at_the_entry_is_not_a_breach():
    """A dorsal cortex that slopes by 1.5 mm per mm: thread lines meet bone at different depths."""

    def sloped(points):
        return np.maximum(builders.tube(points), -points[:, 1] - 14 - 1.5 * points[:, 0])

    case = builders.make_case(sloped)
    found = grade(case, case.screw((0, -16, 0)))
    assert found.gertzbein_robbins == "A"
    assert found.breach.margin_mm == pytest.approx(-3 / np.hypot(1, 1.5), abs=0.2)


def test_a_side_that_never_meets_bone_is_a_breach_from_the_start_of_the_zone():
    case = builders.make_case(builders.tube)
    found = grade(case, case.screw((3.0, -20, 0)))
    assert found.breach_mm == pytest.approx(1.0, abs=0.15)
    assert found.zone_mm[0] == pytest.approx(3.0, abs=0.1)
    assert found.zone_mm[1] == pytest.approx(32.0, abs=0.1)
