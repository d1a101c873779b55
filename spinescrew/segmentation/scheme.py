"""What the project's own networks are given and what they return; training and use agree on it here."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import SIDES
from spinescrew.anatomy.levels import Level, parse_levels

COARSE, FINE, LANDMARKS = "vertebrae-coarse", "vertebrae-fine", "pedicle-landmarks"
"""Names of the models."""

COARSE_LEVELS: tuple[Level, ...] = (*parse_levels("T8-L5"), Level.L6, Level.S1)
"""Class n + 1 of the coarse network is level n of these; class 0 is everything else."""

REGION_CLASSES: tuple[tuple[int, ...], ...] = tuple(
    tuple(n for n, level in enumerate(COARSE_LEVELS, start=1) if level.region == region)
    for region in ("thoracic", "lumbar", "sacral")
)
"""Classes of each region, which follow one another."""

SACRAL_CLASS = REGION_CLASSES[-1][0]

OFFSET_UNIT_MM = 20.0
COARSE_CLASSES = len(COARSE_LEVELS) + 1
COARSE_OUTPUTS = COARSE_CLASSES + 3
"""Logits of the classes, then the way to the vertebra's centroid along i, j, k, in units of ``OFFSET_UNIT_MM``."""

COARSE_MM, COARSE_SHAPE = 4.0, (64, 64, 96)
FINE_MM, FINE_SHAPE = 1.0, (112, 112, 96)
LANDMARK_MM, LANDMARK_SHAPE = 1.25, (80, 80, 48)

POINTS = tuple((side, end) for side in SIDES for end in ("entry", "exit"))
"""Channel n of the landmark network's heat maps shows point n of these."""


def coarse_classes(labels: NDArray[np.float32]) -> NDArray[np.int64]:
    """VerSe ids to classes of the coarse network; T13 counts as T12, other levels as background."""
    table = np.zeros(256, np.int64)
    for number, level in enumerate(COARSE_LEVELS, start=1):
        table[level.value] = number
    table[Level.T13.value] = table[Level.T12.value]
    return table[np.clip(np.round(labels), 0, 255).astype(int)]
