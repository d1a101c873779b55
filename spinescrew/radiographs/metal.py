"""How much metal each ray of a view crosses: closed surfaces drawn on the detector, triangle by triangle."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spinescrew.errors import GeometryError
from spinescrew.radiographs.view import View

Floats = NDArray[np.float64]
Path = NDArray[np.float32]

_STEPS = 4096
"""Corners are moved to this fraction of a pixel, so that which side of an edge a pixel lies on is told in integers:
without a gap or an overlap between neighbours, at the price of 0.0001 pixel."""

_FARTHEST_PIXEL = 2**17
"""Corners farther out than this would overflow those integers."""

_NOTHING_MM = 1e-6
_MOST_LAYERS = 4.0


def metal_path(view: View, points: Any, triangles: Any) -> Path:
    """Length of the ray of every pixel inside a closed surface.

    Exact at the pixels' centres but for rounding, whatever the shape: it need be neither convex nor in one piece. Where
    parts overlap, the length counts once for each.

    Parameters
    ----------
    view:
        Where source and detector stood. What lies beyond the image's edge is left out.
    points, triangles:
        (n, 3) RAS mm, and (m, 3) indices, anticlockwise seen from outside; every edge in exactly two triangles.

    Returns
    -------
    float32 (rows, columns), mm; zero where the ray misses the surface.

    Raises
    ------
    GeometryError
        If a corner does not lie before the source, the surface is open, or it is inside out.
    """
    corners = np.asarray(points, dtype=np.float64).reshape(-1, 3)
    faces = np.ascontiguousarray(triangles, dtype=np.int64).reshape(-1, 3)
    image = np.zeros(view.shape, dtype=np.float32)
    if len(faces) == 0:
        return image
    pixels, depth = _projected(view, corners, faces)
    columns, rows = (_window(pixels[:, axis], count) for axis, count in enumerate(view.shape[::-1]))
    if columns.start >= columns.stop or rows.start >= rows.stop:
        return image
    snapped = np.rint(pixels * _STEPS).astype(np.int64)
    sums = np.zeros((rows.stop - rows.start, columns.stop - columns.start))
    # The nearer of two neighbours in depth along the detector's normal is the nearer along the ray, too; the common
    # factor from one to the other comes last.
    _add_layers(snapped, 1.0 / depth, faces, columns.start, rows.start, sums)
    if view.mirrored:
        np.negative(sums, out=sums)
    _check_closed(sums, float(np.linalg.norm(np.ptp(corners[np.unique(faces)], axis=0))))
    _stretch(sums, view.principal_point, view.pixel_mm / view.source_detector_mm, columns.start, rows.start)
    image[rows, columns] = sums
    return image


def metal_paths(view: View, meshes: Iterable[tuple[Any, Any]]) -> list[Path]:
    """:func:`metal_path` of each of several ``(points, triangles)``."""
    return [metal_path(view, points, triangles) for points, triangles in meshes]


def _projected(view: View, corners: Floats, faces: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """(n, 2) column and row, and (n,) depth along the detector's normal."""
    depth = view.depth(corners)
    used = depth[faces]
    if not (used > 0).all():
        raise GeometryError("a surface reaches behind the source of the view and cannot be projected; move it")
    pixels = view.project(corners)
    # Corners of no triangle may be anything; they are put where they do no harm.
    idle = np.ones(len(corners), dtype=bool)
    idle[faces.ravel()] = False
    pixels[idle], depth[idle] = pixels[faces[0, 0]], 1.0
    if np.abs(pixels).max() > _FARTHEST_PIXEL:
        raise GeometryError("a surface comes so near to the source that it is magnified beyond measure; move it away")
    return pixels, depth


def _window(along: Floats, count: int) -> slice:
    """The pixels between the first and the last corner, within the image."""
    return slice(max(0, int(np.floor(along.min()))), min(count, int(np.ceil(along.max())) + 1))


def _check_closed(sums: Floats, size_mm: float) -> None:
    if max(sums.max(), -sums.min()) > _MOST_LAYERS * size_mm:
        raise GeometryError("a surface is not closed: a ray that enters it never leaves; mend its triangles")
    if sums.sum() < -_NOTHING_MM:
        raise GeometryError("a surface is inside out; turn its triangles to run anticlockwise seen from outside")


@njit(cache=True)
def _add_layers(snapped, nearness, faces, first_column, first_row, sums):  # type: ignore[no-untyped-def]
    """Add +depth where the ray leaves the surface, -depth where it enters; ``sums`` begins at the first pixel."""
    rows, columns = sums.shape
    for n in range(faces.shape[0]):
        a, b, c = faces[n, 0], faces[n, 1], faces[n, 2]
        ax, ay = snapped[a, 0] - first_column * _STEPS, snapped[a, 1] - first_row * _STEPS
        bx, by = snapped[b, 0] - first_column * _STEPS, snapped[b, 1] - first_row * _STEPS
        cx, cy = snapped[c, 0] - first_column * _STEPS, snapped[c, 1] - first_row * _STEPS
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area == 0:
            continue
        # Rows run down: what faces away from the source turns clockwise in the usual sense, a positive area here.
        sign = 1.0
        if area < 0:
            b, c, bx, by, cx, cy = c, b, cx, cy, bx, by
            area, sign = -area, -1.0
        left = max(0, -(-min(ax, bx, cx) // _STEPS))
        right = min(columns - 1, max(ax, bx, cx) // _STEPS)
        top = max(0, -(-min(ay, by, cy) // _STEPS))
        bottom = min(rows - 1, max(ay, by, cy) // _STEPS)
        # A pixel on an edge belongs to one of the two triangles beside it.
        skip_a = 0 if _keeps(cx - bx, cy - by) else 1
        skip_b = 0 if _keeps(ax - cx, ay - cy) else 1
        skip_c = 0 if _keeps(bx - ax, by - ay) else 1
        near_a, near_b, near_c = nearness[a] / area, nearness[b] / area, nearness[c] / area
        for row in range(top, bottom + 1):
            y = row * _STEPS
            x = left * _STEPS
            of_a = (cx - bx) * (y - by) - (cy - by) * (x - bx)
            of_b = (ax - cx) * (y - cy) - (ay - cy) * (x - cx)
            of_c = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
            step_a, step_b, step_c = (by - cy) * _STEPS, (cy - ay) * _STEPS, (ay - by) * _STEPS
            for column in range(left, right + 1):
                if of_a >= skip_a and of_b >= skip_b and of_c >= skip_c:
                    sums[row, column] += sign / (of_a * near_a + of_b * near_b + of_c * near_c)
                of_a += step_a
                of_b += step_b
                of_c += step_c


@njit(cache=True, inline="always")
def _keeps(dx, dy):  # type: ignore[no-untyped-def]
    """Whether a triangle keeps the pixels on an edge that runs this way; its neighbour's runs the other way."""
    return dy < 0 or (dy == 0 and dx > 0)


@njit(cache=True)
def _stretch(sums, principal, slope, first_column, first_row):  # type: ignore[no-untyped-def]
    """From depth along the detector's normal to length along each ray, and zero for what is only rounding."""
    for row in range(sums.shape[0]):
        down = (row + first_row - principal[1]) * slope[1]
        for column in range(sums.shape[1]):
            if sums[row, column] < _NOTHING_MM:
                sums[row, column] = 0.0
                continue
            across = (column + first_column - principal[0]) * slope[0]
            sums[row, column] *= np.sqrt(1.0 + across * across + down * down)
