"""Taking nodes out of a scene with all that hangs on them."""

from __future__ import annotations

from typing import Any

import slicer


def remove_node(scene: Any, node: Any | None) -> None:
    """Remove ``node``, its display and storage nodes and its item of the subject hierarchy."""
    if node is None:
        return
    helpers = []
    if node.IsA("vtkMRMLDisplayableNode"):
        helpers += [node.GetNthDisplayNode(n) for n in range(node.GetNumberOfDisplayNodes())]
    if node.IsA("vtkMRMLStorableNode"):
        helpers.append(node.GetStorageNode())
    forget_item(scene, node)
    scene.RemoveNode(node)
    for helper in helpers:
        if helper is not None and scene.IsNodePresent(helper):
            scene.RemoveNode(helper)


def forget_item(scene: Any, node: Any) -> None:
    """Take the subject-hierarchy item of a node away, where no application does it."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    item = hierarchy.GetItemByDataNode(node) if hierarchy is not None else 0
    if item:
        hierarchy.RemoveItem(item, False, False)
