"""One vertebra of a CT as X-rays meet it: what its bone adds to a beam that would cross soft tissue instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, gaussian_filter, map_coordinates

from spinescrew.anatomy.levels import Level
from spinescrew.errors import InputError
from spinescrew.geometry.volume import Volume
from spinescrew.radiographs.materials import BONE_BEGINS_HU, SOFT_G_CM3, densities

Floats = NDArray[np.float64]

_SOFT_CM2_G, _BONE_CM2_G = 0.20, 0.30
"""Mass attenuation of soft tissue and bone at about 62 keV, what 90 kV leaves behind a trunk (science.md 4.2)."""

_HIGHEST_HU = 2200.0
"""More is metal, of which nothing is known in the new images."""

_LEAST_MM3 = 1500.0
_EDGE_MM = 1.2
_BESIDE_MM = 40.0
"""So much of ribs, pelvis and the like beside the vertebrae helps to find the spine as one piece."""


@dataclass(frozen=True, eq=False)
class Bone:
    """The attenuation that one bone adds, on a grid along the CT's axes.

    Attributes
    ----------
    volume:
        float32, per mm, 0 at its faces; no negative values.
    centre:
        (3,) RAS mm, centre of its mass: about which it is turned.
    corners:
        (8, 3) RAS mm of the box that holds it.
    """

    volume: Volume
    centre: Floats
    corners: Floats


def bone_of(ct: Volume, labels: Volume, levels: Sequence[Level], spacing_mm: float) -> Bone:
    """The bone of one level, or of several as one rigid piece.

    The mask is let out by a voxel, so that a cortex which the segmentation cut is kept, but not into other levels; its
    edge is soft. Soft tissue in it counts as nothing.

    Parameters
    ----------
    ct:
        HU.
    labels:
        VerSe ids, on any grid.
    spacing_mm:
        Wanted size of the cubic voxels; the CT is smoothed before it is made coarser.

    Raises
    ------
    InputError
        If the labels do not hold one of the levels, or only a fragment.
    """
    mask, others = _masks(labels, levels)
    grid = _grid(mask, spacing_mm)
    edge = np.clip(gaussian_filter(_let_out(mask, others).astype(np.float32), _EDGE_MM / mask.spacing / 2) * 2, 0, 1)
    share = np.where(others.array, 0.0, edge).astype(np.float32)
    held = _resampled(mask.with_array(share), grid, 0.0)
    hu = _resampled(_around(ct, grid), grid, -1000.0)
    found = _bone((_excess(hu) * held).astype(np.float32), grid)
    if found is None:
        raise InputError(f"the CT shows no bone where the labels have {_names(levels)}; give the CT they were made on")
    return found


def other_bone(ct: Volume, labels: Volume, spacing_mm: float) -> Bone | None:
    """All bone of the CT that is no labelled vertebra: ribs, pelvis, what else is cut by the field of view.

    ``None`` where there is none. Parameters as for :func:`bone_of`.
    """
    grid = _grid(ct, spacing_mm)
    hu = _resampled(_around(ct, grid), grid, -1000.0)
    inside = labels.with_array(binary_dilation(labels.array > 0).astype(np.float32))
    held = _resampled(inside, grid, 0.0)
    values = np.where((hu > BONE_BEGINS_HU) & (held < 0.5), _excess(hu), 0.0).astype(np.float32)
    return _bone(values, grid)


def all_bone(ct: Volume, labels: Volume, levels: Sequence[Level], spacing_mm: float) -> Bone:
    """The levels with other bone around them that is no labelled vertebra, as one rigid piece; see :func:`bone_of`."""
    mask, _ = _masks(labels, levels, _BESIDE_MM)
    grid = _grid(mask, spacing_mm)
    hu = _resampled(_around(ct, grid), grid, -1000.0)
    wanted = [level.value for level in levels]
    own = binary_dilation(np.isin(labels.array, wanted))
    others = (labels.array > 0) & ~np.isin(labels.array, wanted)
    held = _resampled(labels.with_array((own & ~others).astype(np.float32)), grid, 0.0)
    left = _resampled(labels.with_array(binary_dilation(others & ~own).astype(np.float32)), grid, 0.0)
    excess = _excess(hu)
    loose = (hu > BONE_BEGINS_HU) & (held < 0.5) & (left < 0.5)
    found = _bone(np.where(loose, excess, excess * held).astype(np.float32), grid)
    if found is None:
        raise InputError(f"the CT shows no bone where the labels have {_names(levels)}; give the CT they were made on")
    return found


def _bone(values: NDArray[np.float32], grid: Volume) -> Bone | None:
    for axis in range(3):
        for end in (0, -1):
            np.moveaxis(values, axis, 0)[end] = 0.0
    total = float(values.sum())
    if total <= 0:
        return None
    volume = Volume(values, grid.affine)
    index = np.indices(values.shape).reshape(3, -1)
    ends = np.array(np.meshgrid(*[(0, n - 1) for n in values.shape])).reshape(3, -1).T
    centre = volume.index_to_ras(index @ values.ravel().astype(np.float64) / total)
    return Bone(volume, centre, volume.index_to_ras(ends))


def _names(levels: Sequence[Level]) -> str:
    return ", ".join(level.label for level in levels)


def _masks(labels: Volume, levels: Sequence[Level], beside_mm: float = 5.0) -> tuple[Volume, Volume]:
    """Masks of the levels and of all others, cut to the levels' surroundings."""
    for level in levels:
        size = float((labels.array == level.value).sum()) * float(np.prod(labels.spacing))
        if size < _LEAST_MM3:
            raise InputError(f"{level.label} is not in the label map, or only a fragment of it; register other levels")
    wanted = np.isin(labels.array, [level.value for level in levels])
    used = [np.flatnonzero(wanted.any(axis=tuple(a for a in range(3) if a != axis))) for axis in range(3)]
    pad = np.ceil(beside_mm / labels.spacing).astype(int) + 1
    low, high = (np.array([u[at] for u in used]) for at in (0, -1))
    box = labels.crop(low - pad, high + 1 + pad)
    inside = np.isin(box.array, [level.value for level in levels])
    return box.with_array(inside), box.with_array((box.array > 0) & ~inside)


