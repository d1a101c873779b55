"""Figures that people type or slide: where a screw stands, as absolute numbers, and the edits that set them.

Unlike :mod:`spinescrew.planning.edits`, whose shifts are relative, every figure here can be read, typed again and
gives the same screw.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinescrew.anatomy.frame import Side, VertebralFrame, screw_angles
from spinescrew.anatomy.levels import Level
from spinescrew.anatomy.vertebra import Spine, Vertebra
from spinescrew.errors import InputError
from spinescrew.implants.catalog import Catalog
from spinescrew.implants.screw import Screw
from spinescrew.planning import edits
from spinescrew.planning.plan import Plan, PlannedScrew

_REACH_MM = 60.0
_STEP_MM = 0.25


@dataclass(frozen=True)
class Figures:
    """Where a screw stands.

    Attributes
    ----------
    pta_deg, psa_deg:
        Angles in the vertebra's frame.
    diameter_mm, length_mm:
        Sizes.
    seating_mm:
        How deep the head-shaft junction lies below the bone's surface along the axis: 0 on the cortex, negative while
        it stands out. ``None`` where the axis meets no bone.
    lateral_mm, cranial_mm:
        Entry relative to the reference entry, in the vertebra's frame: away from the midline, towards the head.
    """

    pta_deg: float
    psa_deg: float
    diameter_mm: float
    length_mm: float
    seating_mm: float | None
    lateral_mm: float
    cranial_mm: float


def figures(row: PlannedScrew, vertebra: Vertebra, reference: PlannedScrew | None = None) -> Figures:
    """The figures of a planned row; entry shifts are told from ``reference`` (0 without one)."""
    screw = _screw_of(row)
    angles = screw_angles(screw.direction, vertebra.frame, row.side)
    shift = np.zeros(3)
    if reference is not None and reference.screw is not None:
        shift = vertebra.frame.axes.T @ (screw.entry - reference.screw.entry)
    return Figures(
        angles.pta,
        angles.psa,
        screw.shape.diameter_mm,
        screw.shape.length_mm,
        seating(screw, vertebra),
        float(shift[0]) * _outwards(row.side),
        float(shift[2]),
    )


def seating(screw: Screw, vertebra: Vertebra) -> float | None:
    """Depth in mm of the entry below the bone's surface along the axis; ``None`` where the axis meets no bone."""
    depths = np.arange(-_REACH_MM, screw.shape.length_mm, _STEP_MM)
    outside = vertebra.bone.sample(screw.entry + depths[:, None] * screw.direction)
    return _crossing(depths, outside, screw.shape.length_mm)


def set_seating(plan: Plan, level: Level, side: Side, spine: Spine, value_mm: float) -> Plan:
    """The screw slid along its axis until its entry lies ``value_mm`` below the bone's surface."""
    now = seating(_screw_of(plan.get(level, side)), _vertebra(spine, level))
    if now is None:
        raise InputError(f"the axis of {level.label} {side} meets no bone; turn or move the screw first")
    moved = edits.slide(plan, level, side, value_mm - now)
    if seating(_screw_of(moved.get(level, side)), _vertebra(spine, level)) is None:
        raise InputError(f"{value_mm:g} mm would take {level.label} {side} out of its bone; it stands at {now:.1f} mm")
    return moved


def set_entry_shift(
    plan: Plan,
    level: Level,
    side: Side,
    frame: VertebralFrame,
    reference: PlannedScrew,
    *,
    lateral_mm: float | None = None,
    cranial_mm: float | None = None,
) -> Plan:
    """The screw moved, angles held, until its entry lies this far from the reference entry; ``None``: as it is."""
    screw = _screw_of(plan.get(level, side))
    origin = _screw_of(reference).entry
    shift = frame.axes.T @ (screw.entry - origin)
    right = 0.0 if lateral_mm is None else lateral_mm * _outwards(side) - shift[0]
    superior = 0.0 if cranial_mm is None else cranial_mm - shift[2]
    return edits.shift_entry(plan, level, side, frame, right_mm=right, superior_mm=superior)


def set_size(
    plan: Plan,
    level: Level,
    side: Side,
    *,
    diameter_mm: float | None = None,
    length_mm: float | None = None,
    catalog: Catalog | None = None,
) -> Plan:
    """Another diameter or length; with a ``catalog`` the nearest screw there is."""
    return edits.resize(plan, level, side, diameter_mm=diameter_mm, length_mm=length_mm, catalog=catalog)


def _crossing(depths: np.ndarray, outside: np.ndarray, length_mm: float) -> float | None:
    """Minus the depth at which the run of bone that holds the shaft begins.

    The run is the last one that starts within the shaft or before it and reaches into it: what lies behind the entry
    counts only as far as it is one piece with it, so that a spinous process behind a screw is not its surface.
    """
    inside = outside <= 0
    starts = np.flatnonzero(inside[1:] & ~inside[:-1])
    if not inside.any():
        return None
    reaching = [n for n in starts if (inside & (depths > max(depths[n], 0.0)))[n + 1 :].any()]
    at_entry = int(np.searchsorted(depths, 0.0))
    if inside[min(at_entry, len(inside) - 1)]:
        before = [n for n in starts if n < at_entry]
        chosen = before[-1] if before else None
    else:
        after = [n for n in reaching if n >= at_entry - 1 and depths[n] < length_mm]
        chosen = after[0] if after else None
    if chosen is None:
        return None
    a, b = float(outside[chosen]), float(outside[chosen + 1])
    return -float(depths[chosen] + (depths[chosen + 1] - depths[chosen]) * a / (a - b))


def _outwards(side: Side) -> float:
    return 1.0 if side == "right" else -1.0


def _screw_of(row: PlannedScrew) -> Screw:
    if row.screw is None:
        raise InputError(f"{row.level.label} {row.side} has no screw ({row.reason}); add one first")
    return row.screw


def _vertebra(spine: Spine, level: Level) -> Vertebra:
    if level not in spine.vertebrae:
        raise InputError(f"{level.label} is not in the label map; its screw cannot be measured")
    return spine.vertebrae[level]
