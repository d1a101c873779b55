"""The long work of the planner in the browser, in processes of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from spinescrew.anatomy.levels import Level
from spinescrew.anatomy.vertebra import Spine
from spinescrew.cohort.background import (
    BackgroundBrand,
    BackgroundBrandExport,
    BackgroundC2Export,
    BackgroundExport,
    BackgroundJudging,
    BackgroundMeasuring,
    BackgroundOpening,
    BackgroundPose,
    BackgroundPoseExport,
)
from spinescrew.cohort.pose_open import target_of
from spinescrew.feasibility.assessment import C2Assessment
from spinescrew.geometry.volume import Volume
from spinescrew.planning.plan import Plan
from spinescrew.viewer.opened import BrandTarget, Identified, Posed, Target


@dataclass(frozen=True)
class CaseWorkshop:
    """:class:`spinescrew.viewer.errands.Workshop` for one target."""

    target: Target

    def open(self) -> BackgroundOpening:
        """The case that was asked for."""
        return BackgroundOpening(self.target)

    def judge(self, ct: Volume | None) -> BackgroundJudging:
        """Both pedicles of C2; the built-in case has a neck of its own."""
        return BackgroundJudging(self.target, None if self.target.built_in else ct)

    def measure(self, labels: Volume, ct: Volume | None, levels: tuple[Level, ...]) -> BackgroundMeasuring:
        """The vertebrae of a label map."""
        return BackgroundMeasuring(labels, ct, levels)

    def export(self, plan: Plan, spine: Spine, folder: Path, archive: Path | None) -> BackgroundExport:
        """Every file of a case."""
        return BackgroundExport(plan, spine, folder, archive)

    def find_screws(
        self, images: tuple[Path, ...], geometry: Path | None, sizes: str, planned: tuple[Plan, Spine] | None
    ) -> BackgroundPose:
        """The screws of two radiographs, beside the plan they were to follow; of the built-in pair without any file."""
        plan, spine = planned or (None, None)
        ct, labels = (spine.ct, spine.labels) if spine is not None else (None, None)
        return BackgroundPose(target_of(images, geometry, sizes), plan, ct, labels)

    def export_pose(self, posed: Posed, folder: Path, archive: Path) -> BackgroundPoseExport:
        """Every file of solved screws."""
        return BackgroundPoseExport(posed, folder, archive)

    def identify(self, images: tuple[Path, ...]) -> BackgroundBrand:
        """Which system radiographs show; of the built-in pair without any file."""
        return BackgroundBrand(BrandTarget(images))

    def export_brand(self, found: Identified, folder: Path, archive: Path) -> BackgroundBrandExport:
        """Every file of an answer."""
        return BackgroundBrandExport(found, folder, archive)

    def export_c2(
        self, found: C2Assessment, plan: Plan, spine: Spine, folder: Path, archive: Path
    ) -> BackgroundC2Export:
        """Every file of a C2 case."""
        return BackgroundC2Export(found, plan, spine, folder, archive)
