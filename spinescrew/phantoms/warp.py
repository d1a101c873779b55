"""A smooth invertible deformation, and noise that is a function of place: what makes smooth solids look like bone.

The deformation is given backwards, from the patient to the undeformed model: ``model = patient + u(patient)`` with
``u`` a sum of cubic B-spline fields on a wide and a narrow lattice. Its Lipschitz constant is kept below 1, so the
forward direction is the limit of a contraction and as exact as one likes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Coefficients = NDArray[np.float32]

_STEEPEST = 0.45
_PROBES = 3000
_CLOSE_MM = 1e-5


@njit(cache=True, inline="always")
def _weights(t):  # type: ignore[no-untyped-def]
    s = 1.0 - t
    return s * s * s / 6.0, (3.0 * t * t * t - 6.0 * t * t + 4.0) / 6.0, (3.0 * s * s * s - 6.0 * s * s + 4.0) / 6.0


@njit(cache=True)
def _add_field(coefficients, origin, step, p, out):  # type: ignore[no-untyped-def]
    """Add one lattice's displacement at ``p`` to ``out``; beyond the lattice its rim goes on."""
    at = np.empty(3, np.int64)
    w = np.empty((3, 4))
    for axis in range(3):
        x = min(max((p[axis] - origin[axis]) / step, 0.0), coefficients.shape[axis] - 3.001)
        at[axis] = int(x)
        t = x - at[axis]
        w[axis, 0], w[axis, 1], w[axis, 2] = _weights(t)
        w[axis, 3] = 1.0 - w[axis, 0] - w[axis, 1] - w[axis, 2]
    for a in range(4):
        for b in range(4):
            ab = w[0, a] * w[1, b]
            for c in range(4):
                abc = ab * w[2, c]
                row = coefficients[at[0] + a, at[1] + b, at[2] + c]
                out[0] += abc * row[0]
                out[1] += abc * row[1]
                out[2] += abc * row[2]


@njit(cache=True)
def pull(wide, narrow, origins, steps, p, out):  # type: ignore[no-untyped-def]
    """Patient point ``p`` (3,) to the model, written to ``out`` (3,)."""
    out[0], out[1], out[2] = p[0], p[1], p[2]
    _add_field(wide, origins[0], steps[0], p, out)
    _add_field(narrow, origins[1], steps[1], p, out)


@njit(cache=True)
def _pull_all(wide, narrow, origins, steps, points, out):  # type: ignore[no-untyped-def]
    for n in range(points.shape[0]):
        pull(wide, narrow, origins, steps, points[n], out[n])


@njit(cache=True, inline="always")
def _hash(i, j, k, seed):  # type: ignore[no-untyped-def]
    """A number in [-1, 1) that belongs to a lattice point."""
    h = (i * 374761393 + j * 668265263 + k * 2147483647 + seed * 1274126177) & 0xFFFFFFFF
    h = ((h ^ (h >> 13)) * 1274126177) & 0xFFFFFFFF
    h = ((h ^ (h >> 15)) * 2246822519) & 0xFFFFFFFF
    h ^= h >> 16
    return h / 2147483648.0 - 1.0


@njit(cache=True)
def noise_at(x, y, z, size, seed):  # type: ignore[no-untyped-def]
    """Smooth noise in [-1, 1] with structures of ``size`` mm, a function of place and ``seed`` alone."""
    x, y, z = x / size, y / size, z / size
    i, j, k = int(np.floor(x)), int(np.floor(y)), int(np.floor(z))
    u, v, w = x - i, y - j, z - k
    u, v, w = u * u * (3 - 2 * u), v * v * (3 - 2 * v), w * w * (3 - 2 * w)
    c00 = _hash(i, j, k, seed) * (1 - w) + _hash(i, j, k + 1, seed) * w
    c01 = _hash(i, j + 1, k, seed) * (1 - w) + _hash(i, j + 1, k + 1, seed) * w
    c10 = _hash(i + 1, j, k, seed) * (1 - w) + _hash(i + 1, j, k + 1, seed) * w
    c11 = _hash(i + 1, j + 1, k, seed) * (1 - w) + _hash(i + 1, j + 1, k + 1, seed) * w
    return (c00 * (1 - v) + c01 * v) * (1 - u) + (c10 * (1 - v) + c11 * v) * u


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
        _pull_all(self.wide, self.narrow, self.origins, self.steps, flat, out)
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
