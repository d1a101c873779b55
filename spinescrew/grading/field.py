"""A signed distance field and an image's grid as compiled code reads them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spinescrew.geometry.sampling import trilinear_at
from spinescrew.geometry.sdf import SignedDistance
from spinescrew.geometry.volume import Volume

Floats = NDArray[np.float64]

LEAST_STEP_MM = 0.25
"""Rays that graze a wall go on by at least this much."""


class Field(NamedTuple):
    """``array`` (ni, nj, nk) of distances in mm, ``inverse`` 4x4 RAS to index, ``linear`` 3x3 index to mm."""

    array: NDArray[np.float32]
    inverse: Floats
    linear: Floats


class Grid(NamedTuple):
    """An image's box: ``inverse`` 4x4 RAS to index, ``shape`` (3,), ``spacing`` (3,) mm."""

    inverse: Floats
    shape: Floats
    spacing: Floats


def field_of(bone: SignedDistance) -> Field:
    """The field of a signed distance."""
    array = np.ascontiguousarray(bone.volume.array, dtype=np.float32)
    return Field(array, bone.inverse, np.array(bone.volume.affine[:3, :3]))


def grid_of(volume: Volume) -> Grid:
    """The box of an image."""
    return Grid(volume.inverse, np.array(volume.shape, dtype=np.float64), volume.spacing)


@njit(cache=True)
def distance_at(field, x, y, z):  # type: ignore[no-untyped-def]
    """Signed distance in mm at a RAS point; outside the grid it grows with the distance to the grid."""
    m = field.inverse
    i = m[0, 0] * x + m[0, 1] * y + m[0, 2] * z + m[0, 3]
    j = m[1, 0] * x + m[1, 1] * y + m[1, 2] * z + m[1, 3]
    k = m[2, 0] * x + m[2, 1] * y + m[2, 2] * z + m[2, 3]
    value = trilinear_at(field.array, i, j, k)
    ni, nj, nk = field.array.shape
    p = i - min(max(i, 0.0), ni - 1.0)
    q = j - min(max(j, 0.0), nj - 1.0)
    r = k - min(max(k, 0.0), nk - 1.0)
    if p == 0.0 and q == 0.0 and r == 0.0:
        return value
    a = field.linear
    x = a[0, 0] * p + a[0, 1] * q + a[0, 2] * r
    y = a[1, 0] * p + a[1, 1] * q + a[1, 2] * r
    z = a[2, 0] * p + a[2, 1] * q + a[2, 2] * r
    return value + np.sqrt(x * x + y * y + z * z)


@njit(cache=True)
def gradient_at(field, x, y, z):  # type: ignore[no-untyped-def]
    """Unit direction (3 floats) in which the distance grows fastest; zeros where it is level."""
    h = 0.5
    a = distance_at(field, x + h, y, z) - distance_at(field, x - h, y, z)
    b = distance_at(field, x, y + h, z) - distance_at(field, x, y - h, z)
    c = distance_at(field, x, y, z + h) - distance_at(field, x, y, z - h)
    size = np.sqrt(a * a + b * b + c * c)
    if size < 1e-9:
        return 0.0, 0.0, 0.0
    return a / size, b / size, c / size


@njit(cache=True)
def in_view(grid, x, y, z, margin):  # type: ignore[no-untyped-def]
    """Whether a RAS point lies at least ``margin`` mm inside the image's box (voxel edges included)."""
    for axis in range(3):
        m = grid.inverse[axis]
        index = m[0] * x + m[1] * y + m[2] * z + m[3]
        room = margin / grid.spacing[axis] - 0.5
        if index < room or index > grid.shape[axis] - 1.0 - room:
            return False
    return True


@njit(cache=True)
def ray_wall(field, x, y, z, dx, dy, dz, reach):  # type: ignore[no-untyped-def]
    """How far a ray of unit direction runs inside bone, at most ``reach``; 0 where it starts outside."""
    before = distance_at(field, x, y, z)
    if before > 0.0:
        return 0.0
    at, r = 0.0, max(-before, LEAST_STEP_MM)
    while r < reach:
        value = distance_at(field, x + r * dx, y + r * dy, z + r * dz)
        if value > 0.0:
            return at + (r - at) * before / (before - value)
        before, at = value, r
        r += max(-value, LEAST_STEP_MM)
    return reach


@njit(cache=True)
def sees(field, x, y, z, dx, dy, dz, length):  # type: ignore[no-untyped-def]
    """Whether ``length`` mm along a unit direction are all in bone; the far end itself is not looked at."""
    r = 0.0
    while r < length:
        value = distance_at(field, x + r * dx, y + r * dy, z + r * dz)
        if value > 0.0:
            return False
        r += max(-value, LEAST_STEP_MM)
    return True


@njit(cache=True)
def radius_at(shaft, t):  # type: ignore[no-untyped-def]
    """Outer radius of a shaft at depth ``t``."""
    from_tip = shaft.length - t
    if shaft.taper <= 0.0 or from_tip >= shaft.taper:
        return shaft.radius
    return shaft.tip_radius + (shaft.radius - shaft.tip_radius) * max(from_tip, 0.0) / shaft.taper


@njit(cache=True)
def dot(a, b):  # type: ignore[no-untyped-def]
    """Scalar product of two (3,) vectors."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
