"""Every measure of one screw in one spine."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import Side, screw_angles
from spinescrew.anatomy.levels import Level
from spinescrew.anatomy.vertebra import Spine
from spinescrew.geometry.volume import Volume
from spinescrew.grading.assessment import Assessment, Breach, GradeRange
from spinescrew.grading.body import (
    ANTERIOR,
    BODY_DIRECTIONS,
    BODY_LATERAL,
    body_breaches,
    body_section,
    survey_shaft,
)
from spinescrew.grading.options import GradingOptions
from spinescrew.grading.pedicle import PedicleSurvey, survey_pedicle
from spinescrew.grading.purchase import purchase
from spinescrew.grading.risk import execution_risk
from spinescrew.grading.scales import (
    DIRECTIONS,
    NOT_GRADABLE,
    facet_grade,
    gertzbein_robbins,
    heary,
    ravi,
    zdichavsky,
)
from spinescrew.grading.setting import CUT_BY_VIEW, Setting, prepare, shaft_leaves_view
from spinescrew.grading.shaft import shaft_points, stations_of
from spinescrew.grading.surroundings import clearance, crosses_midline, joint_room, overlap_mm
from spinescrew.grading.zone import bone_exit
from spinescrew.implants.clearance import capsule_clearances
from spinescrew.implants.screw import Screw

__all__ = ["assess", "execution_risk", "shaft_points"]

Floats = NDArray[np.float64]
Values = dict[str, Any]

_CHANNEL_REACH_MM = 150.0
_LATE_ENTRY_MM = 6.0


def assess(
    screw: Screw,
    spine: Spine,
    level: Level,
    side: Side,
    others: Sequence[Screw] = (),
    options: GradingOptions | None = None,
) -> Assessment:
    """Grade one screw (design.md section 4; the graded zone in words: ``options.GRADED_ZONE``).

    Gertzbein-Robbins after Gertzbein and Robbins 1990 in its A-E form; A means that no point of the graded shaft lies
    outside the wall of the pedicle, to the last digit: nothing is rounded. Zdichavsky 2004, Ravi 2011, Heary 2004 and
    Babu 2012 beside it. ``grade_range`` is the margin plus and minus half a voxel: half the extent, along the wall's
    normal, of the ellipsoid that fills one voxel of the label map.

    Parameters
    ----------
    screw, level, side:
        The screw and the pedicle it is meant for.
    others:
        The other screws of the construct.

    Returns
    -------
    Assessment
        What cannot be said is ``"not gradable"`` or ``None``, with the reason in ``reasons``.

    Raises
    ------
    InputError
        If the spine does not hold the level.

    Examples
    --------
    >>> assess(screw, spine, Level.L3, "left").gertzbein_robbins  # doctest: +SKIP
    'A'
    """
    options = options or GradingOptions()
    setting = prepare(screw, spine, level, side, options)
    stations = stations_of(screw, options)
    distances = survey_shaft(setting.field, setting.shaft, stations, setting.circle)
    reasons: dict[str, str] = {}
    notes: list[str] = []
    angles = screw_angles(screw.direction, setting.vertebra.frame, side)
    values: Values = {
        "pta_deg": angles.pta,
        "psa_deg": angles.psa,
        "psa_elevation_deg": angles.psa_elevation,
        "voxel_spacing_mm": tuple(spine.labels.spacing.tolist()),
        "fill_percent": _fill_percent(screw, setting),
        "neighbour_screw_clearance_mm": float(capsule_clearances(screw, others).min()) if len(others) else None,
    }
    values |= _beyond_pedicle(setting, stations, distances, options, reasons)
    values |= _in_pedicle(setting, spine.labels, values, options, reasons, notes)
    values |= _purchase(setting, stations, distances, spine.ct, options, reasons)
    values |= _channel(setting, options, reasons)
    values |= _around(setting, screw, spine, level, stations, options, reasons)
    del values["tip_outside_mm"], values["body_lateral"]
    return Assessment(**values, reasons=reasons, notes=tuple(notes))


def _fill_percent(screw: Screw, setting: Setting) -> float | None:
    """Diameter as a share of the isthmus width."""
    if setting.pedicle is None or not setting.pedicle.width_mm > 0:
        return None
    return 100.0 * screw.shape.diameter_mm / setting.pedicle.width_mm


def _in_pedicle(
    setting: Setting,
    labels: Volume,
    body: Values,
    options: GradingOptions,
    reasons: dict[str, str],
    notes: list[str],
) -> Values:
    """Gertzbein-Robbins and the scales that look at the pedicle too."""
    zone = setting.zone
    survey: PedicleSurvey | None = None
    refusal = setting.refusal
    if not refusal:
        survey = survey_pedicle(
            setting.field,
            setting.grid,
            setting.shaft,
            setting.neck,
            zone,
            setting.circle,
            setting.medial,
            setting.superior,
            options.step_mm,
            options.entry_exclusion_mm,
            True,
        )
        refusal = f"the wall beside the breach is {CUT_BY_VIEW}" if survey.cut else ""
    if survey is None or refusal:
        for scale in ("gertzbein_robbins", "zdichavsky", "ravi", "heary"):
            reasons[scale] = refusal
        return {
            **dict.fromkeys(("gertzbein_robbins", "zdichavsky", "ravi", "heary"), NOT_GRADABLE),
            **dict.fromkeys(("breach", "grade_range", "pedicle_fraction", "zone_mm")),
            "breach_by_direction": {},
        }
    if zone.projected:
        notes.append("the axis meets no bone behind the body: the graded zone is projected from the pedicle's own axis")
    elif _late(setting):
        notes.append("the axis enters bone in front of the dorsal end of the pedicle: what lies behind is not graded")
    breach_mm = max(float(survey.margin), 0.0)
    direction = DIRECTIONS[survey.side] if breach_mm > 0 else None
    return {
        "gertzbein_robbins": gertzbein_robbins(breach_mm, options.inclusive),
        "breach": Breach(breach_mm, float(survey.margin), direction, float(survey.along), _triple(survey.point)),
        "breach_by_direction": dict(zip(DIRECTIONS, survey.by_direction.tolist(), strict=True)),
        "grade_range": _range(float(survey.margin), survey.normal, labels, options.inclusive),
        "pedicle_fraction": float(survey.fraction),
        "zone_mm": (float(zone.start), float(zone.end)),
        "ravi": ravi(breach_mm),
        "heary": heary(direction, breach_mm, body["tip_outside_mm"]),
        "zdichavsky": _zdichavsky(setting, survey, body, reasons),
    }


def _late(setting: Setting) -> bool:
    """Whether the axis enters bone well in front of the pedicle's dorsal end."""
    point = setting.shaft.entry + setting.zone.bone_entry * setting.shaft.direction
    along = float((point - setting.neck.isthmus) @ setting.neck.axis)
    return along > setting.neck.dorsal + _LATE_ENTRY_MM and along > 0.0


