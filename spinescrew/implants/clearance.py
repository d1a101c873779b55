"""Room between screws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
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
    at_ends = [
        _to_segments(p, q, v),
        _to_segments(p + u, q, v),
        _to_segments(q, p, u),
        _to_segments(q + v, p, u),
    ]
    return np.min([*at_ends, _inside_both(p, u, q, v)], axis=0)


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


def _to_segments(points: Floats, starts: Floats, spans: Floats) -> Floats:
    """Distances between points and segments, one of the two sets broadcast over the other."""
    along = ((points - starts) * spans).sum(-1) / np.maximum((spans * spans).sum(-1), 1e-30)
    nearest = starts + np.clip(along, 0, 1)[..., None] * spans
    return np.linalg.norm(points - nearest, axis=-1)


def _inside_both(p: Floats, u: Floats, q: Floats, v: Floats) -> Floats:
    """Distance of the lines where their closest points lie inside both segments, infinite elsewhere."""
    normal = np.cross(u, v)
    square = (normal * normal).sum(-1)
    offset = q - p
    with np.errstate(divide="ignore", invalid="ignore"):
        s = (np.cross(offset, v) * normal).sum(-1) / square
        t = (np.cross(offset, u) * normal).sum(-1) / square
        gap = np.abs((offset * normal).sum(-1)) / np.sqrt(square)
    skew = square > 1e-18 * (u @ u) * (v * v).sum(-1)
    return np.where(skew & (s >= 0) & (s <= 1) & (t >= 0) & (t <= 1), gap, np.inf)
