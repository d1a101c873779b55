"""2D/3D registration: every vertebra of a CT brought to where two radiographs show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from spinescrew.anatomy.levels import Level, cranial_to_caudal
from spinescrew.errors import InputError
from spinescrew.geometry.vectors import unit
from spinescrew.geometry.volume import Volume
from spinescrew.outcome.bone import Bone, all_bone, bone_of, other_bone
from spinescrew.outcome.fit import LEVER_MM, Drawn, Fitted, Prior, judge, moved, refine
from spinescrew.outcome.patches import Field, Patch, prepare, pyramid
from spinescrew.outcome.similarity import Windows, shadow
from spinescrew.outcome.start import rigid_fits
from spinescrew.outcome.trust import doubts_about, expected_error_mm
from spinescrew.progress import Progress
from spinescrew.radiographs.radiograph import Radiograph
from spinescrew.radiographs.view import View

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Stage:
    """One resolution, in mm at the object: pixels, voxels, windows, what counts beside a bone, and room around it."""

    pixel_mm: float
    voxel_mm: float
    window_mm: float
    region_mm: float
    margin_mm: float
    most_steps: int

    def prior(self, pose: Floats) -> Prior:
        """What a spine that bends between CT and operation lets expect of a vertebra, where ``pose`` is the whole's."""
        return Prior(pose, _BEND_MM, _BEND_DEG, self.independent)

    @property
    def independent(self) -> float:
        """Pixels in a window, which are right or wrong together."""
        return (self.window_mm / self.pixel_mm) ** 2


STAGES = (
    Stage(3.2, 2.6, 20.0, 6.0, 14.0, 15),
    Stage(1.9, 1.7, 12.0, 3.0, 8.0, 10),
    Stage(1.2, 1.2, 8.0, 2.0, 5.0, 6),
)
_COARSE, _MIDDLE, _FINE = range(3)

WHOLE_STAGES = (
    Stage(5.0, 5.0, 25.0, 0.0, 10.0, 4),
    Stage(5.0, 5.0, 25.0, 0.0, 10.0, 8),
    Stage(3.2, 3.2, 20.0, 0.0, 10.0, 8),
)
_WHOLE_TRIED = 120
_WHOLE_KEPT = (12, 4, 2)
_LEVEL_TRIED, _LEVEL_REFINED = 12, 2
_LEVEL_MM = 5.0
_BEND_MM, _BEND_DEG = 5.0, 6.0
"""How far a vertebra may have moved against the spine as one piece, between CT and operation (standard deviations)."""


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
    spine = _Spine(ct, labels, levels)
    starts = _starts(start)
    places = starts[0][:3, :3] @ spine.centre + starts[0][:3, 3]
    prepared = [prepare(*each, places) for each in zip(radiographs, views, metal, strict=True)]
    images = _images(prepared, STAGES)
    random = np.random.default_rng(0)
    progress.update(0.05, "images prepared")
    whole = _whole(spine, _images(prepared, WHOLE_STAGES), starts, (start_mm, start_deg), random)
    progress.update(0.3, "spine found")
    poses = dict.fromkeys(spine.levels, whole.pose)
    for n, level in enumerate(spine.levels):
        poses[level] = _one(spine, level, images, poses, whole.pose, random)
        progress.update(0.3 + 0.4 * (n + 1) / len(spine.levels), f"{level.label} found")
    together = _together(spine, poses)
    for level in spine.levels:
        poses[level] = _again(spine, level, images[_MIDDLE], poses, together)
    together = _together(spine, poses)
    found = {}
    for n, level in enumerate(spine.wanted):
        fitted = _fine(spine, level, images, poses, together)
        poses[level] = fitted.pose
        found[level] = _told(spine, level, fitted, together)
        progress.update(0.7 + 0.3 * (n + 1) / len(spine.wanted), f"{level.label} refined")
    return found


def _images(prepared: Sequence[Patch], stages: Sequence[Stage]) -> list[list[Patch]]:
    """The images of both views, by stage."""
    steps = [stage.pixel_mm for stage in stages]
    return [list(pair) for pair in zip(*(pyramid(whole, steps) for whole in prepared), strict=True)]


