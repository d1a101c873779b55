"""Handles for whole screws: one fiducial list with a point in the middle of every screw, labelled with its grade."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import slicer
import vtk

from spinescrew.anatomy.levels import Level
from spinescrew.implants.screw import Screw
from spinescrew.planning.plan import Key, PlannedScrew
from spinescrew.scene.remove import remove_node
from spinescrew.scene.store import PlanStore
from spinescrew.scene.wording import long_label, short_label

ROLE = "grips"
_SAME_MM = 1e-7
_SHARE = 0.4


class Grips:
    """Points that move whole screws; the description of a point says which screw it holds."""

    def __init__(self, scene: Any, store: PlanStore, folder: int) -> None:
        self._scene, self._store, self._folder = scene, store, folder
        self.ensure()

    @property
    def node(self) -> Any:
        """The fiducial list, or ``None`` if someone removed it."""
        return self._store.referred(ROLE)

    def ensure(self) -> Any:
        """The fiducial list, made anew if it is gone."""
        node = self.node
        if node is None:
            node = self._scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "Screws")
            self._store.refer(ROLE, node)
            node.CreateDefaultDisplayNodes()
            _dress(node.GetDisplayNode())
            hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(self._scene)
            item = hierarchy.GetItemByDataNode(node) or hierarchy.CreateItem(self._folder, node)
            hierarchy.SetItemParent(item, self._folder)
        return node

    def keys(self) -> dict[Key, int]:
        """Number of the point of each screw."""
        node = self.node
        if node is None:
            return {}
        found = {}
        for n in range(node.GetNumberOfControlPoints()):
            key = key_from_text(node.GetNthControlPointDescription(n))
            if key is not None:
                found[key] = n
        return found

    def position(self, number: int) -> np.ndarray:
        """(3,) RAS of a point."""
        point = np.zeros(3)
        self.node.GetNthControlPointPositionWorld(number, point)
        return point

    def show(self, rows: Iterable[PlannedScrew], selected: Key | None, stale: frozenset[Level]) -> None:
        """A point for each of these planned screws where it stands, labelled as it is graded."""
        node = self.ensure()
        numbers = self.keys()
        for row in rows:
            if row.screw is None:
                continue
            here = grip_point(row.screw)
            number = numbers.get(row.key)
            if number is None:
                number = node.AddControlPointWorld(vtk.vtkVector3d(*here))
                node.SetNthControlPointDescription(number, text_from_key(row.key))
            elif np.abs(self.position(number) - here).max() > _SAME_MM:
                node.SetNthControlPointPositionWorld(number, *here)
            old = row.level in stale
            label = long_label(row, old) if row.key == selected else short_label(row, old)
            if node.GetNthControlPointLabel(number) != label:
                node.SetNthControlPointLabel(number, label)
            if bool(node.GetNthControlPointLocked(number)) != row.locked:
                node.SetNthControlPointLocked(number, row.locked)
            if bool(node.GetNthControlPointSelected(number)) != (row.key == selected):
                node.SetNthControlPointSelected(number, row.key == selected)

    def keep_only(self, keys: Iterable[Key]) -> None:
        """Take out the points of all other screws."""
        wanted = set(keys)
        for key, number in sorted(self.keys().items(), key=lambda item: -item[1]):
            if key not in wanted:
                self.node.RemoveNthControlPoint(number)

    def remove(self) -> None:
        """Take the list out of the scene."""
        node = self.node
        self._store.refer(ROLE, None)
        remove_node(self._scene, node)


def grip_point(screw: Screw) -> np.ndarray:
    """(3,) RAS: where a whole screw is grabbed, on its axis between the pedicle and the body."""
    return np.asarray(screw.entry + _SHARE * screw.shape.length_mm * screw.direction)


def text_from_key(key: Key) -> str:
    """``"L3 left"``."""
    return f"{key[0].name} {key[1]}"


def key_from_text(text: str) -> Key | None:
    """The key in a point's description; ``None`` if it is something else."""
    words = (text or "").split()
    if len(words) != 2 or words[0] not in Level.__members__ or words[1] not in ("left", "right"):
        return None
    return Level[words[0]], "left" if words[1] == "left" else "right"


def _dress(display: Any) -> None:
    display.SetSnapMode(display.SnapModeUnconstrained)
    display.SetOccludedVisibility(True)
    display.SetOccludedOpacity(0.6)
    display.SetPointLabelsVisibility(True)
    display.SetPropertiesLabelVisibility(False)
    display.SetGlyphType(display.Diamond2D if hasattr(display, "Diamond2D") else display.Sphere3D)
    display.SetUseGlyphScale(False)
    display.SetGlyphSize(3.6)
    display.SetTextScale(2.2)
    display.SetColor(0.25, 0.27, 0.30)
    display.SetSelectedColor(1.0, 1.0, 1.0)
