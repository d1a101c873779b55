"""Images, label maps and segmentations between arrays and nodes, and the names and codes of segments."""

import json
from itertools import pairwise

import numpy as np
import pytest
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from spinescrew.anatomy.levels import Level, cranial_to_caudal
from spinescrew.errors import InputError
from spinescrew.geometry.vectors import rotation
from spinescrew.geometry.volume import Volume
from spinescrew.implants.resources import resource_path
from spinescrew.scene.standalone import logic_of, quiet
from spinescrew.scene.terminology import FILE, colour, terminology_entry
from spinescrew.scene.volumes import (
    BINARY_LABELMAP,
    CLOSED_SURFACE,
    add_segmentation,
    add_volume,
    affine_from_node,
    array_from_matrix,
    labels_from_node,
    labels_from_segmentation,
    level_from_name,
    matrix_from_array,
    name_segment,
    segments_by_level,
    volume_from_node,
)

WITHOUT_CODE = (Level.T13, Level.L6)
CODED = [level for level in Level if level not in WITHOUT_CODE]
LOGIC = slicer.vtkSlicerSegmentationsModuleLogic


def placed(spacing=(0.7, 1.3, 2.1), turn_deg=0.0, flip=False):
    """4x4 of an anisotropic grid, turned about an oblique axis, left-handed where flipped."""
    affine = np.eye(4)
    affine[:3, :3] = rotation((1.0, 2.0, 3.0), turn_deg) @ np.diag(spacing)
    affine[:3, 0] *= -1.0 if flip else 1.0
    affine[:3, 3] = (-31.5, 12.25, 803.0)
    return affine


GRIDS = {
    "straight": placed(),
    "oblique": placed(turn_deg=25.0),
    "left-handed": placed(flip=True),
    "oblique and left-handed": placed(turn_deg=140.0, flip=True),
}
grids = pytest.mark.parametrize("affine", GRIDS.values(), ids=GRIDS.keys())


def noise(dtype=np.int16, shape=(7, 5, 4)):
    return np.random.default_rng(3).integers(0, 120, shape).astype(dtype)


def two_blocks(affine=None, shape=(24, 20, 16)):
    """L3 above L4, each a box with one corner taken out, so that no flip or swap of axes goes unseen."""
    array = np.zeros(shape, np.int16)
    array[4:12, 5:15, 9:14] = Level.L3.value
    array[6:20, 3:11, 2:7] = Level.L4.value
    array[4:7, 5:8, 9:11] = array[18:20, 3:5, 2:4] = 0
    return Volume(array, GRIDS["straight"] if affine is None else affine)


def assert_same(one, other):
    assert one.same_grid(other, 1e-6)
    assert np.array_equal(one.array, other.array)


def segment(node, level):
    return node.GetSegmentation().GetSegment(segments_by_level(node)[level])


def under_a_transform(scene, node):
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    node.SetAndObserveTransformNodeID(transform.GetID())
    return node


