"""3D/3D registration: every vertebra of a CT brought to where a later CT shows it, metal left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import next_fast_len
from scipy.ndimage import binary_dilation, gaussian_filter, map_coordinates
from scipy.spatial.transform import Rotation

from spinescrew.anatomy.levels import Level, cranial_to_caudal, position
from spinescrew.errors import InputError
from spinescrew.geometry.volume import Volume
from spinescrew.outcome.compare import VertebraFound
from spinescrew.outcome.fit import moved, offset
from spinescrew.outcome.metal_lines import metal_threshold
from spinescrew.outcome.start import rigid_fits
from spinescrew.progress import Progress

Floats = NDArray[np.float64]

_LOWEST_HU, _HIGHEST_HU = -200.0, 1200.0
"""Between these soft tissue and bone are compared: air moves, and dense cortex is cut off differently by kernels."""

_METAL_MARGIN_MM = 3.0
_BESIDE_MM = 3.0
_MOST_POINTS = 6000
_STAGES_MM = (3.0, 1.5, 0.7)
_MOST_STEPS = 20

_BLUR = 0.6
"""Standard deviation over the smoothness wanted."""

_COARSE_MM = 6.0
_WHOLE_MM, _SETTLED = (8.0, 4.0), 3
_TURNS = [
    (0.0, 0.0, 0.0),
    *(tuple(sign * 14.0 * (n == axis) for n in range(3)) for axis in range(3) for sign in (-1, 1)),
]
_BONE_HU = (150.0, 800.0)

_LEAST_CORRELATION, _SURE_CORRELATION = 0.35, 0.6
"""Below the first a vertebra is not trusted, below the second not beside one that is not: where one vertebra was taken
for another, its neighbours were too."""

_LEAST_SEEN = 0.4
_FARTHEST_MM, _FARTHEST_DEG = 25.0, 25.0
_ERROR_MM = 0.3


@dataclass(frozen=True, eq=False)
class _Sampled:
    """A vertebra of the earlier CT as points (n, 3) and what the CT shows there (n,), at one smoothness."""

    points: Floats
    values: Floats
    centre: Floats


def register_to_ct(
    ct: Volume,
    labels: Volume,
    later: Volume,
    levels: Sequence[Level],
    *,
    later_labels: Volume | None = None,
    start: Any = None,
    guesses: Sequence[Floats] = (),
    progress: Progress | None = None,
) -> dict[Level, VertebraFound]:
    """Where each vertebra of ``ct`` lies in a ``later`` CT, which may hold metal and another posture.

    Each vertebra with a rim of 3 mm is moved as a rigid body until HU there correlate best with those of the later CT;
    metal and what is within 3 mm of it do not count.

    Parameters
    ----------
    ct, labels:
        HU, and VerSe ids.
    later_labels:
        VerSe ids of the later CT, where there are any: its vertebrae then tell where to start.
    start:
        (4, 4) RAS of ``ct`` to RAS of ``later``, roughly; left out, it is found from the labels of both, or from the
        bones of both images.
    guesses:
        Poses (4, 4) that are tried beside those that the bones tell, as planned and found screws give them.

    Raises
    ------
    InputError
        If a level is not in the labels, or nothing of it is in the later CT.
    """
    progress = progress or Progress()
    good = _free_of_metal(later)
    if start is not None:
        starts = dict.fromkeys(levels, np.asarray(start, dtype=np.float64))
    elif later_labels is not None:
        starts = _from_labels(labels, later_labels, levels)
    else:
        starts = dict.fromkeys(levels, _from_bones(ct, labels, later, good, guesses))
    progress.update(0.3, "the two CTs laid on each other")
    found: dict[Level, VertebraFound] = {}
    alike: dict[Level, float] = {}
    for n, level in enumerate(levels):
        found[level], alike[level] = _one(ct, labels, later, good, level, starts[level])
        progress.update(0.3 + 0.7 * (n + 1) / len(levels), f"{level.label} found")
    return doubted_with_neighbours(found, alike)


def doubted_with_neighbours(found: dict[Level, VertebraFound], alike: dict[Level, float]) -> dict[Level, VertebraFound]:
    """From a vertebra that is not trusted, doubt spreads to those beside it until one is beyond doubt."""
    told = dict(found)
    row = [level for level in cranial_to_caudal() if level in found]
    for way in (row, row[::-1]):
        for before, level in pairwise(way):
            if told[before].doubts and not told[level].doubts and alike[level] < _SURE_CORRELATION:
                words = f"{level.name} is not certain beside {before.name} (correlation {alike[level]:.2f})"
                told[level] = replace(told[level], doubts=(words,))
    return {level: told[level] for level in found}


def _free_of_metal(later: Volume) -> NDArray[np.bool_]:
    bad = later.array > metal_threshold(later)
    reach = np.maximum(np.round(_METAL_MARGIN_MM / later.spacing).astype(int), 1)
    for axis, size in enumerate(reach):
        shape = [1, 1, 1]
        shape[axis] = 2 * int(size) + 1
        bad = binary_dilation(bad, np.ones(shape))
    return np.asarray(~bad)


def _one(
    ct: Volume, labels: Volume, later: Volume, good: NDArray[np.bool_], level: Level, start: Floats
) -> tuple[VertebraFound, float]:
    """Where it lies, and how well both images correlate there."""
    pose, correlation, seen = start, -1.0, 0.0
    for sigma in _STAGES_MM:
        sampled = _sample(ct, labels, (level,), sigma)
        smooth = _Smooth(later, good, sampled.points @ pose[:3, :3].T + pose[:3, 3], sigma)
        pose, correlation, seen = _fit(sampled, smooth, pose)
    return _told(level, sampled, pose, start, correlation, seen), correlation


class _Smooth:
    """The later CT around points, at one smoothness: values, slopes and where they are free of metal."""

    def __init__(self, later: Volume, good: NDArray[np.bool_], points: Floats, sigma_mm: float) -> None:
        index = later.ras_to_index(points)
        room = 4 * sigma_mm / later.spacing + 2
        low, high = np.floor(index.min(axis=0) - room), np.ceil(index.max(axis=0) + room)
        box = later.crop(low, high)
        self.empty = min(box.shape) < 4
        if self.empty:
            return
        weight = later.with_array(good).crop(low, high).array.astype(np.float32)
        image = np.clip(box.array, _LOWEST_HU, _HIGHEST_HU).astype(np.float32)
        sigma = _BLUR * sigma_mm / box.spacing
        share = np.maximum(gaussian_filter(weight, sigma), 1e-3)
        self.values = gaussian_filter(image * weight, sigma) / share
        self.good, self.inverse = weight, box.inverse
        self.slopes = np.gradient(self.values)

    def sample(self, points: Floats) -> tuple[Floats, Floats, Floats]:
        """HU (n,), slopes (n, 3) per mm along RAS, and weights (n,) in [0, 1]: 0 in metal and outside."""
        if self.empty:
            return np.zeros(len(points)), np.zeros((len(points), 3)), np.zeros(len(points))
        at = (points @ self.inverse[:3, :3].T + self.inverse[:3, 3]).T
        values, *steps = (map_coordinates(field, at, order=1, mode="nearest") for field in (self.values, *self.slopes))
        weights = map_coordinates(self.good, at, order=1, mode="constant")
        return values, np.stack(steps, axis=1) @ self.inverse[:3, :3], weights


def _sample(ct: Volume, labels: Volume, levels: Sequence[Level], sigma_mm: float) -> _Sampled:
    """Vertebrae and a rim around them, their neighbours left out, as points."""
    wanted = [level.value for level in levels]
    mask = np.isin(labels.array, wanted)
    if not mask.any():
        raise InputError(f"{levels[0].label} is not in the label map; leave it out")
    used = [np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis))) for axis in range(3)]
    pad = np.ceil(_BESIDE_MM / labels.spacing).astype(int) + 1
    low, high = (np.array([u[at] for u in used]) for at in (0, -1))
    box = labels.crop(low - pad, high + 1 + pad)
    inside = np.isin(box.array, wanted)
    reach = np.maximum(np.round(_BESIDE_MM / box.spacing).astype(int), 1)
    near = binary_dilation(inside, np.ones(tuple(2 * reach + 1))) & (inside | (box.array == 0))
    index = np.argwhere(near)
    if len(index) > _MOST_POINTS:
        index = index[np.random.default_rng(0).choice(len(index), _MOST_POINTS, replace=False)]
    points = box.index_to_ras(index)
    at = ct.ras_to_index(points)
    part = ct.crop(np.floor(at.min(axis=0)) - 8, np.ceil(at.max(axis=0)) + 9)
    if min(part.shape) < 2:
        raise InputError("the labels lie outside the CT; give the CT they were made on")
    clipped = np.clip(part.array, _LOWEST_HU, _HIGHEST_HU).astype(np.float32)
    smooth = gaussian_filter(clipped, _BLUR * sigma_mm / part.spacing)
    values = map_coordinates(smooth, part.ras_to_index(points).T, order=1, mode="nearest")
    return _Sampled(points, values.astype(np.float64), box.index_to_ras(np.argwhere(inside)).mean(axis=0))


def _fit(sampled: _Sampled, smooth: _Smooth, pose: Floats) -> tuple[Floats, float, float]:
    """Damped least squares on HU up to brightness and contrast; the pose, the correlation, and the share compared."""
    damping = 0.01
    score, normal, pull, seen = _compare(sampled, smooth, pose)
    for _ in range(_MOST_STEPS):
        step = np.linalg.solve(normal + damping * np.diag(np.diag(normal) + 1e-9), pull)
        tried = moved(pose, sampled.centre, step)
        better, its_normal, its_pull, its_seen = _compare(sampled, smooth, tried)
        if better > score and its_seen > 0.5 * seen:
            pose, score, normal, pull, seen = tried, better, its_normal, its_pull, its_seen
            damping = max(damping / 4, 1e-4)
        else:
            damping *= 6
        if np.hypot(25 * np.linalg.norm(step[:3]), np.linalg.norm(step[3:])) < 0.01 or damping > 1e3:
            break
    return pose, score, seen


def _compare(sampled: _Sampled, smooth: _Smooth, pose: Floats) -> tuple[float, Floats, Floats, float]:
    """Correlation, normal matrix (6, 6) and pull (6,) of a small motion in the vertebra's frame, share compared."""
    turn = pose[:3, :3]
    values, slopes, weights = smooth.sample(sampled.points @ turn.T + pose[:3, 3])
    total = float(weights.sum())
    if total < 100:
        return -1.0, np.eye(6), np.zeros(6), 0.0
    here = sampled.values - (weights @ sampled.values) / total
    there = values - (weights @ values) / total
    spread = float(np.sqrt((weights @ here**2) * (weights @ there**2)))
    score = float(weights @ (here * there)) / max(spread, 1e-9)
    # What moves the vertebra by d in its own frame moves it by turn @ d in the other.
    local = slopes @ turn
    arm = sampled.points - sampled.centre
    change = np.concatenate([np.cross(arm, local), local], axis=1)
    change -= (weights @ change) / total
    change -= np.outer(there, (weights * there) @ change) / max(float(weights @ there**2), 1e-9)
    gain = float(weights @ (here * there)) / max(float(weights @ there**2), 1e-9)
    off = here - gain * there
    scale = float(np.sqrt((weights @ off**2) / total)) + 1e-9
    robust = weights / (1.0 + (off / (2.0 * scale)) ** 2)
    rows = gain * change * robust[:, None]
    return score, rows.T @ (gain * change), rows.T @ off, total / len(weights)