def _triple(point: Floats) -> tuple[float, float, float]:
    x, y, z = point.tolist()
    return x, y, z


def _range(margin: float, normal: Floats, labels: Volume, inclusive: bool) -> GradeRange:
    half = 0.5 * float(np.linalg.norm(labels.affine[:3, :3].T @ normal))
    if half == 0.0:
        half = 0.5 * float(labels.spacing.max())
    low, high = max(margin - half, 0.0), max(margin + half, 0.0)
    return GradeRange(low, high, gertzbein_robbins(low, inclusive), gertzbein_robbins(high, inclusive), half)


def _zdichavsky(setting: Setting, survey: PedicleSurvey, body: Values, reasons: dict[str, str]) -> str:
    if body["body_fraction"] is None:
        reasons["zdichavsky"] = reasons["body_fraction"]
        return NOT_GRADABLE
    return zdichavsky(
        float(survey.fraction),
        body["body_fraction"],
        DIRECTIONS[survey.fraction_side],
        body["body_lateral"],
        crosses_midline(setting.shaft, setting.origin, setting.medial),
    )


def _beyond_pedicle(
    setting: Setting, stations: Floats, distances: Floats, options: GradingOptions, reasons: dict[str, str]
) -> Values:
    """Breaches of the body, and the share of the cross-section half-way between its wall and the tip."""
    shaft, junction = setting.shaft, setting.zone.junction
    empty: Values = {"body_breaches": {}, "body_fraction": None, "body_lateral": False, "tip_outside_mm": 0.0}
    why = ""
    if shaft_leaves_view(setting):
        why = f"the screw is {CUT_BY_VIEW}"
    elif math.isnan(junction):
        why = setting.refusal
    elif junction >= shaft.length:
        why = "the tip does not reach the vertebral body"
    if why:
        reasons.update(dict.fromkeys(("body_breaches", "body_fraction"), why))
        return empty
    first = max(junction, 0.0)
    axes = (setting.origin, setting.medial, setting.anterior, setting.superior)
    found, tip = (
        body_breaches(setting.field, shaft, stations, setting.circle, distances, start, *axes)
        for start in (first, max(first, shaft.length - options.tip_region_mm))
    )
    middle = (first + shaft.length) / 2
    section = body_section(
        setting.field, shaft, middle, setting.circle, setting.origin, setting.medial, setting.superior
    )
    return {
        "body_breaches": dict(zip(BODY_DIRECTIONS, found.tolist(), strict=True)),
        "body_fraction": float(section.fraction),
        "body_lateral": bool(section.lateral),
        "tip_outside_mm": float(max(tip[ANTERIOR], tip[BODY_LATERAL])),
    }


