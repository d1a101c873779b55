"""One X-ray projection: a point source and a flat detector, placed in the patient (RAS mm)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.errors import GeometryError
from spinescrew.geometry.vectors import angle_deg, cross, unit

Floats = NDArray[np.float64]

_UNIT_TOLERANCE = 1e-6

_NEAR_DEG = 30.0
"""How far a beam may be turned from straight for its view to keep its name."""


@dataclass(frozen=True, eq=False)
class View:
    """Where a source and a detector stood for one image.

    Pixel (0, 0) has its centre at ``detector_origin``; columns run along ``right``, rows along ``down``. Images may be
    mirrored (seen from behind the detector): nothing asks on which side ``right`` x ``down`` points.

    Attributes
    ----------
    source:
        (3,) RAS mm, the focal spot.
    detector_origin:
        (3,) RAS mm, centre of pixel (0, 0).
    right, down:
        (3,) unit vectors in RAS, at right angles.
    pixel_mm:
        (2,) step from column to column and from row to row **at the detector**.
    shape:
        (rows, columns).

    Raises
    ------
    GeometryError
        If the vectors are no unit vectors at right angles, a size is not positive, or the source lies in the plane of
        the detector.
    """

    source: Floats
    detector_origin: Floats
    right: Floats
    down: Floats
    pixel_mm: Floats
    shape: tuple[int, int]

    def __post_init__(self) -> None:
        for name, count in (("source", 3), ("detector_origin", 3), ("right", 3), ("down", 3), ("pixel_mm", 2)):
            values = np.array(getattr(self, name), dtype=np.float64)
            if values.shape != (count,) or not np.isfinite(values).all():
                raise GeometryError(f"{name} of a view must be {count} finite numbers")
            values.setflags(write=False)
            object.__setattr__(self, name, values)
        axes = np.array([self.right, self.down])
        if np.abs(axes @ axes.T - np.eye(2)).max() > _UNIT_TOLERANCE:
            raise GeometryError("right and down of a view must be unit vectors at right angles")
        rows, columns = self.shape
        object.__setattr__(self, "shape", (int(rows), int(columns)))
        if self.pixel_mm.min() <= 0 or min(self.shape) < 1:
            raise GeometryError("pixel_mm and shape of a view must be positive")
        if abs(self._reach) < _UNIT_TOLERANCE:
            raise GeometryError("the source of a view lies in the plane of its detector")

    @cached_property
    def _reach(self) -> float:
        """Distance from the source to the detector's plane along right x down; negative in mirrored images."""
        return float((self.detector_origin - self.source) @ cross(self.right, self.down))

    @property
    def mirrored(self) -> bool:
        """Whether the image is shown as seen from behind the detector, not from the source."""
        return self._reach < 0

    @property
    def source_detector_mm(self) -> float:
        """Distance from the source to the plane of the detector."""
        return abs(self._reach)

    @cached_property
    def normal(self) -> Floats:
        """(3,) unit normal of the detector, away from the source."""
        return np.sign(self._reach) * cross(self.right, self.down)

    @cached_property
    def principal_point(self) -> Floats:
        """(column, row) at the foot of the perpendicular from the source; may lie outside the image."""
        offset = self.source - self.detector_origin
        return np.array([offset @ self.right, offset @ self.down]) / self.pixel_mm

    @cached_property
    def intrinsics(self) -> Floats:
        """K (3, 3), pixels: its first entry is negative in mirrored images, so that R stays a rotation."""
        focal = self.source_detector_mm / self.pixel_mm
        column, row = self.principal_point
        return np.array([[np.sign(self._reach) * focal[0], 0, column], [0, focal[1], row], [0, 0, 1]])

    @cached_property
    def extrinsics(self) -> Floats:
        """[R | t] (3, 4), RAS mm to the source's frame, whose third axis is the beam's."""
        turned = np.array([np.sign(self._reach) * self.right, self.down, self.normal])
        return np.column_stack([turned, -turned @ self.source])

    @cached_property
    def matrix(self) -> Floats:
        """K [R | t] (3, 4): homogeneous RAS to (column * w, row * w, w), w the depth before the source in mm."""
        return self.intrinsics @ self.extrinsics

    @cached_property
    def centre_pixel(self) -> Floats:
        """(column, row) of the middle of the image."""
        return (np.array(self.shape[::-1]) - 1) / 2

    @cached_property
    def centre_ray(self) -> Floats:
        """(3,) unit direction from the source to the middle of the image."""
        return self.rays(self.centre_pixel)

    @property
    def name(self) -> str:
        """``AP`` (postero-anterior too), ``LAT``, or nothing where the beam is oblique."""
        across, along = np.abs(self.centre_ray[:2])
        near = np.cos(np.radians(_NEAR_DEG))
        return "AP" if along >= near else "LAT" if across >= near else ""

    def depth(self, points: Any) -> Floats:
        """Distance (...) in mm of RAS points (..., 3) from the source along the detector's normal."""
        return (np.asarray(points, dtype=np.float64) - self.source) @ self.normal

    def project(self, points: Any) -> Floats:
        """RAS points (..., 3) to (column, row) (..., 2); NaN for what does not lie before the source."""
        scaled = np.asarray(points, dtype=np.float64) @ self.matrix[:, :3].T + self.matrix[:, 3]
        depth = np.where(scaled[..., 2:] > 0, scaled[..., 2:], np.nan)
        return scaled[..., :2] / depth

    def on_detector(self, pixels: Any) -> Floats:
        """(column, row) (..., 2), fractions allowed, to RAS points (..., 3) on the detector."""
        mm = np.asarray(pixels, dtype=np.float64) * self.pixel_mm
        return self.detector_origin + mm[..., :1] * self.right + mm[..., 1:] * self.down

    def rays(self, pixels: Any) -> Floats:
        """Unit directions (..., 3) from the source to the pixels (column, row) (..., 2)."""
        return unit(self.on_detector(pixels) - self.source)

    def back(self, pixels: Any, distance: Any) -> Floats:
        """RAS points (..., 3) on the rays of ``pixels`` (..., 2), ``distance`` (...) mm along them from the source."""
        return self.source + np.asarray(distance, dtype=np.float64)[..., None] * self.rays(pixels)

    def magnification(self, point: Any) -> Floats:
        """How much larger things at RAS points (..., 3), parallel to the detector, are shown; shape (...)."""
        return self.source_detector_mm / self.depth(point)

    def angle_to(self, other: View) -> float:
        """Degrees (0-180) between the centre rays."""
        return angle_deg(self.centre_ray, other.centre_ray)

    def moved(self, rigid: Any) -> View:
        """The whole C-arm moved by a rigid 4x4 in RAS: points moved with it stay on their pixels.

        Raises
        ------
        GeometryError
            If the matrix is not rigid.
        """
        move = np.asarray(rigid, dtype=np.float64)
        turn = move[:3, :3]
        if np.abs(turn.T @ turn - np.eye(3)).max() > _UNIT_TOLERANCE or np.linalg.det(turn) < 0:
            raise GeometryError("a view is moved by a rotation and a translation only")
        return replace(
            self,
            source=turn @ self.source + move[:3, 3],
            detector_origin=turn @ self.detector_origin + move[:3, 3],
            right=turn @ self.right,
            down=turn @ self.down,
        )

    def cropped(self, first_row: int, first_column: int, rows: int, columns: int) -> View:
        """The view of a part of the image; parts beyond its edges (as padding gives) are legal."""
        return replace(self, detector_origin=self.on_detector((first_column, first_row)), shape=(rows, columns))

    def binned(self, factor: int) -> View:
        """The view of the image with ``factor`` x ``factor`` pixels averaged; rows and columns left over fall away."""
        first = self.on_detector(np.full(2, (factor - 1) / 2))
        rows, columns = (n // factor for n in self.shape)
        return replace(self, detector_origin=first, pixel_mm=self.pixel_mm * factor, shape=(rows, columns))
