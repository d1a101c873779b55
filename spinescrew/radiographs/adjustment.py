"""All screws and the calibration fitted to both views at once: the unknowns, the sum of squares, and its minimum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from spinescrew.progress import Progress
from spinescrew.radiographs.recalibration import PRIOR, UNKNOWNS, Calibration
from spinescrew.radiographs.shaft_bands import Band, Comparison, compare
from spinescrew.radiographs.silhouette import Shaft
from spinescrew.radiographs.view import View

Floats = NDArray[np.float64]

PER_SCREW = 10
"""Neck (3), tip (3), radius, taper, and how much wider than its radius it looks in each view (2), in mm."""

WIDER_MM = 0.25
"""Standard deviation of the last: a thread's outline lies anywhere between core and crest, the more so where two screws
overlap and the higher crest counts. So an outline of which one side only is seen says little of where the axis is."""

_FIXED = 1e-6
_HUBER = 3.0
_MOST_STEPS = 12
_SMALL_STEP = 2e-3
TAPER_MM = (5.0, 2.0)
"""Of any screw, and its standard deviation."""

_TIP_RADIUS_MM = 0.5


@dataclass(frozen=True, eq=False)
class State:
    """Values of all unknowns.

    Attributes
    ----------
    necks, tips, radii, tapers, wider:
        (n, 3), (n, 3), (n,), (n,), (n, 2) of the screws, mm.
    calibration:
        (12,) as :class:`Calibration` takes it.
    dilation_px, softness_px:
        (2,) how much larger the outlines in each view's map are than the shafts, and how soft.
    """

    necks: Floats
    tips: Floats
    radii: Floats
    tapers: Floats
    wider: Floats
    calibration: Floats = field(default_factory=lambda: np.zeros(UNKNOWNS))
    dilation_px: Floats = field(default_factory=lambda: np.zeros(2))
    softness_px: Floats = field(default_factory=lambda: np.ones(2))

    def shaft(self, n: int, view: int) -> Shaft:
        """One screw's shaft as a view sees it."""
        length = float(np.linalg.norm(self.tips[n] - self.necks[n]))
        radius = max(float(self.radii[n] + self.wider[n, view]), 0.8)
        taper = min(float(self.tapers[n]), 0.5 * length)
        return Shaft(self.necks[n], self.tips[n], radius, taper, min(_TIP_RADIUS_MM, radius))

    def shafts(self, view: int) -> list[Shaft]:
        """All of them."""
        return [self.shaft(n, view) for n in range(len(self.radii))]

    def moved(self, step: Floats) -> State:
        """The state a step (10 n + 16,) further."""
        count = len(self.radii)
        screws = step[: PER_SCREW * count].reshape(count, PER_SCREW)
        rest = step[PER_SCREW * count :]
        return State(
            self.necks + screws[:, :3],
            self.tips + screws[:, 3:6],
            np.clip(self.radii + screws[:, 6], 1.0, 6.0),
            np.clip(self.tapers + screws[:, 7], 1.0, 12.0),
            self.wider + screws[:, 8:],
            self.calibration + rest[:UNKNOWNS],
            self.dilation_px + rest[UNKNOWNS : UNKNOWNS + 2],
            np.clip(self.softness_px * np.exp(np.clip(rest[UNKNOWNS + 2 :], -0.5, 0.5)), 0.15, 4.0),
        )


@dataclass(frozen=True)
class PointSeen:
    """A neck (``end`` 0) or tip (1) that ``view`` shows at ``pixel`` (2,); of several screws: the middle of theirs."""

    view: int
    screws: tuple[int, ...]
    end: int
    pixel: tuple[float, float]
    sigma_px: float
    robust: bool = True


@dataclass(frozen=True, eq=False)
class Terms:
    """What is minimised.

    Attributes
    ----------
    points:
        Necks and tips seen.
    bands:
        Pixels near outlines, of each view; empty for points only.
    per_pixel:
        Inverse variance of one pixel's residual, correlation with its neighbours counted.
    lengths, diameters:
        (n, 2) expected values and their standard deviations, mm; infinite ones where nothing is expected.
    calibrated:
        Whether the calibration is free within its prior.
    dilation_px, log_softness:
        (value, standard deviation) expected in both views.
    """

    points: Sequence[PointSeen]
    bands: tuple[Band, ...]
    per_pixel: float
    lengths: Floats
    diameters: Floats
    calibrated: bool
    dilation_px: tuple[float, float] = (0.0, _FIXED)
    log_softness: tuple[float, float] = (0.0, _FIXED)


