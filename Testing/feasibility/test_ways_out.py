"""Pars and laminar corridors of C2 against exact solids."""

from functools import cache

import numpy as np
import pytest
from axis_bones import axis_bone

from spinescrew.anatomy.frame import SIDES, screw_angles, side_sign
from spinescrew.feasibility.ways_out import laminar_corridor, pars_corridor, ways_out
from spinescrew.geometry.sdf import SignedDistance

EVERY = pytest.mark.parametrize(("seed", "side"), [(seed, side) for seed in (3, 5, 19) for side in SIDES])


@cache
def laminar(seed, side):
    case = axis_bone(seed)
    return laminar_corridor(case.bone, case.poses[side], case.frame, case.poses)


@cache
def pars(seed, side):
    case = axis_bone(seed)
    return pars_corridor(case.bone, case.poses[side], case.frame)


def shaft(corridor, from_mm):
    """Points of the axis from some way past the entry to the tip."""
    axis = (corridor.tip - corridor.entry) / np.linalg.norm(corridor.tip - corridor.entry)
    return corridor.entry + np.arange(from_mm, corridor.length_mm, 0.5)[:, None] * axis


@EVERY
def test_a_usual_c2_has_a_laminar_corridor_that_lies_in_bone(seed, side):
    found = laminar(seed, side)
    assert found.name == "lamina"
    assert 20.0 <= found.length_mm <= 35.0
    assert found.margin_mm > 0.0
    assert (axis_bone(seed).solids.distance(shaft(found, 5.0)) < -1.2).all()


@EVERY
def test_the_laminar_screw_starts_near_the_midline_on_the_other_side_and_ends_on_its_own(seed, side):
    case, found = axis_bone(seed), laminar(seed, side)
    entry, tip = case.frame.to_local(np.stack([found.entry, found.tip]))
    assert -12.0 < entry[0] * side_sign(side) < 0.0
    assert tip[0] * side_sign(side) > 12.0
    assert entry[1] < case.frame.to_local(case.poses[side].isthmus)[1] - 12.0


@EVERY
def test_the_pars_screw_is_steeper_than_the_pedicle_and_short_of_the_isthmus(seed, side):
    case, found = axis_bone(seed), pars(seed, side)
    angles = screw_angles(found.tip - found.entry, case.frame, side)
    assert found.name == "pars"
    assert 12.0 <= found.length_mm <= 18.0
    assert angles.psa > screw_angles(case.poses[side].forwards, case.frame, side).psa + 3.0
    assert (found.tip - case.poses[side].isthmus) @ case.poses[side].forwards < 0.0
    assert (case.solids.distance(shaft(found, 4.5)) < -1.2).all()


@EVERY
def test_the_pars_screw_stops_before_the_foramen(seed, side):
    case, found = axis_bone(seed), pars(seed, side)
    pedicle = case.solids.pedicle(side)
    artery = case.solids.to_patient(np.linspace(pedicle.artery[1], pedicle.artery[2], 40))
    gap = np.linalg.norm(shaft(found, 0.0)[:, None] - artery, axis=-1).min()
    assert gap > pedicle.sizes.foramen + 1.75


def test_a_pedicle_too_thin_for_a_screw_still_has_its_ways_out():
    case = axis_bone(3)
    assert case.truth("left").corridor.margin_mm < 0.0
    found, notes = ways_out(case.bone, case.poses["left"], case.frame, case.poses)
    assert [way.name for way in found] == ["pars", "lamina"]
    assert all(way.length_mm > 10.0 for way in found)
    assert notes == ()


def test_a_mirrored_bone_has_mirrored_ways_out():
    case = axis_bone(19)
    mirrored = case.mirrored()
    found, _ = ways_out(mirrored.bone, mirrored.poses["right"], mirrored.frame, mirrored.poses)
    for here, there in zip((pars(19, "left"), laminar(19, "left")), found, strict=True):
        assert there.margin_mm == pytest.approx(here.margin_mm, abs=1e-3)
        assert there.entry == pytest.approx(here.entry * (-1, 1, 1), abs=1e-3)


def test_without_an_arch_there_is_no_way_out_and_the_notes_say_so():
    case = axis_bone(5)
    volume = case.bone.volume
    index = np.argwhere(np.ones(volume.shape, bool))
    behind = (case.frame.to_local(volume.index_to_ras(index))[:, 1] < -14.0).reshape(volume.shape)
    cut = SignedDistance(volume.with_array(np.where(behind, np.float32(4.0), volume.array)))
    found, notes = ways_out(cut, case.poses["left"], case.frame, case.poses)
    assert found == ()
    assert len(notes) == 2
    assert "lamina" in notes[1]
