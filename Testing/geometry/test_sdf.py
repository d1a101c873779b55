"""Distances from label maps against solids whose distances are known."""

import numpy as np
import pytest
from shapes import ball, box, random_rotation, tube, voxelised

from spinescrew.errors import GeometryError
from spinescrew.geometry.sdf import SignedDistance
from spinescrew.geometry.volume import Volume

OFFSETS = (-1.0, 0.0, 1.0, 3.0)


def tube_points(offset, random):
    angle, z = random.uniform(0, 2 * np.pi, 400), random.uniform(-5, 5, 400)
    return np.column_stack([(5 + offset) * np.cos(angle), (5 + offset) * np.sin(angle), z])


def box_points(offset, random):
    return np.column_stack([np.full(400, 5 + offset), random.uniform(-4, 4, 400), random.uniform(-5, 5, 400)])


def errors(solid, points_at, spacing, seed, **grid):
    field = SignedDistance.from_mask(voxelised(solid, spacing, random_rotation(seed), seed=seed, **grid))
    random = np.random.default_rng(seed)
    return np.concatenate([field.sample(points_at(offset, random)) - offset for offset in OFFSETS])


@pytest.mark.parametrize(("solid", "points_at"), [(tube, tube_points), (box, box_points)])
def test_half_millimetre_voxels_give_distances_to_a_tenth(solid, points_at):
    off = np.abs([errors(solid, points_at, (0.5, 0.5, 0.5), seed) for seed in range(1, 7)])
    assert off.mean() <= 0.05
    assert np.median(off.max(axis=1)) <= 0.15


@pytest.mark.parametrize(("solid", "points_at"), [(tube, tube_points), (box, box_points)])
def test_anisotropic_oblique_voxels_stay_within_a_fraction_of_a_voxel(solid, points_at):
    off = np.abs([errors(solid, points_at, (1.0, 1.0, 2.0), seed) for seed in range(1, 7)])
    assert off.mean() <= 0.20
    assert np.median(off.max(axis=1)) <= 0.5


@pytest.mark.parametrize(("radius", "shift"), [(3.0, 0.15), (5.0, 0.08), (9.0, 0.05)])
def test_a_curved_wall_is_hardly_shifted(radius, shift):
    field = SignedDistance.from_mask(voxelised(lambda p: ball(p, radius), (0.8, 0.8, 0.8), random_rotation(2)))
    surface = np.random.default_rng(0).normal(size=(500, 3))
    surface *= radius / np.linalg.norm(surface, axis=1, keepdims=True)
    assert abs(field.sample(surface).mean()) < shift


def test_left_handed_grids_give_the_same_distances():
    right = np.abs(errors(tube, tube_points, (0.6, 0.6, 0.6), 4)).mean()
    left = np.abs(errors(tube, tube_points, (0.6, 0.6, 0.6), 4, left_handed=True)).mean()
    assert left < 0.08
    assert right < 0.08


def test_the_edge_of_the_image_is_not_a_cortex():
    mask = np.zeros((30, 30, 20), bool)
    mask[10:20, 10:20, :] = True
    field = SignedDistance.from_mask(Volume(mask, np.eye(4)))
    assert field.sample([[14.0, 14.0, 0.0]])[0] == pytest.approx(-4.5, abs=0.2)


def test_gradients_point_outwards():
    field = SignedDistance.from_mask(voxelised(ball, (1.0, 1.0, 1.0), random_rotation(3)))
    directions = np.random.default_rng(1).normal(size=(40, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    assert (np.sum(field.gradient(9.0 * directions) * directions, axis=1) > 0.97).all()


def test_far_points_are_still_far():
    field = SignedDistance.from_mask(voxelised(ball, (1.0, 1.0, 1.0)))
    assert field.sample([[60.0, 0.0, 0.0]])[0] == pytest.approx(51.0, abs=1.5)


def test_a_single_voxel_keeps_a_surface():
    mask = np.zeros((5, 5, 5), bool)
    mask[2, 2, 2] = True
    assert SignedDistance.from_mask(Volume(mask, np.eye(4))).sample([[2.0, 2.0, 2.0]])[0] < 0


def test_an_empty_mask_is_refused():
    with pytest.raises(GeometryError, match="empty"):
        SignedDistance.from_mask(Volume(np.zeros((4, 4, 4), bool), np.eye(4)))


def test_a_tabulated_function_reads_back():
    field = SignedDistance.from_function(ball, (-12, -12, -12), (12, 12, 12), 0.5)
    points = np.random.default_rng(0).uniform(-11, 11, (200, 3))
    assert np.abs(field.sample(points) - ball(points)).max() < 0.1
