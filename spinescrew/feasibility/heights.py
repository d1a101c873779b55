"""The two heights by which a high-riding vertebral artery is defined, on the bone as it was segmented.

Klepinowski 2021: on the sagittal slice 3 mm lateral to the border of the canal, the isthmus height (C2IsH) is the least
height of bone behind the superior facet, the internal height (C2InH) the least one under it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import Side, VertebralFrame, side_sign
from spinescrew.geometry.rays import exit_distance
from spinescrew.geometry.sdf import SignedDistance

Floats = NDArray[np.float64]

LOWEST_ISTHMUS_MM, LOWEST_INTERNAL_MM = 5.0, 2.0
"""At or below one of these an artery is high-riding."""

_LATERAL_MM = 3.0
_TO_CANAL_MM = 12.0
_REACH_MM, _STEP_MM = 16.0, 0.25
_NEAR_MM = 4.0
_UNDER_FACET_MM = 1.0
_BEHIND, _UNDER = (-1.0, 2.4), (2.5, 10.0)


def high_riding(isthmus_height_mm: float, internal_height_mm: float) -> bool:
    """Whether the artery rides high by its published definition."""
    return isthmus_height_mm <= LOWEST_ISTHMUS_MM or internal_height_mm <= LOWEST_INTERNAL_MM


def canal_half_width(bone: SignedDistance, frame: VertebralFrame, side: Side, isthmus: Floats) -> float:
    """Distance in mm from the midline to the border of the canal, where bone begins beside the isthmus (3,) RAS.

    NaN where the isthmus is not in bone, or no border within 12 mm.
    """
    starts = isthmus + np.arange(-3.0, 3.1, 0.5)[:, None] * frame.superior
    medial = exit_distance(bone, starts, -side_sign(side) * frame.right, _TO_CANAL_MM)
    met = np.isfinite(medial) & (medial > 0.0)
    if not met.any():
        return float("nan")
    return float(side_sign(side) * frame.to_local(isthmus)[0] - np.median(medial[met]))


def canal_side_heights(
    bone: SignedDistance, frame: VertebralFrame, side: Side, isthmus: Floats, top_mm: float, canal_half_mm: float
) -> tuple[float, float]:
    """Isthmus height and internal height in mm; 0 where there is no bone.

    Parameters
    ----------
    top_mm:
        How far above ``isthmus`` (3,) RAS the upper wall of the pedicle is; the facet's floor is looked for there.
    canal_half_mm:
        From :func:`canal_half_width`.
    """
    right = side_sign(side) * (canal_half_mm + _LATERAL_MM)
    _, ahead, up = frame.to_local(isthmus)
    behind, under = (np.arange(ahead + low, ahead + high, 0.75) for low, high in (_BEHIND, _UNDER))
    return (
        _shortest(bone, frame, right, behind, up),
        _shortest(bone, frame, right, under, up + top_mm - _UNDER_FACET_MM),
    )


def _shortest(bone: SignedDistance, frame: VertebralFrame, right: float, columns: Floats, level: float) -> float:
    """Shortest run of bone, up and down from the bone nearest ``level``, over columns of one sagittal slice."""
    up = level + np.arange(-_REACH_MM, _REACH_MM, _STEP_MM)
    local = np.stack(np.broadcast_arrays(right, columns[:, None], up[None, :]), axis=-1)
    return min(_run(column) for column in bone.sample(frame.to_ras(local)))


def _run(value: Floats) -> float:
    """Length in mm of the stretch below zero nearest the middle; 0 where there is none within 4 mm of it."""
    middle, inside = len(value) // 2, np.flatnonzero(value < 0.0)
    if not len(inside) or np.abs(inside - middle).min() > _NEAR_MM / _STEP_MM:
        return 0.0
    seed = int(inside[np.argmin(np.abs(inside - middle))])
    outside = np.flatnonzero(value >= 0.0)
    below, above = outside[outside < seed], outside[outside > seed]
    low = _crossing(value, int(below[-1])) if len(below) else 0.0
    high = _crossing(value, int(above[0]) - 1) if len(above) else len(value) - 1.0
    return (high - low) * _STEP_MM


def _crossing(value: Floats, n: int) -> float:
    """Where between ``n`` and ``n + 1`` the values pass zero."""
    return float(n + value[n] / (value[n] - value[n + 1]))
