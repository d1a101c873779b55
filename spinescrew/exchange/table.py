"""The screws of a plan as a table."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

from spinescrew.geometry.atomic import atomic_path
from spinescrew.planning.plan import Plan, PlannedScrew

_ROW = ("level", "verse_id", "side", "status", "reason", "item", "diameter_mm", "length_mm")
_PLACES = ("entry_r_mm", "entry_a_mm", "entry_s_mm", "tip_r_mm", "tip_a_mm", "tip_s_mm")
_MEASURES = (
    "pta_deg",
    "psa_deg",
    "psa_elevation_deg",
    "depth_percent",
    "channel_mm",
    "fill_percent",
    "gertzbein_robbins",
    "breach_mm",
    "breach_direction",
    "facet_grade",
    "facet_gap_mm",
    "head_facet_gap_mm",
    "zdichavsky",
    "ravi",
    "heary",
    "canal_clearance_mm",
    "neighbour_screw_clearance_mm",
    "bone_contact_percent",
    "mean_hu",
    "min_hu",
)
_MARKS = ("planned_by", "led_by", "locked", "reviewed", "notes")
COLUMNS = (*_ROW, *_PLACES, "margin_mm", *_MEASURES, *_MARKS)


def write_screws_csv(plan: Plan, path: str | Path) -> Path:
    """One row per screw, units in the column names, places in RAS; the reason stands beside an unplanned one.

    A cell is empty where nothing can be said. ``margin_mm`` is the signed figure behind the breach: negative is bone
    left to the wall.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    path = Path(path)
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        table.writerows(_cells(row) for row in plan.screws)
    return path


def _cells(row: PlannedScrew) -> dict[str, str]:
    values: dict[str, Any] = {
        "level": row.level.name,
        "verse_id": int(row.level),
        "side": row.side,
        "status": row.status,
        "reason": row.reason,
        "planned_by": row.planned_by,
        "led_by": row.led_by,
        "locked": row.locked,
        "reviewed": row.reviewed,
        "notes": "; ".join(row.notes),
    }
    if row.screw is not None:
        shape = row.screw.shape
        values |= {"item": shape.item, "diameter_mm": shape.diameter_mm, "length_mm": shape.length_mm}
        values |= zip(_PLACES, (*row.screw.entry, *row.screw.tip), strict=True)
    if row.assessment is not None:
        values |= {name: getattr(row.assessment, name) for name in _MEASURES}
        values["margin_mm"] = None if row.assessment.breach is None else row.assessment.breach.margin_mm
    return {name: cell(value) for name, value in values.items()}


def cell(value: Any) -> str:
    """A value as a table holds it: three digits at most, yes and no, empty where there is none."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".") if math.isfinite(value) else ""
    return "" if value is None else str(value)
