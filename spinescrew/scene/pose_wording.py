"""The table of solved screws in windows: which columns, and what each means."""

from __future__ import annotations

from typing import NamedTuple

from spinescrew.reports.pose_tables import ScrewLine


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