@grids
def test_an_image_comes_back_from_its_node_as_it_was(scene, affine):
    volume = Volume(noise(), affine)
    node = add_volume(scene, volume, "CT")
    assert_same(volume_from_node(node), volume)
    np.testing.assert_allclose(affine_from_node(node), affine, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
def test_voxels_keep_their_type(scene, dtype):
    again = volume_from_node(add_volume(scene, Volume(noise(dtype), placed()), "CT"))
    assert again.array.dtype == dtype and np.array_equal(again.array, noise(dtype))


@pytest.mark.parametrize("dtype", [np.bool_, np.int64, np.uint64])
def test_types_that_vtk_lacks_keep_their_values(scene, dtype):
    again = volume_from_node(add_volume(scene, Volume(noise(dtype), placed()), "CT"))
    assert np.array_equal(again.array.astype(int), noise(dtype).astype(int))


def test_voxel_and_point_belong_together_in_the_scene(scene):
    """The node's own matrices find the one bright voxel, whatever the order of the array in memory."""
    array = np.zeros((6, 5, 4), np.int16)
    array[4, 1, 2] = 900
    node = add_volume(scene, Volume(array, placed(turn_deg=25.0, flip=True)), "CT")
    assert node.GetImageData().GetScalarComponentAsDouble(4, 1, 2, 0) == 900
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    np.testing.assert_allclose(
        matrix.MultiplyPoint((4, 1, 2, 1))[:3], Volume(array, placed(turn_deg=25.0, flip=True)).index_to_ras((4, 1, 2))
    )


def test_what_is_read_is_a_copy(scene):
    node = add_volume(scene, Volume(noise(), placed()), "CT")
    volume_from_node(node).array[...] = -1
    assert np.array_equal(volume_from_node(node).array, noise())


def test_an_image_is_shown_as_bone_in_grey_and_a_label_map_in_colours(scene):
    display = add_volume(scene, Volume(noise(), placed()), "CT").GetDisplayNode()
    assert (display.GetWindow(), display.GetLevel()) == (1500.0, 150.0) and not display.GetAutoWindowLevel()
    assert display.GetColorNodeID() == "vtkMRMLColorTableNodeGrey"
    labels = add_volume(scene, Volume(noise(), placed()), "labels", label_map=True)
    assert labels.IsA("vtkMRMLLabelMapVolumeNode") and labels.GetName() == "labels"


def test_matrices_go_there_and_back():
    np.testing.assert_array_equal(array_from_matrix(matrix_from_array(placed(turn_deg=33.0))), placed(turn_deg=33.0))
    assert matrix_from_array(placed()).GetElement(0, 3) == -31.5


@pytest.mark.parametrize("kind", ["vtkMRMLScalarVolumeNode", "vtkMRMLLabelMapVolumeNode"])
def test_a_volume_without_an_image_is_refused(scene, kind):
    with pytest.raises(InputError, match="'nothing' holds no image"):
        volume_from_node(scene.AddNewNodeByClass(kind, "nothing"))
    with pytest.raises(InputError, match="holds no image"):
        labels_from_node(scene, scene.AddNewNodeByClass(kind, "nothing"))


def test_a_volume_without_voxels_is_refused(scene):
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "hollow")
    node.SetAndObserveImageData(vtk.vtkImageData())
    with pytest.raises(InputError, match="'hollow' holds no image"):
        volume_from_node(node)


def test_a_colour_image_is_refused(scene):
    image = vtk.vtkImageData()
    image.SetDimensions(4, 4, 4)
    image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 3)
    node = scene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "photo")
    node.SetAndObserveImageData(image)
    with pytest.raises(InputError, match="'photo' is a colour image"):
        volume_from_node(node)


def test_an_image_under_a_transform_is_refused(scene):
    node = under_a_transform(scene, add_volume(scene, Volume(noise(), placed()), "CT"))
    with pytest.raises(InputError, match="'CT' stands under a transform"):
        volume_from_node(node)
    node.SetAndObserveTransformNodeID(None)
    assert np.array_equal(volume_from_node(node).array, noise())


@grids
@pytest.mark.parametrize("on_reference", [True, False])
def test_a_segmentation_gives_its_labels_back(scene, affine, on_reference):
    labels = two_blocks(affine)
    node = add_segmentation(scene, labels, "Vertebrae", surface=False)
    assert_same(labels_from_segmentation(node, labels if on_reference else None), labels)


def test_labels_come_from_either_kind_of_node(scene):
    labels = two_blocks()
    assert_same(labels_from_node(scene, add_segmentation(scene, labels, "Vertebrae", surface=False)), labels)
    node = add_volume(scene, labels.with_array(labels.array.astype(np.float32)), "labels", label_map=True)
    again = labels_from_node(scene, node, "verse")
    assert_same(again, labels)
    assert again.array.dtype == np.int16


def test_a_segmentation_remembers_which_engine_found_it(scene):
    labels = Volume(np.full((6, 6, 6), 22, np.int16), np.eye(4), {"found_by": "spinescrew"})
    node = add_segmentation(scene, labels, "found", surface=False)
    assert labels_from_segmentation(node).metadata["found_by"] == "spinescrew"
    other = add_segmentation(scene, Volume(labels.array, np.eye(4)), "given", surface=False)
    assert "found_by" not in labels_from_segmentation(other).metadata