class _Spine:
    """Bones of a CT at every resolution, made when they are asked for."""

    def __init__(self, ct: Volume, labels: Volume, levels: Sequence[Level]) -> None:
        self.ct, self.labels = ct, labels
        present = [level for level in cranial_to_caudal() if _large_enough(labels, level)]
        missing = [level.label for level in levels if level not in present]
        if missing:
            raise InputError(f"{', '.join(missing)}: not in the label map, or only a fragment; leave these levels out")
        self.wanted = [level for level in present if level in levels]
        if not self.wanted:
            raise InputError("no level to register was named")
        ranks = [present.index(level) for level in self.wanted]
        self.levels = present[max(min(ranks) - 1, 0) : max(ranks) + 2]
        self.shown = present[max(min(ranks) - 2, 0) : max(ranks) + 3]
        self._drawn: dict[tuple[Level | None, int], Drawn | None] = {}
        self.centre = self.drawn(self.wanted[len(self.wanted) // 2], _COARSE).centre

    def drawn(self, level: Level, stage: int) -> Drawn:
        key = (level, stage)
        if key not in self._drawn:
            self._drawn[key] = Drawn(bone_of(self.ct, self.labels, [level], STAGES[stage].voxel_mm))
        found = self._drawn[key]
        assert found is not None
        return found

    def rest(self) -> Drawn | None:
        """Ribs, pelvis and the like, coarsely."""
        if (None, 0) not in self._drawn:
            bone = other_bone(self.ct, self.labels, 2.0)
            self._drawn[None, 0] = None if bone is None else Drawn(bone)
        return self._drawn[None, 0]

    def near(self, level: Level) -> list[Level]:
        """Up to two neighbours on each side."""
        at = self.shown.index(level)
        return [other for other in self.shown[max(at - 2, 0) : at + 3] if other is not level]


def _large_enough(labels: Volume, level: Level) -> bool:
    return bool((labels.array == level.value).sum() * np.prod(labels.spacing) > 2000.0)


def _starts(start: Any) -> list[Floats]:
    if start is None:
        return [np.eye(4)]
    poses = np.asarray(start, dtype=np.float64).reshape(-1, 4, 4)
    return list(poses)


def _corners(bone: Bone, pose: Floats) -> Floats:
    return np.asarray(bone.corners @ pose[:3, :3].T + pose[:3, 3])


def _windows(
    images: Sequence[Patch], corners: Floats, stage: Stage, what: str, bone: tuple[Drawn, Floats] | None = None
) -> list[Windows]:
    """The parts of the images around ``corners``; where ``bone`` in its pose is given, what is around it counts."""
    patches = [image.around(corners, stage.margin_mm) for image in images]
    for number, patch in enumerate(patches, start=1):
        if patch is None:
            raise InputError(f"{what} is not in image {number}; check the geometry, or where the CT is said to lie")
    found = [patch for patch in patches if patch is not None]
    if bone is None:
        return [Windows(patch, stage.window_mm) for patch in found]
    drawn, pose = bone
    regions = [shadow(drawn.image(patch, pose), patch.step_mm, stage.region_mm) for patch in found]
    return [Windows(patch, stage.window_mm, region) for patch, region in zip(found, regions, strict=True)]


def _whole(
    spine: _Spine,
    pyramids: Sequence[Sequence[Patch]],
    starts: Sequence[Floats],
    reach: tuple[float, float],
    random: Any,
) -> Fitted:
    """The spine as one piece: many places around each start, the best of them refined, step by step."""
    fitted: list[tuple[int, Fitted]] = []
    for stage, images, count in zip(WHOLE_STAGES, pyramids, _WHOLE_KEPT, strict=True):
        drawn = Drawn(all_bone(spine.ct, spine.labels, spine.shown, stage.voxel_mm))
        windows = [_whole_windows(spine, images, start, stage) for start in starts]
        priors = [Prior(start, reach[0], reach[1], stage.independent) for start in starts]
        if not fitted:
            tried = [
                (n, pose)
                for n, start in enumerate(starts)
                for pose in _around(start, spine.centre, *reach, max(_WHOLE_TRIED // len(starts), 20), random)
            ]
            fitted = [
                (n, judge(drawn, windows[n], _nothing(windows[n]), pose, prior=priors[n])[0]) for n, pose in tried
            ]
        fitted.sort(key=lambda each: each[1].loss)
        fitted = [
            (n, refine(drawn, windows[n], _nothing(windows[n]), each.pose, stage.most_steps, priors[n]))
            for n, each in fitted[:count]
        ]
    return min((each for _, each in fitted), key=lambda each: each.loss)


def _whole_windows(spine: _Spine, images: Sequence[Patch], start: Floats, stage: Stage) -> list[Windows]:
    """All around the levels to register counts: the start may be wrong by more than a centimetre."""
    corners = np.concatenate([_corners(spine.drawn(level, _COARSE).bone, start) for level in spine.levels])
    return _windows(images, corners, stage, "the spine")


def _nothing(windows: Sequence[Windows]) -> list[Field]:
    return [np.zeros(each.patch.view.shape, np.float32) for each in windows]


def _around(pose: Floats, centre: Floats, mm: float, degrees: float, count: int, random: Any) -> list[Floats]:
    """``pose`` itself and poses up to so far from it."""
    poses = [pose]
    for _ in range(count - 1):
        turn = np.radians(degrees) * random.random() ** (1 / 3) * unit(random.normal(size=3))
        shift = mm * random.random() ** (1 / 3) * unit(random.normal(size=3))
        poses.append(moved(pose, centre, [*turn, *shift]))
    return poses


def _scene(
    spine: _Spine, level: Level, images: Sequence[Patch], poses: Mapping[Level, Floats], stage: int
) -> tuple[Drawn, list[Windows], list[Field]]:
    """A vertebra, its patches, and what else is seen in them."""
    drawn, pose = spine.drawn(level, stage), poses[level]
    windows = _windows(images, _corners(drawn.bone, pose), STAGES[stage], level.label, (drawn, pose))
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
    spine: _Spine,
    level: Level,
    images: Sequence[Sequence[Patch]],
    poses: Mapping[Level, Floats],
    whole: Floats,
    random: Any,
) -> Floats:
    """One vertebra from the whole spine's pose to the middle resolution."""
    stage = STAGES[_COARSE]
    drawn, windows, behind = _scene(spine, level, images[_COARSE], poses, _COARSE)
    degrees = float(np.degrees(_LEVEL_MM / LEVER_MM))
    prior = stage.prior(whole)
    tried = [
        judge(drawn, windows, behind, pose, prior=prior)[0]
        for pose in _around(poses[level], drawn.centre, _LEVEL_MM, degrees, _LEVEL_TRIED, random)
    ]
    tried.sort(key=lambda each: each.loss)
    first = [refine(drawn, windows, behind, each.pose, stage.most_steps, prior) for each in tried[:_LEVEL_REFINED]]
    best = min(first, key=lambda each: each.loss)
    stage = STAGES[_MIDDLE]
    drawn, windows, behind = _scene(spine, level, images[_MIDDLE], {**poses, level: best.pose}, _MIDDLE)
    return refine(drawn, windows, behind, best.pose, stage.most_steps, stage.prior(whole)).pose


def _together(spine: _Spine, poses: Mapping[Level, Floats]) -> Floats:
    """The spine as one piece once more, as its vertebrae tell; one that strayed counts little."""
    here = np.concatenate([spine.drawn(level, _COARSE).bone.corners for level in spine.levels])
    there = np.concatenate([_corners(spine.drawn(level, _COARSE).bone, poses[level]) for level in spine.levels])
    weights = np.ones(len(here))
    for _ in range(5):
        pose = rigid_fits(here[None], there[None], weights[None])[0][0]
        left = np.linalg.norm(here @ pose[:3, :3].T + pose[:3, 3] - there, axis=1)
        weights = 1.0 / (1.0 + (left / _BEND_MM) ** 2)
    return np.asarray(pose)


def _again(
    spine: _Spine, level: Level, images: Sequence[Patch], poses: Mapping[Level, Floats], together: Floats
) -> Floats:
    """One vertebra once more, from where it is or from where the others would have it, whichever fits better."""
    stage = STAGES[_MIDDLE]
    prior = stage.prior(together)
    drawn, windows, behind = _scene(spine, level, images, poses, _MIDDLE)
    tried = [judge(drawn, windows, behind, pose, prior=prior)[0] for pose in (poses[level], together)]
    first = [refine(drawn, windows, behind, each.pose, stage.most_steps // 2, prior) for each in tried]
    return min(first, key=lambda each: each.loss).pose


def _fine(
    spine: _Spine,
    level: Level,
    images: Sequence[Sequence[Patch]],
    poses: Mapping[Level, Floats],
    whole: Floats,
) -> Fitted:
    stage = STAGES[_FINE]
    drawn, windows, behind = _scene(spine, level, images[_FINE], poses, _FINE)
    return refine(drawn, windows, behind, poses[level], stage.most_steps, stage.prior(whole))


def _told(spine: _Spine, level: Level, fitted: Fitted, whole: Floats) -> VertebraPose:
    centre = spine.drawn(level, _COARSE).centre
    change = np.linalg.inv(whole) @ fitted.pose
    shift = float(np.linalg.norm(change[:3, :3] @ centre + change[:3, 3] - centre))
    turn = float(np.degrees(Rotation.from_matrix(change[:3, :3]).magnitude()))
    first, second = fitted.correlations
    expected = expected_error_mm(fitted, STAGES[_FINE].independent)
    doubts = doubts_about(level, fitted, expected, shift, turn)
    return VertebraPose(level, fitted.pose, (first, second), expected, shift, turn, tuple(doubts))
