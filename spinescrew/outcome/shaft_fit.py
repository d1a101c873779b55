"""A screw's shaft fitted to the CT itself: axis, tip, neck and thickness to a fraction of a voxel.

The model is what a scanner makes of a tapered cylinder of metal below a wider head: spread by a Gaussian, finer in
plane than across slices, and cut off where the scale ends. A cylinder spread by a Gaussian is a spread disc times a
spread interval, so a shaft is a sum of a few such slabs and nothing need be rasterised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from scipy.optimize import least_squares
from scipy.special import chndtr, ndtr

from spinescrew.geometry.vectors import orthogonal_pair, unit
from spinescrew.geometry.volume import Volume
from spinescrew.outcome.metal_lines import MetalLine

Floats = NDArray[np.float64]

_METAL_HU, _METAL_SPREAD = 9000.0, 0.35
"""Titanium on an open scale, and how far (in its logarithm) other metals and scanners lie from it."""

_SIGMA_MM, _SIGMA_SPREAD = 0.6, 0.4
_SHARED_SPREAD, _RADIUS_SPREAD_MM = 0.02, 0.15
_TIP_RADIUS_MM = 0.5
_TAPER_MM, _TAPER_SPREAD = 4.0, 2.0
_HEAD_MM = 10.0
_FLARE_MM, _FLARE_SPREAD = 2.0, 1.5
"""Heads widen from the neck on, some at once and some over some millimetres."""

_TAPER_SLABS, _FLARE_SLABS = 6, 4

_BEHIND_MM, _BEYOND_MM, _ASIDE_MM = 3.5, 4.0, 2.5
_CLEAR_MM = 3.0
"""So much of the shaft beside the head is left out where blur and metal are fitted: heads have many shapes."""

_MOST_VOXELS = 4000
_NOISE_HU = 150.0


@dataclass(frozen=True, eq=False)
class FittedShaft:
    """One shaft.

    Attributes
    ----------
    neck, tip:
        (3,) RAS mm, where the shaft begins below its head and where it ends.
    radius_mm:
        Of a smooth cylinder of as much metal: less than half the thread's outer diameter.
    sigma_mm:
        Of the scanner's blur in plane and across slices.
    residual_hu:
        Median absolute difference between the model and the CT near the shaft.
    """

    neck: Floats
    tip: Floats
    radius_mm: float
    taper_mm: float
    sigma_mm: tuple[float, float]
    metal_hu: float
    residual_hu: float


class Scanned(NamedTuple):
    """What all shafts of one image share: blur in plane and across slices (mm), and the HU of their metal."""

    plane_mm: float
    slices_mm: float
    metal_hu: float


def fit_shafts(ct: Volume, lines: Sequence[MetalLine], ceiling: float | None) -> list[FittedShaft]:
    """Fit the shafts that ``lines`` (each from neck to tip) roughly follow.

    They are fitted twice: first each by itself, then with the blur and the metal that all of them showed. Streaks may
    make a shaft look thinner and brighter or thicker and darker, and its tip with it; all of them together less so.

    Parameters
    ----------
    ceiling:
        HU at which the image's scale is cut off, or ``None``.
    """
    first = [fit_shaft(ct, line, ceiling) for line in lines]
    if not first:
        return []
    table = np.log([[*each.sigma_mm, each.metal_hu] for each in first])
    shared = Scanned(*np.exp(np.median(table, axis=0)).tolist())
    return [fit_shaft(ct, _line_of(each), ceiling, shared) for each in first]


def _line_of(shaft: FittedShaft) -> MetalLine:
    return MetalLine(shaft.neck, shaft.tip, shaft.radius_mm, False, True)


def fit_shaft(ct: Volume, line: MetalLine, ceiling: float | None, shared: Scanned | None = None) -> FittedShaft:
    """Fit one shaft; blur and metal are fitted too where they are not ``shared``."""
    frame = _Frame(ct, line)
    points, values = _voxels(ct, line, _CLEAR_MM if shared is None else -_BEHIND_MM)
    place = frame.local(points)
    normal = frame.slice_normal
    told = shared or Scanned(_SIGMA_MM, max(_SIGMA_MM, 0.4 * frame.slice_mm), _METAL_HU)
    start = np.array(
        [0, 0, 0, 0, 0.0, line.length_mm + 1.0, max(line.radius_mm - 0.2, 1.0), _TAPER_MM,
         np.log(told.plane_mm), np.log(told.slices_mm), 150.0, np.log(told.metal_hu), 2.5, _FLARE_MM]
    )  # fmt: skip
    if shared is not None:
        start[5:7] = line.length_mm, line.radius_mm
    centre = start.copy()
    spread = np.array(
        [
            3,
            3,
            0.1,
            0.1,
            4,
            4,
            1.5,
            _TAPER_SPREAD,
            _SIGMA_SPREAD,
            _SIGMA_SPREAD,
            300.0,
            _METAL_SPREAD,
            1.5,
            _FLARE_SPREAD,
        ]
    )
    if shared is not None:
        spread[[8, 9, 11]] = _SHARED_SPREAD
        spread[6] = _RADIUS_SPREAD_MM
    scale = np.array([0.3, 0.3, 0.02, 0.02, 0.5, 0.5, 0.3, 1.0, 0.2, 0.2, 100.0, 0.2, 0.5, 0.5])
    top = np.inf if ceiling is None else ceiling

    def off(x: Floats) -> Floats:
        model = np.minimum(_model(x, place, normal, line.length_mm), top)
        away = (x - centre) / spread
        return np.concatenate([(model - values) / _NOISE_HU, away])

    found = least_squares(off, start, x_scale=scale, loss="soft_l1", max_nfev=20, ftol=1e-4, xtol=1e-4, diff_step=1e-3)
    x = found.x
    axis = unit(frame.direction + x[2] * frame.u + x[3] * frame.v)
    middle = frame.middle + x[0] * frame.u + x[1] * frame.v
    half = line.length_mm / 2
    left = float(np.median(np.abs(off(x)[: len(values)]))) * _NOISE_HU
    return FittedShaft(
        neck=middle + (x[4] - half) * axis,
        tip=middle + (x[5] - half) * axis,
        radius_mm=float(x[6]),
        taper_mm=float(np.clip(x[7], 0, 15)),
        sigma_mm=(float(np.exp(x[8])), float(np.exp(x[9]))),
        metal_hu=float(np.exp(x[11])),
        residual_hu=left,
    )


class _Frame:
    """Coordinates along and across a line, from its middle."""

    def __init__(self, ct: Volume, line: MetalLine) -> None:
        self.direction = line.direction
        self.middle = (line.start + line.end) / 2
        self.u, self.v = orthogonal_pair(self.direction, (0.0, 0.0, 1.0))
        thick = int(ct.spacing.argmax()) if ct.spacing.max() > 1.05 * ct.spacing.min() else 2
        across = ct.affine[:3, [n for n in range(3) if n != thick]]
        normal = unit(np.cross(across[:, 0], across[:, 1]))
        self.slice_normal = np.array([normal @ self.u, normal @ self.v, normal @ self.direction])
        self.slice_mm = float(ct.spacing[thick])

    def local(self, points: Floats) -> Floats:
        """(n, 3) across (u, v) and along."""
        arm = points - self.middle
        return np.stack([arm @ self.u, arm @ self.v, arm @ self.direction], axis=1)


def _voxels(ct: Volume, line: MetalLine, first_mm: float) -> tuple[Floats, Floats]:
    """RAS points (n, 3) and HU (n,) of the voxels around the shaft and its end, from ``first_mm`` past its neck."""
    ends = np.array([line.start - _BEHIND_MM * line.direction, line.end + (_BEYOND_MM + 1) * line.direction])
    reach = line.radius_mm + _ASIDE_MM
    corners = np.concatenate([ends + reach * way for way in np.concatenate([np.eye(3), -np.eye(3)])])
    index = ct.ras_to_index(corners)
    box = ct.crop(np.floor(index.min(axis=0)), np.ceil(index.max(axis=0)) + 1)
    points = box.index_to_ras(np.moveaxis(np.indices(box.shape), 0, -1)).reshape(-1, 3)
    arm = points - line.start
    along = arm @ line.direction
    aside = np.linalg.norm(arm - along[:, None] * line.direction, axis=1)
    near = (along > first_mm) & (along < line.length_mm + _BEYOND_MM + 1) & (aside < reach)
    chosen = np.flatnonzero(near)
    if len(chosen) > _MOST_VOXELS:
        chosen = np.random.default_rng(0).choice(chosen, _MOST_VOXELS, replace=False)
    return points[chosen], box.array.reshape(-1)[chosen].astype(np.float64)


def _model(x: Floats, place: Floats, normal: Floats, length: float) -> Floats:
    """HU at local places (n, 3), before the scale is cut off."""
    u0, v0, tilt_u, tilt_v, neck, tip, radius, taper, plane, slices, ground, metal, head, flare = x
    radius, taper = max(radius, 0.3), float(np.clip(taper, 0.0, 15.0))
    axis = np.array([tilt_u, tilt_v, 1.0]) / np.sqrt(1 + tilt_u**2 + tilt_v**2)
    arm = place - np.array([u0, v0, 0.0])
    along = arm @ axis
    across = arm - along[:, None] * axis
    aside = np.sqrt((across**2).sum(axis=1))
    way = (across @ normal) / np.maximum(aside, 1e-6)
    small, large = np.exp(2 * plane), np.exp(2 * slices)
    sigma = np.sqrt(small + (large - small) * np.clip(way**2, 0, 1))
    sigma_along = np.sqrt(small + (large - small) * float(axis @ normal) ** 2)
    depth = along + length / 2
    edges, radii = _slabs(neck, tip, radius, taper, max(head, 0.0), float(np.clip(flare, 0.0, 6.0)))
    steps = ndtr((depth[:, None] - edges) / sigma_along)
    held = np.zeros(len(place))
    for n, size in enumerate(radii):
        share = steps[:, n] - steps[:, n + 1]
        held += share * _disc(aside / sigma, size / sigma)
    return np.asarray(ground + (np.exp(metal) - ground) * held)


def _slabs(
    neck: float, tip: float, radius: float, taper: float, head: float, flare: float
) -> tuple[Floats, list[float]]:
    """Ends (k + 1,) along the axis and radii (k,): head, its flare in steps, shaft, and the taper in steps."""
    begin = max(tip - taper, neck + 1.0)
    cuts = np.linspace(begin, max(tip, begin + 0.1), _TAPER_SLABS + 1)
    shares = (np.arange(_TAPER_SLABS) + 0.5) / _TAPER_SLABS
    tapering = radius + (min(_TIP_RADIUS_MM, radius) - radius) * shares
    widening = radius + head * (1.0 - (np.arange(_FLARE_SLABS) + 0.5) / _FLARE_SLABS)
    flares = neck - np.linspace(flare + 0.05, 0.0, _FLARE_SLABS + 1)
    edges = np.concatenate([[neck - _HEAD_MM], flares, cuts])
    return edges, [radius + head, *widening, radius, *tapering]


_TABLE_RADII, _TABLE_OFF = np.linspace(0.0, 30.0, 241), np.linspace(-6.0, 6.0, 121)


@lru_cache(maxsize=1)
def _disc_table() -> Floats:
    """A disc of radius r spread by a Gaussian of width one, at r + off from its centre."""
    away = np.maximum(_TABLE_RADII[:, None] + _TABLE_OFF, 0.0)
    return np.asarray(chndtr(_TABLE_RADII[:, None] ** 2, 2.0, away**2))


def _disc(aside: Any, radius: Any) -> Floats:
    off = aside - radius
    at = np.stack([radius / 30.0 * 240.0, (np.clip(off, -6.0, 6.0) + 6.0) * 10.0])
    return np.asarray(map_coordinates(_disc_table(), at, order=1, mode="nearest"))
