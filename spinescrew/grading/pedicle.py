"""How far a shaft leaves the wall of the pedicle that it crosses."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spinescrew.grading.field import distance_at, dot, gradient_at, in_view, radius_at
from spinescrew.grading.walls import disc_share, inside_walls, lift, nearest_wall, pedicle_centre, trace_walls, visible
from spinescrew.grading.zone import openings

Floats = NDArray[np.float64]

MEDIAL, LATERAL, SUPERIOR, INFERIOR = range(4)

_ON_WALL_MM = 0.3
_SAME_WALL_MM = 0.05
_SLACK_MM = 0.5


class PedicleSurvey(NamedTuple):
    """The worst of the graded zone.

    ``margin`` mm outside the wall (negative: bone left), at depth ``along`` and RAS ``point``; ``normal`` of the wall
    there. ``by_direction`` (4,) mm medially, laterally, superiorly, inferiorly. ``fraction`` is the least share of the
    cross-section inside the pedicle and ``fraction_side`` where its rest lies. ``cut``: the wall is not in view.
    """

    margin: float
    along: float
    point: Floats
    normal: Floats
    by_direction: Floats
    side: int
    fraction: float
    fraction_side: int
    cut: bool


class Ring(NamedTuple):
    """Room to work in, for the points around the shaft at one station.

    ``values`` (n,) mm to any bone, ``contained`` (n,) whether in the pedicle, and the walls (n, 3) seen from the
    pedicle's centre and from the screw's axis.
    """

    values: Floats
    contained: NDArray[np.bool_]
    from_centre: Floats
    from_axis: Floats


class Station(NamedTuple):
    """One plane across the shaft.

    ``centre`` is (p, q, found) of the pedicle. ``walled``: there is a pedicle in this plane. ``traced``: the walls seen
    from the centre hold; ``from_axis``: those seen from the screw's axis too.
    """

    t: float
    at: Floats
    radius: float
    centre: tuple[float, float, bool]
    from_axis: bool
    walled: bool
    traced: bool


class Worst(NamedTuple):
    """The farthest point so far: ``figures`` (margin, along, side), ``point``, ``normal`` and ``wall`` (3,) RAS."""

    figures: Floats
    point: Floats
    normal: Floats
    wall: Floats


@njit(cache=True)
def side_of(p, q, shaft, medial, superior):  # type: ignore[no-untyped-def]
    """Which of the four directions of the vertebra the in-plane direction (p, q) is nearest to."""
    m = p * dot(shaft.u, medial) + q * dot(shaft.v, medial)
    s = p * dot(shaft.u, superior) + q * dot(shaft.v, superior)
    if abs(m) >= abs(s):
        return MEDIAL if m >= 0.0 else LATERAL
    return SUPERIOR if s >= 0.0 else INFERIOR


@njit(cache=True)
def _see_from_centre(field, at, shaft, circle, radius, centre, ring):  # type: ignore[no-untyped-def]
    """Mark the ring points in bone that the pedicle's centre sees; returns whether those are all that are in bone."""
    all_seen = True
    for m in range(ring.values.shape[0]):
        ring.contained[m] = False
        if ring.values[m] <= 0.0:
            p, q = radius * circle.cosines[m], radius * circle.sines[m]
            ring.contained[m] = inside_walls(ring.from_centre, p, q, centre[0], centre[1]) or visible(
                field, at, shaft, centre[0], centre[1], p, q
            )
            all_seen = all_seen and ring.contained[m]
    return all_seen


@njit(cache=True)
def _see_from_axis(radius, ring):  # type: ignore[no-untyped-def]
    """Mark the ring points in bone that the axis sees, too."""
    for m in range(ring.values.shape[0]):
        reach = np.sqrt(ring.from_axis[m, 0] ** 2 + ring.from_axis[m, 1] ** 2)
        ring.contained[m] = ring.contained[m] or (ring.values[m] <= 0.0 and reach >= radius - _SAME_WALL_MM)


