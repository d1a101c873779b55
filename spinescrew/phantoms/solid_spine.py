"""The vertebrae of a drawn patient in their places, deformed and roughened: the exact solids of a training case."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import SIDES, VertebralFrame
from spinescrew.anatomy.levels import Level
from spinescrew.geometry.vectors import rotation
from spinescrew.phantoms.bones import Bone, vertebra_parts
from spinescrew.phantoms.kernels import distances_at
from spinescrew.phantoms.parts import Rows
from spinescrew.phantoms.sacrum import sacrum_parts
from spinescrew.phantoms.variation import Patient
from spinescrew.phantoms.warp import Warp

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Solid:
    """One bone as the compiled functions want it: parts in its own frame, and what it must leave room for.

    ``frame`` (3, 4) holds right, anterior and superior as rows, then the origin as last column; ``room`` is the width
    of the joint with ``other``, whose frame is ``other_frame``. ``rough`` is (size, amount) of its surface.
    """

    frame: Floats
    rows: Rows
    other_frame: Floats
    other: Rows
    room: float
    rough: tuple[float, float]
    seed: int


@dataclass(frozen=True, eq=False)
class SolidSpine:
    """Exact solids in patient coordinates; frames are those of the undeformed model."""

    patient: Patient
    frames: dict[Level, VertebralFrame]
    bones: dict[Level, Bone]
    solids: dict[Level, Solid]
    warp: Warp

    def distance(self, level: Level, points: Any) -> Floats:
        """The implicit function (n,) of one vertebra at RAS points (n, 3): negative inside, about mm."""
        return distances(self.solids[level], self.warp, points)


def distances(solid: Solid, warp: Warp, points: Any) -> Floats:
    """The implicit function (n,) of one bone at RAS points (n, 3) of the patient."""
    flat = np.ascontiguousarray(points, dtype=np.float64).reshape(-1, 3)
    out = np.empty(len(flat))
    distances_at(flat, out, warp.wide, warp.narrow, warp.origins, warp.steps, *arguments(solid))
    return out


def arguments(solid: Solid) -> tuple[Any, ...]:
    """The fields of ``solid`` in the order of :func:`bone_at`."""
    rough = np.array(solid.rough)
    return solid.frame, solid.rows, solid.other_frame, solid.other, solid.room, rough, solid.seed


def packed(frame: VertebralFrame) -> Floats:
    """A frame as (3, 4): its axes as rows, its origin as last column."""
    return np.column_stack([frame.axes.T, frame.origin])


def build_solids(patient: Patient, warp: Warp, rough: tuple[float, float], seed: int, tilt: Floats) -> SolidSpine:
    """Every vertebra of ``patient`` in its place; ``tilt`` (3, 3) turns the whole patient on the table."""
    levels = patient.levels
    bones = {level: Bone(level, build) for level, build in patient.builds.items()}
    frames = stack(patient, tilt)
    rows = {levels[-1]: sacrum_parts(bones[levels[-1]])}
    for level, lower in zip(levels[-2::-1], levels[:0:-1], strict=True):
        targets = {
            side: frames[level].to_local(frames[lower].to_ras(bones[lower].facet_target(side))) for side in SIDES
        }
        rows[level] = vertebra_parts(bones[level], targets)
    nothing = np.zeros((0, next(iter(rows.values())).shape[1]))
    solids = {}
    below = dict(itertools.pairwise(levels))
    for level in levels:
        own = packed(frames[level])
        other = (packed(frames[below[level]]), rows[below[level]]) if level in below else (own, nothing)
        solids[level] = Solid(own, rows[level], *other, bones[level].build.gap + rough[1], rough, seed + int(level))
    return SolidSpine(patient, frames, bones, solids, warp)


def stack(patient: Patient, tilt: Floats) -> dict[Level, VertebralFrame]:
    """Frames from the sacrum up: lordosis, slips, coronal tilts and axial turns."""
    levels = patient.levels
    axes = tilt @ rotation((1, 0, 0), -patient.slope_deg)
    frames = {levels[-1]: VertebralFrame(np.zeros(3), axes[:, 0], axes[:, 1], axes[:, 2])}
    for level, lower in zip(levels[-2::-1], levels[:0:-1], strict=True):
        build, under = patient.builds[level], frames[lower]
        # A slipped vertebra and a wedged one lean forward on what is left below them.
        below = patient.builds[lower]
        front = float(np.degrees(np.arctan2(below.loss[0], below.sizes.depth)))
        axes = rotation(under.right, build.sizes.segment - 0.8 * front) @ under.axes
        axes = rotation(axes[:, 1], build.tilt) @ axes
        axes = rotation(axes[:, 2], build.turn) @ axes
        half_disc = 0.5 * build.sizes.disc
        joint = under.origin + (0.5 * below.sizes.height + half_disc - 0.4 * below.loss[0]) * under.superior
        origin = joint + (half_disc + 0.5 * build.sizes.height) * axes[:, 2] + build.slip * under.anterior
        frames[level] = VertebralFrame(origin, axes[:, 0], axes[:, 1], axes[:, 2])
    return dict(sorted(frames.items(), key=lambda item: levels.index(item[0])))


def extent(frames: dict[Level, VertebralFrame]) -> tuple[Floats, Floats]:
    """A box of the model that holds the bones with room for a trunk around them."""
    origins = np.array([frame.origin for frame in frames.values()])
    return origins.min(axis=0) - (150.0, 150.0, 160.0), origins.max(axis=0) + (150.0, 150.0, 80.0)
