"""Vertebrae cut out one by one, each on a fine grid of its own, put back together on the CT's grid."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from spinescrew.anatomy.levels import Level
from spinescrew.geometry.volume import Volume

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Box = tuple[slice, slice, slice]


@dataclass(frozen=True, eq=False)
class Piece:
    """One vertebra: its probability in [0, 1] on any grid."""

    level: Level
    probability: Volume


def combine(pieces: Iterable[Piece], grid: Volume, threshold: float = 0.5) -> Volume:
    """Label map of VerSe ids on ``grid``.

    Probabilities are interpolated linearly and then cut at ``threshold``, which keeps walls smooth where nearest
    voxels would make steps. Where vertebrae overlap, the one with the higher probability has the voxel. Of each
    vertebra the largest connected piece is kept and holes inside it are filled. Beyond its own grid a piece counts
    as absent.
    """
    labels = np.zeros(grid.shape, np.int16)
    best = np.full(grid.shape, threshold, np.float16)
    boxes: dict[Level, Box] = {}
    for piece in pieces:
        box = _box_on(grid, piece.probability)
        found = _interpolated(piece.probability, grid, box).astype(np.float16)
        wins = found > best[box]
        labels[box][wins] = piece.level.value
        best[box][wins] = found[wins]
        boxes[piece.level] = box
    for level, box in boxes.items():
        _tidy(labels[box], level)
    return Volume(labels, grid.affine, {"modality": "labels", "corrections": [], "numbering": "verse"})


def resample_labels(labels: Volume, grid: Volume) -> Volume:
    """A label map on another grid, each label interpolated linearly and cut at one half; no voxel is tidied away."""
    if labels.same_grid(grid):
        return labels
    array = np.zeros(grid.shape, labels.array.dtype)
    best = np.full(grid.shape, 0.5, np.float16)
    for value, found in enumerate(ndimage.find_objects(labels.array), start=1):
        if found is None:
            continue
        low = [side.start - 1 for side in found]
        cut = labels.crop(low, [side.stop + 1 for side in found])
        mask = cut.with_array((cut.array == value).astype(np.float32))
        box = _box_on(grid, mask)
        share = _interpolated(mask, grid, box).astype(np.float16)
        wins = share >= best[box]
        array[box][wins] = value
        best[box][wins] = share[wins]
    return Volume(array, grid.affine, dict(labels.metadata))


def largest_piece_filled(mask: Mask) -> Mask:
    """The largest piece connected by faces, with holes that do not reach the outside filled; empty stays empty."""
    pieces, count = ndimage.label(mask)
    if not count:
        return np.zeros(mask.shape, bool)
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    return np.asarray(ndimage.binary_fill_holes(pieces == sizes.argmax()), dtype=bool)


def _tidy(labels: NDArray[np.int16], level: Level) -> None:
    """Keep the largest piece of ``level``, in place; filled holes never take another vertebra's voxels."""
    mask = labels == level.value
    kept = largest_piece_filled(mask)
    labels[mask & ~kept] = 0
    labels[kept & (labels == 0)] = level.value


def _box_on(grid: Volume, part: Volume) -> Box:
    """The voxels of ``grid`` that ``part`` may reach."""
    corners = np.array(np.meshgrid(*[(-0.5, n - 0.5) for n in part.shape])).reshape(3, -1).T
    index = grid.ras_to_index(part.index_to_ras(corners))
    low = np.clip(np.floor(index.min(axis=0)), 0, grid.shape).astype(int)
    high = np.clip(np.ceil(index.max(axis=0)) + 1, low, grid.shape).astype(int)
    i, j, k = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    return i, j, k


def _interpolated(part: Volume, grid: Volume, box: Box) -> NDArray[np.float32]:
    """Values of ``part`` at the voxel centres of a box of ``grid``, linear between its own, 0 beyond them."""
    shape = tuple(side.stop - side.start for side in box)
    if 0 in shape:
        return np.zeros(shape, np.float32)
    step = part.inverse @ grid.affine
    start = step[:3, :3] @ np.array([side.start for side in box]) + step[:3, 3]
    out: NDArray[np.float32] = ndimage.affine_transform(
        part.array.astype(np.float32, copy=False), step[:3, :3], start, shape, order=1, mode="grid-constant", cval=0.0
    )
    return out
