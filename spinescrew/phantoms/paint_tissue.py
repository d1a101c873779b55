"""Tissues to voxels: their functions are interpolated and laid over each other in order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spinescrew.geometry.volume import Volume
from spinescrew.phantoms.kernels import paint_tissue_voxels
from spinescrew.phantoms.surroundings import Tissue

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
    paint_tissue_voxels(
        fields, look, hu.spacing / coarse.spacing, hu.affine[:3, 3], hu.spacing, soft_mm, seed, hu.array
    )
