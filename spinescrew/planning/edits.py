"""Edits of a plan: functions from a plan to a new plan, for one screw at a time.

Every edit of a screw clears its assessment and its reviewed mark and says that a person made it. What the neighbours'
assessments say about clearance to this screw is old from then on: grade the plan again. A locked row refuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import Side, VertebralFrame, direction_from_angles, screw_angles
from spinescrew.anatomy.levels import Level, position
from spinescrew.anatomy.vertebra import Vertebra
from spinescrew.errors import InputError
from spinescrew.implants.catalog import Catalog
from spinescrew.implants.screw import Screw
from spinescrew.implants.sizes import custom_shape
from spinescrew.planning.plan import Plan, PlannedScrew

Floats = NDArray[np.float64]
Part = Literal["screw", "entry", "tip"]
Pivot = Literal["entry", "isthmus"]

DELETED = "deleted by hand"
_STEEPEST_DEG = 80.0
_SAME_LENGTH_MM = 1e-6


def move(plan: Plan, level: Level, side: Side, shift_ras: Any, part: Part = "screw") -> Plan:
    """The whole screw, or only its entry or tip, shifted by ``shift_ras`` (3,) mm.

    With one end held, the length follows the distance of entry and tip, and the item becomes ``"custom"``.

    Raises
    ------
    InputError
        If there is no such screw, it is locked, the shift is not three finite numbers, or the screw becomes too short
        or too long to exist.
    """
    screw = _editable(plan, level, side)
    shift = _vector(shift_ras)
    if part == "screw":
        return _changed(plan, level, side, replace(screw, entry=screw.entry + shift))
    if part not in ("entry", "tip"):
        raise InputError(f"'{part}' is no part of a screw that can be moved; use screw, entry or tip")
    entry = screw.entry + shift if part == "entry" else screw.entry
    tip = screw.tip + shift if part == "tip" else screw.tip
    shape = custom_shape(screw.shape.diameter_mm, float(np.linalg.norm(tip - entry)), screw.shape)
    return _changed(plan, level, side, Screw(entry, tip - entry, shape, screw.notes))


def renamed(plan: Plan, names: Mapping[Level, Level]) -> Plan:
    """Screws that stay in their bone while its vertebra is called otherwise; their grades are to be made anew.

    Levels that ``names`` leaves out keep theirs.
    """
    rows = [replace(row, level=names.get(row.level, row.level), assessment=None) for row in plan.screws]
    return replace(plan, screws=tuple(sorted(rows, key=lambda row: (position(row.level), row.side))))


def place(
    plan: Plan,
    level: Level,
    side: Side,
    entry_ras: Any,
    tip_ras: Any,
    *,
    catalog: Catalog | None = None,
) -> Plan:
    """The screw from ``entry_ras`` towards ``tip_ras`` (3,) RAS mm, its diameter unchanged.

    The length is the distance of both; with a ``catalog`` the nearest length of that diameter, measured from the entry.

    Raises
    ------
    InputError
        As :func:`move`.
    """
    screw = _editable(plan, level, side)
    entry, tip = _vector(entry_ras), _vector(tip_ras)
    length = float(np.linalg.norm(tip - entry))
    if abs(length - screw.shape.length_mm) < _SAME_LENGTH_MM:
        shape = screw.shape
    else:
        shape = custom_shape(screw.shape.diameter_mm, length, screw.shape)
        # a typed diameter that no catalogue has stays, and so does the length that was dragged
        if catalog is not None and shape.diameter_mm in catalog.diameters(level):
            shape = catalog.snap(level, shape.diameter_mm, length)
    return _changed(plan, level, side, Screw(entry, tip - entry, shape, screw.notes))


def rotate(
    plan: Plan,
    level: Level,
    side: Side,
    vertebra: Vertebra,
    *,
    pta_deg: float | None = None,
    psa_deg: float | None = None,
    about: Pivot = "entry",
) -> Plan:
    """The screw turned to these angles in the vertebra's frame; an angle left out stays as it is.

    Parameters
    ----------
    pta_deg, psa_deg:
        Transverse angle (positive: converging) and projected sagittal angle (positive: cranial).
    about:
        What stays in place: the entry, or the point of the axis nearest to the pedicle's isthmus.

    Raises
    ------
    InputError
        As :func:`move`; also beyond 80 degrees, or about an isthmus that could not be measured.
    """
    screw = _editable(plan, level, side)
    _same_level(vertebra, level)
    now = screw_angles(screw.direction, vertebra.frame, side)
    pta, psa = (old if new is None else new for old, new in ((now.pta, pta_deg), (now.psa, psa_deg)))
    for name, angle in (("PTA", pta), ("PSA", psa)):
        if not abs(angle) <= _STEEPEST_DEG:
            raise InputError(
                f"a {name} of {angle:g} degrees is no pedicle screw; stay within {_STEEPEST_DEG:g} degrees"
            )
    direction = direction_from_angles(pta, psa, vertebra.frame, side)
    depth = 0.0 if about == "entry" else float((_isthmus(vertebra, side) - screw.entry) @ screw.direction)
    entry = screw.entry + depth * (screw.direction - direction)
    return _changed(plan, level, side, replace(screw, entry=entry, direction=direction))


def resize(
    plan: Plan,
    level: Level,
    side: Side,
    *,
    diameter_mm: float | None = None,
    length_mm: float | None = None,
    catalog: Catalog | None = None,
) -> Plan:
    """Another diameter or length, entry and direction unchanged.

    With a ``catalog`` the nearest screw of that level is taken; without, the typed size (item ``"custom"``).
    """
    screw = _editable(plan, level, side)
    diameter = screw.shape.diameter_mm if diameter_mm is None else diameter_mm
    length = screw.shape.length_mm if length_mm is None else length_mm
    shape = custom_shape(diameter, length, screw.shape)
    if catalog is not None:
        shape = catalog.snap(level, diameter, length)
    return _changed(plan, level, side, replace(screw, shape=shape))


def slide(plan: Plan, level: Level, side: Side, deeper_mm: float) -> Plan:
    """The screw pushed along its axis by ``deeper_mm``; negative backs it out."""
    screw = _editable(plan, level, side)
    return move(plan, level, side, deeper_mm * screw.direction)


def shift_entry(
    plan: Plan,
    level: Level,
    side: Side,
    frame: VertebralFrame,
    *,
    right_mm: float = 0.0,
    anterior_mm: float = 0.0,
    superior_mm: float = 0.0,
    hold: Literal["angles", "tip"] = "angles",
) -> Plan:
    """The entry shifted along the vertebra's own axes, holding the angles (the screw goes along) or the tip."""
    shift = frame.axes @ _vector((right_mm, anterior_mm, superior_mm))
    return move(plan, level, side, shift, "screw" if hold == "angles" else "entry")


