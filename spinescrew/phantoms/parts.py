"""Solids as lists of parts: compiled, so that millions of points can be asked.

A part is a row of numbers: its kind, how it is joined (united with a fillet, or cut out), whether it belongs to the
body or the arch, a sphere that holds it, and its sizes. ``distance_at`` runs through the rows and skips parts whose
sphere is too far away to matter.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spinescrew.geometry.vectors import unit

Rows = NDArray[np.float64]

_COLUMNS = 28
_CAPSULE, _SLAB, _TUBE, _ELLIPSOID, _BODY, _CHANNEL = range(6)
_FIRST = 7  # kind, fillet, arch, centre and radius of the sphere


def _row(kind: int, fillet: float, arch: bool, centre: Any, radius: float, *values: Any) -> Rows:
    numbers = np.concatenate([np.atleast_1d(np.asarray(value, dtype=float)) for value in values])
    row = np.zeros(_COLUMNS)
    row[:_FIRST] = [kind, fillet, arch, *np.asarray(centre, dtype=float), radius]
    row[_FIRST : _FIRST + len(numbers)] = numbers
    return row


def capsule(
    start: Any,
    end: Any,
    radii: tuple[float, float],
    *,
    fillet: float = 2.5,
    stretch: float = 1.0,
    along: Any = (0, 0, 1),
    cut: bool = False,
) -> Rows:
    """A segment's surroundings, ``radii`` at its ends, ``stretch`` times wider along the unit vector ``along``.

    With ``cut`` it is taken away instead.
    """
    a, b = np.asarray(start, dtype=float), np.asarray(end, dtype=float)
    reach = 0.5 * float(np.linalg.norm(b - a)) + max(radii) * max(stretch, 1.0)
    sign = -1.0 if cut else 1.0
    return _row(_CAPSULE, sign * fillet, True, (a + b) / 2, reach, a, b, radii, unit(along), stretch)


def slab(centre: Any, first: Any, second: Any, half: Any, radius: float, *, fillet: float = 2.5) -> Rows:
    """A box with rounded edges; ``half`` sizes along ``first``, ``second`` and their cross product."""
    u = unit(first)
    v = np.asarray(second, dtype=float)
    v = unit(v - (v @ u) * u)
    return _row(_SLAB, fillet, True, centre, float(np.linalg.norm(half)), centre, u, v, half, radius)


def tube(
    centre: Any, axis: Any, across: Any, half: tuple[float, float], reach: tuple[float, float], flare: float
) -> Rows:
    """A pedicle: an elliptic section ``half`` (across, up) at ``centre`` that widens by ``flare`` at 8 mm."""
    size = max(half) * (1 + 1.6 * flare) + max(abs(reach[0]), reach[1])
    return _row(_TUBE, 2.5, True, centre, size, centre, unit(axis), unit(across), half, reach, flare)


def ellipsoid(centre: Any, radii: Any, *, fillet: float = 2.5, cut: bool = False) -> Rows:
    """An ellipsoid with axes along the frame."""
    return _row(_ELLIPSOID, -fillet if cut else fillet, True, centre, float(np.max(radii)), centre, radii)


def body(
    width: tuple[float, float],
    depth: float,
    height: float,
    *,
    exponent: float,
    waist: float,
    hollow: tuple[float, float],
    loss: tuple[float, float] = (0.0, 0.0),
    lip: float = 0.0,
    lip_phase: tuple[float, float] = (0.0, 0.0),
    posterior: float = 1.5,
) -> Rows:
    """A vertebral body around the origin.

    Parameters
    ----------
    width:
        At the upper and at the lower endplate.
    hollow:
        How deep the upper and the lower endplate are hollow, mm.
    loss:
        Height lost in front and in the middle (a fracture), mm, off the upper endplate.
    lip:
        How far osteophytes stand out of the rims, mm; ``lip_phase`` says where around.
    """
    radius = float(np.linalg.norm([max(width) / 2 + 2 * lip, depth / 2 + 2 * lip, height / 2 + lip]))
    values = (width, depth, height, exponent, waist, hollow, loss, lip, lip_phase, posterior)
    return _row(_BODY, 2.5, False, (0, 0, 0), radius, *values)


def channel(centre: tuple[float, float], half: tuple[float, float], narrowing: float) -> Rows:
    """The canal, cut out: endless along superior; its half width falls by ``narrowing`` of itself towards the back."""
    return _row(_CHANNEL, -0.8, True, (0, 0, 0), 1e4, centre, half, narrowing)


@njit(cache=True)
def _capsule_at(v, x, y, z):  # type: ignore[no-untyped-def]
    bx, by, bz = v[3] - v[0], v[4] - v[1], v[5] - v[2]
    px, py, pz = x - v[0], y - v[1], z - v[2]
    t = min(max((px * bx + py * by + pz * bz) / max(bx * bx + by * by + bz * bz, 1e-9), 0.0), 1.0)
    px, py, pz = px - t * bx, py - t * by, pz - t * bz
    along = (px * v[8] + py * v[9] + pz * v[10]) * (1.0 / v[11] - 1.0)
    px, py, pz = px + along * v[8], py + along * v[9], pz + along * v[10]
    return np.sqrt(px * px + py * py + pz * pz) - (v[6] + t * (v[7] - v[6]))


@njit(cache=True)
def _slab_at(v, x, y, z):  # type: ignore[no-untyped-def]
    px, py, pz = x - v[0], y - v[1], z - v[2]
    wx, wy, wz = v[4] * v[8] - v[5] * v[7], v[5] * v[6] - v[3] * v[8], v[3] * v[7] - v[4] * v[6]
    r = v[12]
    a = abs(px * v[3] + py * v[4] + pz * v[5]) - v[9] + r
    b = abs(px * v[6] + py * v[7] + pz * v[8]) - v[10] + r
    c = abs(px * wx + py * wy + pz * wz) - v[11] + r
    outer = max(a, 0.0) ** 2 + max(b, 0.0) ** 2 + max(c, 0.0) ** 2
    return np.sqrt(outer) + min(max(a, b, c), 0.0) - r


@njit(cache=True)
def _tube_at(v, x, y, z):  # type: ignore[no-untyped-def]
    px, py, pz = x - v[0], y - v[1], z - v[2]
    along = px * v[3] + py * v[4] + pz * v[5]
    across = px * v[6] + py * v[7] + pz * v[8]
    wx, wy, wz = v[4] * v[8] - v[5] * v[7], v[5] * v[6] - v[3] * v[8], v[3] * v[7] - v[4] * v[6]
    up = px * wx + py * wy + pz * wz
    wider = 1.0 + v[13] * (min(max(along, v[11]), 10.0) / 8.0) ** 2
    section = (np.sqrt((across / (v[9] * wider)) ** 2 + (up / (v[10] * wider)) ** 2) - 1.0) * min(v[9], v[10]) * wider
    return max(section, v[11] - along, along - v[12])


@njit(cache=True)
def _ellipsoid_at(v, x, y, z):  # type: ignore[no-untyped-def]
    x, y, z = (x - v[0]) / v[3], (y - v[1]) / v[4], (z - v[2]) / v[5]
    size = np.sqrt(x * x + y * y + z * z)
    slope = np.sqrt((x / v[3]) ** 2 + (y / v[4]) ** 2 + (z / v[5]) ** 2)
    if slope < 1e-9:
        return -min(v[3], v[4], v[5])
    return size * (size - 1.0) / slope


@njit(cache=True)
def body_plates(v, r, a):  # type: ignore[no-untyped-def]
    """Heights of the upper and the lower endplate of a body's values ``v`` above (r, a)."""
    half_w, half_d = 0.25 * (v[0] + v[1]), 0.5 * v[2]
    ring = min((r / half_w) ** 2 + (a / half_d) ** 2, 1.0)
    # Endplates are flat under the ring apophysis and hollow inside it, deepest behind the middle.
    dish = max(1.0 - (r / (0.82 * half_w)) ** 2 - ((a + 0.12 * half_d) / (0.82 * half_d)) ** 2, 0.0)
    dish = dish * (2.0 - dish)
    front = min(max(0.5 + 0.5 * a / half_d, 0.0), 1.0)
    upper = 0.5 * v[3] - v[6] * dish - v[8] * front * front - v[9] * (1.0 - ring)
    return upper, -0.5 * v[3] + v[7] * dish


