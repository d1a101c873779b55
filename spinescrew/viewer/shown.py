"""What the page says of a session, as plain values: rows of the table, the screw in hand, levels, steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from spinescrew.anatomy.levels import Level, parse_level
from spinescrew.anatomy.relabel import gaps
from spinescrew.errors import InputError
from spinescrew.grading.assessment import Assessment
from spinescrew.planning import actions
from spinescrew.planning.actions import Figure
from spinescrew.planning.plan import Key, Plan, PlannedScrew
from spinescrew.planning.session import Session
from spinescrew.reports.palette import facet_colour, grade_colour, ink_on
from spinescrew.reports.wording import DASH, grade, number, screw_size
from spinescrew.scene.wording import difference, state_text


class FigureText(NamedTuple):
    """How a figure is called on the page, and its unit."""

    name: str
    unit: str
    help: str


FIGURES: dict[Figure, FigureText] = {
    "pta_deg": FigureText("PTA", "°", "Pedicle transverse angle; positive towards the midline"),
    "psa_deg": FigureText("PSA", "°", "Pedicle sagittal angle; positive towards the head"),
    "diameter_mm": FigureText("Diameter", "mm", "Of the shaft"),
    "length_mm": FigureText("Length", "mm", "From the head-shaft junction to the tip"),
    "seating_mm": FigureText("Seating", "mm", "How deep the junction lies below the bone's surface"),
    "lateral_mm": FigureText("Entry lateral", "mm", "Of the automatic entry, away from the midline"),
    "cranial_mm": FigureText("Entry cranial", "mm", "Of the automatic entry, towards the head"),
}


def key_text(key: Key) -> str:
    """``"L3 left"``."""
    return f"{key[0].name} {key[1]}"


def key_from_text(text: str) -> Key:
    """The key that :func:`key_text` wrote.

    Raises
    ------
    InputError
        If the text names no screw.
    """
    name, _, side = str(text).partition(" ")
    if side not in ("left", "right"):
        raise InputError(f"'{text}' names no screw; give a level and a side, as in L3 left")
    return parse_level(name), "left" if side == "left" else "right"


def figure_fields() -> list[dict[str, Any]]:
    """The figures that can be set, in their order, with their ranges."""
    fields = []
    for figure, text in FIGURES.items():
        low, high, step = actions.RANGES[figure]
        fields.append({"id": figure, **text._asdict(), "low": low, "high": high, "step": step})
    return fields


def table_rows(session: Session) -> list[dict[str, Any]]:
    """One row per row of the plan, from the head down."""
    return [_table_row(row, session) for row in session.plan.screws]


def _table_row(row: PlannedScrew, session: Session) -> dict[str, Any]:
    stale = row.level in session.stale
    found = None if stale else row.assessment
    moved = difference(row, session.automatic)
    return {
        "key": key_text(row.key),
        "screw": screw_size(row) if row.screw is not None else "not planned",
        **_letter(found, stale, row),
        "facet": grade(found.facet_grade) if found is not None else DASH,
        "pta": number(found.pta_deg) if found is not None else DASH,
        "psa": number(found.psa_deg) if found is not None else DASH,
        "depth": number(found.depth_percent, 0) if found is not None else DASH,
        "fill": number(found.fill_percent, 0) if found is not None else DASH,
        "moved": bool(moved is not None and max(moved.entry_mm, moved.tip_mm) > 0.05),
        "locked": row.locked,
        "reviewed": row.reviewed,
        "selected": row.key == session.selected,
        "reason": row.reason,
    }


def _letter(found: Assessment | None, stale: bool, row: PlannedScrew) -> dict[str, str]:
    """Letter and colours of the chip."""
    letter = found.gertzbein_robbins if found is not None else ""
    single = letter if len(letter) == 1 else None
    colour = grade_colour(single)
    text = single or ("..." if stale else DASH if row.screw is None else "?")
    return {"letter": text, "colour": colour, "ink": ink_on(colour)}


def screw_in_hand(session: Session) -> dict[str, Any]:
    """Everything about the selected row; without one only that nothing is selected."""
    key = session.selected
    row = next((row for row in session.plan.screws if row.key == key), None)
    if row is None:
        return {"key": "", "title": "No screw is selected", "planned": False, "figures": {}, "facts": [], "notes": []}
    stale = row.level in session.stale
    found = None if stale else row.assessment
    figures = actions.read(session)
    facet = facet_colour(found.facet_grade if found is not None else None)
    return {
        "key": key_text(row.key),
        "title": f"{row.level.name} {row.side}",
        "size": screw_size(row),
        "planned": row.screw is not None,
        **_letter(found, stale, row),
        "grade_text": _grade_text(found, stale, row),
        "facet": grade(found.facet_grade) if found is not None else DASH,
        "facet_colour": facet,
        "facet_ink": ink_on(facet),
        "figures": {name: round(value, 2) for name, value in vars(figures).items() if value is not None}
        if figures is not None
        else {},
        "facts": _facts(found) if found is not None else [],
        "moved": _moved_text(row, session.automatic),
        "state": state_text(row) if row.screw is not None else "",
        "locked": row.locked,
        "reviewed": row.reviewed,
        "notes": [*([row.reason] if row.reason else []), *row.notes, *(found.notes if found is not None else ())],
    }


def _grade_text(found: Assessment | None, stale: bool, row: PlannedScrew) -> str:
    """The grade in words, or why there is none."""
    if row.screw is None:
        return f"not planned: {row.reason}" if row.reason else "not planned"
    if stale:
        return "its vertebra was changed; the grade is being made anew"
    if found is None:
        return "not graded"
    if found.breach is None:
        return found.reasons.get("gertzbein_robbins", found.gertzbein_robbins)
    if found.breach.mm <= 0:
        return "no breach of the pedicle"
    return f"breach of {number(found.breach.mm, 1, 'mm')} {found.breach.direction}"


def _facts(found: Assessment) -> list[dict[str, str]]:
    """Name, value and, where nothing can be said, why."""
    body = {name: mm for name, mm in found.body_breaches.items() if mm > 0}
    worst = ", ".join(f"{number(mm, 1, 'mm')} {name}" for name, mm in body.items())
    facts = [
        ("Facet gap", number(found.facet_gap_mm, 1, "mm"), found.reasons.get("facet_grade", "")),
        ("Canal", number(found.canal_clearance_mm, 1, "mm"), found.reasons.get("canal_clearance_mm", "")),
        ("Next screw", number(found.neighbour_screw_clearance_mm, 1, "mm"), ""),
        ("Depth", number(found.depth_percent, 0, "%"), "share of the channel from cortex to cortex"),
        ("Fill", number(found.fill_percent, 0, "%"), "diameter as a share of the isthmus"),
        ("Body breach", worst or "none", "lateral, anterior or through an endplate"),
        ("Bone contact", number(found.bone_contact_percent, 0, "%"), ""),
        ("Mean density", number(found.mean_hu, 0, "HU"), found.reasons.get("mean_hu", "")),
    ]
    risk = found.execution_risk
    if risk is not None:
        facts.append(("If executed", _risk_text(risk), "grades under usual errors of execution"))
    return [{"name": name, "value": value, "why": why} for name, value, why in facts]


def _risk_text(risk: Any) -> str:
    shares = {letter: share for letter, share in risk.probabilities.items() if share >= 0.005}
    return "  ".join(f"{letter} {number(100 * share, 0, '%')}" for letter, share in shares.items())


def _moved_text(row: PlannedScrew, automatic: Plan) -> str:
    moved = difference(row, automatic)
    if row.screw is None:
        return ""
    if moved is None:
        return "the planner placed no screw here"
    if max(moved.entry_mm, moved.tip_mm, moved.axis_deg) < 0.05:
        return "as planned automatically"
    entry, tip, axis = (number(value, 1, unit) for value, unit in zip(moved, ("mm", "mm", "°"), strict=True))
    return f"from the automatic plan: entry {entry}, tip {tip}, axis {axis}"


def steps(session: Session) -> dict[str, str]:
    """Names of the edits that can be taken back and made again; empty where there is none."""
    return {"undo": session.history.undo_name, "redo": session.history.redo_name}


def summary_text(session: Session) -> str:
    """How many screws stand, and how many were reviewed."""
    rows = session.plan.planned
    reviewed = sum(row.reviewed for row in rows)
    return f"{len(rows)} of {len(session.plan.screws)} screws planned, {reviewed} reviewed"


def level_rows(levels: Sequence[Level], names: Mapping[Level, Level]) -> dict[str, Any]:
    """The vertebrae from the head down as they are called and shall be, and a word where one is missing between."""
    missing = ", ".join(f"{upper.name}-{lower.name}" for upper, lower in gaps(levels))
    rows = [{"now": level.name, "name": names.get(level, level).name} for level in levels]
    text = f"A vertebra is missing between: {missing}. Is one unnamed?" if missing else ""
    return {"rows": rows, "message": text, "changed": any(row["now"] != row["name"] for row in rows)}


def caveats(notes: Sequence[str]) -> list[str]:
    """What must be read before the plan is believed: doubts about the image and the names."""
    return [text for text in notes if not text.startswith("numbering of the labels")]
