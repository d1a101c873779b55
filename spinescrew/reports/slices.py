"""Flat pictures through a spine: where they lie, what is in them, and a screw's outline on them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import VertebralFrame
from spinescrew.geometry.sampling import trilinear
from spinescrew.geometry.sdf import SignedDistance
from spinescrew.geometry.vectors import orthogonal_pair, unit
from spinescrew.geometry.volume import Volume
from spinescrew.implants.screw import Screw

Floats = NDArray[np.float64]
WINDOW_CENTRE_HU = 150.0
WINDOW_WIDTH_HU = 1500.0


@dataclass(frozen=True, eq=False)
class ViewPlane:
    """A rectangle in the patient that becomes a picture at a known scale.

    Attributes
    ----------
    centre:
        (3,) RAS, the middle of the picture.
    right, up:
        (3,) unit RAS directions of the picture's right and top, at right angles to each other.
    width_mm, height_mm:
        Size of the rectangle.
    spacing_mm:
        Edge of a (square) pixel.
    """

    centre: Floats
    right: Floats
    up: Floats
    width_mm: float
    height_mm: float
    spacing_mm: float = 0.15

    @property
    def towards_viewer(self) -> Floats:
        """(3,) unit direction out of the picture."""
        return np.cross(self.right, self.up)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the picture."""
        return round(self.height_mm / self.spacing_mm), round(self.width_mm / self.spacing_mm)

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Left, right, bottom and top edge in mm from the centre."""
        return -self.width_mm / 2, self.width_mm / 2, -self.height_mm / 2, self.height_mm / 2

    def axes_mm(self) -> tuple[Floats, Floats]:
        """Pixel centres in mm from the middle: x (columns,) to the right, y (rows,) from the top down."""
        rows, columns = self.shape
        x = ((np.arange(columns) + 0.5) / columns - 0.5) * self.width_mm
        y = (0.5 - (np.arange(rows) + 0.5) / rows) * self.height_mm
        return x, y

    def points(self) -> Floats:
        """RAS points of the pixel centres, (rows, columns, 3); row 0 is the top."""
        x, y = self.axes_mm()
        return self.centre + x[None, :, None] * self.right + y[:, None, None] * self.up

    def project(self, points: Any) -> Floats:
        """RAS points (..., 3) to (..., 2) mm from the middle: to the right, upwards."""
        offset = np.asarray(points, dtype=np.float64) - self.centre
        return np.stack([offset @ self.right, offset @ self.up], axis=-1)


def axial_plane(screw: Screw, frame: VertebralFrame, width_mm: float, height_mm: float) -> ViewPlane:
    """Plane through the screw's axis and the vertebra's right-left, seen from the feet: anterior on top, the
    patient's right on the left of the picture. The middle lies between the screw and the midline.
    """
    up = unit(screw.direction - (screw.direction @ frame.right) * frame.right)
    middle = (screw.entry + screw.tip) / 2
    sideways = float(np.clip((frame.origin - middle) @ frame.right, -width_mm / 7, width_mm / 7))
    return ViewPlane(middle + sideways * frame.right, -frame.right, up, width_mm, height_mm)


def sagittal_plane(screw: Screw, frame: VertebralFrame, width_mm: float, height_mm: float) -> ViewPlane:
    """Plane through the screw's axis and the vertebra's superior: superior on top, anterior on the left."""
    forward = unit(screw.direction - (screw.direction @ frame.superior) * frame.superior)
    return ViewPlane((screw.entry + screw.tip) / 2, -forward, frame.superior, width_mm, height_mm)


def isthmus_plane(screw: Screw, frame: VertebralFrame, isthmus: Any, width_mm: float, height_mm: float) -> ViewPlane:
    """Plane at right angles to the screw's axis through ``isthmus`` (3,) RAS, seen from behind along the screw:
    superior on top, the patient's right on the right. The middle is where the axis passes.
    """
    depth = float((np.asarray(isthmus, dtype=np.float64) - screw.entry) @ screw.direction)
    up, _ = orthogonal_pair(screw.direction, frame.superior)
    right = np.cross(screw.direction, up)
    return ViewPlane(screw.entry + depth * screw.direction, right, up, width_mm, height_mm, 0.1)


def slice_image(volume: Volume, plane: ViewPlane) -> Floats:
    """Values (rows, columns) of ``volume`` on ``plane``, trilinear; NaN outside the image."""
    points = plane.points()
    return np.where(volume.contains(points), trilinear(volume, points), np.nan)


def slice_distance(bones: Iterable[SignedDistance], plane: ViewPlane, image: Volume | None = None) -> Floats:
    """Distance in mm to the nearest of ``bones`` on ``plane`` (rows, columns), negative inside; inf without bones.

    NaN outside ``image``, the label map the bones were seen in: what they are like out there is not known.
    """
    points = plane.points()
    nearest = np.full(plane.shape, np.inf)
    for bone in bones:
        nearest = np.minimum(nearest, bone.sample(points))
    return nearest if image is None else np.where(image.contains(points), nearest, np.nan)


def windowed(hu: Floats, centre: float = WINDOW_CENTRE_HU, width: float = WINDOW_WIDTH_HU) -> Floats:
    """HU to grey in [0, 1]; NaN stays NaN. The default is the window of AISPINE (Wang 2024)."""
    return np.clip((hu - (centre - width / 2)) / width, 0.0, 1.0)


def shaded(distance: Floats) -> Floats:
    """Grey in [0, 1] for bone known by its surface alone: bright at the cortex, darker inside, near black outside."""
    inside = 0.42 + 0.33 * np.exp(np.minimum(distance, 0.0) / 1.2)
    edge = np.clip(0.5 - distance / 0.3, 0.0, 1.0)
    return edge * inside + (1.0 - edge) * 0.09


def profile_outline(screw: Screw, plane: ViewPlane) -> Floats:
    """Outline (n, 2) in mm on ``plane`` of the shaft cut along its axis, closed, true diameter and tip taper.

    ``plane`` must hold the axis, as :func:`axial_plane` and :func:`sagittal_plane` do.
    """
    shape = screw.shape
    depth = np.array([0.0, shape.length_mm - shape.tip_taper_mm, shape.length_mm])
    radius = shape.radius_at(depth)
    axis = plane.project(screw.entry + depth[:, None] * screw.direction)
    across = _across(screw, plane) * radius[:, None]
    outline = np.concatenate([axis + across, (axis - across)[::-1]])
    return np.concatenate([outline, outline[:1]])


def section_outline(screw: Screw, plane: ViewPlane, points: int = 90) -> Floats:
    """Outline (n, 2) in mm of the shaft cut across by ``plane``, closed; empty (0, 2) where it does not reach.

    ``plane`` must be at right angles to the axis, as :func:`isthmus_plane` is.
    """
    depth = float((plane.centre - screw.entry) @ screw.direction)
    if not 0.0 <= depth <= screw.shape.length_mm:
        return np.empty((0, 2))
    middle = plane.project(screw.entry + depth * screw.direction)
    angle = np.linspace(0.0, 2 * np.pi, points + 1)
    return middle + float(screw.shape.radius_at(depth)) * np.column_stack([np.cos(angle), np.sin(angle)])


def zone_marks(screw: Screw, plane: ViewPlane, zone_mm: tuple[float, float], overhang_mm: float = 2.5) -> list[Floats]:
    """Two lines (2, 2) across the shaft, in mm on ``plane``, at the ends of a stretch given in mm from the entry."""
    across = _across(screw, plane) * (screw.shape.radius_mm + overhang_mm)
    ends = [plane.project(screw.entry + depth * screw.direction) for depth in zone_mm]
    return [np.stack([end - across, end + across]) for end in ends]


def _across(screw: Screw, plane: ViewPlane) -> Floats:
    along = plane.project(screw.tip) - plane.project(screw.entry)
    return np.array([-along[1], along[0]]) / np.linalg.norm(along)
