"""Two radiographs as windows ask for them, and every file of their poses for someone who will carry it away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from spinescrew.anatomy.build import build_spine
from spinescrew.cohort.archive import pack
from spinescrew.cohort.pose import POSE, REPORT, PoseCase, parse_size, write_pose_case
from spinescrew.cohort.pose_demo import write_example
from spinescrew.cohort.pose_outcome import PlanCase, PoseOutcome, outcome_from_views
from spinescrew.cohort.pose_pair import RadiographPair, SolvedPair, read_pair, solve_pair
from spinescrew.errors import InputError
from spinescrew.exchange import check_plan_matches
from spinescrew.geometry.volume import Volume
from spinescrew.grading.options import GradingOptions
from spinescrew.outcome.compare import compare_plan
from spinescrew.planning.plan import Plan
from spinescrew.progress import Progress
from spinescrew.viewer.opened import Posed, PoseTarget

if TYPE_CHECKING:
    from spinescrew.radiographs.pose import PoseResult

EXAMPLE_NAME = "Simulated radiographs"


def target_of(images: Sequence[str | Path], geometry: str | Path | None, sizes: str = "") -> PoseTarget:
    """What is to be solved, from what a person chose and typed: sizes such as ``"6.5x45, 5.5x40"``.

    Raises
    ------
    InputError
        If a size is none.
    """
    wanted = tuple(parse_size(text) for text in sizes.replace(";", ",").split(",") if text.strip())
    return PoseTarget(tuple(map(Path, images)), Path(geometry) if geometry is not None else None, wanted)


@dataclass(frozen=True, eq=False)
class FoundPlan:
    """A plan whose vertebrae were found in two radiographs: :class:`spinescrew.viewer.opened.Planned`."""

    case: PlanCase
    outcome: PoseOutcome

    def compare(self, result: PoseResult) -> PoseOutcome:
        """Planned against placed, of poses as they stand; each vertebra stays where it was found."""
        placed = {posed.number: posed.screw for posed in result.screws}
        options = GradingOptions(inclusive=self.outcome.inclusive)
        found = compare_plan(self.case.plan, placed, self.outcome.vertebrae, self.case.spine, options=options)
        return replace(self.outcome, found=found)


def open_pose(
    target: PoseTarget,
    plan: Plan | None = None,
    ct: Volume | None = None,
    labels: Volume | None = None,
    progress: Progress | None = None,
) -> Posed:
    """Find the screws of two radiographs; the built-in pair is made first.

    Parameters
    ----------
    plan, ct, labels:
        What the screws were to follow, with the CT it was made on and its named vertebrae.

    Raises
    ------
    InputError
        If images or geometry cannot be read or do not fit, no screws are found, or no vertebra of the plan is; the
        message says which.
    """
    progress = progress or Progress()
    start = 0.5 if target.built_in else 0.1
    end = 0.6 if plan is not None else 1.0
    with progress.step("read the images", 0.0, start) as part:
        pair = _pair(target, part)
    solved = solve_pair(pair, target.sizes or None, progress=progress.part(start, end))
    planned = None
    if plan is not None:
        with progress.step("compare with the plan", end, 1.0) as part:
            planned = _found_plan(_plan_case(plan, ct, labels, part.part(0.0, 0.4)), solved, part.part(0.4, 1.0))
    return Posed(solved.result, solved.radiographs, _name(target), planned)


def pack_pose(posed: Posed, folder: Path, archive: Path, progress: Progress | None = None) -> tuple[Path, ...]:
    """Write :func:`spinescrew.cohort.pose.write_pose_case` into ``folder``, and a zip of it.

    Returns the paths of ``report.html``, ``pose.json`` and the archive; nothing holds the patient's identity.
    """
    progress = progress or Progress()
    case = case_of(posed)
    write_pose_case(case, folder, force=True, progress=progress.part(0.0, 0.9))
    with progress.step("pack", 0.9, 1.0):
        pack(folder, archive)
    return folder / REPORT, folder / POSE, archive


def case_of(posed: Posed) -> PoseCase:
    """The same as files are written from, with the comparison of the poses as they stand."""
    outcome = posed.planned.compare(posed.result) if posed.planned is not None else None
    return PoseCase(posed.result, posed.radiographs, outcome)


def _plan_case(plan: Plan, ct: Volume | None, labels: Volume | None, progress: Progress) -> PlanCase:
    if ct is None or labels is None:
        raise InputError("planned and placed screws are compared in the plan's CT; load it with its vertebrae")
    if not plan.planned:
        raise InputError("the plan holds no screw; open the plan that the screws were to follow")
    levels = tuple(dict.fromkeys(row.level for row in plan.planned))
    spine = build_spine(labels, ct, levels, progress)
    check_plan_matches(plan, spine)
    return PlanCase(plan, spine, ct, labels)


def _found_plan(case: PlanCase, solved: SolvedPair, progress: Progress) -> FoundPlan:
    return FoundPlan(case, outcome_from_views(case, solved.result, solved.radiographs, progress))


def _pair(target: PoseTarget, progress: Progress) -> RadiographPair:
    if target.built_in:
        with TemporaryDirectory() as folder:
            target = write_example(Path(folder), progress)
            return _read(target)
    return _read(target)


def _read(target: PoseTarget) -> RadiographPair:
    if target.geometry is None:
        raise InputError("the geometry is missing; give the calibration file of both radiographs")
    return read_pair(target.images, target.geometry)


def _name(target: PoseTarget) -> str:
    if target.built_in:
        return EXAMPLE_NAME
    return ", ".join(path.resolve().name for path in target.images)