def test_a_segmentation_has_a_segment_per_level_and_leaves_no_volume_behind(scene):
    node = add_segmentation(scene, two_blocks(), "Vertebrae")
    assert list(segments_by_level(node)) == [Level.L3, Level.L4]
    assert node.GetName() == "Vertebrae"
    assert node.GetSegmentation().GetSourceRepresentationName() == BINARY_LABELMAP
    assert scene.GetNumberOfNodesByClass("vtkMRMLLabelMapVolumeNode") == 0


def test_its_surfaces_lie_around_its_voxels(scene):
    labels = two_blocks(placed(spacing=(1.0, 1.0, 1.0)))
    node = add_segmentation(scene, labels, "Vertebrae", surface=True)
    for level in (Level.L3, Level.L4):
        surface = segment(node, level).GetRepresentation(CLOSED_SURFACE)
        points = labels.index_to_ras(np.argwhere(labels.array == level.value))
        bounds = np.array(surface.GetBounds()).reshape(3, 2)
        np.testing.assert_allclose(bounds[:, 0], points.min(axis=0) - 0.5, atol=0.6)
        np.testing.assert_allclose(bounds[:, 1], points.max(axis=0) + 0.5, atol=0.6)
    assert (
        not add_segmentation(scene, labels, "bare", surface=False)
        .GetSegmentation()
        .ContainsRepresentation(CLOSED_SURFACE)
    )


def test_a_smaller_reference_grid_cuts_the_labels(scene):
    labels = two_blocks()
    node = add_segmentation(scene, labels, "Vertebrae", surface=False)
    reference = labels.crop((7, 4, 3), (18, 13, 12))
    assert_same(labels_from_segmentation(node, reference), reference)


def test_a_larger_reference_grid_holds_the_labels_where_they_lie(scene):
    labels = two_blocks()
    node = add_segmentation(scene, labels.crop((3, 2, 1), (21, 16, 15)), "Vertebrae", surface=False)
    assert_same(labels_from_segmentation(node, labels), labels)


def test_labels_far_from_the_reference_are_not_on_it(scene):
    labels, far = two_blocks(), GRIDS["straight"].copy()
    far[:3, 3] += 500.0
    node = add_segmentation(scene, labels, "Vertebrae", surface=False)
    with pytest.raises(InputError, match="empty"):
        labels_from_segmentation(node, Volume(np.zeros((9, 9, 9), np.int16), far))


def nearest_labels(labels, grid):
    """Labels of the nearest voxels, one by one."""
    index = np.argwhere(np.ones(grid.shape, bool))
    nearest = np.round(labels.ras_to_index(grid.index_to_ras(index))).astype(int)
    inside = ((nearest >= 0) & (nearest < labels.shape)).all(axis=1)
    found = np.zeros(grid.shape, np.int16)
    found[tuple(index[inside].T)] = labels.array[tuple(nearest[inside].T)]
    return found


@pytest.mark.parametrize("turn_deg", [0.0, 30.0])
@pytest.mark.parametrize("spacing", [(0.61, 0.77, 0.93), (0.23, 0.31, 0.37), (1.9, 1.6, 1.7)], ids=str)
def test_on_another_grid_every_voxel_has_the_label_of_the_nearest_one(scene, turn_deg, spacing):
    labels = two_blocks(placed(spacing=(1.0, 1.2, 1.4)))
    node = add_segmentation(scene, labels, "Vertebrae", surface=False)
    affine = labels.affine.copy()
    affine[:3, :3] = rotation((1.0, -1.0, 0.5), turn_deg) @ np.diag(spacing)
    affine[:3, 3] += (0.137, 0.211, 0.083)
    shape = np.ceil(np.array((24.0, 22.0, 20.0)) / spacing).astype(int)
    grid = Volume(np.zeros(shape, np.int16), affine)
    found = labels_from_segmentation(node, grid)
    assert {0, Level.L3.value, Level.L4.value} == set(np.unique(found.array))
    assert np.array_equal(found.array, nearest_labels(labels, grid))


