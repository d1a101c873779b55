"""What a person can do to the screw in hand, each as one named step of a session; windows only call these."""

from __future__ import annotations

from typing import Literal

from spinescrew.anatomy.frame import Side
from spinescrew.anatomy.vertebra import Vertebra
from spinescrew.errors import InputError
from spinescrew.planning import adjust, edits
from spinescrew.planning.adjust import Figures, figures
from spinescrew.planning.plan import Key, Plan, PlannedScrew
from spinescrew.planning.session import Session

Figure = Literal["pta_deg", "psa_deg", "diameter_mm", "length_mm", "seating_mm", "lateral_mm", "cranial_mm"]
Pivot = Literal["entry", "isthmus"]

RANGES: dict[Figure, tuple[float, float, float]] = {
    "pta_deg": (-30.0, 60.0, 0.5),
    "psa_deg": (-45.0, 45.0, 0.5),
    "diameter_mm": (3.0, 10.5, 0.5),
    "length_mm": (15.0, 120.0, 1.0),
    "seating_mm": (-20.0, 20.0, 0.5),
    "lateral_mm": (-15.0, 15.0, 0.5),
    "cranial_mm": (-15.0, 15.0, 0.5),
}
"""Lowest, highest and usual step of each figure on a slider."""

_NAMES: dict[Figure, str] = {
    "pta_deg": "PTA",
    "psa_deg": "PSA",
    "diameter_mm": "diameter",
    "length_mm": "length",
    "seating_mm": "depth",
    "lateral_mm": "entry",
    "cranial_mm": "entry",
}


def in_hand(session: Session) -> PlannedScrew | None:
    """The selected row, if it has a screw."""
    key = session.selected
    return next((row for row in session.plan.planned if row.key == key), None)


def read(session: Session) -> Figures | None:
    """The figures of the screw in hand; ``None`` without one, or where its vertebra is not measured."""
    row = in_hand(session)
    if row is None or row.level not in session.spine.vertebrae:
        return None
    return figures(row, session.spine.vertebrae[row.level], _reference(session, row.key))


def set_figure(session: Session, figure: Figure, value: float, pivot: Pivot = "entry") -> Plan:
    """One figure of the screw in hand; a run of changes of the same figure is one step.

    Sizes go to the nearest screw of the catalogue while the session snaps.

    Raises
    ------
    InputError
        If nothing is selected, the screw is locked, or the figure is beyond what there is.
    """
    row, vertebra = _held(session)
    level, side = row.key
    catalog = session.catalog if session.snap else None

    def function(plan: Plan) -> Plan:
        if figure == "pta_deg":
            return edits.rotate(plan, level, side, vertebra, pta_deg=value, about=pivot)
        if figure == "psa_deg":
            return edits.rotate(plan, level, side, vertebra, psa_deg=value, about=pivot)
        if figure == "diameter_mm":
            return adjust.set_size(plan, level, side, diameter_mm=value, catalog=catalog)
        if figure == "length_mm":
            return adjust.set_size(plan, level, side, length_mm=value, catalog=catalog)
        if figure == "seating_mm":
            return adjust.set_seating(plan, level, side, session.spine, value)
        reference = _reference(session, row.key) or row
        lateral, cranial = (value, None) if figure == "lateral_mm" else (None, value)
        return adjust.set_entry_shift(
            plan, level, side, vertebra.frame, reference, lateral_mm=lateral, cranial_mm=cranial
        )

    return session.edit(f"{_NAMES[figure]} of {_text(row)}", function, merge=True)


def nudge(session: Session, *, left_mm: float = 0.0, cranial_mm: float = 0.0, forward_mm: float = 0.0) -> Plan:
    """The whole screw in hand a little towards the patient's left, the head, or forward along its axis.

    Left and cranial are those of its vertebra; a run of nudges is one step.
    """
    row, vertebra = _held(session)
    assert row.screw is not None
    frame = vertebra.frame
    shift = -left_mm * frame.right + cranial_mm * frame.superior + forward_mm * row.screw.direction
    return session.edit(f"nudge {_text(row)}", lambda plan: edits.move(plan, row.level, row.side, shift), merge=True)


