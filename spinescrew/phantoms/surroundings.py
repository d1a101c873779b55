"""Soft tissue around the spine: skin, fat, muscles, organs, vessels, gas, discs, canal, and the table.

Each tissue is a smooth function, negative inside, tabulated on a grid of a few millimetres in the coordinates of the
undeformed model; ``paint_tissue`` interpolates it and lays the tissues over each other in order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.levels import Level
from spinescrew.phantoms.room import Room
from spinescrew.phantoms.solid_spine import SolidSpine

Floats = NDArray[np.float64]
Field = NDArray[np.float32]


@dataclass(frozen=True)
class Tissue:
    """One layer: ``hu``, its texture as (size mm, amount HU), and the function that bounds it."""

    name: str
    hu: float
    texture: tuple[float, float]
    field: Field


@dataclass(frozen=True, eq=False)
class Trunk:
    """What is drawn of the trunk: mm and HU.

    ``girth`` are the half axes of the cross-section, ``fat`` the subcutaneous layer, ``contrast`` the density of
    (arteries, veins, kidneys, bowel) or ``None`` without contrast medium.
    """

    girth: tuple[float, float]
    fat: float
    muscle: float
    muscle_fat: float
    contrast: tuple[float, float, float, float] | None
    gas: float
    table: bool
    seed: int


def draw_trunk(random: np.random.Generator, age: float) -> Trunk:
    """A trunk: lean or obese, muscles that become fatty with age, contrast in half of the cases."""
    fat = float(np.clip(random.gamma(3.0, 7.0), 4.0, 55.0))
    contrast = None
    if random.random() < 0.5:
        arterial = random.random() < 0.5
        ranges = ((220, 420), (50, 130), (90, 180)) if arterial else ((120, 190), (110, 190), (120, 220))
        bowel = random.uniform(150.0, 450.0) if random.random() < 0.3 else 35.0
        artery, vein, kidney = (float(random.uniform(*each)) for each in ranges)
        contrast = (artery, vein, kidney, float(bowel))
    return Trunk(
        girth=(118.0 + 0.9 * fat + float(random.uniform(0, 22)), 88.0 + 0.8 * fat + float(random.uniform(0, 18))),
        fat=fat,
        muscle=float(random.uniform(42.0, 62.0)),
        muscle_fat=float(np.clip(0.012 * (age - 20.0) + 0.25 * random.normal(), 0.05, 1.0)),
        contrast=contrast,
        gas=float(random.uniform(0.1, 0.9)),
        table=bool(random.random() < 0.8),
        seed=int(random.integers(1 << 30)),
    )


def tissues(
    spine: SolidSpine, trunk: Trunk, points: Floats, in_patient: Floats, random: np.random.Generator
) -> list[Tissue]:
    """All tissues, from the outside in, at points (n, 3) of the model; the table lies straight in the patient's."""
    room = Room(spine, points, trunk.seed)
    skin, wall, cavity = _walls(room, trunk)
    arteries, veins, kidneys, bowel_hu = trunk.contrast or (45.0, 45.0, 32.0, 30.0)
    enhanced = 1.0 if trunk.contrast else 0.0
    found: list[tuple[str, float, tuple[float, float], Floats]] = []
    if trunk.table:
        # A curved shell under the back.
        shell = in_patient[:, 1] - float(skin_back(room, trunk).min()) + 6.0 - (in_patient[:, 0] / 62.0) ** 2
        found.append(("table", -350.0, (20.0, 20.0), np.abs(shell) - 3.0))
    found += [
        ("skin", 15.0, (8.0, 10.0), skin),
        ("fat", -104.0, (11.0, 9.0), skin + 2.0),
        ("wall", trunk.muscle, (7.0, 10.0), wall),
        ("wall fat", -95.0, (9.0, 15.0), np.maximum(np.abs(wall + 7.0 + room.noise(30.0, 3.0)) - 0.9, wall + 4.0)),
        ("cavity", -100.0, (5.0, 22.0), cavity),
        ("liver", 58.0 + 50.0 * enhanced, (9.0, 8.0), _liver(room, cavity)),
        ("spleen", 48.0 + 60.0 * enhanced, (9.0, 8.0), _spleen(room, cavity)),
    ]
    loops, stool, gas = _bowel(room, trunk, cavity, random)
    found += [
        ("bowel", bowel_hu, (6.0, 14.0), loops),
        ("stool", -20.0, (5.0, 130.0), stool),
        ("gas", -930.0, (9.0, 20.0), gas),
    ]
    found.append(("lung", -840.0, (6.0, 110.0), _lungs(room, wall)))
    for side in (-1.0, 1.0):
        found.append(("kidney", kidneys, (14.0, 14.0), _kidney(room, side, random)))
    muscle = _muscles(room)
    found.append(("back muscles", trunk.muscle, (6.0, 8.0 + 14.0 * trunk.muscle_fat), np.maximum(muscle, wall)))
    streaks = 3.4 - 3.0 * trunk.muscle_fat + room.noise(9.0, 4.2)
    found.append(("muscle fat", -70.0, (5.0, 20.0), np.maximum(muscle + 1.0, streaks)))
    aorta, cava = _vessels(room)
    found += [("vena cava", veins, (9.0, 5.0), cava), ("aorta", arteries, (9.0, 5.0), aorta)]
    return [Tissue(name, hu, texture, field.astype(np.float32)) for name, hu, texture, field in found]


