"""The table of solved screws in windows: which columns, and what each means."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from spinescrew.reports.outcome_table import PlacedLine
from spinescrew.reports.pose_tables import ScrewLine

if TYPE_CHECKING:
    from spinescrew.outcome.compare import Outcome


class Column(NamedTuple):
    """Of the table: its title, and what it means."""

    title: str
    meaning: str


COLUMNS = (
    Column("Screw", "The same number and colour in both images, in 3D and here"),
    Column("Size", "Outer thread diameter and length of the shaft"),
    Column("Match", "How well both images agree: distance of the fitted screw from the one seen"),
    Column("± across", "Standard deviation across the shaft at its middle in mm, the worse way"),
    Column("± along", "Standard deviation along the shaft in mm"),
    Column("± tilt", "Standard deviation of the direction in degrees, the worse way"),
    Column("Entry", "Where the shaft begins below the head: R, A, S in mm"),
    Column("Tip", "End of the shaft: R, A, S in mm"),
    Column("Direction", "Unit vector from entry to tip: R, A, S"),
    Column("Notes", "Sizes, the head, what is uncertain, and what was done by hand"),
)
SCREW, MATCH, NOTES = 0, 2, len(COLUMNS) - 1


def cells(line: ScrewLine) -> tuple[str, ...]:
    """Texts of one row, as :data:`COLUMNS` names them."""
    match = f"{line.match.text}, {line.residual}"
    number = f"{line.number} {line.name}".strip()
    spread = (line.across, line.along, line.tilt)
    return (number, line.size, match, *spread, line.entry, line.tip, line.direction, "; ".join(remarks(line)))


def remarks(line: ScrewLine) -> list[str]:
    """What stands under :data:`NOTES`."""
    return [f"sizes {line.sizes}", f"tulip {line.tulip}, slot {line.slot}", *line.notes]


PLACED_COLUMNS = (
    Column("Pedicle", "Level and side"),
    Column("Screw", "Its number in the images"),
    Column("GR", "Gertzbein-Robbins as placed, and in brackets as planned"),
    Column("Entry", "Distance of the entry from the planned one"),
    Column("Tip", "Distance of the tip from the planned one"),
    Column("Turned", "Angle between the planned and the placed axis"),
    Column("What changed", "Where entry and tip went in the vertebra; the breach; why a value is missing"),
)
GRADE = 2


def placed_cells(line: PlacedLine) -> tuple[str, ...]:
    """Texts of one row, as :data:`PLACED_COLUMNS` names them."""
    grades = f"{line.placed.text} ({line.planned.text})"
    words = "; ".join(text for text in (line.words, _breach(line), line.reason) if text)
    return (line.name, line.number, grades, line.entry, line.tip, line.angle, words)


def _breach(line: PlacedLine) -> str:
    return f"breach {line.breach}" if any(sign.isdigit() for sign in line.breach) else ""


def placed_names(outcome: Outcome) -> dict[int, str]:
    """Level and side of the screws that are at a pedicle, by their number in the images."""
    return {one.number: f"{one.level.name} {one.side}" for one in outcome.screws if one.number is not None}
