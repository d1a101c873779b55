"""What is said of any classifier: rates, ranking, calibration, agreement, and which of two is better.

Intervals are 95 %. Both pedicles of a patient have much in common, so that intervals without a formula come from
drawing whole patients again.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, rankdata

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Indices = NDArray[np.intp]

RESAMPLES, SEED = 2000, 95
BINS = 10

_NAN = float("nan")
_PERCENTILES = (2.5, 97.5)


@dataclass(frozen=True)
class Share:
    """A share of ``count``, with its 95 % interval; NaN where there are none."""

    value: float
    low: float
    high: float
    count: int


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval; NaN where it has none."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Rates:
    """How often answers are right: of all, of the true yes and no, and of the answers yes and no."""

    accuracy: Share
    sensitivity: Share
    specificity: Share
    ppv: Share
    npv: Share

    @classmethod
    def of(cls, truth: Any, found: Any) -> Rates:
        """Rates of the answers ``found`` (n,) to ``truth`` (n,), both bool."""
        true, said = np.asarray(truth, bool), np.asarray(found, bool)
        right = true == said
        chosen = (np.ones_like(right), true, ~true, said, ~said)
        return cls(*(share(int(right[which].sum()), int(which.sum())) for which in chosen))


@dataclass(frozen=True)
class Bin:
    """Cases with like probabilities: the mean of what was predicted, and the share that came true."""

    predicted: float
    observed: Share


@dataclass(frozen=True)
class PairedTest:
    """Two classifiers on the same cases.

    Attributes
    ----------
    only_first, only_second:
        Cases that one of them alone got right.
    p:
        Two-sided, exact (McNemar 1947, binomial).
    difference:
        Accuracy of the first less that of the second.
    """

    count: int
    only_first: int
    only_second: int
    p: float
    difference: Estimate


def share(hits: int, count: int) -> Share:
    """``hits`` of ``count`` with Wilson's interval (1927)."""
    if not count:
        return Share(_NAN, _NAN, _NAN, 0)
    interval = binomtest(hits, count).proportion_ci(method="wilson")
    return Share(hits / count, float(interval.low), float(interval.high), count)


def by_patient(
    measure: Callable[[Indices], float], patients: Sequence[Hashable], resamples: int = RESAMPLES, seed: int = SEED
) -> Estimate:
    """A measure with the interval (percentiles) that drawing patients with replacement gives it.

    Parameters
    ----------
    measure:
        Value of the cases at those indices; NaN where they have none.
    patients:
        Whose case each is (n); all cases of a patient are drawn together.
    """
    cases: dict[Hashable, list[int]] = {}
    for number, patient in enumerate(patients):
        cases.setdefault(patient, []).append(number)
    groups = [np.array(numbers, np.intp) for numbers in cases.values()]
    value = measure(np.arange(len(patients))) if groups else _NAN
    if not np.isfinite(value):
        return Estimate(_NAN, _NAN, _NAN)
    random = np.random.default_rng(seed)
    drawn = random.integers(len(groups), size=(resamples, len(groups)))
    values = np.array([measure(np.concatenate([groups[n] for n in row])) for row in drawn])
    low, high = np.nanpercentile(values, _PERCENTILES)
    return Estimate(float(value), float(low), float(high))


def auc(truth: Any, score: Any) -> float:
    """Area under the ROC curve (Mann-Whitney; ties count half); NaN where all cases are alike."""
    true, ranks = np.asarray(truth, bool), rankdata(score)
    yes, no = int(true.sum()), int((~true).sum())
    if not yes or not no:
        return _NAN
    return float((ranks[true].sum() - 0.5 * yes * (yes + 1)) / (yes * no))


def auc_by_patient(truth: Any, score: Any, patients: Sequence[Hashable]) -> Estimate:
    """:func:`auc` with its interval."""
    true, values = np.asarray(truth, bool), np.asarray(score, float)
    return by_patient(lambda index: auc(true[index], values[index]), patients)


def roc(truth: Any, score: Any) -> tuple[Floats, Floats]:
    """The ROC curve: shares (m,) of no's and of yes's at or above each threshold, from (0, 0) to (1, 1)."""
    true, values = np.asarray(truth, bool), np.asarray(score, float)
    order = np.argsort(-values, kind="stable")
    last = np.append(np.flatnonzero(np.diff(values[order])), len(values) - 1)
    hits = np.append(0, np.cumsum(true[order])[last])
    alarms = np.append(0, np.cumsum(~true[order])[last])
    return alarms / max(int(alarms[-1]), 1), hits / max(int(hits[-1]), 1)


def brier(outcome: Any, probability: Any) -> float:
    """Mean squared difference of probability and outcome (Brier 1950)."""
    if not len(outcome):
        return _NAN
    return float(np.mean((np.asarray(probability, float) - np.asarray(outcome, float)) ** 2))


def reliability(outcome: Any, probability: Any, bins: int = BINS) -> tuple[Bin, ...]:
    """The reliability curve, in bins of equal counts by rising probability.

    ``outcome`` (n,) is bool, or itself a share from 0 to 1; its interval is then that of the nearest count.
    """
    seen, predicted = np.asarray(outcome, float), np.asarray(probability, float)
    found = []
    for index in _equal_counts(predicted, bins):
        mean = float(seen[index].mean())
        around = share(round(mean * len(index)), len(index))
        found.append(Bin(float(predicted[index].mean()), replace(around, value=mean)))
    return tuple(found)


def calibration_error(outcome: Any, probability: Any, bins: int = BINS) -> float:
    """Expected calibration error: mean distance of predicted and observed, in bins of equal counts.

    ``outcome`` (n,) is bool, or itself a share from 0 to 1.
    """
    seen, predicted = np.asarray(outcome, float), np.asarray(probability, float)
    if not len(seen):
        return _NAN
    gaps = [abs(float(np.sum(predicted[index] - seen[index]))) for index in _equal_counts(predicted, bins)]
    return float(np.sum(gaps) / len(seen))


def _equal_counts(values: Floats, bins: int) -> list[Indices]:
    parts = np.array_split(np.argsort(values, kind="stable"), bins)
    return [part for part in parts if len(part)]


def kappa(one: Any, other: Any) -> float:
    """Agreement of two raters beyond chance (Cohen 1960); NaN where both give one and the same answer always."""
    a, b = np.asarray(one, bool), np.asarray(other, bool)
    if not len(a):
        return _NAN
    chance = a.mean() * b.mean() + (1 - a.mean()) * (1 - b.mean())
    return float(((a == b).mean() - chance) / (1 - chance)) if chance < 1 else _NAN


def kappa_by_patient(one: Any, other: Any, patients: Sequence[Hashable]) -> Estimate:
    """:func:`kappa` with its interval."""
    a, b = np.asarray(one, bool), np.asarray(other, bool)
    return by_patient(lambda index: kappa(a[index], b[index]), patients)


def paired_test(truth: Any, first: Any, second: Any, patients: Sequence[Hashable]) -> PairedTest:
    """Which of two classifiers is right more often, on the same cases; all bool (n,)."""
    true = np.asarray(truth, bool)
    right, other = (np.asarray(answers, bool) == true for answers in (first, second))
    ahead, behind = int((right & ~other).sum()), int((other & ~right).sum())
    p = float(binomtest(ahead, ahead + behind).pvalue) if ahead + behind else 1.0
    lead = right.astype(float) - other
    return PairedTest(len(true), ahead, behind, p, by_patient(lambda index: float(lead[index].mean()), patients))
