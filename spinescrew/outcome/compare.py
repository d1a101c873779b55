"""Planned against actual: every screw as it was placed beside the screw that was planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from spinescrew.anatomy.frame import SIDES, Side, screw_angles
from spinescrew.anatomy.levels import Level, position
from spinescrew.anatomy.vertebra import Spine
from spinescrew.errors import InputError
from spinescrew.geometry.vectors import angle_deg
from spinescrew.grading.assessment import Assessment
from spinescrew.grading.grade import assess
from spinescrew.grading.options import GradingOptions
from spinescrew.grading.scales import NOT_GRADABLE, gertzbein_robbins
from spinescrew.implants.screw import Screw
from spinescrew.outcome.shift import Shift
from spinescrew.planning.plan import Key, Plan

Floats = NDArray[np.float64]

FARTHEST_MM = 18.0
"""A placed screw farther from a planned one, in the mean of entry, middle and tip, is not that screw."""

_FAR_FROM_PEDICLE_MM = 25.0


class Found(Protocol):
    """A vertebra that was found where the screws were seen; attributes as of :class:`VertebraFound`."""

    @property
    def pose(self) -> Floats: ...

    @property
    def error_mm(self) -> float: ...

    @property
    def doubts(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, eq=False)
class VertebraFound:
    """How a vertebra of the plan's CT lies where the screws were seen.

    Attributes
    ----------
    pose:
        (4, 4), RAS of the CT to the frame of the placed screws.
    error_mm:
        Expected at the pedicles.
    doubts:
        Why it cannot be trusted; empty if it can be.
    """

    pose: Floats
    error_mm: float = 0.0
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class ScrewOutcome:
    """One screw: planned, placed, or both.

    Attributes
    ----------
    number:
        Of the placed screw, as given; ``None`` if none was found.
    planned, placed:
        Both in RAS of the plan's CT.
    entry, middle, tip:
        From planned to placed; ``None`` unless there are both.
    angle_deg:
        Between the axes.
    pta_deg, psa_deg:
        Placed less planned, in the vertebra's frame.
    length_mm, diameter_mm:
        Placed less planned.
    assessment, planned_assessment:
        Of the screw as placed, and as planned, by the same grading; ``None`` where ``reason`` says why.
    grades:
        Best and worst Gertzbein-Robbins letter of the placed screw within half a voxel and the error of its pose.
    error_mm:
        That the pose of its vertebra adds to every distance.
    reason:
        Why the screw is not compared or not graded; empty if it is.
    """

    level: Level
    side: Side
    number: int | None = None
    planned: Screw | None = None
    placed: Screw | None = None
    entry: Shift | None = None
    middle: Shift | None = None
    tip: Shift | None = None
    angle_deg: float | None = None
    pta_deg: float | None = None
    psa_deg: float | None = None
    length_mm: float | None = None
    diameter_mm: float | None = None
    assessment: Assessment | None = None
    planned_assessment: Assessment | None = None
    grades: tuple[str, str] | None = None
    error_mm: float = 0.0
    reason: str = ""

    @property
    def status(self) -> str:
        """``"compared"``, ``"missing"`` (planned, not found), ``"unplanned"`` (found, not planned)."""
        if self.placed is None:
            return "missing"
        return "unplanned" if self.planned is None else "compared"

    @property
    def grade(self) -> str:
        """Gertzbein-Robbins of the screw as placed."""
        return NOT_GRADABLE if self.assessment is None else self.assessment.gertzbein_robbins

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; lengths in mm, angles in degrees, points in RAS of the plan's CT."""

        def shown(shift: Shift | None) -> dict[str, float] | None:
            return None if shift is None else {name: round(value, 3) for name, value in asdict(shift).items()}

        def ends(screw: Screw | None) -> dict[str, Any] | None:
            if screw is None:
                return None
            shape = screw.shape
            points = {"entry": screw.entry, "tip": screw.tip}
            return {
                **{name: [round(float(value), 3) for value in point] for name, point in points.items()},
                "diameter_mm": round(shape.diameter_mm, 3),
                "length_mm": round(shape.length_mm, 3),
            }

        figures = ("angle_deg", "pta_deg", "psa_deg", "length_mm", "diameter_mm", "error_mm")
        values = {name: getattr(self, name) for name in figures}
        return {
            "level": self.level.name,
            "side": self.side,
            "number": self.number,
            "status": self.status,
            "planned": ends(self.planned),
            "placed": ends(self.placed),
            "entry": shown(self.entry),
            "middle": shown(self.middle),
            "tip": shown(self.tip),
            **{name: None if value is None else round(float(value), 3) for name, value in values.items()},
            "grade": self.grade,
            "grades": None if self.grades is None else list(self.grades),
            "assessment": None if self.assessment is None else self.assessment.to_dict(),
            "planned_assessment": None if self.planned_assessment is None else self.planned_assessment.to_dict(),
            "reason": self.reason,
        }


