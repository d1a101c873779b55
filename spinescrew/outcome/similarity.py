"""How alike a projected bone and a radiograph are, and which small motion makes them more alike.

Within Gaussian windows the image is compared with the projection up to an own brightness and contrast of each window:
local normalised correlation, as a sum of squares. Soft tissue, scatter, exposure, gamma and the film's own scale change
slowly across an image and so fall away. What hides the patient has no weight in any window.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter

from spinescrew.outcome.patches import Patch

Field = NDArray[np.float32]
Floats = NDArray[np.float64]

_NOISE_SHARE = 0.15
"""Of the usual contrast of windows: flatter ones are noise."""

_ROBUST = 1.5


@dataclass(frozen=True, eq=False)
class Compared:
    """One projection beside one patch.

    Attributes
    ----------
    loss:
        Weighted sum of squared differences, large ones counted less, and ``total``, the sum of weights: about 1 less
        the squared local correlation in the mean.
    correlation:
        Mean local correlation in [-1, 1].
    normal, pull:
        (6, 6) and (6,) of the least-squares step; zero without slopes.
    """

    loss: float
    total: float
    correlation: float
    normal: Floats
    pull: Floats


class Windows:
    """A patch with all that does not depend on the projection.

    Parameters
    ----------
    region:
        (rows, columns), how much each pixel counts; all alike when left out. It stays the same whatever the pose: a
        region that went with the bone would let it flee to where little can be compared.
    """

    def __init__(self, patch: Patch, sigma_mm: float, region: Field | None = None) -> None:
        self.patch = patch
        self.sigma = sigma_mm / patch.step_mm
        self.weight = patch.weight
        self._support = np.maximum(self._blur(self.weight), 1e-3)
        mean = self.mean(patch.pixels)
        self.image = patch.pixels - mean
        self.variance = self.mean(self.image**2)
        seen = self.variance[self.weight > 0]
        usual = float(np.median(seen)) if seen.size else 1.0
        self.region = self.weight if region is None else self.weight * region
        self.scale = 1.0 / np.sqrt(self.variance + _NOISE_SHARE**2 * max(usual, 1e-12))

    def _blur(self, field: Field) -> Field:
        return np.asarray(gaussian_filter(field, self.sigma, mode="constant", truncate=2.5))

    def mean(self, field: Field) -> Field:
        """Mean of a field (rows, columns) in each window, of what has weight."""
        return np.asarray(self._blur(field * self.weight) / self._support, dtype=np.float32)

    def compare(self, projected: Field, slopes: Field | None = None) -> Compared:
        """Compare a projection with the patch.

        Parameters
        ----------
        projected:
            (rows, columns), of the bone and all that is near it.
        slopes:
            (6, rows, columns), how the projection changes with each small motion.
        """
        model = projected - self.mean(projected)
        power = self.mean(model**2)
        floor = 1e-3 * float(power.max()) + 1e-12
        gain = np.maximum(self.mean(self.image * model), 0.0) / (power + floor)
        off = (self.image - gain * model) * self.scale
        square = (off / _ROBUST) ** 2
        loss = float((self.region * np.log1p(square)).sum()) * _ROBUST**2
        total = float(self.region.sum())
        alike = self.mean(self.image * model) / np.sqrt(np.maximum(self.variance * power, 1e-20))
        correlation = float((self.region * alike).sum() / max(total, 1e-9))
        if slopes is None:
            return Compared(loss, total, correlation, np.zeros((6, 6)), np.zeros(6))
        rows = np.empty((6, off.size))
        for n, slope in enumerate(slopes):
            moved = slope - self.mean(slope)
            moved = moved - model * (self.mean(moved * model) / (power + floor))
            rows[n] = (gain * moved * self.scale).ravel()
        weighted = rows * (self.region / (1.0 + square)).ravel()
        return Compared(loss, total, correlation, weighted @ rows.T, weighted @ off.ravel())


def shadow(bone: Field, step_mm: float, margin_mm: float) -> Field:
    """1 on a projected bone and up to ``margin_mm`` beside it, then falling to 0: its outline counts too."""
    inside = bone > 0.02 * float(bone.max() + 1e-9)
    away = distance_transform_edt(~inside) * step_mm
    return np.asarray(np.clip(2.0 - away / max(margin_mm, 1e-3), 0.0, 1.0), dtype=np.float32)
