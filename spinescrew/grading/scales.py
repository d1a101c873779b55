"""The published scales, as functions of measured figures.

Boundaries of Gertzbein-Robbins are half-open (A = 0, B < 2, C 2 to < 4, D 4 to < 6, E >= 6 mm), as AISPINE (Wang
2024) uses them; the inclusive variant (B <= 2, ...) is an option.
"""

from __future__ import annotations

from typing import Literal

NOT_GRADABLE = "not gradable"
Direction = Literal["medial", "lateral", "superior", "inferior"]
DIRECTIONS: tuple[Direction, ...] = ("medial", "lateral", "superior", "inferior")
LETTERS = ("A", "B", "C", "D", "E")


def gertzbein_robbins(breach_mm: float, inclusive: bool = False) -> str:
    """Letter for a breach in mm (Gertzbein and Robbins 1990, in its later A-E form)."""
    if breach_mm <= 0:
        return "A"
    for letter, limit in zip("BCD", (2.0, 4.0, 6.0), strict=True):
        if breach_mm < limit or (inclusive and breach_mm == limit):
            return letter
    return "E"


def ravi(breach_mm: float) -> int:
    """Ravi 2011: 1 no breach, 2 below 2 mm, 3 from 2 to 4 mm, 4 above 4 mm."""
    if breach_mm <= 0:
        return 1
    return 2 if breach_mm < 2 else 3 if breach_mm <= 4 else 4


def heary(direction: Direction | None, breach_mm: float, tip_outside_mm: float) -> int | str:
    """Heary 2004: 1 none, 2 lateral breach with the tip in the body, 3 tip through the anterior or lateral cortex,
    4 medial or inferior breach. 5 (needs immediate revision) is a surgeon's decision and never computed; a superior
    breach has no class of its own.
    """
    if breach_mm > 0 and direction in ("medial", "inferior"):
        return 4
    if tip_outside_mm > 0:
        return 3
    if breach_mm > 0:
        return 2 if direction == "lateral" else "unclassified"
    return 1


def zdichavsky(
    pedicle_fraction: float,
    body_fraction: float,
    pedicle_side: Direction,
    body_lateral: bool,
    tip_crosses_midline: bool,
) -> str:
    """Zdichavsky 2004, from the share of the screw's cross-section inside the pedicle and inside the body.

    ``pedicle_side`` is where the part outside the pedicle lies, ``body_lateral`` whether the part outside the body
    lies laterally. Returns ``"Ia"`` ... ``"IIIb"``, or ``"unclassified"`` where none fits.
    """
    in_pedicle, in_body = pedicle_fraction >= 0.5, body_fraction >= 0.5
    if in_pedicle:
        if tip_crosses_midline:
            return "IIb"
        if in_body:
            return "Ia"
        return "IIa" if body_lateral else "unclassified"
    if pedicle_side == "medial" and tip_crosses_midline:
        return "IIIb"
    if pedicle_side == "lateral":
        if in_body:
            return "Ib"
        if body_lateral:
            return "IIIa"
    return "unclassified"


def facet_grade(gap_mm: float, penetration_mm: float, axis_in_joint: bool, facet_bone_mm: float = 1.0) -> int:
    """Facet violation (Babu 2012; printed "Badu" in Wang 2024), 0 to 3.

    0 not in the facet; 1 in the facet bone beside the joint (the shaft passes within ``facet_bone_mm`` of the joint
    without entering it); 2 enters the joint by up to 1 mm; 3 by more, or the axis lies within the joint.
    """
    if axis_in_joint or penetration_mm > 1.0:
        return 3
    if penetration_mm > 0:
        return 2
    return 1 if gap_mm <= facet_bone_mm else 0
