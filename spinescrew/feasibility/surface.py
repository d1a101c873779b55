"""The cortex of all of C2 as one distance field: coarse everywhere, fine where the pedicle network has looked."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import affine_transform, distance_transform_edt

from spinescrew.feasibility.judge import Judgement
from spinescrew.feasibility.scheme import DEEPEST_MM, FARTHEST_MM
from spinescrew.geometry.sdf import SignedDistance
from spinescrew.geometry.volume import Volume

GRID_MM = 0.5
_MARGIN_MM = 5.0
_BLEND_MM = 3.0
_TRUSTED_MM = 1.0


def fuse(share: Volume, judgements: Iterable[Judgement]) -> SignedDistance:
    """Signed distance (mm, negative inside) to C2's cortex on a 0.5 mm grid along the patient's axes.

    Parameters
    ----------
    share:
        Share of each voxel of a 1 mm grid that is C2.
    judgements:
        Their depths replace the coarse surface within their boxes, and fade out over the last 3 mm of them.
    """
    grid = _grid(share)
    coarse = SignedDistance.from_mask(share.with_array(share.array > 0.5))
    values = _resampled(coarse.volume, grid, 10.0)
    for found in judgements:
        fine = _resampled(found.depth, grid, FARTHEST_MM)
        weight = _resampled(found.depth.with_array(_window(found.depth)), grid, 0.0)
        # Deep inside and far outside the network's depth ends; there the coarse distance is near enough.
        weight *= (fine < DEEPEST_MM - _TRUSTED_MM) & (fine > FARTHEST_MM + _TRUSTED_MM)
        values = (1.0 - weight) * values - weight * fine
    return SignedDistance(grid.with_array(_distance(values)))


def on_grid(field: Volume, grid: Volume, outside: float) -> NDArray[np.float32]:
    """``field`` at the voxels of ``grid``, linear, where the two meet; ``outside`` elsewhere."""
    found = np.full(grid.shape, outside, np.float32)
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in field.shape])).reshape(3, -1).T
    index = grid.ras_to_index(field.index_to_ras(corners))
    low = np.clip(np.floor(index.min(axis=0)), 0, grid.shape).astype(int)
    high = np.clip(np.ceil(index.max(axis=0)) + 1, 0, grid.shape).astype(int)
    if (high > low).all():
        part = tuple(slice(a, b) for a, b in zip(low.tolist(), high.tolist(), strict=True))
        found[part] = _resampled(field, grid.crop(low, high), outside)
    return found


def _grid(share: Volume) -> Volume:
    points = share.index_to_ras(np.argwhere(share.array > 0.5).astype(float))
    low, high = points.min(axis=0) - _MARGIN_MM, points.max(axis=0) + _MARGIN_MM
    shape = np.ceil((high - low) / GRID_MM).astype(int) + 1
    affine = np.diag([GRID_MM, GRID_MM, GRID_MM, 1.0])
    affine[:3, 3] = low
    return Volume(np.zeros(tuple(int(n) for n in shape), np.float32), affine)


def _window(field: Volume) -> NDArray[np.float32]:
    """1 inside a box, falling to 0 over its outermost millimetres."""
    edges = [
        np.minimum(np.arange(n), np.arange(n)[::-1]) * step for n, step in zip(field.shape, field.spacing, strict=True)
    ]
    i, j, k = (np.clip(edge / _BLEND_MM, 0.0, 1.0) for edge in edges)
    return (i[:, None, None] * j[:, None] * k).astype(np.float32)


def _distance(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Distances again, where two of them were joined: those near the surface stay, the rest is measured anew."""
    inside = values < 0
    far = distance_transform_edt(~inside, sampling=GRID_MM) - 0.5 * GRID_MM
    deep = distance_transform_edt(inside, sampling=GRID_MM) - 0.5 * GRID_MM
    measured = np.where(inside, -deep, far)
    near = np.abs(values) < 2.0
    return np.where(near, values, measured).astype(np.float32)


def _resampled(field: Volume, grid: Volume, outside: float) -> NDArray[np.float32]:
    move = field.inverse @ grid.affine
    array = np.asarray(field.array, np.float32)
    found = affine_transform(array, move[:3, :3], move[:3, 3], grid.shape, order=1, mode="constant", cval=outside)
    return np.asarray(found, np.float32)