def test_labels_up_to_the_edge_of_their_image_do_not_spread_beyond_it(scene):
    labels = Volume(np.full((8, 7, 6), Level.L3.value, np.int16), placed(spacing=(1.0, 1.2, 1.4)))
    node = add_segmentation(scene, labels, "Vertebrae", surface=False)
    affine = labels.affine.copy()
    affine[:3, :3] = rotation((1.0, -1.0, 0.5), 20.0) @ np.diag((0.61, 0.77, 0.93))
    affine[:3, 3] -= (4.0, 5.0, 3.0)
    grid = Volume(np.zeros((30, 26, 20), np.int16), affine)
    assert np.array_equal(labels_from_segmentation(node, grid).array, nearest_labels(labels, grid))


def test_on_the_same_voxels_in_another_order_nothing_is_lost(scene):
    """The reference counts i along the patient's left, j upwards and k backwards."""
    labels = two_blocks()
    node = add_segmentation(scene, labels, "Vertebrae", surface=False)
    array = labels.array.transpose(0, 2, 1)[::-1, :, ::-1]
    affine = labels.affine[:, [0, 2, 1, 3]] @ np.diag((-1.0, 1.0, -1.0, 1.0))
    affine[:3, 3] = labels.index_to_ras((labels.shape[0] - 1, labels.shape[1] - 1, 0))
    turned = Volume(array, affine)
    assert_same(labels_from_segmentation(node, turned), turned)


def test_a_segment_painted_outside_the_others_is_in_the_common_grid(scene):
    labels = two_blocks()
    node = add_segmentation(scene, labels.crop((3, 2, 0), (21, 16, 8)), "L4 alone", surface=False)
    other = add_segmentation(scene, labels.crop((3, 2, 8), (21, 16, 16)), "L3 alone", surface=False)
    node.GetSegmentation().CopySegmentFromSegmentation(
        other.GetSegmentation(), segments_by_level(other)[Level.L3], False
    )
    node.GetSegmentation().SetConversionParameter("Reference image geometry", "")
    found = labels_from_segmentation(node)
    for level in (Level.L3, Level.L4):
        points = found.index_to_ras(np.argwhere(found.array == level.value))
        np.testing.assert_allclose(points, labels.index_to_ras(np.argwhere(labels.array == level.value)), atol=1e-9)


def test_segments_that_are_no_vertebra_are_left_out(scene):
    labels = two_blocks()
    node = add_segmentation(scene, labels, "Vertebrae", surface=False)
    segment(node, Level.L4).SetName("aorta")
    assert list(segments_by_level(node)) == [Level.L3]
    assert np.array_equal(labels_from_segmentation(node, labels).array, np.where(labels.array == 22, 22, 0))


def test_an_empty_segment_is_no_vertebra_in_the_labels(scene):
    labels = two_blocks()
    node = add_segmentation(scene, labels, "Vertebrae", surface=False)
    node.GetSegmentation().AddEmptySegment("new", "L5")
    assert list(segments_by_level(node)) == [Level.L3, Level.L4, Level.L5]
    assert_same(labels_from_segmentation(node, labels), labels)


def test_a_segmentation_made_of_surfaces_is_turned_into_voxels(scene):
    labels = two_blocks(placed(spacing=(1.0, 1.0, 1.0)))
    node = add_segmentation(scene, labels, "Vertebrae", surface=False)
    segmentation = node.GetSegmentation()
    segmentation.SetConversionParameter("Smoothing factor", "0.0")
    node.CreateClosedSurfaceRepresentation()
    segmentation.SetSourceRepresentationName(CLOSED_SURFACE)
    segmentation.RemoveRepresentation(BINARY_LABELMAP)
    found = labels_from_segmentation(node, labels)
    for level in (Level.L3, Level.L4):
        wanted, got = labels.array == level.value, found.array == level.value
        assert 2 * (wanted & got).sum() / (wanted.sum() + got.sum()) > 0.95


def test_a_segmentation_that_names_no_vertebra_is_refused(scene):
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "organs")
    with pytest.raises(InputError, match="no segment of 'organs' is named after a vertebra"):
        labels_from_segmentation(node)
    node.GetSegmentation().AddEmptySegment("liver", "liver")
    with pytest.raises(InputError, match="no segment of 'organs'"):
        labels_from_node(scene, node)


