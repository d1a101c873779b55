"""Analytic solids with exact signed distances, and their voxelisation on any grid."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from spinescrew.geometry.volume import Volume


def tube(points, radius=5.0):
    """Solid cylinder along z."""
    return np.hypot(points[:, 0], points[:, 1]) - radius


def box(points, half=(5.0, 7.0, 30.0)):
    """Exact distance to a box."""
    q = np.abs(points) - np.array(half)
    return np.linalg.norm(np.maximum(q, 0), axis=1) + np.minimum(q.max(axis=1), 0)


def ball(points, radius=9.0):
    """Sphere."""
    return np.linalg.norm(points, axis=1) - radius


def random_rotation(seed):
    """3x3, uniformly distributed."""
    return Rotation.random(random_state=seed).as_matrix()


def voxelised(function, spacing, rotation=None, half_mm=14.0, seed=0, left_handed=False):
    """Mask of ``function < 0`` at voxel centres; the grid is rotated and shifted by a random fraction of a voxel."""
    spacing = np.array(spacing, dtype=float)
    shape = np.ceil(2 * half_mm / spacing).astype(int)
    steps = (np.eye(3) if rotation is None else rotation) @ np.diag(spacing)
    if left_handed:
        steps[:, 0] = -steps[:, 0]
    affine = np.eye(4)
    affine[:3, :3] = steps
    shift = np.random.default_rng(seed).uniform(-0.5, 0.5, 3)
    affine[:3, 3] = -steps @ ((shape - 1) / 2 + shift)
    empty = Volume(np.zeros(shape, bool), affine)
    index = np.stack(np.meshgrid(*[np.arange(n) for n in shape], indexing="ij"), axis=-1).reshape(-1, 3)
    return empty.with_array((function(empty.index_to_ras(index)) < 0).reshape(shape))
