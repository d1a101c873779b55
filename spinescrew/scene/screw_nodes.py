"""The nodes that show one screw: a line to grab, its pose, its surface and where it pierces bone."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import vtk

from spinescrew.geometry.vectors import unit
from spinescrew.implants.mesh import pose_matrix
from spinescrew.planning.plan import Key, PlannedScrew
from spinescrew.reports.palette import UNGRADED, grade_colour
from spinescrew.scene.folders import file_away
from spinescrew.scene.look import PLAIN, Look
from spinescrew.scene.meshes import BonePiercing, screw_surface
from spinescrew.scene.remove import remove_node
from spinescrew.scene.store import PlanStore, screw_role
from spinescrew.scene.terminology import Colour
from spinescrew.scene.volumes import array_from_matrix, matrix_from_array

PARTS = {
    "line": "vtkMRMLMarkupsLineNode",
    "pose": "vtkMRMLLinearTransformNode",
    "model": "vtkMRMLModelNode",
    "breach": "vtkMRMLModelNode",
}
BREACH_COLOUR = (0.86, 0.08, 0.47)
_NAMES = {"line": "", "pose": " pose", "model": " screw", "breach": " breach"}
_SAME_MM = 1e-7
_SELECTED_MM, _OTHER_MM = 0.9, 0.45


class ScrewNodes:
    """The nodes of one screw, made when needed and found by reference, whatever they are called.

    Parameters
    ----------
    scene, store, key:
        Where they live, what remembers them, and which screw they show.
    folder:
        Subject-hierarchy item they are put into.
    """

    def __init__(self, scene: Any, store: PlanStore, key: Key, folder: int, look: Look = PLAIN) -> None:
        self._scene, self._store, self.key = scene, store, key
        self._folder, self._look = folder, look
        self._item = 0
        for part in PARTS:
            self._ensure(part)

    def node(self, part: str) -> Any:
        """The node of this part, or ``None`` if someone removed it."""
        return self._store.referred(screw_role(self.key, part))

    def ends(self) -> tuple[np.ndarray, np.ndarray] | None:
        """(entry, tip) of the line in RAS; ``None`` if one of its points is gone."""
        line = self.node("line")
        if line is None or line.GetNumberOfDefinedControlPoints() < 2:
            return None
        points = np.zeros((2, 3))
        for n in range(2):
            line.GetNthControlPointPositionWorld(n, points[n])
        return points[0], points[1]

    def pose(self) -> np.ndarray:
        """4x4 of the transform node."""
        matrix = vtk.vtkMatrix4x4()
        self.node("pose").GetMatrixTransformToWorld(matrix)
        return array_from_matrix(matrix)

    def show(
        self, row: PlannedScrew, *, selected: bool, stale: bool, live: bool, piercing: BonePiercing | None
    ) -> None:
        """Everything as ``row`` says; nothing that is so already is touched.

        While ``live`` a screw of a free length is drawn without its thread, which takes longer than a frame may.
        """
        assert row.screw is not None
        for part in PARTS:
            self._ensure(part)
        found = None if stale else row.assessment
        rgb = rgb_of(grade_colour(found.gertzbein_robbins) if found is not None else UNGRADED)
        self._place_line(row, rgb, selected)
        self._place_pose(row)
        self._draw(row, rgb, live)
        self._draw_breach(row if found is not None else None, piercing)
        if not live:
            for part in ("line", "model"):
                describe(self.node(part), row, stale)

    def remove(self) -> None:
        """Take the nodes and their folder out of the scene."""
        for part in PARTS:
            node = self.node(part)
            self._store.refer(screw_role(self.key, part), None)
            remove_node(self._scene, node)
        hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(self._scene)
        if self._item and hierarchy is not None:
            hierarchy.RemoveItem(self._item, False, False)
            self._item = 0

    def _ensure(self, part: str) -> None:
        role = screw_role(self.key, part)
        node = self._store.referred(role)
        if node is None:
            level, side = self.key
            node = self._scene.AddNewNodeByClass(PARTS[part], f"{level.name} {side}{_NAMES[part]}")
            self._store.refer(role, node)
            node.CreateDefaultDisplayNodes()
            {"line": _dress_line, "pose": _dress_pose, "model": _dress_model, "breach": _dress_breach}[part](node)
            self._file_away(node)
        if part == "model":
            pose = self.node("pose")
            if pose is not None and node.GetTransformNodeID() != pose.GetID():
                node.SetAndObserveTransformNodeID(pose.GetID())

    def _file_away(self, node: Any) -> None:
        """Put the node into the screw's own folder of the subject hierarchy."""
        hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(self._scene)
        level, side = self.key
        if not self._item:
            name = f"{level.name} {side}"
            self._item = hierarchy.GetItemChildWithName(self._folder, name) or hierarchy.CreateFolderItem(
                self._folder, name
            )
        file_away(self._scene, node, self._item)

    def _place_line(self, row: PlannedScrew, rgb: Colour, selected: bool) -> None:
        line, screw = self.node("line"), row.screw
        assert screw is not None
        if line.GetNumberOfControlPoints() != 2:
            line.RemoveAllControlPoints()
        for n, (name, point) in enumerate((("entry", screw.entry), ("tip", screw.tip))):
            if line.GetNumberOfControlPoints() <= n:
                line.AddControlPointWorld(vtk.vtkVector3d(*point), name)
                continue
            now = np.zeros(3)
            line.GetNthControlPointPositionWorld(n, now)
            if np.abs(now - point).max() > _SAME_MM or line.GetNthControlPointPositionStatus(n) != 2:
                line.SetNthControlPointPositionWorld(n, *point)
        display = line.GetDisplayNode()
        if display is None:
            return
        _set(display, "Color", rgb)
        _set(display, "SelectedColor", rgb)
        _set(display, "LineDiameter", _SELECTED_MM if selected else _OTHER_MM)
        _set(display, "Visibility", int(selected or not self._look.light))

    def _place_pose(self, row: PlannedScrew) -> None:
        assert row.screw is not None
        matrix = pose_matrix(row.screw)
        node = self.node("pose")
        now = vtk.vtkMatrix4x4()
        node.GetMatrixTransformToParent(now)
        if np.abs(array_from_matrix(now) - matrix).max() > _SAME_MM:
            node.SetMatrixTransformToParent(matrix_from_array(matrix))

    def _draw(self, row: PlannedScrew, rgb: Colour, live: bool) -> None:
        assert row.screw is not None
        node = self.node("model")
        threaded = not (live and row.screw.shape.item == "custom")
        surface = screw_surface(row.screw.shape, threaded, self._look.light)
        if node.GetPolyData() is not surface:
            node.SetAndObservePolyData(surface)
        if node.GetDisplayNode() is not None:
            _set(node.GetDisplayNode(), "Color", rgb)

    def _draw_breach(self, row: PlannedScrew | None, piercing: BonePiercing | None) -> None:
        node = self.node("breach")
        found = row.assessment if row is not None else None
        pierces = found is not None and (
            (found.breach is not None and found.breach.mm > 0) or any(mm > 0 for mm in found.body_breaches.values())
        )
        display = node.GetDisplayNode()
        if pierces and piercing is not None and row is not None and row.screw is not None and found is not None:
            node.SetAndObservePolyData(piercing.patch(row.screw, found))
        elif node.GetPolyData() is None or node.GetPolyData().GetNumberOfPoints():
            node.SetAndObservePolyData(vtk.vtkPolyData())
        if display is not None:
            _set(display, "Visibility", int(pierces))


