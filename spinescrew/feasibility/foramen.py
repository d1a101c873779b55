"""Room between a line through a C2 pedicle and the transverse foramen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spinescrew.feasibility.lines import Line
from spinescrew.geometry.sdf import SignedDistance

Floats = NDArray[np.float64]

_ALONG_MM = np.arange(-6.0, 12.1, 0.5)
_TURNS = np.radians(np.arange(-90.0, 31.0, 5.0))
_REACH_MM, _STEP_MM = 20.0, 0.25
_LEAST_GAP_MM, _WIDEST_GAP_MM = 2.0, 10.0


def foramen_room(bone: SignedDistance, line: Line, outwards: Floats, up: Floats) -> float:
    """Least distance in mm from ``line`` to the wall of the transverse foramen; NaN where none is found.

    Rays leave the line outwards and downwards from 6 mm behind its point to 12 mm ahead of it; what lies between the
    pedicle and the next bone within 10 mm on a ray is the foramen, which the bars of the transverse process close.
    """
    ways = np.cos(_TURNS)[:, None] * outwards + np.sin(_TURNS)[:, None] * up
    t = np.arange(0.0, _REACH_MM, _STEP_MM)
    starts = line.point + _ALONG_MM[:, None] * line.direction
    points = starts[:, None, None] + t[:, None] * ways[:, None]
    value = bone.sample(points).reshape(-1, len(t))
    value = value[value[:, 0] < 0.0]
    outside = value > 0.0
    leaves = outside.argmax(axis=1)
    later = np.arange(len(t)) > leaves[:, None]
    meets = (~outside & later).argmax(axis=1)
    gap = (meets - leaves) * _STEP_MM
    closed = outside.any(axis=1) & (gap >= _LEAST_GAP_MM) & (gap <= _WIDEST_GAP_MM)
    if not closed.any():
        return float("nan")
    each = np.flatnonzero(closed)
    before, after = value[each, leaves[each] - 1], value[each, leaves[each]]
    return float(((leaves[each] - after / (after - before)) * _STEP_MM).min())