@pytest.mark.parametrize("on_reference", [True, False])
def test_an_empty_segmentation_is_refused(scene, on_reference):
    labels = two_blocks()
    node = add_segmentation(scene, labels, "Vertebrae", surface=False)
    for identifier in segments_by_level(node).values():
        LOGIC.ClearSegment(node, identifier)
    with pytest.raises(InputError, match="segments of 'Vertebrae' are empty"):
        labels_from_segmentation(node, labels if on_reference else None)


def test_segments_without_any_voxels_yet_are_refused(scene):
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "planned")
    node.GetSegmentation().AddEmptySegment("one", "L3")
    with quiet(), pytest.raises(InputError, match="'planned'"):
        labels_from_segmentation(node)


def test_a_segmentation_under_a_transform_is_refused(scene):
    node = under_a_transform(scene, add_segmentation(scene, two_blocks(), "Vertebrae", surface=False))
    with pytest.raises(InputError, match="'Vertebrae' stands under a transform"):
        labels_from_segmentation(node)


@pytest.mark.parametrize("name", ["L3", "vertebrae_L3", "L3 (22)", "l3 again"])
def test_two_segments_of_one_vertebra_are_refused(scene, name):
    node = add_segmentation(scene, two_blocks(), "Vertebrae", surface=False)
    segment(node, Level.L4).SetName(name)
    with pytest.raises(InputError, match=r"two segments are named L3 \(22\)"):
        segments_by_level(node)
    with pytest.raises(InputError, match="two segments"):
        labels_from_node(scene, node)


def test_levels_come_from_the_head_down_whatever_the_order_of_the_segments(scene):
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "mixed")
    for name in ("sacrum", "L6", "L1", "T13", "T12", "C2"):
        node.GetSegmentation().AddEmptySegment(f"id of {name}", name)
    found = segments_by_level(node)
    assert [level.name for level in found] == ["C2", "T12", "T13", "L1", "L6", "S1"]
    assert found[Level.S1] == "id of sacrum" and found[Level.T13] == "id of T13"


@pytest.mark.parametrize("level", list(Level))
def test_the_name_that_is_given_is_the_name_that_is_read(level):
    for name in (level.label, level.name, level.name.lower(), f"vertebrae_{level.name}", f"vertebra_{level.name}"):
        assert level_from_name(name) is level


@pytest.mark.parametrize(
    ("name", "level"),
    [("sacrum", Level.S1), ("Sacrum", Level.S1), ("  L4 ", Level.L4), ("C1(1)", Level.C1), ("L3 left half", Level.L3)],
)
def test_other_names_of_a_level(name, level):
    assert level_from_name(name) is level


@pytest.mark.parametrize("name", ["", " ", "(", "22", "Segment_1", "L7", "T0", "C8", "aorta", "rib_left_12", "L3left"])
def test_names_of_no_level(name):
    assert level_from_name(name) is None


def term_types():
    document = json.loads((resource_path("Terminologies") / FILE).read_text(encoding="utf-8"))
    return {entry["CodeMeaning"]: entry for entry in document["SegmentationCodes"]["Category"][0]["Type"]}


def tag_of(named):
    text = vtk.reference("")
    named.GetTag(named.GetTerminologyEntryTagName(), text)
    return str(text)


def test_the_terminology_has_every_level_that_has_a_code_and_no_code_twice():
    types = term_types()
    assert set(types) == {"Sacrum" if level is Level.S1 else f"{level.name} vertebra" for level in CODED}
    codes = [entry["CodeValue"] for entry in types.values()]
    assert len(set(codes)) == len(codes) and all(code.isdigit() for code in codes)


