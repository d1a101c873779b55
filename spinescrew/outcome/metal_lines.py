"""Straight pieces of metal in a CT: where shafts and rods roughly are, before anything is fitted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label, map_coordinates
from scipy.spatial import cKDTree

from spinescrew.geometry.vectors import angle_deg, orthogonal_pair, unit
from spinescrew.geometry.volume import Volume

Floats = NDArray[np.float64]

_LEAST_METAL_HU = 2300.0
"""Dense cortex, even behind an edge-enhancing kernel, is below."""

_GRID_MM = 1.0
_LEAST_MM3 = 80.0
_SEEDS_APART_MM = 4.0
_AROUND_MM = 8.0
_LEAST_LINEAR = 0.55
_REACH_MM = 9.0
_ANGLES = np.arange(24) * (2 * np.pi / 24)
_RADII = np.arange(0.0, _REACH_MM, 0.5)
_WIDE = 1.3
"""A section this many times as wide as the shaft belongs to a head, or to whatever else is screwed to it."""

_WIDEST_MM = 5.5
_GAP_MM = 2.0
_MOST_ROUNDS = 5
"""A seed in a head follows head and shaft at first, as its radius is the head's; what does not settle is no line."""


@dataclass(frozen=True, eq=False)
class MetalLine:
    """A straight piece of metal of even thickness.

    Attributes
    ----------
    start, end:
        (3,) RAS mm.
    radius_mm:
        As seen above the threshold.
    start_free, end_free:
        Whether it ends in tissue there, and not in something wider.
    """

    start: Floats
    end: Floats
    radius_mm: float
    start_free: bool
    end_free: bool

    @property
    def length_mm(self) -> float:
        """From end to end."""
        return float(np.linalg.norm(self.end - self.start))

    @property
    def direction(self) -> Floats:
        """(3,) unit, from start to end."""
        return unit(self.end - self.start)

    def turned(self) -> MetalLine:
        """The same, end for end."""
        return replace(self, start=self.end, end=self.start, start_free=self.end_free, end_free=self.start_free)


def metal_threshold(ct: Volume) -> float:
    """HU above which a voxel is metal: half of what metal shows, at least 2300.

    Where the scale is cut off (3071, 3095, 4095), most of what metal would show is missing: there it is three quarters
    of the largest value.
    """
    bright = ct.array[ct.array > _LEAST_METAL_HU]
    if not bright.size:
        return _LEAST_METAL_HU
    top = float(bright.max())
    if saturation(ct) is not None:
        return max(0.75 * top, min(_LEAST_METAL_HU, 0.9 * top))
    return max(0.5 * float(np.percentile(bright, 90)), _LEAST_METAL_HU)


def saturation(ct: Volume) -> float | None:
    """The HU at which the scale is cut off, if it is: the largest value, where many voxels share it."""
    top = ct.array.max()
    if top < _LEAST_METAL_HU:
        return None
    at_top = int((ct.array == top).sum())
    bright = int((ct.array > 0.75 * float(top)).sum())
    return float(top) if at_top > max(30, 0.1 * bright) else None


def metal_lines(ct: Volume, threshold: float) -> list[MetalLine]:
    """All straight pieces, the longest first; none lies in another."""
    field = _metal_grid(ct, threshold)
    if field is None:
        return []
    seeds = _seeds(field, threshold)
    found: list[MetalLine] = []
    for point, direction in seeds:
        if any(_within(point, line) for line in found):
            continue
        traced = _trace(field, threshold, point, direction)
        if traced is not None and traced.length_mm > 2.5 * traced.radius_mm:
            found.append(traced)
    found.sort(key=lambda line: -line.length_mm)
    kept: list[MetalLine] = []
    for line in found:
        if not any(_same(line, other) for other in kept):
            kept.append(line)
    return kept


