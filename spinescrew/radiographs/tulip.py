"""How the tulips of screws stand, which turn on their shafts: axes from the heads' outlines, slots from the rod."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError

from spinescrew.geometry.vectors import cross, orthogonal_pair, unit
from spinescrew.radiographs.screw_maps import ScrewMaps
from spinescrew.radiographs.view import View

Floats = NDArray[np.float64]

PIVOT_MM = 3.5
"""The ball's centre above the beginning of the shaft."""

_EXPECTED = np.array([0.0, 0.0, 6.5, 15.5])
_SPREAD = np.array([0.3, 0.3, 0.5, 1.5])
"""Tilt towards u and v (tangents: polyaxial heads turn up to 30 degrees), radius and height in mm."""

_STEPS = np.array([0.02, 0.02, 0.1, 0.2])
_AROUND = 20
_STRIDE_PX = 2
_SOFT_PX = 1.0
_ROUNDS, _SWEEPS = 4, 2
_TOGETHER = 10.0
"""Pixels of the grid that err as one."""

_SURE_DEG = 8.0
_FITS = 0.7
_NEIGHBOUR_MM = 70.0


@dataclass(frozen=True, eq=False)
class Tulip:
    """A tulip that was fitted.

    Attributes
    ----------
    centre:
        (3,) RAS, its middle.
    axis:
        (3,) unit vector from the tulip to the shaft, or ``None`` where the heads' outlines do not tell it.
    sd_deg:
        Standard deviation of its direction.
    note:
        Why there is no axis.
    """

    centre: Floats
    axis: Floats | None
    sd_deg: float
    note: str = ""


def fit_tulips(
    views: tuple[View, View], maps: tuple[ScrewMaps, ScrewMaps], necks: Floats, directions: Floats
) -> list[Tulip]:
    """The tulips on shafts that begin at ``necks`` (n, 3) and run along ``directions`` (n, 3), RAS.

    Each is a cylinder that turns about the pivot on its shaft, its size within what is usual. The cylinders' outlines,
    united where heads overlap, are fitted to the head maps of both views: seen along its axis, a head tells its tilt by
    the way its outline is drawn out; from the side, by how it leans.
    """
    heads = [_Head(neck, direction) for neck, direction in zip(necks, directions, strict=True)]
    windows = [[_window(view, each, head) for head in heads] for view, each in zip(views, maps, strict=True)]
    for _ in range(_SWEEPS):
        for n, head in enumerate(heads):
            others = heads[:n] + heads[n + 1 :]
            hiding = [_clear(view, others, windows[k][n][0]) for k, view in enumerate(views)]
            for _ in range(_ROUNDS):
                _improve(head, views, [windows[k][n] for k in (0, 1)], hiding)
    return [_told(head) for head in heads]


class _Head:
    """Unknowns of one tulip: tilts, radius, height."""

    def __init__(self, neck: Floats, direction: Floats) -> None:
        self.pivot = neck - PIVOT_MM * direction
        self.direction = direction
        self.u, self.v = orthogonal_pair(direction, (0.0, 0.0, 1.0))
        self.values = _EXPECTED.copy()
        self.normal = np.diag(_SPREAD**-2.0)
        self.overlap = 0.0

    def axis(self, values: Floats | None = None) -> Floats:
        """(3,) from the tulip to the shaft."""
        a, b = (self.values if values is None else values)[:2]
        return unit(self.direction + a * self.u + b * self.v)

    def rings(self, values: Floats) -> Floats:
        """Points of the two rims."""
        axis = self.axis(values)
        x, y = orthogonal_pair(axis, self.u)
        turn = np.arange(_AROUND) * 2 * np.pi / _AROUND
        rim = values[2] * (np.cos(turn)[:, None] * x + np.sin(turn)[:, None] * y)
        low = self.pivot + PIVOT_MM * axis
        return np.concatenate([low + rim, low - values[3] * axis + rim])


