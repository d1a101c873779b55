"""The automatic plan as pale screws beside the ones in hand."""

from __future__ import annotations

from typing import Any

import slicer

from spinescrew.implants.mesh import pose_matrix
from spinescrew.planning.plan import Key, Plan
from spinescrew.scene.meshes import polydata, screw_surface
from spinescrew.scene.remove import remove_node
from spinescrew.scene.store import PlanStore, screw_role

COLOUR = (0.55, 0.85, 1.0)
_FOLDER = "Automatic plan"


class Ghost:
    """Models of the automatic screws; in the scene only while they are shown."""

    def __init__(self, scene: Any, store: PlanStore, folder: int) -> None:
        self._scene, self._store, self._parent = scene, store, folder
        self._item = 0

    @property
    def shown(self) -> bool:
        """Whether the ghosts are in the scene."""
        return any(role.endswith(".ghost") for role in self._roles())

    def show(self, plan: Plan) -> None:
        """Put a pale copy of every planned screw of ``plan`` into the scene."""
        import vtk

        self.hide()
        hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(self._scene)
        self._item = hierarchy.CreateFolderItem(self._parent, _FOLDER)
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
            item = hierarchy.GetItemByDataNode(node) or hierarchy.CreateItem(self._item, node)
            hierarchy.SetItemParent(item, self._item)

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
