"""Trilinear sampling of a grid at arbitrary points, compiled, one core."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spinescrew.geometry.volume import Volume

Floats = NDArray[np.float64]


@njit(cache=True, inline="always")
def trilinear_at(array, x, y, z):  # type: ignore[no-untyped-def]
    """Value of ``array`` at fractional index (x, y, z); points outside take the value of the nearest voxel."""
    ni, nj, nk = array.shape
    x = min(max(x, 0.0), ni - 1.0)
    y = min(max(y, 0.0), nj - 1.0)
    z = min(max(z, 0.0), nk - 1.0)
    i = min(int(x), max(ni - 2, 0))
    j = min(int(y), max(nj - 2, 0))
    k = min(int(z), max(nk - 2, 0))
    i1 = min(i + 1, ni - 1)
    j1 = min(j + 1, nj - 1)
    k1 = min(k + 1, nk - 1)
    u, v, w = x - i, y - j, z - k
    c00 = array[i, j, k] * (1 - w) + array[i, j, k1] * w
    c01 = array[i, j1, k] * (1 - w) + array[i, j1, k1] * w
    c10 = array[i1, j, k] * (1 - w) + array[i1, j, k1] * w
    c11 = array[i1, j1, k] * (1 - w) + array[i1, j1, k1] * w
    return (c00 * (1 - v) + c01 * v) * (1 - u) + (c10 * (1 - v) + c11 * v) * u


@njit(cache=True)
def _trilinear(array, inverse, points, out):  # type: ignore[no-untyped-def]
    for n in range(points.shape[0]):
        a, b, c = points[n, 0], points[n, 1], points[n, 2]
        x = inverse[0, 0] * a + inverse[0, 1] * b + inverse[0, 2] * c + inverse[0, 3]
        y = inverse[1, 0] * a + inverse[1, 1] * b + inverse[1, 2] * c + inverse[1, 3]
        z = inverse[2, 0] * a + inverse[2, 1] * b + inverse[2, 2] * c + inverse[2, 3]
        out[n] = trilinear_at(array, x, y, z)


def trilinear(volume: Volume, points: Floats, inverse: Floats | None = None) -> Floats:
    """Values (n,) of ``volume`` at RAS ``points`` (n, 3), trilinear between voxel centres.

    Points outside the grid take the value of the nearest voxel: ask :meth:`Volume.contains` where that matters.
    ``inverse`` may hand in ``volume.inverse`` when it is at hand.
    """
    flat = np.ascontiguousarray(points, dtype=np.float64).reshape(-1, 3)
    out = np.empty(len(flat))
    _trilinear(volume.array, volume.inverse if inverse is None else inverse, flat, out)
    return out.reshape(np.shape(points)[:-1])
