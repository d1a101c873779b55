"""How well systems are named: the tables of Yao 2024 from any patients, and what is added to them here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from spinescrew.evaluation.agreement import Estimate, PairedTest, Share, auc, by_patient, paired_test, share
from spinescrew.evaluation.brand_score import UNKNOWN, BrandScore

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

REFUSED = -1
"""Answer of patients in whose images no screw was found: wrong, whatever their system."""

_NAN = float("nan")


@dataclass(frozen=True)
class BrandMeasures:
    """One system, or the mean of all (macro), or all answers in one pot (micro).

    Precision is NaN where a system was never named; the macro means then leave it out.
    """

    precision: float
    sensitivity: float
    f1: float
    auc: float


@dataclass(frozen=True)
class BrandRates:
    """One model or ensemble on one set of patients.

    Attributes
    ----------
    accuracy, kappa:
        Of the forced choice among the known systems; agreement with the truth beyond chance (Cohen 1960).
    by_brand, macro, micro:
        One system against the rest; of micro averages, precision, sensitivity and F1 are the accuracy.
    macro_auc:
        With its interval.
    confusion:
        (systems, systems + 1): rows are the truth, columns the answers, the last one no answer.
    """

    model: str
    count: int
    accuracy: Share
    kappa: Estimate
    by_brand: dict[str, BrandMeasures]
    macro: BrandMeasures
    micro: BrandMeasures
    macro_auc: Estimate
    confusion: Whole


@dataclass(frozen=True)
class BrandFigures:
    """Figures of many patients.

    Attributes
    ----------
    outputs:
        Of the models; the known systems come first.
    brands:
        The known systems.
    """

    scores: tuple[BrandScore, ...]
    outputs: tuple[str, ...]
    brands: tuple[str, ...]

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """Sets of patients, in the order in which they were given."""
        return tuple(dict.fromkeys(score.part for score in self.scores))

    @cached_property
    def models(self) -> tuple[str, ...]:
        """Models and ensembles that answered any of them, single ones first."""
        names = dict.fromkeys(name for score in self.scores for name in score.shares)
        return tuple(sorted(names, key=lambda name: name.count("+")))

    @cached_property
    def refused(self) -> tuple[BrandScore, ...]:
        """Those without an answer."""
        return tuple(score for score in self.scores if score.refused)

    def of(self, part: str) -> BrandFigures:
        """The patients of one part."""
        return self.where(lambda score: score.part == part)

    def where(self, wanted: Callable[[BrandScore], bool]) -> BrandFigures:
        """Some of the patients."""
        return replace(self, scores=tuple(score for score in self.scores if wanted(score)))

    def rates(self, model: str) -> BrandRates:
        """Those of one model, over patients whose system it knows; who was refused counts as wrong."""
        truth, found, shares = self._table(model)
        count = len(self.brands)
        confusion = np.zeros((count, count + 1), np.int64)
        np.add.at(confusion, (truth, np.where(found == REFUSED, count, found)), 1)
        cases = np.arange(len(truth))
        by_brand = {name: _one(truth, found, shares, n) for n, name in enumerate(self.brands) if (truth == n).any()}
        accuracy = share(int((truth == found).sum()), len(truth))
        flat = auc(np.eye(count, dtype=bool)[truth].ravel(), shares.ravel()) if len(truth) else _NAN
        value = accuracy.value
        return BrandRates(
            model,
            len(truth),
            accuracy,
            by_patient(lambda at: cohen_kappa(truth[at], found[at]), cases.tolist(), resamples=500),
            by_brand,
            _mean(list(by_brand.values())),
            BrandMeasures(value, value, value, flat),
            by_patient(lambda at: macro_auc(truth[at], shares[at]), cases.tolist(), resamples=500),
            confusion,
        )

    def against_best_member(self, ensemble: str) -> tuple[str, PairedTest] | None:
        """The best member of an ensemble, and the ensemble (first) against it; ``None`` for single models.

        Members that gave no answers of their own are passed over.
        """
        members = [name for name in ensemble.split("+") if name in self.models and name != ensemble]
        if not members:
            return None
        right = {name: self._right(name) for name in (ensemble, *members)}
        best = max(members, key=lambda name: float(right[name].mean()) if len(right[name]) else _NAN)
        patients = list(range(len(right[ensemble])))
        truth = np.ones(len(patients), bool)
        return best, paired_test(truth, right[ensemble], right[best], patients)

    def false_refusals(self, model: str) -> Share:
        """Patients with a known system who are told that none fits."""
        known = [score for score in self.scores if score.brand in self.brands and model in score.fits]
        return share(sum(not score.fits[model] for score in known), len(known))

    def unknown_refused(self, model: str) -> Share:
        """Patients with a system that nobody was shown who are told so; those without any answer are, too."""
        others = [score for score in self.scores if score.part == UNKNOWN]
        told = sum(bool(score.refused) or not score.fits.get(model, True) for score in others)
        return share(told, len(others))

    def unknown_auc(self, model: str) -> float:
        """How well known and unknown systems are told apart by the probability of the likeliest one."""
        rows = [score for score in self.scores if model in score.shares]
        best = [max(score.shares[model][: len(self.brands)]) for score in rows]
        return auc([score.brand in self.brands for score in rows], best) if rows else _NAN

    @property
    def attention(self) -> Estimate:
        """Mean share of the attention on the implants."""
        values = np.array([score.attention for score in self.scores if np.isfinite(score.attention)])
        return by_patient(lambda at: float(values[at].mean()), list(range(len(values))))

    @property
    def seconds(self) -> float:
        """Median time of an answer."""
        values = [score.seconds for score in self.scores if np.isfinite(score.seconds)]
        return float(np.median(values)) if values else _NAN

    def roc_rows(self, model: str) -> tuple[Whole, Floats]:
        """Truth (n,) and probabilities (n, systems) of the patients with a known system whom a model answered."""
        truth, found, shares = self._table(model)
        return truth[found != REFUSED], shares[found != REFUSED]

    def answers(self, model: str) -> dict[int | str, str]:
        """The likeliest system of each patient, by case."""
        known = [score for score in self.scores if model in score.shares]
        return {score.case: self.brands[_best(score, model, len(self.brands))] for score in known}

    def _right(self, model: str) -> NDArray[np.bool_]:
        truth, found, _ = self._table(model)
        return truth == found

    def _table(self, model: str) -> tuple[Whole, Whole, Floats]:
        """Truth (n,), answers (n,) and probabilities (n, systems) of patients with a known system."""
        count = len(self.brands)
        own = [score for score in self.scores if score.brand in self.brands]
        own = [score for score in own if model in score.shares or score.refused]
        truth = np.array([self.brands.index(score.brand) for score in own], np.int64)
        found = np.array([_best(score, model, count) for score in own], np.int64)
        shares = np.array([score.shares.get(model, (0.0,) * count)[:count] for score in own], np.float64)
        return truth, found, shares.reshape(-1, count)


def cohen_kappa(truth: Whole, found: Whole) -> float:
    """Agreement of two raters of many classes beyond chance; NaN where chance cannot be beaten."""
    if not len(truth):
        return _NAN
    classes = np.unique(np.concatenate([truth, found]))
    chance = float(sum((truth == n).mean() * (found == n).mean() for n in classes))
    return float(((truth == found).mean() - chance) / (1 - chance)) if chance < 1 else _NAN


def macro_auc(truth: Whole, shares: Floats) -> float:
    """Mean of the areas of one system against the rest, of the systems that are there."""
    found = [auc(truth == n, shares[:, n]) for n in range(shares.shape[1]) if (truth == n).any()]
    known = [value for value in found if np.isfinite(value)]
    return float(np.mean(known)) if known else _NAN


def _best(score: BrandScore, model: str, count: int) -> int:
    shares = score.shares.get(model)
    return REFUSED if shares is None else int(np.argmax(shares[:count]))


def _one(truth: Whole, found: Whole, shares: Floats, number: int) -> BrandMeasures:
    true, said = truth == number, found == number
    hits = int((true & said).sum())
    precision = hits / int(said.sum()) if said.any() else _NAN
    sensitivity = hits / int(true.sum()) if true.any() else _NAN
    both = 2 * hits + int((true & ~said).sum()) + int((~true & said).sum())
    return BrandMeasures(precision, sensitivity, 2 * hits / both if both else _NAN, auc(true, shares[:, number]))


def _mean(measures: Sequence[BrandMeasures]) -> BrandMeasures:
    if not measures:
        return BrandMeasures(_NAN, _NAN, _NAN, _NAN)
    rows = np.array([(each.precision, each.sensitivity, each.f1, each.auc) for each in measures], float)
    known = np.isfinite(rows)
    means = np.where(known, rows, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return BrandMeasures(
        *(float(value) if there else _NAN for value, there in zip(means, known.any(axis=0), strict=True))
    )
