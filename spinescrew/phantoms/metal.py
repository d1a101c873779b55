"""Implants of an earlier operation, and the streaks they throw."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spinescrew.geometry.vectors import unit
from spinescrew.geometry.volume import Volume
from spinescrew.implants.screw import Screw

Floats = NDArray[np.float64]
Rod = tuple[Floats, Floats, float]


def implants(screws: Sequence[Screw], random: np.random.Generator) -> list[Rod]:
    """Shafts, heads and rods (start, end, radius) of earlier screws: the given ones, put in by another hand."""
    shafts: list[Rod] = []
    heads: list[Floats] = []
    for screw in screws:
        start = screw.entry + random.normal(0.0, 0.8, 3)
        direction = unit(screw.direction + random.normal(0.0, 0.03, 3))
        head = start - 9.0 * direction
        shafts += [(start, start + screw.shape.length_mm * direction, screw.shape.radius_mm), (head, start, 5.5)]
        heads.append(head)
    by_side = [
        [head for head in heads if (head[0] > np.mean([h[0] for h in heads])) is right] for right in (True, False)
    ]
    for chain in by_side:
        chain.sort(key=lambda head: -head[2])
        shafts += [(a, b, 2.75) for a, b in itertools.pairwise(chain)]
    return shafts


def paint_metal(hu: Volume, rods: Sequence[Rod], density: float) -> NDArray[np.bool_]:
    """Paint ``rods`` into ``hu`` (float32); the mask of what they fill."""
    mask = np.zeros(hu.shape, bool)
    for start, end, radius in rods:
        corners = hu.ras_to_index(np.array([start, end]))
        room = (radius + 1.0) / hu.spacing + 1
        low = np.clip(np.floor(corners.min(axis=0) - room), 0, hu.shape).astype(int)
        high = np.clip(np.ceil(corners.max(axis=0) + room), 0, hu.shape).astype(int)
        if (high <= low).any():
            continue
        box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        points = hu.index_to_ras(np.moveaxis(np.indices(tuple(high - low)), 0, -1) + low)
        along = end - start
        t = np.clip((points - start) @ along / (along @ along), 0.0, 1.0)
        inside = np.linalg.norm(points - start - t[..., None] * along, axis=-1) < radius
        mask[box] |= inside
    hu.array[mask] = density
    return mask


def add_streaks(
    image: NDArray[np.float32], mask: NDArray[np.bool_], random: np.random.Generator, strength: float
) -> None:
    """Bright and dark rays from the metal of every slice, strongest near it; ``mask`` has the image's slices."""
    i, j = np.indices(image.shape[:2], dtype=np.float32)
    rays = random.normal(0.0, 1.0, 90)
    for k in np.flatnonzero(mask.any(axis=(0, 1))):
        found = np.argwhere(mask[:, :, k])
        at = found.mean(axis=0)
        away = np.hypot(i - at[0], j - at[1])
        angle = np.arctan2(j - at[1], i - at[0])
        # Rays are alike in neighbouring slices, and the darkest run along the line through both screws.
        rays = 0.8 * rays + 0.6 * random.normal(0.0, 1.0, rays.shape)
        pattern = np.interp(angle, np.linspace(-np.pi, np.pi, len(rays) + 1), [*rays, rays[0]])
        spread = np.cov(found.T) if len(found) > 2 else np.eye(2)
        main = np.linalg.eigh(spread)[1][:, -1]
        line = np.abs((i - at[0]) * main[1] - (j - at[1]) * main[0])
        size = max(float(np.sqrt(np.trace(spread))), 2.0)
        fade = 1.0 / (1.0 + (away / (2.5 * size)) ** 2)
        dark = 1.2 * np.exp(-((line / (0.35 * size)) ** 2))
        effect = strength * np.sqrt(len(found) / 200.0) * (pattern - dark) * fade
        image[:, :, k] += np.where(mask[:, :, k], 0.0, effect).astype(np.float32)
