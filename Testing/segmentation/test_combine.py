import numpy as np
import pytest
from spines import turned

from spinescrew.anatomy.levels import Level
from spinescrew.geometry.vectors import rotation
from spinescrew.geometry.volume import Volume
from spinescrew.segmentation.combine import Piece, combine, largest_piece_filled, resample_labels


def grid(shape, spacing, origin=(0.0, 0.0, 0.0), turn=None):
    affine = np.eye(4)
    affine[:3, :3] = (np.eye(3) if turn is None else turn) @ np.diag(spacing)
    affine[:3, 3] = origin
    return Volume(np.zeros(shape, np.float32), affine)


def ball(on, centre, radius, height=1.0):
    """Probability of a ball, soft over one voxel, on the grid ``on``."""
    index = np.stack(np.meshgrid(*[np.arange(n) for n in on.shape], indexing="ij"), axis=-1)
    away = np.linalg.norm(on.index_to_ras(index) - centre, axis=-1)
    soft = float(on.spacing.mean())
    return on.with_array((height * np.clip(0.5 + (radius - away) / soft, 0, 1)).astype(np.float32))


CT = grid((60, 50, 40), (1.0, 1.0, 1.5))


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


@pytest.mark.parametrize("spacing", [0.6, 1.0, 2.0])
def test_a_ball_cut_out_on_an_oblique_grid_comes_back_in_its_place(spacing):
    turn = rotation((1, 2, 3), 25.0)
    middle = np.array([30.0, 25.0, 30.0])
    size = int(40 / spacing)
    fine = grid((size,) * 3, (spacing,) * 3, middle - turn @ np.full(3, 20.0), turn)
    found = combine([Piece(Level.L3, ball(fine, middle, 12.0))], CT)
    assert dice(found.array == Level.L3, ball(CT, middle, 12.0).array > 0.5) > 0.98
    assert found.same_grid(CT)


def test_the_higher_probability_has_the_voxels_of_an_overlap_in_either_order():
    upper, lower = ball(CT, (30, 25, 35), 12.0, height=0.7), ball(CT, (30, 25, 22), 12.0)
    pieces = [Piece(Level.L2, upper), Piece(Level.L3, lower)]
    one, other = combine(pieces, CT).array, combine(pieces[::-1], CT).array
    both = (upper.array > 0.5) & (lower.array > 0.95)
    assert both.any()
    assert (one[both] == Level.L3).all()
    assert np.array_equal(one, other)


def test_crumbs_are_dropped_and_holes_filled():
    probability = ball(CT, (30, 25, 30), 12.0)
    probability.array[30, 25, 20] = 0.0
    probability.array[2:4, 2:4, 2:4] = 1.0
    found = combine([Piece(Level.L4, probability)], CT).array
    assert found[30, 25, 20] == Level.L4
    assert not found[:8, :8, :8].any()


def test_a_filled_hole_never_takes_another_vertebra():
    outer = ball(CT, (30, 25, 30), 14.0, height=0.8)
    inner = ball(CT, (30, 25, 30), 5.0)
    found = combine([Piece(Level.L4, outer), Piece(Level.L5, inner)], CT).array
    assert found[30, 25, 20] == Level.L5
    assert (found == Level.L4).any()


def test_a_piece_outside_the_image_leaves_nothing():
    far = grid((10, 10, 10), (1.0,) * 3, (500.0, 0.0, 0.0))
    assert not combine([Piece(Level.L1, far.with_array(np.ones(far.shape, np.float32)))], CT).array.any()


def test_labels_on_another_grid_keep_their_shape():
    array = np.zeros(CT.shape, np.int16)
    array[ball(CT, (30, 25, 35), 10.0).array > 0.5] = 22
    array[ball(CT, (30, 25, 15), 10.0).array > 0.5] = 23
    other = grid((40, 34, 40), (1.5, 1.5, 1.5))
    found = resample_labels(CT.with_array(array), other)
    for value, height in ((22, 35), (23, 15)):
        assert dice(found.array == value, ball(other, (30, 25, height), 10.0).array > 0.5) > 0.95


def test_labels_on_the_same_voxels_in_another_order_are_exactly_the_same():
    array = np.zeros(CT.shape, np.int16)
    array[10:30, 12:40, 0:20] = 22
    labels = CT.with_array(array)
    affine = CT.affine.copy()
    affine[:, 0] *= -1
    affine[:3, 3] = CT.index_to_ras((CT.shape[0] - 1, 0, 0))
    mirrored = Volume(np.zeros(CT.shape, np.int16), affine)
    assert np.array_equal(resample_labels(labels, mirrored).array, turned(labels, "right").array)


def test_labels_do_not_spread_beyond_their_own_image():
    labels = grid((20, 20, 20), (1.5,) * 3, (20.0, 15.0, 20.0), rotation((1, 1, 0), 30.0))
    full = labels.with_array(np.full(labels.shape, 22, np.int16))
    index = np.stack(np.meshgrid(*[np.arange(n) for n in CT.shape], indexing="ij"), axis=-1)
    inside = full.contains(CT.index_to_ras(index))
    found = resample_labels(full, CT).array > 0
    assert dice(found, inside) > 0.98
    assert not (found & ~full.contains(CT.index_to_ras(index), margin_mm=-0.1)).any()


def test_the_largest_piece_of_nothing_is_nothing():
    assert not largest_piece_filled(np.zeros((4, 4, 4), bool)).any()
