"""The shaft beyond the pedicle: breaches of the body, and the screw's share in it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spinescrew.grading.field import distance_at, dot, gradient_at, radius_at
from spinescrew.grading.walls import lift

Floats = NDArray[np.float64]

BODY_DIRECTIONS = ("anterior", "posterior", "lateral", "medial", "superior", "inferior")
ANTERIOR, POSTERIOR, BODY_LATERAL, BODY_MEDIAL, BODY_SUPERIOR, BODY_INFERIOR = range(6)

_DISC_RINGS = 6


class BodySection(NamedTuple):
    """Share of the screw's cross-section in bone, and whether the rest lies lateral to the body."""

    fraction: float
    lateral: bool


@njit(cache=True)
def _body_side(normal, away, medial, anterior, superior):  # type: ignore[no-untyped-def]
    """Index into ``BODY_DIRECTIONS`` of a wall's outward normal; ``away`` is +1 on the screw's own side, -1 across.

    Lateral is away from the midline on either side of it.
    """
    a, s = dot(normal, anterior), dot(normal, superior)
    m = dot(normal, medial) * away
    if abs(a) >= abs(s) and abs(a) >= abs(m):
        return ANTERIOR if a >= 0.0 else POSTERIOR
    if abs(s) >= abs(m):
        return BODY_SUPERIOR if s >= 0.0 else BODY_INFERIOR
    return BODY_MEDIAL if m >= 0.0 else BODY_LATERAL


@njit(cache=True)
def survey_shaft(field, shaft, stations, circle):  # type: ignore[no-untyped-def]
    """Signed distance (n_t, n_theta) in mm of every sampled point of the shaft to the bone of the vertebra."""
    out = np.empty((stations.shape[0], circle.cosines.shape[0]))
    for n in range(stations.shape[0]):
        at = shaft.entry + stations[n] * shaft.direction
        radius = radius_at(shaft, stations[n])
        for m in range(out.shape[1]):
            x, y, z = lift(at, shaft, radius * circle.cosines[m], radius * circle.sines[m])
            out[n, m] = distance_at(field, x, y, z)
    return out


@njit(cache=True)
def body_breaches(field, shaft, stations, circle, distances, first, origin, medial, anterior, superior):  # type: ignore[no-untyped-def]
    """Greatest distance (6,) outside bone by direction, from depth ``first`` on; order of ``BODY_DIRECTIONS``."""
    out = np.zeros(6)
    for n in range(stations.shape[0]):
        if stations[n] < first:
            continue
        at = shaft.entry + stations[n] * shaft.direction
        radius = radius_at(shaft, stations[n])
        for m in range(distances.shape[1]):
            if distances[n, m] <= 0.0 or distances[n, m] <= out.min():
                continue
            x, y, z = lift(at, shaft, radius * circle.cosines[m], radius * circle.sines[m])
            across = (x - origin[0]) * medial[0] + (y - origin[1]) * medial[1] + (z - origin[2]) * medial[2]
            away = 1.0 if across <= 0.0 else -1.0
            side = _body_side(gradient_at(field, x, y, z), away, medial, anterior, superior)
            out[side] = max(out[side], distances[n, m])
    return out


@njit(cache=True)
def body_section(field, shaft, t, circle, origin, medial, superior):  # type: ignore[no-untyped-def]
    """:class:`BodySection` of the plane across the shaft at depth ``t``."""
    at = shaft.entry + t * shaft.direction
    radius = radius_at(shaft, t)
    total, within = 0, 0
    outwards = np.zeros(3)
    for ring in range(_DISC_RINGS):
        r = radius * np.sqrt((ring + 0.5) / _DISC_RINGS)
        for m in range(0, circle.cosines.shape[0], 3):
            x, y, z = lift(at, shaft, r * circle.cosines[m], r * circle.sines[m])
            total += 1
            if distance_at(field, x, y, z) <= 0.0:
                within += 1
            else:
                normal = gradient_at(field, x, y, z)
                for axis in range(3):
                    outwards[axis] += normal[axis]
    away = 1.0 if dot(at - origin, medial) <= 0.0 else -1.0
    # Beside the body a screw lies antero-laterally of its wall: forward does not count here.
    sideways, upwards = dot(outwards, medial) * away, dot(outwards, superior)
    return BodySection(within / total, sideways < 0.0 and -sideways >= abs(upwards))
