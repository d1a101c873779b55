"""A plan as one document of plain values, and back (``plan.schema.json`` says what it holds)."""

from __future__ import annotations

from typing import Any

import numpy as np

import spinescrew
from spinescrew.anatomy.frame import screw_angles
from spinescrew.anatomy.levels import Level, position
from spinescrew.anatomy.vertebra import Spine
from spinescrew.errors import InputError, SpineScrewError
from spinescrew.exchange.assessment_record import assessment_from_dict
from spinescrew.exchange.plain import plain
from spinescrew.implants.screw import Screw, ScrewShape
from spinescrew.planning.plan import Plan, PlannedScrew

SCHEMA_VERSION = 1
_SHAPE = ("tip_taper_mm", "tip_radius_mm", "tulip_diameter_mm", "tulip_height_mm")
_MEASURES = ("pta_deg", "psa_deg", "depth_percent", "fill_percent")
_LENGTH_TOLERANCE_MM = 0.01
_ZONE_RULE = (
    "Gertzbein-Robbins is graded from a set distance past the point where the axis enters bone (parameters.grading) "
    "to the junction of pedicle and body; where the axis misses bone, that zone is projected from the pedicle's own "
    "axis; an empty zone is not gradable"
)


def plan_to_document(plan: Plan, spine: Spine | None = None) -> dict[str, Any]:
    """The plan as JSON can hold it: RAS millimetres and degrees, coordinates at full precision.

    ``spine`` adds what the plan does not know by itself: the image's hash where the plan has none, its voxel spacing,
    and angles and fill of screws that have not been graded.
    """
    levels = sorted({row.level for row in plan.screws}, key=position)
    document: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "coordinate_system": "RAS",
        "units": {"length": "mm", "angle": "degree", "time": "s", "density": "HU"},
        "numbering": "VerSe",
        "software_version": spinescrew.__version__,
        "created": plan.created,
        "engine": plan.engine,
        "input_hash": {"labels": None, "ct": None, **plan.input_hash},
        "levels": [{"level": level.name, "verse_id": int(level)} for level in levels],
        "parameters": plain(plan.parameters),
        "grading_zone_rule": _ZONE_RULE,
        "screws": [_row_to_dict(row, spine) for row in plan.screws],
        "timings_s": plain(plan.timings_s),
    }
    if spine is not None:
        document["voxel_spacing_mm"] = plain(spine.labels.spacing)
        if not any(plan.input_hash.values()):
            document["input_hash"] = {
                "labels": spine.labels.content_hash(),
                "ct": None if spine.ct is None else spine.ct.content_hash(),
            }
    return document


def plan_from_document(document: dict[str, Any]) -> Plan:
    """The plan of a document that the schema accepts; :class:`InputError` names the screw that makes no sense."""
    rows = [_row_from_dict(number, values) for number, values in enumerate(document["screws"])]
    return Plan(
        screws=tuple(sorted(rows, key=lambda row: (position(row.level), row.side))),
        parameters=document.get("parameters", {}),
        input_hash=document.get("input_hash", {}),
        timings_s=document.get("timings_s", {}),
        created=document.get("created", ""),
        engine=document.get("engine", "geometry"),
    )


def _row_to_dict(row: PlannedScrew, spine: Spine | None) -> dict[str, Any]:
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
        "notes": list(row.notes),
        **_screw_to_dict(row.screw),
        **dict.fromkeys(_MEASURES),
        "assessment": None if row.assessment is None else row.assessment.to_dict(),
    }
    values.update({name: plain(value) for name, value in _measures(row, spine).items()})
    return values


def _screw_to_dict(screw: Screw | None) -> dict[str, Any]:
    if screw is None:
        return dict.fromkeys(("entry_ras", "tip_ras", "diameter_mm", "length_mm", "item", "shape"))
    return {
        "entry_ras": screw.entry.tolist(),
        "tip_ras": screw.tip.tolist(),
        "diameter_mm": float(screw.shape.diameter_mm),
        "length_mm": float(screw.shape.length_mm),
        "item": screw.shape.item,
        "shape": {name: float(getattr(screw.shape, name)) for name in _SHAPE},
        "screw_notes": list(screw.notes),
    }


def _measures(row: PlannedScrew, spine: Spine | None) -> dict[str, float | None]:
    """Angles, depth and fill from the assessment; without one, what the spine alone tells."""
    if row.assessment is not None:
        return {name: getattr(row.assessment, name) for name in _MEASURES}
    vertebra = None if spine is None else spine.vertebrae.get(row.level)
    if vertebra is None or row.screw is None:
        return {}
    angles = screw_angles(row.screw.direction, vertebra.frame, row.side)
    pedicle = vertebra.pedicles.get(row.side)
    fill = None if pedicle is None else 100 * row.screw.shape.diameter_mm / pedicle.width_mm
    return {"pta_deg": angles.pta, "psa_deg": angles.psa, "fill_percent": fill}


def _row_from_dict(number: int, values: dict[str, Any]) -> PlannedScrew:
    where = f"screws[{number}] ({values['level']} {values['side']})"
    level = Level[values["level"]]
    if values.get("verse_id", int(level)) != int(level):
        raise InputError(f"{where}: verse_id {values['verse_id']} is not that of {level.label}; correct one of them")
    try:
        screw = _screw_from_dict(values) if values["status"] == "planned" else None
    except SpineScrewError as error:
        raise InputError(f"{where}: {error}") from error
    measured = values.get("assessment")
    return PlannedScrew(
        level=level,
        side=values["side"],
        screw=screw,
        reason=values.get("reason") or "",
        assessment=None if screw is None or not measured else assessment_from_dict(measured),
        planned_by=values.get("planned_by", "automatic"),
        led_by=values.get("led_by", "geometry"),
        locked=values.get("locked", False),
        reviewed=values.get("reviewed", False),
        notes=tuple(values.get("notes", ())),
    )


def _screw_from_dict(values: dict[str, Any]) -> Screw:
    entry, tip = np.array(values["entry_ras"]), np.array(values["tip_ras"])
    length = float(values["length_mm"])
    if abs(float(np.linalg.norm(tip - entry)) - length) > _LENGTH_TOLERANCE_MM:
        raise InputError(
            f"entry and tip lie {np.linalg.norm(tip - entry):.2f} mm apart but length_mm is {length:g}; correct one"
        )
    sizes = {"tip_taper_mm": min(5.0, length), **(values.get("shape") or {})}
    sizes = {name: float(value) for name, value in sizes.items() if name in _SHAPE}
    shape = ScrewShape(float(values["diameter_mm"]), length, **sizes, item=values.get("item") or "custom")
    return Screw(entry, tip - entry, shape, tuple(values.get("screw_notes", ())))
