"""Soft tissue of the neck: skin, muscles, airway, vessels, canal and disc, laid over each other in order."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import SIDES, side_sign
from spinescrew.anatomy.levels import Level
from spinescrew.phantoms.axis.solid import AxisSolids
from spinescrew.phantoms.kernels import noise_all
from spinescrew.phantoms.surroundings import Tissue

Floats = NDArray[np.float64]

_ENHANCED = 0.5


@dataclass(frozen=True, eq=False)
class Neck:
    """What is drawn of the neck: mm and HU; ``artery`` and ``vein`` are HU, enhanced or not.

    ``lumen`` is the share of the foramen that the (left, right) artery fills: one is often smaller.
    """

    girth: tuple[float, float]
    fat: float
    muscle: float
    muscle_fat: float
    contrast: bool
    artery: float
    vein: float
    airway: tuple[float, float]
    lumen: tuple[float, float]
    sac: float
    disc: float
    seed: int


def draw_neck(random: np.random.Generator, age: float) -> Neck:
    """A neck: thin or thick, with contrast medium in half of the cases."""
    contrast = bool(random.random() < _ENHANCED)
    fat = float(np.clip(random.gamma(2.5, 3.0), 2.0, 20.0))
    lumen = random.uniform(0.55, 0.85, 2)
    if random.random() < 0.15:
        lumen[int(random.integers(2))] *= 0.6
    return Neck(
        girth=(54.0 + fat + float(random.uniform(0, 10)), 57.0 + fat + float(random.uniform(0, 10))),
        fat=fat,
        muscle=float(random.uniform(45.0, 68.0)),
        muscle_fat=float(np.clip(0.010 * (age - 20.0) + 0.2 * random.normal(), 0.05, 0.9)),
        contrast=contrast,
        artery=float(random.uniform(180.0, 480.0) if contrast else random.uniform(38.0, 55.0)),
        vein=float(random.uniform(60.0, 220.0) if contrast else random.uniform(38.0, 55.0)),
        airway=(float(random.uniform(6.0, 13.0)), float(random.uniform(4.0, 9.0))),
        lumen=(float(lumen[0]), float(lumen[1])),
        sac=float(random.uniform(12.0, 35.0)),
        disc=float(random.uniform(60.0, 105.0)),
        seed=int(random.integers(1 << 30)),
    )


def wide_tissues(solids: AxisSolids, neck: Neck, points: Floats) -> list[Tissue]:
    """The neck around the spine at points (n, 3) of the undeformed model."""
    x, y, z = solids.own.to_local(points).T
    axis = solids.patient.sizes

    def noise(size: float, amount: float, stream: int = 0) -> Floats:
        out = np.empty(len(points))
        noise_all(np.ascontiguousarray(points), size, neck.seed + stream, out)
        return amount * out

    middle = 1.0
    skin = (np.hypot(x / neck.girth[0], (y - middle) / neck.girth[1]) - 1.0) * min(neck.girth) + noise(50.0, 4.0)
    wall = skin + neck.fat + 2.0 + noise(30.0, 2.0, 1)
    back = -0.5 * axis.depth - axis.canal[1]
    planes = np.full(len(points), 40.0)
    for sign in (-1.0, 1.0):
        # Semispinalis and splenius behind, sternocleidomastoid beside, longus in front.
        for centre, half in (
            ((sign * 14.0, back - 10.0), (13.0, 13.0)),
            ((sign * 26.0, back - 2.0), (11.0, 17.0)),
            ((sign * 42.0, -8.0), (8.0, 16.0)),
            ((sign * 10.0, 0.5 * axis.depth + 4.5), (9.0, 4.5)),
        ):
            ring = np.hypot((x - centre[0]) / half[0], (y - centre[1]) / half[1])
            planes = np.minimum(planes, (ring - 1.0) * min(half))
    planes = planes + noise(14.0, 1.6, 2)
    bend = 0.12 * z
    airway = np.hypot(x / neck.airway[0], (y - 0.5 * axis.depth - 14.0 - neck.airway[1] - bend) / neck.airway[1])
    airway = (airway - 1.0) * min(neck.airway) + noise(12.0, 1.5, 3)
    gland = np.hypot((np.abs(x) - 36.0) / 12.0, (y - 16.0) / 13.0) * 12.0 - 12.0 + noise(12.0, 2.0, 4)
    carotid = _columns(x, y, z, 27.0, 15.0, 3.2) + noise(25.0, 1.0, 5)
    jugular = _columns(x, y, z, 31.0, 7.0, 4.8) + noise(20.0, 1.4, 6)
    streaks = np.maximum(planes + 0.8, 3.2 - 3.0 * neck.muscle_fat + noise(7.0, 3.8, 7))
    found = [
        ("skin", 12.0, (8.0, 10.0), skin),
        ("fat", -100.0, (10.0, 10.0), skin + 2.0),
        ("neck", 12.0, (6.0, 45.0), wall),
        ("muscle", neck.muscle, (6.0, 9.0), np.maximum(planes, wall)),
        ("muscle fat", -65.0, (5.0, 20.0), np.maximum(streaks, wall)),
        ("tongue and pharynx", 55.0, (9.0, 12.0), np.hypot(x / 24.0, (y - 34.0) / 20.0) * 20.0 - 20.0),
        ("parotid", 10.0, (5.0, 25.0), gland),
        ("jugular", neck.vein, (9.0, 5.0), jugular),
        ("carotid", neck.artery, (9.0, 5.0), carotid),
        ("airway", -990.0, (9.0, 10.0), airway),
    ]
    return [Tissue(name, hu, texture, field.astype(np.float32)) for name, hu, texture, field in found]


def near_tissues(solids: AxisSolids, neck: Neck, points: Floats) -> list[Tissue]:
    """Canal, discs and vertebral arteries at points (n, 3) of the undeformed model."""
    local = solids.own.to_local(points)
    x, y, z = local.T
    axis = solids.patient.sizes
    # The canal follows the cervical curve below C2 and widens above it.
    below = solids.frames[Level.C3].to_local(points)
    upper = z > -0.5 * axis.height
    u, v = np.where(upper, x, below[:, 0]), np.where(upper, y, below[:, 1])
    wide, deep = 0.5 * axis.canal[0], 0.5 * axis.canal[1]
    centre = -0.5 * axis.depth - 0.5 - deep
    ring = np.hypot(u / wide, (v - centre) / deep)
    sac = np.hypot(u / (0.78 * wide), (v - centre - 0.3) / (0.8 * deep))
    cord = np.hypot(u / 6.6, (v - centre - 0.8) / 4.2)
    disc = np.full(len(points), 40.0)
    for level in (Level.C3, Level.C4):
        at = solids.frames[level].to_local(points)
        high = at[:, 2] - 6.5 * solids.patient.scale - 0.5 * solids.patient.disc
        flat = np.hypot(at[:, 0] / 9.0, at[:, 1] / 8.0)
        disc = np.minimum(disc, np.maximum((flat - 1.0) * 8.0, np.abs(high) - 0.5 * solids.patient.disc - 2.0))
    vessels = np.full(len(points), 40.0)
    sleeve = vessels.copy()
    for side, share in zip(SIDES, neck.lumen, strict=True):
        course = _course(solids, side)
        radius = solids.pedicle(side).sizes.foramen
        away = _from_course(local, course)
        vessels = np.minimum(vessels, away - share * radius)
        sleeve = np.minimum(sleeve, away - radius - 0.4)
    found = [
        ("epidural fat", -40.0, (6.0, 25.0), (ring - 1.0) * deep),
        ("sac", neck.sac, (6.0, 5.0), (sac - 1.0) * deep),
        ("cord", neck.sac + 18.0, (6.0, 4.0), (cord - 1.0) * 4.2),
        ("disc", neck.disc, (7.0, 10.0), disc),
        ("sleeve", 0.5 * neck.vein - 30.0, (5.0, 15.0), sleeve),
        ("vertebral artery", neck.artery, (9.0, 5.0), vessels),
    ]
    return [Tissue(name, hu, texture, field.astype(np.float32)) for name, hu, texture, field in found]


def _columns(x: Floats, y: Floats, z: Floats, right: float, ahead: float, radius: float) -> Floats:
    return np.asarray(np.hypot(np.abs(x) - right - 0.05 * z, y - ahead - 0.08 * z) - radius)


def _course(solids: AxisSolids, side: Any) -> list[Floats]:
    """The vertebral artery from below C4 through C2 to the foramen of C1 and round behind its lateral mass."""
    pedicle, s = solids.pedicle(side), solids.patient.scale
    sign = side_sign(side)
    hole = np.array([sign * (8.5 * s + 6.6), -1.0, 0.0])
    lower = [
        solids.own.to_local(solids.frames[level].to_ras(hole + (0.0, 0.0, up)))
        for level, up in ((Level.C4, -14.0), (Level.C4, 3.0), (Level.C3, -3.0), (Level.C3, 4.0))
    ]
    ring = solids.own.to_local(solids.frames[Level.C1].origin)
    top = ring + (sign * 27.0 * s, 0.0, 0.0)
    behind = ring + (sign * 18.0 * s, -11.0, 7.0)
    return [*lower, *pedicle.artery[1:], top, top + (0.0, 0.0, 6.0), behind, behind + (-sign * 9.0, 6.0, 8.0)]


def _from_course(points: Floats, course: list[Floats]) -> Floats:
    """Distance (n,) to a chain of segments."""
    found = np.full(len(points), np.inf)
    for start, end in itertools.pairwise(course):
        along = end - start
        t = np.clip((points - start) @ along / max(float(along @ along), 1e-9), 0.0, 1.0)
        found = np.minimum(found, np.linalg.norm(points - start - t[:, None] * along, axis=1))
    return found
