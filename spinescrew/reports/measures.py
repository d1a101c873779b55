"""The measures of one screw, grouped and in words, as the report prints them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from spinescrew.anatomy.vertebra import Spine, Vertebra
from spinescrew.grading.assessment import Assessment
from spinescrew.grading.scales import DIRECTIONS, NOT_GRADABLE
from spinescrew.implants.screw import Screw
from spinescrew.planning.plan import PlannedScrew
from spinescrew.reports.wording import DASH, grade, number, point

UNGRADED_REASON = "this screw was not graded"
UNKNOWN_REASON = "not measured"
PART_OF = {
    "facet_grade": "facet",
    "facet_gap_mm": "facet",
    "facet_penetration_mm": "facet",
    "head_facet_gap_mm": "facet",
    "canal_clearance_mm": "canal",
    "mean_hu": "density",
    "min_hu": "density",
    "gertzbein_robbins": "pedicle",
    "breach": "pedicle",
    "zdichavsky": "pedicle",
    "ravi": "pedicle",
    "heary": "pedicle",
    "fill_percent": "pedicle",
    "pedicle_fraction": "pedicle",
}
SPOKESMAN = {"facet": "facet_grade", "pedicle": "gertzbein_robbins", "density": "mean_hu"}


@dataclass(frozen=True)
class Measure:
    """One line of a table: what, how much, and why there is no value where there is none."""

    name: str
    value: str
    reason: str = ""


@dataclass(frozen=True)
class MeasureGroup:
    """Measures under one heading."""

    title: str
    measures: tuple[Measure, ...]


def reason_for(measure: str, row: PlannedScrew, spine: Spine) -> str:
    """Why ``measure`` (a field of :class:`Assessment`) of this screw has no value, in plain words."""
    if row.assessment is None:
        return UNGRADED_REASON
    reasons = row.assessment.reasons
    vertebra = spine.vertebrae.get(row.level)
    missing = vertebra.missing if vertebra is not None else {}
    causes = {
        "facet": missing.get(f"facet {row.side}"),
        "canal": missing.get("canal"),
        "pedicle": missing.get(row.side),
    }
    causes["density"] = "no CT, only a label map" if spine.ct is None else None
    part = PART_OF.get(measure, "")
    shared = reasons.get(SPOKESMAN.get(part, ""))
    return reasons.get(measure) or shared or causes.get(part) or UNKNOWN_REASON


def measure_groups(row: PlannedScrew, spine: Spine) -> tuple[MeasureGroup, ...]:
    """All measures of a planned screw. A row without an assessment has its position and size only."""
    screw, assessment = row.screw, row.assessment
    if screw is None:
        return ()
    vertebra = spine.vertebrae.get(row.level)
    if assessment is None:
        return (MeasureGroup("Position", tuple(_place(screw))),)
    groups = {
        "Position": _position(assessment, screw),
        "Sizing": _sizing(assessment, screw, row, vertebra),
        "Cortex": _cortex(assessment),
        "Surroundings": _surroundings(assessment),
        "Facet joint": _facet(assessment),
        "Density": _density(assessment),
        "Other scales": _scales(assessment),
        "Execution risk": _risk(assessment),
    }
    return tuple(
        MeasureGroup(title, _said_once([_reasoned(field, item, row, spine) for field, item in lines]))
        for title, lines in groups.items()
        if lines
    )


Lines = list[tuple[str, Measure]]


def _reasoned(field: str, measure: Measure, row: PlannedScrew, spine: Spine) -> Measure:
    if measure.value != DASH or measure.reason:
        return measure
    return Measure(measure.name, measure.value, reason_for(field, row, spine))


def _said_once(measures: list[Measure]) -> tuple[Measure, ...]:
    """A reason that holds for several lines in a row stands under the last of them only."""
    following = [measure.reason for measure in measures[1:]] + [""]
    return tuple(
        replace(measure, reason="") if measure.reason == after else measure
        for measure, after in zip(measures, following, strict=True)
    )


def _place(screw: Screw) -> list[Measure]:
    return [Measure("Entry, RAS mm", point(screw.entry)), Measure("Tip, RAS mm", point(screw.tip))]


def _position(a: Assessment, screw: Screw) -> Lines:
    return [
        ("pta_deg", Measure("PTA (transverse)", number(a.pta_deg, unit="°"))),
        ("psa_deg", Measure("PSA (sagittal)", number(a.psa_deg, unit="°"))),
        ("psa_elevation_deg", Measure("Elevation above endplate", number(a.psa_elevation_deg, unit="°"))),
        *(("", measure) for measure in _place(screw)),
    ]


def _sizing(a: Assessment, screw: Screw, row: PlannedScrew, vertebra: Vertebra | None) -> Lines:
    lines: Lines = [
        ("", Measure("Catalogue item", screw.shape.item)),
        ("channel_mm", Measure("Bone channel", number(a.channel_mm, unit="mm"))),
        ("depth_percent", Measure("Depth / channel", number(a.depth_percent, 0, "%"))),
        ("fill_percent", Measure("Fill / isthmus width", number(a.fill_percent, 0, "%"))),
    ]
    pedicle = vertebra.pedicles.get(row.side) if vertebra is not None else None
    if pedicle is not None:
        outer = f"{number(pedicle.width_mm)} × {number(pedicle.height_mm, unit='mm')}"
        inner = f"{number(pedicle.inner_width_mm)} × {number(pedicle.inner_height_mm, unit='mm')}"
        lines.append(("", Measure("Isthmus, outer w × h", outer)))
        lines.append(("", Measure(f"Isthmus, inner ({_source(pedicle.inner_source)})", inner)))
        angles = f"{number(pedicle.pta_deg, unit='°')} / {number(pedicle.psa_deg, unit='°')}"
        lines.append(("", Measure("Pedicle axis PTA / PSA", angles)))
    return lines


def _source(name: str) -> str:
    return "CT" if name == "ct" else name


def _cortex(a: Assessment) -> Lines:
    breach = a.breach
    lines: Lines = [
        ("gertzbein_robbins", Measure("Gertzbein-Robbins", grade(a.gertzbein_robbins))),
        ("breach", Measure("Breach", breach_words(a))),
    ]
    if breach is not None:
        name = "Margin to the wall" if breach.mm <= 0 else "Place, from entry"
        value = -breach.margin_mm if breach.mm <= 0 else breach.along_mm
        lines.append(("breach", Measure(name, number(value, 1, "mm"))))
    if a.grade_range is not None:
        lines.append(("", Measure(f"Range, ±{number(a.grade_range.half_voxel_mm, 2, 'mm')}", range_words(a))))
    found = {key: value for key, value in a.breach_by_direction.items() if value > 0}
    if len(found) > 1:
        words = ", ".join(f"{key} {number(found[key])}" for key in DIRECTIONS if key in found)
        lines.append(("", Measure("By direction, mm", words)))
    if a.zone_mm is not None:
        words = f"{number(a.zone_mm[0])} to {number(a.zone_mm[1], unit='mm')}"
        lines.append(("", Measure("Graded zone, from entry", words)))
    through = {key: value for key, value in a.body_breaches.items() if value > 0}
    lines += [("", Measure(f"Body wall, {key}", number(value, unit="mm"))) for key, value in through.items()]
    return lines if through else [*lines, ("", Measure("Walls of the body", "no breach"))]


def breach_words(a: Assessment) -> str:
    """``"none"``, ``"2.3 mm medial"``, or an en dash when not gradable."""
    if a.breach is None or a.gertzbein_robbins == NOT_GRADABLE:
        return DASH
    if a.breach.mm <= 0:
        return "none"
    return f"{number(a.breach.mm, unit='mm')} {a.breach.direction or ''}".strip()


def range_words(a: Assessment) -> str:
    """The letters and breaches that half a voxel of error allows: ``"A to B, 0.0 to 0.3 mm"``."""
    r = a.grade_range
    if r is None:
        return DASH
    letters = r.best if r.best == r.worst else f"{r.best} to {r.worst}"
    low, high = max(r.low_mm, 0.0), max(r.high_mm, 0.0)
    ends = [number(low), number(high)]
    return f"{letters}, {' to '.join(dict.fromkeys(ends))}\u00a0mm"


def _surroundings(a: Assessment) -> Lines:
    lines: Lines = [("canal_clearance_mm", Measure("Clearance to the canal", number(a.canal_clearance_mm, unit="mm")))]
    if a.neighbour_screw_clearance_mm is not None:
        gap = number(a.neighbour_screw_clearance_mm, unit="mm")
        lines.append(("", Measure("Clearance to the next screw", gap)))
    for name, overlap in a.neighbour_bone_overlap_mm.items():
        if overlap > 0:
            lines.append(("", Measure(f"Enters bone of {name}", number(overlap, unit="mm"))))
    return lines


def _facet(a: Assessment) -> Lines:
    lines: Lines = [("facet_grade", Measure("Facet violation (Babu)", grade(a.facet_grade)))]
    if a.facet_grade != NOT_GRADABLE:
        lines.append(("facet_gap_mm", Measure("Gap, shaft to joint", number(a.facet_gap_mm, unit="mm"))))
        if a.facet_penetration_mm:
            depth = number(a.facet_penetration_mm, unit="mm")
            lines.append(("facet_penetration_mm", Measure("Depth in the joint", depth)))
        lines.append(("head_facet_gap_mm", Measure("Gap, head to joint", number(a.head_facet_gap_mm, unit="mm"))))
    return lines


def _density(a: Assessment) -> Lines:
    return [
        ("mean_hu", Measure("Mean density around", number(a.mean_hu, 0, "HU"))),
        ("min_hu", Measure("Lowest", number(a.min_hu, 0, "HU"))),
        ("bone_contact_percent", Measure("Surface in bone", number(a.bone_contact_percent, 0, "%"))),
    ]


def _scales(a: Assessment) -> Lines:
    return [
        ("zdichavsky", Measure("Zdichavsky", grade(a.zdichavsky))),
        ("pedicle_fraction", Measure("Share in pedicle", _share(a.pedicle_fraction))),
        ("body_fraction", Measure("Share in body", _share(a.body_fraction))),
        ("ravi", Measure("Ravi", grade(a.ravi))),
        ("heary", Measure("Heary", grade(a.heary))),
    ]


def _share(fraction: float | None) -> str:
    return DASH if fraction is None else number(100.0 * fraction, 0, "%")


def _risk(a: Assessment) -> Lines:
    risk = a.execution_risk
    if risk is None:
        return []
    words = f"±{risk.entry_sd_mm:g}\u00a0mm, ±{risk.angle_sd_deg:g}°, {risk.draws} draws"
    letters = [("", Measure(f"Probability of {k}", number(100 * v, 0, "%"))) for k, v in risk.probabilities.items()]
    return [("", Measure("Execution error", words)), *letters]
