"""Bones beside the vertebrae: ribs and pelvis, as parts in the frames of the vertebrae they hang on."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import SIDES, Side, side_sign
from spinescrew.anatomy.levels import Level
from spinescrew.phantoms.parts import Rows, capsule, ellipsoid, slab
from spinescrew.phantoms.room import Room
from spinescrew.phantoms.solid_spine import Solid, SolidSpine
from spinescrew.phantoms.surroundings import Trunk, trunk_section

Floats = NDArray[np.float64]

_JOINT_MM = 1.6


def other_solids(spine: SolidSpine, trunk: Trunk, random: np.random.Generator) -> list[Solid]:
    """Ribs of every thoracic level and both halves of the pelvis."""
    thoracic = [level for level in spine.bones if level <= Level.T12]
    ribs = [_beside(spine, level, rows) for level in thoracic for rows in _ribs(spine, level, trunk, random)]
    return ribs + [_beside(spine, Level.S1, _hip(side, random)) for side in SIDES]


def _beside(spine: SolidSpine, level: Level, rows: Rows) -> Solid:
    """``rows`` in the frame of a vertebra, kept a joint's width away from it."""
    own = spine.solids[level]
    return Solid(own.frame, rows, own.frame, own.rows, _JOINT_MM, own.rough, own.seed + 100)


def _ribs(spine: SolidSpine, level: Level, trunk: Trunk, random: np.random.Generator) -> list[Rows]:
    """Left and right rib: head and neck on the vertebra, then along the wall of the chest, falling on the way."""
    bone, frame = spine.bones[level], spine.frames[level]
    z = bone.build.sizes
    centre, deep = (float(each[0]) for each in trunk_section(Room(spine, frame.origin[None], 0), trunk))
    half = np.array([trunk.girth[0], deep]) - 0.9 * trunk.fat - 10.0
    short = {Level.T12: float(random.uniform(0.15, 0.5)), Level.T11: float(random.uniform(0.5, 0.75))}
    turns = np.radians(np.linspace(-62.0, -62.0 + 165.0 * short.get(level, 1.0), 9))
    found = []
    for side in SIDES:
        sign, mass = side_sign(side), bone.mass(side)
        head = np.array([sign * 0.48 * z.width, -0.5 * z.depth + 3.0, 0.5 * z.height - 3.0])
        neck = np.array([mass[0] + sign * (0.75 * z.process - 2.0), mass[1] - 0.2 * z.process + 3.0, 0.3 * z.height])
        wall = np.column_stack(
            [
                frame.origin[0] + sign * half[0] * np.cos(turns),
                centre + half[1] * np.sin(turns),
                frame.origin[2] - 6.0 - 44.0 * (turns - turns[0]),
            ]
        )
        points = np.vstack([head, neck, frame.to_local(wall)])
        steps = itertools.pairwise(points)
        found.append(np.array([capsule(a, b, (3.6, 3.6), stretch=1.6, fillet=1.5) for a, b in steps]))
    return found


def _hip(side: Side, random: np.random.Generator) -> Rows:
    """Iliac wing as a fan of struts, the thick part beside the sacrum, and the socket with the head of the femur."""
    sign, flare = side_sign(side), float(random.uniform(0.85, 1.15))
    root = np.array([60.0, -30.0, -10.0])
    socket = np.array([84.0, 8.0, -88.0])
    crest = [
        np.array([46.0, -62.0, 8.0]),
        np.array([62.0, -52.0, 34.0]),
        np.array([92.0 * flare, -22.0, 52.0]),
        np.array([116.0 * flare, 14.0, 44.0]),
        np.array([122.0 * flare, 44.0, 14.0]),
        np.array([114.0 * flare, 50.0, -18.0]),
    ]
    mirror = np.array([sign, 1.0, 1.0])
    rows = []
    for start, end in itertools.pairwise(crest):
        middle, along = (start + end) / 2, end - start
        down = (0.55 * root + 0.45 * socket) - middle
        length = 0.5 * float(np.linalg.norm(down))
        centre = middle + 0.5 * down
        rows.append(
            slab(
                centre * mirror,
                down * mirror,
                along * mirror,
                (length, 0.55 * float(np.linalg.norm(along)), 3.2),
                3.0,
                fillet=9.0,
            )
        )
        rows.append(capsule(start * mirror, end * mirror, (5.5, 5.5), fillet=6.0))
    rows.append(capsule(crest[0] * mirror, root * mirror, (9.0, 8.0), fillet=7.0))
    rows.append(capsule(root * mirror, socket * mirror, (8.0, 17.0), fillet=8.0, stretch=1.3))
    rows.append(ellipsoid(socket * mirror + (0.0, 0.0, -14.0), (27.0, 27.0, 27.0), fillet=6.0))
    return np.array(rows)
