"""Where else in C2 a screw finds bone when the pedicle takes none: the pars, and the lamina from the other side."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import Side, VertebralFrame, direction_from_angles, side_sign
from spinescrew.feasibility.lines import Aim, Stretch, deepest_line
from spinescrew.feasibility.measures import Corridor, corridor_of
from spinescrew.feasibility.pose import PediclePose
from spinescrew.geometry.rays import first_hit
from spinescrew.geometry.sdf import SignedDistance
from spinescrew.geometry.vectors import cross, unit

Floats = NDArray[np.float64]

SCREW_MM = 3.5

_PARS = Stretch(ahead_mm=0.0, behind_mm=24.0, rooted_mm=4.0, opening_mm=4.0)
_SHORT_OF_ISTHMUS_MM = 4.0
_PARS_PTA_DEG, _PARS_PSA_DEG = 10.0, 42.0
_PARS_ROUNDS = ((4.0, 12.0, 7), (1.5, 5.0, 5), (0.6, 2.0, 5))
_PARS_MM = (12.0, 18.0)

_LAMINA = Stretch(ahead_mm=9.0, behind_mm=26.0, rooted_mm=8.0, opening_mm=4.0)
_LAMINA_ROUNDS = ((3.0, 12.0, 7), (1.2, 5.0, 5), (0.5, 2.0, 5))
_LAMINA_MM = (14.0, 34.0)
_BEHIND_ISTHMUS_MM, _BELOW_ISTHMUS_MM = 12.0, 5.0
_CANAL_MM, _INTO_ARCH_MM = 30.0, 3.5


def pars_corridor(bone: SignedDistance, pose: PediclePose, frame: VertebralFrame) -> Corridor | None:
    """The best pars screw of 3.5 mm: steeper than the pedicle's, and at an end behind the foramen.

    It starts beside the inferior facet as a pedicle screw does and ends 4 mm short of the isthmus, at most 18 mm deep.
    ``None`` where there is no bone for 12 mm.
    """
    steep = direction_from_angles(_PARS_PTA_DEG, _PARS_PSA_DEG, frame, pose.side)
    end = pose.isthmus - _SHORT_OF_ISTHMUS_MM * pose.forwards
    line = deepest_line(bone, _aim_along(end, steep, frame, pose.side), _PARS, _PARS_ROUNDS)
    longest = min(_PARS_MM[1], -line.entry_mm)
    return _usable(corridor_of(bone, line, SCREW_MM, _PARS, "pars", longest), _PARS_MM[0])


def laminar_corridor(
    bone: SignedDistance, pose: PediclePose, frame: VertebralFrame, poses: Mapping[Side, PediclePose]
) -> Corridor | None:
    """The best crossing screw of 3.5 mm in this side's lamina (Wright 2004).

    It starts at the junction of spinous process and lamina on the other side and stays in the lamina up to the
    articular mass; at most 34 mm long. ``None`` where the arch is not closed behind the canal or has no bone for 14 mm.
    """
    middle = _arch(bone, frame, poses)
    if middle is None:
        return None
    outer = pose.isthmus - _BEHIND_ISTHMUS_MM * pose.forwards - _BELOW_ISTHMUS_MM * frame.superior
    aim = _aim_along(0.5 * (middle + outer), unit(outer - middle), frame, pose.side)
    line = deepest_line(bone, aim, _LAMINA, _LAMINA_ROUNDS)
    return _usable(corridor_of(bone, line, SCREW_MM, _LAMINA, "lamina", _LAMINA_MM[1]), _LAMINA_MM[0])


def ways_out(
    bone: SignedDistance, pose: PediclePose, frame: VertebralFrame, poses: Mapping[Side, PediclePose]
) -> tuple[tuple[Corridor, ...], tuple[str, ...]]:
    """Pars and laminar corridors of this side as far as there are any, and a note for each that there is not."""
    found = {"pars": pars_corridor(bone, pose, frame), "lamina": laminar_corridor(bone, pose, frame, poses)}
    missing = tuple(
        f"the {name} has too little bone to measure a corridor" for name, way in found.items() if way is None
    )
    return tuple(way for way in found.values() if way is not None), missing


def _aim_along(point: Floats, direction: Floats, frame: VertebralFrame, side: Side) -> Aim:
    up = unit(frame.superior - (frame.superior @ direction) * direction)
    return Aim(point, direction, side_sign(side) * cross(direction, up), up)


def _usable(corridor: Corridor, shortest_mm: float) -> Corridor | None:
    """``corridor``, unless there is not even bone for the shortest screw: one that breaks out a little is told."""
    reach = float(np.linalg.norm(corridor.tip - corridor.entry))
    return corridor if reach >= shortest_mm and corridor.margin_mm > -0.5 * corridor.diameter_mm else None


def _arch(bone: SignedDistance, frame: VertebralFrame, poses: Mapping[Side, PediclePose]) -> Floats | None:
    """Middle (3,) of the arch behind the canal; ``None`` where a ray through the canal meets none."""
    between = frame.to_local(0.5 * (poses["left"].isthmus + poses["right"].isthmus))
    heights = between[2] + np.arange(-16.0, 3.0, 0.5)
    starts = np.stack(np.broadcast_arrays(0.0, between[1], heights), axis=-1)
    behind = first_hit(bone, frame.to_ras(starts), -frame.anterior, _CANAL_MM)
    met = np.isfinite(behind) & (behind > 0.0)
    if not met.any():
        return None
    wall = float(np.percentile(behind[met], 25))
    facing = met & (behind < wall + _INTO_ARCH_MM)
    return frame.to_ras([0.0, between[1] - wall - _INTO_ARCH_MM, float(heights[facing].mean())])
