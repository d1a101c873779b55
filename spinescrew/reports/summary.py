"""The overview table: one line per level and side, with numbered notes for what has no value."""

from __future__ import annotations

from dataclasses import dataclass

from spinescrew.anatomy.vertebra import Spine
from spinescrew.planning.plan import Plan, PlannedScrew
from spinescrew.reports.measures import breach_words, range_words, reason_for
from spinescrew.reports.palette import facet_colour, grade_colour, ink_on
from spinescrew.reports.wording import DASH, grade, number, row_name, screw_size

NAMES = {
    "pta": "PTA",
    "psa": "PSA",
    "depth": "Depth",
    "fill": "Fill",
    "breach": "Breach",
    "canal": "Canal",
    "hu": "Density",
}


@dataclass(frozen=True)
class Entry:
    """What stands in one cell; ``note`` is the number of a footnote, 0 for none."""

    text: str
    note: int = 0


@dataclass(frozen=True)
class Badge:
    """A grade on its colour."""

    text: str
    ground: str
    ink: str
    note: int = 0


@dataclass(frozen=True)
class SummaryRow:
    """One line of the table; a screw that is not planned has its ``reason`` instead of entries."""

    name: str
    level: str
    side: str
    anchor: str
    reason: str
    gertzbein_robbins: Badge
    facet: Badge
    entries: dict[str, Entry]


@dataclass(frozen=True)
class Summary:
    """The table and its footnotes, numbered from 1."""

    rows: tuple[SummaryRow, ...]
    notes: tuple[str, ...]


def summarise(plan: Plan, spine: Spine) -> Summary:
    """All rows of ``plan`` in its order."""
    notes: list[str] = []
    rows = tuple(_row(row, spine, notes) for row in plan.screws)
    return Summary(rows, tuple(notes))


def lacking(row: SummaryRow, notes: tuple[str, ...]) -> dict[str, str]:
    """Reason to the names of the key figures of ``row`` that have no value for it, such as ``"Facet"``."""
    found = {NAMES[key]: entry.note for key, entry in row.entries.items() if entry.note}
    badges = {"GR": row.gertzbein_robbins.note, "Facet": row.facet.note}
    found = {**{name: note for name, note in badges.items() if note}, **found}
    return {
        notes[note - 1]: ", ".join(name for name, other in found.items() if other == note)
        for note in dict.fromkeys(found.values())
    }


def _row(row: PlannedScrew, spine: Spine, notes: list[str]) -> SummaryRow:
    a = row.assessment

    def note(field: str, text: str) -> int:
        """Number of the footnote that says why ``field`` has no value."""
        reason = reason_for(field, row, spine) if text == DASH and row.screw is not None else ""
        if not reason:
            return 0
        if reason not in notes:
            notes.append(reason)
        return notes.index(reason) + 1

    def entry(field: str, text: str) -> Entry:
        return Entry(text, note(field, text))

    def badge(field: str, text: str, ground: str) -> Badge:
        return Badge(text, ground, ink_on(ground), note(field, text))

    letter = grade(a.gertzbein_robbins if a else None)
    facet = grade(a.facet_grade if a else None)
    return SummaryRow(
        name=row_name(row.level, row.side),
        level=row.level.label,
        side=row.side,
        anchor=f"{row.level.name}-{row.side}",
        reason=(row.reason or "no reason was recorded") if row.screw is None else "",
        gertzbein_robbins=badge("gertzbein_robbins", letter, grade_colour(letter)),
        facet=badge("facet_grade", facet, facet_colour(a.facet_grade if a else None)),
        entries={
            "size": Entry(screw_size(row)),
            "pta": entry("pta_deg", number(a.pta_deg if a else None, unit="°")),
            "psa": entry("psa_deg", number(a.psa_deg if a else None, unit="°")),
            "depth": entry("depth_percent", number(a.depth_percent if a else None, 0, "%")),
            "fill": entry("fill_percent", number(a.fill_percent if a else None, 0, "%")),
            "breach": entry("breach", breach_words(a) if a else DASH),
            "range": Entry(range_words(a) if a else DASH),
            "canal": entry("canal_clearance_mm", number(a.canal_clearance_mm if a else None, unit="mm")),
            "hu": entry("mean_hu", number(a.mean_hu if a else None, 0, "HU")),
        },
    )