@njit(cache=True)
def _body_at(v, r, a, s):  # type: ignore[no-untyped-def]
    upper, lower = body_plates(v, r, a)
    t = min(max((s - lower) / max(upper - lower, 1.0), 0.0), 1.0)
    level = 2.0 * t - 1.0
    scale = 1.0 - v[5] * (1.0 - level * level)
    half_w = 0.5 * (v[1] + t * (v[0] - v[1])) * scale
    half_d = 0.5 * v[2] * scale
    if v[10] > 0.0:
        angle = np.arctan2(a, r)
        shape = 0.5 + 0.5 * np.cos(2.0 * angle + v[11]) * np.cos(3.0 * angle + v[12])
        if a < -0.3 * v[2]:
            shape *= 0.3
        near = min(abs(s - upper), abs(s - lower)) if lower < s < upper else 0.0
        half_w += v[10] * shape * np.exp(-((near / 3.0) ** 2))
        half_d += v[10] * shape * np.exp(-((near / 3.0) ** 2))
    e = v[4]
    ring = ((abs(r) / half_w) ** e + (abs(a) / half_d) ** e) ** (1.0 / e)
    flat = np.sqrt(r * r + a * a)
    wall = (ring - 1.0) * (flat / ring if ring > 0.2 else min(half_w, half_d))
    dent = v[13] * max(1.0 - (r / (0.3 * v[0])) ** 2, 0.0)
    wall = max(wall, -(a + 0.5 * v[2] - dent))
    plates = max(s - upper, lower - s)
    # Rounded rim: where wall and plate meet their corner is cut off by a radius of 1.5 mm.
    w, q = wall + 1.5, plates + 1.5
    return np.sqrt(max(w, 0.0) ** 2 + max(q, 0.0) ** 2) + min(max(w, q), 0.0) - 1.5


