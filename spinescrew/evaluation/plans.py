"""Plans against reference screws, and plans as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from spinescrew.anatomy.frame import Side
from spinescrew.anatomy.levels import Level
from spinescrew.anatomy.vertebra import Spine
from spinescrew.evaluation.screws import ScrewDifference, compare
from spinescrew.implants.screw import Screw
from spinescrew.planning.plan import Key, Plan


@dataclass(frozen=True)
class PlanComparison:
    """One plan beside its references: differences by (level, side), and what only one of them has."""

    differences: dict[Key, ScrewDifference]
    unplanned: tuple[Key, ...]


def compare_plan(plan: Plan, references: Mapping[tuple[Level, Side], Screw], spine: Spine) -> PlanComparison:
    """Pair screws by level and side and measure each pair in the vertebra's own frame."""
    found: dict[Key, ScrewDifference] = {}
    unplanned = []
    rows = {row.key: row for row in plan.screws}
    for key, reference in references.items():
        row = rows.get(key)
        if row is None or row.screw is None or key[0] not in spine.vertebrae:
            unplanned.append(key)
            continue
        found[key] = compare(row.screw, reference, spine.vertebrae[key[0]].frame, key[1])
    return PlanComparison(found, tuple(unplanned))


def summarise(comparisons: Sequence[PlanComparison]) -> dict[str, float]:
    """Mean absolute difference of each measure over all screws (Dice: mean), and the counts behind it."""
    rows = [difference for comparison in comparisons for difference in comparison.differences.values()]
    if not rows:
        return {"screws": 0.0, "unplanned": float(sum(len(c.unplanned) for c in comparisons))}
    table = {
        field.name: float(np.mean([abs(getattr(row, field.name)) for row in rows])) for field in fields(ScrewDifference)
    }
    return {
        "screws": float(len(rows)),
        "unplanned": float(sum(len(c.unplanned) for c in comparisons)),
        **table,
    }


def by_level(comparisons: Sequence[PlanComparison]) -> dict[Level, dict[str, float]]:
    """:func:`summarise` for every level alone."""
    levels = sorted({level for c in comparisons for level, _ in c.differences})
    return {
        level: summarise(
            [PlanComparison({k: d for k, d in c.differences.items() if k[0] is level}, ()) for c in comparisons]
        )
        for level in levels
    }


def markdown_table(plan: Plan) -> str:
    """The screws of a plan as a Markdown table, for people."""
    lines = [
        "| level | side | screw | PTA | PSA | depth % | fill % | GR (range) | margin mm | facet | canal mm | mean HU |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in plan.screws:
        found = row.assessment
        if row.screw is None or found is None:
            lines.append(f"| {row.level.label} | {row.side} | not planned: {row.reason} |||||||||||")
            continue
        span = found.grade_range
        grade = found.gertzbein_robbins if span is None else f"{found.gertzbein_robbins} ({span.best}-{span.worst})"
        cells = [
            row.level.label,
            row.side,
            row.screw.shape.item,
            f"{round(found.pta_deg, 1) + 0.0:.1f}",
            f"{round(found.psa_deg, 1) + 0.0:.1f}",
            _number(found.depth_percent),
            _number(found.fill_percent),
            grade,
            _number(None if found.breach is None else found.breach.margin_mm, 2),
            str(found.facet_grade),
            _number(found.canal_clearance_mm, 1),
            _number(found.mean_hu),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _number(value: float | None, digits: int = 0) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
