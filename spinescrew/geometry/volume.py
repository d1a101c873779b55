"""An image or label map and where its voxels are in the patient."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.errors import GeometryError

Array = NDArray[Any]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Volume:
    """Voxels and the affine that places them.

    Oblique, anisotropic and left-handed grids are all legal; nothing here resamples.

    Attributes
    ----------
    array:
        Voxels, shape (ni, nj, nk), indexed ``[i, j, k]`` along the volume's own axes.
    affine:
        4x4, index (i, j, k, 1) of a voxel's **centre** to RAS millimetres.
    metadata:
        What the reader wants to hand on (modality, corrections made, ...). Never patient identity.

    Raises
    ------
    GeometryError
        If the array is not three-dimensional, or the affine is not finite, not affine or singular.
    """

    array: Array
    affine: Floats
    metadata: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        affine = np.array(self.affine, dtype=np.float64)
        if self.array.ndim != 3:
            raise GeometryError(f"a volume needs three dimensions, this array has {self.array.ndim}")
        if affine.shape != (4, 4) or not np.isfinite(affine).all():
            raise GeometryError("the affine must be a finite 4x4 matrix; the file's geometry is damaged")
        if not np.allclose(affine[3], (0, 0, 0, 1)):
            raise GeometryError("the last row of the affine must be 0 0 0 1")
        if abs(np.linalg.det(affine[:3, :3])) < 1e-9:
            raise GeometryError("the affine is singular: two of the volume's axes coincide or one has no length")
        affine.setflags(write=False)
        object.__setattr__(self, "affine", affine)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along i, j, k."""
        ni, nj, nk = self.array.shape
        return ni, nj, nk

    @property
    def spacing(self) -> Floats:
        """(3,) voxel edge lengths in mm along i, j, k."""
        return np.array([float(np.linalg.norm(step)) for step in self.affine[:3, :3].T])

    @property
    def inverse(self) -> Floats:
        """4x4, RAS to index."""
        return np.asarray(np.linalg.inv(self.affine), dtype=np.float64)

    def index_to_ras(self, index: Any) -> Floats:
        """Indices (..., 3), fractions allowed, to RAS points (..., 3)."""
        return np.asarray(index, dtype=np.float64) @ self.affine[:3, :3].T + self.affine[:3, 3]

    def ras_to_index(self, points: Any) -> Floats:
        """RAS points (..., 3) to fractional indices (..., 3)."""
        inverse = self.inverse
        return np.asarray(points, dtype=np.float64) @ inverse[:3, :3].T + inverse[:3, 3]

    def contains(self, points: Any, margin_mm: float = 0.0) -> NDArray[np.bool_]:
        """Which RAS points (..., 3) lie at least ``margin_mm`` inside the imaged box (voxel edges included)."""
        index = self.ras_to_index(points)
        margin = margin_mm / self.spacing
        inside = (index >= -0.5 + margin) & (index <= np.array(self.shape) - 0.5 - margin)
        return np.asarray(inside.all(axis=-1))

    def with_array(self, array: Array) -> Volume:
        """The same grid with other voxels; the shape must match."""
        if array.shape != self.array.shape:
            raise GeometryError(f"array of shape {array.shape} on a grid of shape {self.array.shape}")
        return Volume(array, self.affine, dict(self.metadata))

    def crop(self, low: Any, high: Any) -> Volume:
        """The box of voxels ``low <= index < high`` (clipped to the volume), in the same place."""
        lo = np.clip(np.asarray(low, dtype=int), 0, self.shape)
        hi = np.clip(np.asarray(high, dtype=int), lo, self.shape)
        affine = self.affine.copy()
        affine[:3, 3] = self.index_to_ras(lo)
        box = tuple(slice(int(a), int(b)) for a, b in zip(lo, hi, strict=True))
        return Volume(self.array[box], affine, dict(self.metadata))

    def same_grid(self, other: Volume, tolerance_mm: float = 1e-3) -> bool:
        """Whether both volumes have voxels at the same places (within ``tolerance_mm`` at the corners)."""
        if self.shape != other.shape:
            return False
        corners = np.array(np.meshgrid(*[(0, n) for n in self.shape])).reshape(3, -1).T
        gap = np.abs(self.index_to_ras(corners) - other.index_to_ras(corners))
        return bool(gap.max() <= tolerance_mm)

    def content_hash(self) -> str:
        """``sha256:...`` of voxels, type, shape and affine (rounded to 1e-6); file format does not matter."""
        digest = hashlib.sha256()
        digest.update(str((self.array.dtype.str, self.shape)).encode())
        digest.update((np.round(self.affine, 6) + 0.0).tobytes())  # -0.0 is 0.0
        digest.update(np.ascontiguousarray(self.array).tobytes())
        return "sha256:" + digest.hexdigest()
