"""Straight lines through the bone of C2, compared by how deep below its surface they stay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spinescrew.geometry.sampling import trilinear_at
from spinescrew.geometry.sdf import SignedDistance
from spinescrew.geometry.vectors import unit

Floats = NDArray[np.float64]

_STEP_MM = 0.5
_LONGEST_MM = 45.0
_DEEP_ENOUGH_MM = 4.5
_LAST_START_MM = -1.0
_PER_MM, _PER_SLOPE = 0.02, 0.3
_LEADERS, _FLATTENED_MM = 40, 0.5


@dataclass(frozen=True, eq=False)
class Aim:
    """Where a search of lines begins.

    Attributes
    ----------
    point, direction:
        (3,) RAS: a point of the first line and its unit direction.
    u, v:
        Unit vectors (3,) across it; lines are shifted and turned along both.
    """

    point: Floats
    direction: Floats
    u: Floats
    v: Floats

    def lines(self, moves: Floats) -> tuple[Floats, Floats]:
        """Points and unit directions (n, 3) of ``moves`` (n, 4): mm along u and v, slopes along u and v."""
        through = self.point + moves[:, :1] * self.u + moves[:, 1:2] * self.v
        return through, unit(self.direction + moves[:, 2:3] * self.u + moves[:, 3:] * self.v)


@dataclass(frozen=True)
class Stretch:
    """Which part of a line counts; mm along it from its point.

    The bone of the entry is opened on purpose: what counts begins ``opening_mm`` past the point where the line enters
    bone and ends at ``ahead_mm``. The entry is looked for from ``rooted_mm`` behind the point up to ``behind_mm``.
    """

    ahead_mm: float
    behind_mm: float = 26.0
    rooted_mm: float = 6.0
    opening_mm: float = 5.0


@dataclass(frozen=True, eq=False)
class Line:
    """A line in bone: ``point`` and ``direction`` (3,) RAS, where it enters bone, and the least depth that counts.

    ``entry_mm`` is the signed distance along the line from ``point`` (negative: behind it); ``depth_mm`` is negative
    where the line leaves the bone.
    """

    point: Floats
    direction: Floats
    entry_mm: float
    depth_mm: float

    def at(self, along_mm: float) -> Floats:
        """(3,) RAS."""
        return self.point + along_mm * self.direction


def deepest_line(
    bone: SignedDistance, aim: Aim, stretch: Stretch, rounds: tuple[tuple[float, float, int], ...]
) -> Line:
    """The line whose least depth is greatest; among equally deep ones the nearest to ``aim``.

    Each of ``rounds`` is (mm of shift, degrees of turn, number of steps along each), around the best line so far.
    """
    best = np.zeros(4)
    for shift, turn, count in rounds:
        places, slopes = np.linspace(-shift, shift, count), np.tan(np.radians(np.linspace(-turn, turn, count)))
        moves = best + np.stack(np.meshgrid(places, places, slopes, slopes, indexing="ij"), axis=-1).reshape(-1, 4)
        score = _score(_least_depth(bone, *aim.lines(moves), stretch)[0], moves)
        best = moves[int(np.argmax(score))]
    leaders = moves[np.argsort(-score, kind="stable")[:_LEADERS]]
    through, directions = aim.lines(leaders)
    entry = _least_depth(bone, through, directions, stretch)[1]
    depth = np.array([_true_depth(bone, *line, stretch) for line in zip(through, directions, entry, strict=True)])
    n = int(np.argmax(_score(depth, leaders)))
    return Line(through[n], directions[n], float(entry[n]), float(depth[n]))


def _score(depth: Floats, moves: Floats) -> Floats:
    """Depth, and a little for staying near the line that the search began with.

    Rounded, so that of lines that differ by nothing else the same one is taken in a mirror.
    """
    away = _PER_MM * np.abs(moves[:, :2]).sum(axis=1) + _PER_SLOPE * np.abs(moves[:, 2:]).sum(axis=1)
    return np.round(np.minimum(depth, _DEEP_ENOUGH_MM) - away, 6)


def _true_depth(bone: SignedDistance, point: Floats, direction: Floats, entry: float, stretch: Stretch) -> float:
    """Least depth of one line, by :func:`ball_depth` where the line is about as deep as at its worst."""
    along = np.arange(_first_counted(entry, stretch), stretch.ahead_mm + 0.01, _STEP_MM)
    points = point + along[:, None] * direction
    coarse = -bone.sample(points)
    return float(ball_depth(bone, points[coarse < coarse.min() + _FLATTENED_MM]).min())


def length_inside(bone: SignedDistance, line: Line, radius_mm: float, stretch: Stretch) -> float:
    """Length in mm from the entry of the longest shaft of this radius that lies in bone.

    0 where it leaves the bone before it has passed the line's point: such a shaft holds in nothing.
    """
    along = np.arange(_first_counted(line.entry_mm, stretch), line.entry_mm + _LONGEST_MM, _STEP_MM)
    outside = np.flatnonzero(ball_depth(bone, line.point + along[:, None] * line.direction) < radius_mm)
    last = outside[0] - 1 if len(outside) else len(along) - 1
    return float(along[last] - line.entry_mm) if last >= 0 and along[last] >= 0.0 else 0.0


def _least_depth(bone: SignedDistance, through: Floats, directions: Floats, stretch: Stretch) -> tuple[Floats, Floats]:
    """Least depth (n,) of each line where it counts, and where (n,) it enters bone."""
    along = np.arange(-stretch.behind_mm, stretch.ahead_mm + 0.01, _STEP_MM)
    depth = -bone.sample(through[:, None] + along[None, :, None] * directions[:, None])
    # The bone that the point lies in: behind it may follow other bone after a gap.
    behind = np.where((depth > 0.0) | (along > -stretch.rooted_mm), -np.inf, along).max(axis=1)
    entry = np.maximum(behind, along[0])
    counted = along >= _first_counted(entry, stretch)[:, None]
    return np.where(counted, depth, np.inf).min(axis=1), entry


def _first_counted(entry: Any, stretch: Stretch) -> Any:
    """Where, along lines that enter bone at ``entry``, their depth begins to count."""
    return np.minimum(entry + stretch.opening_mm, _LAST_START_MM)


def ball_depth(bone: SignedDistance, points: Floats) -> Floats:
    """Radius (n,) of the largest ball around each of ``points`` (n, 3) that lies in bone, negative outside.

    Half-way between two walls a distance field on a grid is too flat by up to half a voxel: here the walls are met by
    rays, and only where they are near.
    """
    depth = -bone.sample(points)
    near = np.flatnonzero((depth > 0.0) & (depth < _DEEP_ENOUGH_MM))
    found = np.empty(len(near))
    _nearest_walls(bone.volume.array, bone.inverse, points[near], _BALL, 2.0 * _DEEP_ENOUGH_MM, found)
    depth[near] = found
    return depth


@njit(cache=True)
def _nearest_walls(array, inverse, points, rays, reach, out):  # type: ignore[no-untyped-def]
    for n in range(points.shape[0]):
        nearest = reach
        for m in range(rays.shape[0]):
            t, last, before = 0.0, 0.0, 0.0
            while last < nearest:
                a, b, c = points[n, 0] + t * rays[m, 0], points[n, 1] + t * rays[m, 1], points[n, 2] + t * rays[m, 2]
                x = inverse[0, 0] * a + inverse[0, 1] * b + inverse[0, 2] * c + inverse[0, 3]
                y = inverse[1, 0] * a + inverse[1, 1] * b + inverse[1, 2] * c + inverse[1, 3]
                z = inverse[2, 0] * a + inverse[2, 1] * b + inverse[2, 2] * c + inverse[2, 3]
                value = trilinear_at(array, x, y, z)
                if value > 0.0:
                    nearest = min(nearest, last + (t - last) * before / (before + value) if t > 0.0 else 0.0)
                    break
                last, before = t, -value
                t += max(0.15, 0.8 * before)
        out[n] = nearest


def _spread(count: int) -> Floats:
    """Unit vectors (count, 3) spread evenly over the sphere."""
    n = np.arange(count) + 0.5
    height, turn = 1.0 - 2.0 * n / count, np.pi * (1.0 + np.sqrt(5.0)) * n
    ring = np.sqrt(1.0 - height**2)
    return np.stack([ring * np.cos(turn), ring * np.sin(turn), height], axis=1)


_HALF_BALL = _spread(128)
_BALL = np.concatenate([_HALF_BALL, _HALF_BALL * (-1.0, 1.0, 1.0)])
"""Rays that are the same in a mirror, as what is measured with them has to be."""
