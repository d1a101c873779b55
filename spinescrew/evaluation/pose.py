"""How well screws are found in two radiographs: figures of many pairs, by what makes them easy or hard."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from spinescrew.evaluation.agreement import Estimate, Share, by_patient, share
from spinescrew.evaluation.pose_score import USUAL, PixelScore, PoseScore

Floats = NDArray[np.float64]
Score = TypeVar("Score", PoseScore, PixelScore)

GOOD_MM, GOOD_DEG = 2.0, 2.0
"""A screw is told well if its middle and its axis are within these."""

SPREAD_95 = 11.07
"""Squared errors of five degrees of freedom stay below this in 95 of 100 (chi squared)."""

ANGLE_BANDS = (0.0, 25.0, 35.0, 45.0, 55.0, 65.0, 75.0, 90.1)
SCREW_BANDS = (1.0, 3.0, 5.0, 7.0, 9.0, 100.0)
NOISE_BANDS = (0.0, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, float("inf"))

_NAN = float("nan")
_NO_ESTIMATE = Estimate(_NAN, _NAN, _NAN)


@dataclass(frozen=True)
class PoseFigures:
    """Scores of many pairs, and what follows from them. Intervals are 95 %, by drawing whole pairs again.

    Errors are over the screws put together right; screws that were missed or put together wrong are counted in
    :attr:`matched` and :attr:`well`.
    """

    screws: tuple[PoseScore, ...]
    pixels: tuple[PixelScore, ...] = ()

    @cached_property
    def true(self) -> tuple[PoseScore, ...]:
        """The scores of true screws."""
        return tuple(score for score in self.screws if score.state != "extra")

    @cached_property
    def right(self) -> tuple[PoseScore, ...]:
        """Those put together of their own parts."""
        return tuple(score for score in self.screws if score.state == "right")

    @property
    def pairs(self) -> int:
        """How many pairs of radiographs there are."""
        return len({_pair(score) for score in self.screws})

    @property
    def missed(self) -> int:
        """True screws that were not found."""
        return sum(score.state == "missed" for score in self.screws)

    @property
    def extra(self) -> int:
        """Screws that are none."""
        return sum(score.state == "extra" for score in self.screws)

    @property
    def matched(self) -> Share:
        """Of the true screws, those found and put together right."""
        return share(len(self.right), len(self.true))

    @property
    def matched_of_found(self) -> Share:
        """Of the screws found, those put together right."""
        return share(len(self.right), len(self.screws) - self.missed)

    @property
    def well(self) -> Share:
        """Of the true screws, those told within 2 mm at mid-shaft and 2 degrees."""
        near = [score.mid_mm <= GOOD_MM and score.angle_deg <= GOOD_DEG for score in self.true]
        return share(sum(near), len(near))

    @property
    def honest(self) -> Share:
        """Of those put together right, the ones with an error within the 95 % that their standard deviations tell."""
        told = [score.spread <= SPREAD_95 for score in self.right if score.spread == score.spread]
        return share(sum(told), len(told))

    def mean(self, name: str) -> Estimate:
        """Mean size of a field of :class:`PoseScore` over those put together right."""
        return _mean(self.right, name)

    def bias(self, name: str) -> float:
        """Mean of the same with its sign."""
        values = np.array([getattr(score, name) for score in self.right], float)
        return float(np.nanmean(values)) if np.isfinite(values).any() else _NAN

    def highest(self, name: str, percent: float = 95.0) -> float:
        """What ``percent`` of them do not exceed."""
        values = _sizes(self.right, name)
        return float(np.percentile(values, percent)) if len(values) else _NAN

    def pixel_mean(self, name: str) -> Estimate:
        """Mean of a field of :class:`PixelScore` over the radiographs."""
        return _mean(self.pixels, name)

    @property
    def seconds(self) -> float:
        """Median over pairs."""
        told = {(_pair(score), score.error_deg): score.seconds for score in self.screws}
        known = [value for value in told.values() if value == value]
        return float(np.median(known)) if known else _NAN

    @property
    def refused(self) -> dict[str, int]:
        """Reasons why nothing was found, and in how many pairs."""
        told = {(_pair(score), score.error_deg): score.refused for score in self.screws if score.refused}
        return {reason: list(told.values()).count(reason) for reason in dict.fromkeys(told.values())}

    def usual(self) -> PoseFigures:
        """The pairs of the usual views alone, without those at chosen angles."""
        return self._of(_is_usual, _is_usual)

    def by_style(self) -> dict[str, PoseFigures]:
        """Of each style, in the order met."""
        scores: list[Any] = [*self.screws, *self.pixels]
        styles = dict.fromkeys(str(score.style) for score in scores)
        return {style: self._of(_style_is(style), _style_is(style)) for style in styles}

    def by_error(self) -> dict[tuple[float, float], PoseFigures]:
        """Of each error (degrees, mm) of the calibration that was given; the pixels do not depend on it."""
        errors = sorted({(score.error_deg, score.error_mm) for score in self.screws})
        return {error: self._of(_error_is(error)) for error in errors}

    def by_angle(self, bands: Sequence[float] = ANGLE_BANDS) -> dict[tuple[float, float], PoseFigures]:
        """By the angle between the views."""
        return self._by("between_deg", bands)

    def by_count(self, bands: Sequence[float] = SCREW_BANDS) -> dict[tuple[float, float], PoseFigures]:
        """By the number of screws that the pair shows."""
        return self._by("screws", bands, pixels=False)

    def by_noise(self, bands: Sequence[float] = NOISE_BANDS) -> dict[tuple[float, float], PoseFigures]:
        """By noise over contrast."""
        return self._by("noise", bands)

    def _by(self, name: str, bands: Sequence[float], pixels: bool = True) -> dict[tuple[float, float], PoseFigures]:
        """Those with a value from one of ``bands`` to below the next, where there are any."""
        found = {}
        for low, high in pairwise(bands):
            inside = _within(name, low, high)
            part = self._of(inside, inside if pixels else None)
            if part.screws:
                found[low, high] = part
        return found

    def _of(self, wanted: Callable[[Any], bool], pixels: Callable[[Any], bool] | None = None) -> PoseFigures:
        kept = self.pixels if pixels is None else _chosen(self.pixels, pixels)
        return replace(self, screws=_chosen(self.screws, wanted), pixels=kept)


def _chosen(scores: Sequence[Score], wanted: Callable[[Any], bool]) -> tuple[Score, ...]:
    return tuple(score for score in scores if wanted(score))


def _pair(score: PoseScore) -> tuple[Hashable, ...]:
    return score.case, score.style, score.setup


def _is_usual(score: PoseScore | PixelScore) -> bool:
    return score.setup == USUAL


def _style_is(style: str) -> Callable[[Any], bool]:
    return lambda score: score.style == style


def _error_is(error: tuple[float, float]) -> Callable[[Any], bool]:
    return lambda score: (score.error_deg, score.error_mm) == error


def _within(name: str, low: float, high: float) -> Callable[[Any], bool]:
    return lambda score: low <= getattr(score, name) < high


def _sizes(scores: Sequence[Any], name: str) -> Floats:
    values = np.abs(np.array([getattr(score, name) for score in scores], float))
    return values[np.isfinite(values)]


def _mean(scores: Sequence[Any], name: str) -> Estimate:
    known = [score for score in scores if np.isfinite(getattr(score, name))]
    if not known:
        return _NO_ESTIMATE
    values = _sizes(known, name)
    patients: list[Hashable] = [score.case for score in known]
    return by_patient(lambda index: float(values[index].mean()), patients)
