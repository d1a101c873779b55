"""Signed distance to the surface of a label, with sub-voxel accuracy.

A binary mask says of each voxel centre only on which side of the surface it lies. Among all surfaces that agree with
every voxel the smoothest is taken: the mask, then its distance field, are smoothed with kernels whose second moment
vanishes, so that neither planes nor curved walls move, and every voxel is kept on its side. The zero level is located
on each grid edge it crosses; distances are measured to those points and the planes through them. What half a voxel
still leaves open is stated beside each grade (``grading``).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.interpolate import make_interp_spline
from scipy.ndimage import gaussian_filter

from spinescrew.errors import GeometryError
from spinescrew.geometry.sampling import trilinear
from spinescrew.geometry.volume import Volume

Floats = NDArray[np.float64]

_WIDEST_SMOOTHING_MM = 2.0


@dataclass(frozen=True, eq=False)
class SignedDistance:
    """Distance in mm to a closed surface, negative inside, on a grid of its own.

    Outside the grid the value grows with the distance to the grid, so it stays a sound lower-order estimate far away.

    Attributes
    ----------
    volume:
        float32 distances; may be oblique, anisotropic or left-handed.
    """

    volume: Volume

    @cached_property
    def inverse(self) -> Floats:
        """4x4, RAS to grid index."""
        return self.volume.inverse

    def sample(self, points: Any) -> Floats:
        """Distances (...) at RAS ``points`` (..., 3)."""
        flat = np.asarray(points, dtype=np.float64)
        return trilinear(self.volume, flat, self.inverse) + self._outside(flat)

    def gradient(self, points: Any, step_mm: float = 0.5) -> Floats:
        """Unit vectors (..., 3), RAS, in which the distance grows fastest; central differences over ``step_mm``."""
        flat = np.asarray(points, dtype=np.float64)
        steps = np.concatenate([np.eye(3), -np.eye(3)]) * step_mm
        values = self.sample(flat[..., None, :] + steps)
        slope = values[..., :3] - values[..., 3:]
        return slope / np.maximum(np.linalg.norm(slope, axis=-1, keepdims=True), 1e-12)

    def _outside(self, points: Floats) -> Floats:
        """Distance of ``points`` to the grid's box, 0 inside it."""
        index = points @ self.inverse[:3, :3].T + self.inverse[:3, 3]
        beyond = index - np.clip(index, 0, np.array(self.volume.shape) - 1)
        if not beyond.any():
            return np.zeros(beyond.shape[:-1])
        return np.linalg.norm(beyond @ self.volume.affine[:3, :3].T, axis=-1)

    @staticmethod
    def from_mask(mask: Volume, padding_mm: float = 8.0, target_mm: float = 0.8) -> SignedDistance:
        """Distance to the surface of a mask (bool or 0/1).

        Parameters
        ----------
        mask:
            Any grid. Where the mask touches the edge of the volume it is taken to go on unchanged beyond it: the edge
            of an image is not a cortex.
        padding_mm:
            Room kept around the mask.
        target_mm:
            Axes with larger voxels are subdivided to about this size, much finer ones are thinned.

        Raises
        ------
        GeometryError
            If the mask is empty.
        """
        array, affine = _cut_out(mask, padding_mm)
        level = _smoothest_level(array, mask.spacing)
        factors = np.maximum(1, np.round(mask.spacing / target_mm).astype(int))
        level = _subdivide(level, factors)
        affine = affine @ _refined(factors)
        stride = np.maximum(1, np.floor(0.55 / mask.spacing).astype(int))
        level = np.ascontiguousarray(level[:: stride[0], :: stride[1], :: stride[2]])
        affine = affine @ np.diag([*stride, 1.0])
        return SignedDistance(Volume(_distances(level, affine[:3, :3]), affine))

    @staticmethod
    def from_function(function: Any, low: Any, high: Any, spacing: float = 0.5) -> SignedDistance:
        """Tabulate ``function(points (n, 3) RAS) -> (n,)`` signed distances on the RAS-aligned box [low, high]."""
        axes = [np.arange(a, b + spacing, spacing) for a, b in zip(low, high, strict=True)]
        grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
        values = np.asarray(function(grid.reshape(-1, 3)), dtype=np.float32).reshape(grid.shape[:3])
        affine = np.diag([spacing, spacing, spacing, 1.0])
        affine[:3, 3] = [axis[0] for axis in axes]
        return SignedDistance(Volume(values, affine))


