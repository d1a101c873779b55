"""How views are arranged for radiographs: two above each other with the 3D view beside them, or films alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LAYOUT = 7361
"""Number of the arrangement; Slicer's own are below 1000."""

ONE_FILM, TWO_FILMS = 6, 29
"""Slicer's own arrangements of the red slice view alone, and of the red and the yellow one beside each other."""

_FROM_BEHIND = (-0.8, -1.0, 0.55)
_VIEW_ANGLE_DEG = 30.0
_USUAL_SHAPE = 0.8

_SLICE = """
   <item><view class="vtkMRMLSliceNode" singletontag="{name}">
    <property name="orientation" action="default">{orientation}</property>
    <property name="viewlabel" action="default">{letter}</property>
    <property name="viewcolor" action="default">{colour}</property>
   </view></item>"""

_DESCRIPTION = f"""<layout type="horizontal" split="true">
 <item><layout type="vertical" split="true">{
    _SLICE.format(name="Red", orientation="Axial", letter="R", colour="#F34A33")
}{_SLICE.format(name="Yellow", orientation="Sagittal", letter="Y", colour="#EDD54C")}
 </layout></item>
 <item><view class="vtkMRMLViewNode" singletontag="1">
  <property name="viewlabel" action="default">1</property>
 </view></item>
</layout>"""


def arrange(scene: Any) -> int | None:
    """Show two slice views and the 3D view; the arrangement before, or ``None`` where the scene has no views."""
    node = scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    if node is None:
        return None
    before = int(node.GetViewArrangement())
    if not node.IsLayoutDescription(LAYOUT):
        node.AddLayoutDescription(LAYOUT, _DESCRIPTION)
    node.SetViewArrangement(LAYOUT)
    return before


def arrange_films(scene: Any, count: int) -> int | None:
    """Show one slice view, or two beside each other, alone; what :func:`arrange` returns."""
    node = scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    if node is None:
        return None
    before = int(node.GetViewArrangement())
    node.SetViewArrangement(ONE_FILM if count == 1 else TWO_FILMS)
    return before


def give_back(scene: Any, before: int | None) -> None:
    """The arrangement of before, where it is still one of those made here."""
    node = scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    own = (LAYOUT, ONE_FILM, TWO_FILMS)
    if node is not None and before is not None and node.GetViewArrangement() in own:
        node.SetViewArrangement(before)


def look_at_box(scene: Any, box: Floats, shape: float = _USUAL_SHAPE) -> None:
    """Turn the first camera of the scene to a box (6,) RAS, as VTK has bounds, from behind and the patient's left.

    Parameters
    ----------
    shape:
        Width of the view by its height: a narrow one is looked at from farther away.
    """
    camera = scene.GetFirstNodeByClass("vtkMRMLCameraNode")
    if camera is None:
        return
    low, high = np.asarray(box, dtype=np.float64).reshape(3, 2).T
    towards = np.array(_FROM_BEHIND) / np.linalg.norm(_FROM_BEHIND)
    away = np.linalg.norm(high - low) / 2 / np.sin(np.radians(_VIEW_ANGLE_DEG / 2)) / min(shape, 1.0)
    focus = (low + high) / 2
    camera.SetFocalPoint(*focus)
    camera.SetPosition(*(focus + away * towards))
    camera.SetViewUp(0.0, 0.0, 1.0)
    camera.ResetClippingRange()
