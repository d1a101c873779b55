"""Room between screws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spinescrew.implants.screw import Screw

Floats = NDArray[np.float64]


def segment_distances(start: Any, end: Any, starts: Any, ends: Any) -> Floats:
    """Shortest distance in mm from one segment to each of many.

    Parameters
    ----------
    start, end:
        (3,) ends of the one segment; they may coincide.
    starts, ends:
        (n, 3) ends of the others.

    Returns
    -------
    (n,) distances, exact for crossing, skew, parallel and shrunken segments: the closest pair of two segments either
    lies inside both or has an end of one of them, and all five candidates are compared.
    """
    p, u = np.asarray(start, dtype=np.float64), np.subtract(end, start, dtype=np.float64)
    q, v = np.asarray(starts, dtype=np.float64), np.subtract(ends, starts, dtype=np.float64)
    return np.asarray(_distances(p, u, np.ascontiguousarray(q), np.ascontiguousarray(v)))


def capsule_clearances(screw: Screw, others: Sequence[Screw]) -> Floats:
    """Surface-to-surface distance (n,) in mm from one shaft to each of ``others``, negative where they overlap.

    A shaft counts as a capsule: the cylinder of its outer diameter from the entry to the tip, rounded at both ends;
    the rounding ends at the tip and reaches one radius behind the entry, where the head sits.
    """
    if not others:
        return np.empty(0)
    starts = np.array([other.entry for other in others])
    ends = np.array([_last_centre(other) for other in others])
    radii = np.array([other.shape.radius_mm for other in others])
    return segment_distances(screw.entry, _last_centre(screw), starts, ends) - radii - screw.shape.radius_mm


def capsule_clearance(first: Screw, second: Screw) -> float:
    """Surface-to-surface distance in mm of two shafts, negative where they overlap (:func:`capsule_clearances`)."""
    return float(capsule_clearances(first, [second])[0])


def _last_centre(screw: Screw) -> Floats:
    """Where the centre line of the capsule ends: one radius before the tip."""
    return screw.entry + max(screw.shape.length_mm - screw.shape.radius_mm, 0.0) * screw.direction


@njit(cache=True)
def _distances(p, u, q, v):  # type: ignore[no-untyped-def]
    out = np.empty(len(q))
    for n in range(len(q)):
        best = _to_segment(p, q[n], v[n])
        best = min(best, _to_segment(p + u, q[n], v[n]))
        best = min(best, _to_segment(q[n], p, u))
        best = min(best, _to_segment(q[n] + v[n], p, u))
        out[n] = min(best, _inside_both(p, u, q[n], v[n]))
    return out


@njit(cache=True)
def _dot(a, b):  # type: ignore[no-untyped-def]
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@njit(cache=True)
def _to_segment(point, start, span):  # type: ignore[no-untyped-def]
    """Distance from a point to a segment."""
    along = _dot(point - start, span) / max(_dot(span, span), 1e-30)
    gap = point - start - min(max(along, 0.0), 1.0) * span
    return np.sqrt(_dot(gap, gap))


@njit(cache=True)
def _inside_both(p, u, q, v):  # type: ignore[no-untyped-def]
    """Distance of two lines where their closest points lie inside both segments, infinite elsewhere."""
    normal = np.cross(u, v)
    square = _dot(normal, normal)
    if not square > 1e-18 * _dot(u, u) * _dot(v, v):
        return np.inf
    offset = q - p
    s = _dot(np.cross(offset, v), normal) / square
    t = _dot(np.cross(offset, u), normal) / square
    if 0.0 <= s <= 1.0 and 0.0 <= t <= 1.0:
        return abs(_dot(offset, normal)) / np.sqrt(square)
    return np.inf
