"""Small vector algebra that every floor needs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def unit(vector: Any) -> Floats:
    """``vector`` (..., 3) scaled to length one."""
    values = np.asarray(vector, dtype=np.float64)
    return values / np.linalg.norm(values, axis=-1, keepdims=True)


def cross(first: Any, second: Any) -> Floats:
    """Cross product of two vectors (3,): for single vectors much quicker than NumPy's, which is made for many."""
    ax, ay, az = first
    bx, by, bz = second
    return np.array([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx])


def angle_deg(first: Any, second: Any) -> float:
    """Angle between two vectors in degrees, accurate for small angles too."""
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    return float(np.degrees(np.arctan2(np.linalg.norm(cross(a, b)), a @ b)))


def orthogonal_pair(direction: Any, hint: Any) -> tuple[Floats, Floats]:
    """Two unit vectors (u, v) at right angles to ``direction`` and to each other, u as near ``hint`` as possible.

    ``direction``, u, v form a right-handed triple (u x v = direction).
    """
    d = unit(direction)
    h = np.asarray(hint, dtype=np.float64)
    u = h - (h @ d) * d
    if np.linalg.norm(u) < 1e-9:
        u = np.eye(3)[np.argmin(np.abs(d))] - d[np.argmin(np.abs(d))] * d
    u = unit(u)
    return u, cross(d, u)


def rotation(axis: Any, degrees: float) -> Floats:
    """3x3 rotation by ``degrees`` about ``axis`` (right-hand rule)."""
    k = unit(axis)
    angle = np.radians(degrees)
    skew = np.array([[0, -k[2], k[1]], [k[2], 0, -k[0]], [-k[1], k[0], 0]])
    return np.eye(3) + np.sin(angle) * skew + (1 - np.cos(angle)) * (skew @ skew)
