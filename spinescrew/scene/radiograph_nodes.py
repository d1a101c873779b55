"""A radiograph in a MRML scene: its image where the detector stood, what was segmented in it, source and beam."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import vtk
from numpy.typing import NDArray

from spinescrew.geometry.vectors import cross
from spinescrew.geometry.volume import Volume
from spinescrew.radiographs.radiograph import Radiograph
from spinescrew.radiographs.screw_maps import ScrewMaps
from spinescrew.radiographs.view import View
from spinescrew.reports.pose_views import HEAD_COLOUR, SHAFT_COLOUR
from spinescrew.scene.lines import polylines
from spinescrew.scene.screw_nodes import rgb_of
from spinescrew.scene.volumes import add_volume, matrix_from_array

Floats = NDArray[np.float64]

PARTS = {"Shaft": SHAFT_COLOUR, "Head": HEAD_COLOUR}
"""Colours of the segmentation; label 1 is the shaft, 2 the head."""

CERTAIN = 0.5
"""From this probability on a pixel is shown as shaft or head."""

SOURCE_RADIUS_MM = 7.0
_BEAM_COLOUR = (0.93, 0.86, 0.55)
_SHARE_BLACK, _SHARE_WHITE = 0.5, 99.5


def image_affine(view: View) -> Floats:
    """4x4 from (column, row, 0) of a view's image to RAS on its detector; one slice, 1 mm thick."""
    affine = np.eye(4)
    affine[:3] = np.column_stack(
        [
            view.right * view.pixel_mm[0],
            view.down * view.pixel_mm[1],
            cross(view.right, view.down),
            view.detector_origin,
        ]
    )
    return affine


def on_slice(pixels: NDArray[Any]) -> NDArray[Any]:
    """(rows, columns) as an array [i, j, k] of one slice."""
    return np.ascontiguousarray(pixels.T[:, :, None])


def labels_of(maps: ScrewMaps) -> NDArray[np.uint8]:
    """(rows, columns): 1 shaft, 2 head, 0 neither; a head hides a shaft."""
    labels = np.where(maps.shaft >= CERTAIN, 1, 0)
    return np.where((maps.head >= CERTAIN) & (maps.head >= maps.shaft), 2, labels).astype(np.uint8)


def window_of(image: Radiograph) -> tuple[float, float]:
    """Values shown black and white: what the file proposes, or all but the extremes."""
    if image.window is not None:
        return image.window
    low, high = np.percentile(image.pixels, (_SHARE_BLACK, _SHARE_WHITE))
    return float(low), float(max(high, low + 1e-3))


def add_radiograph(scene: Any, name: str, image: Radiograph, view: View) -> Any:
    """A new volume node with an image where its detector stood, shown as its file proposes."""
    node = add_volume(scene, Volume(on_slice(image.pixels), image_affine(view)), name)
    node.GetDisplayNode().SetWindowLevelMinMax(*window_of(image))
    node.GetDisplayNode().SetInterpolate(True)
    return node


