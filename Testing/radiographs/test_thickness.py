"""Line integrals against boxes and spheres whose answers are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from spinescrew.errors import GeometryError, InputError
from spinescrew.geometry.vectors import rotation
from spinescrew.geometry.volume import Volume
from spinescrew.radiographs import ap, from_c_arm, lateral
from spinescrew.radiographs.materials import densities
from spinescrew.radiographs.thickness import Thickness, thickness

SMALL = {"pixel_mm": 6.0, "shape": (41, 41)}


def a_box(hu, shape=(50, 40, 30), spacing=(2.0, 2.5, 3.0), dtype=np.int16):
    """Centred at the origin, 100 x 100 x 90 mm as the voxels' edges go."""
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = -(np.array(shape) - 1) / 2 * spacing
    return Volume(np.full(shape, hu, dtype), affine)


def a_lump(spacing=(2.0, 2.0, 2.0), radius=40.0):
    """Bone that fades from 900 HU to water: smooth, so that grids of any kind hold the same."""
    shape = tuple(int(2 * np.ceil(60 / s) + 1) for s in spacing)
    box = a_box(0, shape, spacing, np.float32)
    points = box.index_to_ras(np.stack(np.indices(shape), axis=-1))
    d = np.linalg.norm(points - (8.0, -4.0, 6.0), axis=-1)
    hu = 900.0 / (1.0 + np.exp((d - radius) / 4.0))
    return Volume(hu.astype(np.float32), box.affine)


def moved(volume, rigid):
    return Volume(volume.array, rigid @ volume.affine)


def turn(axis, degrees, shift=(0, 0, 0)):
    out = np.eye(4)
    out[:3, :3] = rotation(axis, degrees)
    out[:3, 3] = shift
    return out


def chords_of_box(view, half):
    """Length of every ray in a box around the origin."""
    rows, columns = np.indices(view.shape)
    ray = view.on_detector(np.stack([columns, rows], axis=-1)) - view.source
    with np.errstate(divide="ignore"):
        low, high = (-np.array(half) - view.source) / ray, (np.array(half) - view.source) / ray
    first, last = np.minimum(low, high).max(axis=-1), np.maximum(low, high).min(axis=-1)
    return np.clip(last - first, 0, None) * np.linalg.norm(ray, axis=-1)


@pytest.mark.parametrize(("hu", "soft", "bone"), [(0, 1.03, 0.0), (50, 1.0594, 0.0), (1000, 0.0, 1.6186)])
@pytest.mark.parametrize(
    "make", [ap, lateral, lambda at, **c: from_c_arm(33, -17, at, **c)], ids=["ap", "lateral", "oblique"]
)
def test_a_box_of_one_density_weighs_what_its_chords_do(hu, soft, bone, make):
    view = make((3.0, 2.0, -4.0), **SMALL)
    found = thickness(view, a_box(hu))
    chord = chords_of_box(view, (50.0, 50.0, 45.0)) / 10
    assert chord.max() > 9
    assert_allclose(found.soft, soft * chord, atol=2e-3)
    assert_allclose(found.bone, bone * chord, atol=2e-3)


def test_a_ball_weighs_what_its_chords_do():
    spacing, radius = 1.25, 35.0
    box = a_box(-1000, (72, 72, 72), (spacing,) * 3)
    d = np.linalg.norm(box.index_to_ras(np.stack(np.indices(box.shape), axis=-1)), axis=-1)
    share = np.clip(0.5 + (radius - d) / spacing, 0, 1)
    ball = box.with_array(np.round(-1000 + 1000 * share).astype(np.int16))
    view = from_c_arm(20, 10, pixel_mm=4.0, shape=(61, 61))
    rows, columns = np.indices(view.shape)
    ray = view.rays(np.stack([columns, rows], axis=-1))
    off = np.linalg.norm(np.cross(ray, -view.source), axis=-1)
    exact = 2 * np.sqrt(np.clip(radius**2 - off**2, 0, None)) / 10 * 1.03
    found = thickness(view, ball).soft
    inner = off < radius - 1.5 * spacing
    assert np.abs(found - exact)[inner].max() < 0.08
    assert_allclose(found.sum(), exact.sum(), rtol=0.006)


@settings(max_examples=15, deadline=None)
@given(st.tuples(*[st.floats(-1, 1)] * 3), st.floats(10, 170), st.tuples(*[st.floats(-40, 40)] * 3))
def test_patient_and_c_arm_moved_together_give_the_same(axis, degrees, shift):
    if np.linalg.norm(axis) < 0.1:
        axis = (0, 0, 1)
    move = turn(axis, degrees, shift)
    view, lump = ap(**SMALL), a_lump((4.0, 3.0, 5.0))
    here, there = thickness(view, lump), thickness(view.moved(move), moved(lump, move))
    assert_allclose(there.soft, here.soft, atol=0.01)
    assert_allclose(there.bone, here.bone, atol=0.01)