def _purchase(
    setting: Setting,
    stations: Floats,
    distances: Floats,
    ct: Volume | None,
    options: GradingOptions,
    reasons: dict[str, str],
) -> Values:
    """Contact and density; nothing where the image does not hold the whole shaft."""
    if shaft_leaves_view(setting):
        names = ("bone_contact_percent", "mean_hu", "min_hu")
        reasons.update(dict.fromkeys(names, f"the screw is {CUT_BY_VIEW}"))
        return {
            **dict.fromkeys(names),
            **dict.fromkeys(("contact_by_depth", "contact_by_angle", "hu_by_depth", "hu_by_angle"), ()),
        }
    entered = None if math.isnan(setting.zone.bone_entry) else float(setting.zone.bone_entry)
    found = purchase(setting.shaft, stations, setting.circle, distances, entered, ct, options)
    if found.mean_hu is None:
        why = "there is no CT" if ct is None else "no part of the shaft lies in bone and in the CT"
        reasons.update(dict.fromkeys(("mean_hu", "min_hu"), why))
    return {
        "bone_contact_percent": found.contact_percent,
        "mean_hu": found.mean_hu,
        "min_hu": found.min_hu,
        "hu_by_depth": found.hu_by_depth,
        "hu_by_angle": found.hu_by_angle,
        "contact_by_depth": found.contact_by_depth,
        "contact_by_angle": found.contact_by_angle,
    }


def _channel(setting: Setting, options: GradingOptions, reasons: dict[str, str]) -> Values:
    """Length of the bone-screw channel, and the share of it that the screw fills (AISPINE, Wang 2024)."""
    shaft, zone = setting.shaft, setting.zone
    why, exit_mm = "", math.nan
    if math.isnan(zone.bone_entry):
        why = "the axis of the screw meets no bone"
    else:
        start = zone.bone_entry if math.isnan(zone.junction) else max(zone.bone_entry, zone.junction)
        exit_mm = float(bone_exit(setting.field, shaft, start, _CHANNEL_REACH_MM, options.bridge_mm))
        if math.isnan(exit_mm):
            why = "the axis of the screw misses the vertebral body"
        elif not _seen(setting, zone.bone_entry) or not _seen(setting, exit_mm):
            why = f"the bone-screw channel is {CUT_BY_VIEW}"
    if why:
        reasons.update(dict.fromkeys(("channel_mm", "depth_percent"), why))
        return {"channel_mm": None, "depth_percent": None}
    channel = exit_mm - float(zone.bone_entry)
    return {"channel_mm": channel, "depth_percent": 100.0 * (shaft.length - float(zone.bone_entry)) / channel}


def _seen(setting: Setting, depth: float) -> bool:
    """Whether the axis at this depth lies in the label map."""
    if not math.isfinite(depth):
        return False
    index = setting.grid.inverse @ np.append(setting.shaft.entry + depth * setting.shaft.direction, 1.0)
    return bool((index[:3] >= -0.5).all() and (index[:3] <= setting.grid.shape - 0.5).all())


def _around(
    setting: Setting,
    screw: Screw,
    spine: Spine,
    level: Level,
    stations: Floats,
    options: GradingOptions,
    reasons: dict[str, str],
) -> Values:
    """Facet joint, canal and neighbouring vertebrae."""
    vertebra, shaft = setting.vertebra, setting.shaft
    values = _facet(setting, screw, options, reasons)
    values["canal_clearance_mm"] = None
    if vertebra.canal is None or not len(vertebra.canal.points):
        reasons["canal_clearance_mm"] = vertebra.missing.get("canal", "the canal was not found")
    else:
        values["canal_clearance_mm"] = clearance(vertebra.canal.points, shaft)
    overlaps = {}
    for neighbour in (spine.above(level), spine.below(level)):
        if neighbour is not None:
            deep = overlap_mm(neighbour.bone, shaft, stations, setting.circle)
            if deep > 0:
                overlaps[neighbour.level.name] = deep
    values["neighbour_bone_overlap_mm"] = overlaps
    return values


def _facet(setting: Setting, screw: Screw, options: GradingOptions, reasons: dict[str, str]) -> Values:
    """Facet violation (Babu 2012): the shaft decides, the tulip is told separately."""
    joint = setting.vertebra.facets.get(setting.side)
    if joint is None or not len(joint.points):
        why = setting.vertebra.missing.get(f"facet {setting.side}", "the vertebra above is not in view")
        names = ("facet_gap_mm", "facet_penetration_mm", "head_facet_gap_mm")
        reasons.update(dict.fromkeys(("facet_grade", *names), why))
        return {"facet_grade": NOT_GRADABLE, **dict.fromkeys(names)}
    shape = screw.shape
    room = joint_room(joint, setting.shaft, shape.tulip_diameter_mm / 2, shape.tulip_height_mm)
    penetration = max(-room.gap_mm, 0.0)
    return {
        "facet_grade": facet_grade(room.gap_mm, penetration, room.axis_in_joint, options.facet_bone_mm),
        "facet_gap_mm": room.gap_mm,
        "facet_penetration_mm": penetration,
        "head_facet_gap_mm": room.head_gap_mm,
    }
