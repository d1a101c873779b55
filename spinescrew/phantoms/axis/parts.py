"""C2 as a list of parts in its own frame (right, anterior, superior; origin at the centre of the body)."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import SIDES, Side, VertebralFrame, direction_from_angles, side_sign
from spinescrew.geometry.vectors import unit
from spinescrew.phantoms.axis.morphometry import AxisPatient, PedicleSizes
from spinescrew.phantoms.parts import Rows, body, capsule, channel, slab, tube

Floats = NDArray[np.float64]

UP = np.array([0.0, 0.0, 1.0])
_OWN = VertebralFrame(np.zeros(3), *np.eye(3))
_BEHIND_MM, _AHEAD_MM = 9.0, 15.0
_GAP_MM = 0.5


@dataclass(frozen=True, eq=False)
class Pedicle:
    """Landmarks of one pedicle as designed, in C2's own frame."""

    patient: AxisPatient
    side: Side

    @property
    def sizes(self) -> PedicleSizes:
        """Its drawn sizes."""
        return self.patient.pedicles[self.side]

    @property
    def sign(self) -> float:
        """+1 on the right."""
        return side_sign(self.side)

    @property
    def isthmus(self) -> Floats:
        """Centre of the narrowest section: beside the canal, its upper wall where the superior facet ends."""
        z = self.patient.sizes
        right = 0.5 * z.canal[0] - 0.6 + _GAP_MM + 0.5 * self.sizes.width / np.cos(np.radians(self.sizes.pta))
        return np.array([self.sign * right, -0.5 * z.depth - 4.0, 0.25 * z.height - 0.5 * self.sizes.height])

    @property
    def axis(self) -> Floats:
        """Unit direction from posterior to anterior."""
        return direction_from_angles(self.sizes.pta, self.sizes.psa, _OWN, self.side)

    @property
    def outwards(self) -> Floats:
        """Unit vector across the axis, horizontal, away from the midline."""
        return self.sign * unit(np.cross(self.axis, UP))

    def at(self, along: float) -> Floats:
        """Point of the axis this far in front of the isthmus."""
        return self.isthmus + along * self.axis

    @property
    def foramen(self) -> Floats:
        """Centre of the transverse foramen at the height where the artery turns outwards."""
        reach = 0.5 * self.sizes.width + self.sizes.foramen + _GAP_MM
        place = self.isthmus + 3.0 * unit(self.axis * (1, 1, 0)) + reach * self.outwards
        return np.array([place[0], place[1], self.sizes.bend])

    @property
    def artery(self) -> list[Floats]:
        """Course of the vertebral artery through C2, from below: up, outwards under the facet, and up again."""
        bend = self.foramen
        out = bend + (self.sign * 6.0, 0.5, 2.2)
        return [
            np.array([bend[0] - self.sign * 1.5, bend[1] + 1.0, -24.0]),
            np.array([bend[0], bend[1], -9.0]),
            bend,
            out,
            out + (self.sign * 4.5, 0.5, 6.5),
        ]

    @property
    def inferior_facet(self) -> Floats:
        """Centre of the inferior articular process's end."""
        z = self.patient.sizes
        return np.array([self.sign * (0.5 * z.canal[0] + 8.0), -0.5 * z.depth - 10.5, -0.60 * z.height])


def axis_parts(patient: AxisPatient) -> Rows:
    """Parts of C2."""
    z = patient.sizes
    pedicles = [Pedicle(patient, side) for side in SIDES]
    rows = [
        body(
            (0.80 * z.width, z.width),
            0.92 * z.depth,
            z.height,
            exponent=z.exponent,
            waist=z.waist,
            hollow=(0.0, 1.3),
            posterior=0.6,
        )
    ]
    rows += [_lip(patient), *_dens(patient)]
    for pedicle in pedicles:
        rows += [*_facet(pedicle), *_transverse(pedicle), *_inferior(pedicle)]
    rows += _arch(patient)
    rows += _canal(patient)
    for pedicle in pedicles:
        rows.append(_tube(pedicle))
    for pedicle in pedicles:
        rows += _artery_cut(pedicle)
    return np.array(rows)