def add(plan: Plan, level: Level, side: Side, screw: Screw) -> Plan:
    """A screw where the plan has none.

    Raises
    ------
    InputError
        If there is one already: delete it first.
    """
    row = _row(plan, level, side)
    if row is not None and row.screw is not None:
        raise InputError(f"{level.label} {side} has a screw already; delete or move that one")
    return _put(plan, level, side, screw)


def delete(plan: Plan, level: Level, side: Side) -> Plan:
    """The screw taken out; its row stays, not planned, with the reason "deleted by hand"."""
    _editable(plan, level, side)
    return plan.with_screw(PlannedScrew(level, side, reason=DELETED, planned_by="edited"))


def mirror(plan: Plan, level: Level, side: Side, frame: VertebralFrame) -> Plan:
    """The screw of ``side`` mirrored through the vertebra's mid-sagittal plane onto the other side.

    A screw that stands there is replaced, unless it is locked.
    """
    screw = _screw(plan, level, side)
    across = np.diag([-1.0, 1.0, 1.0])
    entry = frame.to_ras(across @ frame.to_local(screw.entry))
    direction = frame.axes @ across @ frame.axes.T @ screw.direction
    other: Side = "left" if side == "right" else "right"
    return _put(plan, level, other, Screw(entry, direction, screw.shape))


def copy_to(plan: Plan, side: Side, source: Vertebra, target: Vertebra) -> Plan:
    """The screw of ``source`` copied to the same side of ``target``, standing there as it stands here.

    The angles in the vertebra's own frame and the place relative to the pedicle's isthmus are kept; where an isthmus
    was not measured, the place relative to the body's centre. A screw that stands there is replaced, unless locked.
    """
    screw = _screw(plan, source.level, side)
    here, there = source.frame.origin, target.frame.origin
    if side in source.pedicles and side in target.pedicles:
        here, there = source.pedicles[side].isthmus, target.pedicles[side].isthmus
    turn = target.frame.axes @ source.frame.axes.T
    return _put(
        plan, target.level, side, Screw(there + turn @ (screw.entry - here), turn @ screw.direction, screw.shape)
    )


def set_locked(plan: Plan, level: Level, side: Side, locked: bool = True) -> Plan:
    """The row locked against edits, or unlocked; nothing else of it changes."""
    return plan.with_screw(replace(plan.get(level, side), locked=locked))


def set_reviewed(plan: Plan, level: Level, side: Side, reviewed: bool = True) -> Plan:
    """The row marked as looked at by a person; the next edit clears the mark."""
    return plan.with_screw(replace(plan.get(level, side), reviewed=reviewed))


def _row(plan: Plan, level: Level, side: Side) -> PlannedScrew | None:
    return next((row for row in plan.screws if row.key == (level, side)), None)


def _screw(plan: Plan, level: Level, side: Side) -> Screw:
    row = plan.get(level, side)
    if row.screw is None:
        raise InputError(f"{level.label} {side} has no screw ({row.reason}); add one first")
    return row.screw


def _editable(plan: Plan, level: Level, side: Side) -> Screw:
    _refuse_locked(plan.get(level, side))
    return _screw(plan, level, side)


def _refuse_locked(row: PlannedScrew | None) -> None:
    if row is not None and row.locked:
        raise InputError(f"{row.level.label} {row.side} is locked; unlock it to change it")


def _put(plan: Plan, level: Level, side: Side, screw: Screw) -> Plan:
    """A new screw in this row, in place of whatever it held."""
    _refuse_locked(_row(plan, level, side))
    return plan.with_screw(PlannedScrew(level, side, screw, planned_by="edited"))


def _changed(plan: Plan, level: Level, side: Side, screw: Screw) -> Plan:
    """The row with the screw as edited; what was said about it as it stood before no longer holds."""
    row = plan.get(level, side)
    return plan.with_screw(replace(row, screw=screw, assessment=None, reviewed=False, planned_by="edited", notes=()))


def _isthmus(vertebra: Vertebra, side: Side) -> Floats:
    if side not in vertebra.pedicles:
        why = vertebra.missing.get(side, "it was not measured")
        raise InputError(f"{vertebra.level.label} {side} has no isthmus to turn about ({why}); turn about the entry")
    return vertebra.pedicles[side].isthmus


def _same_level(vertebra: Vertebra, level: Level) -> None:
    if vertebra.level is not level:
        raise InputError(f"the frame of {vertebra.level.label} was given for a screw in {level.label}")


def _vector(values: Any) -> Floats:
    vector = np.asarray(values, dtype=np.float64)
    if vector.shape != (3,) or not np.isfinite(vector).all():
        raise InputError("a shift needs three finite numbers in mm")
    return vector