@njit(cache=True)
def _channel_at(v, r, a):  # type: ignore[no-untyped-def]
    back = min(max((v[1] - a) / v[3], 0.0), 1.0)
    half_w = v[2] * (1.0 - v[4] * back)
    return (np.sqrt((r / half_w) ** 2 + ((a - v[1]) / v[3]) ** 2) - 1.0) * min(half_w, v[3])


@njit(cache=True)
def _part_at(row, x, y, z):  # type: ignore[no-untyped-def]
    kind, v = int(row[0]), row[7:]
    if kind == 0:
        return _capsule_at(v, x, y, z)
    if kind == 1:
        return _slab_at(v, x, y, z)
    if kind == 2:
        return _tube_at(v, x, y, z)
    if kind == 3:
        return _ellipsoid_at(v, x, y, z)
    if kind == 4:
        return _body_at(v, x, y, z)
    return _channel_at(v, x, y)


@njit(cache=True)
def distance_at(rows, x, y, z):  # type: ignore[no-untyped-def]
    """Distance to a list of parts at one point of their frame, and how much deeper the body is there than the arch."""
    d, of_body, of_arch = 1e3, 1e3, 1e3
    for n in range(rows.shape[0]):
        row = rows[n]
        fillet = abs(row[1])
        away = np.sqrt((x - row[3]) ** 2 + (y - row[4]) ** 2 + (z - row[5]) ** 2) - row[6]
        if row[1] < 0.0:
            if -away > d - fillet:
                cut = -_part_at(row, x, y, z)
                over = max(fillet - abs(d - cut), 0.0) / fillet
                d = max(d, cut) + over * over * fillet / 4
        elif away < d + fillet:
            own = _part_at(row, x, y, z)
            over = max(fillet - abs(d - own), 0.0) / fillet
            d = min(d, own) - over * over * fillet / 4
            if row[2] > 0.0:
                of_arch = min(of_arch, own)
            else:
                of_body = min(of_body, own)
    return d, of_arch - of_body
