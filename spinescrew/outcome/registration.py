"""2D/3D registration: every vertebra of a CT brought to where two radiographs show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.levels import Level, cranial_to_caudal
from spinescrew.errors import InputError
from spinescrew.geometry.volume import Volume
from spinescrew.outcome.fit import LEVER_MM, Drawn, Fitted, judge, offset, refine
from spinescrew.outcome.patches import Field, Patch, prepare
from spinescrew.outcome.similarity import Windows
from spinescrew.outcome.spine_bones import SpineBones
from spinescrew.outcome.stages import (
    BEND_MM,
    COARSE,
    FINE,
    MIDDLE,
    STAGES,
    corners_of,
    images_of,
    places_around,
    windows_around,
)
from spinescrew.outcome.start import rigid_fits
from spinescrew.outcome.trust import doubts_about, expected_error_mm
from spinescrew.outcome.whole import find_whole
from spinescrew.progress import Progress
from spinescrew.radiographs.radiograph import Radiograph
from spinescrew.radiographs.view import View

Floats = NDArray[np.float64]


_LEVEL_TRIED, _LEVEL_REFINED = 12, 2
_LEVEL_MM = 5.0
_ROUNDS, _SETTLED_MM, _SAME_MM = 2, 0.5, 1.0
"""How often vertebrae and the spine as one piece correct each other, when they agree, and what is one place to both."""


@dataclass(frozen=True, eq=False)
class VertebraPose:
    """Where one vertebra was found.

    Attributes
    ----------
    pose:
        (4, 4), RAS of the CT to the frame of the views.
    correlations:
        Mean local correlation of projection and radiograph, by view.
    error_mm:
        To be expected at the pedicles, from how sharply the images decide.
    moved_mm, moved_deg:
        Against the spine as one piece.
    doubts:
        Why it should not be trusted, in words; empty if it can be.
    """

    level: Level
    pose: Floats
    correlations: tuple[float, float]
    error_mm: float
    moved_mm: float
    moved_deg: float
    doubts: tuple[str, ...] = ()

    @property
    def trusted(self) -> bool:
        """Whether screws may be graded with it."""
        return not self.doubts


def register_vertebrae(
    ct: Volume,
    labels: Volume,
    radiographs: Sequence[Radiograph],
    views: Sequence[View],
    levels: Sequence[Level],
    metal: Sequence[Any] = (None, None),
    *,
    start: Any = None,
    start_mm: float = 12.0,
    start_deg: float = 12.0,
    progress: Progress | None = None,
) -> dict[Level, VertebraPose]:
    """Find each vertebra of a CT in two radiographs, as a rigid body of its own.

    The spine is found as one piece first, from ``start`` and many places around it; then every vertebra moves on its
    own while its neighbours, ribs and pelvis are projected with it, so that they do not pull.

    Parameters
    ----------
    ct, labels:
        Before the operation: HU, and VerSe ids.
    radiographs, views:
        Two of each; the frame of the views is that of the result.
    levels:
        Those wanted; their neighbours in view are registered too, if less finely.
    metal:
        For each radiograph (rows, columns) probability of metal (:func:`patches.metal_on_image`), or ``None``.
    start:
        (4, 4) RAS of the CT to the frame of the views, roughly, or several of them to choose from; left out: both
        frames are taken to agree.
    start_mm, start_deg:
        How far the start may be wrong.

    Raises
    ------
    InputError
        If there are not two images, or a level is not in the labels or not in the images.
    """
    progress = progress or Progress()
    if len(radiographs) != 2 or len(views) != 2:
        raise InputError("vertebrae are found in two radiographs; give two images and their two views")
    spine = SpineBones(ct, labels, levels)
    starts = _starts(start)
    places = starts[0][:3, :3] @ spine.centre + starts[0][:3, 3]
    prepared = [prepare(*each, places) for each in zip(radiographs, views, metal, strict=True)]
    images = images_of(prepared, STAGES)
    random = np.random.default_rng(0)
    progress.update(0.05, "images prepared")
    whole = find_whole(spine, prepared, starts, (start_mm, start_deg), random)
    progress.update(0.3, "spine found")
    poses = dict.fromkeys(spine.levels, whole)
    for n, level in enumerate(spine.levels):
        poses[level] = _one(spine, level, images, poses, whole, random)
        progress.update(0.3 + 0.4 * (n + 1) / len(spine.levels), f"{level.label} found")
    together = whole
    for _ in range(_ROUNDS):
        before, together = together, _together(spine, poses)
        change = offset(before, together, spine.centre)
        if np.hypot(LEVER_MM * np.linalg.norm(change[:3]), np.linalg.norm(change[3:])) < _SETTLED_MM:
            break
        for level in spine.levels:
            poses[level] = _again(spine, level, images[MIDDLE], poses, together)
    together = _together(spine, poses)
    found = {}
    for n, level in enumerate(spine.wanted):
        fitted = _fine(spine, level, images, poses, together)
        poses[level] = fitted.pose
        found[level] = _told(spine, level, fitted, together)
        progress.update(0.7 + 0.3 * (n + 1) / len(spine.wanted), f"{level.label} refined")
    return found


def _starts(start: Any) -> list[Floats]:
    if start is None:
        return [np.eye(4)]
    poses = np.asarray(start, dtype=np.float64).reshape(-1, 4, 4)
    return list(poses)


def _scene(
    spine: SpineBones, level: Level, images: Sequence[Patch], poses: Mapping[Level, Floats], stage: int
) -> tuple[Drawn, list[Windows], list[Field]]:
    """A vertebra, its patches, and what else is seen in them."""
    drawn, pose = spine.drawn(level, stage), poses[level]
    windows = windows_around(images, corners_of(drawn.bone, pose), STAGES[stage], level.label, (drawn, pose))
    behind = []
    for window in windows:
        field = np.zeros(window.patch.view.shape, np.float32)
        rest = spine.rest()
        if rest is not None:
            field += rest.image(window.patch, pose)
        for other in spine.near(level):
            field += spine.drawn(other, max(stage - 1, 0)).image(window.patch, _pose_of(other, poses))
        behind.append(field)
    return drawn, windows, behind


def _pose_of(level: Level, poses: Mapping[Level, Floats]) -> Floats:
    """Its own, or that of the nearest level that has one."""
    order = cranial_to_caudal()
    nearest = min(poses, key=lambda other: abs(order.index(other) - order.index(level)))
    return poses[nearest]


def _one(
    spine: SpineBones,
    level: Level,
    images: Sequence[Sequence[Patch]],
    poses: Mapping[Level, Floats],
    whole: Floats,
    random: Any,
) -> Floats:
    """One vertebra from the whole spine's pose to the middle resolution."""
    stage = STAGES[COARSE]
    drawn, windows, behind = _scene(spine, level, images[COARSE], poses, COARSE)
    degrees = float(np.degrees(_LEVEL_MM / LEVER_MM))
    prior = stage.prior(whole)
    tried = [
        judge(drawn, windows, behind, pose, prior=prior)[0]
        for pose in places_around(poses[level], drawn.centre, _LEVEL_MM, degrees, _LEVEL_TRIED, random)
    ]
    tried.sort(key=lambda each: each.loss)
    first = [refine(drawn, windows, behind, each.pose, stage.most_steps, prior) for each in tried[:_LEVEL_REFINED]]
    best = min(first, key=lambda each: each.loss)
    stage = STAGES[MIDDLE]
    drawn, windows, behind = _scene(spine, level, images[MIDDLE], {**poses, level: best.pose}, MIDDLE)
    return refine(drawn, windows, behind, best.pose, stage.most_steps, stage.prior(whole)).pose


