"""What windows say about solved screws: cells of their table, and words about the calibration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from spinescrew.geometry.vectors import angle_deg

if TYPE_CHECKING:
    from spinescrew.radiographs.pose import PosedScrew, PoseResult

GOOD_PX, FAIR_PX = 1.5, 3.0
"""How far the fitted screw lies off what was seen, on the maps' pixels."""


class Column(NamedTuple):
    """Of the table: its key, its title, and what it means."""

    key: str
    title: str
    meaning: str


COLUMNS = (
    Column("number", "Screw", "The same number and colour in both images, in 3D and here"),
    Column("entry", "Entry", "Where the shaft begins below the head: R, A, S in mm"),
    Column("tip", "Tip", "End of the shaft: R, A, S in mm"),
    Column("direction", "Direction", "Unit vector from entry to tip: R, A, S"),
    Column("length", "Length", "Of the shaft in mm"),
    Column("diameter", "Diameter", "Outer thread diameter in mm"),
    Column("across_sd", "± across", "Standard deviation across the shaft in mm, at mid-shaft, the worse way"),
    Column("along_sd", "± along", "Standard deviation along the shaft in mm"),
    Column("tilt_sd", "± tilt", "Standard deviation of the direction in degrees, the worse way"),
    Column("match", "Match", "How well both images agree: distance between fitted and seen screw in pixels"),
    Column("notes", "Notes", "What is uncertain, or was done by hand"),
)


def pose_cells(posed: PosedScrew) -> dict[str, str]:
    """Texts of one row, as :data:`COLUMNS` names them."""
    screw = posed.screw
    across, along, tilt = deviations(posed)
    return {
        "number": str(posed.number),
        "entry": _point(screw.entry),
        "tip": _point(screw.tip),
        "direction": _point(screw.direction, 3),
        "length": f"{screw.shape.length_mm:.1f}",
        "diameter": f"{screw.shape.diameter_mm:.1f}",
        "across_sd": f"{across:.2f}",
        "along_sd": f"{along:.2f}",
        "tilt_sd": f"{tilt:.2f}",
        "match": f"{match_word(posed)}, {posed.residual_px:.1f} px",
        "notes": "; ".join(notes(posed)),
    }


def deviations(posed: PosedScrew) -> tuple[float, float, float]:
    """Standard deviations across (the worse way) and along in mm, of the direction (the worse way) in degrees."""
    across_u, across_v, along, tilt_u, tilt_v = np.sqrt(np.maximum(np.diag(posed.covariance), 0.0))
    return float(max(across_u, across_v)), float(along), float(max(tilt_u, tilt_v))


def match_word(posed: PosedScrew) -> str:
    """``"good"``, ``"fair"`` or ``"poor"``."""
    return "good" if posed.residual_px <= GOOD_PX else "fair" if posed.residual_px <= FAIR_PX else "poor"


def notes(posed: PosedScrew) -> list[str]:
    """What is known beside the pose: sizes, tulip, who placed it."""
    found = ["sizes as given"] if posed.sizes_given else []
    if posed.tulip_axis is not None:
        tilt = angle_deg(posed.tulip_axis, posed.screw.direction)
        found.append(f"tulip tilted by {tilt:.0f}°" if tilt >= 1.0 else "tulip straight")
    if posed.slot_deg is not None:
        found.append(f"slot at {posed.slot_deg:.0f}°")
    hands = [n for n, seen in enumerate(posed.seen, start=1) if getattr(seen, "by_hand", False)]
    found += [f"axis by hand in view {n}" for n in hands]
    return [*found, *posed.notes]


def summary(result: PoseResult) -> str:
    """How many screws were solved, and how many are left over."""
    alone = [len(each) for each in result.unmatched]
    text = f"{len(result.screws)} screw{'s' if len(result.screws) != 1 else ''} in both views"
    left = [f"{count} in view {n} only" for n, count in enumerate(alone, start=1) if count]
    return ", ".join([text, *left])


def _point(values: Sequence[float], digits: int = 1) -> str:
    return "  ".join(f"{round(float(value), digits) + 0.0:.{digits}f}" for value in values)
