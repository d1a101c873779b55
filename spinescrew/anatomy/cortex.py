"""Inner cortices of a pedicle, measured in the CT."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.vertebra import Pedicle
from spinescrew.geometry.sampling import trilinear
from spinescrew.geometry.sdf import SignedDistance
from spinescrew.geometry.volume import Volume

Floats = NDArray[np.float64]

_STEP_MM = 0.1
_LARGEST_VOXEL_MM = 1.0


def inner_sizes(ct: Volume, bone: SignedDistance, pedicle: Pedicle) -> tuple[float, float] | None:
    """Endosteal width and height of the isthmus in mm, or ``None`` where the CT cannot show them.

    A wall ends where density, going inwards from its peak, has fallen half way to the marrow's. Walls are 0.6 to
    1.6 mm thick (science.md 2.8): with voxels over 1 mm they are not resolved and nothing is returned.
    """
    if ct.spacing.max() > _LARGEST_VOXEL_MM or not ct.contains(pedicle.isthmus):
        return None
    up = np.cross(pedicle.axis, pedicle.medial)
    marrow = float(trilinear(ct, pedicle.isthmus[None])[0])
    sizes = []
    for direction, outer in ((pedicle.medial, pedicle.width_mm), (up, pedicle.height_mm)):
        walls = [_wall(ct, bone, pedicle.isthmus, sign * direction, marrow) for sign in (1.0, -1.0)]
        if None in walls:
            return None
        sizes.append(max(outer - sum(w for w in walls if w is not None), 0.0))
    return sizes[0], sizes[1]


def _wall(ct: Volume, bone: SignedDistance, centre: Floats, direction: Floats, marrow: float) -> float | None:
    """Thickness of the wall met from ``centre`` along ``direction``."""
    t = np.arange(0.0, 16.0, _STEP_MM)
    line = centre + t[:, None] * direction
    outside = np.flatnonzero(bone.sample(line) > 0)
    if not len(outside):
        return None
    surface = int(outside[0])
    values = trilinear(ct, line[: surface + 1])
    peak = max(surface - int(2.0 / _STEP_MM), 0) + int(values[max(surface - int(2.0 / _STEP_MM), 0) :].argmax())
    if values[peak] < marrow + 100.0:
        return None
    half = 0.5 * (values[peak] + marrow)
    below = np.flatnonzero(values[:peak] < half)
    return float((surface - below[-1]) * _STEP_MM) if len(below) else None
