"""A C2 assessment in a MRML scene: the bone, its pedicles, where the network looked, and the ways out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

from spinescrew.anatomy.frame import Side
from spinescrew.feasibility.assessment import C2Assessment
from spinescrew.feasibility.measures import Corridor
from spinescrew.geometry.sampling import trilinear
from spinescrew.geometry.surface import bone_surface
from spinescrew.geometry.volume import Volume
from spinescrew.scene.aligned_slices import plane_of, planes_along, set_plane
from spinescrew.scene.attention_colours import add_colour_table, attention_colours, colours_on_bone, fill
from spinescrew.scene.composites import composites
from spinescrew.scene.folders import add_folder, file_away, remove_folder
from spinescrew.scene.remove import remove_node
from spinescrew.scene.volumes import add_segmentation, add_volume

FOLDER_NAME = "C2 feasibility"
THRESHOLD, OPACITY = 0.3, 0.6
_SCALARS = "Attention"
_PEDICLE_COLOURS = {"Left pedicle": (0.36, 0.68, 0.90), "Right pedicle": (0.47, 0.78, 0.55)}
_WAY_OUT_COLOUR = (0.55, 0.85, 1.0)


class C2Scene:
    """Nodes that show an assessment; screws are planned beside it (:class:`spinescrew.scene.open_case.OpenCase`).

    Attention is the foreground of every slice view of the scene, and colours the surface of C2.

    Parameters
    ----------
    scene:
        The MRML scene.
    assessment:
        What is shown.
    ct_node:
        Its CT, where the scene holds it already.
    """

    def __init__(self, scene: Any, assessment: C2Assessment, ct_node: Any = None) -> None:
        self.scene, self.assessment = scene, assessment
        self.attention_shown, self.surface_coloured = True, True
        self.threshold, self.opacity = THRESHOLD, OPACITY
        self._own: dict[str, Any] = {}
        self._planes: dict[Any, np.ndarray] = {}
        self._folder = add_folder(scene, FOLDER_NAME)
        self._ct = ct_node or self._keep("ct", add_volume(scene, assessment.ct, "CT"))
        labels = add_segmentation(scene, assessment.labels, "C2", surface=False)
        labels.GetDisplayNode().SetVisibility3D(False)
        labels.GetDisplayNode().SetVisibility2DFill(False)
        self._keep("labels", labels)
        self._keep("pedicles", _pedicle_segmentation(scene, assessment.pedicles))
        self._add_attention()
        self._add_surface()
        for name, corridor in _ways_out(assessment):
            self._keep(name, _tube(scene, name, corridor))
        self._colour()
        self._put_into_slices()

    @property
    def ct_node(self) -> Any:
        """The CT."""
        return self._ct

    def node(self, name: str) -> Any:
        """A node by what it is, or ``None`` if someone removed it.

        Names: ``"ct"`` (only where it was added here), ``"labels"``, ``"pedicles"``, ``"attention"``, ``"surface"``,
        and one for each way out, ``"C2 left pars 3.5 mm"``.
        """
        node = self._own.get(name)
        return node if node is not None and self.scene.IsNodePresent(node) else None

    @property
    def way_out_names(self) -> tuple[str, ...]:
        """Names of the ways out that are shown."""
        return tuple(name for name, _corridor in _ways_out(self.assessment))

    def show_attention(self, on: bool) -> None:
        """In the slices and, where :meth:`set_surface` asks for it, on the surface."""
        self.attention_shown = on
        self._colour()
        self._put_into_slices()

    def set_opacity(self, opacity: float) -> None:
        """0..1: how much attention covers image and bone."""
        self.opacity = float(np.clip(opacity, 0.0, 1.0))
        self._colour()
        self._put_into_slices()

    def set_threshold(self, threshold: float) -> None:
        """0..1: attention below is not shown."""
        self.threshold = float(np.clip(threshold, 0.0, 1.0))
        self._colour()

    def set_surface(self, on: bool) -> None:
        """Whether the surface of C2 is coloured by attention, while attention is shown."""
        self.surface_coloured = on
        self._colour()

    def look_at(self, side: Side, slice_nodes: Sequence[Any], along_mm: float = 0.0) -> None:
        """Put three slice views along this pedicle: transverse and sagittal along it, and across it.

        The one across it stands ``along_mm`` ahead of the isthmus. :meth:`remove` gives the views back.
        """
        pose = self.assessment.sides[side].pose
        isthmus = self.assessment.sides[side].measures.isthmus
        planes = planes_along(pose.forwards, isthmus, isthmus + along_mm * pose.forwards, self.assessment.frame)
        for node, plane in zip(slice_nodes, planes, strict=True):
            self._planes.setdefault(node, plane_of(node))
            set_plane(node, plane)

    def remove(self) -> None:
        """Take everything out of the scene that was put into it, and give the slice views back."""
        for node, plane in self._planes.items():
            set_plane(node, plane)
        self._planes.clear()
        attention = self.node("attention")
        for composite in composites(self.scene):
            if attention is not None and composite.GetForegroundVolumeID() == attention.GetID():
                composite.SetForegroundVolumeID(None)
        for name in list(self._own):
            remove_node(self.scene, self.node(name))
        self._own.clear()
        remove_folder(self.scene, self._folder)
        self._folder = 0

    def _keep(self, name: str, node: Any) -> Any:
        """Remember a node and put it into the folder."""
        self._own[name] = node
        return file_away(self.scene, node, self._folder)

    def _add_attention(self) -> None:
        self._own["scale"] = add_colour_table(self.scene, "C2 attention")
        fill(self._own["scale"], attention_colours())
        node = self._keep("attention", add_volume(self.scene, _around(self.assessment.attention), "C2 attention"))
        display = node.GetDisplayNode()
        display.SetAndObserveColorNodeID(self._own["scale"].GetID())
        display.SetWindowLevelMinMax(0.0, 1.0)
        display.SetInterpolate(True)
        display.ApplyThresholdOn()

    def _add_surface(self) -> None:
        self._own["scale on bone"] = add_colour_table(self.scene, "C2 attention on bone")
        node = self._keep("surface", self.scene.AddNewNodeByClass("vtkMRMLModelNode", "C2 surface"))
        node.SetAndObservePolyData(_coloured_surface(self.assessment))
        node.CreateDefaultDisplayNodes()
        node.SetSelectable(False)
        display = node.GetDisplayNode()
        display.SetVisibility2D(False)
        display.SetActiveScalarName(_SCALARS)
        display.SetAndObserveColorNodeID(self._own["scale on bone"].GetID())
        display.SetScalarRangeFlag(display.UseManualScalarRange)
        display.SetScalarRange(0.0, 1.0)
        display.SetScalarVisibility(True)
        display.SetInterpolation(display.GouraudInterpolation)

    def _colour(self) -> None:
        attention, table = self.node("attention"), self.node("scale on bone")
        if attention is not None:
            # Values of zero are never shown, also where the threshold is.
            attention.GetDisplayNode().SetThreshold(max(self.threshold, 1e-3), 2.0)
        if table is not None:
            opacity = self.opacity if self.attention_shown and self.surface_coloured else 0.0
            fill(table, colours_on_bone(self.threshold, opacity))

    def _put_into_slices(self) -> None:
        attention = self.node("attention")
        for composite in composites(self.scene):
            if not composite.GetBackgroundVolumeID() and self.scene.IsNodePresent(self._ct):
                composite.SetBackgroundVolumeID(self._ct.GetID())
            if attention is not None:
                composite.SetForegroundVolumeID(attention.GetID())
                composite.SetForegroundOpacity(self.opacity if self.attention_shown else 0.0)


def _around(volume: Volume) -> Volume:
    """The part of a volume that is not zero, with a voxel around it; a neck CT is mostly zeros."""
    used = np.argwhere(volume.array > 0)
    if not len(used):
        return volume.crop((0, 0, 0), (1, 1, 1))
    low = np.maximum(used.min(axis=0) - 1, 0)
    return volume.crop(low, np.minimum(used.max(axis=0) + 2, volume.shape))


def _coloured_surface(assessment: C2Assessment) -> Any:
    """Surface of C2 with the attention at its points, from the pedicles' own fine grids."""
    surface = bone_surface(assessment.bone)
    points = vtk_to_numpy(surface.GetPoints().GetData()).astype(np.float64)
    values = np.zeros(len(points), np.float32)
    for side in assessment.sides.values():
        near = side.attention.contains(points)
        values[near] = np.maximum(values[near], trilinear(side.attention, points[near]))
    scalars = numpy_to_vtk(values, deep=True)
    scalars.SetName(_SCALARS)
    surface.GetPointData().SetScalars(scalars)
    normals = vtk.vtkPolyDataNormals()
    normals.SetInputData(surface)
    normals.SplittingOff()
    normals.Update()
    return normals.GetOutput()


