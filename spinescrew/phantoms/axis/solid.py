"""C2 and its neighbours in their places, deformed and roughened: the exact solids of one case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import SIDES, Side, VertebralFrame
from spinescrew.anatomy.levels import Level
from spinescrew.geometry.vectors import cross, rotation, unit
from spinescrew.phantoms.axis.morphometry import AxisPatient
from spinescrew.phantoms.axis.neighbours import atlas_centre, atlas_parts, cervical_parts, jaw_parts, skull_parts
from spinescrew.phantoms.axis.parts import Pedicle, axis_parts
from spinescrew.phantoms.kernels import body_plates
from spinescrew.phantoms.parts import FIRST_SIZE, HOLLOWS
from spinescrew.phantoms.solid_spine import Solid, distances, packed
from spinescrew.phantoms.variation import Manner
from spinescrew.phantoms.warp import Warp

Floats = NDArray[np.float64]

_JOINT_MM = 1.7
_REACH_MM = 130.0


@dataclass(frozen=True, eq=False)
class AxisSolids:
    """Exact solids in patient coordinates.

    Attributes
    ----------
    own:
        Frame of C2 in the undeformed model; parts and landmarks are given in it.
    solids:
        C1 to C4; ``others`` are bones without a label.
    """

    patient: AxisPatient
    own: VertebralFrame
    frames: dict[Level, VertebralFrame]
    solids: dict[Level, Solid]
    others: tuple[Solid, ...]
    warp: Warp

    def distance(self, points: Any) -> Floats:
        """The implicit function of C2 (n,) at RAS points (n, 3): negative inside, about mm near the surface."""
        return distances(self.solids[Level.C2], self.warp, points)

    def to_patient(self, local: Any) -> Floats:
        """Points (n, 3) of C2's own undeformed frame to RAS mm of the patient."""
        return self.warp.to_patient(self.own.to_ras(np.atleast_2d(local)))

    def pedicle(self, side: Side) -> Pedicle:
        """Landmarks as designed."""
        return Pedicle(self.patient, side)


@dataclass(frozen=True, eq=False)
class Setting:
    """Everything about a case but C2's sizes: how the patient lies, the deformation and the roughness.

    One setting may be given to several patients, so that a pedicle can be made wider and all else stays.
    """

    tilt: Floats
    warp: Warp
    rough: tuple[float, float]
    jaw: int
    seed: int


def draw_setting(random: np.random.Generator, manner: Manner) -> Setting:
    """A patient on the table, turned a little, deformed as ``manner`` says."""
    tilt = rotation((1, 0, 0), 7.0 * random.normal()) @ rotation((0, 1, 0), 3.5 * random.normal())
    tilt = tilt @ rotation((0, 0, 1), 6.0 * random.normal())
    sizes = [float(random.uniform(*each)) for each in manner.warp_sizes]
    amounts = [float(random.uniform(*each)) for each in manner.warp_amounts]
    box = np.full(3, _REACH_MM)
    warp = Warp.draw(random, -box, box, (sizes[0], sizes[1]), (amounts[0], amounts[1]))
    rough = (float(random.uniform(*manner.rough[0])), float(random.uniform(*manner.rough[1])))
    return Setting(tilt, warp, rough, int(random.integers(1 << 30)), int(random.integers(1 << 24)))


def still_setting(seed: int = 0) -> Setting:
    """A patient who lies straight, neither deformed nor rough: what is drawn is what there is."""
    origins, steps = np.full((2, 3), -60.0), np.array([40.0, 40.0])
    nothing = np.zeros((7, 7, 7, 3), np.float32)
    return Setting(np.eye(3), Warp(nothing, nothing, origins, steps), (4.0, 0.0), seed, seed)


def build_axis(patient: AxisPatient, setting: Setting) -> AxisSolids:
    """Every bone of ``patient`` in its place."""
    own = _placed(setting.tilt, np.zeros(3), np.eye(3))
    frames = {Level.C1: _placed(setting.tilt, atlas_centre(patient), np.eye(3)), Level.C2: own}
    turned, drop = np.eye(3), np.zeros(3)
    half, tall = 0.5 * patient.sizes.height, 13.0 * patient.scale
    for level in (Level.C3, Level.C4):
        drop = drop - (half + 0.5 * patient.disc) * turned[:, 2]
        turned = rotation((1, 0, 0), -patient.lordosis) @ turned
        half = 0.5 * tall
        drop = drop - (half + 0.5 * patient.disc) * turned[:, 2]
        frames[level] = _placed(setting.tilt, drop, turned)
    rows = {
        Level.C1: atlas_parts(patient),
        Level.C2: axis_parts(patient),
        Level.C3: cervical_parts(patient, 10.0),
        Level.C4: cervical_parts(patient, 12.0),
    }
    nothing = np.zeros((0, rows[Level.C2].shape[1]))
    solids = {}
    for level, frame in frames.items():
        below = Level(level + 1)
        other = (packed(frames[below]), rows[below]) if below in rows else (packed(frame), nothing)
        room = _JOINT_MM + setting.rough[1]
        solids[level] = Solid(packed(frame), rows[level], *other, room, setting.rough, setting.seed + int(level))
    skull = Solid(
        packed(own),
        skull_parts(patient),
        packed(frames[Level.C1]),
        rows[Level.C1],
        _JOINT_MM,
        setting.rough,
        setting.seed,
    )
    jaw = jaw_parts(patient, np.random.default_rng(setting.jaw))
    others = (skull, Solid(packed(own), jaw, packed(own), nothing, 0.0, setting.rough, setting.seed))
    return AxisSolids(patient, own, frames, solids, others, setting.warp)


def _placed(tilt: Floats, origin: Floats, axes: Floats) -> VertebralFrame:
    turned = tilt @ axes
    return VertebralFrame(tilt @ origin, turned[:, 0], turned[:, 1], turned[:, 2])


def true_frame(solids: AxisSolids) -> VertebralFrame:
    """C2's frame where the deformation has put it.

    C2 has no flat superior endplate: superior is the normal of the inferior one without its hollow, right runs from
    the left isthmus to the right one (science: section 1.1 of the project's reference).
    """
    z = solids.patient.sizes
    turns = np.linspace(0.0, 2 * np.pi, 16, endpoint=False)
    rim = 0.36 * np.stack([z.width * np.cos(turns), z.depth * np.sin(turns)], axis=1)
    flat = solids.solids[Level.C2].rows[0, FIRST_SIZE:].copy()
    flat[HOLLOWS] = 0.0
    plate = solids.to_patient([(*point, body_plates(flat, *point)[1]) for point in rim])
    normal = np.linalg.svd(plate - plate.mean(axis=0))[2][2]
    superior = unit(normal * np.sign(normal @ solids.own.superior))
    left, right = solids.to_patient([solids.pedicle(side).isthmus for side in SIDES])
    across = unit((right - left) - ((right - left) @ superior) * superior)
    origin = solids.to_patient(np.zeros(3))[0]
    return VertebralFrame(origin, across, cross(superior, across), superior, source="inferior endplate")
