"""Soft tissue of the spine itself: discs and what fills the canal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import VertebralFrame
from spinescrew.anatomy.levels import Level
from spinescrew.phantoms.solid_spine import SolidSpine
from spinescrew.phantoms.surroundings import Tissue

Floats = NDArray[np.float64]

_FAR_MM = 60.0


def spine_tissues(spine: SolidSpine, points: Floats, random: np.random.Generator) -> list[Tissue]:
    """Epidural fat, thecal sac, discs and their gas at points (n, 3) of the model."""
    fat, sac = _canal(spine, points)
    disc, gas = _discs(spine, points)
    layers = [
        ("epidural fat", -65.0, (6.0, 20.0), fat),
        ("thecal sac", float(random.uniform(12.0, 32.0)), (6.0, 6.0), sac),
        ("disc", float(random.uniform(60.0, 100.0)), (7.0, 10.0), disc),
        ("disc gas", -500.0, (4.0, 120.0), gas),
    ]
    return [Tissue(name, hu, texture, field.astype(np.float32)) for name, hu, texture, field in layers]


def _canal(spine: SolidSpine, points: Floats) -> tuple[Floats, Floats]:
    fat = np.full(len(points), _FAR_MM)
    sac = fat.copy()
    for level, frame in spine.frames.items():
        sizes = spine.patient.builds[level].sizes
        half = 0.5 * sizes.height + sizes.disc + 4.0
        near, local = _near(points, frame, half + 22.0)
        off = local - (0.0, -0.5 * (sizes.depth + sizes.canal_depth), 0.0)
        ring = np.hypot(off[:, 0] / (0.5 * sizes.canal_width), off[:, 1] / (0.5 * sizes.canal_depth))
        ends = np.abs(off[:, 2]) - half
        fat[near] = np.minimum(fat[near], np.maximum((ring - 1.0) * 0.5 * sizes.canal_depth, ends))
        sac[near] = np.minimum(sac[near], np.maximum((ring - 0.74) * 0.5 * sizes.canal_depth, ends))
    return fat, sac


def _discs(spine: SolidSpine, points: Floats) -> tuple[Floats, Floats]:
    disc = np.full(len(points), _FAR_MM)
    gas = disc.copy()
    for level, frame in spine.frames.items():
        if level is Level.S1:
            continue
        sizes = spine.patient.builds[level].sizes
        near, local = _near(points, frame, 0.5 * sizes.height + 30.0)
        s = local[:, 2] + 0.5 * (sizes.height + sizes.disc)
        ring = (
            (np.abs(local[:, 0]) / (0.5 * sizes.width)) ** 2.5 + (np.abs(local[:, 1]) / (0.5 * sizes.depth)) ** 2.5
        ) ** 0.4
        thick = np.abs(s) - 0.5 * sizes.disc
        disc[near] = np.minimum(disc[near], np.maximum((ring - 1.03) * 0.5 * sizes.depth, thick - 4.0))
        if level in spine.patient.vacuum:
            core = np.maximum((ring - 0.65) * 0.5 * sizes.depth, thick + 0.25 * sizes.disc)
            gas[near] = np.minimum(gas[near], core)
    return disc, gas


def _near(points: Floats, frame: VertebralFrame, reach: float) -> tuple[NDArray[np.intp], Floats]:
    """Indices of the points within ``reach`` mm of a frame along its superior, and their local coordinates."""
    rough = np.flatnonzero(np.abs(points[:, 2] - frame.origin[2]) < 1.5 * reach)
    local = frame.to_local(points[rough])
    kept = np.abs(local[:, 2]) < reach
    return rough[kept], local[kept]
