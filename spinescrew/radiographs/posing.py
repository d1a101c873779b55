"""Poses of matched screws: triangulated, then refined against the maps of both views, the calibration with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from spinescrew.progress import Progress
from spinescrew.radiographs.adjustment import (
    PER_SCREW,
    TAPER_MM,
    Fitted,
    PointSeen,
    State,
    Terms,
    fit,
    point_residuals,
    with_softness,
)
from spinescrew.radiographs.match_table import crossing
from spinescrew.radiographs.pose_noise import Noise, measured_noise
from spinescrew.radiographs.recalibration import Calibration, Refinement, told
from spinescrew.radiographs.screw_maps import ScrewMaps
from spinescrew.radiographs.seen import SeenScrew
from spinescrew.radiographs.shaft_bands import Band, band
from spinescrew.radiographs.view import View

Floats = NDArray[np.float64]
Refine = bool | Literal["auto"]
Links = Sequence[tuple[SeenScrew, SeenScrew]]
Sizes = Sequence[tuple[float, float] | None]

_DIAMETER_MM = 6.3
_DIAMETER_SPREAD_MM = 1.2
_LENGTH_MM, _LENGTH_SPREAD_MM = 45.0, 25.0
_KNOWN_SPREAD_MM = (0.1, 0.4)
"""Standard deviations of the diameters and lengths that a person gives."""

USUAL_NOISE = Noise(0.8, 3.0)
"""Of necks and tips seen, in pixels, and of a shaft's map: errors of 0.15 that fifteen pixels share."""

_HAND_PX = 0.5
_LOOSE_PX = 3.0
_CROWD_PX = 5.0
_SAME_PX = 0.5

_COARSE, _FINE = (6.0, 2), (4.0, 1)
"""Width of the bands along outlines, and the step between their pixels."""

_SOFT_PX = 2.0
_USUAL_SOFTNESS_PX = 0.6
_DILATION_PX = 1.5

_SIGNIFICANT = 25.0
"""Least fall of the sum of squares for a refined calibration, in units of what is left over per degree of freedom; a
right calibration gains 6 to 12 by chance."""


@dataclass(frozen=True, eq=False)
class Solved:
    """Refined poses.

    Attributes
    ----------
    state, views:
        Neck, tip and radius of each screw, and the views as refined.
    covariance:
        (n, 10, 10) of neck, tip, radius, taper, and width in each view (mm); the uncertainty of a refined calibration
        is in it.
    residual_px:
        (n,) root mean square distance of necks and tips from where they are seen.
    refinement:
        Of the calibration.
    measured:
        (n, 2) diameter and length in mm as measured, before any known size was used.
    """

    state: State
    views: tuple[View, View]
    covariance: Floats
    residual_px: Floats
    refinement: Refinement
    measured: Floats


@dataclass(frozen=True, eq=False)
class Case:
    """What is fitted: the maps, the screws matched, and those of each view that are not, which may hide others."""

    calibration: Calibration
    maps: tuple[ScrewMaps, ScrewMaps]
    links: Links
    alone: tuple[Sequence[SeenScrew], Sequence[SeenScrew]]

    def bands(self, fitted: Fitted, width_px: float, step: int) -> tuple[Band, ...]:
        """Pixels near the outlines as they are fitted."""
        found = []
        for k, (view, maps, alone) in enumerate(zip(fitted.views, self.maps, self.alone, strict=True)):
            # where a person placed an axis, the map is not asked
            trusted = [not link[k].by_hand for link in self.links]
            strip = band(view, maps, fitted.state.shafts(k), alone, width_px, step)
            found.append(strip if all(trusted) else _without(strip, trusted))
        return tuple(found)


