"""Random boxes of an image on a grid of their own, turned, stretched and in other tones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from spinescrew.geometry.vectors import rotation
from spinescrew.segmentation.box import Box, box_around

Floats = NDArray[np.float64]

_NARROWEST = 0.35
"""Of a box's extent, along each axis."""


@dataclass(frozen=True)
class Augmentation:
    """How much a box is changed; all zeros leave it as it is.

    ``turn_deg`` about a random axis, ``stretch`` as a share in each direction, ``shift_mm`` of the centre; HU are
    multiplied by up to ``contrast``, shifted by up to ``drift_hu``, blurred by up to ``blur_mm`` and get noise of up to
    ``noise_hu``; a share ``narrow`` of the boxes shows a part only, with nothing around, as in a narrow field of view.
    """

    turn_deg: float = 12.0
    stretch: float = 0.12
    shift_mm: float = 12.0
    contrast: float = 0.15
    drift_hu: float = 40.0
    blur_mm: float = 1.0
    noise_hu: float = 60.0
    narrow: float = 0.3


def random_box(
    centre: Floats, shape: tuple[int, int, int], spacing_mm: float, how: Augmentation, random: np.random.Generator
) -> Box:
    """:func:`box_around`, turned, stretched and shifted at random."""
    plain = box_around(np.zeros(3), shape, spacing_mm)
    turned = rotation(random.normal(size=3), how.turn_deg * random.uniform(-1, 1))
    stretched = np.diag(1.0 + how.stretch * random.uniform(-1, 1, 3))
    change = np.eye(4)
    change[:3, :3] = turned @ stretched
    change[:3, 3] = np.asarray(centre) + how.shift_mm * random.uniform(-1, 1, 3)
    return Box(shape, change @ plain.affine)


def other_tones(hu: NDArray[np.float32], spacing_mm: float, how: Augmentation, random: np.random.Generator) -> Floats:
    """The box as another scanner might have given it."""
    changed = hu * (1.0 + how.contrast * random.uniform(-1, 1)) + how.drift_hu * random.uniform(-1, 1)
    blur = how.blur_mm * random.uniform() / spacing_mm
    if random.uniform() < 0.5 and blur > 0.2:
        changed = gaussian_filter(changed, blur)
    return np.asarray(changed + random.normal(0.0, how.noise_hu * random.uniform(), hu.shape), np.float32)


def narrow_view(
    shape: tuple[int, int, int], how: Augmentation, random: np.random.Generator
) -> tuple[slice, slice, slice] | None:
    """The part of a box that a narrow field of view would show; ``None`` for most boxes, which stay whole."""
    if random.uniform() >= how.narrow:
        return None
    keep = np.maximum(np.round(random.uniform(_NARROWEST, 1.0, 3) * np.array(shape)), 1).astype(int)
    start = (random.uniform(0.0, 1.0, 3) * (np.array(shape) - keep + 1)).astype(int)
    i, j, k = (slice(first, first + count) for first, count in zip(start.tolist(), keep.tolist(), strict=True))
    return i, j, k


def only(part: tuple[slice, slice, slice] | None, values: NDArray[Any], outside: float) -> NDArray[Any]:
    """``values`` (..., i, j, k) within ``part``, and ``outside`` around it."""
    if part is None:
        return values
    kept = np.full_like(values, outside)
    kept[(..., *part)] = values[(..., *part)]
    return kept