@pytest.mark.parametrize("axes", [(1, 0, 2), (2, 1, 0), (2, 0, 1)])
@pytest.mark.parametrize("flips", [(), (0,), (1, 2)])
def test_order_and_direction_of_the_axes_do_not_matter(axes, flips):
    lump, view = a_lump((2.0, 2.5, 4.0)), from_c_arm(-35, 12, **SMALL)
    step = np.zeros((4, 4))
    step[list(axes), [0, 1, 2]] = 1
    step[3, 3] = 1
    array, affine = lump.array.transpose(axes), lump.affine @ step
    for axis in flips:
        back = np.eye(4)
        back[axis, axis], back[axis, 3] = -1, array.shape[axis] - 1
        array, affine = np.flip(array, axis), affine @ back
    found, asked = thickness(view, Volume(array, affine)), thickness(view, lump)
    assert_allclose(found.soft, asked.soft, atol=1e-3)
    assert_allclose(found.bone, asked.bone, atol=1e-3)


def test_thick_slices_and_long_steps_change_little():
    view = from_c_arm(40, 10, **SMALL)
    fine = thickness(view, a_lump((1.5, 1.5, 1.5)))
    inner = chords_of_box(view, (58.0, 58.0, 58.0)) > 80
    for spacing, step, most in (((1.0, 1.0, 5.0), None, 0.3), ((2.0, 2.0, 2.0), 2.0, 0.03)):
        off = thickness(view, a_lump(spacing), step).bone - fine.bone
        assert off[inner].max() < most
        assert off[inner].min() > -most


def test_a_source_or_a_detector_in_the_patient_counts_only_what_lies_between():
    view = ap((0.0, 0.0, 0.0), sid_mm=20.0, sdd_mm=40.0, pixel_mm=0.1, shape=(3, 3))
    assert_allclose(thickness(view, a_box(0)).soft, 4 * 1.03, rtol=1e-3)


def test_no_ray_in_the_volume_and_volumes_of_one_slice():
    assert thickness(ap((500.0, 0, 0), **SMALL), a_box(0)).soft.max() == 0
    flat = a_box(0, (50, 1, 30), (2.0, 5.0, 3.0))
    assert_allclose(thickness(ap(**SMALL), flat).soft[20, 20], 0.515, rtol=1e-3)


def test_binning_keeps_the_mass():
    found = thickness(from_c_arm(30, 10, pixel_mm=3.0, shape=(66, 81)), a_lump())
    binned = found.binned(3)
    assert binned.view.shape == (22, 27)
    for fine, coarse in ((found.soft, binned.soft), (found.bone, binned.bone)):
        mass = coarse.sum() * np.prod(binned.view.pixel_mm)
        assert_allclose(mass, fine.sum() * np.prod(found.view.pixel_mm), rtol=1e-5)
    again = thickness(binned.view, a_lump())
    assert_allclose(again.bone.mean(), binned.bone.mean(), rtol=0.005)


def test_pixels_of_another_grid_of_the_same_source():
    whole = thickness(from_c_arm(30, 10, pixel_mm=1.5, shape=(161, 161)), a_lump())
    part = whole.view.binned(2).cropped(10, 20, 40, 30)
    assert_allclose(whole.resampled(part).bone, thickness(part, a_lump()).bone, atol=0.05)
    with pytest.raises(GeometryError, match="another source"):
        whole.resampled(ap(**SMALL))


def test_beyond_a_cut_volume_goes_on_in_a_coarser_one():
    whole, view = a_box(0), from_c_arm(25, 10, **SMALL)
    inner = whole.crop((10, 5, 4), (42, 35, 22))
    coarse = a_box(0, (10, 10, 9), (10.0, 10.0, 10.0))
    found = thickness(view, inner, beyond=coarse)
    assert_allclose(found.soft, thickness(view, whole).soft, atol=2e-3)


def test_air_and_padding_weigh_nothing_and_bone_begins_smoothly():
    soft, bone = densities(np.array([-3024, -1024, -1000, 150, 250, 350, 3000]))
    assert_allclose(soft[:3], [0, 0, 0.001], atol=1e-9)
    assert bone[3] == 0
    assert_allclose(bone[4], soft[4])
    assert soft[5] == soft[6] == 0
    hu = np.arange(-1024, 3072)
    soft, bone = densities(hu)
    assert np.abs(np.diff(soft + bone)).max() < 0.002
    assert np.abs(np.diff(bone)).max() < 0.02


def test_what_makes_no_sense_is_refused():
    with pytest.raises(InputError, match="positive"):
        thickness(ap(**SMALL), a_box(0), step_mm=0.0)
    with pytest.raises(GeometryError, match="bone"):
        Thickness(ap(**SMALL), np.zeros((41, 41), np.float32), np.zeros((4, 4), np.float32))
