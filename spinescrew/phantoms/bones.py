"""One drawn vertebra as a list of parts in its own frame (right, anterior, superior; origin at the body's centre)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import SIDES, Side, VertebralFrame, direction_from_angles, side_sign
from spinescrew.anatomy.levels import Level
from spinescrew.phantoms.parts import Rows, body, capsule, channel, slab, tube
from spinescrew.phantoms.variation import Build

Floats = NDArray[np.float64]

_BEHIND_MM = 12.0
_OWN = VertebralFrame(np.zeros(3), *np.eye(3))
UP = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True, eq=False)
class Bone:
    """Landmarks of one drawn vertebra that its parts and its neighbours' are hung on."""

    level: Level
    build: Build

    @property
    def thoracic(self) -> bool:
        """Whether it carries ribs and the slender processes that go with them."""
        return self.level <= Level.T12

    def isthmus(self, side: Side) -> Floats:
        """Centre of the narrowest section of the pedicle as designed."""
        z = self.build.sizes
        half = 0.5 * self.pedicle_width(side) / np.cos(np.radians(z.pta))
        right = 0.5 * z.canal_width + (10.0 if self.level is Level.S1 else half)
        back = 2.0 if self.level is Level.S1 else 4.0
        return np.array([side_sign(side) * right, -0.5 * z.depth - back, 0.5 * z.height - 0.5 * z.pedicle_height - 1.0])

    def pedicle_width(self, side: Side) -> float:
        """Its outer width at the isthmus: the two sides differ."""
        return self.build.sizes.pedicle_width * self.build.uneven[SIDES.index(side)]

    def axis(self, side: Side) -> Floats:
        """Unit direction of the pedicle axis, from posterior to anterior."""
        return direction_from_angles(self.build.sizes.pta, self.build.sizes.psa, _OWN, side)

    def mass(self, side: Side) -> Floats:
        """Where the pedicle ends in the articular mass."""
        return self.isthmus(side) - _BEHIND_MM * self.axis(side)

    def facet_normal(self, side: Side) -> Floats:
        """Unit normal of the superior facet, towards the vertebra above's process: medial and backwards."""
        angle = np.radians(self.build.facet_deg[SIDES.index(side)])
        return np.array([-side_sign(side) * np.cos(angle), -np.sin(angle), 0.0])

    @property
    def superior_span(self) -> tuple[float, float]:
        """Lower and upper end of the superior articular process: the joint lies above the pedicle's axis."""
        z = self.build.sizes
        foot = 0.5 * z.height - (0.25 if self.thoracic else 0.5) * z.pedicle_height
        return foot, 0.5 * z.height + self.build.reach

    def superior_centre(self, side: Side) -> Floats:
        """Centre of the superior articular process."""
        mass = self.mass(side)
        # The entry of a screw lies lateral of the process: more so, the more the pedicle converges.
        inward = 0.8 * _BEHIND_MM * np.sin(np.radians(self.build.sizes.pta))
        right = side_sign(side) * (abs(mass[0]) - inward)
        return np.array([right, mass[1] + 1.0, float(np.mean(self.superior_span))])

    def facet_target(self, side: Side) -> Floats:
        """Where the inferior process of the vertebra above ends: behind and medial of the superior one."""
        grown = self.build.overgrowth
        foot, top = self.superior_span
        beside = self.superior_centre(side) + (8.6 + 2.0 * (grown - 1.0)) * self.facet_normal(side)
        return np.array([beside[0], beside[1], foot + 0.68 * (top - foot)])


def vertebra_parts(bone: Bone, targets: dict[Side, Floats]) -> Rows:
    """Parts of a presacral vertebra; ``targets`` are the facets of the vertebra below, in this one's frame."""
    z, b = bone.build.sizes, bone.build
    share = 0.03 if bone.thoracic else 0.025
    rows = [
        body(
            (z.width * (1 - share), z.width * (1 + share)),
            z.depth,
            z.height,
            exponent=b.exponent,
            waist=b.waist,
            hollow=b.hollow,
            loss=b.loss,
            lip=b.lip,
            lip_phase=b.lip_phase,
        )
    ]
    for side in SIDES:
        rows += pedicle(bone, side)
        rows += _transverse(bone, side)
        rows += _inferior(bone, side, targets[side])
    rows += _arch(bone)
    narrowing = 0.35 if bone.level >= Level.L3 else 0.1
    rows.append(
        channel(
            (0.0, -0.5 * z.depth - 0.5 * z.canal_depth), (0.5 * z.canal_width, 0.5 * z.canal_depth + 0.3), narrowing
        )
    )
    return np.array(rows)


