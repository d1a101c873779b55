"""Vertebrae brought to radiographs and to a later CT: known motions come back, doubts are told."""

from dataclasses import replace

import numpy as np
import pytest

from spinescrew.anatomy.levels import Level
from spinescrew.errors import GeometryError, InputError
from spinescrew.geometry.vectors import rotation
from spinescrew.outcome.bone import bone_of, other_bone
from spinescrew.outcome.compare import VertebraFound
from spinescrew.outcome.ct_registration import doubted_with_neighbours, register_to_ct
from spinescrew.outcome.fit import moved, offset
from spinescrew.outcome.patches import metal_on_image, prepare, pyramid
from spinescrew.outcome.registration import register_vertebrae
from spinescrew.phantoms.spine import make_spine_phantom
from spinescrew.radiographs.c_arm import from_c_arm
from spinescrew.radiographs.exposure import Exposure, expose
from spinescrew.radiographs.thickness import thickness

LEVEL = Level.L3


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def phantom():
    return make_spine_phantom(3, spacing=(1.5, 1.5, 1.5))


@pytest.fixture(scope="module")
def pedicles(phantom):
    return np.array([each.isthmus for each in phantom.truth[LEVEL].pedicles.values()])


@pytest.fixture(scope="module")
def shots(phantom):
    """AP and lateral of the spine where it lies, on a coarse detector; bright bone in one, dark in the other."""
    centre = phantom.truth[LEVEL].frame.origin
    random = np.random.default_rng(0)
    views = [from_c_arm(angle, 4.0, centre, pixel_mm=1.2, shape=(250, 250)) for angle in (5.0, 88.0)]
    images = []
    for view, bright in zip(views, (True, False), strict=True):
        settings = Exposure(photons_per_mm2=20000.0, scatter_ratio=0.5, bright_is_dense=bright, gamma=0.9)
        images.append(expose(thickness(view, phantom.ct), None, settings, random))
    return images, views


def off_by(pose, points):
    return np.linalg.norm(points @ pose[:3, :3].T + pose[:3, 3] - points, axis=1).max()


def turned_deg(pose):
    return np.degrees(np.arccos(np.clip((np.trace(pose[:3, :3]) - 1) / 2, -1, 1)))


def a_start(centre, mm=10.0, degrees=10.0, seed=1):
    random = np.random.default_rng(seed)
    axis, way = random.normal(size=(2, 3))
    turn = np.radians(degrees) * axis / np.linalg.norm(axis)
    return moved(np.eye(4), centre, [*turn, *(mm * way / np.linalg.norm(way))])


def test_a_vertebra_is_found_from_a_start_10_mm_and_10_degrees_off(phantom, shots, pedicles):
    images, views = shots
    start = a_start(phantom.truth[LEVEL].frame.origin)
    assert off_by(start, pedicles) > 6
    metal = [np.zeros(view.shape, np.float32) for view in views]
    metal[0][110:140, 60:95] = 1.0
    found = register_vertebrae(phantom.ct, phantom.labels, images, views, [LEVEL], metal, start=start)[LEVEL]
    assert off_by(found.pose, pedicles) < 0.7
    assert turned_deg(found.pose) < 0.9
    assert found.trusted
    assert found.error_mm < 1.0


def test_images_that_show_nothing_are_not_trusted(phantom, shots):
    images, views = shots
    random = np.random.default_rng(3)
    noise = [replace(each, pixels=random.normal(size=each.shape).astype(np.float32)) for each in images]
    found = register_vertebrae(phantom.ct, phantom.labels, noise, views, [LEVEL])[LEVEL]
    assert not found.trusted
    assert "does not look like L3" in " ".join(found.doubts)


def test_what_cannot_be_registered_is_told(phantom, shots):
    images, views = shots
    with pytest.raises(InputError, match="two"):
        register_vertebrae(phantom.ct, phantom.labels, images[:1], views[:1], [LEVEL])
    with pytest.raises(InputError, match="C2"):
        register_vertebrae(phantom.ct, phantom.labels, images, views, [Level.C2])
    far = np.eye(4)
    far[2, 3] = 600.0
    with pytest.raises(InputError, match="not in image"):
        register_vertebrae(phantom.ct, phantom.labels, images, views, [LEVEL], start=far)
    with pytest.raises(GeometryError, match="its own view"):
        prepare(images[0], replace(views[0], shape=(10, 10)), None, np.zeros(3))
    with pytest.raises(GeometryError, match="metal"):
        prepare(images[0], views[0], np.zeros((5, 5)), np.zeros(3))


