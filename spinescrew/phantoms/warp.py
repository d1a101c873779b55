"""A smooth invertible deformation, and noise that is a function of place: what makes smooth solids look like bone.

The deformation is given backwards, from the patient to the undeformed model: ``model = patient + u(patient)`` with
``u`` a sum of cubic B-spline fields on a wide and a narrow lattice. Its Lipschitz constant is kept below 1, so the
forward direction is the limit of a contraction and as exact as one likes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.phantoms.kernels import pull_all

Floats = NDArray[np.float64]
Coefficients = NDArray[np.float32]

_STEEPEST = 0.45
_PROBES = 3000
_CLOSE_MM = 1e-5


@dataclass(frozen=True, eq=False)
class Warp:
    """The deformation between the model and the patient, both RAS mm.

    Attributes
    ----------
    wide, narrow:
        float32 (ni, nj, nk, 3) B-spline coefficients in mm.
    origins, steps:
        (2, 3) and (2,): where each lattice begins and its width in mm.
    """

    wide: Coefficients
    narrow: Coefficients
    origins: Floats
    steps: Floats

    def to_model(self, points: Any) -> Floats:
        """Patient points (..., 3) to the model: exact."""
        flat = np.ascontiguousarray(points, dtype=np.float64).reshape(-1, 3)
        out = np.empty_like(flat)
        pull_all(self.wide, self.narrow, self.origins, self.steps, flat, out)
        return out.reshape(np.shape(points))

    def to_patient(self, points: Any) -> Floats:
        """Model points (..., 3) to the patient, to 1e-5 mm."""
        target = np.asarray(points, dtype=np.float64)
        guess = target.copy()
        for _ in range(60):
            step = target - self.to_model(guess)
            guess = guess + step
            if np.abs(step).max(initial=0.0) < _CLOSE_MM:
                break
        return guess

    @staticmethod
    def draw(
        random: np.random.Generator,
        low: Any,
        high: Any,
        sizes_mm: tuple[float, float],
        amounts_mm: tuple[float, float],
    ) -> Warp:
        """A random deformation of the box [low, high].

        Parameters
        ----------
        sizes_mm:
            Scale of the wide and of the narrow field: the width of their lattices.
        amounts_mm:
            Standard deviation of each component of their displacements. Both are reduced where the map would come
            near folding.
        """
        fields = [_lattice(random, low, high, *each) for each in zip(sizes_mm, amounts_mm, strict=True)]
        origins = np.array([origin for _, origin in fields])
        warp = Warp(fields[0][0], fields[1][0], origins, np.array(sizes_mm, dtype=float))
        share = min(1.0, _STEEPEST / max(warp.steepest(random, low, high), 1e-9))
        reduced = np.float32(share)
        return Warp(warp.wide * reduced, warp.narrow * reduced, origins, warp.steps)

    def steepest(self, random: np.random.Generator, low: Any, high: Any) -> float:
        """The largest norm of the displacement's gradient found at random places of the box [low, high]."""
        at = random.uniform(low, high, (_PROBES, 3))
        columns = [(self.to_model(at + e) - self.to_model(at - e)) / 0.2 - e / 0.1 for e in 0.1 * np.eye(3)]
        return float(np.linalg.norm(np.stack(columns, axis=-1), axis=(1, 2)).max())


def _lattice(
    random: np.random.Generator, low: Any, high: Any, size: float, amount: float
) -> tuple[Coefficients, Floats]:
    low, high = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    shape = tuple(int(n) for n in np.ceil((high - low) / size).astype(int) + 4)
    # A cubic B-spline of white coefficients has 0.479 of their variance along each axis.
    coefficients = random.normal(0.0, amount / 0.479**1.5, (*shape, 3))
    return coefficients.astype(np.float32), low - size
