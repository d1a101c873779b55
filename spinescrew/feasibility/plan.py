"""The suggested corridors of C2 as screws of a plan, so that they can be shown, dragged and graded as any other."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import SIDES, Side, VertebralFrame, screw_angles, side_sign
from spinescrew.anatomy.levels import Level
from spinescrew.anatomy.pedicle import ASSUMED_WALLS_MM
from spinescrew.anatomy.vertebra import Pedicle, Spine, Vertebra
from spinescrew.feasibility.measures import STRETCH, PedicleMeasures
from spinescrew.geometry.rays import exit_distance
from spinescrew.geometry.sdf import SignedDistance
from spinescrew.geometry.vectors import unit
from spinescrew.geometry.volume import Volume
from spinescrew.implants.screw import Screw
from spinescrew.planning.options import PlanningOptions
from spinescrew.planning.plan import Plan, PlannedScrew
from spinescrew.planning.planner import grade_plan, input_hash

Floats = NDArray[np.float64]

_REACH_MM, _BRIDGE_MM = 60.0, 3.0
_MISSING = {
    "canal": "the canal of C2 is not outlined",
    "facet left": "the joint of C1 and C2 is not outlined",
    "facet right": "the joint of C1 and C2 is not outlined",
}


def c2_spine(
    labels: Volume,
    ct: Volume | None,
    bone: SignedDistance,
    frame: VertebralFrame,
    measures: Mapping[Side, PedicleMeasures],
) -> Spine:
    """C2 alone as a spine that planning and grading work on.

    Parameters
    ----------
    labels:
        VerSe ids; other vertebrae in it are not used.
    bone, frame, measures:
        As measured; a side whose isthmus is not in bone has no pedicle, and its reason is told.
    """
    pedicles: dict[Side, Pedicle] = {}
    missing = dict(_MISSING)
    for side in SIDES:
        if measures[side].outer_width_mm > 0.0:
            pedicles[side] = _pedicle(bone, frame, measures[side])
        else:
            missing[side] = f"the {side} pedicle of C2 is absent: no bone joins arch and body"
    vertebra = Vertebra(Level.C2, bone, frame, pedicles, missing=missing, interpedicular_mm=_between(measures))
    return Spine({Level.C2: vertebra}, labels, ct)


def c2_plan(spine: Spine, measures: Mapping[Side, PedicleMeasures], diameter_mm: float = 3.5) -> Plan:
    """One screw of this diameter per side along its corridor, graded; the reason where no screw passes.

    The screw is the longest of the catalogue that stays in the corridor and fills at most 80 % of the channel.
    """
    options = PlanningOptions(trajectory="anatomic")
    plan = Plan(
        parameters={**options.to_dict(), "diameter_mm": diameter_mm},
        input_hash=input_hash(spine),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    for side in SIDES:
        plan = plan.with_screw(_row(spine, measures[side], diameter_mm, options))
    return grade_plan(plan, spine, options.grading)


def _row(spine: Spine, measures: PedicleMeasures, diameter_mm: float, options: PlanningOptions) -> PlannedScrew:
    corridor = measures.corridors[diameter_mm]
    if corridor.length_mm == 0.0:
        why = f"no {diameter_mm:g} mm screw passes: the best one leaves the bone by {corridor.breach_mm:.1f} mm"
        return PlannedScrew(Level.C2, measures.side, reason=why)
    direction = unit(corridor.tip - corridor.entry)
    channel = _channel(spine.vertebrae[Level.C2].bone, measures.isthmus, direction, corridor.entry)
    longest = min(corridor.length_mm, channel * options.depth_percent / 100.0)
    lengths = options.catalog.lengths(Level.C2, diameter_mm)
    fitting = [length for length in lengths if length <= longest]
    if not fitting:
        why = f"the corridor is {longest:.0f} mm long: too short for the shortest catalogue screw ({lengths[0]:g} mm)"
        return PlannedScrew(Level.C2, measures.side, reason=why)
    shape = options.catalog.shape(Level.C2, diameter_mm, fitting[-1])
    return PlannedScrew(Level.C2, measures.side, Screw(corridor.entry, direction, shape))


def _pedicle(bone: SignedDistance, frame: VertebralFrame, measures: PedicleMeasures) -> Pedicle:
    """The measures in the words of the other levels; grading ends where the stretch that counts at C2 does."""
    best = measures.corridors[min(measures.corridors)]
    axis = unit(best.tip - best.entry)
    medial = -side_sign(measures.side) * frame.right
    behind = float((measures.isthmus - best.entry) @ axis)
    angles = screw_angles(axis, frame, measures.side)
    measured = bool(np.isfinite(measures.inner_width_mm))
    assumed = measures.outer_width_mm - ASSUMED_WALLS_MM[0]
    return Pedicle(
        side=measures.side,
        isthmus=measures.isthmus,
        axis=axis,
        medial=unit(medial - (medial @ axis) * axis),
        width_mm=measures.outer_width_mm,
        height_mm=measures.height_mm,
        inner_width_mm=measures.inner_width_mm if measured else max(assumed, 0.0),
        inner_height_mm=max(measures.height_mm - ASSUMED_WALLS_MM[1], 0.0),
        inner_source="ct" if measured else "assumed walls",
        junction_mm=STRETCH.ahead_mm,
        dorsal_mm=-behind,
        chord_mm=_channel(bone, measures.isthmus, axis, best.entry),
        pta_deg=angles.pta,
        psa_deg=angles.psa,
        notes=measures.notes,
    )


def _channel(bone: SignedDistance, isthmus: Floats, direction: Floats, entry: Floats) -> float:
    """Length in mm from ``entry`` along ``direction`` to the cortex in front of the isthmus."""
    behind = float((isthmus - entry) @ direction)
    ahead = exit_distance(bone, entry + behind * direction, direction, _REACH_MM, _BRIDGE_MM)[0]
    return behind + float(min(ahead, _REACH_MM))


def _between(measures: Mapping[Side, PedicleMeasures]) -> float:
    """Distance of the pedicles' medial walls at the isthmus, mm."""
    left, right = (measures[side] for side in SIDES)
    apart = float(np.linalg.norm(left.isthmus - right.isthmus))
    return apart - 0.5 * (left.outer_width_mm + right.outer_width_mm)
