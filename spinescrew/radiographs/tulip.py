"""How the tulip of a screw stands, which turns on the shaft: its axis from its middle, its slot from neighbours."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinescrew.geometry.vectors import angle_deg, cross, orthogonal_pair, unit
from spinescrew.radiographs.match_table import crossing
from spinescrew.radiographs.seen import SeenScrew
from spinescrew.radiographs.view import View

Floats = NDArray[np.float64]

PIVOT_MM = 3.5
"""The ball's centre above the beginning of the shaft."""

_LEVER_MM = 2.0
_GAP_MM = 2.0
_MOST_DEG = 45.0
"""Tulips tilt by up to 30 degrees; beyond this the middle was misjudged."""

_NEIGHBOUR_MM = 70.0


class Tulip(NamedTuple):
    """``centre`` (3,) and ``axis`` (3,) from the tulip to the shaft, or ``None`` and why in ``note``."""

    centre: Floats | None
    axis: Floats | None
    note: str


def tulip(views: tuple[View, View], seen: tuple[SeenScrew, SeenScrew], neck: Floats, direction: Floats) -> Tulip:
    """The tulip of a posed screw from the middles of its head in both views."""
    heads = [one.head for one in seen]
    if not np.isfinite(heads).all():
        return Tulip(None, None, "tulip not told: its head overlaps another one")
    centre, gap, _ = crossing(views, *heads)
    if abs(float(gap)) > _GAP_MM:
        return Tulip(None, None, "tulip not told: the middles of its head in both views do not fit")
    lever = neck - PIVOT_MM * direction - centre
    if np.linalg.norm(lever) < _LEVER_MM:
        return Tulip(centre, None, "tulip not told: the middle of its head is too near the neck")
    axis = unit(lever)
    if angle_deg(axis, direction) > _MOST_DEG:
        return Tulip(centre, None, "tulip not told: no head turns that far")
    return Tulip(centre, axis, "")


def slot_deg(axis: Floats, at: Floats, others: Floats) -> float | None:
    """Turn of the slot about the tulip's axis, -90 to 90 degrees, from the direction of the head (superior).

    Parameters
    ----------
    axis:
        (3,) from the tulip to the shaft; the turn is counted by the right-hand rule about it.
    at, others:
        (3,) the tulip and (n, 3) those on its side: the rod runs from the one above to the one below, through this.
    """
    if not len(others):
        return None
    away = others - at
    near = np.linalg.norm(away, axis=1)
    above = [n for n in np.argsort(near) if away[n, 2] > 0 and near[n] < _NEIGHBOUR_MM]
    below = [n for n in np.argsort(near) if away[n, 2] <= 0 and near[n] < _NEIGHBOUR_MM]
    if not above and not below:
        return None
    rod = (others[above[0]] if above else at) - (others[below[0]] if below else at)
    u, _ = orthogonal_pair(axis, (0.0, 0.0, 1.0))
    angle = float(np.degrees(np.arctan2(rod @ cross(axis, u), rod @ u)))
    return (angle + 90.0) % 180.0 - 90.0
