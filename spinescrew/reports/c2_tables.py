"""The measures of both C2 pedicles in words, beside the limits that papers give for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from spinescrew.anatomy.frame import Side
from spinescrew.feasibility.assessment import CUT_OFF_MM, WALL_MM, C2Assessment, SideAssessment
from spinescrew.feasibility.heights import LOWEST_INTERNAL_MM, LOWEST_ISTHMUS_MM
from spinescrew.feasibility.judge import FEASIBLE
from spinescrew.feasibility.measures import DIAMETERS_MM, Corridor
from spinescrew.feasibility.wording import percent
from spinescrew.reports.wording import number

ISTHMUS_CUT_OFF_MM, INTERNAL_CUT_OFF_MM = 5.59, 4.22
"""Heights above which a 3.5 mm screw fitted printed bones (J Orthop Surg Res 2023)."""

SOURCES = (
    "J Orthop Surg Res 2023, doi 10.1186/s13018-023-03498-x: 3.5 mm screws in printed bones of 152 patients",
    "Klepinowski 2021, doi 10.1007/s10143-021-01493-6: a vertebral artery is high-riding at or below it",
    "this software, on simulated bones: half of the screws of an imitated hand keep 0.5 mm of wall",
)
"""What [1], [2] and [3] mean in the rows."""


@dataclass(frozen=True)
class Tag:
    """How a value lies to a limit, such as ``"> 4.78"``; ``good`` where it speaks for a screw."""

    text: str
    good: bool


@dataclass(frozen=True)
class Value:
    """A figure of one side."""

    text: str
    tags: tuple[Tag, ...] = ()


@dataclass(frozen=True)
class Row:
    """One measure of both sides; ``meaning`` says what its limits are."""

    name: str
    values: dict[Side, Value]
    meaning: str = ""


@dataclass(frozen=True)
class _Line:
    """A field of :class:`PedicleMeasures` and what stands beside it."""

    field: str
    name: str
    limits: tuple[float, ...] = ()
    meaning: str = ""
    unit: str = "mm"


_HEIGHT = "{} mm or less: high-riding artery [2]; above {} mm a screw fits [1]"
_LIMITED = (
    _Line(
        "outer_width_mm",
        "Minimum pediculoisthmic diameter (MPD, outer)",
        (CUT_OFF_MM,),
        f"above {CUT_OFF_MM} mm a 3.5 mm screw fits [1]",
    ),
    _Line(
        "isthmus_height_mm",
        "Isthmus height (C2IsH)",
        (LOWEST_ISTHMUS_MM, ISTHMUS_CUT_OFF_MM),
        _HEIGHT.format(f"{LOWEST_ISTHMUS_MM:g}", ISTHMUS_CUT_OFF_MM),
    ),
    _Line(
        "internal_height_mm",
        "Internal height (C2InH)",
        (LOWEST_INTERNAL_MM, INTERNAL_CUT_OFF_MM),
        _HEIGHT.format(f"{LOWEST_INTERNAL_MM:g}", INTERNAL_CUT_OFF_MM),
    ),
)
_PLAIN = (
    _Line("foramen_mm", "Best 3.5 mm shaft to the transverse foramen", meaning="negative: into the foramen"),
    _Line("inner_width_mm", "Inner (endosteal) width at the isthmus", meaning="none published for a screw"),
    _Line("height_mm", "Height at the isthmus"),
    _Line("pta_deg", "Transverse angle of the pedicle (PTA)", unit="°"),
    _Line("psa_deg", "Sagittal angle of the pedicle (PSA)", unit="°"),
)


def measure_rows(found: C2Assessment) -> tuple[Row, ...]:
    """What the network says alone, then all measures of both sides, the ones with published limits first."""
    return (
        Row("Network alone", _of_sides(found, _network), "its probability without the measures, read at 50 %"),
        *(_row(found, line) for line in _LIMITED),
        Row("High-riding vertebral artery", _of_sides(found, _artery), "either height at or below its limit [2]"),
        Row(
            f"Wall left along the best {found.screw_mm:g} mm corridor",
            _of_sides(found, lambda own: _value(own.measures.corridors[found.screw_mm].margin_mm, (WALL_MM,))),
            f"{WALL_MM} mm: with it half of an imitated hand's screws keep 0.5 mm [3]",
        ),
        *(_corridor_row(found, diameter) for diameter in DIAMETERS_MM),
        *(_row(found, line) for line in _PLAIN),
    )


def corridor_value(corridor: Corridor) -> Value:
    """Its length, or that there is none and by how much a shaft of usual length leaves the bone."""
    if corridor.length_mm > 0:
        return Value(number(corridor.length_mm, unit="mm"))
    return Value("none", (Tag(f"{number(corridor.breach_mm, unit='mm')} out of bone", False),))


def _row(found: C2Assessment, line: _Line) -> Row:
    values = _of_sides(found, lambda own: _value(getattr(own.measures, line.field), line.limits, line.unit))
    return Row(line.name, values, line.meaning)


def _corridor_row(found: C2Assessment, diameter_mm: float) -> Row:
    values = _of_sides(found, lambda own: corridor_value(own.measures.corridors[diameter_mm]))
    return Row(f"Longest {diameter_mm:g} mm corridor", values, "from the dorsal cortex forwards")


def _of_sides(found: C2Assessment, value: Callable[[SideAssessment], Value]) -> dict[Side, Value]:
    return {side: value(own) for side, own in found.sides.items()}


def _network(own: SideAssessment) -> Value:
    yes = own.network >= FEASIBLE
    return Value(f"{percent(own.network)}\u202f%", (Tag("fits" if yes else "does not fit", yes),))


def _artery(own: SideAssessment) -> Value:
    rides = own.measures.high_riding
    return Value("", (Tag("yes" if rides else "no", not rides),))


def _value(value: float, limits: tuple[float, ...] = (), unit: str = "mm") -> Value:
    """NaN gets a dash and no tags."""
    tags = tuple(_tag(value, limit) for limit in limits) if value == value else ()
    return Value(number(value, 2 if limits else 1, unit), tags)


def _tag(value: float, limit: float) -> Tag:
    above = value > limit
    return Tag(f"{'>' if above else '≤'}\u202f{limit:g}", above)
