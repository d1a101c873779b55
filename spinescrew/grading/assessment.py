"""Everything that is said about one screw in one spine, as one value."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from spinescrew.grading.scales import Direction


@dataclass(frozen=True)
class Breach:
    """How far the shaft lies outside a wall.

    ``mm`` is 0 without a breach; ``margin_mm`` is the signed figure behind it (negative: bone left to the wall).
    ``direction`` is named in the vertebra's frame; ``along_mm`` is the place along the shaft from the entry;
    ``point`` the RAS point of the shaft's surface that is farthest out.
    """

    mm: float
    margin_mm: float
    direction: Direction | None
    along_mm: float
    point: tuple[float, float, float] | None


@dataclass(frozen=True)
class GradeRange:
    """What half a voxel of segmentation error allows: breach from ``low_mm`` to ``high_mm`` and both letters."""

    low_mm: float
    high_mm: float
    best: str
    worst: str
    half_voxel_mm: float


@dataclass(frozen=True)
class ExecutionRisk:
    """Share of Monte Carlo draws with each Gertzbein-Robbins letter under a stated execution error."""

    probabilities: dict[str, float]
    draws: int
    entry_sd_mm: float
    angle_sd_deg: float
    seed: int


@dataclass(frozen=True)
class Assessment:
    """Every measure of one screw (design.md section 4); ``None`` or ``"not gradable"`` where nothing can be said.

    Lengths in mm, angles in degrees, densities in HU. ``reasons`` maps a measure that is ``not gradable`` to why.
    """

    gertzbein_robbins: str
    breach: Breach | None
    breach_by_direction: dict[str, float]
    grade_range: GradeRange | None
    body_breaches: dict[str, float]
    facet_grade: int | str
    facet_gap_mm: float | None
    facet_penetration_mm: float | None
    head_facet_gap_mm: float | None
    zdichavsky: str
    pedicle_fraction: float | None
    body_fraction: float | None
    ravi: int | str
    heary: int | str
    canal_clearance_mm: float | None
    neighbour_screw_clearance_mm: float | None
    neighbour_bone_overlap_mm: dict[str, float]
    pta_deg: float
    psa_deg: float
    psa_elevation_deg: float
    depth_percent: float | None
    channel_mm: float | None
    fill_percent: float | None
    bone_contact_percent: float | None
    mean_hu: float | None
    min_hu: float | None
    hu_by_depth: tuple[float | None, ...]
    hu_by_angle: tuple[float | None, ...]
    contact_by_depth: tuple[float, ...]
    contact_by_angle: tuple[float, ...]
    voxel_spacing_mm: tuple[float, float, float]
    zone_mm: tuple[float, float] | None
    execution_risk: ExecutionRisk | None = None
    reasons: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def breach_mm(self) -> float | None:
        """Depth of the pedicle breach, ``None`` when not gradable."""
        return None if self.breach is None else self.breach.mm

    @property
    def breach_direction(self) -> str | None:
        """Direction of the pedicle breach, ``None`` without one."""
        return None if self.breach is None else self.breach.direction

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: the fields, ``breach_mm`` and ``breach_direction`` at the top; no NaN, numpy types or tuples."""
        values = asdict(self)
        values["breach_mm"] = self.breach_mm
        values["breach_direction"] = self.breach_direction
        return _plain(values)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return round(value, 4) if math.isfinite(value) else None
    return value