def _from_labels(labels: Volume, later: Volume, levels: Sequence[Level]) -> dict[Level, Floats]:
    """From the middles of the vertebrae that both label maps hold: each level by itself and its neighbours."""
    values = set(np.unique(labels.array).tolist()) & set(np.unique(later.array).tolist())
    shared = [level for level in cranial_to_caudal() if level.value in values]
    if not shared:
        raise InputError("the label maps of the two CTs hold no vertebra in common; give a start pose instead")
    here, there = ({level: _landmarks(which, level) for level in shared} for which in (labels, later))
    found = {}
    for level in levels:
        rank = int(np.argmin([abs(position(level) - position(other)) for other in shared]))
        near = shared[max(rank - 1, 0) : rank + 2]
        one, other = (np.concatenate([which[each] for each in near]) for which in (here, there))
        found[level] = rigid_fits(one[None], other[None])[0][0]
    return found


def _landmarks(labels: Volume, level: Level) -> Floats:
    """(4, 3) RAS: the middle of a vertebra, and of what of it lies right, left and behind that."""
    points = labels.index_to_ras(np.argwhere(labels.array == level.value))
    middle = points.mean(axis=0)
    off = points - middle
    sides = [points[off[:, axis] * sign > 0].mean(axis=0) for axis, sign in ((0, 1), (0, -1), (1, -1))]
    return np.array([middle, *sides])


