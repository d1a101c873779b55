"""How well the feasibility of C2 pedicles was judged: every pedicle's score, and what follows from all of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from spinescrew.evaluation.agreement import (
    BINS,
    Bin,
    Estimate,
    PairedTest,
    Rates,
    Share,
    auc_by_patient,
    brier,
    calibration_error,
    paired_test,
    reliability,
    share,
)
from spinescrew.evaluation.pedicle_score import PedicleScore

Floats = NDArray[np.float64]
Rule = Callable[[PedicleScore], bool | None]

CUT_OFF_MM = 4.78
"""Minimum pediculoisthmic diameter above which a 3.5 mm screw fits (Journal of Orthopaedic Surgery 2023)."""

BORDER_MM = 1.0
"""A pedicle is a border case if its true diameter lies this near the cut-off."""

WIDTH_BANDS_MM = (0.0, 3.0, 4.0, 4.5, 5.0, 5.5, 6.0, 8.0, math.inf)

_NAN = float("nan")


@dataclass(frozen=True)
class Confidence:
    """How sure the answers are: mean of the larger of p and 1 - p, and mean width of the interval."""

    count: int
    mean: float
    interval: float


@dataclass(frozen=True)
class WidthPoint:
    """Pedicles of about one width: mean probability, what was true of them, and how many there are."""

    width_mm: float
    probability: float
    true_probability: float
    feasible: Share


@dataclass(frozen=True)
class FeasibilityResult:
    """Figures of many pedicles. Refused ones have no part in rates: they are counted apart.

    Attributes
    ----------
    threshold:
        Probability from which on a pedicle is called feasible.
    """

    scores: tuple[PedicleScore, ...]
    threshold: float = 0.5

    @cached_property
    def refused(self) -> tuple[PedicleScore, ...]:
        """Those that were given no answer."""
        return tuple(score for score in self.scores if score.refused)

    @cached_property
    def answered(self) -> tuple[PedicleScore, ...]:
        """Those that were given one."""
        return tuple(score for score in self.scores if not score.refused)

    @cached_property
    def judged(self) -> tuple[PedicleScore, ...]:
        """Those with an answer whose truth is known: what all rates are over."""
        return tuple(score for score in self.answered if score.feasible is not None)

    @property
    def truth(self) -> NDArray[np.bool_]:
        """(n,) whether those judged are feasible."""
        return np.array([bool(score.feasible) for score in self.judged], bool)

    @property
    def probability(self) -> Floats:
        """(n,) what was said of those judged."""
        return _column(self.judged, "probability")

    @property
    def patients(self) -> tuple[str, ...]:
        """Whose they are."""
        return tuple(str(score.case) for score in self.judged)

    def rates(self, threshold: float | None = None) -> Rates:
        """Accuracy, sensitivity, specificity and predictive values."""
        return Rates.of(self.truth, self.probability >= (self.threshold if threshold is None else threshold))

    @cached_property
    def auc(self) -> Estimate:
        """Area under the ROC curve."""
        return auc_by_patient(self.truth, self.probability, self.patients)

    @property
    def brier(self) -> float:
        """Mean squared error of the probability that a pedicle is feasible."""
        return brier(self.truth, self.probability)

    @property
    def ece(self) -> float:
        """Expected calibration error of the probability that a pedicle is feasible."""
        return calibration_error(self.truth, self.probability)

    def reliability(self, bins: int = BINS) -> tuple[Bin, ...]:
        """The reliability curve."""
        return reliability(self.truth, self.probability, bins)

    @property
    def placed_ece(self) -> float:
        """The same against the true probability: the share of the placed screws that stay in the bone."""
        return calibration_error(*self._placed)

    def placed_reliability(self, bins: int = BINS) -> tuple[Bin, ...]:
        """The reliability curve against the true probability; empty where that is not known."""
        return reliability(*self._placed, bins)

    @property
    def _placed(self) -> tuple[Floats, Floats]:
        known = [score for score in self.judged if not math.isnan(score.true_probability)]
        return _column(known, "true_probability"), _column(known, "probability")

    @property
    def mean_dice(self) -> float:
        """Of the pedicles' voxels."""
        return _mean(_column(self.answered, "dice"))

    @property
    def mean_wall_mm(self) -> float:
        """Of the distance of the surface found from the true one."""
        return _mean(_column(self.answered, "wall_mm"))

    def rates_of(self, rule: Rule) -> Rates:
        """Those of a rule beside the answer; without the pedicles that it says nothing of."""
        ruled = self._of(lambda score: rule(score) is not None)
        return Rates.of(ruled.truth, [rule(score) for score in ruled.judged])

    def against(self, rule: Rule) -> PairedTest:
        """The answer (first) and a rule (second); without the pedicles that the rule says nothing of."""
        ruled = self._of(lambda score: rule(score) is not None)
        said = [rule(score) for score in ruled.judged]
        return paired_test(ruled.truth, ruled.probability >= self.threshold, said, ruled.patients)

    def against_width_rule(self, cut_off: float = CUT_OFF_MM) -> PairedTest:
        """The answer and :func:`width_rule`."""
        return self.against(width_rule(cut_off))

    def against_corridor(self, wall_mm: float | None = None) -> PairedTest:
        """The answer and :func:`corridor_rule`."""
        return self.against(corridor_rule(wall_mm))

    def border(self) -> FeasibilityResult:
        """Those whose true diameter lies near the cut-off alone."""
        return self._of(lambda score: abs(score.true_mpd_mm - CUT_OFF_MM) <= BORDER_MM)

    def by_width(self, bands: Sequence[float] = WIDTH_BANDS_MM) -> dict[tuple[float, float], FeasibilityResult]:
        """Those of a width from one of ``bands`` to below the next, where there are any."""
        found = {band: self._of(_between(*band)) for band in pairwise(bands)}
        return {band: result for band, result in found.items() if result.scores}

    def by_slice(self) -> dict[int, FeasibilityResult]:
        """Those of images with slices up to so many whole millimetres."""
        steps = sorted({_slices(score) for score in self.scores} - {0})
        return {step: self._of(_with_slices(step)) for step in steps}

    def confidence_by_slice(self) -> dict[int, Confidence]:
        """How sure the answers are, by thickness of the slices."""
        return {step: _confidence(result.answered) for step, result in self.by_slice().items()}

    def probability_by_width(self, centres: Sequence[float]) -> tuple[WidthPoint, ...]:
        """Mean probability and share of feasible pedicles around each of ``centres`` (mm, rising), where there are any.

        A pedicle counts at the nearest centre, if it is no farther away than half a step.
        """
        middles = np.asarray(centres, float)
        halves = np.diff(middles) / 2
        edges = np.concatenate([[middles[0] - halves[0]], middles[:-1] + halves, [middles[-1] + halves[-1]]])
        around = [self._of(_between(*band)) for band in pairwise(edges)]
        return tuple(_point(float(mm), part) for mm, part in zip(middles, around, strict=True) if part.judged)

    def _of(self, wanted: Callable[[PedicleScore], bool]) -> FeasibilityResult:
        return replace(self, scores=tuple(score for score in self.scores if wanted(score)))


