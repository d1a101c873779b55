import numpy as np
import pytest
from shapes import random_rotation

from spinescrew.errors import GeometryError
from spinescrew.geometry.volume import Volume


def an_affine(seed=0, spacing=(0.5, 1.0, 2.5), left_handed=False):
    affine = np.eye(4)
    affine[:3, :3] = random_rotation(seed) @ np.diag(spacing)
    if left_handed:
        affine[:3, 0] *= -1
    affine[:3, 3] = (10.0, -20.0, 300.0)
    return affine


@pytest.mark.parametrize("left_handed", [False, True])
def test_index_and_ras_are_inverse_on_oblique_grids(left_handed):
    volume = Volume(np.zeros((4, 5, 6)), an_affine(3, left_handed=left_handed))
    index = np.random.default_rng(0).uniform(-3, 9, (50, 3))
    assert np.allclose(volume.ras_to_index(volume.index_to_ras(index)), index)
    assert np.allclose(volume.spacing, (0.5, 1.0, 2.5))


def test_a_crop_keeps_every_voxel_where_it_was():
    volume = Volume(np.arange(4 * 5 * 6).reshape(4, 5, 6), an_affine(1))
    part = volume.crop((1, 2, 0), (4, 5, 9))
    assert part.shape == (3, 3, 6)
    assert np.allclose(part.index_to_ras((0, 0, 0)), volume.index_to_ras((1, 2, 0)))
    assert part.array[0, 0, 0] == volume.array[1, 2, 0]


def test_contains_counts_whole_voxels_and_margins():
    volume = Volume(np.zeros((10, 10, 10)), np.diag([2.0, 2.0, 2.0, 1.0]))
    assert volume.contains([[-0.9, 5, 5]])[0]
    assert not volume.contains([[-1.1, 5, 5]])[0]
    assert not volume.contains([[-0.9, 5, 5]], margin_mm=1.0)[0]


def test_the_hash_follows_voxels_and_place_and_nothing_else():
    volume = Volume(np.arange(8).reshape(2, 2, 2), np.eye(4), {"modality": "CT"})
    assert volume.content_hash() == Volume(volume.array.copy(order="F"), np.eye(4)).content_hash()
    moved = np.eye(4)
    moved[0, 3] = 0.5
    assert volume.content_hash() != Volume(volume.array, moved).content_hash()
    assert volume.content_hash() != Volume(volume.array + 1, np.eye(4)).content_hash()


@pytest.mark.parametrize(
    ("affine", "word"),
    [
        (np.full((4, 4), np.nan), "finite"),
        (np.zeros((4, 4)), "0 0 0 1"),
        (np.diag([1.0, 0.0, 1.0, 1.0]), "singular"),
        (np.eye(3), "4x4"),
    ],
)
def test_a_damaged_affine_is_refused(affine, word):
    with pytest.raises(GeometryError, match=word):
        Volume(np.zeros((2, 2, 2)), affine)


def test_a_flat_array_is_refused():
    with pytest.raises(GeometryError, match="three dimensions"):
        Volume(np.zeros((2, 2)), np.eye(4))
