import os
from pathlib import Path

import numpy as np
import pytest
from spines import turned

from spinescrew.anatomy.levels import Level
from spinescrew.anatomy.numbering import to_verse
from spinescrew.errors import InputError
from spinescrew.geometry.volume import Volume
from spinescrew.images import read_image, read_labels
from spinescrew.phantoms import make_spine_phantom
from spinescrew.segmentation import check_image, check_segmentation

FOLDER = Path(os.environ.get("SPINESCREW_REAL_CASES", ""))
real = pytest.mark.skipif(not FOLDER.name, reason="SPINESCREW_REAL_CASES is not set")


@pytest.fixture(scope="module")
def phantom():
    return make_spine_phantom(7, spacing=(2.0, 2.0, 2.0))


def kinds(ct):
    return {warning.kind for warning in check_image(ct)}


def changed(volume, change):
    return volume.with_array(change(volume.array.astype(np.float32)))


def with_block(volume, value, low, high):
    array = volume.array.copy()
    array[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = value
    return volume.with_array(array)


def test_a_phantom_is_accepted_with_the_warning_about_left_and_right(phantom):
    assert kinds(phantom.ct) == {"laterality", "no air"}


@pytest.mark.parametrize("value", [0, -1024])
def test_an_empty_volume_is_refused(phantom, value):
    with pytest.raises(InputError, match=f"has the value {value}: it is empty"):
        check_image(changed(phantom.ct, lambda hu: np.full_like(hu, value)))


def test_noise_is_refused(phantom):
    random = np.random.default_rng(1)
    with pytest.raises(InputError, match="is noise"):
        check_image(changed(phantom.ct, lambda hu: random.normal(0, 400, hu.shape)))


def test_a_very_noisy_ct_is_not_taken_for_noise(phantom):
    random = np.random.default_rng(1)
    assert "laterality" in kinds(changed(phantom.ct, lambda hu: hu + random.normal(0, 120, hu.shape)))


@pytest.mark.parametrize(
    ("like", "change"),
    [
        ("no voxel of the image is below 0 HU", lambda hu: np.clip(800 - hu, 0, None)),
        ("no voxel of the image is below 0 HU", lambda hu: hu + 1024),
        ("within 200 HU of water", lambda hu: 900 - 2 * hu),
        ("no Hounsfield units", lambda hu: (hu - hu.mean()) / hu.std()),
    ],
    ids=["MR", "no rescale", "MR with an offset", "normalised"],
)
def test_what_is_no_ct_is_refused(phantom, like, change):
    with pytest.raises(InputError, match=like):
        check_image(changed(phantom.ct, change))


def test_eight_slices_are_refused(phantom):
    with pytest.raises(InputError, match="8 slices over 16 mm along the spine"):
        check_image(phantom.ct.crop((0, 0, 40), (999, 999, 48)))


def test_twenty_thin_slices_are_too_short_too(phantom):
    with pytest.raises(InputError, match="over 40 mm along the spine"):
        check_image(phantom.ct.crop((0, 0, 40), (999, 999, 60)))


def test_slices_are_counted_along_the_spine_whatever_the_order_of_the_axes(phantom):
    short = phantom.ct.crop((0, 0, 40), (999, 999, 60))
    affine = short.affine[:, [2, 0, 1, 3]]
    with pytest.raises(InputError, match="20 slices over 40 mm"):
        check_image(Volume(np.moveaxis(short.array, 2, 0), affine))


def test_a_strip_is_refused(phantom):
    with pytest.raises(InputError, match="strip"):
        check_image(phantom.ct.crop((25, 0, 0), (36, 999, 999)))


def test_soft_tissue_without_bone_is_refused(phantom):
    with pytest.raises(InputError, match="no spine is in view"):
        check_image(changed(phantom.ct, lambda hu: np.where(hu > 100, -400, hu)))


def test_thick_slices_are_warned_of(phantom):
    affine = phantom.ct.affine @ np.diag([1, 1, 2, 1])
    thick = Volume(np.ascontiguousarray(phantom.ct.array[:, :, ::2]), affine)
    assert "thick slices" in kinds(thick)


def middle_of(volume):
    return np.array(volume.shape) // 2


def test_a_few_screws_are_warned_of(phantom):
    at = middle_of(phantom.ct)
    assert "metal" in kinds(with_block(phantom.ct, 3071, at, at + (3, 22, 6)))


def test_an_image_filled_with_metal_is_refused(phantom):
    at = middle_of(phantom.ct)
    with pytest.raises(InputError, match=r"is metal \(\d+ cm3\)"):
        check_image(with_block(phantom.ct, 3071, at - (15, 15, 40), at + (15, 15, 40)))


def test_metal_in_the_hips_is_no_matter_of_the_spine(phantom):
    wide = phantom.ct.with_array(phantom.ct.array)
    padded = Volume(np.pad(wide.array, ((40, 40), (0, 0), (0, 0)), constant_values=40), wide.affine)
    array = padded.array.copy()
    array[:15, 30:50, :20] = array[-15:, 30:50, :20] = 3071
    assert "metal" not in kinds(padded.with_array(array))


def head(neck_mm):
    """A skull of 150 x 190 x 160 mm over a column of bone of ``neck_mm``, in air, 2 mm voxels."""
    random = np.random.default_rng(2)
    size = np.array([100, 120, 100 + neck_mm // 2])
    index = np.stack(np.meshgrid(*[np.arange(n) for n in size], indexing="ij"), axis=-1)
    centre = np.array([50, 60, size[2] - 45])
    away = (((index - centre) / (37, 47, 40)) ** 2).sum(axis=-1)
    hu = np.where(away < 1, 1000.0, -1000.0)
    hu[away < 0.82] = 35.0
    x, y, z = (index - (50, 60, 0)).transpose(3, 0, 1, 2)
    below = (z < centre[2] - 36) & (z >= 10)
    hu[below & (x**2 + y**2 < 28**2)] = 50.0
    hu[below & (x**2 + y**2 < 9**2)] = 350.0
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    return Volume(np.round(hu + random.normal(0, 15, hu.shape)).astype(np.int16), affine)


def test_a_head_alone_is_refused():
    with pytest.raises(InputError, match="the head and hardly any spine"):
        check_image(head(neck_mm=20))


def test_a_head_with_a_neck_is_accepted():
    assert "laterality" in kinds(head(neck_mm=140))


def test_good_labels_give_no_doubts(phantom):
    assert check_segmentation(phantom.ct, phantom.labels) == []


def spoken(ct, labels):
    return " | ".join(check_segmentation(ct, labels))


def test_an_upside_down_image_with_its_own_names_is_told(phantom):
    told = spoken(turned(phantom.ct, "up"), turned(phantom.labels, "up"))
    assert "S1 lies above T12: the image is upside down" in told
    assert "pedicles spring from the lower half" in told


def test_an_upside_down_image_is_told_by_shape_where_names_run_downwards(phantom):
    labels = turned(phantom.labels, "up").array
    renamed = np.where((labels >= Level.T12) & (labels <= Level.L5), Level.T12 + Level.L5 - labels, 0)
    told = spoken(None, phantom.labels.with_array(renamed))
    assert "pedicles spring from the lower half" in told
    assert "left and right may be wrong" in told


def test_front_and_back_exchanged_are_told(phantom):
    told = spoken(turned(phantom.ct, "front"), turned(phantom.labels, "front"))
    assert "spinous processes point forwards" in told
    assert "upside down" not in told


def test_a_mirrored_image_cannot_be_told_from_bone_and_that_is_said(phantom):
    mirrored = turned(phantom.ct, "right"), turned(phantom.labels, "right")
    assert check_segmentation(*mirrored) == []
    warning = next(found for found in check_image(mirrored[0]) if found.kind == "laterality")
    assert "check the orientation markers" in warning.text


def relabelled(labels, names):
    array = labels.array.copy()
    for old, new in names.items():
        array[labels.array == old] = new
    return labels.with_array(array)


def test_exchanged_names_are_told(phantom):
    told = spoken(None, relabelled(phantom.labels, {Level.L2: Level.L3, Level.L3: Level.L2}))
    assert "L2 lies below L3" in told


def test_a_missing_level_is_told(phantom):
    assert "L3 is missing between L2 and L4" in spoken(None, relabelled(phantom.labels, {Level.L3: 0}))


def test_two_vertebrae_under_one_name_are_told(phantom):
    told = spoken(None, relabelled(phantom.labels, {Level.L2: Level.L3}))
    assert "L3 is in 2 pieces" in told


def test_half_a_vertebra_is_told(phantom):
    array = phantom.labels.array.copy()
    at = np.argwhere(array == Level.L3)
    kept = np.median(at[:, 2])
    array[:, :, int(kept) :][array[:, :, int(kept) :] == Level.L3] = 0
    assert "L3" in spoken(None, phantom.labels.with_array(array))


def test_a_vertebra_cut_by_the_edge_is_told(phantom):
    top = int(np.median(np.argwhere(phantom.labels.array == Level.T12)[:, 2]))
    assert "T12 is cut by the edge" in spoken(None, phantom.labels.crop((0, 0, 0), (999, 999, top)))


def test_labels_beside_the_bone_are_told(phantom):
    soft = changed(phantom.ct, lambda hu: np.minimum(hu, 120))
    assert "L3 is hardly denser than soft tissue" in spoken(soft, phantom.labels)


def test_metal_in_a_vertebra_is_told(phantom):
    at = np.median(np.argwhere(phantom.labels.array == Level.L4), axis=0).astype(int)
    told = spoken(with_block(phantom.ct, 3071, at, at + (3, 20, 3)), phantom.labels)
    assert "L4 holds" in told
    assert "metal" in told


def test_nothing_labelled_is_told(phantom):
    assert "no vertebra" in spoken(None, phantom.labels.with_array(np.zeros_like(phantom.labels.array)))


def real_case(name):
    folder = FOLDER / name
    return read_image(folder / "ct.nii.gz")


@real
def test_real_images_are_accepted():
    assert kinds(real_case("ct_lumbosacral_3mm")) == {"laterality", "thick slices"}
    assert kinds(real_case("ct_l3_1.5mm")) == {"laterality", "no air"}


@real
def test_a_real_slab_of_forty_millimetres_is_refused():
    with pytest.raises(InputError, match="20 slices over 40 mm"):
        check_image(read_image(FOLDER / "dicom_thoracolumbar"))


@real
@pytest.mark.parametrize(
    ("name", "numbering", "told"),
    [
        ("mask_lumbosacral/vertebrae.nii.gz", "auto", set()),
        ("mask_t9_l5/vertebrae.nii.gz", "auto", set()),
        ("ct_l3_1.5mm/vertebrae.nii.gz", "auto", {"L2", "L4"}),
        ("ct_lumbosacral_3mm/totalsegmentator.nii.gz", "totalsegmentator-v2", {"T11", "T12"}),
    ],
)
def test_of_real_labels_only_cut_vertebrae_are_told(name, numbering, told):
    labels = to_verse(read_labels(FOLDER / name), numbering)
    found = check_segmentation(None, labels)
    assert {text.split()[0] for text in found} == told
    assert all("cut by the edge" in text for text in found)


@real
@pytest.mark.parametrize("name", ["mask_lumbosacral/vertebrae.nii.gz", "mask_t9_l5/vertebrae.nii.gz"])
@pytest.mark.parametrize(("direction", "words"), [("up", "upside down"), ("front", "front and back are exchanged")])
def test_real_labels_turned_over_are_told(name, direction, words):
    assert words in spoken(None, turned(to_verse(read_labels(FOLDER / name)), direction))