def _metal_grid(ct: Volume, threshold: float) -> Volume | None:
    """HU around the metal in cubic voxels of a millimetre along the image's axes; ``None`` without metal."""
    mask = ct.array > threshold
    if not mask.any():
        return None
    used = [np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis))) for axis in range(3)]
    pad = np.ceil(10.0 / ct.spacing).astype(int)
    low, high = (np.array([u[at] for u in used]) for at in (0, -1))
    box = ct.crop(low - pad, high + 1 + pad)
    size = np.maximum(np.floor((np.array(box.shape) - 1) * box.spacing / _GRID_MM), 1).astype(int) + 1
    affine = box.affine.copy()
    affine[:3, :3] = box.affine[:3, :3] / box.spacing * _GRID_MM
    index = np.indices(tuple(size), dtype=np.float32).reshape(3, -1) * (_GRID_MM / box.spacing)[:, None]
    values = map_coordinates(box.array.astype(np.float32), index, order=1, mode="nearest")
    return Volume(values.reshape(tuple(size)), affine)


def _seeds(field: Volume, threshold: float) -> list[tuple[Floats, Floats]]:
    """Points inside straight metal with its direction there, the straightest first."""
    pieces, _ = label(field.array > threshold, np.ones((3, 3, 3)))
    sizes = np.bincount(pieces.ravel()) * _GRID_MM**3
    sizes[0] = 0
    index = np.argwhere(sizes[pieces] > _LEAST_MM3)
    if not len(index):
        return []
    points = field.index_to_ras(index)
    owner = pieces[tuple(index.T)]
    cells = np.unique((index // round(_SEEDS_APART_MM / _GRID_MM)), axis=0, return_index=True)[1]
    tree = cKDTree(points)
    found = []
    for n in cells:
        near = np.array(tree.query_ball_point(points[n], _AROUND_MM))
        near = near[owner[near] == owner[n]]
        if len(near) < 20:
            continue
        middle = points[near].mean(axis=0)
        spread, axes = np.linalg.eigh(np.cov((points[near] - middle).T))
        linear = float((spread[2] - spread[1]) / spread[2])
        if linear > _LEAST_LINEAR:
            found.append((linear, middle, axes[:, 2]))
    found.sort(key=lambda each: -each[0])
    return [(middle, direction) for _, middle, direction in found]


def section(field: Volume, threshold: float, point: Floats, u: Floats, v: Floats) -> tuple[Floats, Floats]:
    """Radii (24,) of the metal around ``point`` in the plane of ``u`` and ``v``, and its centroid (2,) there.

    All radii are 0 where the point is not in metal.
    """
    ways = np.cos(_ANGLES)[:, None] * u + np.sin(_ANGLES)[:, None] * v
    places = point + _RADII[None, :, None] * ways[:, None, :]
    values = _sampled(field, places)
    inside = values > threshold
    if not inside[:, 0].all():
        return np.zeros(len(_ANGLES)), np.zeros(2)
    out = np.where(inside.all(axis=1), len(_RADII) - 1, (~inside).argmax(axis=1))
    rows = np.arange(len(_ANGLES))
    before, after = values[rows, np.maximum(out - 1, 0)], values[rows, out]
    part = np.clip((before - threshold) / np.maximum(before - after, 1e-6), 0.0, 1.0)
    radii = np.minimum((out - 1 + part) * (_RADII[1] - _RADII[0]), _REACH_MM)
    capped = np.minimum(radii, 1.3 * np.median(radii))
    weights = capped**3 / 3
    area = (capped**2 / 2).sum()
    centre = np.array([(weights * np.cos(_ANGLES)).sum(), (weights * np.sin(_ANGLES)).sum()]) / max(area, 1e-9)
    return radii, centre


def _sampled(field: Volume, points: Floats) -> Floats:
    at = np.moveaxis(field.ras_to_index(points), -1, 0)
    return np.asarray(map_coordinates(field.array, at, order=1, mode="nearest"), dtype=np.float64)


def _trace(field: Volume, threshold: float, point: Floats, direction: Floats) -> MetalLine | None:
    """Follow the metal both ways from a seed as long as it is straight and no wider."""
    centre, axis, radius = _centred(field, threshold, point, direction)
    if not 0.8 < radius < _WIDEST_MM:
        return None
    ends: list[tuple[Floats, bool]] = []
    for _ in range(_MOST_ROUNDS):
        followed = radius
        stations: list[tuple[float, Floats]] = []
        ends = []
        for sign in (-1.0, 1.0):
            reach, free, seen = _follow(field, threshold, centre, sign * axis, radius)
            ends.append((centre + sign * reach * axis, free))
            stations += [(sign * s, p) for s, p in seen]
        if len(stations) < 5:
            return None
        points = np.array([p for _, p in stations])
        middle = points.mean(axis=0)
        _, _, rows = np.linalg.svd(points - middle)
        line = rows[0] * np.sign(rows[0] @ axis)
        if angle_deg(line, axis) > 12.0 and len(stations) < 10:
            return None
        centre, axis = middle, line
        radius = _usual_radius(field, threshold, points, axis)
        if abs(radius - followed) < 0.05 * radius:
            break
    else:
        return None
    first, last = (centre + ((end - centre) @ axis) * axis for end, _ in ends)
    return MetalLine(first, last, radius, ends[0][1], ends[1][1])


def _centred(field: Volume, threshold: float, point: Floats, direction: Floats) -> tuple[Floats, Floats, float]:
    u, v = orthogonal_pair(direction, (0.0, 0.0, 1.0))
    for _ in range(3):
        radii, offset = section(field, threshold, point, u, v)
        point = point + offset[0] * u + offset[1] * v
    return point, direction, float(np.median(radii))


def _follow(
    field: Volume, threshold: float, start: Floats, direction: Floats, radius: float
) -> tuple[float, bool, list[tuple[float, Floats]]]:
    """How far the shaft reaches, whether it ends in tissue, and centres (3,) of its sections by distance."""
    u, v = orthogonal_pair(direction, (0.0, 0.0, 1.0))
    seen: list[tuple[float, Floats]] = []
    off, lost, last = np.zeros(2), 0.0, 0.0
    for s in np.arange(0.5, 130.0, 1.0):
        at = start + s * direction + off[0] * u + off[1] * v
        radii, offset = section(field, threshold, at, u, v)
        middle = float(np.median(radii))
        if middle == 0.0:
            lost += 1.0
            if lost > _GAP_MM:
                return last, True, seen
            continue
        lost = 0.0
        if middle > _WIDE * radius:
            return last, False, seen
        if np.linalg.norm(off + offset) > 0.6 + 0.12 * s:
            return last, True, seen
        off = 0.7 * off + 0.3 * (off + offset)
        last = float(s)
        seen.append((last, at + offset[0] * u + offset[1] * v))
    return last, False, seen


def _usual_radius(field: Volume, threshold: float, points: Floats, axis: Floats) -> float:
    u, v = orthogonal_pair(axis, (0.0, 0.0, 1.0))
    medians = [float(np.median(section(field, threshold, point, u, v)[0])) for point in points[::2]]
    return float(np.median([m for m in medians if m > 0] or [0.0]))


def _within(point: Floats, line: MetalLine) -> bool:
    arm = point - line.start
    along = float(arm @ line.direction)
    aside = float(np.linalg.norm(arm - along * line.direction))
    return -1.0 < along < line.length_mm + 1.0 and aside < 0.8 * line.radius_mm


def _same(line: MetalLine, other: MetalLine) -> bool:
    """Whether most of a line lies along another."""
    along = np.linspace(0.15, 0.85, 8)[:, None]
    points: Any = line.start + along * (line.end - line.start)
    arm = points - other.start
    depth = arm @ other.direction
    aside = np.linalg.norm(arm - depth[:, None] * other.direction, axis=1)
    inside = (depth > -2) & (depth < other.length_mm + 2) & (aside < 1.5 + 0.5 * other.radius_mm)
    angle = angle_deg(line.direction, other.direction)
    return bool(inside.mean() > 0.5 and min(angle, 180 - angle) < 25.0)
