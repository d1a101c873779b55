"""MRML nodes to volumes, plans to MRML nodes. No window, no Qt; the scene is always passed in."""

from __future__ import annotations

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from spinescrew.anatomy.levels import parse_level, parse_levels
from spinescrew.anatomy.numbering import to_verse
from spinescrew.cohort.case import plan_volumes
from spinescrew.errors import InputError
from spinescrew.geometry.volume import Volume
from spinescrew.implants.mesh import posed_mesh
from spinescrew.planning.options import PlanningOptions

GRADE_COLOURS = {
    "A": (0.0, 0.62, 0.45),
    "B": (0.94, 0.89, 0.26),
    "C": (0.90, 0.62, 0.0),
    "D": (0.84, 0.37, 0.0),
    "E": (0.80, 0.20, 0.20),
}
UNGRADED_COLOUR = (0.6, 0.6, 0.6)
FOLDER_NAME = "SpineScrew plan"


def volumeFromNode(node):
    """Voxels and geometry of a scalar or label volume node, as a :class:`Volume` (index [i, j, k], RAS)."""
    image = node.GetImageData()
    if image is None:
        raise InputError(f"the volume '{node.GetName()}' holds no image; load it again")
    if image.GetNumberOfScalarComponents() != 1:
        raise InputError(f"the volume '{node.GetName()}' is a colour image; choose a CT")
    if node.GetParentTransformNode() is not None:
        raise InputError(f"the volume '{node.GetName()}' stands under a transform; harden it first")
    flat = vtk_to_numpy(image.GetPointData().GetScalars())
    array = flat.reshape(image.GetDimensions()[::-1]).transpose(2, 1, 0)
    return Volume(np.array(array), affineFromNode(node))


def affineFromNode(node):
    """4x4 index to RAS of a volume node."""
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return np.array([[matrix.GetElement(i, j) for j in range(4)] for i in range(4)])


def labelsFromNode(scene, node, numbering="auto"):
    """VerSe labels from a label volume node, or from a segmentation node whose segments are named by level."""
    if node.IsA("vtkMRMLSegmentationNode"):
        return labelsFromSegmentation(scene, node)
    volume = volumeFromNode(node)
    return to_verse(volume.with_array(np.round(volume.array).astype(np.int16)), numbering)


def labelsFromSegmentation(scene, node):
    """Segments named L3, "L3 (22)", vertebrae_L3, sacrum ... to a VerSe label map; others are left out."""
    segmentation = node.GetSegmentation()
    levels = {}
    for index in range(segmentation.GetNumberOfSegments()):
        identifier = segmentation.GetNthSegmentID(index)
        level = levelFromName(segmentation.GetSegment(identifier).GetName())
        if level is not None:
            if level in levels:
                raise InputError(f"two segments are named {level.label}; rename one of them")
            levels[level] = identifier
    if not levels:
        raise InputError(f"no segment of '{node.GetName()}' is named after a vertebra; name them L1, L2 ... S1")
    labelNode = scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode")
    try:
        identifiers = vtk.vtkStringArray()
        for identifier in levels.values():
            identifiers.InsertNextValue(identifier)
        if not slicer.vtkSlicerSegmentationsModuleLogic.ExportSegmentsToLabelmapNode(node, identifiers, labelNode):
            raise InputError(f"the segmentation '{node.GetName()}' could not be turned into labels")
        volume = volumeFromNode(labelNode)
    finally:
        scene.RemoveNode(labelNode)
    array = np.zeros(volume.shape, np.int16)
    for number, level in enumerate(levels, start=1):
        array[volume.array == number] = level.value
    return volume.with_array(array)


def levelFromName(name):
    """The level a segment's name stands for, or None."""
    words = name.replace("vertebrae_", "").replace("vertebra_", "").replace("(", " ").split()
    try:
        return parse_level(words[0]) if words and not words[0].isdigit() else None
    except InputError:
        return None


