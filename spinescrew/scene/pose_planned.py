"""Planned screws beside those found in two radiographs: pale models in 3D, pale outlines on the images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from spinescrew.implants.screw import Screw
from spinescrew.radiographs.view import View
from spinescrew.scene.ghost import COLOUR
from spinescrew.scene.pose_models import add_model, dress_on_image, outline_lines, posed_surface
from spinescrew.scene.remove import remove_node

OPACITY = 0.35


def planned_in_views(outcome: Any) -> dict[str, Screw]:
    """Planned screws by pedicle, where each vertebra was found in the views.

    Parameters
    ----------
    outcome:
        With ``found`` (:class:`spinescrew.outcome.compare.Outcome`) and ``vertebrae``, whose ``pose`` (4, 4) leads from
        the plan's CT to the views.
    """
    screws = {}
    for one in outcome.found.screws:
        if one.planned is not None and one.level in outcome.vertebrae:
            pose = np.asarray(outcome.vertebrae[one.level].pose, dtype=np.float64)
            entry = pose[:3, :3] @ one.planned.entry + pose[:3, 3]
            name = f"{one.level.name} {one.side}"
            screws[name] = replace(one.planned, entry=entry, direction=pose[:3, :3] @ one.planned.direction)
    return screws


class PlannedScrews:
    """Nodes of planned screws.

    Parameters
    ----------
    keep:
        Files a node away in the subject hierarchy, and gives it back.
    """

    def __init__(self, scene: Any, keep: Callable[[Any], Any], light: bool) -> None:
        self._scene, self._keep, self._light = scene, keep, light
        self._solid: list[Any] = []
        self._lines: list[list[Any]] = []

    def show(self, screws: Mapping[str, Screw], views: Sequence[View]) -> None:
        """These, in place of those that are shown."""
        self.remove()
        self._lines = [[] for _ in views]
        for name, screw in screws.items():
            node = self._add(f"{name} planned")
            node.SetAndObservePolyData(posed_surface(screw, light=self._light))
            node.GetDisplayNode().SetVisibility2D(False)
            node.GetDisplayNode().SetOpacity(OPACITY)
            self._solid.append(node)
            for n, view in enumerate(views):
                line = self._add(f"{name} planned in view {n + 1}")
                dress_on_image(line)
                line.SetAndObservePolyData(outline_lines(view, screw))
                self._lines[n].append(line)

    def dress(self, slice_nodes: Sequence[Any], visible: bool, outlines: bool) -> None:
        """Whether they are seen, and their outlines each in the view of their image."""
        for node in self._solid:
            node.GetDisplayNode().SetVisibility(visible)
        for slice_node, lines in zip(slice_nodes, self._lines, strict=False):
            for line in lines:
                line.GetDisplayNode().SetViewNodeIDs([slice_node.GetID()])
                line.GetDisplayNode().SetVisibility(visible and outlines)

    def remove(self) -> None:
        """Take them out of the scene."""
        for node in (*self._solid, *(line for lines in self._lines for line in lines)):
            if self._scene.IsNodePresent(node):
                remove_node(self._scene, node)
        self._solid, self._lines = [], []

    def _add(self, name: str) -> Any:
        node = self._keep(add_model(self._scene, name))
        node.GetDisplayNode().SetColor(*COLOUR)
        return node