def test_slicer_loads_the_terminology(scene):
    logic = logic_of(scene, "Terminologies")
    name = logic.LoadTerminologyFromFile(str(resource_path("Terminologies") / FILE))
    assert name == "SpineScrew vertebrae"
    category, entry = slicer.vtkSlicerTerminologyCategory(), slicer.vtkSlicerTerminologyType()
    assert logic.GetNthCategoryInTerminology(name, 0, category)
    meanings = {}
    for n in range(logic.GetNumberOfTypesInTerminologyCategory(name, category)):
        assert logic.GetNthTypeInTerminologyCategory(name, category, n, entry)
        meanings[entry.GetCodeMeaning()] = (entry.GetCodeValue(), tuple(entry.GetRecommendedDisplayRGBValue()))
    for level in CODED:
        code, rgb = meanings["Sacrum" if level is Level.S1 else f"{level.name} vertebra"]
        assert f"SCT^{code}^" in terminology_entry(level)
        np.testing.assert_allclose(np.array(rgb) / 255, colour(level), atol=1e-9)


@pytest.mark.parametrize("level", CODED)
def test_a_named_segment_carries_a_code_that_slicer_understands(level):
    named, entry = slicer.vtkSegment(), slicer.vtkSlicerTerminologyEntry()
    name_segment(named, level)
    assert named.GetName() == level.label
    assert slicer.vtkSlicerTerminologiesModuleLogic.DeserializeTerminologyEntry(tag_of(named), entry)
    meaning = "Sacrum" if level is Level.S1 else f"{level.name} vertebra"
    assert entry.GetTypeObject().GetCodeMeaning() == meaning
    assert entry.GetTypeObject().GetCodeValue() == term_types()[meaning]["CodeValue"]
    assert entry.GetTypeObject().GetCodingSchemeDesignator() == "SCT"
    assert entry.GetCategoryObject().GetCodeValue() == "123037004"
    assert entry.GetTerminologyContextName() == "SpineScrew vertebrae"
    again = slicer.vtkSlicerTerminologiesModuleLogic.SerializeTerminologyEntry(entry)
    assert again == tag_of(named)


@pytest.mark.parametrize("level", WITHOUT_CODE)
def test_a_level_without_a_code_gets_none_but_a_name_and_a_colour(level):
    named = slicer.vtkSegment()
    name_segment(named, level)
    assert level_from_name(named.GetName()) is level
    assert terminology_entry(level) == ""
    assert f"{level.name} vertebra" not in tag_of(named)
    np.testing.assert_allclose(named.GetColor(), colour(level))


@pytest.mark.parametrize("level", WITHOUT_CODE)
def test_a_segment_that_gets_a_level_without_a_code_loses_the_code_it_had(level):
    named = slicer.vtkSegment()
    name_segment(named, Level.L5)
    name_segment(named, level)
    assert "L5" not in tag_of(named)


@pytest.mark.parametrize("name", ["L5 nerve root", "T12 rib", "L4 disc", "L3 screw"])
def test_what_is_only_near_a_vertebra_is_none(name):
    assert level_from_name(name) is None


def neighbours():
    """Every pair of levels that can touch: T13 and L6 may be there or not."""
    order = cranial_to_caudal()
    usual = [level for level in order if level not in WITHOUT_CODE]
    return [pytest.param(upper, lower) for upper, lower in sorted({*pairwise(order), *pairwise(usual)})]


@pytest.mark.parametrize(("upper", "lower"), neighbours())
def test_neighbours_can_be_told_apart_by_their_colour(upper, lower):
    assert np.abs(np.array(colour(upper)) - colour(lower)).max() > 0.03


def test_segments_have_the_colours_of_their_levels(scene):
    node = add_segmentation(scene, two_blocks(), "Vertebrae", surface=False)
    for level in (Level.L3, Level.L4):
        np.testing.assert_allclose(segment(node, level).GetColor(), colour(level), atol=1e-6)
        assert tag_of(segment(node, level)) == terminology_entry(level)


def test_reading_labels_does_not_change_the_segmentation(scene):
    node = add_segmentation(scene, two_blocks(), "Vertebrae", surface=False)
    image = segment(node, Level.L3).GetRepresentation(BINARY_LABELMAP)
    before, time = vtk_to_numpy(image.GetPointData().GetScalars()).copy(), image.GetMTime()
    labels_from_segmentation(node).array[...] = 7
    assert np.array_equal(vtk_to_numpy(image.GetPointData().GetScalars()), before)
    assert image.GetMTime() == time
