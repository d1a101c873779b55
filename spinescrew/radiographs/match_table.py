"""What each screw of one view and each of the other would be, were they the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.geometry.vectors import unit
from spinescrew.radiographs.seen import SeenScrew
from spinescrew.radiographs.view import View

Floats = NDArray[np.float64]

LENGTH_MM = (12.0, 130.0)
"""Of any pedicle screw, a calibration error allowed for."""

_USUAL_LENGTH_MM, _LENGTH_SPREAD_MM = 45.0, 15.0
_SIZE_SPREAD_MM = (0.5, 2.0)
"""How far measured diameters and lengths are from the true ones before any refinement."""

_WIDTH_SPREAD_MM = 0.6
_TERM_CAP = 9.0
LOOSE_PX = 2.0
"""How far two peaks that run into one lie off it, standard deviation."""

SHIFT_MM, TURN_RAD = 2.5, 0.021
"""How far one view's calibration may be off against the other's, standard deviation of each component (1.2 degrees)."""

_CROWD_PX, _SAME_PX = 6.0, 0.01
_BESIDE_MM, _ACROSS = 10.0, 0.7


@dataclass(frozen=True, eq=False)
class MatchTable:
    """For n screws of view 1 and m of view 2.

    Attributes
    ----------
    necks, tips:
        (n, m, 3) triangulated, RAS mm.
    gaps:
        (n, m, 2) signed distance in mm between the rays of the necks and of the tips.
    normals:
        (n, m, 2, 3) unit vectors along those gaps.
    loose:
        (n, m, 2) standard deviation in mm that crowded peaks add to the gaps: two that run together pull at each other.
    lengths, diameters:
        (n, m) mm; NaN where no width was seen.
    other:
        (n, m) cost of everything but the gaps, infinite where the pair is no screw.
    across:
        (3,) mean direction of the gaps.
    centre:
        (3,) about which turns of the calibration are counted.
    scale_mm:
        Size of a pixel at the screws.
    """

    necks: Floats
    tips: Floats
    gaps: Floats
    normals: Floats
    loose: Floats
    lengths: Floats
    diameters: Floats
    other: Floats
    across: Floats
    centre: Floats
    scale_mm: float

    def _influence(self, index: tuple[Any, ...] = ()) -> Floats:
        """(..., 2, 6) change of the gaps with a shift and a turn of everything view 2 sees."""
        points = np.stack([self.necks[index], self.tips[index]], axis=-2) - self.centre
        return np.concatenate([self.normals[index], np.cross(points, self.normals[index])], axis=-1)

    def offset(self, links: Sequence[tuple[int, int]], gap_mm: float) -> Floats:
        """(6,) shift and turn that explain the gaps of these pairs best, held small; outliers count little."""
        if not links:
            return np.zeros(6)
        index = tuple(np.array(links).T)
        rows, seen = self._influence(index).reshape(-1, 6), self.gaps[index].ravel()
        prior = np.diag(np.repeat([SHIFT_MM, TURN_RAD], 3) ** -2.0)
        weight = np.ones(len(seen))
        sigma = np.hypot(gap_mm, self.loose[index].ravel())
        found = np.zeros(6)
        for _ in range(4):
            scaled = rows * (weight / sigma**2)[:, None]
            found = np.linalg.solve(scaled.T @ rows + prior, scaled.T @ seen)
            left = np.abs(seen - rows @ found) / sigma
            weight = np.minimum(1.0, 2.5 / np.maximum(left, 1e-9))
        return np.asarray(found)

    def gaps_left(self, links: Sequence[tuple[int, int]], offset: Floats) -> Floats:
        """(pairs, 2) gaps of these pairs beside an offset."""
        index = tuple(np.array(links).T)
        return np.asarray(self.gaps[index] - self._influence(index) @ offset)

    def all_gaps_left(self, offset: Floats) -> Floats:
        """(n, m, 2) the same of every pair."""
        return np.asarray(self.gaps - self._influence() @ offset)

    def stacked(self, one: tuple[int, int], other: tuple[int, int]) -> bool:
        """Whether two pairs that share a detection are no two screws: they hide each other only across the midline."""
        way = (self.necks[one] + self.tips[one] - self.necks[other] - self.tips[other]) / 2
        return bool(abs(way[0]) < max(_BESIDE_MM, _ACROSS * float(np.linalg.norm(way))))

    def furthest(self, links: Sequence[tuple[int, int]], others: Sequence[tuple[int, int]]) -> float:
        """The most that one of the screws moves, in mm at an end, between these pairs and those."""
        moves = []
        for link in links:
            rivals = [other for other in others if other[0] == link[0]] or list(others)
            for rival in rivals:
                moves.append(np.linalg.norm(self.necks[link] - self.necks[rival]))
                moves.append(np.linalg.norm(self.tips[link] - self.tips[rival]))
        return float(max(moves, default=0.0))


def match_table(
    views: tuple[View, View],
    seen: tuple[Sequence[SeenScrew], Sequence[SeenScrew]],
    sizes: Sequence[tuple[float, float]] | None = None,
    *,
    rivals: bool = False,
) -> MatchTable:
    """Triangulate every pair.

    Parameters
    ----------
    rivals:
        Whether several of one view may be readings of one peak, which then does not crowd itself.
    """
    ends, gaps, normals, loose = [], [], [], []
    for end in ("neck", "tip"):
        pixels = [np.array([getattr(one, end) for one in each]).reshape(-1, 2) for each in seen]
        point, gap, normal = crossing(views, pixels[0][:, None], pixels[1][None])
        ends.append(point)
        gaps.append(gap)
        normals.append(normal)
        scales = [view.pixel_mm.mean() * view.depth(point) / view.source_detector_mm for view in views]
        own = [
            np.hypot(_crowd(each, rivals), _guessed(one, len(ends) - 1)) for each, one in zip(pixels, seen, strict=True)
        ]
        loose.append(np.hypot(scales[0] * own[0][:, None], scales[1] * own[1]))
    necks, tips = ends
    lengths = np.linalg.norm(tips - necks, axis=-1)
    middle = (necks + tips) / 2
    widths = _widths(views, seen, middle)
    both = np.isfinite(widths)
    diameters = np.where(both.any(axis=0), np.nansum(widths, axis=0) / np.maximum(both.sum(axis=0), 1), np.nan)
    across = unit(np.cross(views[0].centre_ray, views[1].centre_ray))
    other = _other_costs(lengths, diameters, widths, sizes)
    for view in views:
        depth = view.depth(middle)
        other = np.where((depth > 0) & (depth < view.source_detector_mm), other, np.inf)
    return MatchTable(
        necks,
        tips,
        np.stack(gaps, axis=-1),
        np.stack(normals, axis=-2),
        np.stack(loose, axis=-1),
        lengths,
        diameters,
        other,
        across,
        _meeting(views),
        float(np.mean(scales)) if min(map(len, seen)) else 1.0,
    )


def crossing(views: tuple[View, View], first: Floats, second: Floats) -> tuple[Floats, Floats, Floats]:
    """Nearest points (..., 3) of the rays of two pixels, their signed gap (...) and its unit direction (..., 3)."""
    rays = [view.rays(pixel) for view, pixel in zip(views, (first, second), strict=True)]
    normal = np.cross(rays[0], rays[1])
    normal = normal / np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-9)
    base = views[1].source - views[0].source
    gap = normal @ base
    cosine = (rays[0] * rays[1]).sum(axis=-1)
    along = [rays[0] @ base, rays[1] @ base]
    sine2 = np.maximum(1 - cosine**2, 1e-9)
    reach = (along[0] - cosine * along[1]) / sine2
    point = views[0].source + reach[..., None] * rays[0] + 0.5 * gap[..., None] * normal
    return np.asarray(point), np.asarray(gap), np.asarray(normal)


def _crowd(pixels: Floats, rivals: bool) -> Floats:
    """(n,) pixels by which others of these points (n, 2), if near, may have moved each."""
    apart = np.hypot(*np.moveaxis(pixels[:, None] - pixels[None], -1, 0))
    np.fill_diagonal(apart, np.inf)
    if rivals:
        apart[apart < _SAME_PX] = np.inf
    nearest = apart.min(axis=1, initial=np.inf)
    return np.asarray(LOOSE_PX * np.exp(-((nearest / _CROWD_PX) ** 2)))


def _guessed(seen: Sequence[SeenScrew], end: int) -> Floats:
    return np.array([one.guessed_px[end] for one in seen], dtype=np.float64)


def _meeting(views: tuple[View, View]) -> Floats:
    """Where the centre rays come nearest to each other: about the isocentre."""
    point, _, _ = crossing(views, views[0].centre_pixel, views[1].centre_pixel)
    return point


def _widths(views: tuple[View, View], seen: tuple[Sequence[SeenScrew], Sequence[SeenScrew]], middle: Floats) -> Floats:
    """(2, n, m) diameters in mm that the widths seen in each view would mean."""
    found = []
    for k, (view, each) in enumerate(zip(views, seen, strict=True)):
        radius = np.array([one.radius_px for one in each])
        radius = radius[:, None] if k == 0 else radius[None]
        scale = view.pixel_mm.mean() * view.depth(middle) / view.source_detector_mm
        found.append(2 * radius * scale)
    return np.stack(np.broadcast_arrays(*found))


def _other_costs(
    lengths: Floats, diameters: Floats, widths: Floats, sizes: Sequence[tuple[float, float]] | None
) -> Floats:
    """Lengths that a screw may have, diameters that agree, known sizes."""
    cost = ((lengths - _USUAL_LENGTH_MM) / _LENGTH_SPREAD_MM) ** 2
    apart = np.nan_to_num((widths[0] - widths[1]) / _WIDTH_SPREAD_MM)
    cost = cost + np.minimum(apart**2, _TERM_CAP)
    if sizes:
        known = np.array(sizes, dtype=np.float64).reshape(-1, 2)
        off_length = (lengths[..., None] - known[:, 1]) / _SIZE_SPREAD_MM[1]
        off_width = np.nan_to_num((diameters[..., None] - known[:, 0]) / _SIZE_SPREAD_MM[0])
        nearest = (off_length**2 + np.minimum(off_width**2, _TERM_CAP)).min(axis=-1)
        cost = np.minimum(nearest, 2 * _TERM_CAP)
    plausible = (lengths >= LENGTH_MM[0]) & (lengths <= LENGTH_MM[1])
    return np.asarray(np.where(plausible, cost, np.inf))
