"""The suggested corridors of a C2 assessment as screws in a scene, to be grabbed and graded as any other."""

from __future__ import annotations

from typing import Any

from spinescrew.anatomy.levels import Level
from spinescrew.anatomy.vertebra import Spine
from spinescrew.feasibility.assessment import C2Assessment
from spinescrew.feasibility.plan import c2_plan, c2_spine
from spinescrew.feasibility.wording import percent
from spinescrew.planning.plan import Plan, PlannedScrew
from spinescrew.scene.host import Host
from spinescrew.scene.look import PLAIN, Look
from spinescrew.scene.open_case import OpenCase
from spinescrew.scene.store import C2_PLAN


def suggested_plan(assessment: C2Assessment) -> tuple[Plan, Spine]:
    """A screw along the corridor of each side that may take one; where the answer is no, the row says why."""
    measures = {side: found.measures for side, found in assessment.sides.items()}
    spine = c2_spine(assessment.labels, assessment.ct, assessment.bone, assessment.frame, measures)
    plan = c2_plan(spine, measures, assessment.screw_mm)
    for side, found in assessment.sides.items():
        if found.verdict == "not feasible" and plan.get(Level.C2, side).screw is not None:
            reason = f"the chance of a {assessment.screw_mm:g} mm screw is {percent(found.probability)} %"
            plan = plan.with_screw(PlannedScrew(Level.C2, side, reason=reason))
    return plan, spine


def open_screws(
    scene: Any, assessment: C2Assessment, ct_node: Any = None, host: Host | None = None, look: Look = PLAIN
) -> OpenCase:
    """Put :func:`suggested_plan` under edit, beside whatever other plan the scene holds."""
    plan, spine = suggested_plan(assessment)
    case = OpenCase(scene, plan, spine, automatic=plan, ct_node=ct_node, host=host, look=look, kind=C2_PLAN)
    planned = plan.planned
    if planned:
        case.session.select(planned[0].key)
    return case
