"""The two heights by which a high-riding vertebral artery is defined (Klepinowski 2021)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import Side
from spinescrew.phantoms.axis.solid import AxisSolids

Floats = NDArray[np.float64]

LOWEST_ISTHMUS_MM, LOWEST_INTERNAL_MM = 5.0, 2.0
"""At or below one of these an artery is high-riding."""

_LATERAL_MM = 3.0
_REACH_MM, _STEP_MM = 16.0, 0.25
_NEAR_MM = 4.0


def canal_side_heights(solids: AxisSolids, side: Side) -> tuple[float, float]:
    """Isthmus height and internal height in mm, on the sagittal slice 3 mm lateral to the canal's border."""
    pedicle, z = solids.pedicle(side), solids.patient.sizes
    right = pedicle.sign * (0.5 * z.canal[0] + _LATERAL_MM)
    # Columns of the slice: behind the superior facet for the isthmus, under the facet for the internal height.
    isthmus = pedicle.isthmus
    back = np.arange(isthmus[1] - 1.0, isthmus[1] + 2.4, 0.75)
    front = np.arange(isthmus[1] + 2.5, isthmus[1] + 10.0, 0.75)
    return _shortest(solids, right, back, isthmus[2]), _shortest(solids, right, front, 0.5 * z.height - 6.0)


def _shortest(solids: AxisSolids, right: float, columns: Floats, level: float) -> float:
    """Shortest run of bone, up and down from the bone nearest ``level``, over columns of one sagittal slice."""
    up = np.arange(-_REACH_MM, _REACH_MM, _STEP_MM)
    local = np.stack(np.broadcast_arrays(right, columns[:, None], level + up[None, :]), axis=-1)
    inside = solids.distance(solids.to_patient(local.reshape(-1, 3))).reshape(len(columns), -1) < 0
    runs = [_run(column) * _STEP_MM for column in inside]
    return float(min(runs))


def _run(inside: NDArray[np.bool_]) -> int:
    """Length of the run of True nearest the middle; 0 where there is none within 4 mm of it."""
    middle = len(inside) // 2
    filled = np.flatnonzero(inside)
    if not len(filled):
        return 0
    seed = int(filled[np.argmin(np.abs(filled - middle))])
    if abs(seed - middle) > _NEAR_MM / _STEP_MM:
        return 0
    gaps = np.flatnonzero(~inside)
    below, above = gaps[gaps < seed], gaps[gaps > seed]
    return int((above[0] if len(above) else len(inside)) - (below[-1] if len(below) else -1) - 1)
