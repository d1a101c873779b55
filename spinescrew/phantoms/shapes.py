"""Implicit solids: functions that are negative inside and about the distance in mm near their surface.

All take points (n, 3) in a vertebra's own frame (right, anterior, superior) and return (n,) float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]


def blend(first: Values, second: Values, reach: float) -> Values:
    """Union with a fillet: both surfaces are rounded into each other where they are within ``reach`` mm."""
    overlap = np.maximum(reach - np.abs(first - second), 0.0) / reach
    return np.minimum(first, second) - overlap**2 * reach / 4


def capsule(points: Values, start: Any, end: Any, radius: float, flatten: Any = (1.0, 1.0, 1.0)) -> Values:
    """All points within ``radius`` of a segment; axes are stretched by ``1 / flatten`` first."""
    scale = np.asarray(flatten, dtype=np.float32)
    p = points * scale
    a, b = np.asarray(start, np.float32) * scale, np.asarray(end, np.float32) * scale
    along = b - a
    t = np.clip((p - a) @ along / max(float(along @ along), 1e-6), 0.0, 1.0)
    return (np.linalg.norm(p - a - t[:, None] * along, axis=1) - radius).astype(np.float32)


def ellipsoid(points: Values, centre: Any, radii: Any) -> Values:
    """Ellipsoid with axes along the frame."""
    size = np.asarray(radii, np.float32)
    q = (points - np.asarray(centre, np.float32)) / size
    return ((np.linalg.norm(q, axis=1) - 1.0) * size.min()).astype(np.float32)


def elliptic_tube(
    points: Values,
    centre: Any,
    axis: Any,
    across: Any,
    half: tuple[float, float],
    reach: tuple[float, float],
    flare: float,
) -> Values:
    """Tube along ``axis`` whose section at ``centre`` is an ellipse with half axes ``half`` (across, up).

    It widens quadratically on both sides, by ``flare`` of its size at 8 mm, and ends at the distances ``reach``.
    """
    d, u = np.asarray(axis, np.float32), np.asarray(across, np.float32)
    v = np.cross(d, u)
    arm = points - np.asarray(centre, np.float32)
    along, x, y = arm @ d, arm @ u, arm @ v
    wider = 1.0 + flare * (np.clip(along, reach[0], 10.0) / 8.0) ** 2
    section = (np.sqrt((x / (half[0] * wider)) ** 2 + (y / (half[1] * wider)) ** 2) - 1.0) * min(half) * wider
    ends = np.maximum(reach[0] - along, along - reach[1])
    return np.maximum(section, ends).astype(np.float32)


def body(points: Values, width: float, depth: float, height: float, waist: float = 0.06) -> Values:
    """Vertebral body around the origin: superellipse in the plane, waisted, endplates hollow in the middle."""
    r, a, s = points.T
    level = np.clip(2 * s / height, -1, 1)
    narrow = 1.0 - waist * (1.0 - level**2)
    half_w, half_d = 0.5 * width * narrow, 0.5 * depth * narrow
    ring = ((np.abs(r) / half_w) ** 2.6 + (np.abs(a) / half_d) ** 2.6) ** (1 / 2.6)
    wall = (ring - 1.0) * 0.5 * min(width, depth)
    # The posterior wall is hollow towards the canal.
    wall = np.maximum(wall, -(a + 0.5 * depth - 1.5 * np.clip(1 - (r / (0.3 * width)) ** 2, 0, 1)))
    hollow = 0.8 * np.clip(1 - (r / (0.4 * width)) ** 2 - (a / (0.4 * depth)) ** 2, 0, 1)
    plates = np.abs(s) - 0.5 * height + hollow
    return np.maximum(wall, plates).astype(np.float32)


def elliptic_channel(points: Values, centre: tuple[float, float], half: tuple[float, float]) -> Values:
    """Endless tube along superior around (right, anterior) = ``centre``: the canal."""
    q = np.hypot((points[:, 0] - centre[0]) / half[0], (points[:, 1] - centre[1]) / half[1])
    return ((q - 1.0) * min(half)).astype(np.float32)
