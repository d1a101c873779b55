"""How well maps and fitted screws agree, as noise that honest uncertainties follow from."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinescrew.radiographs.adjustment import Fitted, Terms, point_residuals
from spinescrew.radiographs.recalibration import Calibration
from spinescrew.radiographs.shaft_bands import compare, tiles

Floats = NDArray[np.float64]

_POINT_PX = (0.12, 4.0)
_LEAST_RESIDUAL = 0.03
_TOGETHER = (4.0, 150.0)
"""Pixels that err as one: at least an outline's own width, at most a whole side of a shaft."""

_USUAL_POINTS = 8.0
_USUAL_POINT_PX = 0.8


class Noise(NamedTuple):
    """Standard deviation of a neck or tip seen, in pixels, and inverse variance of one pixel of a shaft's map."""

    point_px: float
    per_pixel: float


def measured_noise(calibration: Calibration, fitted: Fitted, terms: Terms, before: Noise) -> Noise:
    """From what a fit leaves over; ``before`` is what it was weighted with."""
    inverse = np.asarray(np.linalg.inv(fitted.normal), dtype=np.float64)
    return Noise(_points(calibration, fitted, terms, before, inverse), _pixels(calibration, fitted, terms))


def _points(calibration: Calibration, fitted: Fitted, terms: Terms, before: Noise, inverse: Floats) -> float:
    """Each residual is as large as what the fit could not follow lets it be."""
    plain = [point for point in terms.points if point.robust and len(point.screws) == 1]
    residuals, changes = point_residuals(calibration, fitted.state, fitted.views, plain)
    sigma = np.array([point.sigma_px for point in plain])[:, None]
    followed = np.einsum("mki,ij,mkj->mk", changes, inverse, changes) / sigma**2
    free = np.clip(1.0 - followed, 0.0, 1.0)
    scaled = np.minimum((residuals / sigma) ** 2, 9.0)
    # a few degrees of freedom of the usual kind, for cases of one or two screws
    usual = _USUAL_POINTS * (_USUAL_POINT_PX / before.point_px) ** 2
    factor = (scaled.sum() + usual) / (free.sum() + _USUAL_POINTS)
    return float(np.clip(before.point_px * np.sqrt(factor), *_POINT_PX))


def _pixels(calibration: Calibration, fitted: Fitted, terms: Terms) -> float:
    """Neighbouring pixels err alike: their pulls on a shaft are added up in squares before they are squared."""
    state = fitted.state
    variances, ratios, counts = [], [], []
    for k, strip in enumerate(terms.bands):
        comparison = compare(
            calibration,
            k,
            fitted.views[k],
            strip,
            state.shafts(k),
            float(state.dilation_px[k]),
            float(state.softness_px[k]),
        )
        for own, rows in zip(strip.members, comparison.by_shaft, strict=True):
            weight, residual = comparison.robust[own], comparison.residuals[own]
            if weight.sum() < 50:
                continue
            variance = max(float((weight * residual**2).sum() / weight.sum()), _LEAST_RESIDUAL**2)
            slope = rows[:, :6] * weight[:, None]
            _, square = np.unique(tiles(strip, own), return_inverse=True)
            pulls = np.stack([np.bincount(square, slope[:, c] * residual) for c in range(slope.shape[1])], axis=1)
            expected = slope.T @ slope * variance + 1e-12 * np.eye(slope.shape[1])
            values, axes = np.linalg.eigh(expected)
            # directions that the outline says something of
            strong = values > 0.02 * values[-1]
            along = pulls @ axes[:, strong] / np.sqrt(values[strong])
            groups = len(pulls)
            used = int(strong.sum())
            ratios.append((along**2).sum() / used * groups / max(groups - used, 1))
            variances.append(variance)
            counts.append(weight.sum())
    if not ratios:
        return 1.0
    together = float(np.clip(np.average(ratios, weights=counts), *_TOGETHER))
    return 1.0 / (float(np.average(variances, weights=counts)) * together)
