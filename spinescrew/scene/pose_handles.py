"""Handles on a radiograph: both ends of each screw's axis, to be dragged along the image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import vtk
from numpy.typing import NDArray

Floats = NDArray[np.float64]
End = Literal["neck", "tip"]

ENDS: tuple[End, ...] = ("neck", "tip")
_SAME_MM = 1e-6
_BESIDE_MM = 6.0
_COLOUR, _CHOSEN = (0.95, 0.95, 0.95), (1.0, 0.85, 0.1)


class Handles:
    """A fiducial list with two points for each screw; the description of a point says which end of which screw it is.

    The number stands beside the neck. Nothing is seen before :meth:`show_only_in` says where.
    """

    def __init__(self, scene: Any, name: str) -> None:
        self.node = scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", name)
        self.node.SetSaveWithScene(False)
        self.node.CreateDefaultDisplayNodes()
        display = self.node.GetDisplayNode()
        display.SetVisibility(False)
        display.SetSnapMode(display.SnapModeUnconstrained)
        display.SetPropertiesLabelVisibility(False)
        display.SetPointLabelsVisibility(True)
        display.SetGlyphTypeFromString("Circle2D")
        display.SetUseGlyphScale(True)
        display.SetGlyphScale(2.2)
        display.SetTextScale(3.6)
        display.SetColor(*_COLOUR)
        display.SetSelectedColor(*_CHOSEN)
        display.SetActiveColor(1.0, 1.0, 1.0)

    def show_only_in(self, slice_node: Any | None) -> None:
        """In this slice view, or nowhere."""
        display = self.node.GetDisplayNode()
        display.SetVisibility(slice_node is not None)
        display.SetViewNodeIDs([slice_node.GetID()] if slice_node is not None else [])

    def numbers(self) -> dict[tuple[int, End], int]:
        """Number of the point of each end of each screw."""
        found: dict[tuple[int, End], int] = {}
        for n in range(self.node.GetNumberOfControlPoints()):
            held = end_from_text(self.node.GetNthControlPointDescription(n))
            if held is not None:
                found[held] = n
        return found

    def position(self, point: int) -> Floats:
        """(3,) RAS of a point."""
        place = np.zeros(3)
        self.node.GetNthControlPointPositionWorld(point, place)
        return place

    def under_hand(self) -> tuple[int, End] | None:
        """Which end of which screw a hand has just taken."""
        display = self.node.GetDisplayNode()
        active = display.GetActiveControlPoint("") if display is not None else -1
        return next((held for held, n in self.numbers().items() if n == active), None)

    def show(self, ends: Mapping[int, Floats], selected: int | None) -> None:
        """Points at the ends (2, 3) RAS of these screws, and of no others."""
        for (screw, _end), point in sorted(self.numbers().items(), key=lambda item: -item[1]):
            if screw not in ends:
                self.node.RemoveNthControlPoint(point)
        numbers, in_hand = self.numbers(), ends.get(selected) if selected is not None else None
        for screw, places in ends.items():
            for end, place in zip(ENDS, places, strict=True):
                point = self._place(screw, end, place, numbers.get((screw, end)), screw == selected)
                beside = screw != selected and in_hand is not None and _near(place, in_hand)
                if bool(self.node.GetNthControlPointLocked(point)) != beside:
                    self.node.SetNthControlPointLocked(point, beside)

    def _place(self, screw: int, end: End, place: Floats, point: int | None, chosen: bool) -> int:
        node = self.node
        if point is None:
            point = int(node.AddControlPointWorld(vtk.vtkVector3d(*place)))
            node.SetNthControlPointDescription(point, f"screw {screw} {end}")
            node.SetNthControlPointLabel(point, str(screw) if end == "neck" else "")
        elif np.abs(self.position(point) - place).max() > _SAME_MM:
            node.SetNthControlPointPositionWorld(point, *place)
        if bool(node.GetNthControlPointSelected(point)) != chosen:
            node.SetNthControlPointSelected(point, chosen)
        return point


def _near(place: Floats, ends: Floats) -> bool:
    """Whether a hand that aims at one of the ends of the screw in hand could take another screw's instead."""
    return bool((np.linalg.norm(ends - place, axis=1) < _BESIDE_MM).any())


def end_from_text(text: str) -> tuple[int, End] | None:
    """Screw and end in a point's description; ``None`` if it is something else."""
    words = (text or "").split()
    if len(words) != 3 or words[0] != "screw" or not words[1].isdigit():
        return None
    end = next((end for end in ENDS if end == words[2]), None)
    return None if end is None else (int(words[1]), end)
