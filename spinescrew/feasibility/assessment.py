"""Can each C2 pedicle of a CT take a screw: the network's probability, the geometry beside it, and the ways out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import SIDES, Side, VertebralFrame
from spinescrew.anatomy.levels import Level
from spinescrew.errors import InputError
from spinescrew.feasibility.attention import attention
from spinescrew.feasibility.axis_frame import axis_frame
from spinescrew.feasibility.find import FoundAxis, find_axis, unavailable
from spinescrew.feasibility.joint import OTHER_NETWORK, UNMEASURED, Answer, Logit, answer, load_join
from spinescrew.feasibility.judge import FEASIBLE, Judgement, judge, load_judge
from spinescrew.feasibility.measures import Corridor, PedicleMeasures, measure_pedicle
from spinescrew.feasibility.pose import PediclePose
from spinescrew.feasibility.surface import fuse, on_grid
from spinescrew.feasibility.ways_out import ways_out
from spinescrew.feasibility.wording import percent
from spinescrew.geometry.sdf import SignedDistance
from spinescrew.geometry.volume import Volume
from spinescrew.progress import Progress
from spinescrew.segmentation import check_image

Verdict = Literal["feasible", "not feasible", "unsure"]

SCREW_MM = 3.5
CUT_OFF_MM = 4.78
"""Minimum pediculoisthmic diameter above which a 3.5 mm screw fits (JOSR 2023, 152 patients, printed bones)."""

WALL_MM = 0.64
"""With this wall at its worst a corridor keeps half a millimetre in half of the screws of the imitated hand."""

_UNSURE = (0.3, 0.7)
_PEDICLE_VALUES: dict[Side, int] = {"left": 1, "right": 2}


@dataclass(frozen=True, eq=False)
class SideAssessment:
    """One pedicle.

    Attributes
    ----------
    probability, low, high:
        That the pedicle is feasible (more than half of the 3.5 mm screws of an imitated hand stay inside), calibrated,
        by network, width and corridor together; and how far the answer moves when the network looks from slightly
        different boxes and the surface measured on is off by as much as usual.
    network:
        The network's own probability, without the measures.
    joined:
        False where nothing could be measured: the network alone speaks then.
    verdict:
        ``"unsure"`` where the probability lies near one half or the answer depends on the box.
    measures:
        Geometry, made without the network's judgement.
    ways_out:
        Corridors of the pars and of the lamina, where the pedicle is not plainly feasible.
    disagreement:
        What network and geometry say differently, in a sentence; empty where they agree.
    attention:
        0..1 on the pedicle's box.
    """

    side: Side
    probability: float
    low: float
    high: float
    network: float
    joined: bool
    verdict: Verdict
    pose: PediclePose
    measures: PedicleMeasures
    ways_out: tuple[Corridor, ...]
    disagreement: str
    attention: Volume


@dataclass(frozen=True, eq=False)
class C2Assessment:
    """Both pedicles of C2 in one CT.

    Attributes
    ----------
    labels, pedicles, attention:
        On the grid of ``ct``: VerSe id 2 where C2 is; left pedicle 1, right 2; attention 0..1.
    bone:
        Signed distance (mm, negative inside) to the cortex of C2.
    seconds:
        Time of each step.
    """

    ct: Volume
    labels: Volume
    pedicles: Volume
    attention: Volume
    bone: SignedDistance
    frame: VertebralFrame
    sides: dict[Side, SideAssessment]
    provenance: str
    warnings: tuple[str, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    screw_mm: float = SCREW_MM
    threshold: float = FEASIBLE


def assess_c2(ct: Volume, *, device: str = "auto", progress: Progress | None = None) -> C2Assessment:
    """Judge and measure both C2 pedicles of a CT (HU).

    Raises
    ------
    InputError
        If it is no CT, no whole C2 is in view, metal lies in it, or a model is missing; the message says which.
    Cancelled
        If ``progress`` was asked to stop.

    Examples
    --------
    >>> found = assess_c2(read_image("neck.nii.gz"))  # doctest: +SKIP
    >>> found.sides["left"].probability  # doctest: +SKIP
    0.97
    """
    if problem := unavailable():
        raise InputError(problem)
    progress = progress or Progress()
    with progress.step("check the image", 0.0, 0.05):
        warnings = [warning.text for warning in check_image(ct, head=True)]
    with progress.step("find C2", 0.05, 0.35) as part:
        found = find_axis(ct, device, part)
    model, card = load_judge(device)
    join = load_join(card.sha256)
    if join is None:
        warnings.append(OTHER_NETWORK)
    judgements: dict[Side, Judgement] = {}
    with progress.step("judge both pedicles", 0.35, 0.65) as part:
        for n, side in enumerate(SIDES):
            part.update(n / 2, f"{side} pedicle")
            judgements[side] = judge(model, ct, found.poses[side], device)
    with progress.step("attention", 0.65, 0.75):
        looked = {side: attention(model, ct, found.poses[side], device) for side in SIDES}
    with progress.step("measure", 0.75, 1.0) as part:
        whole = put_together(ct, found, judgements, looked, card.provenance, part, join)
    return replace(whole, warnings=tuple(warnings), seconds=dict(progress.timings_s))


def put_together(
    ct: Volume,
    found: FoundAxis,
    judgements: dict[Side, Judgement],
    looked: dict[Side, Volume],
    provenance: str,
    progress: Progress | None = None,
    join: Logit | None = None,
) -> C2Assessment:
    """Measures, answers, ways out and volumes on the CT's grid, from what the networks said.

    Without a ``join`` the networks' own probabilities are the answers.
    """
    progress = progress or Progress()
    bone = fuse(found.share, judgements.values())
    frame = axis_frame(found.share.with_array(found.share.array > 0.5), found.poses)
    sides: dict[Side, SideAssessment] = {}
    for n, side in enumerate(SIDES):
        progress.update(n / 2, f"{side} pedicle")
        sides[side] = _side(judgements[side], looked[side], bone, frame, found, ct, join)
    return C2Assessment(
        ct=ct,
        labels=ct.with_array(_labels(bone, ct)),
        pedicles=ct.with_array(_pedicles(judgements, ct)),
        attention=ct.with_array(np.maximum(*(on_grid(looked[side], ct, 0.0) for side in SIDES))),
        bone=bone,
        frame=frame,
        sides=sides,
        provenance=provenance,
    )


def _side(
    found: Judgement,
    looked: Volume,
    bone: SignedDistance,
    frame: VertebralFrame,
    axis: FoundAxis,
    ct: Volume,
    join: Logit | None,
) -> SideAssessment:
    pose = found.pose
    measures = measure_pedicle(bone, pose, frame, ct=ct)
    own = answer(found, measures.outer_width_mm, measures.corridors[SCREW_MM].margin_mm, float(ct.spacing.max()), join)
    if join is not None and not own.joined:
        measures = replace(measures, notes=(*measures.notes, UNMEASURED))
    verdict = _verdict(own)
    ways: tuple[Corridor, ...] = ()
    if verdict != "feasible":
        ways, missing = ways_out(bone, pose, frame, axis.poses)
        measures = replace(measures, notes=(*measures.notes, *missing))
    return SideAssessment(
        side=pose.side,
        probability=own.probability,
        low=own.low,
        high=own.high,
        network=found.probability,
        joined=own.joined,
        verdict=verdict,
        pose=pose,
        measures=measures,
        ways_out=ways,
        disagreement=disagreement(found.probability, measures),
        attention=looked,
    )


def _verdict(found: Answer) -> Verdict:
    if _UNSURE[0] < found.probability < _UNSURE[1] or found.low < FEASIBLE < found.high:
        return "unsure"
    return "feasible" if found.probability >= FEASIBLE else "not feasible"


def disagreement(probability: float, measures: PedicleMeasures) -> str:
    """What the network, by its own ``probability``, and the geometry say differently of a pedicle; empty if nothing."""
    corridor = measures.corridors[SCREW_MM]
    yes = probability >= FEASIBLE
    width, wall = measures.outer_width_mm, corridor.margin_mm
    against = []
    if (width > CUT_OFF_MM) != yes:
        against.append(f"the width of {width:.1f} mm ({'above' if width > CUT_OFF_MM else 'at most'} {CUT_OFF_MM} mm)")
    if (wall >= WALL_MM) != yes:
        against.append(f"the corridor's wall of {wall:.1f} mm ({WALL_MM} mm are needed)")
    if not against:
        return ""
    said = "holds a screw" if yes else "holds none"
    return (
        f"the network says that the pedicle {said} ({percent(probability)} %), against {' and '.join(against)}: look "
        "at the slices before deciding"
    )


def _labels(bone: SignedDistance, ct: Volume) -> NDArray[np.uint8]:
    inside = on_grid(bone.volume, ct, 10.0) < 0.0
    return np.where(inside, Level.C2.value, 0).astype(np.uint8)


def _pedicles(judgements: dict[Side, Judgement], ct: Volume) -> NDArray[np.uint8]:
    out = np.zeros(ct.shape, np.uint8)
    for side, found in judgements.items():
        out[on_grid(found.part, ct, 0.0) > 0.5] = _PEDICLE_VALUES[side]
    return out


def summary(assessment: C2Assessment) -> dict[str, Any]:
    """What a file or a report says of an assessment, as plain numbers and texts."""
    return {
        "screw_mm": assessment.screw_mm,
        "threshold": assessment.threshold,
        "provenance": assessment.provenance,
        "warnings": list(assessment.warnings),
        "seconds": {name: round(value, 2) for name, value in assessment.seconds.items()},
        "sides": {side: _side_summary(found) for side, found in assessment.sides.items()},
    }


def _side_summary(found: SideAssessment) -> dict[str, Any]:
    m = found.measures
    return {
        "probability": round(found.probability, 4),
        "low": round(found.low, 4),
        "high": round(found.high, 4),
        "network": round(found.network, 4),
        "joined": found.joined,
        "verdict": found.verdict,
        "disagreement": found.disagreement,
        "outer_width_mm": _rounded(m.outer_width_mm),
        "inner_width_mm": _rounded(m.inner_width_mm),
        "height_mm": _rounded(m.height_mm),
        "isthmus_height_mm": _rounded(m.isthmus_height_mm),
        "internal_height_mm": _rounded(m.internal_height_mm),
        "high_riding_artery": bool(m.high_riding),
        "pta_deg": _rounded(m.pta_deg),
        "psa_deg": _rounded(m.psa_deg),
        "foramen_mm": _rounded(m.foramen_mm),
        "corridors": {f"{diameter:g}": _corridor(each) for diameter, each in m.corridors.items()},
        "ways_out": [_corridor(each) for each in found.ways_out],
        "notes": list(m.notes),
    }


def _corridor(found: Corridor) -> dict[str, Any]:
    return {
        "name": found.name,
        "diameter_mm": found.diameter_mm,
        "length_mm": _rounded(found.length_mm),
        "margin_mm": _rounded(found.margin_mm),
        "breach_mm": _rounded(found.breach_mm),
        "entry_ras_mm": [_rounded(value) for value in found.entry],
        "tip_ras_mm": [_rounded(value) for value in found.tip],
    }


def _rounded(value: float) -> float | None:
    return round(float(value), 2) if np.isfinite(value) else None