def _from_bones(
    ct: Volume, labels: Volume, later: Volume, good: NDArray[np.bool_], guesses: Sequence[Floats]
) -> Floats:
    """The spine as one piece, from where the bones of both images overlap most or from a guess."""
    present = [level for level in cranial_to_caudal() if (labels.array == level.value).any()]
    settled = []
    for pose in [*_overlaps(ct, later, good)[:_SETTLED], *guesses]:
        correlation, seen = -1.0, 0.0
        for sigma in _WHOLE_MM:
            sampled = _sample(ct, labels, present, sigma)
            smooth = _Smooth(later, good, sampled.points @ pose[:3, :3].T + pose[:3, 3], sigma)
            pose, correlation, seen = _fit(sampled, smooth, pose)
        settled.append((correlation * min(1.0, 2 * seen), pose))
    return max(settled, key=lambda each: each[0])[1]


def _overlaps(ct: Volume, later: Volume, good: NDArray[np.bool_]) -> list[Floats]:
    """Poses at which much bone lies on bone, best first, by correlation in Fourier space."""
    there, grid = _bones(later, good)
    here, own = _bones(ct, np.ones(ct.shape, bool))
    middle = ct.index_to_ras((np.array(ct.shape) - 1) / 2)
    size = [int(next_fast_len(a + b, real=True)) for a, b in zip(there.shape, here.shape, strict=True)]
    spectrum = np.fft.rfftn(there, size)
    tried: list[tuple[float, Floats]] = []
    for turns in _TURNS:
        turn = Rotation.from_euler("xyz", turns, degrees=True).as_matrix()
        about = np.eye(4)
        about[:3, :3], about[:3, 3] = turn, middle - turn @ middle
        score = np.fft.irfftn(spectrum * np.conj(np.fft.rfftn(_turned(here, own, about), size)), size)
        peak = np.unravel_index(int(score.argmax()), score.shape)
        back = [int(p) - n if p >= n - m else int(p) for p, n, m in zip(peak, size, here.shape, strict=True)]
        pose = about.copy()
        pose[:3, 3] += grid[:3, 3] - own[:3, 3] + _COARSE_MM * np.array(back)
        tried.append((float(score[peak]), pose))
    return [pose for _, pose in sorted(tried, key=lambda each: -each[0])]


