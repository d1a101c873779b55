"""What is said about screws as placed, line by line."""

from __future__ import annotations

from spinescrew.grading.scales import NOT_GRADABLE
from spinescrew.outcome.compare import Outcome, ScrewOutcome
from spinescrew.outcome.shift import Shift

_SAME_MM = 0.5
_SAME_DEG = 0.5


def lines(outcome: Outcome) -> list[str]:
    """A line for each screw, then the warnings."""
    return [screw_line(screw) for screw in outcome.screws] + list(outcome.warnings)


def screw_line(screw: ScrewOutcome) -> str:
    """``"L4 left: entry 1.2 mm more lateral; tip 2.1 mm more medial, 0.8 mm deeper; turned 3.4 deg ...; grade A"``."""
    name = f"{screw.level.name} {screw.side}"
    if screw.status == "missing":
        return f"{name}: {screw.reason}"
    if screw.status == "unplanned":
        return f"{name}: a screw that was not planned; {grade_words(screw)}"
    assert screw.entry is not None and screw.tip is not None and screw.angle_deg is not None
    assert screw.pta_deg is not None and screw.psa_deg is not None
    parts = [f"entry {shift_words(screw.entry)}", f"tip {shift_words(screw.tip)}"]
    if screw.angle_deg < _SAME_DEG:
        parts.append("same direction")
    else:
        parts.append(f"turned {screw.angle_deg:.1f} deg (PTA {screw.pta_deg:+.1f}, PSA {screw.psa_deg:+.1f})")
    return f"{name}: {'; '.join([*parts, grade_words(screw)])}"


def shift_words(shift: Shift) -> str:
    """``"2.1 mm more medial, 0.8 mm deeper"``; parts below 0.5 mm are left out."""
    if shift.distance_mm < _SAME_MM:
        return "as planned"
    ways = [
        (shift.medial_mm, "more medial", "more lateral"),
        (shift.cranial_mm, "more cranial", "more caudal"),
        (shift.deeper_mm, "deeper", "less deep"),
    ]
    told = [
        f"{abs(value):.1f} mm {more if value > 0 else less}"
        for value, more, less in sorted(ways, key=lambda way: -abs(way[0]))
        if abs(value) >= _SAME_MM
    ]
    return ", ".join(told) or f"{shift.distance_mm:.1f} mm off"


def grade_words(screw: ScrewOutcome) -> str:
    """Grade as placed with its breach, the letters within the error, and the planned grade."""
    found = screw.assessment
    if found is None or found.gertzbein_robbins == NOT_GRADABLE:
        return screw.reason if screw.reason.startswith(NOT_GRADABLE) else f"{NOT_GRADABLE}: {screw.reason}"
    words = f"grade {found.gertzbein_robbins}"
    if found.breach is not None and found.breach.mm > 0:
        words += f", {found.breach.mm:.1f} mm {found.breach.direction}"
    if screw.grades is not None and screw.grades[0] != screw.grades[1]:
        words += f" ({screw.grades[0]} to {screw.grades[1]} within the error)"
    if screw.planned_assessment is not None:
        words += f"; planned {screw.planned_assessment.gertzbein_robbins}"
    return words