def _pedicle_segmentation(scene: Any, pedicles: Volume) -> Any:
    """Both pedicles as segments, filled faintly in the slices; C2 itself is drawn as an outline."""
    label_node = add_volume(scene, pedicles, "pedicles", label_map=True)
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "C2 pedicles")
    try:
        node.CreateDefaultDisplayNodes()
        node.SetReferenceImageGeometryParameterFromVolumeNode(label_node)
        slicer.vtkSlicerSegmentationsModuleLogic.ImportLabelmapToSegmentationNode(label_node, node)
    finally:
        remove_node(scene, label_node)
    segmentation = node.GetSegmentation()
    names = [name for value, name in enumerate(_PEDICLE_COLOURS, start=1) if (pedicles.array == value).any()]
    for identifier, name in zip(list(segmentation.GetSegmentIDs()), names, strict=True):
        segmentation.GetSegment(identifier).SetName(name)
        segmentation.GetSegment(identifier).SetColor(*_PEDICLE_COLOURS[name])
    display = node.GetDisplayNode()
    display.SetVisibility3D(False)
    display.SetVisibility2DFill(False)
    return node


def _ways_out(assessment: C2Assessment) -> Iterator[tuple[str, Corridor]]:
    for side, found in assessment.sides.items():
        for corridor in found.ways_out:
            yield f"C2 {side} {corridor.name} {corridor.diameter_mm:g} mm", corridor


def _tube(scene: Any, name: str, corridor: Corridor) -> Any:
    """A way out as a pale cylinder of its screw's diameter: to be looked at, not to be grabbed."""
    line = vtk.vtkLineSource()
    line.SetPoint1(*corridor.entry)
    line.SetPoint2(*corridor.tip)
    tube = vtk.vtkTubeFilter()
    tube.SetInputConnection(line.GetOutputPort())
    tube.SetRadius(0.5 * corridor.diameter_mm)
    tube.SetNumberOfSides(24)
    tube.CappingOn()
    tube.Update()
    node = scene.AddNewNodeByClass("vtkMRMLModelNode", name)
    node.SetAndObservePolyData(tube.GetOutput())
    node.CreateDefaultDisplayNodes()
    node.SetSelectable(False)
    display = node.GetDisplayNode()
    display.SetColor(*_WAY_OUT_COLOUR)
    display.SetOpacity(0.5)
    display.SetVisibility2D(True)
    display.SetSliceIntersectionThickness(1)
    return node
