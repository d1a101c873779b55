"""The bones around C2: the atlas, C3 and C4, the base of the skull, the mandible and the hyoid.

All in frames of their own or, for skull, mandible and hyoid, in the frame of C2.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import SIDES, side_sign
from spinescrew.phantoms.axis.morphometry import AxisPatient
from spinescrew.phantoms.axis.parts import dens_foot
from spinescrew.phantoms.parts import Rows, body, capsule, channel, slab

Floats = NDArray[np.float64]

_UP = np.array([0.0, 0.0, 1.0])


def atlas_centre(patient: AxisPatient) -> Floats:
    """Middle of the atlas's ring in C2's frame: the dens stands in its front third."""
    z = patient.sizes
    return np.array([0.0, -0.5 * z.depth - 4.0, 0.5 * z.height + 5.9])


def atlas_parts(patient: AxisPatient) -> Rows:
    """C1: two lateral masses, anterior and posterior arch, transverse processes with their foramina."""
    z, s = patient.sizes, patient.scale
    foot = dens_foot(patient) - atlas_centre(patient)
    front = foot[1] - 12.5 * np.tan(np.radians(z.dens_tilt)) + 0.5 * z.dens[1] + 2.0
    fall = np.radians(z.facet_deg)
    rows, cuts = [], []
    for side in SIDES:
        sign = side_sign(side)
        along = np.array([sign * np.cos(fall), 0.0, -np.sin(fall)])
        mass = np.array([sign * 17.5 * s, 3.0, -1.0])
        rows.append(slab(mass, along, (0, 1, 0), (7.0 * s, 8.0 * s, 7.5), 4.0, fillet=2.0))
        tip = np.array([sign * 36.0 * s, -1.0, 0.0])
        rows.append(capsule(mass + (sign * 3.0, 3.5, 0.0), tip + (0, 1.0, 0), (3.4, 3.6), stretch=1.2))
        rows.append(capsule(mass + (sign * 3.0, -5.0, 0.0), tip - (0, 1.0, 0), (3.2, 3.6), stretch=1.2))
        rows += _arc([mass + (-sign * 2.0, 5.0, 0), (sign * 9.0, front + 1.6, 0.5), (0.0, front + 2.8, 0.5)], 2.7, 1.7)
        rows += _arc(
            [
                mass + (0, -5.5, 0),
                (sign * 17.0 * s, -12.0, 2.0),
                (sign * 10.5 * s, -21.0 * s, 1.5),
                (0.0, -24.0 * s, 1.0),
            ],
            2.7,
            1.4,
        )
        hole = np.array([sign * 27.0 * s, 0.0, 0.0])
        cuts.append(capsule(hole - 12 * _UP, hole + 12 * _UP, (2.9, 2.9), cut=True, fillet=0.6))
    rows.append(capsule((0, front + 3.0, 1.5), (0, front + 4.4, -0.5), (2.6, 2.4)))
    return np.array(rows + cuts)


def _arc(points: list[object], radius: float, tall: float) -> list[Rows]:
    knots = [np.asarray(point, dtype=float) for point in points]
    return [capsule(a, b, (radius, radius), stretch=tall, fillet=1.5) for a, b in itertools.pairwise(knots)]


def cervical_parts(patient: AxisPatient, spinous: float) -> Rows:
    """A vertebra below C2: body with uncinate processes, pillars, laminae, foramina and a bifid process."""
    z, s = patient.sizes, patient.scale
    wide, deep, tall = 17.0 * s, 14.6 * s, 13.0 * s
    back = -0.5 * deep
    rows = [body((wide, wide + 1.0), deep, tall, exponent=z.exponent, waist=0.08, hollow=(0.9, 1.3), posterior=0.4)]
    cuts = []
    for side in SIDES:
        sign = side_sign(side)
        pillar = np.array([sign * (0.5 * z.canal[0] + 8.0), back - 6.5, -0.5])
        rows.append(
            capsule((sign * 0.46 * wide, -4.0, 0.46 * tall), (sign * 0.46 * wide, 3.0, 0.48 * tall), (2.4, 2.0))
        )
        rows.append(
            capsule((sign * 0.40 * wide, -3.0, 1.0), pillar + (-sign * 1.0, 3.0, 1.0), (3.0, 3.2), stretch=1.15)
        )
        rows.append(slab(pillar, (1, 0, 0), (0, 0.70, 0.71), (5.9, 5.6, 5.6), 2.4, fillet=2.0))
        hole = np.array([sign * (0.5 * wide + 6.6), -1.0, 0.0])
        tip = hole + (sign * 5.6, -0.5, -3.0)
        rows.append(capsule((sign * 0.42 * wide, 4.0, -2.0), hole + (sign * 0.5, 4.6, -2.5), (2.3, 1.9), fillet=1.5))
        rows.append(capsule(hole + (sign * 0.5, 4.6, -2.5), tip, (1.9, 2.2), fillet=1.5))
        rows.append(capsule(pillar + (sign * 1.0, 3.0, -2.0), tip, (2.6, 2.2), fillet=1.5))
        cuts.append(capsule(hole - 14 * _UP, hole + 14 * _UP, (2.9, 2.9), cut=True, fillet=0.6))
        middle = np.array([0.0, back - z.canal[1] + 0.5 - 3.0, -4.0])
        along = middle - (pillar + (0.0, -3.0, -1.0))
        size = (0.5 * float(np.linalg.norm(along)) + 1.0, 5.0, 0.38 * z.lamina)
        rows.append(slab(middle - along / 2, along, (0.0, 0.3, 1.0), size, 0.3 * z.lamina))
    ridge = np.array([0.0, back - z.canal[1] - 3.0, -5.0])
    tip = ridge + spinous * np.array([0.0, -0.92, -0.39])
    rows.append(capsule(ridge, tip, (2.6, 2.8), stretch=1.4))
    rows += [capsule(tip, tip + (sign * 4.0, -2.0, -1.0), (2.4, 2.2)) for sign in (-1.0, 1.0)]
    opening = channel((0.0, back - 0.5 * z.canal[1] + 0.4), (0.5 * z.canal[0], 0.5 * z.canal[1] - 0.2), 0.3)
    return np.array([*rows, opening, *cuts])


def skull_parts(patient: AxisPatient) -> Rows:
    """Condyles and the rim of the foramen magnum."""
    s = patient.scale
    top = atlas_centre(patient) + (0.0, 0.0, 12.5)
    rows = []
    for side in SIDES:
        sign = side_sign(side)
        condyle = top + (sign * 16.0 * s, 3.0, 2.0)
        rows.append(capsule(condyle + (sign * 2, -7.0, 1.0), condyle + (-sign * 3, 6.0, 0.0), (4.4, 4.4), fillet=3.0))
        rows += _arc(
            [
                condyle + (sign * 2.0, -6.0, 5.0),
                top + (sign * 16.0 * s, -19.0, 9.0),
                top + (sign * 8.0 * s, -30.0, 8.0),
                top + (0.0, -34.0, 8.0),
            ],
            3.2,
            1.2,
        )
        rows.append(slab(condyle + (sign * 14.0, -3.0, 9.0), (1, 0, 0), (0, 1, 0), (16.0, 15.0, 3.4), 3.0, fillet=4.0))
        rows += _arc([condyle + (0, 6.0, 5.0), top + (sign * 5.0, 18.0, 8.0), top + (0.0, 21.0, 10.0)], 3.4, 1.0)
    return np.array(rows)


def jaw_parts(patient: AxisPatient, random: np.random.Generator) -> Rows:
    """Mandible and hyoid in front of the neck, wherever the patient holds the jaw."""
    s = patient.scale
    drop, ahead = float(random.uniform(-8.0, 8.0)), float(random.uniform(-4.0, 6.0))
    rows = []
    for side in SIDES:
        sign = side_sign(side)
        angle = np.array([sign * 44.0 * s, 24.0 + ahead, -8.0 + drop])
        chin = np.array([sign * 8.0, 74.0 * s + ahead, -18.0 + drop])
        rows.append(
            capsule(angle, (sign * 47.0 * s, 15.0 + ahead, 40.0 + drop), (3.6, 3.2), stretch=2.4, along=(0, 1, 0))
        )
        rows.append(capsule(angle, chin, (3.8, 4.6), stretch=2.2))
        rows.append(
            capsule((sign * 19.0, 36.0 + ahead, -32.0 + drop), (sign * 5.0, 50.0 + ahead, -34.0 + drop), (1.9, 2.6))
        )
    rows.append(
        capsule((-8.0, 74.0 * s + ahead, -18.0 + drop), (8.0, 74.0 * s + ahead, -18.0 + drop), (5.0, 5.0), stretch=2.0)
    )
    rows.append(capsule((-5.0, 50.0 + ahead, -34.0 + drop), (5.0, 50.0 + ahead, -34.0 + drop), (2.8, 2.8)))
    return np.array(rows)
