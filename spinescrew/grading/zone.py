"""The part of a screw on which Gertzbein-Robbins is graded (the rule in words: ``options.GRADED_ZONE``)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spinescrew.anatomy.vertebra import Pedicle
from spinescrew.grading.field import LEAST_STEP_MM, distance_at, dot, radius_at

Floats = NDArray[np.float64]

GRADABLE, ACROSS, TOO_SHORT, BEYOND, EMPTY = range(5)

REASONS = {
    ACROSS: "the screw does not run along the pedicle (more than 75 degrees off its axis)",
    TOO_SHORT: "the screw ends before the graded part of the pedicle",
    BEYOND: "the screw starts in front of the pedicle-body junction",
    EMPTY: "no part of the screw lies between the entry exclusion and the pedicle-body junction",
}

_LEAST_SLOPE = 0.2588
_BACKWARDS_MM = 60.0
_LONGEST_STEP_MM = 2.0


class Neck(NamedTuple):
    """A pedicle's own axis: ``isthmus`` and ``axis`` (3,) RAS, ``junction`` and ``dorsal`` mm along it."""

    isthmus: Floats
    axis: Floats
    junction: float
    dorsal: float


class Zone(NamedTuple):
    """Depths along the shaft in mm from the entry; NaN where there is none.

    ``start``, ``end`` bound the graded zone, ``bone_entry`` is where the axis enters bone, ``junction`` where it passes
    the plane of the pedicle-body junction. ``status`` is ``GRADABLE`` or a key of ``REASONS``.
    """

    start: float
    end: float
    bone_entry: float
    junction: float
    status: int
    projected: bool


def neck_of(pedicle: Pedicle) -> Neck:
    """A measured pedicle as compiled code reads it."""
    axis, isthmus = np.array(pedicle.axis, dtype=np.float64), np.array(pedicle.isthmus, dtype=np.float64)
    return Neck(isthmus, axis, float(pedicle.junction_mm), float(pedicle.dorsal_mm))


@njit(cache=True)
def _along(field, shaft, t):  # type: ignore[no-untyped-def]
    e, d = shaft.entry, shaft.direction
    return distance_at(field, e[0] + t * d[0], e[1] + t * d[1], e[2] + t * d[2])


@njit(cache=True)
def bone_entry(field, shaft, furthest):  # type: ignore[no-untyped-def]
    """Depth at which the axis enters bone, coming from behind; NaN if it does not before ``furthest``.

    Negative where the shaft begins inside bone: then the axis is followed backwards to the surface.
    """
    t = 0.0
    value = _along(field, shaft, t)
    step = -1.0 if value <= 0.0 else 1.0
    while -_BACKWARDS_MM < t < furthest:
        before, last = value, t
        t += step * min(max(abs(value), LEAST_STEP_MM), _LONGEST_STEP_MM)
        value = _along(field, shaft, t)
        if (value <= 0.0) != (before <= 0.0):
            return last + (t - last) * before / (before - value)
    return np.nan


@njit(cache=True)
def bone_exit(field, shaft, start, reach, bridge):  # type: ignore[no-untyped-def]
    """Depth at which the axis leaves bone for good, going forward from ``start``; holes up to ``bridge`` are crossed.

    NaN if no bone follows within ``bridge`` of ``start``, infinity if the axis is still inside after ``reach`` mm.
    """
    t, exit_at, left_at = start, np.nan, start
    value = _along(field, shaft, t)
    inside = value <= 0.0
    while t < start + reach:
        before, last = value, t
        t += min(max(abs(value), LEAST_STEP_MM), 0.5)
        value = _along(field, shaft, t)
        if inside and value > 0.0:
            exit_at = last + (t - last) * before / (before - value)
            left_at, inside = exit_at, False
        elif value <= 0.0:
            inside = True
        if not inside and t - left_at > bridge:
            return exit_at
    return np.inf if inside else exit_at


@njit(cache=True)
def graded_zone(field, shaft, neck, exclusion):  # type: ignore[no-untyped-def]
    """The graded zone of a shaft in a pedicle."""
    slope = dot(shaft.direction, neck.axis)
    if slope < _LEAST_SLOPE:
        return Zone(np.nan, np.nan, bone_entry(field, shaft, shaft.length), np.nan, ACROSS, False)
    offset = dot(shaft.entry, neck.axis) - dot(neck.isthmus, neck.axis)
    junction = (neck.junction - offset) / slope
    entered = bone_entry(field, shaft, max(shaft.length, junction))
    projected = np.isnan(entered) or entered + exclusion >= junction
    start = (neck.dorsal + exclusion - offset) / slope if projected else entered + exclusion
    start, end = max(start, 0.0), min(junction, shaft.length)
    status = GRADABLE
    if start >= end:
        status = BEYOND if junction <= 0.0 else TOO_SHORT if shaft.length <= start else EMPTY
    return Zone(start, end, entered, junction, status, projected)


@njit(cache=True)
def openings(field, shaft, zone, circle, step, out):  # type: ignore[no-untyped-def]
    """Depth (n_theta,) up to which each thread line belongs to the opening of the entry; minus infinity where none.

    A thread line that first meets bone later than one radius past the start of the zone was never only in the opening.
    """
    latest = zone.start + shaft.radius
    for m in range(out.shape[0]):
        out[m] = -np.inf
        if zone.projected:
            continue
        first = max(zone.bone_entry, 0.0)
        t = first
        while t <= latest:
            r = radius_at(shaft, t)
            p, q = r * circle.cosines[m], r * circle.sines[m]
            x = shaft.entry[0] + t * shaft.direction[0] + p * shaft.u[0] + q * shaft.v[0]
            y = shaft.entry[1] + t * shaft.direction[1] + p * shaft.u[1] + q * shaft.v[1]
            z = shaft.entry[2] + t * shaft.direction[2] + p * shaft.u[2] + q * shaft.v[2]
            if distance_at(field, x, y, z) <= 0.0:
                out[m] = t if t > first else -np.inf
                break
            t += step
