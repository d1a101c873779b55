"""What sizes a screw can have, and screws of typed sizes."""

from __future__ import annotations

from dataclasses import replace

from spinescrew.errors import InputError
from spinescrew.implants.screw import ScrewShape

LIMITS_MM = {
    "diameter": (2.0, 12.0),
    "length": (8.0, 140.0),
    "tulip diameter": (4.0, 25.0),
    "tulip height": (4.0, 40.0),
}
"""Smallest and largest believable size: from C2 screws (3.5 x 14) to S2-alar-iliac ones (10.5 x 120), with room."""

_OTHER_UNITS = ((0.1, "tenths of a millimetre"), (10.0, "centimetres"), (1000.0, "metres"))


def size_problem(what: str, value_mm: float) -> str:
    """What is wrong with a size, or an empty text.

    ``what`` is a key of :data:`LIMITS_MM`. Where another unit would explain the value, the text asks for it:

    >>> size_problem("diameter", 65)
    'diameter 65 mm is outside 2-12 mm, is it in tenths of a millimetre?'
    """
    low, high = LIMITS_MM[what]
    if low <= value_mm <= high:
        return ""
    text = f"{what} {value_mm:g} mm is outside {low:g}-{high:g} mm"
    for factor, unit in _OTHER_UNITS:
        if low <= value_mm * factor <= high:
            return f"{text}, is it in {unit}?"
    return text


def custom_shape(diameter_mm: float, length_mm: float, like: ScrewShape | None = None) -> ScrewShape:
    """A screw of typed sizes, item ``"custom"``; taper and tulip are those of ``like`` where one is given.

    Raises
    ------
    InputError
        If a size is not believable (:data:`LIMITS_MM`) or not a number.
    """
    problems = [size_problem("diameter", diameter_mm), size_problem("length", length_mm)]
    if any(problems):
        raise InputError("; ".join(problem for problem in problems if problem))
    base = like or ScrewShape(diameter_mm, length_mm)
    taper = min(base.tip_taper_mm, length_mm)
    return replace(base, diameter_mm=diameter_mm, length_mm=length_mm, tip_taper_mm=taper, item="custom")