def planNodes(scene, volumeNode, labelNode, levels=None, trajectory="straight-forward", progress=None):
    """Plan the screws of a volume node and add them to the scene.

    Parameters
    ----------
    volumeNode:
        CT, or None to plan on the labels alone.
    labelNode:
        Label volume, or segmentation whose segments are named by level.
    levels:
        For example ``"L1-S1"``; all from T1 to S1 when left out.
    progress:
        ``spinescrew.progress.Progress``; its ``cancel()`` stops the work and leaves the scene as it was.

    Returns
    -------
    spinescrew.planning.plan.Plan

    Raises
    ------
    spinescrew.errors.InputError
        One line that says what is wrong and what to do.
    """
    ct = None if volumeNode is None else volumeFromNode(volumeNode)
    labels = labelsFromNode(scene, labelNode)
    wanted = None if levels is None else parse_levels(levels)
    result = plan_volumes(labels, ct, wanted, PlanningOptions(trajectory=trajectory), progress)
    addPlan(scene, result.plan)
    return result.plan


def addPlan(scene, plan):
    """Line markup and model of every planned screw, in one subject-hierarchy folder; returns the folder's item."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    folder = hierarchy.CreateFolderItem(hierarchy.GetSceneItemID(), FOLDER_NAME)
    scene.StartState(slicer.vtkMRMLScene.BatchProcessState)
    try:
        for row in plan.planned:
            for node in (addLine(scene, row), addModel(scene, row)):
                item = hierarchy.GetItemByDataNode(node) or hierarchy.CreateItem(folder, node)
                hierarchy.SetItemParent(item, folder)
    finally:
        scene.EndState(slicer.vtkMRMLScene.BatchProcessState)
    return folder


def addLine(scene, row):
    """Entry-to-tip line of a screw, locked: this panel shows a plan, it does not edit it."""
    node = scene.AddNewNodeByClass("vtkMRMLMarkupsLineNode", f"{row.level.label} {row.side}")
    for name, point in (("entry", row.screw.entry), ("tip", row.screw.tip)):
        node.AddControlPoint(vtk.vtkVector3d(*point), name)
    node.SetLocked(True)
    describe(node, row)
    return node


def addModel(scene, row):
    """Surface of a screw in RAS, coloured by its grade."""
    points, triangles = posed_mesh(row.screw)
    mesh, corners, faces = vtk.vtkPolyData(), vtk.vtkPoints(), vtk.vtkCellArray()
    for point in points:
        corners.InsertNextPoint(*point)
    for triangle in triangles:
        faces.InsertNextCell(3, [int(corner) for corner in triangle])
    mesh.SetPoints(corners)
    mesh.SetPolys(faces)
    node = scene.AddNewNodeByClass("vtkMRMLModelNode", f"{row.level.label} {row.side} screw")
    node.SetAndObservePolyData(mesh)
    node.CreateDefaultDisplayNodes()
    letter = row.assessment.gertzbein_robbins if row.assessment is not None else ""
    node.GetDisplayNode().SetColor(*GRADE_COLOURS.get(letter, UNGRADED_COLOUR))
    node.GetDisplayNode().SetVisibility2D(True)
    describe(node, row)
    return node


def describe(node, row):
    """Sizes and grade as attributes, so that a saved scene tells them too."""
    shape = row.screw.shape
    node.SetAttribute("SpineScrew.Level", row.level.name)
    node.SetAttribute("SpineScrew.Side", row.side)
    node.SetAttribute("SpineScrew.DiameterMm", f"{shape.diameter_mm:g}")
    node.SetAttribute("SpineScrew.LengthMm", f"{shape.length_mm:g}")
    if row.assessment is not None:
        node.SetAttribute("SpineScrew.GertzbeinRobbins", row.assessment.gertzbein_robbins)
        node.SetAttribute("SpineScrew.FacetGrade", str(row.assessment.facet_grade))