def _dens(patient: AxisPatient) -> list[Rows]:
    """The dens: waisted above its base where the transverse ligament lies, its tip rounded, leaning back."""
    z = patient.sizes
    wide, deep, tall = z.dens
    lean = np.array([0.0, -np.sin(np.radians(z.dens_tilt)), np.cos(np.radians(z.dens_tilt))])
    foot = dens_foot(patient)
    neck = foot + 7.0 * lean
    head = foot + (tall + 4.0 - 0.5 * wide) * lean
    across, ahead = 0.5 * wide, deep / wide
    return [
        capsule(foot - (0, 0, 5.0), neck, (across + 1.4, 0.86 * across), stretch=ahead, along=(0, 1, 0), fillet=5.0),
        capsule(neck, head, (0.86 * across, 0.94 * across), stretch=ahead, along=(0, 1, 0), fillet=2.5),
    ]


def dens_foot(patient: AxisPatient) -> Floats:
    """Where the axis of the dens leaves the body."""
    z = patient.sizes
    return np.array([0.0, 0.03 * z.depth, 0.5 * z.height - 4.0])


def _lip(patient: AxisPatient) -> Rows:
    """The lower front edge of the body, which hangs over the disc."""
    z = patient.sizes
    end = np.array([0.30 * z.width, 0.5 * z.depth - 2.6, 2.2 - 0.5 * z.height])
    return capsule(end * (-1, 1, 1), end, (2.3, 2.3), fillet=3.0)


def _facet(pedicle: Pedicle) -> list[Rows]:
    """The superior articular mass: a thick plate that falls outwards, on a root beside the base of the dens."""
    z, sign = pedicle.patient.sizes, pedicle.sign
    fall = np.radians(z.facet_deg)
    along = np.array([sign * np.cos(fall), 0.0, -np.sin(fall)])
    scale = pedicle.patient.scale
    centre = np.array([sign * 15.0 * scale, -0.5 * z.depth + 6.2, 0.5 * z.height - 5.4])
    root = np.array([sign * 0.30 * z.width, centre[1] - 0.5, 0.5 * z.height - 9.0])
    return [
        capsule(root, centre - (sign * 3.0, 0.5, 1.5), (5.5, 4.5), stretch=1.2, along=(0, 1, 0), fillet=3.0),
        capsule(
            centre - 3.2 * scale * along,
            centre + 4.2 * scale * along,
            (4.0, 3.7),
            stretch=2.0 * scale,
            along=(0, 1, 0),
            fillet=3.0,
        ),
    ]


def _transverse(pedicle: Pedicle) -> list[Rows]:
    """The transverse process: two bars around the artery that meet beside it."""
    f, sign, r = pedicle.foramen, pedicle.sign, pedicle.sizes.foramen
    level = 0.25 * pedicle.patient.sizes.height - 8.8
    tip = np.array([f[0] + sign * (r + 2.4), f[1] - 1.0, level - 2.5])
    front = np.array([f[0] - sign * 1.0, f[1] + r + 1.5, level])
    rear = np.array([f[0] - sign * 1.0, f[1] - r - 1.8, level + 0.5])
    root = np.array([sign * 0.36 * pedicle.patient.sizes.width, 0.0, level + 1.0])
    behind = pedicle.at(-6.5) * (1, 1, 0) + level * UP
    return [
        capsule(root, front, (3.0, 1.9), stretch=1.5, fillet=2.0),
        capsule(front, tip, (1.9, 2.2), stretch=1.4, fillet=1.5),
        *_floor(pedicle),
        capsule(behind, rear, (2.6, 2.0), stretch=1.4, fillet=1.0),
        capsule(rear, tip, (1.9, 2.2), stretch=1.4, fillet=1.5),
    ]