@dataclass(frozen=True, eq=False)
class Outcome:
    """All screws of one case, from the head down, left before right.

    Attributes
    ----------
    screws:
        One for each planned screw, and one for each placed screw that was not planned.
    unassigned:
        Numbers of placed screws that lie at no pedicle that was found.
    warnings:
        For people to read.
    """

    screws: tuple[ScrewOutcome, ...]
    unassigned: tuple[int, ...] = ()
    warnings: tuple[str, ...] = ()

    def get(self, level: Level, side: Side) -> ScrewOutcome:
        """The first entry of this pedicle; raises :class:`InputError` if there is none."""
        for screw in self.screws:
            if (screw.level, screw.side) == (level, side):
                return screw
        raise InputError(f"nothing was planned or found at {level.label} {side}")

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "screws": [screw.to_dict() for screw in self.screws],
            "unassigned": list(self.unassigned),
            "warnings": list(self.warnings),
        }


def compare(
    planned: Screw,
    placed: Screw,
    spine: Spine,
    level: Level,
    side: Side,
    others: Sequence[Screw] = (),
    *,
    options: GradingOptions | None = None,
    error_mm: float = 0.0,
    doubts: Sequence[str] = (),
    number: int | None = None,
) -> ScrewOutcome:
    """One planned screw beside the same screw as placed, both in RAS of the CT of ``spine``.

    Parameters
    ----------
    others:
        The other screws as placed.
    error_mm:
        By which the place of ``placed`` in its vertebra may be wrong.
    doubts:
        Why that place cannot be trusted: then nothing is graded, and the distances are for orientation only.

    Raises
    ------
    InputError
        If the spine does not hold the level.
    """
    if level not in spine.vertebrae:
        why = spine.skipped.get(level, "it is not in the label map")
        raise InputError(f"{level.label} cannot be compared: {why}; choose a level that is in view")
    frame = spine.vertebrae[level].frame
    before, after = (screw_angles(screw.direction, frame, side) for screw in (planned, placed))
    pairs = [(planned.entry, placed.entry), (_middle(planned), _middle(placed)), (planned.tip, placed.tip)]
    entry, middle, tip = (Shift.between(one, other, frame, side) for one, other in pairs)
    outcome = ScrewOutcome(
        level,
        side,
        number,
        planned,
        placed,
        entry,
        middle,
        tip,
        angle_deg=angle_deg(planned.direction, placed.direction),
        pta_deg=after.pta - before.pta,
        psa_deg=after.psa - before.psa,
        length_mm=placed.shape.length_mm - planned.shape.length_mm,
        diameter_mm=placed.shape.diameter_mm - planned.shape.diameter_mm,
        planned_assessment=assess(planned, spine, level, side, (), options),
        error_mm=error_mm,
    )
    return _graded(outcome, spine, others, options, doubts)


def compare_plan(
    plan: Plan,
    placed: Mapping[int, Screw],
    vertebrae: Mapping[Level, Found],
    spine: Spine,
    *,
    options: GradingOptions | None = None,
) -> Outcome:
    """Every screw of a plan beside the screws that were found.

    Placed and planned screws are matched by their distances, each in its own vertebra; what was planned and not found,
    and what was found and not planned, is told.

    Parameters
    ----------
    placed:
        By number, in the frame in which they were seen.
    vertebrae:
        Where each vertebra lies in that frame.
    """
    options = options or GradingOptions()
    rows = [row for row in plan.planned if row.level in vertebrae and row.level in spine.vertebrae]
    pairs = match_to_plan({row.key: row.screw for row in rows if row.screw is not None}, placed, vertebrae)
    taken = {number: key for key, number in pairs.items()}
    homes = {number: taken.get(number) or _home(screw, vertebrae, spine) for number, screw in placed.items()}
    brought = {
        number: brought_to_ct(placed[number], vertebrae[key[0]].pose)
        for number, key in homes.items()
        if key is not None
    }
    found, warnings = [], []
    for row in plan.planned:
        assert row.screw is not None
        number = pairs.get(row.key)
        if number is None:
            why = "no screw was found there" if row in rows else f"{row.level.name} was not found in the images"
            found.append(ScrewOutcome(row.level, row.side, planned=row.screw, reason=why))
            continue
        others = [screw for other, screw in brought.items() if other != number]
        home = vertebrae[row.level]
        found.append(
            compare(row.screw, brought[number], spine, row.level, row.side, others, options=options,
                    error_mm=home.error_mm, doubts=home.doubts, number=number)
        )  # fmt: skip
    for number, key in homes.items():
        if key is not None and number not in taken:
            others = [screw for other, screw in brought.items() if other != number]
            home = vertebrae[key[0]]
            outcome = ScrewOutcome(*key, number, placed=brought[number], error_mm=home.error_mm)
            found.append(_graded(outcome, spine, others, options, home.doubts))
    unassigned = tuple(number for number, key in homes.items() if key is None)
    if unassigned:
        names = ", ".join(str(number) for number in unassigned)
        warnings.append(f"screw {names}: at no pedicle of the vertebrae that were found; register more levels")
    found.sort(key=lambda each: (position(each.level), each.side, each.planned is None))
    return Outcome(tuple(found), unassigned, tuple(warnings))


