"""Screws found in two radiographs as a table and as surfaces."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spinescrew.exchange.pose_record import FREEDOMS, deviations
from spinescrew.exchange.stl import size_name, write_stl
from spinescrew.exchange.table import cell
from spinescrew.geometry.atomic import atomic_path
from spinescrew.implants.mesh import posed_mesh

if TYPE_CHECKING:
    from spinescrew.radiographs.pose import PosedScrew, PoseResult

_PLACES = ("entry_r_mm", "entry_a_mm", "entry_s_mm", "tip_r_mm", "tip_a_mm", "tip_s_mm")
_DIRECTION = ("direction_r", "direction_a", "direction_s")
_TULIP = ("tulip_axis_r", "tulip_axis_a", "tulip_axis_s")
COLUMNS = (
    *("number", "level", "side", "diameter_mm", "length_mm", "sizes_given", "sd_diameter_mm", "sd_length_mm"),
    *_PLACES,
    *_DIRECTION,
    *(f"sd_{name}" for name in FREEDOMS),
    *("roll_deg", *_TULIP, "slot_deg", "residual_px", "confidence_1", "confidence_2", "notes"),
)


def write_pose_csv(
    result: PoseResult,
    path: str | Path,
    *,
    names: Mapping[int, tuple[str, str]] | None = None,
    more: Mapping[int, Mapping[str, Any]] | None = None,
) -> Path:
    """One row per screw, units in the column names, places and directions in RAS; cells of what is not known are empty.

    Parameters
    ----------
    names:
        Level and side of a screw by its number, where a plan tells them.
    more:
        Further columns of a screw by its number, such as its differences from the plan.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    path = Path(path)
    names, more = names or {}, more or {}
    further = list(dict.fromkeys(column for values in more.values() for column in values))
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, [*COLUMNS, *further])
        table.writeheader()
        for posed in result.screws:
            level, side = names.get(posed.number, ("", posed.side))
            values = {**_values(posed), "level": level, "side": side, **more.get(posed.number, {})}
            table.writerow({name: cell(value) for name, value in values.items()})
    return path


def write_pose_stls(result: PoseResult, folder: str | Path, *, threaded: bool = True) -> tuple[Path, ...]:
    """One binary STL per screw, in LPS millimetres as :func:`spinescrew.exchange.write_screw_stls` writes them.

    Named by number and size, ``screw_1_6.5x45.stl``. The tulip stands on the shaft's axis: its tilt is in the table.

    Raises
    ------
    InputError
        If a file cannot be written.
    """
    return tuple(
        write_stl(
            Path(folder) / f"screw_{posed.number}_{size_name(posed.screw)}.stl",
            *posed_mesh(posed.screw, threaded=threaded),
        )
        for posed in result.screws
    )


def _values(posed: PosedScrew) -> dict[str, Any]:
    screw, shape = posed.screw, posed.screw.shape
    axis = (None, None, None) if posed.tulip_axis is None else tuple(map(float, np.asarray(posed.tulip_axis)))
    return {
        "number": posed.number,
        "diameter_mm": float(shape.diameter_mm),
        "length_mm": float(shape.length_mm),
        "sizes_given": bool(posed.sizes_given),
        **dict(zip(("sd_diameter_mm", "sd_length_mm"), map(float, posed.size_sd_mm), strict=True)),
        **dict(zip(_PLACES, map(float, (*screw.entry, *screw.tip)), strict=True)),
        **dict(zip(_DIRECTION, map(float, screw.direction), strict=True)),
        **{f"sd_{name}": float(value) for name, value in zip(FREEDOMS, deviations(posed), strict=True)},
        "roll_deg": posed.roll_deg,
        **dict(zip(_TULIP, axis, strict=True)),
        "slot_deg": posed.slot_deg,
        "residual_px": float(posed.residual_px),
        **{f"confidence_{n}": float(seen.confidence) for n, seen in enumerate(posed.seen, start=1)},
        "notes": "; ".join(posed.notes),
    }
