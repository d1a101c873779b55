"""Screws as placed beside their plan, a line each, in the words of the plan's own report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spinescrew.grading.assessment import Assessment
from spinescrew.outcome.wording import shift_words
from spinescrew.reports.measures import breach_words
from spinescrew.reports.palette import facet_colour, grade_colour, ink_on
from spinescrew.reports.summary import Badge
from spinescrew.reports.wording import DASH, grade, number, row_name

if TYPE_CHECKING:
    from spinescrew.outcome.compare import Outcome, ScrewOutcome
    from spinescrew.outcome.shift import Shift


@dataclass(frozen=True)
class PlacedLine:
    """One screw: planned, placed, or both; ``reason`` says why a value is missing."""

    name: str
    number: str
    entry: str
    tip: str
    angle: str
    pta: str
    psa: str
    planned: Badge
    placed: Badge
    range: str
    breach: str
    facet: Badge
    words: str
    reason: str


@dataclass(frozen=True)
class PlacedSection:
    """One comparison for a report: its title, the screws, how they were brought to the plan, the kind of limits."""

    title: str
    outcome: Outcome
    words: str = ""
    inclusive: bool = False


def placed_lines(outcome: Outcome) -> tuple[PlacedLine, ...]:
    """All screws, from the head down."""
    return tuple(_line(screw) for screw in outcome.screws)


def _line(screw: ScrewOutcome) -> PlacedLine:
    a = screw.assessment
    return PlacedLine(
        name=row_name(screw.level, screw.side),
        number=DASH if screw.number is None else str(screw.number),
        entry=_distance(screw.entry),
        tip=_distance(screw.tip),
        angle=number(screw.angle_deg, unit="°"),
        pta=number(screw.pta_deg, unit="°", signed=True),
        psa=number(screw.psa_deg, unit="°", signed=True),
        planned=_letter(screw.planned_assessment),
        placed=_letter(a),
        range=_range(screw),
        breach=breach_words(a) if a else DASH,
        facet=_facet(a),
        words=_words(screw),
        reason=screw.reason,
    )


def _distance(shift: Shift | None) -> str:
    return number(None if shift is None else shift.distance_mm, unit="mm")


def _letter(assessment: Assessment | None) -> Badge:
    letter = grade(assessment.gertzbein_robbins if assessment else None)
    colour = grade_colour(letter)
    return Badge(letter, colour, ink_on(colour))


def _facet(assessment: Assessment | None) -> Badge:
    colour = facet_colour(assessment.facet_grade if assessment else None)
    return Badge(grade(assessment.facet_grade if assessment else None), colour, ink_on(colour))


def _range(screw: ScrewOutcome) -> str:
    if screw.grades is None:
        return DASH
    best, worst = screw.grades
    return best if best == worst else f"{best} to {worst}"


def _words(screw: ScrewOutcome) -> str:
    """Where entry and tip went, and what is to be said where there is only one of the two screws."""
    if screw.status == "missing":
        return "planned, not found"
    if screw.status == "unplanned":
        return "found, not planned"
    assert screw.entry is not None and screw.tip is not None
    return f"entry {shift_words(screw.entry)}; tip {shift_words(screw.tip)}"
