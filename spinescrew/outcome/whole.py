"""The spine found as one piece: where the vertebrae start from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spinescrew.outcome.bone import all_bone
from spinescrew.outcome.fit import Drawn, Fitted, Prior, judge, refine
from spinescrew.outcome.patches import Field, Patch
from spinescrew.outcome.similarity import Windows
from spinescrew.outcome.spine_bones import SpineBones
from spinescrew.outcome.stages import COARSE, Stage, corners_of, images_of, places_around, windows_around

Floats = NDArray[np.float64]

_SEARCHED = ((Stage(5.0, 5.0, 12.0, 0.0, 10.0, 4), 8), (Stage(5.0, 5.0, 12.0, 0.0, 10.0, 8), 2))
_SEARCHED_WIDE = ((Stage(5.0, 5.0, 40.0, 0.0, 10.0, 4), 8), (Stage(5.0, 5.0, 40.0, 0.0, 10.0, 8), 2))
_SETTLED = ((Stage(3.2, 3.2, 20.0, 0.0, 10.0, 8), 4),)
"""Stages, and how many poses are refined in each. Narrow windows find outlines where soft tissue is rich in contrast;
wide ones reach farther where it is not."""

_TRIED = 70
_LEAST_TRIED = 20


def find_whole(
    spine: SpineBones,
    prepared: Sequence[Patch],
    starts: Sequence[Floats],
    reach: tuple[float, float],
    random: np.random.Generator,
) -> Floats:
    """The pose (4, 4) of the spine as one piece: many places around each start, the best of them refined.

    Parameters
    ----------
    prepared:
        Both images at their own resolution.
    starts:
        (4, 4) each.
    reach:
        By how many mm and degrees a start may be wrong.
    """
    tried = [
        (n, pose)
        for n, start in enumerate(starts)
        for pose in places_around(start, spine.centre, *reach, max(_TRIED // len(starts), _LEAST_TRIED), random)
    ]
    found = []
    for stages in (_SEARCHED, _SEARCHED_WIDE):
        found += [(n, each.pose) for n, each in _refined(spine, prepared, starts, reach, tried, stages)]
    best = _refined(spine, prepared, starts, reach, found, _SETTLED)
    return min((each for _, each in best), key=lambda each: each.loss).pose


def _refined(
    spine: SpineBones,
    prepared: Sequence[Patch],
    starts: Sequence[Floats],
    reach: tuple[float, float],
    poses: Sequence[tuple[int, Floats]],
    stages: Sequence[tuple[Stage, int]],
) -> list[tuple[int, Fitted]]:
    """The best of ``poses`` (start, pose), refined stage by stage."""
    fitted: list[tuple[int, Fitted]] = []
    for stage, count in stages:
        images = images_of(prepared, [stage])[0]
        drawn = Drawn(all_bone(spine.ct, spine.labels, spine.shown, stage.voxel_mm))
        windows = [_windows(spine, images, start, stage) for start in starts]
        priors = [Prior(start, *reach, stage.independent) for start in starts]
        if not fitted:
            fitted = [
                (n, judge(drawn, windows[n], _nothing(windows[n]), pose, prior=priors[n])[0]) for n, pose in poses
            ]
        fitted.sort(key=lambda each: each[1].loss)
        fitted = [
            (n, refine(drawn, windows[n], _nothing(windows[n]), each.pose, stage.most_steps, priors[n]))
            for n, each in fitted[:count]
        ]
    return fitted


def _windows(spine: SpineBones, images: Sequence[Patch], start: Floats, stage: Stage) -> list[Windows]:
    """All around the levels to register counts: the start may be wrong by more than a centimetre."""
    corners = np.concatenate([corners_of(spine.drawn(level, COARSE).bone, start) for level in spine.levels])
    return windows_around(images, corners, stage, "the spine")


def _nothing(windows: Sequence[Windows]) -> list[Field]:
    return [np.zeros(each.patch.view.shape, np.float32) for each in windows]
