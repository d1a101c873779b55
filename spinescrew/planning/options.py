"""What a user can tell the planner."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from spinescrew.errors import InputError
from spinescrew.grading.options import GradingOptions
from spinescrew.implants.catalog import Catalog, load_catalog
from spinescrew.planning.plan import Trajectory

StartName = Literal["auto", "geometry", "network"]
STARTS: tuple[str, ...] = get_args(StartName)


@dataclass(frozen=True)
class PlanningOptions:
    """Rules of the planner; the defaults are design.md's.

    Attributes
    ----------
    trajectory:
        ``"straight-forward"`` (parallel to the superior endplate) or ``"anatomic"`` (along the pedicle's own axis).
    depth_percent:
        Share of the bone-screw channel that the screw may fill (AISPINE, Wang 2024: 80 %).
    margin_mm:
        Bone kept between the thread and the cortex through the pedicle.
    width_percent:
        Largest diameter as a share of the isthmus width.
    largest_tilt_deg:
        How far the sagittal angle may leave the chosen trajectory where that alone does not stay in bone.
    facet_gap_mm:
        Room kept to the facet joint with the vertebra above.
    maximum_diameter_mm:
        Overrides the catalogue's usual maximum of every level.
    start:
        What the search of a screw starts from: ``"geometry"`` (the pedicle as it was measured), ``"network"`` (entry
        and exit that the landmark network finds in the CT), or ``"auto"`` (the network where an engine found the
        vertebrae).
    align_heads:
        Whether entries are shifted, within their corridors, to lie where one rod can follow.
    """

    trajectory: Trajectory = "straight-forward"
    start: StartName = "auto"
    depth_percent: float = 80.0
    margin_mm: float = 0.5
    width_percent: float = 80.0
    largest_tilt_deg: float = 25.0
    facet_gap_mm: float = 1.0
    maximum_diameter_mm: float | None = None
    align_heads: bool = True
    catalog: Catalog = field(default_factory=load_catalog)
    grading: GradingOptions = field(default_factory=GradingOptions)

    def __post_init__(self) -> None:
        if self.trajectory not in ("straight-forward", "anatomic"):
            raise InputError(f"'{self.trajectory}' is not a trajectory; use straight-forward or anatomic")
        if self.start not in STARTS:
            raise InputError(f"'{self.start}' is nothing to start from; use {', '.join(STARTS)}")
        for name, low, high in (("depth_percent", 10, 100), ("width_percent", 10, 100), ("margin_mm", 0, 5)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(f"{name} must lie between {low} and {high}, got {value}")

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, for the plan's ``parameters``; of the catalogue its name."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in ("catalog", "grading")}
        return {**values, "catalog": self.catalog.name, "grading": asdict(self.grading)}
