"""Boxes cut out of images: where they say they are, whatever the image's own grid."""

import numpy as np
import pytest

from spinescrew.geometry.vectors import rotation
from spinescrew.geometry.volume import Volume
from spinescrew.segmentation.box import box_around
from spinescrew.training.sampling import Augmentation, narrow_view, only, other_tones, random_box

CENTRE = np.array([12.0, -30.0, 55.0])


def ramp(spacing=(1.0, 1.0, 1.0), turn_deg=0.0):
    """A volume whose HU are right + 2 anterior + 3 superior in mm, about ``CENTRE``."""
    affine = np.eye(4)
    affine[:3, :3] = rotation((1.0, 2.0, 0.5), turn_deg) @ np.diag(spacing)
    shape = np.ceil(140 / np.array(spacing)).astype(int)
    affine[:3, 3] = CENTRE - affine[:3, :3] @ (shape - 1) / 2
    index = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    points = index @ affine[:3, :3].T + affine[:3, 3]
    return Volume((points @ (1.0, 2.0, 3.0)).astype(np.float32), affine)


def points_of(box):
    index = np.stack(np.meshgrid(*map(np.arange, box.shape), indexing="ij"), axis=-1)
    return index @ box.affine[:3, :3].T + box.affine[:3, 3]


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.8, 0.8, 3.0), (2.5, 0.7, 1.0)])
@pytest.mark.parametrize("turn_deg", [0.0, 20.0])
@pytest.mark.parametrize("box_mm", [1.0, 4.0])
def test_a_box_shows_what_lies_at_its_points(spacing, turn_deg, box_mm):
    box = box_around(CENTRE, (12, 10, 8), box_mm)
    cut = box.cut(ramp(spacing, turn_deg), 1, -1.0)
    np.testing.assert_allclose(cut, points_of(box) @ (1.0, 2.0, 3.0), atol=0.05)


def test_random_boxes_know_where_they_are():
    volume = ramp()
    for seed in range(20):
        box = random_box(CENTRE, (16, 16, 16), 1.5, Augmentation(), np.random.default_rng(seed))
        np.testing.assert_allclose(box.cut(volume, 1, -1.0), points_of(box) @ (1.0, 2.0, 3.0), atol=0.05)
        np.testing.assert_allclose(box.to_index(points_of(box)[3, 5, 7]), (3, 5, 7), atol=1e-9)
        middle = points_of(box).mean(axis=(0, 1, 2))
        assert np.abs(middle - CENTRE).max() <= Augmentation().shift_mm + 1e-9


def test_labels_are_not_mixed():
    volume = ramp()
    labels = volume.with_array((volume.array > 100).astype(np.int16) * 24)
    box = random_box(CENTRE, (20, 20, 20), 1.3, Augmentation(), np.random.default_rng(3))
    assert set(np.unique(box.cut(labels, 0, 0.0))) <= {0.0, 24.0}


def test_beyond_the_image_is_what_was_asked_for():
    far = box_around(CENTRE + 500, (4, 4, 4), 1.0)
    assert (far.cut(ramp(), 1, -1024.0) == -1024).all()
    edge = box_around(CENTRE + (70, 0, 0), (20, 4, 4), 1.0).cut(ramp(), 1, -1024.0)
    assert (edge[15:] == -1024).all() and (edge[:5] > -1024).all()


def test_nothing_is_missed_between_coarse_samples():
    """A fine stripe pattern comes out as its mean, not as whatever stripe a sample hits."""
    array = np.zeros((80, 80, 80), np.float32)
    array[::2] = 100.0
    coarse = box_around((40, 40, 40), (10, 10, 10), 4.0).cut(Volume(array, np.eye(4)), 1, 0.0)
    np.testing.assert_allclose(coarse, 50.0, atol=3.0)


def test_other_tones_stay_within_what_was_asked_for():
    hu = np.full((12, 12, 12), 400.0, np.float32)
    how = Augmentation(contrast=0.1, drift_hu=30.0, noise_hu=0.0)
    means = [other_tones(hu, 1.0, how, np.random.default_rng(seed)).mean() for seed in range(50)]
    assert 400 * 0.9 - 30 <= min(means) < 385 and 415 < max(means) <= 400 * 1.1 + 30
    still = Augmentation(0, 0, 0, 0, 0, 0, 0, 0)
    np.testing.assert_array_equal(other_tones(hu, 1.0, still, np.random.default_rng(1)), hu)


def test_a_narrow_field_of_view_shows_a_part_with_nothing_around():
    values, random = np.ones((2, 20, 30, 40), np.float32), np.random.default_rng(1)
    parts = [narrow_view(values[0].shape, Augmentation(narrow=0.5), random) for _ in range(200)]
    shown = [only(part, values, -1.0) for part in parts if part is not None]
    assert 70 < len(shown) < 130
    for part in shown:
        inside = np.argwhere(part[0] == 1)
        size = np.ptp(inside, axis=0) + 1
        assert len(inside) == size.prod() and (size >= np.floor([7, 10.5, 14])).all()
        assert np.array_equal(part[0], part[1]) and set(np.unique(part)) <= {-1.0, 1.0}
    assert only(None, values, -1.0) is values
