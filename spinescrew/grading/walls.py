"""The wall of a pedicle, as it is seen from inside in the plane across a screw.

What counts as pedicle in one plane is what can be seen in bone from the pedicle's own centre, and, where the shaft
reaches bone that the centre does not see, from the screw's axis if that can be seen itself. A process or lamina beside
a breach, and every other vertebra, cannot be seen from there.
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
    """Fill ``walls`` (n, 3): wall points (p, q) seen from (p, q) at the sampled angles, and the way from the last."""
    u, v = shaft.u, shaft.v
    x, y, z = lift(at, shaft, p, q)
    n = walls.shape[0]
    for m in range(n):
        c, s = circle.cosines[m], circle.sines[m]
        dx, dy, dz = c * u[0] + s * v[0], c * u[1] + s * v[1], c * u[2] + s * v[2]
        r = ray_wall(field, x, y, z, dx, dy, dz, _REACH_MM)
        walls[m, 0], walls[m, 1] = p + r * c, q + r * s
    for m in range(n):
        walls[m, 2] = np.sqrt((walls[m, 0] - walls[m - 1, 0]) ** 2 + (walls[m, 1] - walls[m - 1, 1]) ** 2)


@njit(cache=True)
def nearest_wall(walls, p, q):  # type: ignore[no-untyped-def]
    """(p, q, distance) of the point of the closed polygon ``walls`` nearest to (p, q)."""
    least, best_p, best_q = np.inf, p, q
    for m in range(walls.shape[0]):
        a, b, length = walls[m, 0], walls[m, 1], walls[m, 2]
        if (p - a) ** 2 + (q - b) ** 2 >= (least + length) ** 2:
            continue
        t = 0.0
        if length > 0.0:
            t = ((p - a) * (walls[m - 1, 0] - a) + (q - b) * (walls[m - 1, 1] - b)) / (length * length)
            t = min(max(t, 0.0), 1.0)
        su, sv = a + t * (walls[m - 1, 0] - a), b + t * (walls[m - 1, 1] - b)
        square = (p - su) ** 2 + (q - sv) ** 2
        if square < least * least:
            least, best_p, best_q = np.sqrt(square), su, sv
    return best_p, best_q, least


@njit(cache=True)
def inside_walls(walls, p, q, from_p, from_q):  # type: ignore[no-untyped-def]
    """Whether (p, q) lies inside ``walls``, which were traced from (from_p, from_q)."""
    n = walls.shape[0]
    turn = np.arctan2(q - from_q, p - from_p) / (2.0 * np.pi)
    m = int(np.floor((turn + 1.0) * n)) % n
    following = m + 1 if m + 1 < n else 0
    a, b = walls[m, 0], walls[m, 1]
    return (walls[following, 0] - a) * (q - b) - (walls[following, 1] - b) * (p - a) > 0.0


@njit(cache=True)
def disc_share(from_centre, centre, from_axis, has_axis, circle, radius):  # type: ignore[no-untyped-def]
    """(share, p, q): the part of the screw's cross-section inside the walls, and the centroid of the rest."""
    total, within = 0, 0
    p_sum, q_sum = 0.0, 0.0
    for ring in range(_DISC_RINGS):
        r = radius * np.sqrt((ring + 0.5) / _DISC_RINGS)
        for m in range(0, circle.cosines.shape[0], 3):
            p, q = r * circle.cosines[m], r * circle.sines[m]
            total += 1
            seen = has_axis and inside_walls(from_axis, p, q, 0.0, 0.0)
            if seen or (centre[2] and inside_walls(from_centre, p, q, centre[0], centre[1])):
                within += 1
            else:
                p_sum += p
                q_sum += q
    outside = max(total - within, 1)
    return within / total, p_sum / outside, q_sum / outside
