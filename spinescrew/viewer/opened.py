"""What the planner in the browser is asked to show, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.vertebra import Spine
from spinescrew.feasibility.assessment import C2Assessment
from spinescrew.planning.options import PlanningOptions
from spinescrew.planning.plan import Plan

if TYPE_CHECKING:
    from spinescrew.brands.identify import BrandResult
    from spinescrew.radiographs.pose import PoseResult
    from spinescrew.radiographs.radiograph import Radiograph


@dataclass(frozen=True)
class Target:
    """What to open.

    Attributes
    ----------
    path:
        A case folder, a plan.json, a scene.mrb, a CT file or a DICOM folder; the built-in case when left out.
    labels, ct:
        Image and label map, where the path does not hold them.
    levels:
        For example ``"L1-S1"``, where the case is planned; all when empty.
    options:
        How it is planned.
    engine, series:
        Which engine finds the vertebrae of a CT without labels; which DICOM series.
    confirmed:
        Whether a plan may be shown on another image than its own.
    c2:
        Folder of a C2 case whose image ``ct`` has to be.
    """

    path: Path | None = None
    labels: Path | None = None
    ct: Path | None = None
    levels: str = ""
    options: PlanningOptions = field(default_factory=PlanningOptions)
    engine: str = "auto"
    series: str | None = None
    confirmed: bool = False
    c2: Path | None = None

    @property
    def built_in(self) -> bool:
        """Whether nothing was named, so that the built-in cases are shown."""
        return self.path is None and self.ct is None and self.labels is None


@dataclass(frozen=True, eq=False)
class Opened:
    """A case ready for hands.

    Attributes
    ----------
    name:
        What the page calls it: the name of its file or folder.
    automatic:
        The plan that differences are told from; ``plan`` where ``None``.
    folder:
        Where it is saved; ``None`` for a case that has no folder yet.
    notes:
        What was decided or doubted while it was read.
    """

    plan: Plan
    spine: Spine
    name: str
    automatic: Plan | None = None
    folder: Path | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Judged:
    """Both pedicles of C2 as they were judged, and what the page calls their case."""

    found: C2Assessment
    name: str


@dataclass(frozen=True)
class PoseTarget:
    """Two radiographs in which screws are to be found.

    Attributes
    ----------
    images:
        Their files, in the order of the geometry's views; the built-in pair when left out.
    geometry:
        The calibration file of both.
    sizes:
        (diameter, length) in mm of each screw by number, or one for all; measured when left out.
    """

    images: tuple[Path, ...] = ()
    geometry: Path | None = None
    sizes: tuple[tuple[float, float], ...] = ()

    @property
    def built_in(self) -> bool:
        """Whether nothing was named, so that the built-in pair is shown."""
        return not self.images and self.geometry is None


class Planned(Protocol):
    """The plan that screws were to follow, with its vertebrae found in both images; can be passed between processes."""

    def compare(self, result: PoseResult) -> Any:
        """Planned against placed, of poses as they stand: ``found`` is a :class:`spinescrew.outcome.compare.Outcome`,
        ``vertebrae`` says by level where each (``pose``, 4x4 from the plan's CT) is in the views."""


@dataclass(frozen=True, eq=False)
class Posed:
    """Screws of two radiographs as they were solved, the images, and what the page calls them.

    Attributes
    ----------
    planned:
        Where a plan was given.
    """

    result: PoseResult
    radiographs: tuple[Radiograph, Radiograph]
    name: str
    planned: Planned | None = None


@dataclass(frozen=True)
class BrandTarget:
    """Radiographs whose system of screws is asked for.

    Attributes
    ----------
    images:
        One, or two of one patient, in any order; the built-in pair when left out.
    """

    images: tuple[Path, ...] = ()

    @property
    def built_in(self) -> bool:
        """Whether nothing was named, so that the built-in pair is shown."""
        return not self.images


@dataclass(frozen=True, eq=False)
class Identified:
    """Which system radiographs show, how the systems look, and what the page calls the images.

    Attributes
    ----------
    references:
        By number of the system in ``result.brands``: its picture (rows, columns), 0 to 255; left out where there is
        none.
    """

    result: BrandResult
    name: str
    references: Mapping[int, NDArray[np.uint8]] = field(default_factory=dict)