def turn(session: Session, *, pta_deg: float = 0.0, psa_deg: float = 0.0, pivot: Pivot = "entry") -> Plan:
    """The screw in hand turned by so many degrees; a run of turns is one step."""
    found = read(session)
    if found is None:
        _held(session)
        raise InputError("this screw cannot be turned")
    if pta_deg:
        set_figure(session, "pta_deg", found.pta_deg + pta_deg, pivot)
    if psa_deg:
        set_figure(session, "psa_deg", found.psa_deg + psa_deg, pivot)
    return session.plan


def step_size(session: Session, figure: Literal["diameter_mm", "length_mm"], step: int) -> Plan:
    """The next longer or thicker screw (``step`` -1: shorter, thinner) of the catalogue, or of the slider's steps."""
    row, _vertebra = _held(session)
    assert row.screw is not None
    shape = row.screw.shape
    now = shape.diameter_mm if figure == "diameter_mm" else shape.length_mm
    if not session.snap:
        return set_figure(session, figure, now + step * RANGES[figure][2])
    catalog = session.catalog
    sizes = catalog.diameters(row.level) if figure == "diameter_mm" else catalog.lengths(row.level, shape.diameter_mm)
    further = [size for size in sizes if (size - now) * step > 1e-6]
    if not further:
        raise InputError(f"the catalogue has no {_NAMES[figure]} {'above' if step > 0 else 'below'} {now:g} mm here")
    return set_figure(session, figure, min(further, key=lambda size: abs(size - now)))


def mirror(session: Session) -> Plan:
    """The screw in hand copied to the other side, mirrored; it is selected then."""
    row, vertebra = _held(session)
    other: Side = "left" if row.side == "right" else "right"
    name = f"mirror {_text(row)}"
    plan = session.edit(name, lambda plan: edits.mirror(plan, row.level, row.side, vertebra.frame))
    session.select((row.level, other))
    return plan


def copy_to_next(session: Session, step: int = 1) -> Plan:
    """The screw in hand copied to the level below (``step`` -1: above), standing there as here; it is selected then."""
    row, vertebra = _held(session)
    target = session.spine.below(row.level) if step > 0 else session.spine.above(row.level)
    if target is None:
        raise InputError(f"there is no vertebra {'below' if step > 0 else 'above'} {row.level.label} to copy to")
    name = f"copy {_text(row)} to {target.level.name}"
    plan = session.edit(name, lambda plan: edits.copy_to(plan, row.side, vertebra, target))
    session.select((target.level, row.side))
    return plan


def delete(session: Session) -> Plan:
    """The screw in hand taken out; the next one is selected."""
    row = _row(session)
    plan = session.edit(f"delete {_text(row)}", lambda plan: edits.delete(plan, row.level, row.side))
    session.select_next()
    return plan


def restore(session: Session) -> Plan:
    """The screw in hand, or a deleted one that is selected, as the planner had placed it."""
    if session.selected is None:
        raise InputError("select a screw first")
    return session.restore_automatic(session.selected)


def set_locked(session: Session, locked: bool) -> Plan:
    """Lock or unlock the screw in hand."""
    row = _row(session)
    name = f"{'lock' if locked else 'unlock'} {_text(row)}"
    return session.edit(name, lambda plan: edits.set_locked(plan, row.level, row.side, locked))


def set_reviewed(session: Session, reviewed: bool) -> Plan:
    """Mark the screw in hand as looked at; any change of it clears the mark.

    Raises
    ------
    InputError
        If its grade is not current: what nobody could see is not reviewed.
    """
    row = _row(session)
    if reviewed and row.level in session.stale:
        raise InputError(f"the grade of {_text(row)} is being made anew; review it then")
    name = f"{'reviewed' if reviewed else 'not reviewed'}: {_text(row)}"
    return session.edit(name, lambda plan: edits.set_reviewed(plan, row.level, row.side, reviewed))


def _reference(session: Session, key: Key) -> PlannedScrew | None:
    row = next((row for row in session.automatic.screws if row.key == key), None)
    return row if row is not None and row.screw is not None else None


def _row(session: Session) -> PlannedScrew:
    row = in_hand(session)
    if row is None:
        raise InputError("no screw is selected; select one in the list or grab its handle")
    return row


def _held(session: Session) -> tuple[PlannedScrew, Vertebra]:
    row = _row(session)
    if row.level not in session.spine.vertebrae:
        raise InputError(f"{row.level.label} could not be measured; its screw can only be dragged")
    return row, session.spine.vertebrae[row.level]


def _text(row: PlannedScrew) -> str:
    return f"{row.level.name} {row.side}"
