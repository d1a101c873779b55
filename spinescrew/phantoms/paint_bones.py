"""Bones to voxels: cortex, marrow with trabeculae, endplates and basivertebral vein, and the labels.

Blocks of voxels too far from a bone for any of them to touch it are passed over after one look at their centre.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spinescrew.geometry.volume import Volume
from spinescrew.phantoms.parts import body_plates
from spinescrew.phantoms.solid_spine import Solid, arguments, bone_at
from spinescrew.phantoms.warp import Warp, noise_at, pull

Floats = NDArray[np.float64]

# The implicit functions grow at most this much faster than the distance, in a patient deformed this much.
_STEEPEST = 1.45
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
    _paint(
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


@njit(cache=True)
def _paint(  # type: ignore[no-untyped-def]
    hu, labels, origin, spacing, low, high, block, look, value, named,
    wide, narrow, origins, steps, frame, rows, other_frame, other, room, rough, seed,
):  # fmt: skip
    p, q, local = np.empty(3), np.empty(3), np.empty(3)
    size = np.sqrt((((block - 1) * spacing) ** 2).sum()) / 2.0
    outside = 0.5 * look[8] + 0.05
    for i0 in range(low[0], high[0], block[0]):
        i1 = min(i0 + block[0], high[0])
        for j0 in range(low[1], high[1], block[1]):
            j1 = min(j0 + block[1], high[1])
            for k0 in range(low[2], high[2], block[2]):
                k1 = min(k0 + block[2], high[2])
                p[0] = origin[0] + spacing[0] * (i0 + i1 - 1) / 2.0
                p[1] = origin[1] + spacing[1] * (j0 + j1 - 1) / 2.0
                p[2] = origin[2] + spacing[2] * (k0 + k1 - 1) / 2.0
                pull(wide, narrow, origins, steps, p, q)
                d, _ = bone_at(frame, rows, other_frame, other, room, rough, seed, q, local)
                if d > outside + size * _STEEPEST:
                    continue
                for i in range(i0, i1):
                    p[0] = origin[0] + spacing[0] * i
                    for j in range(j0, j1):
                        p[1] = origin[1] + spacing[1] * j
                        for k in range(k0, k1):
                            p[2] = origin[2] + spacing[2] * k
                            pull(wide, narrow, origins, steps, p, q)
                            d, deeper = bone_at(frame, rows, other_frame, other, room, rough, seed, q, local)
                            if d > outside:
                                continue
                            share = min(max(0.5 - d / look[8], 0.0), 1.0)
                            bone = _density(rows, look, d, deeper, q, local, seed)
                            hu[i, j, k] += (bone - hu[i, j, k]) * share
                            if d <= 0.0 and value > 0 and abs(local[0]) <= named[0] and local[2] >= named[1]:
                                labels[i, j, k] = value


@njit(cache=True)
def _density(rows, look, d, deeper, q, local, seed):  # type: ignore[no-untyped-def]
    """HU of bone at a point whose distance to the surface is ``d``."""
    of_body = 1.0 / (1.0 + np.exp(-deeper / 1.5))
    thick = look[2] * of_body + look[3] * (1.0 - of_body)
    thick *= 1.0 + 0.35 * noise_at(q[0], q[1], q[2], 9.0, seed + 1)
    size = look[4]
    grain = 0.65 * noise_at(q[0], q[1], 0.6 * q[2], size, seed + 2)
    grain += 0.35 * noise_at(q[0], q[1], q[2], 3.3 * size, seed + 3)
    grain += 0.35 * noise_at(q[0], q[1], q[2], 14.0, seed + 4)
    marrow = look[0] + (1.0 - of_body) * (70.0 + 0.15 * look[0]) + look[5] * grain
    if rows[0, 0] == 4 and of_body > 0.1:
        body = rows[0, 7:]
        upper, lower = body_plates(body, local[0], local[1])
        near = min(abs(upper - local[2]), abs(local[2] - lower))
        marrow += look[6] * np.exp(-near / 2.5) * of_body
        back = local[1] + 0.5 * body[2]
        vein = np.sqrt((local[0] / 7.0) ** 2 + ((back - 3.0) / 10.0) ** 2 + (local[2] / 2.6) ** 2)
        if vein < 1.3:
            marrow -= look[7] * min(1.3 - vein, 1.0)
            if back < 3.0:
                thick *= 0.4
    depth = min(max((-d - thick) / look[8] + 0.5, 0.0), 1.0)
    return look[1] * (1.0 - depth) + marrow * depth