def skin_back(room: Room, trunk: Trunk) -> Floats:
    """How far behind the skin of the back is: anterior coordinate (n,)."""
    # The back is flatter than the spine, but no process stands out of it.
    level = 0.35 * room.front + 0.65 * room.usual_front - 62.0
    return np.asarray(np.minimum(level, room.back - 5.0) - 0.7 * trunk.fat)


def trunk_section(room: Room, trunk: Trunk) -> tuple[Floats, Floats]:
    """Middle and half depth of the trunk at each point, along anterior: its front is straighter than its back."""
    behind = skin_back(room, trunk)
    front = room.usual_front - 66.0 - 0.7 * trunk.fat + 2.0 * trunk.girth[1]
    return 0.5 * (front + behind), 0.5 * (front - behind)


def _walls(room: Room, trunk: Trunk) -> tuple[Floats, Floats, Floats]:
    """Skin, outer face of the muscles, and inner face of the abdominal wall."""
    wide, (centre, deep) = trunk.girth[0], trunk_section(room, trunk)
    waist = 1.0 - 0.07 * np.exp(-(((room.z - room.heights[Level.L3]) / 60.0) ** 2))
    u, v = (room.x - 0.5 * room.middle) / (wide * waist), (room.y - centre) / deep
    ring = (np.abs(u) ** 2.5 + np.abs(v) ** 2.5) ** (1 / 2.5)
    # The furrow along the spinous processes.
    furrow = 5.0 * np.exp(-(((room.x - room.middle) / 16.0) ** 2)) * (v < -0.5)
    skin = (ring - 1.0) * np.minimum(wide, deep) + furrow + room.noise(70.0, 5.0)
    rear = np.clip(-v, 0.0, 1.0) ** 2
    wall = skin + trunk.fat * (1.0 - 0.45 * rear) + room.noise(45.0, 3.0)
    low = np.clip((room.heights[Level.L5] - room.z) / 50.0, 0.0, 1.0)
    cavity = wall + 15.0 + 26.0 * rear + 22.0 * low + room.noise(35.0, 3.0)
    return skin, wall, cavity


def _muscles(room: Room) -> Floats:
    """Erector spinae, multifidus, quadratus lumborum and psoas of both sides."""
    top = room.heights[Level.T12]
    share = np.clip((top - room.z) / 110.0, 0.05, 1.0)
    found = np.full(len(room.points), 50.0)
    for side in (-1.0, 1.0):
        back = -room.half_depth - 30.0
        found = np.minimum(found, room.column(side * 33.0, back, (29.0, 21.0)))
        found = np.minimum(found, room.column(side * 12.0, back + 2.0, (15.0, 22.0)))
        psoas = room.column(
            side * (room.half_width + 7.0 + 9.0 * share), -6.0 + 8.0 * share, (7.0 + 16.0 * share, 20.0)
        )
        found = np.minimum(found, np.maximum(psoas, room.z - top - 10.0))
        lumborum = room.column(side * (room.half_width + 38.0), -room.half_depth - 8.0, (17.0, 9.0))
        found = np.minimum(found, np.maximum(lumborum, room.z - top))
    return found + room.noise(24.0, 2.5)


def _vessels(room: Room) -> tuple[Floats, Floats]:
    """Aorta left and vena cava right in front of the bodies; below L4 both part into iliac vessels."""
    fork = room.heights[Level.L4] - 8.0
    apart = np.clip((fork - room.z) * 0.55, 0.0, 60.0)
    chest = np.clip((room.z - room.heights[Level.T12]) / 90.0, 0.0, 1.0)
    wander = room.noise(60.0, 4.0)
    ahead = room.half_depth + 12.0 - 0.45 * apart
    arteries = np.full(len(room.points), 50.0)
    veins = arteries.copy()
    for side in (-1.0, 1.0):
        narrow = np.where(apart > 3.0, 0.62, 1.0)
        artery = room.column(
            -9.0 * (apart <= 0) - 12.0 * chest + wander + side * apart, ahead - 10.0 * chest, (9.5 * narrow, 9.5)
        )
        vein = room.column(17.0 * (1 - apart / 60.0) + wander + side * apart, ahead - 4.0, (12.0 * narrow, 9.0))
        arteries, veins = np.minimum(arteries, artery), np.minimum(veins, vein)
    return arteries, veins


