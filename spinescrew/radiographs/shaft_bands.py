"""The pixels that tell where the outlines of shafts run, and how a map differs from what posed shafts would show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from spinescrew.radiographs.recalibration import Calibration
from spinescrew.radiographs.screw_maps import ScrewMaps
from spinescrew.radiographs.seen import SeenScrew
from spinescrew.radiographs.silhouette import Shaft, passing
from spinescrew.radiographs.view import View

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

_STATIONS = 24
_SUPPORTED = (0.25, 0.65)
"""Mean shaft probability along the axis: below the first a stretch is not counted, above the second fully."""

_TIP_SHARE = 0.25
"""How much pixels about the tip count: tips are of many shapes."""

_HUBER = 0.35
_TILE_PX = 12


@dataclass(frozen=True, eq=False)
class Band:
    """Pixels of one view near the outlines of the shafts.

    Attributes
    ----------
    pixels:
        (n, 2) (column, row).
    seen, weight:
        (n,) probability of a shaft, and how much it counts.
    members:
        For each shaft the indices of the pixels that it may cover.
    """

    pixels: Floats
    seen: Floats
    weight: Floats
    members: tuple[Indices, ...]


def band(
    view: View,
    maps: ScrewMaps,
    shafts: Sequence[Shaft],
    hidden: Sequence[SeenScrew],
    width_px: float,
    step: int,
    gated: bool = True,
) -> Band:
    """Pixels up to ``width_px`` from an outline, every ``step`` of them; heads and ``hidden`` screws cover shafts.

    ``gated``: stretches of which the map shows nothing do not count.
    """
    rows, columns = view.shape
    weight = np.zeros((rows, columns))
    reaches = []
    for shaft in shafts:
        low, high = _window(view, shaft, width_px, step)
        grid = np.meshgrid(np.arange(low[0], high[0], step), np.arange(low[1], high[1], step))
        place = np.stack(grid, axis=-1).reshape(-1, 2)
        near = passing(view.source, view.rays(place), shaft)
        away = near.away / _scale(view, near.point)
        share = _support(view, maps, shaft, near.depth) if gated else np.ones(len(away))
        reaches.append((place[away < width_px], shaft))
        share = np.where(np.abs(away) < width_px, share, 0.0)
        at = place[:, 1], place[:, 0]
        weight[at] = np.maximum(weight[at], share)
    weight *= (1.0 - np.clip(maps.head, 0.0, 1.0)) ** 2
    weight[_covered(view, hidden, weight)] = 0.0
    where = np.argwhere(weight > 0.02)
    number = np.full((rows, columns), -1)
    number[tuple(where.T)] = np.arange(len(where))
    members = []
    for place, _ in reaches:
        own = number[place[:, 1], place[:, 0]]
        members.append(own[own >= 0])
    row, column = where.T
    shown = maps.shaft[row, column].astype(np.float64)
    return Band(where[:, ::-1].astype(np.float64), shown, weight[row, column], tuple(members))


def _scale(view: View, points: Floats) -> Floats:
    """Size in mm of a pixel at points (n, 3)."""
    return np.asarray(view.pixel_mm.mean() * view.depth(points) / view.source_detector_mm)


def _window(view: View, shaft: Shaft, width_px: float, step: int) -> tuple[Indices, Indices]:
    ends = np.stack([shaft.neck, shaft.tip])
    margin = (shaft.radius / _scale(view, ends)).max() * 1.2 + width_px + 1
    pixels = view.project(ends)
    limit = np.array(view.shape[::-1])
    low = np.clip(np.floor((pixels.min(axis=0) - margin) / step) * step, 0, limit).astype(int)
    high = np.clip(np.ceil(pixels.max(axis=0) + margin) + 1, 0, limit).astype(int)
    return low, high


def _support(view: View, maps: ScrewMaps, shaft: Shaft, depth: Floats) -> Floats:
    """How far a shaft is seen at all at these depths; what heads hide or the map lacks is no outline."""
    share = (np.arange(_STATIONS) + 0.5) / _STATIONS
    axis = view.project(shaft.neck + share[:, None] * (shaft.tip - shaft.neck))
    way = axis[-1] - axis[0]
    across = np.array([-way[1], way[0]]) / max(float(np.hypot(*way)), 1e-9)
    radius = shaft.radius / float(_scale(view, (shaft.neck + shaft.tip)[None] / 2)[0])
    lines = axis + np.array([-0.4, 0.0, 0.4])[:, None, None] * radius * across
    found = map_coordinates(maps.shaft, [lines[..., 1], lines[..., 0]], order=1, mode="constant").mean(axis=0)
    length = float(np.linalg.norm(shaft.tip - shaft.neck))
    seen = np.interp(depth, share * length, found)
    low, high = _SUPPORTED
    return np.asarray(
        np.clip((seen - low) / (high - low), 0.0, 1.0) * np.where(depth > length - shaft.taper, _TIP_SHARE, 1.0)
    )


def _covered(view: View, hidden: Sequence[SeenScrew], like: Floats) -> NDArray[np.bool_]:
    """Where screws lie that are not posed."""
    covered = np.zeros(like.shape, dtype=bool)
    if not hidden:
        return covered
    rows, columns = np.indices(like.shape)
    for one in hidden:
        way = one.tip - one.neck
        share = ((columns - one.neck[0]) * way[0] + (rows - one.neck[1]) * way[1]) / max(float(way @ way), 1e-9)
        share = np.clip(share, 0.0, 1.0)
        away = np.hypot(columns - one.neck[0] - share * way[0], rows - one.neck[1] - share * way[1])
        radius = one.radius_px if np.isfinite(one.radius_px) else 6.0 / view.pixel_mm.mean()
        covered |= away < 1.25 * radius
    return covered


@dataclass(frozen=True, eq=False)
class Comparison:
    """A band compared with posed shafts.

    Attributes
    ----------
    residuals, weight:
        (n,) modelled less seen probability, and how much it counts, outliers less.
    by_shaft:
        For each shaft (members, 10): change of the residuals of its members with neck, tip, radius, taper, and width in
        each view.
    by_view:
        (n, 14) change with the calibration's 12 unknowns, the map's dilation in pixels, and the log of its softness.
    """

    residuals: Floats
    weight: Floats
    by_shaft: tuple[Floats, ...]
    by_view: Floats

    @property
    def cost(self) -> float:
        """Half the weighted sum of squares, as far as it goes for outliers."""
        size = np.abs(self.residuals)
        half = np.where(size < _HUBER, 0.5 * size**2, _HUBER * (size - 0.5 * _HUBER))
        return float((self.weight * half).sum())

    @property
    def robust(self) -> Floats:
        """(n,) weights of the normal equations."""
        return np.asarray(self.weight * np.minimum(1.0, _HUBER / np.maximum(np.abs(self.residuals), 1e-9)))


def compare(
    calibration: Calibration,
    index: int,
    view: View,
    strip: Band,
    shafts: Sequence[Shaft],
    dilation_px: float,
    softness_px: float,
    derivatives: bool = True,
) -> Comparison:
    """What the shafts would show in the pixels of a band: one, where any of them lies; soft at the outlines."""
    rays = view.rays(strip.pixels)
    clear = np.ones(len(strip.pixels))
    parts = []
    for shaft, own in zip(shafts, strip.members, strict=True):
        near = passing(view.source, rays[own], shaft)
        scale = _scale(view, near.point)
        inside = (dilation_px - near.away / scale) / softness_px
        share = 1.0 / (1.0 + np.exp(-np.clip(inside, -30.0, 30.0)))
        clear[own] *= 1.0 - share
        parts.append((near, scale, inside, share))
    residuals = 1.0 - clear - strip.seen
    if not derivatives:
        return Comparison(residuals, strip.weight, (), np.zeros((0, 14)))
    by_view = np.zeros((len(rays), 14))
    by_shaft = []
    for (near, scale, inside, share), own in zip(parts, strip.members, strict=True):
        # d(1 - clear): the others' clear share times the slope of the own
        slope = clear[own] * share / softness_px
        by_away = -slope / scale
        tip = by_away[:, None] * near.by_tip
        whole = by_away[:, None] * near.outward
        changes = np.zeros((len(own), 10))
        changes[:, :3], changes[:, 3:6] = whole - tip, tip
        changes[:, 6] = changes[:, 8 + index] = by_away * near.by_radius
        changes[:, 7] = by_away * near.by_taper
        by_shaft.append(changes)
        motion = calibration.as_motion(index, view, near.point)
        by_view[own, :12] += np.einsum("ni,nij->nj", whole, motion)
        by_view[own, 12] += slope
        by_view[own, 13] -= slope * inside * softness_px
    return Comparison(residuals, strip.weight, tuple(by_shaft), by_view)


def tiles(strip: Band, own: Indices) -> Indices:
    """A number for the square of pixels that each member lies in: neighbours err alike."""
    place = (strip.pixels[own] // _TILE_PX).astype(np.int64)
    return np.asarray(place[:, 0] + 100_000 * place[:, 1])