def solve(case: Case, sizes: Sizes | None, refine: Refine = "auto", progress: Progress | None = None) -> Solved:
    """Fit all screws of a case.

    Parameters
    ----------
    sizes:
        (diameter, length) in mm of each link's screw where known.
    refine:
        Whether the calibration is refined; ``"auto"``: where that explains what is seen significantly better.

    Raises
    ------
    Cancelled
        If ``progress`` was asked to stop.
    """
    progress = progress or Progress()
    coarse, refined, _ = start_fit(case, refine, progress)
    return finish_fit(case, coarse, refined, sizes, progress)


def start_fit(case: Case, refine: Refine, progress: Progress, noise: Noise | None = None) -> tuple[Fitted, bool, Terms]:
    """Necks and tips alone, which tells whether the calibration needs refinement; then the outlines, coarsely.

    Returns
    -------
    The fit, whether the calibration was refined, and what was minimised.
    """
    start = _triangulated(case)
    terms = start_terms(case, start, False, noise)
    fitted = fit(case.calibration, start, terms, progress=progress)
    refined = refine is True
    if refine:
        free = fit(case.calibration, fitted.state, replace(terms, calibrated=True), progress=progress)
        left = max(_left_over(case, free, terms.points), 1e-3)
        refined = refined or 2 * (fitted.cost - free.cost) / left > _SIGNIFICANT
        fitted = free if refined else fitted
    state = with_softness(fitted.state, _SOFT_PX)
    terms = _terms(case, state, case.bands(fitted, *_COARSE), None, refined, noise)
    terms = replace(terms, log_softness=(float(np.log(_SOFT_PX)), 1e-6))
    return fit(case.calibration, state, terms, 8, progress), refined, terms


def start_terms(case: Case, state: State, refined: bool, noise: Noise | None = None) -> Terms:
    """Necks, tips and what is expected of screws and calibration, without any outline."""
    return _terms(case, state, (), None, refined, noise)


def finish_fit(case: Case, coarse: Fitted, refined: bool, sizes: Sizes | None, progress: Progress) -> Solved:
    """Outlines at full resolution, known sizes, and how certain all of it is."""
    fitted = replace(coarse, state=with_softness(coarse.state, _USUAL_SOFTNESS_PX))
    lengths = np.linalg.norm(coarse.state.tips - coarse.state.necks, axis=1)
    measured = np.column_stack([2 * coarse.state.radii, lengths])
    noise = USUAL_NOISE
    for steps in (6, 6, 4):
        terms = _terms(case, fitted.state, case.bands(fitted, *_FINE), sizes, refined, noise)
        fitted = fit(case.calibration, fitted.state, terms, steps, progress)
        noise = measured_noise(case.calibration, fitted, terms, noise)
    terms = _terms(case, fitted.state, terms.bands, sizes, refined, noise)
    fitted = fit(case.calibration, fitted.state, terms, 4, progress)
    return Solved(
        fitted.state,
        fitted.views,
        _covariances(fitted),
        _residuals(case, fitted),
        told(fitted.state.calibration, refined),
        measured,
    )


def _triangulated(case: Case) -> State:
    ends = []
    for end in ("neck", "tip"):
        pixels = [np.array([getattr(link[k], end) for link in case.links]) for k in (0, 1)]
        ends.append(crossing(case.calibration.given, *pixels)[0])
    middle = (ends[0] + ends[1]) / 2
    widths = []
    for k, view in enumerate(case.calibration.given):
        scale = view.pixel_mm.mean() * view.depth(middle) / view.source_detector_mm
        widths.append(np.array([link[k].radius_px for link in case.links]) * scale)
    seen = np.isfinite(widths)
    own = np.nansum(widths, axis=0) / np.maximum(seen.sum(axis=0), 1)
    usual = float(np.nanmedian(widths)) if seen.any() else _DIAMETER_MM / 2
    radii = np.clip(np.where(seen.any(axis=0), own, usual), 1.5, 5.5)
    return State(ends[0], ends[1], radii, np.full(len(radii), TAPER_MM[0]), np.zeros((len(radii), 2)))


