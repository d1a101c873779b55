"""Bones to voxels: cortex, marrow with trabeculae, endplates and basivertebral vein, and the labels.

Blocks of voxels too far from a bone for any of them to touch it are passed over after one look at their centre.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spinescrew.geometry.volume import Volume
from spinescrew.phantoms.kernels import paint_bone_voxels
from spinescrew.phantoms.solid_spine import Solid, arguments
from spinescrew.phantoms.warp import Warp

Floats = NDArray[np.float64]

_MARGIN_MM = 14.0
_BLOCK_MM = 4.0

EVERYWHERE = (np.inf, -np.inf)


@dataclass(frozen=True)
class BoneLook:
    """Densities (HU) and textures (mm, HU) of bone.

    ``cortex_mm`` of bodies and of arches; ``trabecula`` is (size, amount) of the marrow's texture; ``sclerosis`` what
    lies upon the marrow beside the endplates, ``vein`` what the basivertebral vein takes off it.
    """

    marrow: float
    cortex: float
    cortex_mm: tuple[float, float]
    trabecula: tuple[float, float]
    sclerosis: float
    vein: float

    def numbers(self, soft_mm: float) -> Floats:
        """As the compiled function wants them."""
        return np.array(
            [self.marrow, self.cortex, *self.cortex_mm, *self.trabecula, self.sclerosis, self.vein, soft_mm]
        )


def paint_bone(
    hu: Volume,
    labels: NDArray[np.int16],
    solid: Solid,
    warp: Warp,
    look: BoneLook,
    value: int,
    soft_mm: float,
    named: tuple[float, float] = EVERYWHERE,
) -> None:
    """Paint one bone into ``hu`` (float32) and, where ``value`` is not 0, into ``labels`` on the same grid.

    ``named`` limits the label to this half width and to what lies above this height of the bone's own frame, mm.
    """
    low, high = _box(hu, solid, warp)
    if (high <= low).any():
        return
    block = np.maximum(2, np.round(_BLOCK_MM / hu.spacing)).astype(np.int64)
    numbers = look.numbers(soft_mm)
    paint_bone_voxels(
        hu.array, labels, hu.affine[:3, 3], hu.spacing, low, high, block, numbers, value, np.array(named),
        warp.wide, warp.narrow, warp.origins, warp.steps, *arguments(solid),
    )  # fmt: skip


def _box(grid: Volume, solid: Solid, warp: Warp) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices that hold the bone: the spheres of its parts, with room for the deformation."""
    kept = solid.rows[solid.rows[:, 1] > 0]
    centres = kept[:, 3:6] @ solid.frame[:, :3] + solid.frame[:, 3]
    reach = kept[:, 6:7]
    points = warp.to_patient(np.vstack([centres - reach, centres + reach]))
    index = np.vstack([grid.ras_to_index(points - _MARGIN_MM), grid.ras_to_index(points + _MARGIN_MM)])
    low = np.clip(np.floor(index.min(axis=0)), 0, grid.shape)
    return low.astype(np.int64), np.clip(np.ceil(index.max(axis=0)) + 1, 0, grid.shape).astype(np.int64)
