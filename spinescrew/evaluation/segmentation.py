"""How well vertebrae were segmented and named: Dice by level, right names, the walls of the pedicles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.levels import Level, cranial_to_caudal
from spinescrew.errors import GeometryError, InputError
from spinescrew.geometry.sdf import SignedDistance
from spinescrew.geometry.volume import Volume

Floats = NDArray[np.float64]

PEDICLE_REACH_MM = 9.0
"""Surface within this distance of the centre of the isthmus is the pedicle's."""

FIRST_SACRAL_MM = 30.0
"""Height of a first sacral body: a sacrum of which less is in view is cut."""

_LEAST_VOXELS = 50


@dataclass(frozen=True)
class LevelScore:
    """One vertebra of the reference.

    Attributes
    ----------
    dice:
        Overlap with what was found under the same name; 0 where nothing was.
    named:
        Level under which most of its voxels were found; ``None`` where they were not found at all.
    wall_mean_mm, wall_p95_mm:
        Distance of the reference's pedicle surface from the surface found; ``None`` where no pedicle was given or
        nothing was found.
    cut:
        Whether the edge of the image cuts it; a sacrum may run out below, if its first segment is in view.
    """

    level: Level
    dice: float
    named: Level | None
    wall_mean_mm: float | None = None
    wall_p95_mm: float | None = None
    cut: bool = False

    @property
    def named_right(self) -> bool:
        """Whether it was found under its own name."""
        return self.named is self.level


def dice(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Twice the overlap as a share of both masks; 1 where both are empty (Dice 1945)."""
    both = int(one.sum()) + int(other.sum())
    return 2.0 * int((one & other).sum()) / both if both else 1.0


def score_segmentation(
    found: Volume,
    reference: Volume,
    isthmuses: Mapping[Level, Sequence[Floats]] | None = None,
    levels: Sequence[Level] | None = None,
) -> tuple[LevelScore, ...]:
    """Compare two label maps (VerSe ids) on the same grid, from the head down.

    Parameters
    ----------
    isthmuses:
        Centres (3,) RAS of the pedicles, where their walls shall be measured.
    levels:
        Those to score; all of the reference with more than a fragment when left out.

    Raises
    ------
    InputError
        If the grids differ.
    """
    if not found.same_grid(reference):
        raise InputError("the label maps lie on different grids; resample what was found to the reference")
    values, counts = np.unique(reference.array, return_counts=True)
    present = {int(value) for value, count in zip(values, counts, strict=True) if count >= _LEAST_VOXELS}
    wanted = [x for x in cranial_to_caudal() if x.value in present and (levels is None or x in levels)]
    return tuple(_score(found, reference, level, (isthmuses or {}).get(level, ())) for level in wanted)


def _score(found: Volume, reference: Volume, level: Level, isthmuses: Sequence[Floats]) -> LevelScore:
    truth, own = reference.array == level.value, found.array == level.value
    walls = _walls(found.with_array(own), reference.with_array(truth), isthmuses) if isthmuses and own.any() else None
    mean, worst = (float(walls.mean()), float(np.percentile(walls, 95))) if walls is not None else (None, None)
    return LevelScore(level, dice(own, truth), _name(found.array[truth]), mean, worst, _cut(reference, level))


def _cut(labels: Volume, level: Level) -> bool:
    index = np.argwhere(labels.array == level.value)
    low, high = index.min(axis=0) == 0, index.max(axis=0) == np.array(labels.shape) - 1
    if level is Level.S1:
        down = labels.affine[2, :3] / labels.spacing
        axis = int(np.abs(down).argmax())
        in_view_mm = float(np.ptp(index[:, axis]) + 1) * labels.spacing[axis]
        (low if down[axis] > 0 else high)[axis] &= in_view_mm < FIRST_SACRAL_MM
    return bool(low.any() or high.any())


def _name(values: NDArray[np.integer]) -> Level | None:
    """The level most voxels were given, if at least half of them were given any."""
    given = values[values > 0]
    if 2 * len(given) < len(values):
        return None
    numbers, counts = np.unique(given, return_counts=True)
    number = int(numbers[counts.argmax()])
    return Level(number) if number in Level._value2member_map_ else None


def _walls(found: Volume, truth: Volume, isthmuses: Sequence[Floats]) -> Floats | None:
    """Distances (n,) in mm of surface points of the truth near the pedicles from the surface found."""
    try:
        own, exact = SignedDistance.from_mask(found), SignedDistance.from_mask(truth)
    except GeometryError:
        return None
    near = np.argwhere(np.abs(exact.volume.array) < 0.75 * exact.volume.spacing.max())
    points = exact.volume.index_to_ras(near)
    close = np.min([np.linalg.norm(points - centre, axis=1) for centre in isthmuses], axis=0) < PEDICLE_REACH_MM
    if not close.any():
        return None
    points = points[close]
    points = points - exact.sample(points)[:, None] * exact.gradient(points)
    return np.abs(own.sample(points))


@dataclass(frozen=True)
class LevelSummary:
    """One level over many images.

    Attributes
    ----------
    images:
        In how many it is.
    dice, named_right:
        Mean overlap, and share of the images in which its name is right.
    wall_mean_mm, wall_p95_mm:
        Means over the images in which its pedicles were measured; ``None`` where there are none.
    """

    level: Level
    images: int
    dice: float
    named_right: float
    wall_mean_mm: float | None
    wall_p95_mm: float | None


def summarise_levels(scores: Iterable[LevelScore]) -> tuple[LevelSummary, ...]:
    """Scores of many images by level, from the head down."""
    by_level: dict[Level, list[LevelScore]] = {}
    for score in scores:
        by_level.setdefault(score.level, []).append(score)
    return tuple(_summary(level, by_level[level]) for level in cranial_to_caudal() if level in by_level)


def _summary(level: Level, scores: list[LevelScore]) -> LevelSummary:
    return LevelSummary(
        level,
        len(scores),
        float(np.mean([score.dice for score in scores])),
        float(np.mean([score.named_right for score in scores])),
        _mean([score.wall_mean_mm for score in scores]),
        _mean([score.wall_p95_mm for score in scores]),
    )


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