def width_rule(cut_off: float = CUT_OFF_MM) -> Rule:
    """The published rule: feasible if the measured minimum diameter is above ``cut_off`` mm."""
    return lambda score: None if math.isnan(score.own_width_mm) else score.own_width_mm > cut_off


def network_rule(threshold: float = 0.5) -> Rule:
    """The network without the measures: feasible from a probability of ``threshold`` on."""
    return lambda score: None if math.isnan(score.network) else score.network >= threshold


def corridor_rule(wall_mm: float | None = None) -> Rule:
    """Geometry alone: feasible if the measured corridor fits, or if it leaves another wall than it must."""
    if wall_mm is None:
        return lambda score: score.corridor_fits
    return lambda score: None if math.isnan(score.corridor_margin_mm) else score.corridor_margin_mm >= wall_mm


def _column(scores: Sequence[PedicleScore], name: str) -> Floats:
    return np.array([getattr(score, name) for score in scores], float)


def _mean(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else _NAN


def _between(low: float, high: float) -> Callable[[PedicleScore], bool]:
    return lambda score: low <= score.width_mm < high


def _with_slices(step: int) -> Callable[[PedicleScore], bool]:
    return lambda score: _slices(score) == step


def _slices(score: PedicleScore) -> int:
    """Thickness in whole mm, rounded up; 0 where it is not known."""
    return 0 if math.isnan(score.slice_mm) else math.ceil(round(score.slice_mm, 2))


def _confidence(scores: Sequence[PedicleScore]) -> Confidence:
    probability = _column(scores, "probability")
    surer = np.maximum(probability, 1.0 - probability)
    return Confidence(len(scores), _mean(surer), _mean(_column(scores, "high") - _column(scores, "low")))


def _point(width_mm: float, part: FeasibilityResult) -> WidthPoint:
    truth = part.truth
    return WidthPoint(
        width_mm,
        _mean(part.probability),
        _mean(_column(part.judged, "true_probability")),
        share(int(truth.sum()), len(truth)),
    )
