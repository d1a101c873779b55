"""A view from a 3x4 projection matrix, as calibration programs give it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import rq

from spinescrew.errors import GeometryError
from spinescrew.radiographs.epipolar import triangulate
from spinescrew.radiographs.view import View

Floats = NDArray[np.float64]

_SKEW = 1e-3
"""Cosine between columns and rows from which they are no right angle; calibrations are noisy."""

_SQUARE = 0.01
"""How much the two focal lengths in mm may differ."""


def view_from_matrix(matrix: Any, pixel_mm: Any, shape: tuple[int, int]) -> View:
    """The view whose matrix this is, at any scale (Hartley and Zisserman, chapter 6).

    Of a matrix and its negative, which project alike, the one that is positive before the source is meant;
    :func:`facing` puts that right where it looks at one place with others.

    Parameters
    ----------
    matrix:
        (3, 4), homogeneous RAS mm to (column * w, row * w, w).
    pixel_mm:
        (2,) steps at the detector; the row step is put right by up to 1 % so that the matrix is kept exactly.

    Raises
    ------
    GeometryError
        If the matrix has no finite source, its axes are not at right angles, or the steps do not belong to it.
    """
    values = np.asarray(matrix, dtype=np.float64)
    left = values[:, :3]
    if not np.isfinite(values).all() or np.linalg.cond(left / np.linalg.norm(left, axis=1, keepdims=True)) > 1e9:
        raise GeometryError("the projection matrix is singular: it has no source at a finite place")
    upper, turn = rq(left)
    signs = np.sign(np.diag(upper)) * [np.sign(np.linalg.det(left)), 1, 1]
    # rq leaves the signs open: all of K but the mirrored column axis is positive, and R takes the rest.
    upper, turn = upper * signs, signs[:, None] * turn
    intrinsics = upper / upper[2, 2]
    steps = np.asarray(pixel_mm, dtype=np.float64)
    reach = np.abs(np.diag(intrinsics)[:2]) * steps
    if abs(intrinsics[0, 1]) > _SKEW * intrinsics[1, 1]:
        raise GeometryError("columns and rows of the projection matrix are not at right angles")
    if abs(reach[0] / reach[1] - 1) > _SQUARE:
        raise GeometryError(
            f"the source would be {reach[0]:.0f} mm away by the column step of pixel_mm and {reach[1]:.0f} mm by the "
            "row step; they do not belong to this projection matrix"
        )
    source = np.asarray(-np.linalg.solve(left, values[:, 3]), dtype=np.float64)
    mirror = np.sign(intrinsics[0, 0])
    corner = np.linalg.solve(intrinsics, [0, 0, 1]) @ turn
    steps = np.asarray(reach[0] / np.abs(np.diag(intrinsics)[:2]), dtype=np.float64)
    return View(source, source + reach[0] * corner, mirror * turn[0], turn[1], steps, shape)


def facing(view: View, others: Sequence[View]) -> View:
    """The view with its detector on that side of the source where its beam meets those of the others.

    A projection matrix does not tell the side; the image is the same for both.
    """
    try:
        meeting, _ = triangulate([view, *others], [each.centre_pixel for each in (view, *others)])
    except GeometryError:
        return view
    return view if view.depth(meeting) > 0 else _turned(view)


def _turned(view: View) -> View:
    """The same projection with the detector on the other side of the source."""
    beyond = 2 * view.source - view.detector_origin
    return View(view.source, beyond, -view.right, -view.down, view.pixel_mm, view.shape)
