"""What a file or a report says of solved poses, as plain numbers and texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from spinescrew.radiographs.posed import PosedScrew
from spinescrew.radiographs.seen import SeenScrew

if TYPE_CHECKING:
    from spinescrew.radiographs.pose import PoseResult


def summary(result: PoseResult) -> dict[str, Any]:
    """Ready for JSON: RAS mm of the geometry's frame, degrees, pixels of the maps; ``None`` for what cannot be told."""
    refined = result.calibration
    return {
        "coordinate_system": "RAS",
        "angle_between_views_deg": _rounded(result.given_views[0].angle_to(result.given_views[1])),
        "sizes_given": bool(result.sizes),
        "calibration": {
            "refined": refined.refined,
            "turn_deg": _rounded(refined.turn_deg),
            "shift_mm": _rounded(refined.shift_mm),
            "source_mm": [_rounded(value) for value in refined.source_mm],
            "words": refined.words,
        },
        "screws": [_screw(one) for one in result.screws],
        "unmatched": [[_seen(one) for one in each] for each in result.unmatched],
        "ambiguous": [list(each) for each in result.ambiguous],
        "warnings": list(result.warnings),
        "seconds": {name: round(value, 2) for name, value in result.seconds.items()},
    }


def _screw(one: PosedScrew) -> dict[str, Any]:
    sd = one.sd
    return {
        "number": one.number,
        "side": one.side,
        "level": one.level,
        "entry_ras_mm": _list(one.screw.entry),
        "tip_ras_mm": _list(one.screw.tip),
        "direction": _list(one.screw.direction, 5),
        "diameter_mm": _rounded(one.screw.shape.diameter_mm),
        "length_mm": _rounded(one.screw.shape.length_mm),
        "sizes_given": one.sizes_given,
        "size_sd_mm": _list(np.array(one.size_sd_mm)),
        "sd_across_mm": _list(sd[:2]),
        "sd_along_mm": _rounded(sd[2]),
        "sd_tilt_deg": _list(sd[3:]),
        "covariance": [_list(row, 6) for row in one.covariance],
        "frame": [_list(row, 6) for row in one.frame],
        "roll_deg": one.roll_deg,
        "tulip_axis": None if one.tulip_axis is None else _list(one.tulip_axis, 5),
        "slot_deg": None if one.slot_deg is None else _rounded(one.slot_deg, 1),
        "residual_px": _rounded(one.residual_px),
        "seen": [_seen(each) for each in one.seen],
        "notes": list(one.notes),
    }


def _seen(one: SeenScrew) -> dict[str, Any]:
    return {
        "neck_px": _list(one.neck),
        "tip_px": _list(one.tip),
        "head_px": _list(one.head) if np.isfinite(one.head).all() else None,
        "radius_px": _rounded(one.radius_px),
        "confidence": _rounded(one.confidence),
        "by_hand": one.by_hand,
    }


def _list(values: Any, digits: int = 3) -> list[float | None]:
    return [_rounded(value, digits) for value in values]


def _rounded(value: float, digits: int = 3) -> float | None:
    return round(float(value), digits) if np.isfinite(value) else None
