"""What a scene says about a screw: labels in the views and cells of the table."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from spinescrew.geometry.vectors import angle_deg
from spinescrew.planning.plan import Plan, PlannedScrew

COLUMNS = (
    "Level",
    "Side",
    "Screw",
    "GR",
    "Facet",
    "Breach mm",
    "Canal mm",
    "PTA",
    "PSA",
    "Depth %",
    "Fill %",
    "Entry moved mm",
    "Tip moved mm",
    "Turned deg",
    "State",
)


class Moved(NamedTuple):
    """How far a screw is from where the planner had put it."""

    entry_mm: float
    tip_mm: float
    axis_deg: float


def size_text(row: PlannedScrew) -> str:
    """``"6.5 x 45"``; empty without a screw."""
    if row.screw is None:
        return ""
    return f"{row.screw.shape.diameter_mm:g} x {row.screw.shape.length_mm:.1f}".removesuffix(".0")


def short_label(row: PlannedScrew, stale: bool = False) -> str:
    """``"L3 left A"``: what stands beside every screw."""
    return f"{row.level.name} {row.side} {grade_text(row, stale)}"


def long_label(row: PlannedScrew, stale: bool = False) -> str:
    """What stands beside the screw in hand."""
    parts = [row.level.name, row.side, size_text(row), grade_text(row, stale)]
    found = row.assessment
    if found is not None and not stale:
        if found.breach is not None and found.breach.mm > 0:
            parts.append(f"{found.breach.mm:.1f} mm {found.breach.direction}")
        parts.append(f"facet {found.facet_grade}" if isinstance(found.facet_grade, int) else "facet not gradable")
        parts.append(f"PTA {_one(found.pta_deg)} PSA {_one(found.psa_deg)}")
    return "  ".join(part for part in parts if part)


def grade_text(row: PlannedScrew, stale: bool = False) -> str:
    """The Gertzbein-Robbins letter, or why there is none."""
    if stale:
        return "stale"
    return row.assessment.gertzbein_robbins if row.assessment is not None else "not graded"


def table_cells(row: PlannedScrew, automatic: Plan | None, stale: bool = False) -> tuple[str, ...]:
    """Texts of one row, as :data:`COLUMNS` names them; empty where nothing can be said."""
    if row.screw is None:
        return (row.level.name, row.side, "not planned", *[""] * (len(COLUMNS) - 4), row.reason)
    found = None if stale else row.assessment
    measures = ("",) * 4
    grades = (grade_text(row, stale), "", "", "")
    if found is not None:
        share = (_one(found.depth_percent, 0), _one(found.fill_percent, 0))
        measures = (_one(found.pta_deg), _one(found.psa_deg), *share)
        facet = str(found.facet_grade) if isinstance(found.facet_grade, int) else "-"
        grades = (found.gertzbein_robbins, facet, _one(found.breach_mm), _one(found.canal_clearance_mm))
    moved = difference(row, automatic)
    shifts = ("", "", "") if moved is None else tuple(_one(value) for value in moved)
    return (row.level.name, row.side, size_text(row), *grades, *measures, *shifts, state_text(row))


def difference(row: PlannedScrew, automatic: Plan | None) -> Moved | None:
    """How far the screw is from where the planner had put it; ``None`` where it had put none."""
    if automatic is None or row.screw is None:
        return None
    reference = next((other.screw for other in automatic.screws if other.key == row.key), None)
    if reference is None:
        return None
    return Moved(
        float(np.linalg.norm(row.screw.entry - reference.entry)),
        float(np.linalg.norm(row.screw.tip - reference.tip)),
        angle_deg(row.screw.direction, reference.direction),
    )


def state_text(row: PlannedScrew) -> str:
    """Who placed it and from what, whether it is locked and reviewed."""
    placed = "automatic, led by the network" if _led_by_network(row) else row.planned_by
    words = [placed, *(["locked"] if row.locked else []), *(["reviewed"] if row.reviewed else [])]
    return ", ".join(words)


def _led_by_network(row: PlannedScrew) -> bool:
    return row.planned_by == "automatic" and row.led_by == "network"


def _one(value: float | None, digits: int = 1) -> str:
    return "" if value is None else f"{round(value, digits) + 0.0:.{digits}f}"