def test_metal_and_shutters_have_no_weight(shots):
    images, views = shots
    pixels = images[0].pixels.copy()
    pixels[:30] = pixels.max() + 1
    metal = np.zeros(views[0].shape)
    metal[100:120, 100:120] = 0.9
    whole = prepare(replace(images[0], pixels=pixels), views[0], metal, views[0].back(views[0].centre_pixel, 530.0))
    assert (whole.weight[:30] == 0).all()
    assert (whole.weight[99:121, 99:121] == 0).all()
    assert whole.weight[60, 60] == 1
    coarse = pyramid(whole, [3.0])[0]
    assert coarse.view.shape[0] < whole.view.shape[0] / 3
    assert coarse.pixels.max() < pixels.max()


def test_maps_on_a_coarser_grid_are_brought_to_the_image(shots):
    from spinescrew.radiographs.screw_maps import ScrewMaps

    _, views = shots
    coarse = views[0].binned(2)
    shaft = np.zeros(coarse.shape, np.float32)
    shaft[40:60, 50:70] = 1.0
    none, two = np.zeros_like(shaft), np.zeros((2, *coarse.shape), np.float32)
    found = metal_on_image(ScrewMaps(coarse, shaft, none, none, none, two, two), views[0])
    assert found.shape == views[0].shape
    assert (found[82:118, 102:138] == 1).all()
    assert found[:78].max() == 0


def test_a_vertebra_is_bone_without_its_neighbours(phantom):
    own = bone_of(phantom.ct, phantom.labels, [LEVEL], 2.0)
    assert np.linalg.norm(own.centre - phantom.truth[LEVEL].frame.origin) < 25
    both = bone_of(phantom.ct, phantom.labels, [LEVEL, Level.L4], 2.0)
    assert both.volume.array.sum() > 1.6 * own.volume.array.sum()
    assert own.volume.array.min() == 0
    rest = other_bone(phantom.ct, phantom.labels, 3.0)
    assert rest is None or rest.volume.array.sum() < both.volume.array.sum()


def test_a_motion_and_its_offset_are_inverse():
    centre = np.array([3.0, -4.0, 50.0])
    before = a_start(np.zeros(3), seed=4)
    step = np.array([0.02, -0.05, 0.03, 1.0, 2.0, -3.0])
    np.testing.assert_allclose(offset(before, moved(before, centre, step), centre), step, atol=1e-9)


def test_a_vertebra_is_found_in_a_later_ct_with_screws(phantom, pedicles, scan, after):
    from spinescrew.geometry.vectors import unit
    from spinescrew.implants.screw import Screw, ScrewShape

    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = rotation((1, 0.5, 0.3), 8.0), (20.0, -12.0, 6.0)
    frame = phantom.truth[LEVEL].frame
    screws = [
        Screw(pose[:3, :3] @ (point - 20 * frame.anterior) + pose[:3, 3], unit(pose[:3, :3] @ frame.anterior),
              ScrewShape(6.0, 45.0))
        for point in pedicles
    ]  # fmt: skip
    later = scan(after(phantom.ct, pose), screws)
    start = pose @ a_start(frame.origin, 5.0, 5.0)
    found = register_to_ct(phantom.ct, phantom.labels, later, [LEVEL], start=start)[LEVEL]
    left = np.linalg.inv(pose) @ found.pose
    assert off_by(left, pedicles) < 0.35
    assert turned_deg(left) < 0.5
    assert not found.doubts
    elsewhere = np.eye(4)
    elsewhere[0, 3] = 500.0
    lost = register_to_ct(phantom.ct, phantom.labels, later, [LEVEL], start=elsewhere)[LEVEL]
    assert "0 %" in lost.doubts[0]


def test_doubt_spreads_to_neighbours_until_one_is_beyond_doubt():
    levels = (Level.L1, Level.L2, Level.L3, Level.L4, Level.L5)
    doubts = {Level.L1: ("L1 looks different",)}
    found = {level: VertebraFound(np.eye(4), 0.3, doubts.get(level, ())) for level in levels}
    alike = dict(zip(levels, (0.2, 0.5, 0.45, 0.8, 0.4), strict=True))
    told = doubted_with_neighbours(found, alike)
    assert told[Level.L1].doubts == doubts[Level.L1]
    assert told[Level.L2].doubts == ("L2 is not certain beside L1 (correlation 0.50)",)
    assert told[Level.L3].doubts == ("L3 is not certain beside L2 (correlation 0.45)",)
    assert [told[level].doubts for level in levels[3:]] == [(), ()]