def _kidney(room: Room, side: float, random: np.random.Generator) -> Floats:
    height = room.heights[Level.L2] + 6.0 - 12.0 * side + float(random.normal(0.0, 9.0))
    centre = np.array([side * 62.0, room.usual_front - 6.0, height]) + random.normal(0.0, 4.0, 3)
    outer = room.lump(centre, np.array([25.0, 29.0, 54.0])) + room.noise(22.0, 2.5)
    pelvis = room.lump(centre - (side * 17.0, -8.0, 0.0), np.array([13.0, 14.0, 20.0]))
    return np.asarray(np.maximum(outer, -pelvis))


def _liver(room: Room, cavity: Floats) -> Floats:
    low = room.heights[Level.L2] + 15.0
    edge = low + 0.7 * np.abs(room.x - 80.0) + room.noise(60.0, 12.0)
    left = 5.0 + room.noise(45.0, 30.0) - room.x
    spine = 34.0 - np.hypot(room.x - room.middle, room.y - room.front)
    return np.maximum(np.maximum(cavity + 4.0, edge - room.z), np.maximum(left, spine))


def _spleen(room: Room, cavity: Floats) -> Floats:
    centre = np.array([-112.0, room.usual_front - 5.0, room.heights[Level.T12] + 10.0])
    return np.maximum(room.lump(centre, np.array([34.0, 48.0, 50.0])) + room.noise(30.0, 4.0), cavity + 4.0)


def _lungs(room: Room, wall: Floats) -> Floats:
    """Beside the thoracic bodies, down to a recess around the domes of the diaphragm."""
    away = np.hypot((np.abs(room.x - room.middle) - 68.0) / 70.0, (room.y - room.front - 38.0) / 85.0)
    floor = room.heights[Level.L1] + 10.0 + 95.0 * np.clip(1.0 - away**2, 0.0, 1.0) + room.noise(50.0, 9.0)
    # Spine, ribs' heads and what lies before the spine keep the lungs apart.
    spine = 1.0 - np.hypot((room.x - room.middle) / 29.0, (room.y - room.front + 12.0) / 46.0)
    between = 26.0 + room.noise(40.0, 10.0) - np.abs(room.x - room.middle + 12.0)
    apart = np.maximum(29.0 * spine, np.where(room.y > room.front, between, -50.0))
    return np.maximum(np.maximum(wall + 22.0, 0.7 * (floor - room.z)), apart)


def _bowel(room: Room, trunk: Trunk, cavity: Floats, random: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    """Loops of bowel in front of the spine; in some stool, in some gas that has risen to the front."""
    count = int(random.integers(60, 170))
    middle, top, low = room.usual_front, room.heights[Level.L1] + 20.0, room.heights[Level.S1] - 60.0
    angle, out = random.uniform(0.0, 2 * np.pi, count), np.sqrt(random.uniform(0.0, 1.0, count))
    wide, deep = 0.78 * trunk.girth[0] * out * np.cos(angle), 0.5 * trunk.girth[1] * out * np.sin(angle)
    height = random.uniform(low, top, count)
    centres = np.column_stack([wide, middle + 0.72 * trunk.girth[1] + deep, height])
    radii = random.uniform(13.0, 23.0, (count, 1)) * random.uniform(0.7, 1.9, (count, 3))
    content = random.random(count)
    gassy = content < 0.5 * trunk.gas
    full = ~gassy & (content < 0.5 * trunk.gas + 0.2)
    column = 36.0 - np.hypot(room.x - room.middle, room.y - room.front - 8.0)
    inside, bend = np.maximum(cavity + 2.0, column), room.noise(16.0, 3.0)
    loops = room.lumps(centres, radii) + bend
    stool = room.lumps(centres[full], radii[full] - 2.5) + bend
    # Gas rises: its loops are open towards the front, and end at a level.
    gas = room.lumps(centres[gassy] + (0.0, 4.0, 0.0), (radii[gassy] - 2.0) * (1.0, 0.75, 1.0)) + bend
    return np.maximum(loops, inside), np.maximum(stool, inside), np.maximum(gas, inside + 2.0)
