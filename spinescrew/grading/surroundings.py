"""What lies beside a screw: facet joint, canal, neighbouring vertebrae."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spinescrew.anatomy.vertebra import FacetJoint
from spinescrew.geometry.sdf import SignedDistance
from spinescrew.grading.body import survey_shaft
from spinescrew.grading.field import distance_at, dot, field_of, radius_at
from spinescrew.grading.shaft import Circle, Shaft

Floats = NDArray[np.float64]


class JointRoom(NamedTuple):
    """``gap_mm`` from the shaft to the joint (negative inside it), ``head_gap_mm`` from the tulip to it.

    ``axis_in_joint``: the shaft's axis passes within the spacing of the joint's points.
    """

    gap_mm: float
    head_gap_mm: float
    axis_in_joint: bool


@njit(cache=True)
def _to_piece(t, r, t0, r0, t1, r1):  # type: ignore[no-untyped-def]
    dt, dr = t1 - t0, r1 - r0
    square = dt * dt + dr * dr
    part = ((t - t0) * dt + (r - r0) * dr) / square if square > 0.0 else 0.0
    part = min(max(part, 0.0), 1.0)
    return (t - t0 - part * dt) ** 2 + (r - r0 - part * dr) ** 2


@njit(cache=True)
def _to_shaft(shaft, t, r):  # type: ignore[no-untyped-def]
    """Signed distance of a point at depth ``t`` and distance ``r`` from the axis to the shaft, negative inside."""
    neck, end = shaft.length - shaft.taper, shaft.length
    tip = shaft.tip_radius if shaft.taper > 0.0 else shaft.radius
    square = min(
        min(_to_piece(t, r, 0.0, 0.0, 0.0, shaft.radius), _to_piece(t, r, 0.0, shaft.radius, neck, shaft.radius)),
        min(_to_piece(t, r, neck, shaft.radius, end, tip), _to_piece(t, r, end, tip, end, 0.0)),
    )
    inside = 0.0 <= t <= end and r <= radius_at(shaft, t)
    return -np.sqrt(square) if inside else np.sqrt(square)


@njit(cache=True)
def _nearest(points, shaft):  # type: ignore[no-untyped-def]
    """(signed distance to the shaft, distance to the axis segment), both the least over ``points``."""
    least, least_axis = np.inf, np.inf
    e, d = shaft.entry, shaft.direction
    for n in range(points.shape[0]):
        x, y, z = points[n, 0] - e[0], points[n, 1] - e[1], points[n, 2] - e[2]
        t = x * d[0] + y * d[1] + z * d[2]
        square = max(x * x + y * y + z * z - t * t, 0.0)
        beyond = max(-t, t - shaft.length, 0.0)
        least_axis = min(least_axis, square + beyond * beyond)
        least = min(least, _to_shaft(shaft, t, np.sqrt(square)))
    return least, np.sqrt(least_axis)


def clearance(points: Floats, shaft: Shaft) -> float:
    """Least signed distance in mm of ``points`` (n, 3) RAS to the surface of a shaft, negative inside it."""
    return float(_nearest(np.ascontiguousarray(points, dtype=np.float64), shaft)[0])


def joint_room(joint: FacetJoint, shaft: Shaft, tulip_radius_mm: float, tulip_height_mm: float) -> JointRoom:
    """How near a shaft and its tulip come to a facet joint."""
    points = np.ascontiguousarray(joint.points, dtype=np.float64)
    gap, to_axis = _nearest(points, shaft)
    behind = shaft.entry - tulip_height_mm * shaft.direction
    tulip = shaft._replace(
        entry=behind, length=float(tulip_height_mm), radius=float(tulip_radius_mm), taper=0.0, tip_radius=0.0
    )
    return JointRoom(float(gap), float(_nearest(points, tulip)[0]), bool(to_axis <= joint.spacing_mm))


@njit(cache=True)
def _may_touch(field, shaft):  # type: ignore[no-untyped-def]
    """Whether a shaft comes near a bone at all: a few steps along the axis, each as long as the room there."""
    t = 0.0
    while t <= shaft.length:
        at = shaft.entry + t * shaft.direction
        room = distance_at(field, at[0], at[1], at[2]) - shaft.radius
        if room <= 0.0:
            return True
        t += max(min(room, 4.0), 0.25)
    return False


def overlap_mm(bone: SignedDistance, shaft: Shaft, stations: Floats, circle: Circle) -> float:
    """How deep the surface of a shaft lies in a bone, in mm; 0 where it does not touch it."""
    field = field_of(bone)
    if not _may_touch(field, shaft):
        return 0.0
    return max(-float(survey_shaft(field, shaft, stations, circle).min()), 0.0)


def crosses_midline(shaft: Shaft, origin: Floats, medial: Floats) -> bool:
    """Whether the tip lies beyond the mid-sagittal plane, seen from the screw's side."""
    tip = shaft.entry + shaft.length * shaft.direction
    return bool(dot(tip - origin, medial) > 0.0)
