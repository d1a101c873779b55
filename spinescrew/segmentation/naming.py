"""Which vertebra is which, decided for the whole spine at once.

A network names each vertebra for itself and may be one off; a spine cannot. Vertebrae follow one another, lie usual
distances apart and grow downwards, the sacrum ends them, ribs mark the thorax. Every naming has a cost (a negative log
likelihood); dynamic programming finds the cheapest, and what the best naming with another name for a vertebra would
cost more says how sure its name is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.levels import Level, cranial_to_caudal, position
from spinescrew.errors import InputError
from spinescrew.segmentation.usual import RARE, usual_step_mm, usual_volume_mm3

Floats = NDArray[np.float64]

LEVELS = cranial_to_caudal()
"""Columns of ``scores``."""

_RARE_COST = {Level.T13: 4.5, Level.L6: 3.5}
"""About 1 % and 3 % of spines have them."""

_SCALES = np.array([0.75, 0.83, 0.91, 1.0, 1.1, 1.21])
_SCALE_SPREAD = 0.12
_STEP_SPREAD = 0.16
_SACRAL_SPREAD = 0.35
_VOLUME_SPREAD = 0.35
_GAP_COST = 3.0
_FLOOR = 0.02
"""Share of a score spread over all levels, so that a network that is sure of itself can still be outvoted."""

_SHIFT_COST = {0: 0.0, -1: 3.7, 1: 3.7}
"""In about one spine of twenty a network names every vertebra one too high or one too low (2.5 % each)."""

_TEMPERATURE = 1.3
"""Makes confidence the share of right names over 2000 simulated spines with noise (the tests hold it there)."""

_WORST = 1e6


@dataclass(frozen=True, eq=False)
class Candidate:
    """One vertebra without a settled name.

    Attributes
    ----------
    centroid:
        (3,) RAS mm.
    volume_mm3:
        Of the whole vertebra; NaN where it is unknown or cut by the field of view.
    scores:
        (27,) non-negative, over :data:`LEVELS`; all equal where nothing is known.
    ribs:
        Whether it carries ribs; ``None`` if unknown.
    """

    centroid: Floats
    volume_mm3: float
    scores: Floats
    ribs: bool | None = None


@dataclass(frozen=True)
class Naming:
    """Names in the order in which the candidates were given.

    Attributes
    ----------
    confidence:
        In [0, 1] for each candidate: the likelihood of the best naming beside the best ones that call it otherwise.
    runner_up:
        The best other naming of the whole spine; equal to ``levels`` where there is no other.
    runner_up_margin:
        By how much it is worse (difference of log likelihoods).
    """

    levels: tuple[Level, ...]
    confidence: tuple[float, ...]
    runner_up: tuple[Level, ...]
    runner_up_margin: float


def name_vertebrae(
    candidates: Sequence[Candidate], sacrum: Any = None, known: Mapping[int, Level] | None = None
) -> Naming:
    """The most likely consistent naming.

    Every candidate gets one level, no level is given twice, names run strictly downwards, and a level is left out only
    where the space between two candidates asks for it. T13 and L6 are possible at a cost. A common scale between 0.75
    and 1.21 stands for small and large people.

    Parameters
    ----------
    sacrum:
        (3,) RAS mm of the first sacral vertebra where it was found but is none of the candidates: an anchor.
    known:
        Names that a person has settled, by the number of the candidate.

    Raises
    ------
    InputError
        If there is no candidate, or more than a spine has.
    """
    if not candidates:
        raise InputError("no vertebra was found in this image; give a CT that shows the spine, or a label map")
    found = list(candidates)
    if sacrum is not None:
        found.append(Candidate(np.asarray(sacrum, dtype=float), np.nan, _only(Level.S1)))
    if len(found) > len(LEVELS):
        raise InputError(f"{len(found)} vertebrae were found, a spine has at most {len(LEVELS)}; give a label map")
    points = np.array([candidate.centroid for candidate in found], dtype=float)
    order = _downwards(points)
    ordered = [found[n] for n in order]
    problems = [problem for scale in _SCALES for problem in _problems(ordered, points[order], scale)]
    for number, level in (known or {}).items():
        place = int(np.flatnonzero(order == number)[0])
        problems = [problem.with_name(place, position(level)) for problem in problems]
    solved = min((problem.solve() for problem in problems), key=lambda pair: pair[1])
    best, cost = solved
    if cost >= _WORST:
        raise InputError("the vertebrae found fit no spine, even with gaps; correct them in a label map and give that")
    marginals = np.min([problem.marginals() for problem in problems], axis=0)
    other, other_cost = _runner_up(problems, marginals, best)
    keep = [int(np.flatnonzero(order == n)[0]) for n in range(len(candidates))]
    return Naming(
        tuple(LEVELS[best[n]] for n in keep),
        tuple(float(_confidence(marginals[n], best[n])) for n in keep),
        tuple(LEVELS[other[n]] for n in keep),
        float(other_cost - cost),
    )


def _only(level: Level) -> Floats:
    scores = np.zeros(len(LEVELS))
    scores[position(level)] = 1.0
    return scores


def _downwards(points: Floats) -> NDArray[np.intp]:
    """Order of ``points`` (n, 3) from the head down, along the direction in which they spread most."""
    if len(points) < 3:
        return np.argsort(-points[:, 2], kind="stable")
    axis = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)[2][0]
    return np.argsort(-(points @ axis) * (1.0 if axis[2] >= 0 else -1.0), kind="stable")


@dataclass(frozen=True, eq=False)
class _Problem:
    """Costs for one scale of the body and one common shift of the scores.

    ``single`` (n, 27) is the cost of each name, ``steps`` (n - 1, 27, 27) that of each pair of neighbours.
    """

    single: Floats
    steps: Floats

    def forward(self) -> Floats:
        """(n, 27) cost of the best naming down to each vertebra, given its name."""
        total = self.single.copy()
        for n, step in enumerate(self.steps):
            total[n + 1] += (total[n][:, None] + step).min(axis=0)
        return total

    def backward(self) -> Floats:
        """(n, 27) cost of the best naming below each vertebra, given its name."""
        total = np.zeros_like(self.single)
        for n in range(len(self.steps) - 1, -1, -1):
            total[n] = (self.steps[n] + (total[n + 1] + self.single[n + 1])[None]).min(axis=1)
        return total

    def marginals(self) -> Floats:
        """(n, 27) cost of the best whole naming in which a vertebra has a name."""
        return self.forward() + self.backward()

    def solve(self) -> tuple[list[int], float]:
        """Columns of the best naming, and its cost."""
        total = self.forward()
        names = [int(total[-1].argmin())]
        for n in range(len(self.steps) - 1, -1, -1):
            names.append(int((total[n] + self.steps[n][:, names[-1]]).argmin()))
        return names[::-1], float(total[-1].min())

    def with_name(self, vertebra: int, name: int) -> _Problem:
        """The same, with one name settled."""
        single = self.single.copy()
        single[vertebra, np.arange(len(LEVELS)) != name] = _WORST
        return _Problem(single, self.steps)


def _problems(candidates: Sequence[Candidate], points: Floats, scale: float) -> list[_Problem]:
    """One problem for each common shift of the scores."""
    gaps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    steps = np.array([_cost_of_steps(gap / scale) for gap in gaps]).reshape(-1, len(LEVELS), len(LEVELS))
    found = []
    for shift, cost in _SHIFT_COST.items():
        single = np.array([_cost_of_name(candidate, scale, shift) for candidate in candidates])
        single[0] += 0.5 * (np.log(scale) / _SCALE_SPREAD) ** 2 + cost
        found.append(_Problem(single, steps))
    return found


def _cost_of_name(candidate: Candidate, scale: float, shift: int) -> Floats:
    """(27,) cost of each name by what is seen of one vertebra alone."""
    scores = np.maximum(np.nan_to_num(np.asarray(candidate.scores, dtype=float)), 0.0)
    if scores.shape != (len(LEVELS),):
        raise ValueError(f"scores of shape {scores.shape}; {len(LEVELS)} levels were expected")
    share = scores / scores.sum() if scores.sum() > 0 else np.full(len(LEVELS), 1.0 / len(LEVELS))
    share[_USUAL] = share[_USUAL[np.clip(np.arange(len(_USUAL)) + shift, 0, len(_USUAL) - 1)]]
    cost = -np.log((1 - _FLOOR) * share + _FLOOR / len(LEVELS))
    cost += [_RARE_COST.get(level, 0.0) + _cost_of_ribs(level, candidate.ribs) for level in LEVELS]
    if np.isfinite(candidate.volume_mm3) and candidate.volume_mm3 > 0:
        off = 0.5 * (np.log(candidate.volume_mm3 / (_USUAL_VOLUMES * scale**3)) / _VOLUME_SPREAD) ** 2
        cost += np.minimum(np.nan_to_num(off, nan=0.5), 4.5)
    return np.asarray(cost)


def _cost_of_ribs(level: Level, ribs: bool | None) -> float:
    """Cervical and lumbar ribs exist, and twelfth ribs may be missing; others with or without ribs hardly do."""
    if ribs is None or (level.region == "thoracic") is ribs:
        return 0.0
    return 3.0 if level in (Level.C7, Level.T12, Level.L1, Level.T13) else 7.0


def _cost_of_steps(gap_mm: float) -> Floats:
    """(27, 27) cost of every pair of names, upper by lower, for two neighbours that lie ``gap_mm`` apart."""
    off = np.log(max(gap_mm, 1e-3) / _USUAL_STEPS) / _STEP_SPREADS
    return np.where(_SKIPPED < 0, _WORST, np.minimum(0.5 * off**2, 40.0) + _GAP_COST * np.maximum(_SKIPPED, 0))


def _skipped(upper: Level, lower: Level) -> int:
    """How many usual vertebrae lie between two; -1 where ``lower`` is not below ``upper``."""
    if position(lower) <= position(upper):
        return -1
    return sum(level not in RARE for level in LEVELS[position(upper) + 1 : position(lower)])


_USUAL = np.array([position(level) for level in LEVELS if level not in RARE and level is not Level.S1])
"""Columns in which networks are one off; the sacrum looks like no other vertebra."""

_USUAL_VOLUMES = np.array([usual_volume_mm3(level) for level in LEVELS])

_SKIPPED = np.array([[_skipped(upper, lower) for lower in LEVELS] for upper in LEVELS])
_USUAL_STEPS = np.array(
    [
        [usual_step_mm(upper, lower) if position(lower) > position(upper) else 1.0 for lower in LEVELS]
        for upper in LEVELS
    ]
)
_STEP_SPREADS = np.where(np.array(LEVELS) == Level.S1, _SACRAL_SPREAD, _STEP_SPREAD)[None, :]


def _confidence(costs: Floats, best: int) -> float:
    """Share of the best name among all names of one vertebra, each with the likelihood of its best whole naming."""
    weights = np.exp(-(costs - costs[best]) / _TEMPERATURE)
    return float(1.0 / weights.sum())


def _runner_up(problems: Sequence[_Problem], marginals: Floats, best: Sequence[int]) -> tuple[list[int], float]:
    """The best naming that differs from ``best`` in at least one vertebra, and its cost."""
    others = marginals.copy()
    others[np.arange(len(best)), list(best)] = np.inf
    vertebra, name = (int(n) for n in np.unravel_index(others.argmin(), others.shape))
    if others[vertebra, name] >= _WORST:
        return list(best), float("inf")
    return min((problem.with_name(vertebra, name).solve() for problem in problems), key=lambda pair: pair[1])