@dataclass(frozen=True, eq=False)
class Fitted:
    """The minimum: its state, the views there, the normal matrix (10 n + 16 squared) and the cost."""

    state: State
    views: tuple[View, View]
    normal: Floats
    cost: float


def fit(
    calibration: Calibration, start: State, terms: Terms, steps: int = _MOST_STEPS, progress: Progress | None = None
) -> Fitted:
    """Levenberg-Marquardt from ``start``."""
    problem = _Problem(calibration, terms)
    state, damping = start, 1e-3
    cost = problem.cost(state)
    for _ in range(steps):
        if progress is not None:
            progress.check()
        normal, gradient = problem.normal_equations(state)
        for _ in range(6):
            step = np.asarray(-np.linalg.solve(normal + damping * np.diag(np.diag(normal)), gradient), dtype=np.float64)
            trial = state.moved(step)
            lower = problem.cost(trial)
            if lower < cost:
                break
            damping *= 8
        else:
            break
        moved = np.abs(step[: PER_SCREW * len(state.radii)]).max()
        less = cost - lower
        state, cost, damping = trial, lower, max(damping / 8, 1e-6)
        if moved < _SMALL_STEP or less < 1e-6 * cost:
            break
    normal, _ = problem.normal_equations(state)
    return Fitted(state, calibration.views(state.calibration), normal, cost)


def total_cost(calibration: Calibration, state: State, terms: Terms) -> float:
    """Half the sum of squares at a state, outliers counted less."""
    return _Problem(calibration, terms).cost(state)


def point_residuals(
    calibration: Calibration, state: State, views: tuple[View, View], points: Sequence[PointSeen]
) -> tuple[Floats, Floats]:
    """(m, 2) pixels that points lie off where they are seen, and (m, 2, 10 n + 16) how that changes."""
    count = len(state.radii)
    residuals = np.zeros((len(points), 2))
    changes = np.zeros((len(points), 2, PER_SCREW * count + UNKNOWNS + 4))
    ends = np.stack([state.necks, state.tips])
    for k, view in enumerate(views):
        pixels = view.project(ends)
        motion = [calibration.as_motion(k, view, ends[end]) for end in (0, 1)]
        depth = view.depth(ends)
        matrix = view.matrix[:, :3]
        slope = (matrix[:2] - pixels[..., None] * matrix[2]) / depth[..., None, None]
        for m, point in enumerate(points):
            if point.view != k:
                continue
            share = 1 / len(point.screws)
            residuals[m] = -np.array(point.pixel)
            for n in point.screws:
                residuals[m] += share * pixels[point.end, n]
                at = PER_SCREW * n + 3 * point.end
                by_point = share * slope[point.end, n]
                changes[m, :, at : at + 3] += by_point
                changes[m, :, PER_SCREW * count : PER_SCREW * count + UNKNOWNS] += by_point @ motion[point.end][n]
    return residuals, changes


