"""Screws of two radiographs as models: themselves in 3D, their outlines on each image, and the rays through them."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
from numpy.typing import NDArray
from vtk.util.numpy_support import vtk_to_numpy

from spinescrew.geometry.vectors import cross, orthogonal_pair, rotation, unit
from spinescrew.implants.mesh import pose_matrix
from spinescrew.implants.screw import Screw
from spinescrew.radiographs.outlines import outline
from spinescrew.radiographs.view import View
from spinescrew.reports.palette import screw_colour
from spinescrew.scene.lines import polylines
from spinescrew.scene.meshes import polydata, screw_surface
from spinescrew.scene.screw_nodes import rgb_of

Floats = NDArray[np.float64]

LINE_WIDTH, CHOSEN_LINE_WIDTH = 2, 4
_SUPERIOR = (0.0, 0.0, 1.0)
ALONE_COLOUR = (0.75, 0.75, 0.75)


def posed_surface(screw: Screw, tulip_axis: Any = None, slot_deg: float | None = None, light: bool = False) -> Any:
    """vtkPolyData of a screw in RAS, as its head was found.

    Parameters
    ----------
    tulip_axis:
        (3,) from tulip to shaft; along the shaft when left out.
    slot_deg:
        Turn of the tulip's slot about the shaft, from the patient's long axis.
    """
    surface = screw_surface(screw.shape, True, light)
    points = vtk_to_numpy(surface.GetPoints().GetData()).astype(np.float64)
    triangles = vtk_to_numpy(surface.GetPolys().GetConnectivityArray()).reshape(-1, 3)
    rod = rotation(screw.direction, slot_deg or 0.0) @ orthogonal_pair(screw.direction, _SUPERIOR)[0]
    matrix = pose_matrix(screw, rod)
    placed = points @ matrix[:3, :3].T
    if tulip_axis is not None:
        tulip = points[:, 2] < 0
        placed[tulip] = placed[tulip] @ _turn(screw.direction, unit(tulip_axis)).T
    return polydata(placed + screw.entry, triangles, normals=True)


def _turn(one: Floats, other: Floats) -> Floats:
    """3x3: the shortest rotation from one unit vector to another (never opposite)."""
    axis = cross(one, other)
    x, y, z = axis
    skew = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) + skew + skew @ skew / (1 + float(one @ other)))


def outline_lines(view: View, screw: Screw, tulip_axis: Any = None) -> Any:
    """vtkPolyData on the detector: outlines of shaft and head, and the axis."""
    drawn = outline(view, screw, tulip_axis)
    closed = [np.vstack([part, part[:1]]) for part in (drawn.shaft, drawn.head) if len(part)]
    return polylines([view.on_detector(line) for line in (*closed, drawn.axis)])


def rays(views: Any, screw: Screw) -> Any:
    """vtkPolyData: from each source through both ends of a screw to the detector."""
    lines = []
    for view in views:
        for point in (screw.entry, screw.tip):
            lines.append(np.stack([view.source, view.on_detector(view.project(point))]))
    return polylines(lines)


def add_model(scene: Any, name: str) -> Any:
    """An empty model that nobody picks by accident."""
    node = scene.AddNewNodeByClass("vtkMRMLModelNode", name)
    node.CreateDefaultDisplayNodes()
    node.SetSelectable(False)
    return node


def dress_on_image(node: Any) -> None:
    """Lines on a detector: seen in the slice view that shows it, not in 3D."""
    display = node.GetDisplayNode()
    display.SetVisibility3D(False)
    display.SetVisibility2D(True)
    display.SetSliceDisplayModeToProjection()
    display.SetLighting(False)


def paint(node: Any, number: int, selected: bool) -> None:
    """A screw's own colour; the one in hand stands out."""
    display = node.GetDisplayNode()
    width = CHOSEN_LINE_WIDTH if selected else LINE_WIDTH
    display.SetColor(*rgb_of(screw_colour(number)))
    display.SetSliceIntersectionThickness(width)
    display.SetAmbient(0.45 if selected else 0.0)


def add_second_display(scene: Any, node: Any) -> Any:
    """Another way of showing a node, beside its first one."""
    display = slicer.vtkMRMLModelDisplayNode()
    scene.AddNode(display)
    node.AddAndObserveDisplayNodeID(display.GetID())
    return display
