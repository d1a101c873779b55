"""What the C2 tab says of an assessment, as plain values: gauges, verdicts, measures, ways out."""

from __future__ import annotations

from typing import Any

from spinescrew.feasibility.assessment import C2Assessment, SideAssessment
from spinescrew.feasibility.measures import Corridor
from spinescrew.feasibility.wording import percent, percent_range
from spinescrew.networks.card import PROVENANCE
from spinescrew.reports.c2_report import VERDICT_COLOURS
from spinescrew.reports.c2_tables import SOURCES, Value, corridor_value, measure_rows
from spinescrew.reports.palette import ink_on
from spinescrew.reports.wording import number

WARNING = f"{PROVENANCE}; never saw a real neck CT"
"""What stands in the tab at all times."""

NOTHING: dict[str, Any] = {"sides": [], "measures": [], "sources": [], "threshold": 50, "reading": ""}
"""Before anything was judged."""

WAYS = {"pars": "Pars screw", "lamina": "Translaminar screw"}


def answer(found: C2Assessment) -> dict[str, Any]:
    """Everything the tab shows of an assessment; probabilities in percent."""
    return {
        "reading": f"Chance that a {found.screw_mm:g} mm screw stays in bone, read at {100 * found.threshold:.0f} %; "
        "the white bar is the range from slightly shifted views and surfaces.",
        "threshold": round(100 * found.threshold),
        "sides": [_side(own, found.screw_mm) for own in found.sides.values()],
        "measures": [_row(row.name, row.meaning, row.values) for row in measure_rows(found)],
        "sources": [f"[{n}] {text}" for n, text in enumerate(SOURCES, start=1)],
    }


def _side(own: SideAssessment, screw_mm: float) -> dict[str, Any]:
    colour = VERDICT_COLOURS[own.verdict]
    chance, among = percent(own.probability, brief=True), percent_range(own.low, own.high, brief=True)
    return {
        "side": own.side,
        "title": own.side.capitalize(),
        "key": f"C2 {own.side}",
        "percent": round(100 * own.probability),
        "low": round(100 * own.low),
        "high": round(100 * own.high),
        "chance": f"{chance} %",
        "range": f"{among} %" if among != chance else "",
        "verdict": own.verdict,
        "colour": colour,
        "ink": ink_on(colour),
        "text": f"{chance} % that a {screw_mm:g} mm screw stays in bone",
        "disagreement": f"{own.side.capitalize()}: {own.disagreement}." if own.disagreement else "",
        "ways": [_way(way) for way in own.ways_out],
        "notes": [f"{own.side.capitalize()}: {note}" for note in own.measures.notes],
    }


def _way(way: Corridor) -> dict[str, str]:
    name = f"{WAYS.get(way.name, way.name)}, {way.diameter_mm:g} mm"
    return {"name": name, "length": _text(corridor_value(way)), "wall": number(way.margin_mm, unit="mm")}


def _row(name: str, meaning: str, values: Any) -> dict[str, Any]:
    return {"name": name, "meaning": meaning, "values": {side: _value(value) for side, value in values.items()}}


def _value(value: Value) -> dict[str, Any]:
    return {"text": value.text, "tags": [{"text": tag.text, "good": tag.good} for tag in value.tags]}


def _text(value: Value) -> str:
    return ", ".join([value.text, *(tag.text for tag in value.tags)])
