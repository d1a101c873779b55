"""What a scan shows: a contiguous part of the spine in a cut field of view."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.levels import Level
from spinescrew.geometry.volume import Volume
from spinescrew.phantoms.solid_spine import SolidSpine

Floats = NDArray[np.float64]

_MOST_VOXELS = 7.5e6
_TRUNK_SHARE = 0.75
_CORNERS = np.array([(r, a, s) for r in (-1, 1) for a in (-1, 1) for s in (-1, 1)]) * 0.5


def body_corners(spine: SolidSpine, level: Level) -> Floats:
    """Corners (8, 3) of the box around a body, RAS of the patient."""
    sizes = spine.patient.builds[level].sizes
    local = _CORNERS * (sizes.width, sizes.depth, sizes.height)
    return spine.warp.to_patient(spine.frames[level].to_ras(local))


def draw_view(
    spine: SolidSpine,
    spacing: tuple[float, float, float],
    girth_mm: tuple[float, float],
    wanted: Collection[Level],
    random: np.random.Generator,
) -> Volume:
    """The grid of an image of some neighbouring levels, without voxels of its own.

    Above and below them part of the next vertebra may be seen. In plane it shows the whole trunk, or the spine and
    what lies near, as the scan was made and as far as memory goes. Levels that are ``wanted`` are in it.
    """
    shown = _shown(spine.patient.levels, wanted, random)
    corners = np.vstack([body_corners(spine, level) for level in shown])
    top = corners[:, 2].max() + (2.0 if shown[0] is spine.patient.levels[0] else random.uniform(0.0, 30.0))
    low = corners[:, 2].min() - (random.uniform(5.0, 90.0) if shown[-1] is Level.S1 else random.uniform(0.0, 30.0))
    size = np.array(spacing)
    area = _MOST_VOXELS / max((top - low) / size[2], 1.0) * size[0] * size[1]
    middle = corners[:, :2].mean(axis=0)
    left, right, behind, ahead = _in_plane(girth_mm, area, random)
    start = np.array([middle[0] - left, middle[1] - behind, low])
    stop = np.array([middle[0] + right, middle[1] + ahead, top])
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = start
    shape = tuple(int(n) for n in np.maximum(np.ceil((stop - start) / size), 8))
    return Volume(np.empty(shape, np.uint8), affine)


def _shown(levels: tuple[Level, ...], wanted: Collection[Level], random: np.random.Generator) -> tuple[Level, ...]:
    """Three levels or more that follow each other; half of the cases go down to the sacrum."""
    count = int(random.integers(3, len(levels) + 1))
    last = len(levels) if random.random() < 0.5 else int(random.integers(count, len(levels) + 1))
    ranks = [levels.index(level) for level in wanted]
    first = min([last - count, *ranks])
    return levels[first : max([last, *(rank + 1 for rank in ranks)])]


def _in_plane(
    girth_mm: tuple[float, float], area: float, random: np.random.Generator
) -> tuple[float, float, float, float]:
    """Room to the left, right, behind and in front of the bodies, mm; within ``area`` mm2 where that is little."""
    wide, deep = girth_mm
    if random.random() < _TRUNK_SHARE and 4.4 * wide * deep < area:
        rim = float(random.uniform(5.0, 40.0))
        return wide + rim, wide + rim, deep + rim, 1.5 * deep + rim
    left, right = random.uniform(48.0, 95.0, 2)
    behind, ahead = random.uniform(75.0, 105.0), random.uniform(32.0, 90.0)
    share = min(1.0, float(np.sqrt(area / ((left + right) * (behind + ahead)))))
    return left * share, right * share, behind * max(share, 0.9), ahead * share
