"""The screws of two radiographs beside the plan they were meant to follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinescrew.anatomy.build import build_spine
from spinescrew.anatomy.levels import Level, cranial_to_caudal
from spinescrew.anatomy.vertebra import Spine
from spinescrew.cohort.case import CaseInput, load_case
from spinescrew.errors import InputError
from spinescrew.exchange import check_plan_matches, read_plan
from spinescrew.geometry.volume import Volume
from spinescrew.grading.options import GradingOptions
from spinescrew.implants.screw import Screw
from spinescrew.outcome.compare import Outcome, ScrewOutcome, VertebraFound, compare_plan, match_to_plan
from spinescrew.outcome.patches import metal_on_image
from spinescrew.outcome.postop import compare_postop
from spinescrew.outcome.registration import VertebraPose, register_vertebrae
from spinescrew.outcome.start import starts_from_screws
from spinescrew.planning.plan import Plan
from spinescrew.progress import Progress
from spinescrew.radiographs.radiograph import Radiograph

if TYPE_CHECKING:
    from spinescrew.radiographs.pose import PoseResult

VIEWS_TITLE, POSTOP_TITLE = "Planned against placed", "Planned against placed, in the CT after the operation"
NO_CT = "planned and placed screws are compared in the plan's CT; give it with --ct"

_WORDS = (
    "The vertebrae of the plan's CT were found in both images, each as a rigid body of its own; the error to be "
    "expected of that is in the range of the letters."
)
_POSTOP_WORDS = (
    "The screws were found in the CT after the operation by their metal, the vertebrae by their bone, without the "
    "radiographs; numbers are those of that CT."
)


@dataclass(frozen=True)
class PlanInput:
    """What the screws were planned on.

    Attributes
    ----------
    plan:
        ``plan.json``.
    ct, labels:
        The CT before the operation and its named vertebrae; an engine finds these where they are left out.
    numbering:
        How the numbers of the label map are read.
    """

    plan: Path
    ct: Path | None = None
    labels: Path | None = None
    numbering: str = "auto"


@dataclass(frozen=True, eq=False)
class PlanCase:
    """A plan with the spine it was made on, measured."""

    plan: Plan
    spine: Spine
    ct: Volume
    labels: Volume


@dataclass(frozen=True, eq=False)
class PoseOutcome:
    """Planned against placed, by two radiographs or by a CT after the operation.

    Attributes
    ----------
    found:
        Every screw beside its plan.
    vertebrae:
        Where each vertebra of the plan's CT was found in the views, or in the later CT.
    hashes:
        Of the CT and the labels of the plan.
    inclusive:
        Whether the limits of the grades are, as in the plan.
    words:
        How the screws were brought to the plan.
    title:
        What it is called in a report.
    """

    found: Outcome
    vertebrae: Mapping[Level, VertebraFound]
    hashes: Mapping[str, str]
    inclusive: bool = False
    words: str = _WORDS
    title: str = VIEWS_TITLE

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "coordinate_system": "RAS of the plan's CT",
            "input_hash": dict(self.hashes),
            "vertebrae": {level.name: _vertebra(pose) for level, pose in self.vertebrae.items()},
            **self.found.to_dict(),
        }


def read_plan_case(source: PlanInput, progress: Progress | None = None) -> PlanCase:
    """Read a plan and the image it was made on, and measure its vertebrae.

    Raises
    ------
    InputError
        If there is no CT, something cannot be read, or the plan belongs to another image.
    """
    progress = progress or Progress()
    plan = read_plan(source.plan)
    if not plan.planned:
        raise InputError(f"{source.plan.name} plans no screw; give the plan that the screws were to follow")
    if source.ct is None:
        raise InputError(NO_CT)
    labels, ct = load_case(CaseInput(source.labels, source.ct, source.numbering), progress.part(0.0, 0.4))
    assert ct is not None
    levels = tuple(dict.fromkeys(row.level for row in plan.planned))
    spine = build_spine(labels, ct, levels, progress.part(0.4, 1.0))
    check_plan_matches(plan, spine)
    return PlanCase(plan, spine, ct, labels)


def outcome_from_views(
    case: PlanCase, result: PoseResult, radiographs: Sequence[Radiograph], progress: Progress | None = None
) -> PoseOutcome:
    """Find the plan's vertebrae in the radiographs and compare the screws there with the planned ones.

    Raises
    ------
    InputError
        If no vertebra of the plan is found in the images.
    """
    progress = progress or Progress()
    placed = {posed.number: posed.screw for posed in result.screws}
    planned = {row.key: row.screw for row in case.plan.planned if row.screw is not None}
    starts = starts_from_screws(list(planned.values()), list(placed.values()))
    levels = [_levels_near(planned, placed, [start]) for start in starts]
    wanted = list(dict.fromkeys(level for each in levels for level in each)) or list(case.spine.vertebrae)
    metal = [metal_on_image(maps, view) for maps, view in zip(result.maps, result.given_views, strict=True)]

    def register(of: Sequence[Level]) -> dict[Level, VertebraPose]:
        ordered = [level for level in cranial_to_caudal() if level in of]
        return register_vertebrae(
            case.ct, case.labels, radiographs, result.views, ordered, metal, start=starts, progress=progress
        )

    try:
        vertebrae = register(wanted)
    except InputError:
        if not levels or set(levels[0]) == set(wanted) or not levels[0]:
            raise
        vertebrae = register(levels[0])
    homes = {level: VertebraFound(pose.pose, pose.error_mm, pose.doubts) for level, pose in vertebrae.items()}
    options = _grading(case.plan)
    found = compare_plan(case.plan, placed, homes, case.spine, options=options)
    return PoseOutcome(found, homes, _hashes(case), options.inclusive)


def outcome_from_ct(case: PlanCase, later: Volume, progress: Progress | None = None) -> PoseOutcome:
    """Find the screws in a CT after the operation and compare them with the planned ones.

    Raises
    ------
    InputError
        If it shows no metal, or no vertebra of the plan.
    """
    options = _grading(case.plan)
    told = compare_postop(case.plan, case.spine, later, options=options, progress=progress)
    warnings = [f"screw {each.number} of the later CT: {note}" for each in told.found for note in each.notes]
    found = replace(told.outcome, warnings=(*told.outcome.warnings, *warnings))
    hashes = {**_hashes(case), "postop": later.content_hash()}
    return PoseOutcome(found, told.vertebrae, hashes, options.inclusive, _POSTOP_WORDS, POSTOP_TITLE)


def outcome_columns(screw: ScrewOutcome) -> dict[str, Any]:
    """Columns of a table for a placed screw: differences from the plan, and its grades as placed."""
    ends = {"entry": screw.entry, "middle": screw.middle, "tip": screw.tip}
    shifts = {
        f"{name}_{field}": None if shift is None else getattr(shift, field)
        for name, shift in ends.items()
        for field in ("distance_mm", "medial_mm", "cranial_mm", "deeper_mm")
    }
    a = screw.assessment
    return {
        **shifts,
        "angle_deg": screw.angle_deg,
        "pta_difference_deg": screw.pta_deg,
        "psa_difference_deg": screw.psa_deg,
        "gertzbein_robbins": screw.grade,
        "breach_mm": None if a is None else a.breach_mm,
        "breach_direction": None if a is None else a.breach_direction,
        "facet_grade": None if a is None else a.facet_grade,
        "reason": screw.reason,
    }


def _levels_near(planned: Mapping[Any, Screw], placed: Mapping[int, Screw], starts: Sequence[Any]) -> list[Level]:
    """Levels with a planned screw that a start lays on a found one."""
    levels = dict.fromkeys(level for level, _ in planned)
    pairs = [match_to_plan(planned, placed, {level: VertebraFound(start) for level in levels}) for start in starts]
    return list(dict.fromkeys(key[0] for each in pairs for key in each))


def _grading(plan: Plan) -> GradingOptions:
    """As the plan was graded."""
    told = plan.parameters.get("grading")
    inclusive = isinstance(told, Mapping) and bool(told.get("inclusive"))
    return GradingOptions(inclusive=inclusive)


def _hashes(case: PlanCase) -> dict[str, str]:
    return {"ct": case.ct.content_hash(), "labels": case.labels.content_hash()}


def _vertebra(found: VertebraFound) -> dict[str, Any]:
    return {
        "ct_to_placed": found.pose.round(6).tolist(),
        "expected_mm": round(float(found.error_mm), 3),
        "doubts": list(found.doubts),
    }
