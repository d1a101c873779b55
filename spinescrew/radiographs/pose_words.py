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
    """How the head stands on the shaft, and where its slot points; what is not known is said."""
    if posed.tulip_axis is None:
        return "tulip not told"
    tilt = angle_deg(posed.tulip_axis, posed.screw.direction)
    axis = f"tulip tilted by {tilt:.0f}°" if tilt >= 1.0 else "tulip straight"
    return axis if posed.slot_deg is None else f"{axis}, slot turned {posed.slot_deg:.0f}° from cranial"


def note_words(posed: PosedScrew) -> list[str]:
    """What is uncertain, and who placed it."""
    hands = [n for n, seen in enumerate(posed.seen, start=1) if seen.by_hand]
    return [*(f"axis by hand in view {n}" for n in hands), *posed.notes]


def summary(result: PoseResult) -> str:
    """How many screws were solved, and how many are left over."""
    count = len(result.screws)
    left = [f"{len(each)} in view {n} only" for n, each in enumerate(result.unmatched, start=1) if each]
    return ", ".join([f"{count} screw{'' if count == 1 else 's'} in both views", *left])
