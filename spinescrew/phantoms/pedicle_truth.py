"""What is true of the pedicles of a deformed spine, from its exact solids: axes, isthmus, entry and exit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import SIDES, Side, VertebralFrame, direction_from_angles, screw_angles
from spinescrew.anatomy.levels import Level
from spinescrew.geometry.vectors import cross, orthogonal_pair, unit
from spinescrew.phantoms.kernels import body_plates
from spinescrew.phantoms.parts import FIRST_SIZE, HOLLOWS
from spinescrew.phantoms.solid_spine import SolidSpine
from spinescrew.phantoms.spine import LevelTruth, PedicleTruth

Floats = NDArray[np.float64]
Inside = Callable[[Floats], Floats]

_RAYS = 16
_REACH_MM = 14.0
_STEP_MM = 0.5
_SEARCH_MM = 4.0
_BRIDGE_MM = 3.0
_BACK_MM, _AHEAD_MM = 45.0, 75.0


@dataclass(frozen=True, eq=False)
class TrueSpine:
    """A deformed spine with the truth of every level, as :func:`reference_screws` wants it."""

    solids: SolidSpine
    truth: dict[Level, LevelTruth]

    def distance(self, level: Level, points: Floats) -> Floats:
        """The implicit function (n,) of one vertebra at RAS points (n, 3)."""
        return self.solids.distance(level, points)


def measure_truth(solids: SolidSpine, levels: tuple[Level, ...]) -> TrueSpine:
    """Frames and pedicles of ``levels`` in the patient."""
    truth = {}
    for level in levels:
        frame = _frame(solids, level)
        pedicles = {side: _pedicle(solids, level, side, frame) for side in SIDES}
        truth[level] = LevelTruth(frame, pedicles, solids.patient.builds[level].sizes)
    return TrueSpine(solids, truth)


def landmarks(spine: TrueSpine, level: Level, side: Side) -> tuple[Floats, Floats]:
    """Entry and exit (3,) RAS of the straight-forward channel through the centre of the isthmus.

    The line has the pedicle axis's transverse angle and runs parallel to the superior endplate (design.md section 4).
    The entry is where it meets the dorsal cortex, the exit where it leaves the body; holes up to 3 mm are crossed.
    Both lie on the surface to 0.01 mm.
    """
    truth = spine.truth[level]
    pedicle = truth.pedicles[side]
    direction = direction_from_angles(pedicle.pta_deg, 0.0, truth.frame, side)
    entry = _leave(spine.solids, level, pedicle.isthmus, -direction, _BACK_MM, 0.0)
    exit_ = _leave(spine.solids, level, pedicle.isthmus, direction, _AHEAD_MM, _BRIDGE_MM)
    return entry, exit_


def _leave(solids: SolidSpine, level: Level, start: Floats, along: Floats, reach: float, bridge: float) -> Floats:
    """Where a line from inside leaves the solid for more than ``bridge`` mm."""
    t = np.arange(0.0, reach, 0.1)
    inside = np.flatnonzero(solids.distance(level, start + t[:, None] * along) <= 0)
    holes = np.flatnonzero(np.diff(t[inside]) > max(bridge, 0.1) + 0.05)
    last = inside[holes[0]] if len(holes) else inside[-1]
    low, high = t[last], t[last] + 0.1
    for _ in range(5):
        middle = (low + high) / 2
        if solids.distance(level, (start + middle * along)[None])[0] <= 0:
            low = middle
        else:
            high = middle
    return np.asarray(start + (low + high) / 2 * along)


def _frame(solids: SolidSpine, level: Level) -> VertebralFrame:
    """The vertebra's frame where the deformation has put it.

    Superior is the normal of the upper endplate as it is, fractured or deformed, but for its hollow.
    """
    own, sizes = solids.frames[level], solids.patient.builds[level].sizes
    turns = np.linspace(0.0, 2 * np.pi, 16, endpoint=False)
    rim = 0.36 * np.stack([sizes.width * np.cos(turns), sizes.depth * np.sin(turns)], axis=1)
    flat = solids.solids[level].rows[0, FIRST_SIZE:].copy()
    flat[HOLLOWS] = 0.0
    heights = [body_plates(flat, *point)[0] for point in rim]
    plate = solids.warp.to_patient(own.to_ras(np.column_stack([rim, heights])))
    normal = np.linalg.svd(plate - plate.mean(axis=0))[2][2]
    superior = unit(normal * np.sign(normal @ own.superior))
    inner = np.array([(0.0, 0.4 * sizes.depth, 0.0), (0.0, -0.4 * sizes.depth, 0.0)])
    front, back = solids.warp.to_patient(own.to_ras(inner))
    sides = solids.warp.to_patient(own.to_ras([solids.bones[level].isthmus(side) for side in SIDES]))
    right = unit(sides[1] - sides[0])
    # Front to back through the body and across the pedicles say the same of a vertebra that is not deformed.
    anterior = unit(unit(front - back) + unit(cross(superior, right)))
    anterior = unit(anterior - (anterior @ superior) * superior)
    origin = solids.warp.to_patient(own.origin[None])[0]
    return VertebralFrame(origin, cross(anterior, superior), anterior, superior)


def _pedicle(solids: SolidSpine, level: Level, side: Side, frame: VertebralFrame) -> PedicleTruth:
    """The narrowest of the sections across the deformed axis, its centre and its sizes."""
    own, bone = solids.frames[level], solids.bones[level]
    centre, axis = bone.isthmus(side), bone.axis(side)
    behind, ahead = solids.warp.to_patient(own.to_ras([centre - 9.0 * axis, centre + 15.0 * axis]))
    along = unit(ahead - behind)
    angles = screw_angles(along, frame, side)
    middle = solids.warp.to_patient(own.to_ras(centre)[None])[0]
    if level is Level.S1:
        # Between body and ala there is no wall all around: the design stands.
        sizes = bone.build.sizes
        return PedicleTruth(middle, along, bone.pedicle_width(side), sizes.pedicle_height, angles.pta, angles.psa)
    across, up = orthogonal_pair(along, cross(along, frame.superior))
    offsets = np.arange(-_SEARCH_MM, _SEARCH_MM + 0.1, 2.0)
    sections = [_section(solids, level, middle + t * along, across, up) for t in offsets]
    widths = np.array([width for _, width, _ in sections])
    # Among sections that are about equally narrow the one nearest the designed isthmus.
    best = int(np.argmin(widths + 0.02 * np.abs(offsets)))
    isthmus, width, height = _section(solids, level, sections[best][0], across, up)
    return PedicleTruth(isthmus, along, width, height, angles.pta, angles.psa)


def _section(
    solids: SolidSpine, level: Level, centre: Floats, across: Floats, up: Floats
) -> tuple[Floats, float, float]:
    """Centre, width and height of the section through ``centre``, from rays in its plane."""
    turns = np.linspace(0.0, 2 * np.pi, _RAYS, endpoint=False)
    rays = np.cos(turns)[:, None] * across + np.sin(turns)[:, None] * up
    t = np.arange(0.0, _REACH_MM, _STEP_MM)
    d = solids.distance(level, (centre + t[:, None, None] * rays).reshape(-1, 3)).reshape(len(t), _RAYS)
    first = np.where((d > 0).any(axis=0), np.argmax(d > 0, axis=0), len(t) - 1)
    before, columns = np.maximum(first - 1, 0), np.arange(_RAYS)
    rise = np.maximum(d[first, columns] - d[before, columns], 1e-6)
    radius = np.clip(t[before] - d[before, columns] / rise * _STEP_MM, 0.0, _REACH_MM)
    rim = radius[:, None] * np.column_stack([np.cos(turns), np.sin(turns)])
    low, high = rim.min(axis=0), rim.max(axis=0)
    width, height = (high - low).tolist()
    return centre + (0.5 * (low + high)) @ np.stack([across, up]), width, height
