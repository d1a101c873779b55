"""What a screw looks like in a radiograph, as lines: the outlines of its shaft and of its head, and its axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.geometry.vectors import orthogonal_pair, unit
from spinescrew.implants.screw import Screw
from spinescrew.radiographs.view import View

Floats = NDArray[np.float64]

_AROUND = 24


@dataclass(frozen=True, eq=False)
class Outline:
    """Lines in pixels (column, row) of a view; empty (0, 2) where the part does not lie before the source.

    Attributes
    ----------
    shaft, head:
        Closed polygons (n, 2), the first point not repeated.
    axis:
        (2, 2): where the shaft begins below the head, and the tip.
    """

    shaft: Floats
    head: Floats
    axis: Floats


def outline(view: View, screw: Screw, tulip_axis: Any = None) -> Outline:
    """Outline of a screw as ``view`` shows it: its smooth envelope, and the tulip as a cylinder.

    Parameters
    ----------
    tulip_axis:
        (3,) unit vector from tulip to shaft, where the tulip is tilted; along the shaft when left out.
    """
    shape = screw.shape
    depths = np.array([0.0, shape.length_mm - shape.tip_taper_mm, shape.length_mm])
    shaft = _rings(screw.entry, screw.direction, depths, shape.radius_at(depths))
    down = unit(tulip_axis) if tulip_axis is not None else screw.direction
    heights = np.array([-shape.tulip_height_mm, 0.0])
    head = _rings(screw.entry, down, heights, np.full(2, shape.tulip_diameter_mm / 2))
    axis = view.project(np.stack([screw.entry, screw.tip]))
    return Outline(_hull(view.project(shaft)), _hull(view.project(head)), axis)


def _rings(origin: Floats, along: Floats, depths: Floats, radii: Floats) -> Floats:
    """Points (n, 3) on circles of these radii about an axis."""
    x, y = orthogonal_pair(along, (0.0, 0.0, 1.0))
    angles = 2 * np.pi * np.arange(_AROUND) / _AROUND
    around = np.cos(angles)[:, None] * x + np.sin(angles)[:, None] * y
    points = origin + depths[:, None, None] * along + radii[:, None, None] * around
    return np.asarray(points.reshape(-1, 3))


def _hull(pixels: Floats) -> Floats:
    """The convex outline of projected points: that of a convex body, exactly."""
    from scipy.spatial import ConvexHull, QhullError

    if not np.isfinite(pixels).all():
        return np.zeros((0, 2))
    try:
        return np.asarray(pixels[ConvexHull(pixels).vertices])
    except QhullError:  # all on one line
        return np.zeros((0, 2))
