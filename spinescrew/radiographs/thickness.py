"""How much soft tissue and bone each ray of a view crosses in a CT: the part of a radiograph that takes time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from spinescrew.errors import GeometryError, InputError
from spinescrew.geometry.volume import Volume
from spinescrew.radiographs.materials import masses_at
from spinescrew.radiographs.view import View

Map = NDArray[np.float32]
Floats = NDArray[np.float64]

_TILE = 16
"""Rays are followed in tiles of so many pixels squared, whose voxels the processor still holds."""


@dataclass(frozen=True, eq=False)
class Thickness:
    """Mass per area along the rays of a view.

    Attributes
    ----------
    view:
        Whose rays they are.
    soft, bone:
        float32 (rows, columns) in g/cm2.

    Raises
    ------
    GeometryError
        If a map has another size than the view.
    """

    view: View
    soft: Map
    bone: Map

    def __post_init__(self) -> None:
        for name in ("soft", "bone"):
            if getattr(self, name).shape != self.view.shape:
                raise GeometryError(f"the map '{name}' has another size than its view {self.view.shape}")

    def binned(self, factor: int) -> Thickness:
        """Averages of ``factor`` x ``factor`` pixels, on the view of those; what is left over falls away."""
        rows, columns = (n // factor for n in self.view.shape)

        def mean(values: Map) -> Map:
            blocks = values[: rows * factor, : columns * factor].reshape(rows, factor, columns, factor)
            return np.asarray(blocks.mean(axis=(1, 3), dtype=np.float32))

        return Thickness(self.view.binned(factor), mean(self.soft), mean(self.bone))

    def resampled(self, view: View) -> Thickness:
        """The same rays on another grid of pixels: linear between pixels, the nearest one beyond the edge.

        Any detector will do, cut, coarser, finer or turned, as long as the patient lies between it and the same source.
        Bin first where the pixels become more than twice as large.

        Raises
        ------
        GeometryError
            If the source is another one.
        """
        if np.abs(view.source - self.view.source).max() > 1e-6:
            raise GeometryError("rays of another source cannot be taken from these; follow them through the CT")
        rows, columns = np.indices(view.shape)
        places = self.view.project(view.on_detector(np.stack([columns, rows], axis=-1)))[..., ::-1]
        if not np.isfinite(places).all():
            raise GeometryError("this view looks away from the rays at hand; follow its own through the CT")
        at = np.ascontiguousarray(np.moveaxis(places, -1, 0))
        soft, bone = (map_coordinates(each, at, order=1, mode="nearest") for each in (self.soft, self.bone))
        return Thickness(view, soft, bone)


def thickness(view: View, ct: Volume, step_mm: float | None = None, beyond: Volume | None = None) -> Thickness:
    """Follow every ray of ``view`` through ``ct`` and add up the mass of soft tissue and of bone.

    HU are interpolated (trilinear between voxel centres; constant in the outer half of the voxels at the faces) at
    equal steps, then turned to mass (:mod:`spinescrew.radiographs.materials`). The volume is read as it is: no copy,
    any type, order of axes, spacing or handedness. Outside is nothing. Source and detector may lie in the volume.

    Parameters
    ----------
    ct:
        HU without metal.
    step_mm:
        Longest step along the rays; half the smallest voxel where left out.
    beyond:
        A coarser volume around ``ct``, followed where a ray is outside ``ct``
        (:func:`spinescrew.radiographs.beyond.beyond`).

    Raises
    ------
    InputError
        If the step is not positive.
    """
    step = 0.5 * float(ct.spacing.min()) if step_mm is None else float(step_mm)
    if not (np.isfinite(step) and step > 0):
        raise InputError(f"rays are followed in steps of a positive length, got {step_mm} mm")
    soft, bone = np.zeros((2, *view.shape), np.float32)
    array, lines = _as_stored(ct.array, _lines(view, ct))
    _add_rays(array, _lines(view), lines, np.zeros((4, 3)), np.zeros(3), step, soft, bone)
    if beyond is not None:
        hole = np.array(array.shape, dtype=np.float64)
        coarse, coarse_lines = _as_stored(beyond.array, _lines(view, beyond))
        step = max(step, 0.5 * float(beyond.spacing.min()))
        _add_rays(coarse, _lines(view), coarse_lines, lines, hole, step, soft, bone)
    return Thickness(view, soft, bone)


def _lines(view: View, volume: Volume | None = None) -> Floats:
    """Rows: the source, the centre of the first pixel, the steps along columns and rows; RAS mm, or indices."""
    points = np.array([view.source, view.detector_origin])
    steps = np.array([view.right * view.pixel_mm[0], view.down * view.pixel_mm[1]])
    if volume is None:
        return np.concatenate([points, steps])
    return np.concatenate([volume.ras_to_index(points), steps @ volume.inverse[:3, :3].T])


def _as_stored(array: NDArray[Any], lines: Floats) -> tuple[NDArray[Any], Floats]:
    """Axes in the order of memory, so that files of any order are read quickly and by the same compiled function."""
    order = sorted(range(3), key=lambda axis: -abs(array.strides[axis]))
    return array.transpose(order), np.ascontiguousarray(lines[:, order])


@njit(cache=True, inline="always")
def _to_pixel(lines, row, column, out):  # type: ignore[no-untyped-def]
    """From the source to a pixel."""
    for axis in range(3):
        out[axis] = lines[1, axis] + column * lines[2, axis] + row * lines[3, axis] - lines[0, axis]


@njit(cache=True, inline="always")
def _span(source, ray, shape):  # type: ignore[no-untyped-def]
    """Where (0 at the source, 1 at the pixel) a ray enters and leaves a box of voxels; the same twice if never."""
    first, last = 0.0, 1.0
    for axis in range(3):
        low, high = -0.5 - source[axis], shape[axis] - 0.5 - source[axis]
        if abs(ray[axis]) > 1e-12:
            a, b = low / ray[axis], high / ray[axis]
            first, last = max(first, min(a, b)), min(last, max(a, b))
        elif low > 0.0 or high < 0.0:
            last = first
    return first, max(first, last)


@njit(cache=True, inline="always")
def _interpolated(array, x, y, z):  # type: ignore[no-untyped-def]
    """float32 value at a fractional index."""
    ni, nj, nk = array.shape
    zero = np.float32(0.0)
    x = min(max(x, zero), np.float32(ni - 1))
    y = min(max(y, zero), np.float32(nj - 1))
    z = min(max(z, zero), np.float32(nk - 1))
    i, j, k = int(x), int(y), int(z)
    i1, j1, k1 = min(i + 1, ni - 1), min(j + 1, nj - 1), min(k + 1, nk - 1)
    u, v, w = x - np.float32(i), y - np.float32(j), z - np.float32(k)
    c00, c01 = np.float32(array[i, j, k]), np.float32(array[i, j1, k])
    c10, c11 = np.float32(array[i1, j, k]), np.float32(array[i1, j1, k])
    c00 += (np.float32(array[i, j, k1]) - c00) * w
    c01 += (np.float32(array[i, j1, k1]) - c01) * w
    c10 += (np.float32(array[i1, j, k1]) - c10) * w
    c11 += (np.float32(array[i1, j1, k1]) - c11) * w
    c00 += (c01 - c00) * v
    c10 += (c11 - c10) * v
    return c00 + (c10 - c00) * u


@njit(cache=True, fastmath=True)
def _along(array, source, ray, first, last, length, step):  # type: ignore[no-untyped-def]
    """(all, bone) in g/cm2 between two places of a ray ``length`` mm long, in the middles of equal steps."""
    if last <= first:
        return 0.0, 0.0
    count = max(int(np.ceil((last - first) * length / step)), 1)
    part = (last - first) / count
    at = first + 0.5 * part
    x, y = np.float32(source[0] + at * ray[0]), np.float32(source[1] + at * ray[1])
    z = np.float32(source[2] + at * ray[2])
    dx, dy, dz = np.float32(part * ray[0]), np.float32(part * ray[1]), np.float32(part * ray[2])
    whole, hard = 0.0, 0.0
    for n in range(count):
        m = np.float32(n)
        mass, bone = masses_at(_interpolated(array, x + m * dx, y + m * dy, z + m * dz))
        whole += mass
        hard += bone
    cm = 0.1 * part * length
    return whole * cm, hard * cm


@njit(cache=True, nogil=True)
def _add_rays(array, mm, lines, hole_lines, hole, step, soft, bone):  # type: ignore[no-untyped-def]
    """Add to ``soft`` and ``bone`` what the rays cross in ``array``, but not within the box ``hole``."""
    rows, columns = soft.shape
    shape = np.array([array.shape[0], array.shape[1], array.shape[2]], np.float64)
    ray, inner = np.empty(3), np.empty(3)
    for row0 in range(0, rows, _TILE):
        for column0 in range(0, columns, _TILE):
            for row in range(row0, min(row0 + _TILE, rows)):
                for column in range(column0, min(column0 + _TILE, columns)):
                    _to_pixel(mm, row, column, ray)
                    length = np.sqrt(ray[0] ** 2 + ray[1] ** 2 + ray[2] ** 2)
                    _to_pixel(lines, row, column, ray)
                    first, last = _span(lines[0], ray, shape)
                    enter, leave = last, last
                    if hole[0] > 0.0:
                        _to_pixel(hole_lines, row, column, inner)
                        a, b = _span(hole_lines[0], inner, hole)
                        if b > a:
                            enter, leave = min(max(a, first), last), min(max(b, first), last)
                    whole, hard = _along(array, lines[0], ray, first, enter, length, step)
                    after, hard_after = _along(array, lines[0], ray, leave, last, length, step)
                    bone[row, column] += hard + hard_after
                    soft[row, column] += whole + after - hard - hard_after
