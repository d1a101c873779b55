"""What one view says about another: epipolar lines, and points from several views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.errors import GeometryError
from spinescrew.radiographs.view import View

Floats = NDArray[np.float64]

_SAME_SOURCE_MM = 1e-6
_LEAST_SPREAD = 1e-6
"""Smallest eigenvalue of the rays' normal equations: two rays 0.08 degrees apart."""


def fundamental(view_a: View, view_b: View) -> Floats:
    """F (3, 3), of Frobenius norm one: ``(pixel_b, 1) @ F @ (pixel_a, 1)`` is 0 where both show the same point.

    Raises
    ------
    GeometryError
        If both views share one source: then neither says anything about depth.

    Notes
    -----
    Hartley and Zisserman, Multiple View Geometry, chapter 9.
    """
    baseline = view_a.source - view_b.source
    if np.linalg.norm(baseline) < _SAME_SOURCE_MM:
        raise GeometryError("both views have the same source; two different projections are needed")
    x, y, z = view_b.extrinsics[:, :3] @ baseline
    skew = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    turn = view_b.extrinsics[:, :3] @ view_a.extrinsics[:, :3].T
    matrix = np.linalg.inv(view_b.intrinsics).T @ skew @ turn @ np.linalg.inv(view_a.intrinsics)
    return np.asarray(matrix / np.linalg.norm(matrix), dtype=np.float64)


def epipolar_line(view_a: View, pixel: Any, view_b: View) -> Floats:
    """Where in ``view_b`` the point may lie that ``view_a`` shows at ``pixel``.

    Parameters
    ----------
    pixel:
        (column, row) (..., 2).

    Returns
    -------
    Lines (..., 3), (n_column, n_row, offset) with (n_column, n_row) of length one: ``line @ (column, row, 1)`` is the
    signed distance from the line in pixels.

    Raises
    ------
    GeometryError
        If both views share one source.
    """
    pixels = np.asarray(pixel, dtype=np.float64)
    lines = np.concatenate([pixels, np.ones_like(pixels[..., :1])], axis=-1) @ fundamental(view_a, view_b).T
    return np.asarray(lines / np.linalg.norm(lines[..., :2], axis=-1, keepdims=True), dtype=np.float64)


def triangulate(views: Sequence[View], pixels: Any) -> tuple[Floats, Floats]:
    """The points nearest to the rays of their pixels, by least squares.

    Parameters
    ----------
    pixels:
        (views, ..., 2), (column, row) of each point in each view.

    Returns
    -------
    Points (..., 3) RAS mm, and the root mean square distance (...) in mm of each from its rays: half the gap where
    there are two.

    Raises
    ------
    GeometryError
        If there are fewer than two views, or the rays of a point are parallel.
    """
    if len(views) < 2 or len(views) != len(pixels):
        raise GeometryError("a point is found from two views or more, with one pixel in each")
    rays = np.stack([view.rays(pixel) for view, pixel in zip(views, pixels, strict=True)])
    sources = np.stack([np.broadcast_to(view.source, rays.shape[1:]) for view in views])
    across = np.eye(3) - rays[..., :, None] * rays[..., None, :]
    normal = across.sum(axis=0)
    if np.linalg.eigvalsh(normal)[..., 0].min() < _LEAST_SPREAD:
        raise GeometryError("the rays of a point are parallel; take the views from different sides")
    right_side = (across @ sources[..., None]).sum(axis=0)
    points = np.linalg.solve(normal, right_side)[..., 0]
    gaps = (across @ (points - sources)[..., None])[..., 0]
    return points, np.sqrt((gaps**2).sum(axis=-1).mean(axis=0))
