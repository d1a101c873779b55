"""A screw on both sides of every level, or the reason why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from spinescrew.anatomy.frame import SIDES, Side
from spinescrew.anatomy.levels import Level
from spinescrew.anatomy.vertebra import Spine
from spinescrew.grading.grade import assess
from spinescrew.grading.options import GradingOptions
from spinescrew.planning.construct import align_heads
from spinescrew.planning.guides import Guide
from spinescrew.planning.options import PlanningOptions
from spinescrew.planning.plan import Key, Plan, PlannedScrew
from spinescrew.planning.search import Choices, choices
from spinescrew.progress import Progress

_TRIED_ROWS = 40


def plan_spine(
    spine: Spine,
    levels: Sequence[Level],
    options: PlanningOptions | None = None,
    progress: Progress | None = None,
    guides: Mapping[Key, Guide] | None = None,
) -> Plan:
    """Plan a pedicle screw on both sides of each level, sized, angled and graded.

    A pedicle that is too narrow, cut off by the image or not visible is not planned, and its row says why.

    Parameters
    ----------
    spine:
        From :func:`spinescrew.anatomy.build.build_spine`.
    levels:
        In any order; the plan is ordered from the head down.
    guides:
        Channels to start from, by pedicle; each row says whether its own was followed.

    Raises
    ------
    Cancelled
        If ``progress`` was asked to stop.
    """
    options = options or PlanningOptions()
    progress = progress or Progress()
    keys = [(level, side) for level in levels for side in SIDES]
    found: dict[Key, Choices] = {}
    rows: dict[Key, PlannedScrew] = {}
    with progress.step("plan the screws", 0.0, 0.7) as part:
        for n, (level, side) in enumerate(keys):
            part.update(n / len(keys), f"corridor of {level.label} {side}")
            reason = refusal(spine, level, side)
            answer = reason or choices(spine.vertebrae[level], side, options, (guides or {}).get((level, side)))
            if isinstance(answer, str):
                rows[level, side] = PlannedScrew(level, side, reason=answer)
            else:
                found[level, side] = answer
        taken = _taken(found, options)
    with progress.step("grade the screws", 0.7, 1.0) as part:
        for n, (key, answer) in enumerate(found.items()):
            part.update(n / max(len(found), 1), f"grade of {key[0].label} {key[1]}")
            rows[key] = _best_graded(spine, answer, taken[key], options)
    plan = Plan(
        parameters=options.to_dict(),
        input_hash=input_hash(spine),
        timings_s=progress.timings_s,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    for key in keys:
        plan = plan.with_screw(rows[key])
    return grade_plan(plan, spine, options.grading)


def refusal(spine: Spine, level: Level, side: Side) -> str:
    """Why nothing can be planned here whatever the rules; empty if something can."""
    if level in spine.skipped:
        return spine.skipped[level]
    vertebra = spine.vertebrae.get(level)
    if vertebra is None:
        return f"{level.label} is not in the label map"
    if vertebra.cut:
        return f"{level.label} is cut by the field of view ({', '.join(vertebra.cut)}): its cortex is not fully visible"
    if side not in vertebra.pedicles:
        return vertebra.missing.get(side, f"the {side} pedicle was not found")
    return ""


def grade_plan(
    plan: Plan, spine: Spine, options: GradingOptions | None = None, progress: Progress | None = None
) -> Plan:
    """The plan with every planned screw assessed against this spine and the plan's other screws.

    A screw at a level that the label map does not hold keeps no assessment and says so in its notes.
    """
    options = options or GradingOptions()
    progress = progress or Progress()
    for n, row in enumerate(plan.planned):
        progress.update(n / max(len(plan.planned), 1), f"grade of {row.level.label} {row.side}")
        if row.level not in spine.vertebrae or row.screw is None:
            note = f"not graded: {row.level.label} is not in the label map"
            notes = row.notes if note in row.notes else (*row.notes, note)
            plan = plan.with_screw(replace(row, assessment=None, notes=notes))
            continue
        others = [other.screw for other in plan.planned if other.key != row.key and other.screw is not None]
        assessment = assess(row.screw, spine, row.level, row.side, others, options)
        plan = plan.with_screw(replace(row, assessment=assessment))
    return plan


def input_hash(spine: Spine) -> dict[str, str | None]:
    """Content hashes by which a plan knows its image again."""
    return {"labels": spine.labels.content_hash(), "ct": None if spine.ct is None else spine.ct.content_hash()}


def _taken(found: dict[Key, Choices], options: PlanningOptions) -> dict[Key, int]:
    """Which row of its choices each screw takes."""
    taken = dict.fromkeys(found, 0)
    if options.align_heads:
        for side in SIDES:
            keys = [key for key in found if key[1] == side]
            taken.update(zip(keys, align_heads([found[key] for key in keys]), strict=True))
    return taken


def _best_graded(spine: Spine, answer: Choices, first: int, options: PlanningOptions) -> PlannedScrew:
    """The taken row, or the next one that the full assessment finds better, should that see a breach."""
    spread = np.linspace(0, len(answer.cost) - 1, min(_TRIED_ROWS, len(answer.cost))).astype(int)
    rows = [first, *(int(row) for row in np.unique(spread) if row != first)]
    best: PlannedScrew | None = None
    least = float("inf")
    plain = PlannedScrew(answer.level, answer.side, notes=answer.notes, led_by=answer.led_by)
    for row in rows:
        screw = answer.screw(row, options)
        assessment = assess(screw, spine, answer.level, answer.side, (), options.grading)
        breach = assessment.breach.margin_mm if assessment.breach is not None else 0.0
        if best is None or breach < least - 1e-9:
            best = replace(plain, screw=screw, assessment=assessment)
            least = breach
        if assessment.gertzbein_robbins == "A":
            return replace(plain, screw=screw, assessment=assessment)
    assert best is not None
    return best