@njit(cache=True)
def _spread(ring):  # type: ignore[no-untyped-def]
    """Mark the ring points in bone next to a marked one: the screw itself leads there through bone."""
    n, contained = ring.values.shape[0], ring.contained
    for m in range(-n, n):
        contained[m] = contained[m] or (ring.values[m] <= 0.0 and contained[m - 1 if m > -n else n - 1])
    for m in range(n - 1, -n - 1, -1):
        contained[m] = contained[m] or (ring.values[m] <= 0.0 and contained[m + 1 if m < n - 1 else 0])


@njit(cache=True)
def _breach(field, shaft, wall, value, apart):  # type: ignore[no-untyped-def]
    """(mm, normal): how far a point ``apart`` mm from ``wall`` in the plane lies outside, perpendicular to that wall.

    The in-plane distance counts with the cosine of the wall's obliquity to the plane. At edges, where
    that fails, it is held between the distance to the nearest bone of any kind (``value``) and the in-plane distance.
    """
    normal = gradient_at(field, wall[0], wall[1], wall[2])
    d = shaft.direction
    oblique = normal[0] * d[0] + normal[1] * d[1] + normal[2] * d[2]
    size = apart * np.sqrt(max(1.0 - oblique * oblique, 0.0))
    level = distance_at(field, wall[0], wall[1], wall[2])
    if abs(level) < _ON_WALL_MM:
        size += level
    return max(min(max(size, value - _SLACK_MM), apart + _SAME_WALL_MM), 0.0), normal


@njit(cache=True)
def _look(field, shaft, neck, circle, t, ring):  # type: ignore[no-untyped-def]
    """The plane across the shaft at depth ``t``; fills ``ring``, with walls only where a point may lie outside."""
    at = shaft.entry + t * shaft.direction
    radius = radius_at(shaft, t)
    depth = -distance_at(field, at[0], at[1], at[2])
    centre = pedicle_centre(field, at, shaft, neck)
    axis_in = depth >= 0.0 and (not centre[2] or visible(field, at, shaft, centre[0], centre[1], 0.0, 0.0))
    worst = -np.inf
    for m in range(ring.values.shape[0]):
        x, y, z = lift(at, shaft, radius * circle.cosines[m], radius * circle.sines[m])
        ring.values[m] = distance_at(field, x, y, z)
        worst = max(worst, ring.values[m])
    walled = axis_in or centre[2]
    # The ball of bone around the axis holds the whole ring: nothing to trace.
    traced = walled and not (worst <= 0.0 and axis_in and radius <= depth)
    ring.contained[:] = (ring.values <= 0.0) & (not traced)
    all_seen = not traced
    if traced and centre[2]:
        trace_walls(field, at, shaft, circle, centre[0], centre[1], ring.from_centre)
        all_seen = _see_from_centre(field, at, shaft, circle, radius, centre, ring)
    from_axis = axis_in and not all_seen
    if from_axis:
        trace_walls(field, at, shaft, circle, 0.0, 0.0, ring.from_axis)
        _see_from_axis(radius, ring)
    if not all_seen:
        _spread(ring)
    return Station(t, at, radius, centre, from_axis, walled, traced)


@njit(cache=True)
def _record(worst, margin, t, side, point, normal, wall):  # type: ignore[no-untyped-def]
    worst.figures[0], worst.figures[1], worst.figures[2] = margin, t, side
    for axis in range(3):
        worst.point[axis], worst.normal[axis], worst.wall[axis] = point[axis], normal[axis], wall[axis]


@njit(cache=True)
def _inside_point(field, shaft, station, p, q, value, worst):  # type: ignore[no-untyped-def]
    point = lift(station.at, shaft, p, q)
    _record(worst, value, station.t, -1.0, point, gradient_at(field, point[0], point[1], point[2]), point)


