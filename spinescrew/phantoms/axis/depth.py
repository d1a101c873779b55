"""How deep a point lies below the surface of C2, or how far outside it, on any grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, map_coordinates

from spinescrew.geometry.volume import Volume
from spinescrew.phantoms.axis.solid import AxisSolids

_COARSE = 4


def signed_depth(solids: AxisSolids, grid: Volume) -> Volume:
    """Distance in mm from the surface of C2 at the voxels of ``grid``, positive inside (float32).

    The implicit function says where between two voxels the surface is: each distance is that to the nearest voxel on
    the other side, less how far that one lies from the surface. ``grid`` has the same spacing along its axes.
    """
    values = tabulate(solids, grid)
    return grid.with_array(_to_other_side(values, grid) - _to_other_side(-values, grid))


def tabulate(solids: AxisSolids, grid: Volume) -> NDArray[np.float32]:
    """The implicit function on ``grid``: exact near the surface, interpolated where that is far away."""
    counts = [-(-(size - 1) // _COARSE) + 1 for size in grid.shape]
    nodes = np.stack(np.meshgrid(*[np.arange(n) * _COARSE for n in counts], indexing="ij"), axis=-1)
    coarse = solids.distance(grid.index_to_ras(nodes.reshape(-1, 3))).reshape(counts)
    where = np.meshgrid(*[np.arange(size) / _COARSE for size in grid.shape], indexing="ij", sparse=False)
    values = map_coordinates(coarse, where, order=1, output=np.float32)
    near = np.argwhere(np.abs(values) < 0.5 * _COARSE * float(grid.spacing[0]) + 0.4)
    values[tuple(near.T)] = solids.distance(grid.index_to_ras(near))
    return np.asarray(values)


def _to_other_side(values: NDArray[np.float32], grid: Volume) -> NDArray[np.float32]:
    """How far (mm) the voxels below zero are from where the function is zero; 0 for the others."""
    inside = values < 0
    if inside.all() or not inside.any():
        return np.zeros(grid.shape, np.float32)
    step = float(grid.spacing[0])
    spread, nearest = distance_transform_edt(inside, sampling=step, return_indices=True)
    beyond = values[tuple(nearest)]
    return np.where(inside, np.maximum(spread - np.minimum(beyond, step), 0.0), 0.0).astype(np.float32)
