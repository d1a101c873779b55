"""Volume and segmentation nodes to volumes, and back."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import get_vtk_array_type, numpy_to_vtk, vtk_to_numpy

from spinescrew.anatomy.levels import Level, cranial_to_caudal, parse_level
from spinescrew.anatomy.numbering import to_verse
from spinescrew.errors import InputError
from spinescrew.geometry.volume import Volume
from spinescrew.scene.remove import remove_node
from spinescrew.scene.terminology import colour, terminology_entry

BINARY_LABELMAP = "Binary labelmap"
CLOSED_SURFACE = "Closed surface"
_FOUND_BY = "SpineScrew.FoundBy"


def volume_from_node(node: Any) -> Volume:
    """Voxels and geometry of a scalar or label volume node.

    Raises
    ------
    InputError
        If the node holds no image, a colour image, or stands under a transform.
    """
    image = node.GetImageData()
    if image is None or image.GetPointData().GetScalars() is None:
        raise InputError(f"the volume '{node.GetName()}' holds no image; load it again")
    if image.GetNumberOfScalarComponents() != 1:
        raise InputError(f"the volume '{node.GetName()}' is a colour image; choose a CT")
    if node.GetParentTransformNode() is not None:
        raise InputError(f"the volume '{node.GetName()}' stands under a transform; harden it first")
    return Volume(_array(image), affine_from_node(node))


def affine_from_node(node: Any) -> np.ndarray:
    """4x4, index to RAS, of a volume node."""
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return array_from_matrix(matrix)


def array_from_matrix(matrix: Any) -> np.ndarray:
    """4x4 array of a vtkMatrix4x4."""
    return np.array(matrix.GetData()).reshape(4, 4) if hasattr(matrix, "GetData") else _elements(matrix)


def matrix_from_array(array: np.ndarray) -> Any:
    """vtkMatrix4x4 of a 4x4 array."""
    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy(np.asarray(array, dtype=float).ravel().tolist())
    return matrix


def labels_from_node(scene: Any, node: Any, numbering: str = "auto") -> Volume:
    """VerSe labels from a label volume node, or from a segmentation node whose segments are named by level."""
    if node.IsA("vtkMRMLSegmentationNode"):
        return labels_from_segmentation(node)
    volume = volume_from_node(node)
    return to_verse(volume.with_array(np.round(volume.array).astype(np.int16)), numbering)


def segments_by_level(node: Any) -> dict[Level, str]:
    """Segment ids by level, of the segments whose names say one: L3, "L3 (22)", vertebrae_L3, sacrum.

    Raises
    ------
    InputError
        If two segments are named after the same vertebra.
    """
    segmentation = node.GetSegmentation()
    found: dict[Level, str] = {}
    for index in range(segmentation.GetNumberOfSegments()):
        identifier = segmentation.GetNthSegmentID(index)
        level = level_from_name(segmentation.GetSegment(identifier).GetName())
        if level is None:
            continue
        if level in found:
            raise InputError(f"two segments are named {level.label}; rename one of them")
        found[level] = identifier
    return {level: found[level] for level in cranial_to_caudal() if level in found}


def labels_from_segmentation(node: Any, reference: Volume | None = None) -> Volume:
    """VerSe label map of the segments that are named by level; others are left out.

    Parameters
    ----------
    reference:
        Its grid is used where the segments lie on it; otherwise the common grid of the segments.

    Raises
    ------
    InputError
        If no segment is named after a vertebra, or a segment cannot be turned into voxels.
    """
    levels = segments_by_level(node)
    if not levels:
        raise InputError(f"no segment of '{node.GetName()}' is named after a vertebra; name them L1, L2 ... S1")
    if node.GetParentTransformNode() is not None:
        raise InputError(f"the segmentation '{node.GetName()}' stands under a transform; harden it first")
    segmentation = node.GetSegmentation()
    if not segmentation.ContainsRepresentation(BINARY_LABELMAP) and not segmentation.CreateRepresentation(
        BINARY_LABELMAP
    ):
        raise InputError(f"the segmentation '{node.GetName()}' could not be turned into voxels")
    labels = _common_grid(node, reference)
    for level, identifier in levels.items():
        _paint(labels, segmentation, identifier, level)
    if not labels.array.any():
        raise InputError(f"the segments of '{node.GetName()}' are empty")
    if found_by := node.GetAttribute(_FOUND_BY):
        return Volume(labels.array, labels.affine, {**labels.metadata, "found_by": found_by})
    return labels


_OTHER_THINGS = re.compile(r"rib|nerve|root|dis[ck]|cord|muscle|screw|implant|rod|lesion|tumou?r", re.IGNORECASE)


def level_from_name(name: str) -> Level | None:
    """The level a segment's name stands for, or ``None``: L3, "L3 (22)", vertebrae_L3, "L3 corrected", sacrum.

    What is only near a vertebra, such as "L5 nerve root" or "T12 rib", is something else.
    """
    if _OTHER_THINGS.search(name):
        return None
    words = re.sub(r"^vertebrae?[ _]", "", name.strip(), flags=re.IGNORECASE).replace("(", " ").split()
    try:
        return parse_level(words[0]) if words and not words[0].isdigit() else None
    except InputError:
        return None


def add_volume(scene: Any, volume: Volume, name: str, label_map: bool = False) -> Any:
    """A new scalar (or label) volume node with its default display; window centre 150, width 1500 HU for images."""
    kind = "vtkMRMLLabelMapVolumeNode" if label_map else "vtkMRMLScalarVolumeNode"
    node = scene.AddNewNodeByClass(kind, name)
    node.SetIJKToRASMatrix(matrix_from_array(volume.affine))
    node.SetAndObserveImageData(_image(volume.array))
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    if display is not None and not label_map:
        display.SetAndObserveColorNodeID("vtkMRMLColorTableNodeGrey")
        display.AutoWindowLevelOff()
        display.SetWindowLevel(1500.0, 150.0)
    return node


def add_segmentation(scene: Any, labels: Volume, name: str, surface: bool = True, decimation: float = 0.0) -> Any:
    """A new segmentation node with one segment per level, named and coded by level.

    The binary label map is the source, so that it can be corrected with the segment editor. Which engine found the
    labels stays with the node. ``decimation`` is the share of the surface's triangles that is left out.
    """
    label_node = add_volume(scene, labels.with_array(labels.array.astype(np.int16)), "labels", label_map=True)
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    try:
        node.CreateDefaultDisplayNodes()
        node.SetReferenceImageGeometryParameterFromVolumeNode(label_node)
        slicer.vtkSlicerSegmentationsModuleLogic.ImportLabelmapToSegmentationNode(label_node, node)
    finally:
        remove_node(scene, label_node)
    segmentation = node.GetSegmentation()
    present = [level for level in sorted(Level) if (labels.array == level.value).any()]
    for identifier, level in zip(list(segmentation.GetSegmentIDs()), present, strict=True):
        name_segment(segmentation.GetSegment(identifier), level)
    if surface:
        segmentation.SetConversionParameter("Smoothing factor", "0.3")
        segmentation.SetConversionParameter("Decimation factor", f"{decimation:g}")
        node.CreateClosedSurfaceRepresentation()
    node.SetAttribute(_FOUND_BY, labels.metadata.get("found_by"))
    return node


def write_segment(node: Any, identifier: str, mask: Volume) -> None:
    """Replace the voxels of a segment by a mask (0/1), as the Segment Editor does at the end of a stroke."""
    image = slicer.vtkOrientedImageData()
    image.DeepCopy(_image(mask.array))
    image.SetSpacing(1.0, 1.0, 1.0)
    image.SetImageToWorldMatrix(matrix_from_array(mask.affine))
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    logic.SetBinaryLabelmapToSegment(image, node, identifier, logic.MODE_REPLACE, image.GetExtent())


def name_segment(segment: Any, level: Level) -> None:
    """Name, terminology and colour of a vertebra's segment."""
    segment.SetName(level.label)
    entry = terminology_entry(level)
    if entry:
        segment.SetTag(segment.GetTerminologyEntryTagName(), entry)
    else:
        segment.RemoveTag(segment.GetTerminologyEntryTagName())
    segment.SetColor(*colour(level))


