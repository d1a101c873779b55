"""Metal drawn straight onto a detector: tubes, wires, plates and balls, as lengths along the rays in mm."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Map = NDArray[np.float32]
Floats = NDArray[np.float64]


class Canvas:
    """A picture to draw on, in millimetres of the things themselves.

    Attributes
    ----------
    metal:
        float32 (rows, columns), mm.
    size:
        (2,) width and height of what the picture shows, mm; (0, 0) is its middle, x to the right, y down.
    """

    def __init__(self, shape: tuple[int, int], pixel_mm: float) -> None:
        """``pixel_mm``: step between pixels where the things are (the detector's over their magnification)."""
        self.metal: Map = np.zeros(shape, np.float32)
        self._near = np.zeros(shape, np.float32)
        self._pixel_mm = pixel_mm
        self.size: Floats = np.array(shape[::-1]) * pixel_mm

    def _pixels(self, points: Any) -> Floats:
        middle = (np.array(self.metal.shape[::-1]) - 1) / 2
        return np.ascontiguousarray(np.asarray(points, dtype=np.float64) / self._pixel_mm + middle)

    def tube(self, points: Any, radius: float, wall: float | None = None) -> None:
        """A round rod along a line (n, 2), or a pipe with a ``wall``; a chord as long as it is wide where end on."""
        line = self._pixels(points)
        _tube(self.metal, self._near, line, radius / self._pixel_mm, self._pixel_mm)
        if wall is not None and wall < radius:
            _tube(self.metal, self._near, line, (radius - wall) / self._pixel_mm, -self._pixel_mm)

    def plate(self, corners: Any, depth: float) -> None:
        """A flat piece with these corners (n, 2), seen face on."""
        _plate(self.metal, self._pixels(corners), depth)

    def ball(self, centre: Any, radius: float) -> None:
        """A solid ball."""
        self.tube(np.array([centre, centre]), radius)

    def disc(self, centre: Any, radius: float, depth: float) -> None:
        """A flat round piece, seen face on."""
        turn = np.linspace(0, 2 * np.pi, 25)[:-1]
        self.plate(np.asarray(centre) + radius * np.stack([np.cos(turn), np.sin(turn)], axis=1), depth)


@njit(cache=True)
def _box(lines, reach, shape):  # type: ignore[no-untyped-def]
    """First and last row, first and last column of the pixels within ``reach`` of points (column, row)."""
    column0, column1, row0, row1 = 1e9, -1e9, 1e9, -1e9
    for n in range(lines.shape[0]):
        column0, column1 = min(column0, lines[n, 0]), max(column1, lines[n, 0])
        row0, row1 = min(row0, lines[n, 1]), max(row1, lines[n, 1])
    first_row, last_row = max(int(np.ceil(row0 - reach)), 0), min(int(np.floor(row1 + reach)), shape[0] - 1)
    return first_row, last_row, max(int(np.ceil(column0 - reach)), 0), min(int(column1 + reach), shape[1] - 1)


@njit(cache=True)
def _squared(x, y, line, n):  # type: ignore[no-untyped-def]
    """Squared distance of a point from the piece ``n`` of a line."""
    ax, ay = line[n, 0], line[n, 1]
    bx, by = line[n + 1, 0] - ax, line[n + 1, 1] - ay
    size = bx * bx + by * by
    t = 0.0
    if size > 0.0:
        t = min(max(((x - ax) * bx + (y - ay) * by) / size, 0.0), 1.0)
    return (x - ax - t * bx) ** 2 + (y - ay - t * by) ** 2


@njit(cache=True)
def _tube(metal, near, line, radius, mm):  # type: ignore[no-untyped-def]
    """Pieces share their joints, so the nearest one counts. ``near`` is all zero before and after."""
    for n in range(line.shape[0] - 1):
        row0, row1, column0, column1 = _box(line[n : n + 2], radius, metal.shape)
        for row in range(row0, row1 + 1):
            for column in range(column0, column1 + 1):
                depth = radius * radius - _squared(column, row, line, n)
                if depth > near[row, column]:
                    near[row, column] = depth
    row0, row1, column0, column1 = _box(line, radius, metal.shape)
    for row in range(row0, row1 + 1):
        for column in range(column0, column1 + 1):
            if near[row, column] > 0.0:
                metal[row, column] += 2.0 * np.sqrt(near[row, column]) * mm
                near[row, column] = 0.0


@njit(cache=True)
def _plate(metal, corners, depth):  # type: ignore[no-untyped-def]
    """A pixel at the edge counts by what of it is covered."""
    count = corners.shape[0]
    row0, row1, column0, column1 = _box(corners, 1.0, metal.shape)
    closed = np.empty((count + 1, 2))
    closed[:count] = corners
    closed[count] = corners[0]
    for row in range(row0, row1 + 1):
        for column in range(column0, column1 + 1):
            inside = False
            near = 1e18
            for n in range(count):
                near = min(near, _squared(column, row, closed, n))
                ay, by = closed[n, 1], closed[n + 1, 1]
                if (ay > row) != (by > row):
                    cross = closed[n, 0] + (row - ay) / (by - ay) * (closed[n + 1, 0] - closed[n, 0])
                    if column < cross:
                        inside = not inside
            off = np.sqrt(near) if inside else -np.sqrt(near)
            metal[row, column] += depth * min(max(0.5 + off, 0.0), 1.0)
