"""A plan: the screws of one case, as a value."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from spinescrew.anatomy.frame import Side
from spinescrew.anatomy.levels import Level, position
from spinescrew.errors import InputError
from spinescrew.grading.assessment import Assessment
from spinescrew.implants.screw import Screw

Trajectory = Literal["straight-forward", "anatomic"]
Key = tuple[Level, Side]


@dataclass(frozen=True, eq=False)
class PlannedScrew:
    """One row of a plan: a level and side with its screw, or the reason why it has none.

    Attributes
    ----------
    status:
        ``"planned"`` or ``"not_planned"``.
    reason:
        Why it is not planned; empty otherwise.
    assessment:
        Its measures; ``None`` until graded (any edit clears it).
    planned_by:
        ``"automatic"`` or ``"edited"``.
    led_by:
        What the automatic screw was searched from: ``"geometry"`` or ``"network"``
        (:mod:`spinescrew.planning.guides`).
    """

    level: Level
    side: Side
    screw: Screw | None = None
    reason: str = ""
    assessment: Assessment | None = None
    planned_by: str = "automatic"
    led_by: str = "geometry"
    locked: bool = False
    reviewed: bool = False
    notes: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        """(level, side): unique in a plan."""
        return self.level, self.side

    @property
    def status(self) -> str:
        """``"planned"`` or ``"not_planned"``."""
        return "not_planned" if self.screw is None else "planned"


@dataclass(frozen=True, eq=False)
class Plan:
    """The screws of one case. Never changed in place: every edit gives a new plan.

    Attributes
    ----------
    screws:
        From the head down, left before right; one per (level, side).
    parameters:
        Everything the planner was told (trajectory, depth, margins, catalogue, grading options).
    input_hash:
        :meth:`Volume.content_hash` of ``{"ct": ..., "labels": ...}``.
    """

    screws: tuple[PlannedScrew, ...] = ()
    parameters: dict[str, Any] = field(default_factory=dict)
    input_hash: dict[str, str | None] = field(default_factory=dict)
    timings_s: dict[str, float] = field(default_factory=dict)
    created: str = ""
    engine: str = "geometry"

    def __post_init__(self) -> None:
        keys = [screw.key for screw in self.screws]
        if len(set(keys)) != len(keys):
            twice = next(key for key in keys if keys.count(key) > 1)
            raise InputError(f"the plan holds two screws for {twice[0].label} {twice[1]}; delete one of them")

    def get(self, level: Level, side: Side) -> PlannedScrew:
        """The row of this level and side; raises :class:`InputError` if the plan has none."""
        for screw in self.screws:
            if screw.key == (level, side):
                return screw
        raise InputError(f"the plan has no screw for {level.label} {side}")

    def with_screw(self, row: PlannedScrew) -> Plan:
        """The plan with this row put in or replaced, rows in order."""
        rows = [screw for screw in self.screws if screw.key != row.key] + [row]
        return replace(self, screws=tuple(sorted(rows, key=lambda r: (position(r.level), r.side))))

    @property
    def planned(self) -> tuple[PlannedScrew, ...]:
        """The rows that hold a screw."""
        return tuple(screw for screw in self.screws if screw.screw is not None)


def heads(plan: Plan, side: Side) -> np.ndarray:
    """(n, 3) RAS entry points of one side from the head down: where a rod has to pass."""
    return np.array([row.screw.entry for row in plan.screws if row.side == side and row.screw is not None])
