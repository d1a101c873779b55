"""How well a case was planned from its image alone, against reference screws and the true cortex."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from spinescrew.anatomy.frame import Side
from spinescrew.anatomy.levels import Level, cranial_to_caudal
from spinescrew.anatomy.vertebra import Spine
from spinescrew.evaluation.screws import ScrewDifference, compare
from spinescrew.grading.assessment import Assessment
from spinescrew.grading.grade import assess
from spinescrew.implants.screw import Screw
from spinescrew.planning.plan import Plan, PlannedScrew

ELSEWHERE_MM = 20.0
"""A screw whose entry lies farther than this from its reference's is in another vertebra."""


@dataclass(frozen=True)
class PlannedScore:
    """One reference screw with what was planned for it.

    Attributes
    ----------
    reason:
        Why there is no screw; empty where there is one.
    difference:
        From the reference, in the frame of the true labels; ``None`` without a screw, or with one in another vertebra
        (then ``elsewhere``).
    own_grade, own_facet:
        Gertzbein-Robbins and facet grade against the cortex that was found.
    true_grade, true_facet:
        The same against the true labels.
    """

    level: Level
    side: Side
    led_by: str = ""
    reason: str = ""
    elsewhere: bool = False
    difference: ScrewDifference | None = None
    own_grade: str = ""
    own_facet: str = ""
    true_grade: str = ""
    true_facet: str = ""


def score_plan(plan: Plan, references: Mapping[tuple[Level, Side], Screw], truth: Spine) -> tuple[PlannedScore, ...]:
    """Every reference screw of a vertebra that ``truth`` (measured on the true labels) holds."""
    rows = {row.key: row for row in plan.screws}
    return tuple(
        _score(key, rows.get(key), reference, truth)
        for key, reference in references.items()
        if key[0] in truth.vertebrae
    )


def _score(key: tuple[Level, Side], row: PlannedScrew | None, reference: Screw, truth: Spine) -> PlannedScore:
    if row is None:
        return PlannedScore(*key, reason=f"{key[0].label} was not found")
    if row.screw is None:
        return PlannedScore(*key, row.led_by, row.reason)
    own = _grades(row.assessment)
    if np.linalg.norm(row.screw.entry - reference.entry) > ELSEWHERE_MM:
        return PlannedScore(*key, row.led_by, elsewhere=True, own_grade=own[0], own_facet=own[1])
    difference = compare(row.screw, reference, truth.vertebrae[key[0]].frame, key[1])
    true = _grades(assess(row.screw, truth, *key))
    return PlannedScore(*key, row.led_by, "", False, difference, *own, *true)


def _grades(found: Assessment | None) -> tuple[str, str]:
    return ("not graded", "not graded") if found is None else (found.gertzbein_robbins, str(found.facet_grade))


@dataclass(frozen=True)
class PlannedSummary:
    """Many screws.

    Attributes
    ----------
    screws, unplanned, elsewhere:
        How many references there are; for how many nothing was planned; how many screws are in another vertebra.
    led_by_network:
        Share of the screws.
    means:
        Mean absolute value of each field of :class:`ScrewDifference` (Dice: mean).
    own_a, true_a:
        Share of grade A among the screws that could be graded, against the cortex found and the true one.
    own_facet_0, true_facet_0:
        Share of facet grade 0, likewise.
    """

    screws: int
    unplanned: int
    elsewhere: int
    led_by_network: float
    means: dict[str, float]
    own_a: float
    true_a: float
    own_facet_0: float
    true_facet_0: float


def summarise_planned(scores: Iterable[PlannedScore]) -> PlannedSummary:
    """All of them together; NaN where there is nothing to count."""
    rows = list(scores)
    compared = [row.difference for row in rows if row.difference is not None]
    planned = [row for row in rows if not row.reason]
    names = [field.name for field in fields(ScrewDifference)]
    means = {name: _mean([abs(getattr(difference, name)) for difference in compared]) for name in names}
    return PlannedSummary(
        len(rows),
        len(rows) - len(planned),
        sum(row.elsewhere for row in rows),
        _mean([row.led_by == "network" for row in planned]),
        means,
        _mean([row.own_grade == "A" for row in planned if row.own_grade in _GR]),
        # a screw in another vertebra is no A of this one
        _mean([row.true_grade == "A" for row in planned if row.true_grade in _GR or row.elsewhere]),
        _mean([row.own_facet == "0" for row in planned if row.own_facet in _FACET]),
        _mean([row.true_facet == "0" for row in planned if row.true_facet in _FACET]),
    )


def planned_by_level(scores: Iterable[PlannedScore]) -> dict[Level, PlannedSummary]:
    """:func:`summarise_planned` for every level alone, from the head down."""
    rows = list(scores)
    return {
        level: summarise_planned(row for row in rows if row.level is level)
        for level in cranial_to_caudal()
        if any(row.level is level for row in rows)
    }


_GR, _FACET = frozenset("ABCDE"), frozenset("0123")


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
