"""Boxes of an image on a grid of their own, as networks are given them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import affine_transform, gaussian_filter

from spinescrew.geometry.volume import Volume

Floats = NDArray[np.float64]

AIR_HU = -1024.0


@dataclass(frozen=True, eq=False)
class Box:
    """A grid in space: ``shape`` voxels, ``affine`` (4, 4) index to RAS."""

    shape: tuple[int, int, int]
    affine: Floats

    def cut(self, volume: Volume, order: int, outside: float) -> NDArray[np.float32]:
        """``volume`` on this grid by nearest (0) or linear (1) interpolation; ``outside`` beyond its edge.

        Where the volume is finer than the box it is smoothed first, so that nothing is missed between samples.
        """
        sigma = self._smoothing(volume) if order else np.zeros(3)
        part = self._part_of(volume, _margin(sigma))
        if part is None:
            return np.full(self.shape, outside, np.float32)
        array = np.asarray(part.array, np.float32)
        if sigma.any():
            array = gaussian_filter(array, sigma, mode="nearest")
        move = part.inverse @ self.affine
        return np.asarray(
            affine_transform(array, move[:3, :3], move[:3, 3], self.shape, order=order, mode="constant", cval=outside),
            np.float32,
        )

    def share_of(self, labels: Volume, value: int) -> NDArray[np.float32]:
        """How much of each voxel of this grid has that label: interpolated, so that coarse labels leave no steps."""
        part = self._part_of(labels, _margin(self._smoothing(labels)))
        if part is None:
            return np.zeros(self.shape, np.float32)
        return self.cut(part.with_array((part.array == value).astype(np.float32)), 1, 0.0)

    def _smoothing(self, volume: Volume) -> Floats:
        """Width in voxels of the Gaussian that a volume finer than the box needs, along each of its axes."""
        coarser = np.linalg.norm(self.affine[:3, :3], axis=0).mean() / volume.spacing
        return np.where(coarser > 1.5, 0.4 * coarser, 0.0)

    def _part_of(self, volume: Volume, margin: NDArray[np.int_]) -> Volume | None:
        """The part of a volume that the box needs; ``None`` if they do not meet."""
        ends = np.stack(np.meshgrid(*[(0, n - 1) for n in self.shape], indexing="ij"), axis=-1).reshape(-1, 3)
        corners = volume.ras_to_index(self.to_ras(ends))
        low = np.clip(np.floor(corners.min(axis=0)) - margin, 0, volume.shape).astype(int)
        high = np.clip(np.ceil(corners.max(axis=0)) + margin + 1, 0, volume.shape).astype(int)
        return volume.crop(low, high) if (high > low).all() else None

    def to_ras(self, index: Floats) -> Floats:
        """Voxels of the box (..., 3), fractions allowed, as RAS points."""
        return np.asarray(index @ self.affine[:3, :3].T + self.affine[:3, 3])

    def to_index(self, points: Floats) -> Floats:
        """RAS points (..., 3) in voxels of the box."""
        inverse = np.linalg.inv(self.affine)
        return np.asarray(points @ inverse[:3, :3].T + inverse[:3, 3])


def _margin(sigma: Floats) -> NDArray[np.int_]:
    return np.ceil(3 * sigma).astype(int) + 2


def box_around(centre: Floats, shape: tuple[int, int, int], spacing_mm: float) -> Box:
    """A box along the patient's axes with ``centre`` (3,) RAS in its middle."""
    affine = np.diag([spacing_mm, spacing_mm, spacing_mm, 1.0])
    affine[:3, 3] = np.asarray(centre) - 0.5 * spacing_mm * (np.array(shape) - 1)
    return Box(shape, affine)