def _array(image: Any) -> np.ndarray:
    flat = vtk_to_numpy(image.GetPointData().GetScalars())
    return np.array(flat.reshape(image.GetDimensions()[::-1]).transpose(2, 1, 0))


def _image(array: np.ndarray) -> Any:
    if array.dtype == np.bool_:
        array = array.astype(np.uint8)
    elif array.dtype in (np.dtype(np.int64), np.dtype(np.uint64)):
        array = array.astype(np.int32)
    image = vtk.vtkImageData()
    image.SetDimensions(array.shape)
    flat = np.ascontiguousarray(array.ravel(order="F"))
    image.GetPointData().SetScalars(numpy_to_vtk(flat, deep=True, array_type=get_vtk_array_type(flat.dtype)))
    return image


def _elements(matrix: Any) -> np.ndarray:
    return np.array([[matrix.GetElement(i, j) for j in range(4)] for i in range(4)])


def _common_grid(node: Any, reference: Volume | None) -> Volume:
    """An empty label map: on the reference's grid where there is one, else on the segmentation's own geometry."""
    if reference is not None:
        return reference.with_array(np.zeros(reference.shape, np.int16))
    segmentation = node.GetSegmentation()
    identifiers = vtk.vtkStringArray()
    for identifier in segments_by_level(node).values():
        identifiers.InsertNextValue(identifier)
    kind = slicer.vtkSegmentation
    text = segmentation.DetermineCommonLabelmapGeometry(
        kind.EXTENT_REFERENCE_GEOMETRY, identifiers
    ) or segmentation.DetermineCommonLabelmapGeometry(kind.EXTENT_UNION_OF_SEGMENTS, identifiers)
    image = slicer.vtkOrientedImageData()
    if not text or not slicer.vtkSegmentationConverter.DeserializeImageGeometry(text, image, False):
        raise InputError(f"the segments of '{node.GetName()}' are empty")
    affine = _oriented_affine(image)
    first = np.array(image.GetExtent()[::2])
    affine[:3, 3] += affine[:3, :3] @ first
    return Volume(np.zeros(image.GetDimensions(), np.int16), affine)


