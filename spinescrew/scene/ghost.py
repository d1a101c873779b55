"""The automatic plan as pale screws beside the ones in hand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import slicer

from spinescrew.implants.mesh import pose_matrix
from spinescrew.implants.screw import Screw
from spinescrew.planning.plan import Key, Plan, PlannedScrew
from spinescrew.scene.folders import add_folder, file_away
from spinescrew.scene.meshes import polydata, screw_surface
from spinescrew.scene.remove import remove_node
from spinescrew.scene.store import PlanStore, screw_role

COLOUR = (0.55, 0.85, 1.0)
_SAME_MM = 0.05
_FOLDER = "Automatic plan"


class Ghost:
    """Models of the automatic screws; in the scene only while they are shown."""

    def __init__(self, scene: Any, store: PlanStore, folder: int) -> None:
        self._scene, self._store, self._parent = scene, store, folder
        self._item = 0
        self._automatic: dict[Key, Screw] = {}

    @property
    def shown(self) -> bool:
        """Whether the ghosts are in the scene."""
        return any(role.endswith(".ghost") for role in self._roles())

    def show(self, plan: Plan) -> None:
        """Put a pale copy of every planned screw of ``plan`` into the scene."""
        import vtk

        self.hide()
        self._item = add_folder(self._scene, _FOLDER, self._parent)
        self._automatic = {row.key: row.screw for row in plan.planned if row.screw is not None}
        for row in plan.planned:
            assert row.screw is not None
            surface = screw_surface(row.screw.shape)
            points = vtk.util.numpy_support.vtk_to_numpy(surface.GetPoints().GetData()).astype(float)
            triangles = vtk.util.numpy_support.vtk_to_numpy(surface.GetPolys().GetConnectivityArray()).reshape(-1, 3)
            matrix = pose_matrix(row.screw)
            name = f"{row.level.name} {row.side} automatic"
            node = self._scene.AddNewNodeByClass("vtkMRMLModelNode", name)
            node.SetAndObservePolyData(polydata(points @ matrix[:3, :3].T + matrix[:3, 3], triangles, normals=True))
            node.CreateDefaultDisplayNodes()
            node.SetSelectable(False)
            display = node.GetDisplayNode()
            display.SetColor(*COLOUR)
            display.SetOpacity(0.35)
            display.SetVisibility2D(True)
            display.SetSliceIntersectionThickness(1)
            self._store.refer(screw_role(row.key, "ghost"), node)
            file_away(self._scene, node, self._item)

    def compare(self, rows: Iterable[PlannedScrew]) -> None:
        """Only ghosts from which the screw in hand differs are seen: two surfaces in one place would flicker."""
        for row in rows:
            node = self.node(row.key)
            if node is not None:
                automatic = self._automatic.get(row.key)
                same = automatic is not None and row.screw is not None and _same(row.screw, automatic)
                node.GetDisplayNode().SetVisibility(not same)

    def hide(self) -> None:
        """Take them out again."""
        for role in self._roles():
            node = self._store.referred(role)
            self._store.refer(role, None)
            remove_node(self._scene, node)
        hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(self._scene)
        item = self._item or (hierarchy.GetItemChildWithName(self._parent, _FOLDER) if hierarchy is not None else 0)
        if item:
            hierarchy.RemoveItem(item, False, False)
        self._item = 0

    def node(self, key: Key) -> Any:
        """The ghost of one screw, if it is shown."""
        return self._store.referred(screw_role(key, "ghost"))

    def _roles(self) -> list[str]:
        return [role for role in self._store.roles() if role.endswith(".ghost") and self._store.referred(role)]


def _same(one: Screw, other: Screw) -> bool:
    return (
        one.shape == other.shape
        and float(np.abs(one.entry - other.entry).max()) < _SAME_MM
        and float(np.abs(one.tip - other.tip).max()) < _SAME_MM
    )
