"""Closed surfaces put together from simple solids; all triangles run anticlockwise seen from outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.errors import InputError
from spinescrew.geometry.vectors import orthogonal_pair, unit

Floats = NDArray[np.float64]
Triangles = NDArray[np.int64]
Mesh = tuple[Floats, Triangles]
"""(n, 3) mm, and (m, 3) indices."""

_UPRIGHT = np.eye(3)

NOTHING: Mesh = (np.zeros((0, 3)), np.zeros((0, 3), dtype=np.int64))


def joined(*meshes: Mesh) -> Mesh:
    """Several surfaces as one; they stay apart, and where they overlap a ray counts each."""
    shifts = np.cumsum([0, *[len(points) for points, _ in meshes]])
    triangles = [faces + shift for (_, faces), shift in zip(meshes, shifts, strict=False)]
    return (np.vstack([points for points, _ in meshes]), np.vstack(triangles)) if meshes else NOTHING


def placed(mesh: Mesh, matrix: Any) -> Mesh:
    """A surface moved by a rigid 4x4."""
    move = np.asarray(matrix, dtype=np.float64)
    return mesh[0] @ move[:3, :3].T + move[:3, 3], mesh[1]


def sewn(rings: Sequence[Floats], first: Any, last: Any) -> Mesh:
    """The solid between rings of equally many points, closed by a point at either end.

    Parameters
    ----------
    rings:
        Each (n, 3), anticlockwise about the way from the first ring to the last.
    first, last:
        (3,) points that close the two ends.
    """
    around, count = len(rings[0]), len(rings)
    points = np.vstack([*rings, np.asarray(first)[None], np.asarray(last)[None]])
    k, after = np.arange(around), (np.arange(around) + 1) % around
    start, end = count * around, (count - 1) * around
    head = np.column_stack([np.full(around, start), after, k])
    tip = np.column_stack([np.full(around, start + 1), end + k, end + after])
    return points, np.concatenate([head, between_rings(around, count), tip])


def between_rings(around: int, count: int) -> Triangles:
    """Triangles of the wall between ``count`` rings of ``around`` points that follow one another."""
    k, after = np.arange(around), (np.arange(around) + 1) % around
    low = (np.arange(count - 1) * around)[:, None]
    a, b, c, d = low + k, low + after, low + around + k, low + around + after
    return np.concatenate([np.stack([a, b, d], -1).reshape(-1, 3), np.stack([a, d, c], -1).reshape(-1, 3)])


def circle(radius: float, z: float, around: int) -> Floats:
    """(around, 3) points of a circle about the z-axis, anticlockwise seen from +z."""
    angles = 2 * np.pi * np.arange(around) / around
    return np.column_stack([radius * np.cos(angles), radius * np.sin(angles), np.full(around, float(z))])


def turned(profile: Sequence[tuple[float, float]], around: int = 32) -> Mesh:
    """The solid of revolution of ``(radius, z)`` pairs with growing z, about the z-axis, flat at both ends."""
    rings = [circle(radius, z, around) for radius, z in profile]
    return sewn(rings, (0, 0, profile[0][1]), (0, 0, profile[-1][1]))


def tube(points: Any, radius_mm: float, around: int = 20) -> Mesh:
    """A round bar along a line, its ends chamfered.

    Parameters
    ----------
    points:
        (n, 3) mm, n >= 2, close enough together to be drawn as they are.
    radius_mm:
        Its radius; the line should nowhere bend more sharply than that.

    Raises
    ------
    InputError
        If two points that follow one another coincide.
    """
    line = np.asarray(points, dtype=np.float64)
    steps = np.linalg.norm(np.diff(line, axis=0), axis=1)
    if len(line) < 2 or steps.min() < 1e-9:
        raise InputError("a rod needs two points or more, none of them twice in a row")
    ways = unit(np.diff(line, axis=0))
    tangents = unit(np.vstack([ways[:1], ways[:-1] + ways[1:], ways[-1:]]))
    across, _ = orthogonal_pair(tangents[0], np.eye(3)[np.argmin(np.abs(tangents[0]))])
    angles = 2 * np.pi * np.arange(around) / around
    rings = []
    for place, tangent in zip(line, tangents, strict=True):
        # Carried along without turning about the line, so that the tube does not twist.
        across, beside = orthogonal_pair(tangent, across)
        ring = np.cos(angles)[:, None] * across + np.sin(angles)[:, None] * beside
        rings.append(place + radius_mm * ring)
    chamfer = min(0.15 * radius_mm, 0.25 * float(steps[[0, -1]].min()))
    for at, way in ((0, tangents[0]), (-1, -tangents[-1])):
        end = line[at] + (1 - chamfer / radius_mm) * (rings[at] - line[at])
        rings[at] = rings[at] + chamfer * way
        rings.insert(0 if at == 0 else len(rings), end)
    return sewn(rings, line[0], line[-1])


def prism(outline: Any, low: float, high: float, axes: Any = _UPRIGHT, origin: Any = (0, 0, 0)) -> Mesh:
    """A flat shape pulled straight.

    Parameters
    ----------
    outline:
        (n, 2) corners, anticlockwise, without crossing itself.
    low, high:
        From where to where it is pulled along the third axis.
    axes, origin:
        Rows (3, 3): where the outline's two directions and the third one point (right-handed); (3,) its origin.
    """
    flat = np.asarray(outline, dtype=np.float64)
    count = len(flat)
    ends = [np.column_stack([flat, np.full(count, height)]) for height in (low, high)]
    k, after = np.arange(count), (np.arange(count) + 1) % count
    cap = _ears(flat)
    walls = [np.column_stack([k, after, after + count]), np.column_stack([k, after + count, k + count])]
    points = np.vstack(ends) @ np.asarray(axes, dtype=np.float64) + np.asarray(origin, dtype=np.float64)
    return points, np.vstack([cap[:, ::-1], cap + count, *walls])


def _ears(flat: Floats) -> Triangles:
    """Triangles (n - 2, 3) of a simple polygon: ears are cut off until one is left."""
    left = list(range(len(flat)))
    found = []
    while len(left) > 3:
        place = next((at for at in range(len(left)) if _is_ear(flat, left, at)), None)
        if place is None:
            raise InputError("an outline crosses itself or runs clockwise; list its corners anticlockwise")
        found.append([left[place - 1], left[place], left[(place + 1) % len(left)]])
        del left[place]
    return np.array([*found, left], dtype=np.int64)


def _is_ear(flat: Floats, left: list[int], at: int) -> bool:
    a, b, c = flat[left[at - 1]], flat[left[at]], flat[left[(at + 1) % len(left)]]
    if _area(a, b, c) <= 1e-12:
        return False
    others = flat[[k for k in left if k not in (left[at - 1], left[at], left[(at + 1) % len(left)])]].T
    inside = (_area(a, b, others) >= 0) & (_area(b, c, others) >= 0) & (_area(c, a, others) >= 0)
    return not bool(np.any(inside))


def _area(a: Any, b: Any, c: Any) -> Any:
    """Twice the signed area of triangles; ``c`` may be many (2, n)."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