def _cut_out(mask: Volume, padding_mm: float) -> tuple[NDArray[np.bool_], Floats]:
    """The mask's bounding box plus padding; beyond the volume's edge the edge voxels are repeated."""
    inside = mask.array.astype(bool)
    if not inside.any():
        raise GeometryError("the label is empty: there is no surface to measure a distance to")
    pad = np.ceil(padding_mm / mask.spacing).astype(int)
    low, high = np.zeros(3, int), np.zeros(3, int)
    for axis in range(3):
        used = np.flatnonzero(inside.any(axis=tuple(a for a in range(3) if a != axis)))
        low[axis], high[axis] = used[0] - pad[axis], used[-1] + 1 + pad[axis]
    kept_low, kept_high = np.maximum(low, 0), np.minimum(high, mask.shape)
    box = inside[tuple(slice(a, b) for a, b in zip(kept_low, kept_high, strict=True))]
    array = np.pad(box, list(zip(kept_low - low, high - kept_high, strict=True)), mode="edge")
    affine = mask.affine.copy()
    affine[:3, 3] = mask.index_to_ras(low)
    return array, affine


def _refined(factors: NDArray[np.int_]) -> Floats:
    """4x4 from the index of a subdivided grid to the index of the original one."""
    matrix = np.diag([*(1.0 / factors), 1.0])
    matrix[:3, 3] = 0.5 / factors - 0.5
    return matrix


def _smoothest_level(inside: NDArray[np.bool_], spacing: Floats) -> NDArray[np.float32]:
    """A smooth field (in voxels, about +-4 wide) that is negative at every voxel inside and positive outside.

    It is smoothed by about a voxel, but in coarse images by at most 2 mm in the finest direction: more would round
    pedicles off.
    """
    reach = np.full(3, min(1.0, _WIDEST_SMOOTHING_MM / float(spacing.min())))
    level = 0.5 - _without_bias(inside.astype(np.float32), np.full(3, 0.7))
    level = np.where(inside, np.minimum(level, -0.03), np.maximum(level, 0.03)).astype(np.float32)
    level = _distances(level, np.eye(3), reach_mm=4.0)
    for _ in range(3):
        level = _without_bias(level, reach)
        level = np.where(inside, np.minimum(level, -0.05), np.maximum(level, 0.05)).astype(np.float32)
    return level


def _without_bias(field: NDArray[np.float32], sigma: Floats) -> NDArray[np.float32]:
    """``field`` smoothed, twice a narrow Gaussian less a wide one of twice its variance.

    On a convex wall both are shifted inwards in proportion to their variances; their combination is not.
    """
    with ThreadPoolExecutor(2) as pool:
        narrow, wide = pool.map(
            lambda width: gaussian_filter(field, width, mode="nearest", truncate=3.0), (sigma, sigma * np.sqrt(2.0))
        )
    return 2.0 * narrow - wide


def _subdivide(level: NDArray[np.float32], factors: NDArray[np.int_]) -> NDArray[np.float32]:
    """``level`` at the centres of voxels cut into ``factors`` parts along each axis, by cubic splines."""
    for axis, n in enumerate(factors):
        if n > 1:
            centres = (np.arange(level.shape[axis] * n) + 0.5) / n - 0.5
            spline = make_interp_spline(np.arange(level.shape[axis]), level, k=3, axis=axis)
            level = spline(np.clip(centres, 0, level.shape[axis] - 1)).astype(np.float32)
    return level


def _distances(level: NDArray[np.float32], steps: Floats, reach_mm: float = np.inf) -> NDArray[np.float32]:
    """Signed distances (mm) to the zero level of ``level``; ``steps`` (3, 3) holds one voxel step per column.

    Distances beyond ``reach_mm`` are given as ``reach_mm``.
    """
    points, normals, owner = _surface(level, steps)
    if not len(points):
        raise GeometryError("the label is too small to have a surface at this voxel size")
    size = float(np.linalg.norm(steps, axis=0).max())
    best = np.full(level.shape, np.inf, np.float32)
    nearest = np.full(level.shape, -1, np.int32)
    _seed(points, owner, steps, best, nearest)
    far = np.float32(min(reach_mm, 1e6))
    _sweep(points, steps, best, nearest, reach_mm)
    return np.clip(_signed(level, points, normals, steps, nearest, 0.75 * size, far), -far, far)


def _surface(level: NDArray[np.float32], steps: Floats) -> tuple[Floats, Floats, NDArray[np.int32]]:
    """Zero crossings on grid edges: points and outward unit normals in mm from voxel 0, and the nearest voxels."""
    to_index = np.linalg.inv(steps)
    slopes: list[NDArray[np.float32]] = list(np.gradient(level))
    points, normals, owners = [], [], []
    for axis in range(3):
        low = tuple(slice(None, -1) if a == axis else slice(None) for a in range(3))
        high = tuple(slice(1, None) if a == axis else slice(None) for a in range(3))
        at = np.argwhere((level[low] <= 0) != (level[high] <= 0))
        to = at.copy()
        to[:, axis] += 1
        value, following = level[tuple(at.T)].astype(float), level[tuple(to.T)].astype(float)
        t = value / (value - following)
        where = at.astype(float)
        where[:, axis] += t
        slope = np.stack([(1 - t) * s[tuple(at.T)] + t * s[tuple(to.T)] for s in slopes], axis=1)
        normal = slope @ to_index
        points.append(where @ steps.T)
        normals.append(normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12))
        owners.append(np.where((t < 0.5)[:, None], at, to))
    return np.concatenate(points), np.concatenate(normals), np.concatenate(owners).astype(np.int32)


