"""The sacrum as a list of parts in the frame of S1."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import SIDES, side_sign
from spinescrew.phantoms.bones import UP, Bone, pedicle
from spinescrew.phantoms.parts import Rows, body, capsule, slab

Floats = NDArray[np.float64]


def sacrum_parts(bone: Bone) -> Rows:
    """The whole sacrum: S1 with its alae, four fused segments along an arc, foramina, crest and canal."""
    z, b = bone.build.sizes, bone.build
    rows = [
        body((z.width, 0.86 * z.width), z.depth, z.height, exponent=b.exponent, waist=0.0, hollow=b.hollow, lip=b.lip)
    ]
    path, directions = _sacral_arc(z.depth, z.height)
    for n, (centre, along) in enumerate(zip(path, directions, strict=True)):
        rows.append(slab(centre, (1, 0, 0), along, (20.0 - 3.2 * n, 13.5 - 2.0 * n, 11.5 - 2.2 * n), 5.0, fillet=5.0))
    for side in SIDES:
        sign = side_sign(side)
        rows += pedicle(bone, side)
        ala = np.array([sign * 35.0, -9.0, -3.0])
        rows.append(slab(ala, (sign, -0.35, -0.25), (0.1 * sign, 0.5, 1.0), (21.0, 14.0, 11.0), 9.0, fillet=7.0))
        low = path[2] + (sign * 16.0, 0.0, 0.0)
        rows.append(capsule(ala + (sign * 4.0, -6.0, -8.0), low, (15.0, 7.0), fillet=6.0))
        rows.append(capsule(low, path[3] + (sign * 4.0, 0.0, -4.0), (7.0, 4.0), fillet=4.0))
    rows += _sacral_back(bone, path, directions)
    canal = np.array([0.0, -0.5 * z.depth - 0.5 * z.canal_depth, 0.5 * z.height + 14.0])
    nodes = [canal, canal - (0.0, 0.0, z.height + 6.0)]
    nodes += [centre + (8.0 - 1.2 * n) * _behind(d) for n, (centre, d) in enumerate(zip(path, directions, strict=True))]
    radius = 0.5 * z.canal_depth
    for n, (start, end) in enumerate(itertools.pairwise(nodes)):
        radii = (max(radius * (1 - 0.22 * n), 2.5), max(radius * (1 - 0.22 * (n + 1)), 2.0))
        rows.append(capsule(start, end, radii, stretch=z.canal_width / z.canal_depth, along=(1, 0, 0), cut=True))
    for n in (0, 1, 2):
        for side in SIDES:
            hole = path[n] + 0.9 * (path[0] - path[1]) * 0.5
            hole = hole + (side_sign(side) * (18.0 - 1.5 * n), 0.0, 0.0)
            through = _behind(directions[n])
            rows.append(capsule(hole - 22.0 * through, hole + 8.0 * through, (5.0 - 0.6 * n, 3.0), cut=True))
    return np.array(rows)


def _sacral_arc(depth: float, height: float) -> tuple[list[Floats], list[Floats]]:
    """Centres of S2 to S5 and the directions of their axes, down along the sacrum's hollow front."""
    point, centres, directions = np.array([0.0, -0.06 * depth, -0.5 * height + 2.0]), [], []
    for length, angle in zip((25.0, 22.0, 19.0, 16.0), (8.0, 13.0, 4.0, -18.0), strict=True):
        along = np.array([0.0, -np.sin(np.radians(angle)), -np.cos(np.radians(angle))])
        centres.append(point + 0.5 * length * along)
        directions.append(along)
        point = point + length * along
    return centres, directions


def _behind(along: Floats) -> Floats:
    return np.array([0.0, along[2], -along[1]])


def _sacral_back(bone: Bone, path: list[Floats], directions: list[Floats]) -> list[Rows]:
    """Laminae and crest that roof the canal, down to the hiatus below S4."""
    z = bone.build.sizes
    back = -0.5 * z.depth - z.canal_depth - 3.0
    middle = np.array([0.0, back - 1.0, -0.25 * z.height])
    rows = []
    for side in SIDES:
        mass = bone.mass(side)
        start = np.array([0.9 * mass[0], min(mass[1], back + 6.0), 0.0])
        along = middle - start
        rows.append(slab((start + middle) / 2, along, UP, (0.5 * float(np.linalg.norm(along)) + 2.0, 9.0, 3.0), 2.5))
    ridge = [middle + (0.0, -0.4 * z.spinous, 0.0)]
    for n in (0, 1, 2):
        roof = path[n] + (18.0 - 3.5 * n) * _behind(directions[n])
        rows.append(slab(roof, (1, 0, 0), directions[n], (17.0 - 3.0 * n, 13.0, 2.8), 2.4, fillet=4.0))
        ridge.append(roof + 5.0 * _behind(directions[n]))
    rows += [capsule(a, b, (3.6, 3.2)) for a, b in itertools.pairwise(ridge)]
    return rows
