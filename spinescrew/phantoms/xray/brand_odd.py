"""Films on which no single system of pedicle screws is to be found: none, two at once, a plate, a photograph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

from spinescrew.anatomy.frame import Side
from spinescrew.anatomy.levels import Level
from spinescrew.geometry.vectors import orthogonal_pair, rotation, unit
from spinescrew.implants.design_mesh import rod_mesh, shaft_mesh
from spinescrew.implants.designs import ScrewDesign
from spinescrew.implants.screw import Screw
from spinescrew.phantoms.xray.brand_case import PIXEL_MM, BrandConstruct, draw_system, films, in_both
from spinescrew.phantoms.xray.brand_scene import BrandScene
from spinescrew.phantoms.xray.construct import Mesh
from spinescrew.phantoms.xray.shot import Shot

Floats = NDArray[np.float64]
Random = np.random.Generator

_PLATE_SCREW = ScrewDesign("plate screw", pitch_mm=1.75, core_share=0.68, core_taper_share=0.6, tip_mm=3.0)
_PLATE_MM, _PLATE_STEP_MM, _PLATE_HALF_MM = 1.3, 1.2, 8.0
_SCREW_MM = (4.0, 15.0)
_BEFORE_MM = 42.0


def no_implant(scene: BrandScene, random: Random, *, pixel_mm: float = PIXEL_MM) -> tuple[Shot, Shot]:
    """Films of a patient before surgery."""
    shown = in_both(scene) or scene.screws
    lit = np.array([screw.entry for screw in shown.values()])
    return films(scene, BrandConstruct(()), random, lit=lit, pixel_mm=pixel_mm)


def two_systems(
    scene: BrandScene, names: tuple[str, str], random: Random, *, pixel_mm: float = PIXEL_MM
) -> tuple[Shot, Shot]:
    """Films of a construct that another system was added to below, as after a revision."""
    known = sorted({level for level, _ in in_both(scene)})
    half = len(known) // 2
    parts = []
    for name, levels in zip(names, (known[:half], known[half:]), strict=True):
        part = {key: screw for key, screw in scene.screws.items() if key[0] in levels}
        parts.append(draw_system(replace(scene, screws=part), name, random, levels=2, crosslink=False))
    implants = tuple(implant for part in parts for implant in part.implants)
    rods = tuple(rod for part in parts for rod in part.rods)
    return films(scene, BrandConstruct(implants, rods), random, pixel_mm=pixel_mm)


def anterior_plate(scene: BrandScene, random: Random, *, pixel_mm: float = PIXEL_MM) -> tuple[Shot, Shot]:
    """Films of a plate on the front of two vertebrae, with four short screws and no heads, as in the neck."""
    screws = in_both(scene)
    levels = sorted({level for level, _ in screws})
    at = max(len(levels) - 2, 0)
    middles = [_front(screws, level) for level in levels[at : at + 2]]
    down = unit(middles[-1] - middles[0]) if len(middles) > 1 else np.array([0.0, 0.0, -1.0])
    right, ahead = orthogonal_pair(down, (0.0, 1.0, 0.0))
    across = right if abs(right[0]) > abs(ahead[0]) else ahead
    parts: list[Mesh] = []
    for offset in np.arange(-_PLATE_HALF_MM, _PLATE_HALF_MM + 0.1, 2 * _PLATE_STEP_MM):
        line = np.array([middles[0] - 9.0 * down, middles[-1] + 9.0 * down]) + offset * across
        parts.append(rod_mesh(line, _PLATE_MM))
    for middle in middles:
        for side in (-1.0, 1.0):
            parts.append(_short_screw(middle + side * 5.0 * across, random))
    return films(scene, BrandConstruct((), (), tuple(parts)), random, lit=np.array(middles), pixel_mm=pixel_mm)


def photographed(pixels: NDArray[np.float32], random: Random) -> NDArray[np.uint8]:
    """A photograph (rows, columns, 3) of a screen that shows an image of 0..1: askew, glare, stripes, a colour cast."""
    rows, columns = pixels.shape
    turn = np.radians(float(random.uniform(-3, 3)))
    row, column = np.indices(pixels.shape).astype(np.float64)
    y, x = row / rows - 0.5, column / columns - 0.5
    depth = 1.0 + float(random.uniform(-0.06, 0.06)) * x + float(random.uniform(-0.06, 0.06)) * y
    u, v = (np.cos(turn) * x - np.sin(turn) * y) / depth, (np.sin(turn) * x + np.cos(turn) * y) / depth
    seen = map_coordinates(pixels, [(v + 0.5) * rows, (u + 0.5) * columns], order=1, mode="constant")
    seen = gaussian_filter(seen, 1.0)
    period = float(random.uniform(5, 9))
    seen = 0.08 + 0.85 * seen * (1.0 + 0.05 * np.sin(2 * np.pi * (row + 0.2 * column) / period))
    spot = random.uniform(-0.4, 0.4, 2)
    seen += 0.25 * np.exp(-((x - spot[0]) ** 2 + (y - spot[1]) ** 2) / 0.02)
    seen += 0.015 * random.standard_normal(pixels.shape)
    cast = np.array([0.94, 1.0, 1.05])
    return np.asarray(np.clip(255 * seen[..., None] * cast, 0, 255), dtype=np.uint8)


def _front(screws: Mapping[tuple[Level, Side], Screw], level: Level) -> Floats:
    """A point before a vertebra's body, in the middle."""
    entries = [screw.entry for key, screw in screws.items() if key[0] == level]
    return np.mean(entries, axis=0) * (0.0, 1.0, 1.0) + (0.0, _BEFORE_MM + 14.0, 0.0)


def _short_screw(start: Floats, random: Random) -> Mesh:
    points, triangles = shaft_mesh(_PLATE_SCREW, *_SCREW_MM)
    back = rotation((1.0, 0.0, 0.0), float(random.normal(0, 5))) @ np.array([0.0, -1.0, 0.0])
    u, v = orthogonal_pair(back, (0.0, 0.0, 1.0))
    return points @ np.column_stack([u, v, back]).T + start, triangles