class RadiographNodes:
    """The nodes of one radiograph.

    Parameters
    ----------
    name:
        What it is called: ``"View 1 (AP)"``.
    image, view, maps_view:
        The image, where it stands, and where the grid of its maps stands on the same detector.

    Attributes
    ----------
    nodes:
        By what they are: ``"image"``, ``"labels"``, ``"detector"`` (the image as a plane in 3D), ``"source"``,
        ``"beam"``.
    """

    def __init__(self, scene: Any, name: str, image: Radiograph, maps: ScrewMaps, view: View, maps_view: View) -> None:
        self.name, self.view = name, view
        self.nodes: dict[str, Any] = {}
        volume = self.nodes["image"] = add_radiograph(scene, name, image, view)
        labels = Volume(on_slice(labels_of(maps)), image_affine(maps_view))
        self.nodes["labels"] = add_volume(scene, labels, f"{name} segmentation", label_map=True)
        self.nodes["colours"] = _colour_table(scene, f"{name} parts")
        self.nodes["labels"].GetDisplayNode().SetAndObserveColorNodeID(self.nodes["colours"].GetID())
        for part, dress in (("detector", _dress_detector), ("source", _dress_source), ("beam", _dress_beam)):
            node = self.nodes[part] = scene.AddNewNodeByClass("vtkMRMLModelNode", f"{name} {part}")
            node.CreateDefaultDisplayNodes()
            node.SetSelectable(False)
            node.GetDisplayNode().SetVisibility2D(False)
            dress(node.GetDisplayNode())
        texture = volume.GetDisplayNode().GetOutputImageDataConnection()
        self.nodes["detector"].GetDisplayNode().SetTextureImageDataConnection(texture)
        self._draw()

    def stand(self, view: View, maps_view: View) -> None:
        """Put everything where a refined calibration has it."""
        if view is self.view:
            return
        self.view = view
        self.nodes["image"].SetIJKToRASMatrix(matrix_from_array(image_affine(view)))
        self.nodes["labels"].SetIJKToRASMatrix(matrix_from_array(image_affine(maps_view)))
        self._draw()

    def _draw(self) -> None:
        corners = detector_corners(self.view)
        quad = vtk.vtkPlaneSource()
        quad.SetOrigin(*corners[0])
        quad.SetPoint1(*corners[1])
        quad.SetPoint2(*corners[3])
        quad.Update()
        self.nodes["detector"].SetAndObservePolyData(quad.GetOutput())
        ball = vtk.vtkSphereSource()
        ball.SetRadius(SOURCE_RADIUS_MM)
        ball.SetCenter(*self.view.source)
        ball.SetThetaResolution(20)
        ball.SetPhiResolution(14)
        ball.Update()
        self.nodes["source"].SetAndObservePolyData(ball.GetOutput())
        edges = [np.stack([self.view.source, corner]) for corner in corners]
        self.nodes["beam"].SetAndObservePolyData(polylines([*edges, np.vstack([corners, corners[:1]])]))


def detector_corners(view: View) -> Floats:
    """(4, 3) RAS corners of the image, around."""
    rows, columns = view.shape
    left, right, top, bottom = -0.5, columns - 0.5, -0.5, rows - 0.5
    return view.on_detector(np.array([[left, top], [right, top], [right, bottom], [left, bottom]]))


def slice_plane(view: View) -> Floats:
    """SliceToRAS (4x4) of a slice view that shows the image upright, as it is stored, centred."""
    matrix = np.eye(4)
    up = -view.down
    matrix[:3] = np.column_stack([view.right, up, cross(view.right, up), view.on_detector(view.centre_pixel)])
    return matrix


def fit_image(slice_node: Any, view: View) -> None:
    """Zoom a slice view so that the whole image is in it."""
    width, height = (max(int(n), 1) for n in slice_node.GetDimensions()[:2])
    rows, columns = view.shape
    scale = max(columns * view.pixel_mm[0] / width, rows * view.pixel_mm[1] / height)
    slice_node.SetFieldOfView(scale * width, scale * height, max(slice_node.GetFieldOfView()[2], 1.0))


def view_name(number: int, view: View) -> str:
    """``"View 1 (AP)"``; ``number`` counts from 0."""
    return f"View {number + 1} ({view.name})" if view.name else f"View {number + 1}"


def _colour_table(scene: Any, name: str) -> Any:
    node = slicer.vtkMRMLColorTableNode()
    node.SetTypeToUser()
    node.SetNumberOfColors(1 + len(PARTS))
    node.SetName(name)
    node.SetColor(0, "Background", 0.0, 0.0, 0.0, 0.0)
    for number, (part, colour) in enumerate(PARTS.items(), start=1):
        node.SetColor(number, part, *rgb_of(colour), 1.0)
    scene.AddNode(node)
    return node


def _dress_detector(display: Any) -> None:
    display.SetBackfaceCulling(False)
    display.SetAmbient(1.0)
    display.SetDiffuse(0.0)
    display.SetOpacity(0.95)


def _dress_source(display: Any) -> None:
    display.SetColor(*_BEAM_COLOUR)
    display.SetAmbient(0.3)


def _dress_beam(display: Any) -> None:
    display.SetColor(*_BEAM_COLOUR)
    display.SetLineWidth(1)
    display.SetLighting(False)
    display.SetOpacity(0.6)
