"""Width of a pedicle between its inner cortices, from the CT."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spinescrew.geometry.rays import exit_distance
from spinescrew.geometry.sampling import trilinear
from spinescrew.geometry.sdf import SignedDistance
from spinescrew.geometry.volume import Volume

Floats = NDArray[np.float64]

_LARGEST_VOXEL_MM = 1.0
_STEP_MM, _REACH_MM, _WALL_MM = 0.1, 10.0, 2.0
_LEAST_CONTRAST_HU = 100.0
_BESIDE_MM = (-1.0, 0.0, 1.0)


def endosteal_width(ct: Volume, bone: SignedDistance, middle: Floats, axis: Floats, outwards: Floats) -> float:
    """Distance in mm between the inner cortices along ``outwards`` (3,) through ``middle`` (3,); the median of 9 rays.

    A wall ends where density, going inwards from its peak, has fallen half way to the marrow's. NaN where voxels over
    1 mm do not resolve the walls, where the CT does not hold the place, or where no marrow shows between them.
    """
    if ct.spacing.max() > _LARGEST_VOXEL_MM or not ct.contains(middle):
        return float("nan")
    up = np.cross(outwards, axis)
    starts = np.array([middle + a * axis + b * up for a in _BESIDE_MM for b in _BESIDE_MM])
    widths = [_between_walls(ct, bone, start, outwards) for start in starts]
    known = [width for width in widths if np.isfinite(width)]
    return float(np.median(known)) if len(known) > len(widths) // 2 else float("nan")


def _between_walls(ct: Volume, bone: SignedDistance, start: Floats, outwards: Floats) -> float:
    """Between the half-way points of both walls along one ray."""
    inner, outer = exit_distance(bone, start, np.stack([-outwards, outwards]), _REACH_MM)
    if not np.isfinite(inner + outer) or inner <= 0.0:
        return float("nan")
    t = np.arange(-inner, outer + _STEP_MM / 2, _STEP_MM)
    values = trilinear(ct, start + t[:, None] * outwards)
    wall = min(round(_WALL_MM / _STEP_MM), len(t) // 2)
    low, high = int(values[:wall].argmax()), len(t) - 1 - int(values[::-1][:wall].argmax())
    between = values[low : high + 1]
    marrow = float(between.min())
    if min(values[low], values[high]) < marrow + _LEAST_CONTRAST_HU:
        return float("nan")
    first = int((between < 0.5 * (values[low] + marrow)).argmax())
    last = int((between[::-1] < 0.5 * (values[high] + marrow)).argmax())
    return (len(between) - 1 - first - last) * _STEP_MM