def match_to_plan(
    planned: Mapping[Key, Screw], placed: Mapping[int, Screw], vertebrae: Mapping[Level, Found]
) -> dict[Key, int]:
    """Which placed screw is which planned one: the pairs that are nearest in all, none farther than 18 mm.

    Distances are means over entry, middle and tip, in the vertebra of the planned screw.
    """
    keys, numbers = list(planned), list(placed)
    if not keys or not numbers:
        return {}
    costs = np.array(
        [[_apart(planned[key], brought_to_ct(placed[n], vertebrae[key[0]].pose)) for n in numbers] for key in keys]
    )
    rows, columns = linear_sum_assignment(np.minimum(costs, FARTHEST_MM))
    return {
        keys[row]: numbers[column]
        for row, column in zip(rows, columns, strict=True)
        if costs[row, column] < FARTHEST_MM
    }


def brought_to_ct(screw: Screw, pose: Any) -> Screw:
    """A screw seen in the frame of the views, in RAS of the CT; ``pose`` (4, 4) leads from the CT to that frame."""
    matrix = np.asarray(pose, dtype=np.float64)
    turn = matrix[:3, :3]
    return replace(screw, entry=(screw.entry - matrix[:3, 3]) @ turn, direction=screw.direction @ turn)


def _middle(screw: Screw) -> Floats:
    return np.asarray((screw.entry + screw.tip) / 2)


def _apart(first: Screw, second: Screw) -> float:
    gaps = [first.entry - second.entry, _middle(first) - _middle(second), first.tip - second.tip]
    return float(np.mean(np.linalg.norm(gaps, axis=1)))


def _home(screw: Screw, vertebrae: Mapping[Level, Found], spine: Spine) -> Key | None:
    """The pedicle that an unplanned screw passes nearest; ``None`` if it passes none."""
    best: tuple[float, Key] | None = None
    for level, found in vertebrae.items():
        vertebra = spine.vertebrae.get(level)
        if vertebra is None:
            continue
        own = brought_to_ct(screw, found.pose)
        for side in SIDES:
            if side not in vertebra.pedicles:
                continue
            arm = vertebra.pedicles[side].isthmus - own.entry
            along = float(np.clip(arm @ own.direction, 0.0, own.shape.length_mm))
            gap = float(np.linalg.norm(arm - along * own.direction))
            if gap < _FAR_FROM_PEDICLE_MM and (best is None or gap < best[0]):
                best = gap, (level, side)
    return None if best is None else best[1]


def _graded(
    outcome: ScrewOutcome,
    spine: Spine,
    others: Sequence[Screw],
    options: GradingOptions | None,
    doubts: Sequence[str],
) -> ScrewOutcome:
    if doubts:
        return replace(outcome, reason=f"not gradable: {'; '.join(doubts)}")
    assert outcome.placed is not None
    options = options or GradingOptions()
    found = assess(outcome.placed, spine, outcome.level, outcome.side, others, options)
    if found.breach is None or found.grade_range is None:
        return replace(outcome, assessment=found, reason=found.reasons.get("gertzbein_robbins", ""))
    doubt = found.grade_range.half_voxel_mm + outcome.error_mm
    best, worst = (
        gertzbein_robbins(max(found.breach.margin_mm + sign * doubt, 0.0), options.inclusive) for sign in (-1.0, 1.0)
    )
    return replace(outcome, assessment=found, grades=(best, worst))
