"""Screws found in two radiographs in words, a line each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spinescrew.radiographs.pose_words import deviations, match_word, note_words, slot_words, tulip_words
from spinescrew.reports.palette import GRADE_COLOURS, ink_on, screw_colour
from spinescrew.reports.summary import Badge
from spinescrew.reports.wording import number, point

if TYPE_CHECKING:
    from spinescrew.radiographs.pose import PosedScrew, PoseResult

MATCH_COLOURS = {"good": GRADE_COLOURS["A"], "fair": GRADE_COLOURS["C"], "poor": GRADE_COLOURS["D"]}


@dataclass(frozen=True)
class ScrewLine:
    """One screw; ``name`` is its side, and its level where a plan tells that."""

    number: int
    colour: str
    name: str
    size: str
    sizes: str
    entry: str
    tip: str
    direction: str
    across: str
    along: str
    tilt: str
    match: Badge
    residual: str
    seen: str
    tulip: str
    slot: str
    notes: tuple[str, ...]


def screw_lines(result: PoseResult, names: Mapping[int, str] | None = None) -> tuple[ScrewLine, ...]:
    """All screws, by number."""
    return tuple(_line(posed, (names or {}).get(posed.number, posed.side)) for posed in result.screws)


def _line(posed: PosedScrew, name: str) -> ScrewLine:
    screw, shape = posed.screw, posed.screw.shape
    across, along, tilt = deviations(posed)
    word = match_word(posed)
    confidence = " and ".join(number(100 * seen.confidence, 0, "%") for seen in posed.seen)
    return ScrewLine(
        number=posed.number,
        colour=screw_colour(posed.number),
        name=name,
        size=f"{number(shape.diameter_mm)}\u00a0×\u00a0{number(shape.length_mm, unit='mm')}",
        sizes="as given" if posed.sizes_given else "as measured",
        entry=point(screw.entry),
        tip=point(screw.tip),
        direction=", ".join(number(value, 3) for value in screw.direction),
        across=number(across, 2),
        along=number(along, 2),
        tilt=number(tilt, 2),
        match=Badge(word, MATCH_COLOURS[word], ink_on(MATCH_COLOURS[word])),
        residual=number(posed.residual_px, unit="px"),
        seen=confidence,
        tulip=tulip_words(posed),
        slot=slot_words(posed),
        notes=tuple(note_words(posed)),
    )