@njit(cache=True)
def _square(x, y, z, points, n):  # type: ignore[no-untyped-def]
    u, v, w = x - points[n, 0], y - points[n, 1], z - points[n, 2]
    return np.float32(u * u + v * v + w * w)


@njit(cache=True)
def _seed(points, owner, steps, best, nearest):  # type: ignore[no-untyped-def]
    ni, nj, nk = best.shape
    for n in range(points.shape[0]):
        for i in range(max(owner[n, 0] - 1, 0), min(owner[n, 0] + 2, ni)):
            for j in range(max(owner[n, 1] - 1, 0), min(owner[n, 1] + 2, nj)):
                for k in range(max(owner[n, 2] - 1, 0), min(owner[n, 2] + 2, nk)):
                    x = steps[0, 0] * i + steps[0, 1] * j + steps[0, 2] * k
                    y = steps[1, 0] * i + steps[1, 1] * j + steps[1, 2] * k
                    z = steps[2, 0] * i + steps[2, 1] * j + steps[2, 2] * k
                    found = _square(x, y, z, points, n)
                    if found < best[i, j, k]:
                        best[i, j, k], nearest[i, j, k] = found, n


@njit(cache=True)
def _sweep(points, steps, best, nearest, reach):  # type: ignore[no-untyped-def]
    """Hand each voxel's nearest surface point on to its neighbours, in the eight diagonal orders.

    Beyond ``reach`` mm points are handed on no further; what is not reached keeps its infinite distance.
    """
    ni, nj, nk = best.shape
    limit = np.float32(reach * reach)
    for order in range(8):
        di = 1 if order & 1 else -1
        dj = 1 if order & 2 else -1
        dk = 1 if order & 4 else -1
        for a in range(ni):
            i = a if di == 1 else ni - 1 - a
            for b in range(nj):
                j = b if dj == 1 else nj - 1 - b
                x0 = steps[0, 0] * i + steps[0, 1] * j
                y0 = steps[1, 0] * i + steps[1, 1] * j
                z0 = steps[2, 0] * i + steps[2, 1] * j
                squares, owners = best[i, j], nearest[i, j]
                # at the edge of the grid a row stands in for its missing neighbour: it has nothing new to hand on
                side_i = i - di if a else i
                side_j = j - dj if b else j
                squares_i, owners_i = best[side_i, j], nearest[side_i, j]
                squares_j, owners_j = best[i, side_j], nearest[i, side_j]
                square_k, owner_k = np.float32(np.inf), np.int32(-1)
                for c in range(nk):
                    k = c if dk == 1 else nk - 1 - c
                    x, y, z = x0 + steps[0, 2] * k, y0 + steps[1, 2] * k, z0 + steps[2, 2] * k
                    square, owner = squares[k], owners[k]
                    if squares_i[k] < limit and owners_i[k] != owner:
                        found = _square(x, y, z, points, owners_i[k])
                        if found < square:
                            square, owner = found, owners_i[k]
                    if squares_j[k] < limit and owners_j[k] != owner:
                        found = _square(x, y, z, points, owners_j[k])
                        if found < square:
                            square, owner = found, owners_j[k]
                    if square_k < limit and owner_k != owner:
                        found = _square(x, y, z, points, owner_k)
                        if found < square:
                            square, owner = found, owner_k
                    squares[k], owners[k] = square, owner
                    square_k, owner_k = square, owner


@njit(cache=True)
def _signed(level, points, normals, steps, nearest, flat_mm, far):  # type: ignore[no-untyped-def]
    """Distance to the plane through the nearest surface point where that point is nearly straight below."""
    ni, nj, nk = level.shape
    out = np.empty((ni, nj, nk), np.float32)
    for i in range(ni):
        for j in range(nj):
            for k in range(nk):
                n = nearest[i, j, k]
                if n < 0:
                    out[i, j, k] = -far if level[i, j, k] <= 0 else far
                    continue
                x = steps[0, 0] * i + steps[0, 1] * j + steps[0, 2] * k - points[n, 0]
                y = steps[1, 0] * i + steps[1, 1] * j + steps[1, 2] * k - points[n, 1]
                z = steps[2, 0] * i + steps[2, 1] * j + steps[2, 2] * k - points[n, 2]
                square = x * x + y * y + z * z
                along = x * normals[n, 0] + y * normals[n, 1] + z * normals[n, 2]
                sideways = np.sqrt(max(square - along * along, 0.0))
                size = abs(along) if sideways <= flat_mm else np.sqrt(square)
                out[i, j, k] = -size if level[i, j, k] <= 0 else size
    return out
