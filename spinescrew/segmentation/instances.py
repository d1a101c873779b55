"""From what the coarse network says of every voxel to one mask per vertebra.

Each voxel votes for the place of its vertebra's centroid (as in panoptic segmentation of photographs, Cheng et al.
2020): neighbours whose joints and processes interlock come apart, which no connected component does at 4 mm. The sacrum
is one piece and needs no votes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from spinescrew.segmentation.scheme import COARSE_MM, OFFSET_UNIT_MM, SACRAL_CLASS

Shares = NDArray[np.float32]
Mask = NDArray[np.bool_]

SMALLEST_MM3 = 4000.0
_SMOOTH_VOXELS = 1.2
_APART_VOXELS = 4.5
"""Centroids of neighbours lie at least this far apart (18 mm; 22 mm and more in grown people)."""
_FARTHEST_VOXELS = 6.0
_EVERY = np.ones((3, 3, 3), bool)
_BALL = sum(x**2 for x in np.ogrid[-4:5, -4:5, -4:5]) <= _APART_VOXELS**2


@dataclass(frozen=True, eq=False)
class Instance:
    """Mask (i, j, k) of what may be a vertebra, and whether it would be a sacrum."""

    mask: Mask
    sacral: bool = False


def find_instances(shares: Shares, offsets: Shares) -> list[Instance]:
    """What may be vertebrae; last, everything that may be the sacrum, the largest piece first.

    Parameters
    ----------
    shares:
        (classes, i, j, k), of the coarse network's classes.
    offsets:
        (3, i, j, k), from each voxel to its vertebra's centroid along i, j, k, in units of ``OFFSET_UNIT_MM``.
    """
    bone = shares[0] < 0.5
    sacral = bone & (shares[SACRAL_CLASS] > np.delete(shares, (0, SACRAL_CLASS), axis=0).sum(axis=0))
    found = [Instance(_largest(mask)) for mask in _by_votes(bone & ~sacral, offsets)]
    found += [Instance(mask, sacral=True) for mask in _pieces(sacral)]
    return [each for each in found if each.mask.sum() * COARSE_MM**3 >= SMALLEST_MM3]


def _by_votes(bone: Mask, offsets: Shares) -> list[Mask]:
    """Voxels that vote for the same place."""
    index = np.argwhere(bone)
    if not len(index):
        return []
    votes = index + offsets[:, bone].T * (OFFSET_UNIT_MM / COARSE_MM)
    middles = _peaks(votes, bone.shape)
    if not len(middles):
        return []
    away, nearest = cKDTree(middles).query(votes)
    masks = []
    for n in range(len(middles)):
        mask = np.zeros(bone.shape, bool)
        mask[tuple(index[(nearest == n) & (away < _FARTHEST_VOXELS)].T)] = True
        masks.append(mask)
    return masks


def _peaks(votes: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """(n, 3) places that enough votes agree on."""
    inside = np.clip(np.round(votes).astype(int), 0, np.array(shape) - 1)
    density = np.bincount(np.ravel_multi_index(tuple(inside.T), shape), minlength=int(np.prod(shape)))
    smooth = ndimage.gaussian_filter(density.reshape(shape).astype(float), _SMOOTH_VOXELS)
    highest = ndimage.maximum_filter(smooth, footprint=_BALL) == smooth
    # what a vertebra of the smallest size gives if its votes scatter by two voxels
    least = SMALLEST_MM3 / COARSE_MM**3 / ((2 * np.pi) ** 1.5 * (_SMOOTH_VOXELS**2 + 2.0**2) ** 1.5)
    return np.argwhere(highest & (smooth > least)).astype(float)


def _pieces(mask: Mask) -> list[Mask]:
    """Connected pieces, the largest first."""
    pieces, count = ndimage.label(mask, _EVERY)
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)[1:]
    return [pieces == n + 1 for n in np.argsort(-sizes, kind="stable")]


def _largest(mask: Mask) -> Mask:
    """The largest connected piece."""
    pieces = _pieces(mask)
    return pieces[0] if pieces else mask
