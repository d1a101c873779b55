"""The module's Logic on a real MRML scene."""

import ast
import importlib
import types
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
import slicer
import vtk
from slicer_stand_in import a_scene, slicer_modules
from vtk.util.numpy_support import numpy_to_vtk

from spinescrew.errors import InputError
from spinescrew.phantoms import make_spine_phantom
from spinescrew.progress import Cancelled, Progress

MODULE = Path(__file__).resolve().parents[2] / "SpinePlanner"


@pytest.fixture(scope="module")
def module():
    with slicer_modules(MODULE):
        yield importlib.import_module("SpinePlanner")


@pytest.fixture(scope="module")
def phantom():
    return make_spine_phantom(7, spacing=(1.2, 1.2, 1.5))


@pytest.fixture
def scene():
    return a_scene()


def add_volume(scene, volume, kind, name):
    node = scene.AddNewNodeByClass(kind, name)
    image = vtk.vtkImageData()
    image.SetDimensions(volume.shape)
    image.GetPointData().SetScalars(numpy_to_vtk(volume.array.ravel(order="F"), deep=True))
    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy(volume.affine.ravel())
    node.SetAndObserveImageData(image)
    node.SetIJKToRASMatrix(matrix)
    return node


def nodes(scene, kind):
    found = scene.GetNodesByClass(kind)
    found.UnRegister(None)
    return [found.GetItemAsObject(n) for n in range(found.GetNumberOfItems())]


def test_the_module_says_what_it_is(module):
    shown = types.SimpleNamespace()
    module.SpinePlanner(shown)
    assert shown.title == "Spine Planner"
    assert shown.categories == ["Planning"]
    assert shown.contributors
    assert shown.helpText
    assert shown.acknowledgementText


def test_a_volume_node_keeps_voxels_and_place(module, scene, phantom):
    from SpinePlannerLib.logic import volumeFromNode

    read = volumeFromNode(add_volume(scene, phantom.ct, "vtkMRMLScalarVolumeNode", "CT"))
    assert np.array_equal(read.array, phantom.ct.array)
    assert read.same_grid(phantom.ct)


def test_the_logic_plans_a_volume_node_without_any_window(module, scene, phantom):
    ct = add_volume(scene, phantom.ct, "vtkMRMLScalarVolumeNode", "CT")
    labels = add_volume(scene, phantom.labels, "vtkMRMLLabelMapVolumeNode", "vertebrae")
    plan = module.SpinePlannerLogic().planVolume(ct, labels, levels="L3-L4")
    assert len(plan.planned) == 4
    lines = nodes(scene, "vtkMRMLMarkupsLineNode")
    models = nodes(scene, "vtkMRMLModelNode")
    assert len(lines) == 4
    assert len([m for m in models if m.GetAttribute("SpineScrew.Level")]) == 4
    row = plan.planned[0]
    line = next(n for n in lines if n.GetName() == f"{row.level.label} {row.side}")
    assert np.allclose(line.GetNthControlPointPositionWorld(0), row.screw.entry)
    assert np.allclose(line.GetNthControlPointPositionWorld(1), row.screw.tip)
    assert line.GetAttribute("SpineScrew.GertzbeinRobbins") == row.assessment.gertzbein_robbins
    assert row.assessment.mean_hu is not None


def test_a_segmentation_is_read_by_the_names_of_its_segments(module, scene, phantom):
    from SpinePlannerLib.logic import labelsFromNode

    labels = add_volume(scene, phantom.labels, "vtkMRMLLabelMapVolumeNode", "vertebrae")
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "spine")
    slicer.vtkSlicerSegmentationsModuleLogic.ImportLabelmapToSegmentationNode(labels, node)
    names = {19: "T12", 20: "vertebrae_L1", 21: "L2 (21)", 22: "L3", 23: "L4", 24: "L5", 26: "sacrum"}
    segmentation = node.GetSegmentation()
    for index in range(segmentation.GetNumberOfSegments()):
        segment = segmentation.GetNthSegment(index)
        segment.SetName(names[segment.GetLabelValue()])
    read = labelsFromNode(scene, node)
    for value in names:
        assert (read.array == value).sum() == (phantom.labels.array == value).sum()


def test_unnamed_segments_are_refused_in_words(module, scene, phantom):
    from SpinePlannerLib.logic import labelsFromNode

    labels = add_volume(scene, phantom.labels, "vtkMRMLLabelMapVolumeNode", "vertebrae")
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "spine")
    slicer.vtkSlicerSegmentationsModuleLogic.ImportLabelmapToSegmentationNode(labels, node)
    with pytest.raises(InputError, match="named after a vertebra"):
        labelsFromNode(scene, node)


def test_a_cancel_leaves_the_scene_as_it_was(module, scene, phantom):
    labels = add_volume(scene, phantom.labels, "vtkMRMLLabelMapVolumeNode", "vertebrae")
    before = scene.GetNumberOfNodes()
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        module.SpinePlannerLogic().planVolume(None, labels, levels="L3", progress=progress)
    assert scene.GetNumberOfNodes() == before


def test_a_volume_under_a_transform_is_refused(module, scene, phantom):
    from SpinePlannerLib.logic import volumeFromNode

    node = add_volume(scene, phantom.labels, "vtkMRMLLabelMapVolumeNode", "vertebrae")
    node.SetAndObserveTransformNodeID(scene.AddNewNodeByClass("vtkMRMLLinearTransformNode").GetID())
    with pytest.raises(InputError, match="harden"):
        volumeFromNode(node)


def test_every_widget_the_panel_uses_is_in_the_ui_file():
    tree = ElementTree.parse(MODULE / "Resources" / "UI" / "SpinePlanner.ui")
    names = {widget.get("name") for widget in tree.iter("widget")}
    source = ast.parse((MODULE / "SpinePlannerLib" / "widget.py").read_text())
    used = {
        node.attr
        for node in ast.walk(source)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.value.attr == "ui"
    }
    assert used
    assert used <= names
    connected = {e.text for e in tree.iter("receiver")}
    assert {w.get("name") for w in tree.iter("widget") if w.get("class") == "qMRMLNodeComboBox"} <= connected
