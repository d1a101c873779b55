"""Tissues to voxels: their functions are interpolated and laid over each other in order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spinescrew.geometry.volume import Volume
from spinescrew.phantoms.surroundings import Tissue
from spinescrew.phantoms.warp import noise_at

Floats = NDArray[np.float64]


def coarse_grid(grid: Volume, step_mm: float) -> Volume:
    """A grid of ``step_mm`` or wider voxels over ``grid``, without voxels of its own."""
    steps = np.maximum(grid.spacing, step_mm)
    shape = tuple(int(n) for n in np.ceil((np.array(grid.shape) - 1) * grid.spacing / steps).astype(int) + 2)
    affine = np.diag([*steps, 1.0])
    affine[:3, 3] = grid.affine[:3, 3]
    return Volume(np.empty(shape, np.uint8), affine)


def around(grid: Volume, points: Floats, margin_mm: float) -> Volume:
    """The part of ``grid`` within ``margin_mm`` of the box around ``points`` (n, 3); it shares its voxels."""
    index = grid.ras_to_index(np.vstack([points - margin_mm, points + margin_mm]))
    return grid.crop(np.floor(index.min(axis=0)), np.ceil(index.max(axis=0)) + 1)


def grid_points(grid: Volume) -> Floats:
    """RAS centres (n, 3) of all voxels of ``grid``."""
    return grid.index_to_ras(np.indices(grid.shape).reshape(3, -1).T)


def paint_tissues(hu: Volume, coarse: Volume, layers: Sequence[Tissue], soft_mm: float, seed: int) -> None:
    """Lay ``layers``, tabulated on ``coarse``, over each other and over what is in ``hu`` (float32)."""
    fields = np.stack([layer.field.reshape(coarse.shape) for layer in layers], axis=-1)
    look = np.array([(layer.hu, *layer.texture) for layer in layers])
    _paint(fields, look, hu.spacing / coarse.spacing, hu.affine[:3, 3], hu.spacing, soft_mm, seed, hu.array)


@njit(cache=True)
def _paint(fields, look, ratio, origin, spacing, soft, seed, hu):  # type: ignore[no-untyped-def]
    count = fields.shape[3]
    rows = np.empty((fields.shape[2], count), np.float32)
    for i in range(hu.shape[0]):
        a = min(int(i * ratio[0]), fields.shape[0] - 2)
        u = np.float32(i * ratio[0] - a)
        for j in range(hu.shape[1]):
            b = min(int(j * ratio[1]), fields.shape[1] - 2)
            v = np.float32(j * ratio[1] - b)
            for c in range(fields.shape[2]):
                for n in range(count):
                    near = fields[a, b, c, n] * (1 - v) + fields[a, b + 1, c, n] * v
                    far = fields[a + 1, b, c, n] * (1 - v) + fields[a + 1, b + 1, c, n] * v
                    rows[c, n] = near * (1 - u) + far * u
            for k in range(hu.shape[2]):
                c = min(int(k * ratio[2]), fields.shape[2] - 2)
                w = np.float32(k * ratio[2] - c)
                value, size, amount = hu[i, j, k], 0.0, 0.0
                for n in range(count):
                    d = rows[c, n] * (1 - w) + rows[c + 1, n] * w
                    if d < 0.5 * soft:
                        share = min(0.5 - d / soft, 1.0)
                        value += (look[n, 0] - value) * share
                        if share > 0.5:
                            size, amount = look[n, 1], look[n, 2]
                if amount > 0.0:
                    x, y, z = origin[0] + spacing[0] * i, origin[1] + spacing[1] * j, origin[2] + spacing[2] * k
                    value += amount * noise_at(x, y, z, size, seed)
                hu[i, j, k] = value
