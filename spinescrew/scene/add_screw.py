"""A new screw by two clicks: entry, then tip."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import slicer

from spinescrew.anatomy.frame import Side
from spinescrew.anatomy.levels import Level
from spinescrew.anatomy.vertebra import Spine
from spinescrew.errors import InputError
from spinescrew.implants.catalog import Catalog
from spinescrew.implants.screw import Screw, ScrewShape
from spinescrew.implants.sizes import custom_shape
from spinescrew.planning import edits
from spinescrew.planning.plan import Key
from spinescrew.planning.session import Session
from spinescrew.scene.observers import Observers
from spinescrew.scene.remove import remove_node

_NEAR_MM = 15.0


class TwoClicks:
    """Waits for two points of a line markup and makes a screw of them.

    Parameters
    ----------
    done:
        Called with the new screw's key, or with ``None`` and why there is none.
    """

    def __init__(self, scene: Any, session: Session, done: Callable[[Key | None, str], None]) -> None:
        self._scene, self._session, self._done = scene, session, done
        self._observers = Observers()
        self.node = scene.AddNewNodeByClass("vtkMRMLMarkupsLineNode", "New screw")
        self.node.SetSaveWithScene(False)
        self.node.CreateDefaultDisplayNodes()
        display = self.node.GetDisplayNode()
        display.SetPropertiesLabelVisibility(False)
        display.SetOccludedVisibility(True)
        display.SetSnapMode(display.SnapModeToVisibleSurface)
        self._observers.add(self.node, slicer.vtkMRMLMarkupsNode.PointPositionDefinedEvent, lambda *_: self._on_point())
        self._set_placing(True)

    def cancel(self) -> None:
        """No screw after all."""
        self._end()

    def _on_point(self) -> None:
        if self.node is None or self.node.GetNumberOfDefinedControlPoints() < 2:
            return
        points = np.zeros((2, 3))
        for n in range(2):
            self.node.GetNthControlPointPositionWorld(n, points[n])
        self._end()
        try:
            key = add_between(self._session, points[0], points[1])
        except InputError as error:
            self._done(None, str(error))
        else:
            self._done(key, "")

    def _end(self) -> None:
        if self.node is None:
            return
        self._observers.remove()
        self._set_placing(False)
        node, self.node = self.node, None
        remove_node(self._scene, node)

    def _set_placing(self, on: bool) -> None:
        selection = self._scene.GetNodeByID("vtkMRMLSelectionNodeSingleton")
        interaction = self._scene.GetNodeByID("vtkMRMLInteractionNodeSingleton")
        if selection is None or interaction is None:
            return
        if on:
            selection.SetReferenceActivePlaceNodeClassName("vtkMRMLMarkupsLineNode")
            selection.SetActivePlaceNodeID(self.node.GetID())
            interaction.SetPlaceModePersistence(0)
            interaction.SetCurrentInteractionMode(interaction.Place)
        else:
            interaction.SetCurrentInteractionMode(interaction.ViewTransform)


def add_between(session: Session, entry: np.ndarray, tip: np.ndarray) -> Key:
    """A screw from ``entry`` to ``tip`` (3,) RAS in the vertebra that it points into, with that level's usual diameter.

    Raises
    ------
    InputError
        If the points are nowhere near a vertebra, or there is a screw already.
    """
    level, side = where(session.spine, entry, tip)
    screw = Screw(entry, tip - entry, _shape(session, level, side, float(np.linalg.norm(tip - entry))))
    session.edit(f"add {level.name} {side}", lambda plan: edits.add(plan, level, side, screw))
    session.select((level, side))
    return level, side


def where(spine: Spine, entry: np.ndarray, tip: np.ndarray) -> tuple[Level, Side]:
    """The vertebra and side that a screw with these ends belongs to: most of the shaft lies in or near its bone."""
    shaft = entry + np.linspace(0.0, 1.0, 21)[:, None] * (tip - entry)
    if not spine.vertebrae:
        raise InputError("there are no vertebrae to put a screw into")
    mean = {level: float(vertebra.bone.sample(shaft).mean()) for level, vertebra in spine.vertebrae.items()}
    level = min(mean, key=lambda found: mean[found])
    if mean[level] > _NEAR_MM:
        raise InputError("the two points lie outside every vertebra; click the entry first, then the tip")
    local = spine.vertebrae[level].frame.to_local(entry)
    return level, "right" if local[0] > 0 else "left"


def _shape(session: Session, level: Level, side: Side, length_mm: float) -> ScrewShape:
    """The size that the other side, or the neighbours, or the catalogue's middle has."""
    catalog: Catalog = session.catalog
    rows = {row.key: row for row in session.plan.planned}
    other: Side = "left" if side == "right" else "right"
    like = rows.get((level, other))
    if like is not None and like.screw is not None:
        diameter = like.screw.shape.diameter_mm
    else:
        sizes = catalog.diameters(level)
        diameter = min(sizes[len(sizes) // 2], catalog.max_diameter(level))
    shape = custom_shape(diameter, length_mm)
    return catalog.snap(level, diameter, length_mm) if session.snap else shape
