"""The wall of a pedicle, as it is seen from inside in the plane across a screw.

What counts as pedicle in one plane is what can be seen in bone from the pedicle's own centre, and from the screw's axis
where that itself can be seen. A process or lamina beside a breach, and every other vertebra, cannot be seen from there.
Points in the plane are (p, q) mm along the shaft's ``u`` and ``v`` from its axis.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from spinescrew.grading.field import distance_at, dot, ray_wall, sees

_REACH_MM = 30.0
_SEARCH_MM = (1.0, 2.0, 3.0)
_SEARCH_ANGLES = 12
_DISC_RINGS = 6


@njit(cache=True)
def lift(at, shaft, p, q):  # type: ignore[no-untyped-def]
    """RAS point of (p, q) in the plane through ``at``."""
    u, v = shaft.u, shaft.v
    return at[0] + p * u[0] + q * v[0], at[1] + p * u[1] + q * v[1], at[2] + p * u[2] + q * v[2]


@njit(cache=True)
def visible(field, at, shaft, p0, q0, p1, q1):  # type: ignore[no-untyped-def]
    """Whether the straight line between two points of the plane stays in bone."""
    length = np.sqrt((p1 - p0) ** 2 + (q1 - q0) ** 2)
    if length < 1e-9:
        return True
    p, q = (p1 - p0) / length, (q1 - q0) / length
    u, v = shaft.u, shaft.v
    x, y, z = lift(at, shaft, p0, q0)
    return sees(field, x, y, z, p * u[0] + q * v[0], p * u[1] + q * v[1], p * u[2] + q * v[2], length)


@njit(cache=True)
def pedicle_centre(field, at, shaft, neck):  # type: ignore[no-untyped-def]
    """(p, q, found): where the pedicle's own axis passes the plane; the deepest bone near it where that is outside."""
    offset = at - neck.isthmus
    along = dot(offset, shaft.direction) / dot(neck.axis, shaft.direction)
    away = along * neck.axis - offset
    p, q = dot(away, shaft.u), dot(away, shaft.v)
    if along < neck.dorsal:
        return p, q, False
    x, y, z = lift(at, shaft, p, q)
    if distance_at(field, x, y, z) <= 0.0:
        return p, q, True
    least, best_p, best_q = 0.0, p, q
    for radius in _SEARCH_MM:
        for m in range(_SEARCH_ANGLES):
            angle = 2.0 * np.pi * m / _SEARCH_ANGLES
            a, b = p + radius * np.cos(angle), q + radius * np.sin(angle)
            x, y, z = lift(at, shaft, a, b)
            value = distance_at(field, x, y, z)
            if value < least:
                least, best_p, best_q = value, a, b
    return best_p, best_q, least < 0.0


@njit(cache=True)
def trace_walls(field, at, shaft, circle, p, q, walls):  # type: ignore[no-untyped-def]
    """Fill ``walls`` (n, 2) with the wall points seen from (p, q)."""
    u, v = shaft.u, shaft.v
    x, y, z = lift(at, shaft, p, q)
    for m in range(walls.shape[0]):
        c, s = circle.cosines[m], circle.sines[m]
        dx, dy, dz = c * u[0] + s * v[0], c * u[1] + s * v[1], c * u[2] + s * v[2]
        r = ray_wall(field, x, y, z, dx, dy, dz, _REACH_MM)
        walls[m, 0], walls[m, 1] = p + r * c, q + r * s


@njit(cache=True)
def nearest_wall(walls, p, q):  # type: ignore[no-untyped-def]
    """(p, q, distance) of the point of the closed polygon ``walls`` nearest to (p, q)."""
    n = walls.shape[0]
    least, best_p, best_q = np.inf, p, q
    for m in range(n):
        a, b = walls[m, 0], walls[m, 1]
        last = m - 1 if m > 0 else n - 1
        du, dv = walls[last, 0] - a, walls[last, 1] - b
        square = du * du + dv * dv
        t = ((p - a) * du + (q - b) * dv) / square if square > 0.0 else 0.0
        t = min(max(t, 0.0), 1.0)
        su, sv = a + t * du, b + t * dv
        distance = (p - su) ** 2 + (q - sv) ** 2
        if distance < least:
            least, best_p, best_q = distance, su, sv
    return best_p, best_q, np.sqrt(least)


@njit(cache=True)
def inside_walls(walls, p, q):  # type: ignore[no-untyped-def]
    """Whether (p, q) lies inside the closed polygon ``walls`` (even-odd rule)."""
    n = walls.shape[0]
    inside = False
    for m in range(n):
        last = m - 1 if m > 0 else n - 1
        a, b = walls[m, 1], walls[last, 1]
        if (a > q) != (b > q) and p < walls[m, 0] + (walls[last, 0] - walls[m, 0]) * (q - a) / (b - a):
            inside = not inside
    return inside


@njit(cache=True)
def disc_share(first, has_first, second, has_second, circle, radius):  # type: ignore[no-untyped-def]
    """(share, p, q): the part of the screw's cross-section inside either polygon, and the centroid of the rest."""
    total, within = 0, 0
    p_sum, q_sum = 0.0, 0.0
    for ring in range(_DISC_RINGS):
        r = radius * np.sqrt((ring + 0.5) / _DISC_RINGS)
        for m in range(0, circle.cosines.shape[0], 3):
            p, q = r * circle.cosines[m], r * circle.sines[m]
            total += 1
            if (has_first and inside_walls(first, p, q)) or (has_second and inside_walls(second, p, q)):
                within += 1
            else:
                p_sum += p
                q_sum += q
    outside = max(total - within, 1)
    return within / total, p_sum / outside, q_sum / outside
