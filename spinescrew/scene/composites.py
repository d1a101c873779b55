"""What slice views show: their ``vtkMRMLSliceCompositeNode``."""

from __future__ import annotations

from typing import Any


def composites(scene: Any) -> list[Any]:
    """Those of every slice view of a scene."""
    found = scene.GetNodesByClass("vtkMRMLSliceCompositeNode")
    found.UnRegister(None)
    return [found.GetItemAsObject(n) for n in range(found.GetNumberOfItems())]


def composite_of(scene: Any, slice_node: Any) -> Any | None:
    """That of one slice view, or ``None`` where there is none."""
    return next((node for node in composites(scene) if node.GetLayoutName() == slice_node.GetLayoutName()), None)