def _together(spine: SpineBones, poses: Mapping[Level, Floats]) -> Floats:
    """The spine as one piece once more, as its vertebrae tell; one that strayed counts little."""
    here = np.concatenate([spine.drawn(level, COARSE).bone.corners for level in spine.levels])
    there = np.concatenate([corners_of(spine.drawn(level, COARSE).bone, poses[level]) for level in spine.levels])
    weights = np.ones(len(here))
    for _ in range(5):
        pose = rigid_fits(here[None], there[None], weights[None])[0][0]
        left = np.linalg.norm(here @ pose[:3, :3].T + pose[:3, 3] - there, axis=1)
        weights = 1.0 / (1.0 + (left / BEND_MM) ** 2)
    return np.asarray(pose)


def _again(
    spine: SpineBones, level: Level, images: Sequence[Patch], poses: Mapping[Level, Floats], together: Floats
) -> Floats:
    """One vertebra once more, from where it is or from where the others would have it, whichever fits better."""
    stage = STAGES[MIDDLE]
    prior = stage.prior(together)
    drawn, windows, behind = _scene(spine, level, images, poses, MIDDLE)
    change = offset(poses[level], together, drawn.centre)
    apart = np.hypot(LEVER_MM * np.linalg.norm(change[:3]), np.linalg.norm(change[3:]))
    tried = [poses[level], together] if apart > _SAME_MM else [poses[level]]
    first = [refine(drawn, windows, behind, pose, stage.most_steps // 2, prior) for pose in tried]
    return min(first, key=lambda each: each.loss).pose


def _fine(
    spine: SpineBones,
    level: Level,
    images: Sequence[Sequence[Patch]],
    poses: Mapping[Level, Floats],
    whole: Floats,
) -> Fitted:
    stage = STAGES[FINE]
    drawn, windows, behind = _scene(spine, level, images[FINE], poses, FINE)
    return refine(drawn, windows, behind, poses[level], stage.most_steps, stage.prior(whole))


def _told(spine: SpineBones, level: Level, fitted: Fitted, whole: Floats) -> VertebraPose:
    centre = spine.drawn(level, COARSE).centre
    change = offset(whole, fitted.pose, centre)
    turn, shift = float(np.degrees(np.linalg.norm(change[:3]))), float(np.linalg.norm(change[3:]))
    first, second = fitted.correlations
    expected = expected_error_mm(fitted, STAGES[FINE].independent)
    doubts = doubts_about(level, fitted, expected, shift, turn)
    return VertebraPose(level, fitted.pose, (first, second), expected, shift, turn, tuple(doubts))
