"""What measured features alone can do: a ruler on the film, without a network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spinescrew.implants.families import FAMILIES

Floats = NDArray[np.float64]

FEATURES = ("pitch", "diameter", "head width")
ERRORS = (0.03, 0.03, 0.02)
"""Relative standard deviation of a careful measurement of each; the film's magnification is taken to be known."""

_SEED = 7014
_RIDGE = 1e-9


def baseline_accuracy(
    names: Sequence[str] = tuple(FAMILIES), patients: int = 400, errors: Sequence[float] = ERRORS, seed: int = _SEED
) -> float:
    """Accuracy of a Gaussian classifier (one mean and spread for each family) of measured pitch, diameter, head width.

    Parameters
    ----------
    patients:
        Of each family, to learn from; as many others are tested on.
    errors:
        Of the measurements, see :data:`ERRORS`.
    """
    random = np.random.default_rng(seed)
    learned = [measured(name, patients, errors, random) for name in names]
    means = [rows.mean(axis=0) for rows in learned]
    spreads = [np.cov(rows.T) + _RIDGE * np.eye(rows.shape[1]) for rows in learned]
    hits = [
        float((_likeliest(measured(name, patients, errors, random), means, spreads) == n).mean())
        for n, name in enumerate(names)
    ]
    return float(np.mean(hits))


def measured(name: str, patients: int, errors: Sequence[float], random: np.random.Generator) -> Floats:
    """(patients, 3) in mm of one family, as a reader measures them."""
    rows = []
    for _ in range(patients):
        design = FAMILIES[name].draw(random)
        rows.append((design.pitch_mm, FAMILIES[name].draw_size(random)[0], design.tulip_diameter_mm))
    true = np.array(rows)
    return np.asarray(true * (1 + np.asarray(errors) * random.normal(size=true.shape)))


def _likeliest(rows: Floats, means: Sequence[Floats], spreads: Sequence[Floats]) -> NDArray[np.intp]:
    likely = []
    for mean, spread in zip(means, spreads, strict=True):
        away = rows - mean
        likely.append(
            -0.5 * np.einsum("ni,ij,nj->n", away, np.linalg.inv(spread), away) - 0.5 * np.linalg.slogdet(spread)[1]
        )
    return np.argmax(likely, axis=0)
