"""Sides, levels and numbers of screws by where they stand (RAS): from head to feet, at each level left before right."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Side = Literal["left", "right"]

_LEVEL_MM = 20.0
"""Left and right screws of one level are at most this far apart along the spine."""

_ONE_SIDED_MM = 14.0


class Place(NamedTuple):
    """``side``, ``level`` from 1 at the head end, and ``number`` from 1."""

    side: Side
    level: int
    number: int


def places(necks: Floats, tips: Floats) -> list[Place]:
    """The place of each screw from necks and tips (n, 3) RAS mm."""
    sides = _sides(necks, tips)
    height = (necks[:, 2] + tips[:, 2]) / 2
    levels = np.zeros(len(necks), dtype=int)
    level, taken, last = 0, set[str](), np.inf
    for n in np.argsort(-height, kind="stable"):
        if not level or sides[n] in taken or last - height[n] > _LEVEL_MM:
            level, taken, last = level + 1, set(), height[n]
        taken.add(sides[n])
        levels[n] = level
    order = sorted(range(len(necks)), key=lambda n: (levels[n], sides[n]))
    numbers = {n: number for number, n in enumerate(order, start=1)}
    return [Place(sides[n], int(levels[n]), numbers[n]) for n in range(len(necks))]


def _sides(necks: Floats, tips: Floats) -> list[Side]:
    """Heads stand lateral of the tips they converge to; where all heads are in one row, convergence alone tells."""
    across = necks[:, 0]
    # the middle between both rows, allowed to lean
    lean = np.column_stack([np.ones(len(necks)), necks[:, 2]])
    converging = np.sign(tips[:, 0] - across)
    if np.ptp(across) < _ONE_SIDED_MM:
        total = float((tips[:, 0] - across).sum())
        return ["left" if total > 0 else "right"] * len(necks)
    middle = np.full(len(necks), (across.max() + across.min()) / 2)
    left = across < middle
    for _ in range(3):
        if len(necks) < 6 or left.all() or not left.any():
            break
        sign = np.where(left, -1.0, 1.0)
        found = np.linalg.lstsq(np.column_stack([lean, sign]), across, rcond=None)[0]
        middle = lean @ found[:2]
        left = np.where(np.abs(across - middle) < 3.0, converging > 0, across < middle)
    return ["left" if each else "right" for each in left]
