"""How well entry and exit points were found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import Side
from spinescrew.anatomy.levels import Level, cranial_to_caudal

Floats = NDArray[np.float64]
Ends = Mapping[tuple[Level, Side], tuple[Floats, Floats]]


@dataclass(frozen=True)
class LandmarkScore:
    """One pedicle of the reference: distances in mm of both points from the true ones; ``None`` where not found."""

    level: Level
    side: Side
    entry_mm: float | None = None
    exit_mm: float | None = None


def score_landmarks(found: Ends, reference: Ends) -> tuple[LandmarkScore, ...]:
    """Every pedicle of ``reference`` with what was found under its name; both hold entry and exit (3,) RAS."""
    return tuple(_score(key, found.get(key), ends) for key, ends in reference.items())


def _score(key: tuple[Level, Side], found: tuple[Floats, Floats] | None, true: tuple[Floats, Floats]) -> LandmarkScore:
    if found is None:
        return LandmarkScore(*key)
    entry, end = (float(np.linalg.norm(mine - theirs)) for mine, theirs in zip(found, true, strict=True))
    return LandmarkScore(*key, entry, end)


@dataclass(frozen=True)
class LandmarkSummary:
    """One level over many images: mean and 95th percentile in mm of both points together, and of each its mean."""

    level: Level
    pedicles: int
    missing: int
    mean_mm: float
    p95_mm: float
    entry_mm: float
    exit_mm: float


def summarise_landmarks(scores: Iterable[LandmarkScore]) -> tuple[LandmarkSummary, ...]:
    """Scores of many images by level, from the head down; NaN where nothing was found."""
    by_level: dict[Level, list[LandmarkScore]] = {}
    for score in scores:
        by_level.setdefault(score.level, []).append(score)
    return tuple(_summary(level, by_level[level]) for level in cranial_to_caudal() if level in by_level)


def _summary(level: Level, scores: Sequence[LandmarkScore]) -> LandmarkSummary:
    entries = np.array([score.entry_mm for score in scores if score.entry_mm is not None])
    exits = np.array([score.exit_mm for score in scores if score.exit_mm is not None])
    missing = len(scores) - len(entries)
    if not len(entries):
        return LandmarkSummary(level, len(scores), missing, *[float("nan")] * 4)
    both = np.concatenate([entries, exits])
    figures = both.mean(), np.percentile(both, 95), entries.mean(), exits.mean()
    return LandmarkSummary(level, len(scores), missing, *map(float, figures))
