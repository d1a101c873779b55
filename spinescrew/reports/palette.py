"""The colours of grades, in one place for reports, windows and figures.

From good to bad the hue runs from blue to wine through sky, amber and vermilion (Okabe and Ito 2008, and Tol 2021 for
the last), so that the grades stay apart under red-green blindness. A letter or number always stands beside a colour.
"""

from __future__ import annotations

GRADE_COLOURS: dict[str, str] = {"A": "#0072B2", "B": "#56B4E9", "C": "#E69F00", "D": "#D55E00", "E": "#882255"}
FACET_COLOURS: dict[int, str] = {0: "#0072B2", 1: "#56B4E9", 2: "#E69F00", 3: "#D55E00"}
UNGRADED = "#8A8F98"
BONE = "#E4DACA"
BONE_OUTLINE = "#F5EE5A"
NEIGHBOUR_OUTLINE = "#9AA3AD"
INK = "#1B222B"
SCREW_COLOURS = ("#FFB000", "#56B4E9", "#3DDC97", "#F0E442", "#FF8AD8", "#FF7A45", "#B79CFF", "#8BE9E9")
"""Of screws by number on dark images: the same screw is found again in each of them; its number stands beside it."""


def grade_colour(letter: str | None) -> str:
    """``"#RRGGBB"`` of a Gertzbein-Robbins letter; grey for anything that is not one of A to E."""
    return GRADE_COLOURS.get(letter or "", UNGRADED)


def screw_colour(number: int) -> str:
    """``"#RRGGBB"`` of the screw with this number, from 1."""
    return SCREW_COLOURS[(number - 1) % len(SCREW_COLOURS)]


def facet_colour(grade: int | str | None) -> str:
    """``"#RRGGBB"`` of a facet grade 0 to 3; grey for ``not gradable``."""
    return FACET_COLOURS.get(grade, UNGRADED) if isinstance(grade, int) else UNGRADED


def ink_on(colour: str) -> str:
    """Black or white, whichever reads better on ``colour`` (WCAG relative luminance)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#FFFFFF" if 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.05 else "#000000"