def _window(view: View, maps: ScrewMaps, head: _Head) -> tuple[Floats, Floats]:
    """Pixels (n, 2) that the head may cover, every other one, and the map's head probability there."""
    scale = float(view.magnification(head.pivot)) / view.pixel_mm.max()
    middle = view.project(head.pivot - 5.0 * head.direction)
    reach = 17.0 * scale
    limit = np.array(view.shape[::-1])
    low = np.clip(np.ceil(middle - reach), 0, limit).astype(int)
    high = np.clip(np.floor(middle + reach) + 1, 0, limit).astype(int)
    grid = np.meshgrid(np.arange(low[0], high[0], _STRIDE_PX), np.arange(low[1], high[1], _STRIDE_PX))
    place = np.stack(grid, axis=-1).reshape(-1, 2)
    return place.astype(np.float64), maps.head[place[:, 1], place[:, 0]].astype(np.float64)


def _share(view: View, head: _Head, values: Floats, pixels: Floats) -> Floats:
    """How much of each pixel the head covers, soft at its outline."""
    try:
        lines = ConvexHull(view.project(head.rings(values))).equations
    except (QhullError, ValueError):
        return np.zeros(len(pixels))
    inside = -(pixels @ lines[:, :2].T + lines[:, 2]).max(axis=1)
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(inside / _SOFT_PX, -30.0, 30.0))))


def _clear(view: View, heads: Sequence[_Head], pixels: Floats) -> Floats:
    """How much of each pixel no other head covers."""
    clear = np.ones(len(pixels))
    if not len(pixels):
        return clear
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    for head in heads:
        outline = view.project(head.rings(head.values))
        if (outline.min(axis=0) < high).all() and (outline.max(axis=0) > low).all():
            clear *= 1.0 - _share(view, head, head.values, pixels)
    return clear


def _improve(
    head: _Head, views: tuple[View, View], windows: Sequence[tuple[Floats, Floats]], hiding: Sequence[Floats]
) -> None:
    """One Gauss-Newton step of one head."""
    off = (head.values - _EXPECTED) / _SPREAD**2
    normal, gradient = np.diag(_SPREAD**-2.0), off.copy()
    common, either = 0.0, 1e-9
    for view, (pixels, seen), clear in zip(views, windows, hiding, strict=True):
        if not len(pixels):
            continue
        own = _share(view, head, head.values, pixels)
        residual = 1.0 - clear * (1.0 - own) - seen
        slopes = []
        for k, step in enumerate(_STEPS):
            moved = head.values.copy()
            moved[k] += step
            slopes.append(clear * (_share(view, head, moved, pixels) - own) / step)
        slope = np.stack(slopes, axis=1)
        weight = np.minimum(1.0, 0.4 / np.maximum(np.abs(residual), 1e-9))
        # the rest of the window belongs to others
        variance = max(float((residual**2)[own > 0.02].mean()) if (own > 0.02).any() else 1.0, 0.01)
        scale = 1.0 / (variance * _TOGETHER)
        normal = normal + scale * (slope * weight[:, None]).T @ slope
        gradient = gradient + scale * slope.T @ (weight * residual)
        common += float((own * seen).sum())
        either += float(np.maximum(own, np.where(own > 0.02, seen, 0.0)).sum())
    step = -np.linalg.solve(normal, gradient)
    head.values = head.values + np.clip(step, -1.5 * _SPREAD, 1.5 * _SPREAD)
    head.values[2:] = np.clip(head.values[2:], 4.0, (9.0, 40.0))
    head.normal, head.overlap = normal, common / either


def _told(head: _Head) -> Tulip:
    axis = head.axis()
    centre = head.pivot + (PIVOT_MM - head.values[3] / 2) * axis
    sd = float(np.degrees(np.sqrt(np.linalg.eigvalsh(np.linalg.inv(head.normal)[:2, :2])[-1])))
    note = ""
    if head.overlap < _FITS:
        note = "tulip not told: its outline is not that of a head"
    elif sd > _SURE_DEG:
        note = "tulip not told: other heads hide how it leans"
    return Tulip(centre, None if note else axis, sd, note)


def slot_deg(axis: Floats, at: Floats, others: Floats) -> float | None:
    """Turn of the slot about the tulip's axis, -90 to 90 degrees, from cranial.

    Parameters
    ----------
    axis:
        (3,) from the tulip to the shaft; the turn is counted by the right-hand rule about it.
    at, others:
        (3,) the tulip and (n, 3) those on its side: the rod runs from the one above to the one below, through this.
    """
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