def rgb_of(colour: str) -> Colour:
    """``"#RRGGBB"`` to RGB in 0..1."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


def screw_pose_ends(matrix: np.ndarray, length_mm: float) -> tuple[np.ndarray, np.ndarray]:
    """(entry, tip) in RAS of a screw whose own frame stands at ``matrix``."""
    axis = unit(matrix[:3, 2])
    return matrix[:3, 3], matrix[:3, 3] + length_mm * axis


def describe(node: Any, row: PlannedScrew, stale: bool = False) -> None:
    """Sizes and grade as attributes, so that a saved scene tells them too."""
    screw = row.screw
    assert screw is not None
    found = None if stale else row.assessment
    values = {
        "Level": row.level.name,
        "Side": row.side,
        "DiameterMm": f"{screw.shape.diameter_mm:g}",
        "LengthMm": f"{screw.shape.length_mm:.6g}",
        "Item": screw.shape.item,
        "PlannedBy": row.planned_by,
        "Locked": str(row.locked).lower(),
        "Reviewed": str(row.reviewed).lower(),
        "GertzbeinRobbins": found.gertzbein_robbins if found is not None else "stale" if stale else "not graded",
        "BreachMm": f"{found.breach.mm:.3f}" if found is not None and found.breach is not None else None,
        "FacetGrade": str(found.facet_grade) if found is not None else None,
        "PtaDeg": f"{found.pta_deg:.2f}" if found is not None else None,
        "PsaDeg": f"{found.psa_deg:.2f}" if found is not None else None,
    }
    for name, value in values.items():
        key = f"SpineScrew.{name}"
        if node.GetAttribute(key) != value:
            node.SetAttribute(key, value)


def _set(node: Any, name: str, value: Any) -> None:
    """Set a display property only where it differs: each set asks every view for a new frame."""
    now = getattr(node, f"Get{name}")()
    same = np.allclose(now, value, atol=1e-6) if isinstance(value, tuple) else now == value
    if not same:
        setter = getattr(node, f"Set{name}")
        setter(*value) if isinstance(value, tuple) else setter(value)


def _dress_line(node: Any) -> None:
    """The axis, seen inside opaque bone; it is grabbed by its handles (:mod:`spinescrew.scene.grips`)."""
    node.SetLocked(True)
    display = node.GetDisplayNode()
    display.SetOccludedVisibility(True)
    display.SetOccludedOpacity(0.6)
    display.SetPointLabelsVisibility(False)
    display.SetPropertiesLabelVisibility(False)
    display.SetCurveLineSizeMode(display.UseLineDiameter)
    display.SetGlyphType(display.Sphere3D)
    display.SetUseGlyphScale(False)
    display.SetGlyphSize(3.2)
    display.SetHandlesInteractive(False)
    display.SetOpacity(1.0)
    measurement = node.GetMeasurement("length")
    if measurement is not None:
        measurement.SetEnabled(False)


def _dress_pose(node: Any) -> None:
    display = node.GetDisplayNode()
    if display is not None:
        display.SetEditorVisibility(False)


def _dress_model(node: Any) -> None:
    display = node.GetDisplayNode()
    display.SetVisibility2D(True)
    display.SetSliceIntersectionThickness(2)
    display.SetSpecular(0.3)
    display.SetPower(20)
    display.SetInterpolation(display.GouraudInterpolation)
    node.SetSelectable(True)


def _dress_breach(node: Any) -> None:
    node.SetSelectable(False)
    display = node.GetDisplayNode()
    display.SetColor(*BREACH_COLOUR)
    display.SetVisibility(False)
    display.SetVisibility2D(True)
    display.SetSliceIntersectionThickness(3)
    display.SetAmbient(0.6)
    display.SetDiffuse(0.5)
    display.SetBackfaceCulling(False)