def _oriented_affine(image: Any) -> np.ndarray:
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    return _elements(matrix)


def _paint(labels: Volume, segmentation: Any, identifier: str, level: Level) -> None:
    """One segment into the label map: by slices where its voxels lie on the same grid, resampled where they do not."""
    image = slicer.vtkOrientedImageData()
    if not segmentation.GetSegment(identifier).GetRepresentation(BINARY_LABELMAP):
        return
    source = segmentation.GetSegment(identifier).GetRepresentation(BINARY_LABELMAP)
    value = segmentation.GetSegment(identifier).GetLabelValue()
    image.ShallowCopy(source)
    if image.IsEmpty():
        return
    affine = _oriented_affine(image)
    affine[:3, 3] += affine[:3, :3] @ np.array(image.GetExtent()[::2])
    mask = np.asarray(_array(image) == value)
    if not mask.any():
        return
    offset = labels.ras_to_index(affine[:3, 3])
    same_axes = np.allclose(affine[:3, :3], labels.affine[:3, :3], atol=1e-6)
    whole = np.abs(offset - np.round(offset)).max() < 1e-3
    if same_axes and whole:
        _put(labels.array, mask, np.round(offset).astype(int), level)
    else:
        _resample(labels, Volume(mask, affine), level)


def _put(array: np.ndarray, mask: np.ndarray, start: np.ndarray, level: Level) -> None:
    low, high = np.maximum(start, 0), np.minimum(start + mask.shape, array.shape)
    if (high <= low).any():
        return
    inside = tuple(slice(a - s, b - s) for a, b, s in zip(low, high, start, strict=True))
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    array[box][mask[inside]] = level.value


def _resample(labels: Volume, mask: Volume, level: Level) -> None:
    """Nearest voxel: a segment on another grid than its neighbours."""
    inside = np.argwhere(mask.array)
    corners = np.array(np.meshgrid(*zip(inside.min(axis=0) - 1, inside.max(axis=0) + 1, strict=True))).reshape(3, -1).T
    index = labels.ras_to_index(mask.index_to_ras(corners))
    low = np.clip(np.floor(index.min(axis=0)).astype(int), 0, labels.shape)
    high = np.clip(np.ceil(index.max(axis=0)).astype(int) + 1, 0, labels.shape)
    grid = np.stack(np.meshgrid(*[np.arange(a, b) for a, b in zip(low, high, strict=True)], indexing="ij"), axis=-1)
    nearest = np.round(mask.ras_to_index(labels.index_to_ras(grid))).astype(int)
    legal = np.asarray(((nearest >= 0) & (nearest < mask.shape)).all(axis=-1))
    nearest = np.where(legal[..., None], nearest, 0)
    hit = mask.array[nearest[..., 0], nearest[..., 1], nearest[..., 2]] & legal
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    labels.array[box][hit] = level.value
