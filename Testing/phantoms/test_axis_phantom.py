"""C2 phantoms: what is drawn is there, what is true is measured, and the hand fails where there is no room."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt, label

from spinescrew.anatomy.frame import SIDES
from spinescrew.anatomy.levels import Level
from spinescrew.errors import InputError
from spinescrew.phantoms.axis import (
    BORDER_MM,
    CUT_OFF_MM,
    PEDICLE_LABELS,
    Hand,
    axis_solids,
    generator_hash,
    make_axis_case,
    measure_side,
)
from spinescrew.phantoms.axis.morphometry import draw_axis_patient
from spinescrew.phantoms.axis.solid import build_axis, still_setting, true_frame

STEP = 0.25


@cache
def usual():
    return draw_axis_patient(np.random.default_rng(5), variant="usual")


@cache
def still(width):
    patient = usual().resized("right", width=width, height=10.2).resized("left", width=width, height=10.2)
    return build_axis(patient, still_setting())


@cache
def measured(width):
    return measure_side(still(width), "right", 3)


@cache
def thin_case():
    return make_axis_case(11, slice_mm=1.0)


def section(solids, side):
    """Mask (across, up) of the section through the designed isthmus."""
    pedicle = solids.pedicle(side)
    up = pedicle.sign * np.cross(pedicle.outwards, pedicle.axis)
    t = np.arange(-9.0, 9.0, STEP)
    across, rise = np.meshgrid(t, t, indexing="ij")
    points = pedicle.isthmus + across[..., None] * pedicle.outwards + rise[..., None] * up
    inside = solids.distance(points.reshape(-1, 3)).reshape(across.shape) < 0
    parts, _ = label(inside)
    return parts == parts[len(t) // 2, len(t) // 2]


@pytest.mark.parametrize("width", [3.0, 4.8, 7.0])
@pytest.mark.parametrize("side", SIDES)
def test_the_section_of_a_fine_mask_is_as_wide_and_high_as_was_drawn(width, side):
    mask = section(still(width), side)
    # The transverse process leaves the pedicle below its middle.
    widths = mask.sum(axis=0) * STEP
    middle = len(widths) // 2
    assert np.median(widths[middle + 2 : middle + 7]) == pytest.approx(width, abs=0.3)
    assert mask[middle].sum() * STEP == pytest.approx(10.2, abs=0.9)


@pytest.mark.parametrize("width", [3.0, 4.8, 7.0])
def test_the_narrowest_diameter_is_the_drawn_width(width):
    assert measured(width).mpd_mm == pytest.approx(width, abs=0.3)


def test_the_narrowest_diameter_agrees_with_a_mask_of_a_deformed_patient():
    solids = axis_solids(4, border_share=0.0)
    truth = measure_side(solids, "left", 4)
    axis = np.diff(truth.axis, axis=0)[0]
    axis /= np.linalg.norm(axis)
    t = np.arange(-8.0, 8.0, STEP)
    grid = np.stack(np.meshgrid(t, t, t, indexing="ij"), axis=-1)
    inside = solids.distance((truth.isthmus + grid).reshape(-1, 3)).reshape(grid.shape[:3]) < 0
    depth = distance_transform_edt(inside, sampling=STEP) - STEP / 2
    along = grid @ axis
    bottleneck = min(depth[np.abs(along - at) < STEP / 2].max() for at in np.arange(-3.0, 4.0, 0.5))
    assert truth.mpd_mm == pytest.approx(2 * bottleneck, abs=0.45)


def test_the_foramen_is_a_hole_with_bone_all_around():
    solids = still(6.0)
    for side in SIDES:
        centre, closed = solids.pedicle(side).foramen, 0
        turns = np.linspace(0, 2 * np.pi, 36, endpoint=False)
        rays = np.stack([np.cos(turns), np.sin(turns), np.zeros(36)], axis=-1)
        for height in np.arange(-7.0, 0.0, 0.25):
            middle = np.array([centre[0], centre[1], height])
            ring = middle + np.arange(0.0, 9.0, 0.25)[:, None, None] * rays
            d = solids.distance(ring.reshape(-1, 3)).reshape(-1, 36)
            closed += bool((d[0] > 0).all() and (d < 0).any(axis=0).all())
        assert closed >= 4


def test_a_mirrored_patient_has_everything_on_the_other_side():
    patient = usual().resized("left", width=4.0, height=8.0)
    straight, mirrored = build_axis(patient, still_setting()), build_axis(patient.mirrored(), still_setting())
    points = np.random.default_rng(0).uniform((-30, -45, -20), (30, 12, 30), (4000, 3))
    here, there = straight.distance(points), mirrored.distance(points * (-1, 1, 1))
    near = np.abs(here) < 3.0
    assert np.allclose(here[near], there[near], atol=0.08)
    left, right = measure_side(straight, "left", 0), measure_side(mirrored, "right", 0)
    assert left.mpd_mm == pytest.approx(right.mpd_mm, abs=0.1)
    assert left.corridor.entry == pytest.approx(right.corridor.entry * (-1, 1, 1), abs=1.0)
    assert left.probability == pytest.approx(right.probability, abs=0.15)


def test_a_wide_pedicle_takes_the_screw_and_a_thin_one_does_not():
    assert measured(9.0).probability > 0.95
    assert measured(9.0).feasible
    assert measured(2.5).probability < 0.05
    assert not measured(2.5).feasible


def test_the_probability_grows_with_the_width():
    shares = [measured(width).probability for width in (3.5, 4.5, 4.8, 5.2, 6.0, 7.0)]
    assert shares == sorted(shares)
    assert shares[-1] - shares[0] > 0.9


def test_a_thicker_screw_and_a_clumsier_hand_fail_more_often():
    usual_hand = measure_side(still(5.6), "right", 3).probability
    assert measure_side(still(5.6), "right", 3, Hand(diameter_mm=4.0)).probability < usual_hand
    assert measure_side(still(5.6), "right", 3, Hand(angle_sd_deg=4.0)).probability < usual_hand


def test_the_corridor_runs_from_the_arch_forward_inward_and_up_through_bone():
    solids, truth = still(6.0), measured(6.0)
    along = np.linspace(0.15, 1.0, 30)[:, None]
    assert (solids.distance(truth.corridor.entry + along * (truth.corridor.tip - truth.corridor.entry)) < -1.75).all()
    right, ahead, up = truth.corridor.tip - truth.corridor.entry
    assert right < 0 < ahead
    assert up > 0
    assert 20.0 < np.linalg.norm(truth.corridor.tip - truth.corridor.entry) < 30.0


def test_a_high_riding_artery_lowers_the_heights_its_definition_looks_at():
    patient = usual()
    high = replace(patient.pedicles["right"], high_riding=True, height=5.0, bend=3.5)
    riding = build_axis(replace(patient, pedicles={**patient.pedicles, "right": high}), still_setting())
    before = measure_side(build_axis(patient, still_setting()), "right", 0)
    after = measure_side(riding, "right", 0)
    assert after.internal_height_mm < before.internal_height_mm - 1.5
    assert after.isthmus_height_mm < before.isthmus_height_mm
    assert after.high_riding
    assert not before.high_riding


def test_the_frame_of_a_patient_who_lies_straight_is_straight():
    frame = true_frame(still(6.0))
    assert np.allclose(frame.axes, np.eye(3), atol=0.02)
    assert np.allclose(frame.origin, 0.0, atol=1e-3)


@pytest.mark.parametrize("variant", ["narrow", "absent", "asymmetric", "high-riding", "medialised", "osteoporosis"])
def test_what_is_asked_for_is_drawn(variant):
    patient = draw_axis_patient(np.random.default_rng(2), variant=variant)
    pedicles = patient.pedicles.values()
    assert {
        "narrow": min(p.width for p in pedicles) <= 4.0,
        "absent": min(p.width for p in pedicles) < 1.7,
        "asymmetric": abs(patient.pedicles["left"].width - patient.pedicles["right"].width) > 1.0,
        "high-riding": any(p.high_riding for p in pedicles),
        "medialised": any(p.medialised for p in pedicles),
        "osteoporosis": patient.marrow < 135.0,
    }[variant]


def test_an_unknown_variant_is_refused():
    with pytest.raises(InputError, match="there is no variant"):
        draw_axis_patient(np.random.default_rng(2), variant="bent")


def test_steered_pedicles_lie_near_the_border():
    for seed in range(2):
        solids = axis_solids(seed, border_share=1.0)
        for side in SIDES:
            assert abs(measure_side(solids, side, seed).mpd_mm - CUT_OFF_MM) < BORDER_MM + 0.2


def test_the_same_seed_gives_the_same_case_and_another_kind_another():
    size = (60.0, 60.0, 50.0)
    once, again = (make_axis_case(3, slice_mm=2.0, crop=size) for _ in range(2))
    assert np.array_equal(once.ct.array, again.ct.array)
    assert np.array_equal(once.labels.array, again.labels.array)
    assert once.truth["left"].probability == again.truth["left"].probability
    other = make_axis_case(3, slice_mm=2.0, crop=size, held_out=True)
    assert other.scanner.kernel in ("box", "ringing")
    assert other.patient != once.patient


@pytest.mark.parametrize("slice_mm", [1.0, 2.0, 3.0])
def test_slices_are_as_thick_as_asked_and_the_patient_stays_the_same(slice_mm):
    case = make_axis_case(8, slice_mm=slice_mm, crop=(60.0, 60.0, 50.0))
    assert case.ct.spacing[2] == pytest.approx(slice_mm)
    assert case.patient == axis_solids(8).patient


def test_labels_are_one_piece_each_and_lie_on_the_grid_of_the_image():
    case = thin_case()
    assert case.labels.same_grid(case.ct)
    assert {Level.C1, Level.C2, Level.C3} <= set(np.unique(case.labels.array).tolist())
    for level in (Level.C1, Level.C2, Level.C3):
        parts, _ = label(case.labels.array == level, structure=np.ones((3, 3, 3)))
        sizes = np.bincount(parts.ravel())[1:]
        assert sizes.max() > 0.98 * sizes.sum()


def test_pedicle_voxels_belong_to_c2_and_lie_on_their_side():
    case = thin_case()
    for side in SIDES:
        inside = case.pedicles.array == PEDICLE_LABELS[side]
        assert (case.labels.array[inside] == Level.C2).all()
        local = case.frame.to_local(case.pedicles.index_to_ras(np.argwhere(inside)))
        assert ((local[:, 0] > 0) == (side == "right")).all()
        assert inside.sum() * np.prod(case.ct.spacing) > 100.0
        gap = np.abs(case.pedicles.index_to_ras(np.argwhere(inside)) - case.truth[side].isthmus).max(axis=1)
        assert gap.min() < 1.5


def test_bone_is_brighter_than_what_is_around_it():
    case = thin_case()
    inside, outside = case.ct.array[case.labels.array == Level.C2], case.ct.array[case.labels.array == 0]
    assert inside.mean() > outside.mean() + 200


def test_the_hash_names_the_sources():
    assert generator_hash().startswith("sha256:")
    assert generator_hash() == generator_hash()
