"""Straight lines through a signed distance field."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spinescrew.geometry.sampling import trilinear_at
from spinescrew.geometry.sdf import SignedDistance

Floats = NDArray[np.float64]


def exit_distance(
    bone: SignedDistance, origins: Any, directions: Any, reach_mm: float, bridge_mm: float = 0.0, step_mm: float = 0.4
) -> Floats:
    """How far each ray runs inside before it leaves the surface.

    Parameters
    ----------
    origins, directions:
        (n, 3) or (3,) RAS; directions are unit vectors.
    reach_mm:
        Length of the rays.
    bridge_mm:
        Holes along the ray up to this long are crossed.

    Returns
    -------
    (n,) mm, interpolated between samples; 0 where the origin is outside (and no bone follows within ``bridge_mm``),
    infinity where the ray is still inside at ``reach_mm``.
    """
    start, along = np.broadcast_arrays(np.atleast_2d(origins).astype(float), np.atleast_2d(directions).astype(float))
    t = np.arange(0.0, reach_mm + step_mm, step_mm)
    values = bone.sample(start[:, None, :] + t[None, :, None] * along[:, None, :])
    inside = values <= 0
    holes = max(round(bridge_mm / step_mm), 0)
    out = np.empty(len(start))
    for n in range(len(start)):
        out[n] = _first_exit(values[n], inside[n], t, holes)
    return out


def _first_exit(values: Floats, inside: NDArray[np.bool_], t: Floats, holes: int) -> float:
    last = -1
    for m in np.flatnonzero(inside):
        if m - last > holes + 1:
            break
        last = int(m)
    if last < 0:
        return 0.0
    if last + 1 >= len(t):
        return float("inf")
    rise = values[last + 1] - values[last]
    part = -values[last] / rise if rise > 0 else 0.0
    return float(t[last] + min(max(part, 0.0), 1.0) * (t[1] - t[0]))


def first_hit(bone: SignedDistance, origins: Any, directions: Any, reach_mm: float, step_mm: float = 0.4) -> Floats:
    """Distance (n,) at which each ray first meets the surface from outside; infinity where it meets none."""
    start, along = np.broadcast_arrays(np.atleast_2d(origins).astype(float), np.atleast_2d(directions).astype(float))
    t = np.arange(0.0, reach_mm + step_mm, step_mm)
    values = bone.sample(start[:, None, :] + t[None, :, None] * along[:, None, :])
    inside = values <= 0
    first = inside.argmax(axis=1)
    rows = np.arange(len(start))
    before = values[rows, np.maximum(first - 1, 0)]
    after = values[rows, first]
    part = np.where(first > 0, before / np.maximum(before - after, 1e-9), 0.0)
    hit = np.maximum(first - 1 + part, 0) * step_mm
    return np.where(inside.any(axis=1), hit, np.inf)


@njit(cache=True)
def _section_radii(array, inverse, centre, u, v, angles, cap, out):  # type: ignore[no-untyped-def]
    for n in range(angles.shape[0]):
        c, s = np.cos(angles[n]), np.sin(angles[n])
        t = 0.0
        before, last = 0.0, 0.0
        while t < cap:
            a = centre[0] + t * (c * u[0] + s * v[0])
            b = centre[1] + t * (c * u[1] + s * v[1])
            d = centre[2] + t * (c * u[2] + s * v[2])
            x = inverse[0, 0] * a + inverse[0, 1] * b + inverse[0, 2] * d + inverse[0, 3]
            y = inverse[1, 0] * a + inverse[1, 1] * b + inverse[1, 2] * d + inverse[1, 3]
            z = inverse[2, 0] * a + inverse[2, 1] * b + inverse[2, 2] * d + inverse[2, 3]
            value = trilinear_at(array, x, y, z)
            if value > 0.0:
                if t > 0.0:
                    t = last + (t - last) * before / (before + value)
                break
            before, last = -value, t
            t += max(0.15, 0.8 * before)
        out[n] = min(t, cap)


def section_radii(bone: SignedDistance, centre: Any, u: Any, v: Any, angles: Any, cap_mm: float) -> Floats:
    """Radii (n,) in mm from ``centre`` to the first wall, in the plane of the unit vectors ``u`` and ``v``.

    ``angles`` (n,) in radians count from ``u`` towards ``v``. A ray that meets no wall within ``cap_mm`` gets that
    value; all are 0 where ``centre`` lies outside.
    """
    out = np.empty(len(angles))
    point, first, second = (np.ascontiguousarray(x, dtype=np.float64) for x in (centre, u, v))
    _section_radii(bone.volume.array, bone.inverse, point, first, second, angles, float(cap_mm), out)
    return out
