"""Words for screws found in two radiographs, the same in windows, reports and the console."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spinescrew.geometry.vectors import angle_deg

if TYPE_CHECKING:
    from spinescrew.radiographs.pose import PosedScrew, PoseResult

GOOD_PX, FAIR_PX = 1.5, 3.0
"""How far the fitted screw lies off what was seen, on the maps' pixels."""

ROLL = "Roll is not given: a shaft looks the same from all sides."


def deviations(posed: PosedScrew) -> tuple[float, float, float]:
    """Standard deviations across (the worse way) and along in mm, of the direction (the worse way) in degrees."""
    across_u, across_v, along, tilt_u, tilt_v = np.sqrt(np.maximum(np.diag(posed.covariance), 0.0))
    return float(max(across_u, across_v)), float(along), float(max(tilt_u, tilt_v))


def match_word(posed: PosedScrew) -> str:
    """``"good"``, ``"fair"`` or ``"poor"``."""
    return "good" if posed.residual_px <= GOOD_PX else "fair" if posed.residual_px <= FAIR_PX else "poor"


def tulip_words(posed: PosedScrew) -> str:
    """How the head stands on the shaft: ``"tilted by 8°"``, ``"straight"``, or that it cannot be told."""
    if posed.tulip_axis is None:
        return "not told"
    tilt = angle_deg(posed.tulip_axis, posed.screw.direction)
    return f"tilted by {tilt:.0f}°" if tilt >= 1.0 else "straight"


def slot_words(posed: PosedScrew) -> str:
    """Where the slot for the rod points, from cranial: ``"4°"``, or that it cannot be told."""
    return "not told" if posed.slot_deg is None else f"{round(posed.slot_deg) + 0:d}°".replace("-", "−")


def note_words(posed: PosedScrew) -> list[str]:
    """What is uncertain, and who placed it."""
    hands = [n for n, seen in enumerate(posed.seen, start=1) if seen.by_hand]
    return [*(f"axis by hand in view {n}" for n in hands), *posed.notes]


def summary(result: PoseResult) -> str:
    """How many screws were solved, and how many are left over."""
    count = len(result.screws)
    left = [f"{len(each)} in view {n} only" for n, each in enumerate(result.unmatched, start=1) if each]
    return ", ".join([f"{count} screw{'' if count == 1 else 's'} in both views", *left])
