"""Names in the 3D view: a number at the head of every screw, the view's name at every source."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import vtk
from numpy.typing import NDArray

if TYPE_CHECKING:
    from spinescrew.radiographs.pose import PosedScrew

Named = Sequence[tuple[str, NDArray[np.float64]]]


class Names:
    """A locked fiducial list that is seen in 3D only."""

    def __init__(self, scene: Any, name: str) -> None:
        self.node = scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", name)
        self.node.SetSaveWithScene(False)
        self.node.SetLocked(True)
        self.node.CreateDefaultDisplayNodes()
        display = self.node.GetDisplayNode()
        display.SetVisibility2D(False)
        display.SetPropertiesLabelVisibility(False)
        display.SetPointLabelsVisibility(True)
        display.SetOccludedVisibility(True)
        display.SetOccludedOpacity(0.8)
        display.SetUseGlyphScale(True)
        display.SetGlyphScale(0.3)
        display.SetTextScale(3.4)
        for setter in (display.SetColor, display.SetSelectedColor):
            setter(1.0, 1.0, 1.0)

    def show(self, names: Named) -> None:
        """These texts at these points (3,) RAS, and no others."""
        node = self.node
        while node.GetNumberOfControlPoints() > len(names):
            node.RemoveNthControlPoint(node.GetNumberOfControlPoints() - 1)
        for n, (text, place) in enumerate(names):
            if n == node.GetNumberOfControlPoints():
                node.AddControlPointWorld(vtk.vtkVector3d(*place))
            node.SetNthControlPointPositionWorld(n, *place)
            node.SetNthControlPointLabel(n, text)


def screw_names(screws: Iterable[PosedScrew]) -> list[tuple[str, NDArray[np.float64]]]:
    """The number of each screw at the top of its tulip."""
    found = []
    for one in screws:
        down = one.screw.direction if one.tulip_axis is None else np.asarray(one.tulip_axis)
        found.append((str(one.number), one.screw.entry - one.screw.shape.tulip_height_mm * down))
    return found
