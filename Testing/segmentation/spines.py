"""Simulated candidates and images that several tests of this floor share."""

import numpy as np

from spinescrew.anatomy.levels import Level, position
from spinescrew.geometry.volume import Volume
from spinescrew.segmentation.naming import LEVELS, Candidate
from spinescrew.segmentation.usual import usual_step_mm, usual_volume_mm3


def levels_between(first, last, rare=()):
    return [
        level
        for level in LEVELS[position(first) : position(last) + 1]
        if level in rare or level not in (Level.T13, Level.L6)
    ]


def flat():
    return np.ones(len(LEVELS))


def pointing_at(level, share=0.8):
    scores = np.full(len(LEVELS), (1 - share) / (len(LEVELS) - 1))
    scores[position(level)] = share
    return scores


def candidates(levels, scores=pointing_at, random=None, noise=0.05, scale=1.0, ribs=None):
    """Vertebrae usual distances apart; ``random`` adds noise to places and sizes."""
    height, found = 0.0, []
    for n, level in enumerate(levels):
        wobble = random.normal(size=4) if random is not None else np.zeros(4)
        if n:
            height -= usual_step_mm(levels[n - 1], level) * scale * np.exp(noise * wobble[0])
        volume = usual_volume_mm3(level) * scale**3 * np.exp(0.2 * wobble[1])
        place = np.array([3.0 * wobble[2], 5.0 * wobble[3], height])
        found.append(Candidate(place, volume, scores(level), None if ribs is None else level in ribs))
    return found


def turned(volume, *directions):
    """The volume with its voxels reversed along the axes that run to the ``"right"``, ``"front"`` or ``"up"``."""
    rows = [("right", "front", "up").index(direction) for direction in directions]
    axes = [int(np.abs(volume.affine[row, :3]).argmax()) for row in rows]
    return Volume(np.ascontiguousarray(np.flip(volume.array, axes)), volume.affine, dict(volume.metadata))
