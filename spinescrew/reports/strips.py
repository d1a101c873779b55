"""Bone contact and density along and around a screw, unrolled into rows of coloured, numbered cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spinescrew.grading.assessment import Assessment
from spinescrew.reports.palette import UNGRADED, ink_on
from spinescrew.reports.wording import DASH, number

CELLS_ALONG = 10
CELLS_AROUND = 12
HU_RANGE = (0.0, 600.0)
CONTACT_RANGE = (0.0, 100.0)
LIGHTEST, DARKEST = 0.05, 0.75


@dataclass(frozen=True)
class Cell:
    """One cell: what is written in it, its ``"#RRGGBB"`` ground and the colour of its ink."""

    text: str
    ground: str
    ink: str


@dataclass(frozen=True)
class Strip:
    """A row of cells. ``ends`` are written under it, spread over its width."""

    title: str
    cells: tuple[Cell, ...]
    ends: tuple[str, ...]


def heat_strips(assessment: Assessment) -> tuple[Strip, ...]:
    """Density in HU (where there is a CT) and the share of the surface in bone, along the shaft and around it.

    Around the shaft the cells run from medial to superior, lateral, inferior; each of
    these directions is written under the cell that begins there. Empty when nothing was
    measured by depth or by angle.
    """
    a = assessment
    along, around = ("entry", "tip"), ("medial", "superior", "lateral", "inferior")
    rows = (
        ("HU, entry to tip", a.hu_by_depth, CELLS_ALONG, HU_RANGE, along),
        ("% in bone, entry to tip", _percent(a.contact_by_depth), CELLS_ALONG, CONTACT_RANGE, along),
        ("HU, around", a.hu_by_angle, CELLS_AROUND, HU_RANGE, around),
        ("% in bone, around", _percent(a.contact_by_angle), CELLS_AROUND, CONTACT_RANGE, around),
    )
    return tuple(
        Strip(title, _cells(_means(values, count), limits), ends)
        for title, values, count, limits, ends in rows
        if any(value is not None for value in values)
    )


def _percent(shares: Sequence[float]) -> list[float | None]:
    return [100.0 * share for share in shares]


def _means(values: Sequence[float | None], count: int) -> list[float | None]:
    """Means over ``count`` equal stretches, fewer where there are fewer values."""
    numbers = np.array([np.nan if value is None else value for value in values], dtype=float)
    groups = np.array_split(numbers, min(count, len(numbers)))
    return [float(np.nanmean(group)) if np.isfinite(group).any() else None for group in groups]


def _cells(values: Sequence[float | None], limits: tuple[float, float]) -> tuple[Cell, ...]:
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    scale = colormaps["Blues"]
    cells = []
    for value in values:
        if value is None:
            cells.append(Cell(DASH, UNGRADED, ink_on(UNGRADED)))
            continue
        share = np.clip((value - limits[0]) / (limits[1] - limits[0]), 0.0, 1.0)
        ground = to_hex(scale(LIGHTEST + (DARKEST - LIGHTEST) * share))
        cells.append(Cell(number(value, 0), ground, ink_on(ground)))
    return tuple(cells)
