"""Models joined: a logistic regression over the probabilities of any subset of them (Yao 2024); calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar

from spinescrew.brands.models import softmax

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

LEAST_SHARE = 1e-4
"""Probabilities below are taken for this: the logarithm of nothing says too much."""

_RIDGE = 0.02
_HOTTEST = 20.0


def subsets(members: Sequence[str]) -> list[tuple[str, ...]]:
    """All subsets of one member or more, the small ones first, each in the order of ``members``."""
    return [part for size in range(1, len(members) + 1) for part in combinations(members, size)]


def features(probabilities: Mapping[str, Floats], members: Sequence[str]) -> Floats:
    """(..., members x outputs): logarithms of the members' probabilities (..., outputs) beside one another."""
    parts = [np.log(np.maximum(probabilities[member], LEAST_SHARE)) for member in members]
    return np.concatenate(parts, axis=-1)


def joined(probabilities: Mapping[str, Floats], members: Sequence[str], weights: Floats, bias: Floats) -> Floats:
    """Probabilities (..., outputs) of an ensemble with weights (members x outputs, outputs)."""
    return softmax(features(probabilities, members) @ weights + bias)


def fit(rows: Floats, truth: Whole, count: int, ridge: float = _RIDGE) -> tuple[Floats, Floats]:
    """Weights (members x outputs, outputs) and bias (outputs,) of a multinomial logistic regression.

    The ridge draws it towards the mean of the members, not towards nothing: with few patients an ensemble then does
    what nobody had to fit.

    Parameters
    ----------
    rows:
        (n, members x outputs) of :func:`features`.
    truth:
        (n,) which output is right.
    count:
        Outputs.
    """
    members = rows.shape[1] // count
    start = np.tile(np.eye(count), (members, 1)) / members
    hit = np.eye(count)[truth]
    share = 1.0 / np.maximum(np.bincount(truth, minlength=count), 1)[truth]
    share /= share.sum()

    def loss(flat: Floats) -> tuple[float, Floats]:
        weights, bias = flat[:-count].reshape(start.shape), flat[-count:]
        shares = softmax(rows @ weights + bias)
        value = -float(share @ np.log(np.maximum((shares * hit).sum(axis=1), 1e-12)))
        away = weights - start
        value += 0.5 * ridge * float((away**2).sum() + (bias**2).sum())
        slope = share[:, None] * (shares - hit)
        return value, np.concatenate([(rows.T @ slope + ridge * away).ravel(), slope.sum(axis=0) + ridge * bias])

    found = minimize(loss, np.concatenate([start.ravel(), np.zeros(count)]), jac=True, method="L-BFGS-B").x
    return found[:-count].reshape(start.shape), found[-count:]


def temperature(logits: Floats, truth: Whole) -> float:
    """What logits (n, outputs) have to be divided by for their probabilities to come true (Guo 2017)."""
    rows = np.arange(len(truth))

    def loss(log_temperature: float) -> float:
        shares = softmax(logits / np.exp(log_temperature))
        return -float(np.mean(np.log(np.maximum(shares[rows, truth], 1e-12))))

    bound = np.log(_HOTTEST)
    return float(np.exp(minimize_scalar(loss, bounds=(-bound, bound), method="bounded").x))