def superior_process(bone: Bone, side: Side) -> Rows:
    """The process that carries the facet, a thick leaf beside the joint."""
    grown, centre, normal = bone.build.overgrowth, bone.superior_centre(side), bone.facet_normal(side)
    foot, top = bone.superior_span
    half = 0.5 * (top - foot) + 1.0
    size = (6.8 if not bone.thoracic else 5.2) * grown
    return slab(centre, np.cross(normal, UP), UP, (size, half, 4.0 * grown), 3.2)


def pedicle(bone: Bone, side: Side) -> list[Rows]:
    """The pedicle, and the superior articular process above its end."""
    z, axis, centre = bone.build.sizes, bone.axis(side), bone.isthmus(side)
    width = bone.pedicle_width(side)
    half = (0.5 * width, 0.5 * z.pedicle_height)
    flare = 0.45 * min(1.0, 10.0 / width)
    return [
        tube(centre, axis, np.cross(axis, UP), half, (-_BEHIND_MM, 18.0), flare),
        superior_process(bone, side),
    ]


def _transverse(bone: Bone, side: Side) -> list[Rows]:
    z, mass, sign = bone.build.sizes, bone.mass(side), side_sign(side)
    start = mass + (sign * 1.0, 3.0, 0.0)
    if bone.build.fused > 0:
        tip = np.array([sign * (abs(mass[0]) + 26.0), mass[1] + 8.0, mass[2] - 12.0])
        return [capsule(start, tip, (6.0, 6.0 + 6.0 * bone.build.fused), stretch=1.3, fillet=4.0)]
    if bone.thoracic:
        length = z.process * (0.55 if bone.level is Level.T12 else 1.0)
        tip = np.array([sign * (abs(mass[0]) + 0.75 * length), mass[1] - 0.45 * length, mass[2] + 3.0])
        return [capsule(start, tip, (4.4, 4.6), stretch=1.2)]
    tip = np.array([sign * (abs(mass[0]) + z.process), mass[1] - 1.0, mass[2] + 3.0])
    bulky = 1.35 if bone.level >= Level.L5 else 1.0
    return [capsule(start, tip, (4.2 * bulky, 2.5 * bulky), stretch=1.6)]


def _inferior(bone: Bone, side: Side, target: Floats) -> list[Rows]:
    """Pars and inferior process: from the articular mass down along the lamina's edge to the joint below."""
    z, mass = bone.build.sizes, bone.mass(side)
    back = -0.5 * z.depth - z.canal_depth - 3.0
    pars = np.array([0.5 * (mass[0] + 0.9 * target[0]), min(mass[1] - 1.5, back + 2.0), -0.30 * z.height])
    grown = bone.build.overgrowth
    return [
        capsule(mass, pars, (5.0, 4.4)),
        capsule(pars, target, (4.6, 5.0 * grown), fillet=3.5),
    ]


def _arch(bone: Bone) -> list[Rows]:
    """Two laminae that lean backwards on their way down, and the spinous process."""
    z = bone.build.sizes
    back = -0.5 * z.depth - z.canal_depth - 3.0
    tall = 0.40 * z.height if bone.thoracic else 0.36 * z.height
    middle = np.array([0.0, back - 3.0, -0.28 * z.height])
    lean = np.array([0.0, 0.30, 1.0])
    rows = []
    for side in SIDES:
        mass = bone.mass(side)
        start = np.array([0.85 * mass[0], min(mass[1], back + 5.0), middle[2] + 2.0])
        along = middle - start
        rows.append(slab((start + middle) / 2, along, lean, (0.5 * float(np.linalg.norm(along)) + 2.0, tall, 3.6), 2.8))
    steep = {Level.T8: 52.0, Level.T9: 48.0, Level.T10: 40.0, Level.T11: 28.0, Level.T12: 18.0}.get(bone.level, 12.0)
    direction = np.array([0.0, -np.cos(np.radians(steep)), -np.sin(np.radians(steep))])
    height = 0.19 * z.height if bone.thoracic and bone.level < Level.T11 else 0.40 * z.height
    if bone.level is Level.L5:
        height *= 0.75
    centre = middle + 0.5 * z.spinous * direction
    rows.append(slab(centre, direction, UP, (0.5 * z.spinous + 2.0, height, 3.5), 2.8))
    tip = middle + (z.spinous - 2.0) * direction
    rows.append(capsule(tip + 0.6 * height * UP, tip - 0.7 * height * UP, (3.8, 5.2)))
    return rows
