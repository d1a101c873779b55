"""Folders of the subject hierarchy. Slicer makes an item for every node; elsewhere it is made here."""

from __future__ import annotations

from typing import Any, TypeVar

import slicer

Node = TypeVar("Node")


def hierarchy_of(scene: Any) -> Any:
    """The subject hierarchy of a scene."""
    return slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)


def add_folder(scene: Any, name: str, parent: int | None = None) -> int:
    """A new folder in another one, or at the top; its item."""
    hierarchy = hierarchy_of(scene)
    return int(hierarchy.CreateFolderItem(hierarchy.GetSceneItemID() if parent is None else parent, name))


def file_away(scene: Any, node: Node, folder: int) -> Node:
    """Put a node into a folder, and give it back."""
    hierarchy = hierarchy_of(scene)
    item = hierarchy.GetItemByDataNode(node) or hierarchy.CreateItem(folder, node)
    hierarchy.SetItemParent(item, folder)
    return node


def remove_folder(scene: Any, folder: int) -> None:
    """Take a folder out; what is still in it goes up."""
    hierarchy = hierarchy_of(scene)
    if hierarchy is not None and folder:
        hierarchy.RemoveItem(folder, False, False)
