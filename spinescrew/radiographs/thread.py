"""The outer diameter of a threaded shaft: crests stand out of the smooth outline that was fitted."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from spinescrew.radiographs.adjustment import State
from spinescrew.radiographs.screw_maps import ScrewMaps
from spinescrew.radiographs.view import View

Floats = NDArray[np.float64]

_CREST = 0.8
"""This quantile of an outline's distance from the axis is half the outer diameter, for threads of usual crests and
pixels of 0.3 mm at the screw; on a smooth shaft it lies 0.05 mm outside."""

_STEP_PX = 0.25
_BEYOND_MM = 1.6
_LEAST_SAMPLES = 25
_MOST_MM = 1.0
_HIDDEN, _BACKGROUND = 0.2, 0.2


class Crests(NamedTuple):
    """``radii`` (n,), half the outer diameters, and ``depth`` (n,), how uneven outlines are; mm."""

    radii: Floats
    depth: Floats


def crests(views: tuple[View, View], maps: tuple[ScrewMaps, ScrewMaps], state: State) -> Crests:
    """The threads of fitted screws.

    Where no view shows an outline, the screw's crests are taken to stand out as the others' do.
    """
    more, depth = np.full((2, len(state.radii)), np.nan)
    for n in range(len(more)):
        found = np.concatenate([_distances(view, each, state, n) for view, each in zip(views, maps, strict=True)])
        if len(found) >= _LEAST_SAMPLES:
            crest, middle = np.quantile(found, (_CREST, 0.5))
            more[n], depth[n] = crest - state.radii[n], crest - middle
    return Crests(state.radii + _as_others(more), _as_others(depth))


def _as_others(values: Floats) -> Floats:
    """Unknown ones as the middle of the known, none out of bounds."""
    usual = float(np.nanmedian(values)) if np.isfinite(values).any() else 0.0
    return np.clip(np.where(np.isfinite(values), values, usual), 0.0, _MOST_MM)


def _distances(view: View, maps: ScrewMaps, state: State, n: int) -> Floats:
    """Distances in mm of the outline from the axis, at stations where nothing else is near."""
    ends = np.stack([state.necks[n], state.tips[n]])
    scale = float(view.pixel_mm.mean() * view.depth(ends.mean(axis=0)) / view.source_detector_mm)
    neck, tip = view.project(ends)
    way, length = tip - neck, float(np.linalg.norm(ends[1] - ends[0]))
    shown = float(np.hypot(*way))
    if shown < 8:
        return np.zeros(0)
    across = np.array([-way[1], way[0]]) / shown
    last = max(1.0 - (state.tapers[n] + 2.0) / length, 0.1)
    stations = neck + np.arange(0.05, last, 1.0 / shown)[:, None] * way
    radius = state.radii[n] / scale
    stations = stations[_away(view, state, n, stations) > 2 * radius + _BEYOND_MM / scale]
    reach = np.arange(0.4 * radius, radius + _BEYOND_MM / scale, _STEP_PX)
    lines = stations[:, None] + np.concatenate([[reach], [-reach]])[:, None, :, None] * across
    shaft, head = (
        map_coordinates(each, [lines[..., 1], lines[..., 0]], order=1, mode="constant").reshape(-1, len(reach))
        for each in (maps.shaft, maps.head)
    )
    plain = (head.max(axis=1) < _HIDDEN) & (shaft[:, 0] > 0.5) & (shaft.min(axis=1) < _BACKGROUND)
    shaft = shaft[plain]
    first = (shaft < 0.5).argmax(axis=1)
    row = np.arange(len(shaft))
    inside, outside = shaft[row, first - 1], shaft[row, first]
    return np.asarray((reach[first - 1] + _STEP_PX * (inside - 0.5) / np.maximum(inside - outside, 1e-6)) * scale)


def _away(view: View, state: State, n: int, points: Floats) -> Floats:
    """Pixels from points (m, 2) to the nearest axis of another screw."""
    nearest = np.full(len(points), np.inf)
    for m in range(len(state.radii)):
        if m != n:
            neck, tip = view.project(np.stack([state.necks[m], state.tips[m]]))
            way = tip - neck
            share = np.clip((points - neck) @ way / max(float(way @ way), 1e-9), 0.0, 1.0)
            nearest = np.minimum(nearest, np.hypot(*(points - neck - share[:, None] * way).T))
    return nearest
