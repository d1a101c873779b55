"""The long work of the planner in the browser, in processes of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from spinescrew.anatomy.levels import Level
from spinescrew.anatomy.vertebra import Spine
from spinescrew.cohort.background import BackgroundExport, BackgroundMeasuring, BackgroundOpening
from spinescrew.geometry.volume import Volume
from spinescrew.planning.plan import Plan
from spinescrew.viewer.opened import Target


@dataclass(frozen=True)
class CaseWorkshop:
    """:class:`spinescrew.viewer.errands.Workshop` for one target."""

    target: Target

    def open(self) -> BackgroundOpening:
        """The case that was asked for."""
        return BackgroundOpening(self.target)

    def measure(self, labels: Volume, ct: Volume | None, levels: tuple[Level, ...]) -> BackgroundMeasuring:
        """The vertebrae of a label map."""
        return BackgroundMeasuring(labels, ct, levels)

    def export(self, plan: Plan, spine: Spine, folder: Path, archive: Path | None) -> BackgroundExport:
        """Every file of a case."""
        return BackgroundExport(plan, spine, folder, archive)