@njit(cache=True)
def _outside_point(field, shaft, station, ring, medial, superior, p, q, value, by_direction, worst):  # type: ignore[no-untyped-def]
    """Measure a point outside the pedicle, unless it cannot be farther out than those before."""
    wu, wv, apart = 0.0, 0.0, value
    if station.traced:
        apart = np.inf
        if station.centre[2]:
            wu, wv, apart = nearest_wall(ring.from_centre, p, q)
        if station.from_axis:
            other_u, other_v, other = nearest_wall(ring.from_axis, p, q)
            if other < apart:
                wu, wv, apart = other_u, other_v, other
    away_p, away_q = p - wu, q - wv
    if abs(away_p) + abs(away_q) < 1e-6:
        away_p, away_q = p, q
    side = side_of(away_p, away_q, shaft, medial, superior)
    if apart + _SAME_WALL_MM <= max(by_direction[side], 0.0) and apart + _SAME_WALL_MM <= worst.figures[0]:
        return
    point = lift(station.at, shaft, p, q)
    size, normal, wall = value, gradient_at(field, point[0], point[1], point[2]), point
    if station.traced:
        wall = lift(station.at, shaft, wu, wv)
        size, normal = _breach(field, shaft, wall, value, apart)
    by_direction[side] = max(by_direction[side], size)
    if size > worst.figures[0]:
        _record(worst, size, station.t, float(side), point, normal, wall)


@njit(cache=True)
def _no_farther(station, ring, m, worst):  # type: ignore[no-untyped-def]
    """Whether the wall between the axis and ring point ``m`` shows already that the point is not the farthest."""
    if not (station.traced and station.from_axis):
        return False
    reach = np.sqrt(ring.from_axis[m, 0] ** 2 + ring.from_axis[m, 1] ** 2)
    return station.radius - reach + _SAME_WALL_MM <= worst.figures[0]


@njit(cache=True)
def survey_pedicle(field, grid, shaft, neck, zone, circle, medial, superior, step, exclusion, detail):  # type: ignore[no-untyped-def]
    """Follow the shaft through its graded zone (:class:`PedicleSurvey`).

    Without ``detail`` only margin and cut hold. Bone left is measured from ``exclusion`` mm past the opening of each
    thread line on: nearer to it the nearest surface is the cortex opened on purpose.
    """
    n = circle.cosines.shape[0]
    ring = Ring(np.empty(n), np.empty(n, np.bool_), np.empty((n, 3)), np.empty((n, 3)))
    worst = Worst(np.array([-np.inf, zone.start, -1.0]), np.zeros(3), np.zeros(3), np.zeros(3))
    opening, by_direction = np.empty(n), np.zeros(4)
    openings(field, shaft, zone, circle, step, opening)
    fraction, fraction_side = 1.0, MEDIAL
    count = int(np.ceil((zone.end - zone.start) / step)) + 1
    for number in range(count):
        t = zone.start + (zone.end - zone.start) * number / (count - 1)
        station = _look(field, shaft, neck, circle, t, ring)
        in_opening, last = False, number == count - 1
        for m in range(n):
            if t < opening[m] and not last:
                in_opening = True
                continue
            p, q, value = station.radius * circle.cosines[m], station.radius * circle.sines[m], ring.values[m]
            if ring.contained[m]:
                if value > worst.figures[0] and (last or t >= opening[m] + exclusion):
                    _inside_point(field, shaft, station, p, q, value, worst)
            elif detail or not _no_farther(station, ring, m, worst):
                _outside_point(field, shaft, station, ring, medial, superior, p, q, value, by_direction, worst)
        if detail and station.traced and not in_opening:
            cu, cv, found = station.centre
            share, p, q = disc_share(
                ring.from_centre, station.centre, ring.from_axis, station.from_axis, circle, station.radius
            )
            if share < fraction:
                fraction = share
                fraction_side = side_of(p - cu if found else p, q - cv if found else q, shaft, medial, superior)
    margin, along, side = worst.figures
    cut = margin > 0.0 and not in_view(grid, worst.wall[0], worst.wall[1], worst.wall[2], 0.0)
    return PedicleSurvey(
        margin, along, worst.point, worst.normal, by_direction, int(side), fraction, fraction_side, cut
    )