class _Problem:
    """Cost and normal equations of some terms."""

    def __init__(self, calibration: Calibration, terms: Terms) -> None:
        self.calibration, self.terms = calibration, terms

    def cost(self, state: State) -> float:
        """Half the sum of squares, robust."""
        views = self.calibration.views(state.calibration)
        with np.errstate(invalid="ignore"):
            if any((view.depth(np.stack([state.necks, state.tips])) <= 1.0).any() for view in views):
                return np.inf
        residuals, _ = point_residuals(self.calibration, state, views, self.terms.points)
        size = np.hypot(*residuals.T) / self._sigmas()
        half = np.where(self._linear() & (size > _HUBER), _HUBER * (size - 0.5 * _HUBER), 0.5 * size**2)
        rows, _ = self._expected(state)
        total = float(half.sum()) + 0.5 * float((rows**2).sum())
        for comparison in self._comparisons(state, views, False):
            total += self.terms.per_pixel * comparison.cost
        return total

    def normal_equations(self, state: State) -> tuple[Floats, Floats]:
        """Normal matrix and gradient."""
        views = self.calibration.views(state.calibration)
        count = PER_SCREW * len(state.radii)
        residuals, changes = point_residuals(self.calibration, state, views, self.terms.points)
        size = np.hypot(*residuals.T) / self._sigmas()
        weight = np.where(self._linear(), np.minimum(1.0, _HUBER / np.maximum(size, 1e-9)), 1.0) / self._sigmas() ** 2
        flat = changes.reshape(-1, changes.shape[-1])
        weighted = flat * np.repeat(weight, 2)[:, None]
        normal, gradient = weighted.T @ flat, weighted.T @ residuals.ravel()
        rows, slopes = self._expected(state)
        normal += slopes.T @ slopes
        gradient += slopes.T @ rows
        for k, comparison in enumerate(self._comparisons(state, views, True)):
            _add(normal, gradient, comparison, self.terms.bands[k], self.terms.per_pixel, count, k)
        return normal, gradient

    def _comparisons(self, state: State, views: tuple[View, View], derivatives: bool) -> list[Comparison]:
        return [
            compare(
                self.calibration,
                k,
                views[k],
                strip,
                state.shafts(k),
                float(state.dilation_px[k]),
                float(state.softness_px[k]),
                derivatives,
            )
            for k, strip in enumerate(self.terms.bands)
        ]

    def _sigmas(self) -> Floats:
        return np.array([point.sigma_px for point in self.terms.points])

    def _linear(self) -> NDArray[np.bool_]:
        return np.array([point.robust for point in self.terms.points], dtype=bool)

    def _expected(self, state: State) -> tuple[Floats, Floats]:
        """Residuals of what is expected of the unknowns, and their changes."""
        count = len(state.radii)
        size = PER_SCREW * count + UNKNOWNS + 4
        way = state.tips - state.necks
        length = np.linalg.norm(way, axis=1)
        rows, slopes = [], []
        for n in range(count):
            slope = np.zeros(size)
            slope[PER_SCREW * n + 3 : PER_SCREW * n + 6] = way[n] / length[n]
            slope[PER_SCREW * n : PER_SCREW * n + 3] = -way[n] / length[n]
            value, sigma = self.terms.lengths[n]
            rows.append((length[n] - value) / sigma)
            slopes.append(slope / sigma)
            slope = np.zeros(size)
            slope[PER_SCREW * n + 6] = 2.0
            value, sigma = self.terms.diameters[n]
            rows.append((2 * state.radii[n] - value) / sigma)
            slopes.append(slope / sigma)
            slope = np.zeros(size)
            slope[PER_SCREW * n + 7] = 1.0
            rows.append((state.tapers[n] - TAPER_MM[0]) / TAPER_MM[1])
            slopes.append(slope / TAPER_MM[1])
            for view in (0, 1):
                slope = np.zeros(size)
                slope[PER_SCREW * n + 8 + view] = 1 / WIDER_MM
                rows.append(state.wider[n, view] / WIDER_MM)
                slopes.append(slope)
        last = np.concatenate([state.calibration, state.dilation_px, np.log(state.softness_px)])
        middle = np.concatenate(
            [np.zeros(UNKNOWNS), np.repeat([self.terms.dilation_px[0], self.terms.log_softness[0]], 2)]
        )
        sigma = np.concatenate(
            [PRIOR if self.terms.calibrated else np.full(UNKNOWNS, _FIXED)]
            + [np.repeat([self.terms.dilation_px[1], self.terms.log_softness[1]], 2)]
        )
        for k in range(UNKNOWNS + 4):
            slope = np.zeros(size)
            slope[PER_SCREW * count + k] = 1 / sigma[k]
            rows.append((last[k] - middle[k]) / sigma[k])
            slopes.append(slope)
        return np.array(rows), np.array(slopes)


def _add(
    normal: Floats, gradient: Floats, comparison: Comparison, strip: Band, per_pixel: float, count: int, index: int
) -> None:
    """The pixels' part of the normal equations."""
    weight = per_pixel * comparison.robust
    pulled = weight * comparison.residuals
    of_view = np.concatenate([np.arange(UNKNOWNS), UNKNOWNS + np.array([index, 2 + index])]) + count
    weighted = comparison.by_view * weight[:, None]
    normal[np.ix_(of_view, of_view)] += weighted.T @ comparison.by_view
    gradient[of_view] += comparison.by_view.T @ pulled
    place = np.full(len(weight), -1)
    for n, (own, rows) in enumerate(zip(strip.members, comparison.by_shaft, strict=True)):
        at = slice(PER_SCREW * n, PER_SCREW * (n + 1))
        scaled = rows * weight[own][:, None]
        normal[at, at] += scaled.T @ rows
        gradient[at] += rows.T @ pulled[own]
        mixed = scaled.T @ comparison.by_view[own]
        normal[at, of_view] += mixed
        normal[of_view, at] += mixed.T
        place[own] = np.arange(len(own))
        for m in range(n + 1, len(strip.members)):
            other = strip.members[m]
            both = place[other] >= 0
            if both.any():
                block = scaled[place[other[both]]].T @ comparison.by_shaft[m][both]
                to = slice(PER_SCREW * m, PER_SCREW * (m + 1))
                normal[at, to] += block
                normal[to, at] += block.T
        place[own] = -1


def with_softness(state: State, softness_px: float) -> State:
    """The state with outlines as soft as this in both views."""
    return replace(state, softness_px=np.full(2, softness_px))