def _let_out(mask: Volume, others: Volume) -> NDArray[np.bool_]:
    return np.asarray(binary_dilation(mask.array, iterations=1) & ~others.array)


def _grid(mask: Volume, spacing_mm: float) -> Volume:
    """A grid of cubic voxels along the mask's axes, a voxel larger than the mask on all sides."""
    size = np.ceil(np.array(mask.shape) * mask.spacing / spacing_mm).astype(int) + 3
    steps = mask.affine[:3, :3] / mask.spacing * spacing_mm
    affine = np.eye(4)
    affine[:3, :3] = steps
    middle = mask.index_to_ras((np.array(mask.shape) - 1) / 2)
    affine[:3, 3] = middle - steps @ ((size - 1) / 2)
    return Volume(np.empty(tuple(size), np.float32), affine)


def _around(ct: Volume, grid: Volume) -> Volume:
    """The part of the CT that the grid covers, in float32."""
    ends = np.array(np.meshgrid(*[(0, n - 1) for n in grid.shape])).reshape(3, -1).T
    index = ct.ras_to_index(grid.index_to_ras(ends))
    box = ct.crop(np.floor(index.min(axis=0)) - 3, np.ceil(index.max(axis=0)) + 4)
    if min(box.shape) == 0:
        raise InputError("the labels lie outside the CT; give the CT they were made on")
    return Volume(np.clip(box.array.astype(np.float32), -1024, _HIGHEST_HU), box.affine)


def _resampled(volume: Volume, grid: Volume, outside: float) -> NDArray[np.float32]:
    """Trilinear on the grid, smoothed first where it is coarser."""
    target = float(grid.spacing[0])
    sigma = 0.4 * np.sqrt(np.maximum(target**2 - volume.spacing**2, 0.0)) / volume.spacing
    array = gaussian_filter(volume.array, sigma) if sigma.max() > 0.2 else volume.array
    to = volume.inverse @ grid.affine
    index = np.indices(grid.shape, dtype=np.float32).reshape(3, -1)
    at = to[:3, :3].astype(np.float32) @ index + to[:3, 3:].astype(np.float32)
    found = map_coordinates(array, at, order=1, mode="constant", cval=outside)
    return np.asarray(found.reshape(grid.shape), dtype=np.float32)


def _excess(hu: NDArray[np.float32]) -> NDArray[np.float64]:
    """Attenuation per mm beyond that of soft tissue."""
    soft, bone = densities(hu)
    per_cm = _SOFT_CM2_G * (soft - SOFT_G_CM3) + _BONE_CM2_G * bone
    return np.maximum(0.1 * per_cm, 0.0)
