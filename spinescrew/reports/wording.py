"""Values as people read them: units, true minus signs, and an en dash where there is no value."""

from __future__ import annotations

import math
from typing import Any

from spinescrew.anatomy.frame import Side
from spinescrew.anatomy.levels import Level
from spinescrew.grading.scales import NOT_GRADABLE
from spinescrew.planning.plan import PlannedScrew

DASH = "–"
MINUS = "−"


def number(value: Any, digits: int = 1, unit: str = "", signed: bool = False) -> str:
    """``12.34`` to ``"12.3 mm"``; ``None``, NaN and infinity to an en dash. Never ``-0.0``.

    Degrees and percent signs stand close to the number or after a thin space, other units after a space.
    """
    if value is None or isinstance(value, str) or not math.isfinite(float(value)):
        return DASH
    rounded = round(float(value), digits)
    sign = MINUS if rounded < 0 else "+" if signed and rounded > 0 else ""
    text = f"{sign}{abs(rounded):.{digits}f}"
    if not unit:
        return text
    return f"{text}{unit}" if unit == "°" else f"{text}\u202f{unit}" if unit == "%" else f"{text}\u00a0{unit}"


def grade(value: Any) -> str:
    """A letter, class or number as it is; ``None``, ``"not gradable"`` and NaN to an en dash."""
    if value is None or value == NOT_GRADABLE or (isinstance(value, float) and not math.isfinite(value)):
        return DASH
    return str(value)


def point(values: Any) -> str:
    """RAS coordinates (3,) to ``"12.3, −4.5, 678.9"``."""
    return DASH if values is None else ", ".join(number(value) for value in values)


def screw_size(row: PlannedScrew) -> str:
    """``"6.5 × 45 mm"``; an en dash for a row without a screw."""
    if row.screw is None:
        return DASH
    shape = row.screw.shape
    return f"{shape.diameter_mm:g}\u00a0×\u00a0{round(shape.length_mm, 1):g}\u00a0mm"


def row_name(level: Level, side: Side) -> str:
    """``"L3 (22) right"``."""
    return f"{level.label} {side}"


def spacing(values: Any) -> str:
    """Voxel edges (3,) to ``"0.8 × 0.8 × 2.0 mm"``."""
    return " × ".join(number(value, 2) for value in values) + "\u00a0mm"


def short_hash(value: str | None) -> str:
    """The first twelve digits of a content hash; an en dash without one."""
    return value.rpartition(":")[2][:12] if value else DASH