def _floor(pedicle: Pedicle) -> list[Rows]:
    """The lower edge of the pedicle runs level to the body: the medial wall of the foramen."""
    radius = min(1.7, 0.42 * pedicle.sizes.width)
    low = (pedicle.isthmus[2] - 0.5 * pedicle.sizes.height + radius + 0.5) * UP
    behind, ahead = (pedicle.at(along) * (1, 1, 0) + low for along in (-3.0, 8.0))
    return [capsule(behind, ahead, (radius, radius), fillet=0.8)]


def _inferior(pedicle: Pedicle) -> list[Rows]:
    """From the end of the pedicle down to the joint with C3."""
    start, end = pedicle.at(-10.5), pedicle.inferior_facet
    return [
        capsule(start, end, (5.2, 5.0), stretch=1.15, along=(1, 0, 0), fillet=2.5),
        slab(end, (1, 0, 0), (0, 0.72, 0.7), (5.8, 5.2, 3.2), 2.6, fillet=2.5),
    ]


def _tube(pedicle: Pedicle) -> Rows:
    z = pedicle.sizes
    flare = 0.34 * float(np.clip(6.5 / z.width, 0.8, 2.5))
    row = tube(
        pedicle.isthmus,
        pedicle.axis,
        pedicle.outwards * pedicle.sign,
        (0.5 * z.width, 0.5 * z.height),
        (-_BEHIND_MM, _AHEAD_MM),
        flare,
    )
    row[1] = 1.2
    return row


def _artery_cut(pedicle: Pedicle) -> list[Rows]:
    """The foramen and the groove of the artery; a high-riding one also hollows the mass under the facet."""
    course, radius = pedicle.artery, pedicle.sizes.foramen
    rows = [capsule(a, b, (radius, radius), cut=True, fillet=0.6) for a, b in itertools.pairwise(course)]
    if pedicle.sizes.high_riding:
        under = pedicle.at(1.5) - (0, 0, 0.5 * pedicle.sizes.height + radius + 0.3)
        rows.append(capsule(under, course[2], (radius, radius), cut=True, fillet=0.6))
    return rows


def _arch(patient: AxisPatient) -> list[Rows]:
    """Two laminae that meet behind the canal, and a stout bifid spinous process."""
    z = patient.sizes
    half = 0.5 * z.lamina
    back = -0.5 * z.depth - z.canal[1] - half - 1.0
    middle = np.array([0.0, back - 1.5, -0.34 * z.height])
    rows = []
    for side in SIDES:
        pedicle = Pedicle(patient, side)
        start = pedicle.at(-12.0) + (0.0, -2.0, -5.0)
        along = middle - start
        size = (0.5 * float(np.linalg.norm(along)) + 1.5, 0.31 * z.height, half)
        rows.append(slab((start + middle) / 2, along, (0.0, 0.28, 1.0), size, 0.9 * half, fillet=2.5))
    down = unit(np.array([0.0, -1.0, -0.42]))
    ridge = middle - (0.0, 1.5, 0.0)
    tip = ridge + z.spinous * down
    rows.append(capsule(ridge, tip, (3.6, 3.9), stretch=1.55, fillet=3.0))
    for sign in (-1.0, 1.0):
        rows.append(capsule(tip, tip + (sign * 5.5 * z.bifid, -3.0, -2.5), (3.4, 2.8), fillet=2.0))
    return rows


def _canal(patient: AxisPatient) -> list[Rows]:
    """The canal: wide and flat in front, narrowing to the meeting of the laminae."""
    z = patient.sizes
    wide, deep = 0.5 * z.canal[0], z.canal[1]
    front = -0.5 * z.depth - 0.3
    box = slab((0.0, front - 0.36 * deep, 0.0), (1, 0, 0), (0, 1, 0), (wide, 0.36 * deep, 80.0), 5.5)
    box[1] = -0.8
    return [box, channel((0.0, front - 0.5 * deep), (wide, 0.5 * deep), 0.3)]
