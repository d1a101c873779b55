"""Whether a system is one of those that the models know at all: the limit that Yao 2024 leaves open."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FALSE_REFUSALS = 0.05
"""Share of patients with a known system who are told that it is not known."""

NEVER = -20.0
"""A score that every patient reaches."""

_LEAST = 1e-6


def score(probabilities: Floats, known: int) -> Floats:
    """How sure it is that a system is known: the log odds of the likeliest one against everything else.

    Parameters
    ----------
    probabilities:
        (..., outputs) of a model or an ensemble.
    known:
        How many of the outputs are systems; one more may stand for any other.
    """
    best = np.clip(np.asarray(probabilities, dtype=np.float64)[..., :known].max(axis=-1), _LEAST, 1 - _LEAST)
    return np.asarray(np.log(best / (1 - best)))


def threshold(scores: Floats, share: float = FALSE_REFUSALS) -> float:
    """The score below which this share of patients with known systems lies."""
    return float(np.quantile(scores, share)) if len(scores) else NEVER