def _bones(ct: Volume, good: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """How much bone there is in coarse cubes along RAS, and their affine."""
    low_hu, high_hu = _BONE_HU
    bone = np.clip((ct.array - low_hu) / (high_hu - low_hu), 0, 1).astype(np.float32) * good
    bone = gaussian_filter(bone, 0.5 * _COARSE_MM / ct.spacing)
    ends = ct.index_to_ras(np.array(np.meshgrid(*[(0, n - 1) for n in ct.shape])).reshape(3, -1).T)
    low = ends.min(axis=0)
    size = tuple(int(n) for n in np.ceil((ends.max(axis=0) - low) / _COARSE_MM) + 1)
    affine = np.diag([_COARSE_MM, _COARSE_MM, _COARSE_MM, 1.0])
    affine[:3, 3] = low
    points = np.moveaxis(np.indices(size), 0, -1).reshape(-1, 3) * _COARSE_MM + low
    values = map_coordinates(bone, ct.ras_to_index(points).T, order=1, mode="constant")
    return values.reshape(size).astype(np.float64), affine


def _turned(values: Floats, affine: Floats, motion: Floats) -> Floats:
    """The same grid after what it shows was moved."""
    back = np.linalg.inv(affine) @ np.linalg.inv(motion) @ affine
    index = np.indices(values.shape).reshape(3, -1)
    at = back[:3, :3] @ index + back[:3, 3:]
    return np.asarray(map_coordinates(values, at, order=1, mode="constant").reshape(values.shape))


def _told(
    level: Level, sampled: _Sampled, pose: Floats, start: Floats, correlation: float, seen: float
) -> VertebraFound:
    doubts = []
    if seen < _LEAST_SEEN:
        doubts.append(f"only {100 * seen:.0f} % of {level.name} is in the later CT and free of metal")
    elif correlation < _LEAST_CORRELATION:
        doubts.append(f"{level.name} looks different in the later CT (correlation {correlation:.2f})")
    change = offset(start, pose, sampled.centre)
    if np.linalg.norm(change[3:]) > _FARTHEST_MM or np.degrees(np.linalg.norm(change[:3])) > _FARTHEST_DEG:
        doubts.append(f"{level.name} would have moved too far against the start")
    return VertebraFound(pose, _ERROR_MM, tuple(doubts))