def _terms(
    case: Case, state: State, bands: tuple[Band, ...], sizes: Sizes | None, refined: bool, noise: Noise | None = None
) -> Terms:
    noise = noise or USUAL_NOISE
    count = len(state.radii)
    known = list(sizes) if sizes else [None] * count
    lengths = np.tile([_LENGTH_MM, _LENGTH_SPREAD_MM], (count, 1))
    diameters = np.tile([float(np.median(2 * state.radii)), _DIAMETER_SPREAD_MM], (count, 1))
    for n, size in enumerate(known):
        if size is not None:
            diameters[n], lengths[n] = (size[0], _KNOWN_SPREAD_MM[0]), (size[1], _KNOWN_SPREAD_MM[1])
    free = any(size is not None for size in known)
    return Terms(
        _points(case.links, noise.point_px),
        bands,
        noise.per_pixel,
        lengths,
        diameters,
        refined,
        (0.0, _DILATION_PX if free else 1e-6),
        (float(np.log(_USUAL_SOFTNESS_PX)), 0.7),
    )


def _points(links: Links, sigma_px: float) -> list[PointSeen]:
    """Necks and tips; of two in one peak the middle is seen, each only roughly; close peaks pull at each other."""
    found = []
    for view in (0, 1):
        for end, name in enumerate(("neck", "tip")):
            pixels = np.array([getattr(link[view], name) for link in links])
            for n, link in enumerate(links):
                apart = np.hypot(*(pixels - pixels[n]).T)
                same = tuple(int(m) for m in np.flatnonzero(apart < _SAME_PX))
                place = float(pixels[n, 0]), float(pixels[n, 1])
                if link[view].by_hand:
                    found.append(PointSeen(view, (n,), end, place, _HAND_PX, robust=False))
                elif len(same) > 1:
                    found.append(PointSeen(view, (n,), end, place, _LOOSE_PX))
                    if n == same[0]:
                        found.append(PointSeen(view, same, end, place, 1.5 * sigma_px))
                else:
                    crowd = float(np.exp(-((np.delete(apart, n) / _CROWD_PX) ** 2)).sum())
                    sigma = float(np.hypot(sigma_px * (1 + 1.5 * crowd), link[view].guessed_px[end]))
                    found.append(PointSeen(view, (n,), end, place, sigma))
    return found


def _left_over(case: Case, fitted: Fitted, points: Sequence[PointSeen]) -> float:
    """Sum of squares per degree of freedom."""
    residuals, _ = point_residuals(case.calibration, fitted.state, fitted.views, points)
    scaled = (residuals**2).sum(axis=1) / np.array([point.sigma_px for point in points]) ** 2
    free = 2 * len(points) - 6 * len(case.links) - 3
    return float(np.minimum(scaled, 16.0).sum()) / max(free, 1) if free > 2 else 1.0


def _without(strip: Band, trusted: list[bool]) -> Band:
    """A band in which these screws have no pixels of their own; pixels of none count nothing."""
    members = tuple(own if keep else own[:0] for own, keep in zip(strip.members, trusted, strict=True))
    weight = strip.weight.copy()
    for own, keep in zip(strip.members, trusted, strict=True):
        if not keep:
            weight[own] = 0.0
    return replace(strip, members=members, weight=weight)


def _covariances(fitted: Fitted) -> Floats:
    everything = np.linalg.inv(fitted.normal)
    parts = [slice(PER_SCREW * n, PER_SCREW * (n + 1)) for n in range(len(fitted.state.radii))]
    return np.array([everything[part, part] for part in parts])


def _residuals(case: Case, fitted: Fitted) -> Floats:
    ends = np.stack([fitted.state.necks, fitted.state.tips])
    squares = np.zeros(len(case.links))
    for k, view in enumerate(fitted.views):
        seen = np.array([[getattr(link[k], end) for link in case.links] for end in ("neck", "tip")])
        squares += ((view.project(ends) - seen) ** 2).sum(axis=(0, 2))
    return np.asarray(np.sqrt(squares / 4))
