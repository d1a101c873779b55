"""One screw in one vertebra, made ready for compiled code."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spinescrew.anatomy.frame import Side, side_sign
from spinescrew.anatomy.levels import Level
from spinescrew.anatomy.vertebra import Pedicle, Spine, Vertebra
from spinescrew.errors import InputError
from spinescrew.geometry.vectors import cross
from spinescrew.grading.field import Field, Grid, field_of, grid_of, in_view, radius_at
from spinescrew.grading.options import GradingOptions
from spinescrew.grading.shaft import Circle, Shaft, circle_of, shaft_of
from spinescrew.grading.walls import lift
from spinescrew.grading.zone import GRADABLE, REASONS, Neck, Zone, bone_entry, graded_zone, neck_of
from spinescrew.implants.screw import Screw

Floats = NDArray[np.float64]

CUT_BY_VIEW = "cut by the field of view"


@dataclass(frozen=True, eq=False)
class Setting:
    """What every measure of one screw needs. ``medial`` ... are unit RAS vectors of the vertebra for this side.

    ``zone.status`` may be anything; ``refusal`` says why Gertzbein-Robbins cannot be graded, empty if it can.
    """

    vertebra: Vertebra
    side: Side
    pedicle: Pedicle | None
    shaft: Shaft
    circle: Circle
    field: Field
    grid: Grid
    neck: Neck
    zone: Zone
    medial: Floats
    anterior: Floats
    superior: Floats
    origin: Floats
    refusal: str


def prepare(screw: Screw, spine: Spine, level: Level, side: Side, options: GradingOptions) -> Setting:
    """Lay a screw out in its vertebra and find its graded zone.

    Raises
    ------
    InputError
        If the spine does not hold the level.
    """
    vertebra = spine.vertebrae.get(level)
    if vertebra is None:
        why = spine.skipped.get(level, "it is not in the label map")
        raise InputError(f"{level.label} cannot be graded: {why}; choose a level that is in view")
    frame, pedicle = vertebra.frame, vertebra.pedicles.get(side)
    shaft, circle = shaft_of(screw, frame, side), circle_of(options)
    field, grid = field_of(vertebra.bone), grid_of(spine.labels)
    if pedicle is None:
        neck = Neck(shaft.entry, shaft.direction, np.nan, np.nan)
        zone = Zone(np.nan, np.nan, bone_entry(field, shaft, shaft.length), np.nan, GRADABLE, False)
        refusal = vertebra.missing.get(side, f"the {side} pedicle was not found")
    else:
        neck = neck_of(pedicle)
        zone = graded_zone(field, shaft, neck, options.entry_exclusion_mm)
        refusal = REASONS.get(zone.status, "") or _cut(grid, shaft, zone, circle, pedicle, options)
    medial = -side_sign(side) * frame.right
    return Setting(
        vertebra,
        side,
        pedicle,
        shaft,
        circle,
        field,
        grid,
        neck,
        zone,
        np.array(medial),
        np.array(frame.anterior),
        np.array(frame.superior),
        np.array(frame.origin),
        refusal,
    )


def shaft_leaves_view(setting: Setting) -> bool:
    """Whether any part of the shaft lies outside the label map."""
    return not part_in_view(setting.grid, setting.shaft, 0.0, setting.shaft.length, 0.0, setting.circle)


@njit(cache=True)
def part_in_view(grid, shaft, start, end, margin, circle):  # type: ignore[no-untyped-def]
    """Whether the shaft from ``start`` to ``end``, ``margin`` mm thicker, lies in the image's box."""
    for t in (start, end):
        at = shaft.entry + t * shaft.direction
        radius = radius_at(shaft, t) + margin
        for m in range(circle.cosines.shape[0]):
            x, y, z = lift(at, shaft, radius * circle.cosines[m], radius * circle.sines[m])
            if not in_view(grid, x, y, z, 0.0):
                return False
    return True


def _cut(grid: Grid, shaft: Shaft, zone: Zone, circle: Circle, pedicle: Pedicle, options: GradingOptions) -> str:
    """Why the image's edge forbids a grade: it cuts the graded part of the shaft, or the pedicle at its isthmus."""
    if not part_in_view(grid, shaft, zone.start, zone.end, options.view_margin_mm, circle):
        return f"the graded part of the screw is {CUT_BY_VIEW}"
    up = cross(pedicle.axis, pedicle.medial)
    for way in (pedicle.medial * (pedicle.width_mm / 2), up * (pedicle.height_mm / 2)):
        for point in (pedicle.isthmus + way, pedicle.isthmus - way):
            if not in_view(grid, point[0], point[1], point[2], 0.0):
                return f"the pedicle is {CUT_BY_VIEW}"
    return ""
