"""A C2 assessment as nodes: what is shown, where, and that everything goes again."""

import numpy as np
import pytest
import slicer
from axis_samples import perfect_assessment
from vtk.util.numpy_support import vtk_to_numpy

from spinescrew.anatomy.levels import Level
from spinescrew.scene.aligned_slices import plane_of
from spinescrew.scene.attention_colours import attention_colours, colours_on_bone
from spinescrew.scene.c2_scene import C2Scene
from spinescrew.scene.c2_screws import open_screws, suggested_plan
from spinescrew.scene.plan_scene import PlanScene
from spinescrew.scene.store import C2_PLAN, PlanStore
from spinescrew.scene.volumes import add_volume, labels_from_node, volume_from_node


@pytest.fixture(scope="module")
def found():
    """Wide on the left, narrow on the right."""
    return perfect_assessment(7, 1.0, "asymmetric")


@pytest.fixture
def slices(scene):
    """Three slice views with what they show."""
    nodes = []
    for name in ("Red", "Yellow", "Green"):
        node = slicer.vtkMRMLSliceNode()
        node.SetLayoutName(name)
        node.SetName(name)
        nodes.append(scene.AddNode(node))
        composite = slicer.vtkMRMLSliceCompositeNode()
        composite.SetLayoutName(name)
        scene.AddNode(composite)
    return nodes


@pytest.fixture
def shown(scene, slices, found):
    made = C2Scene(scene, found)
    yield made
    made.remove()


def composites(scene):
    return [scene.GetNthNodeByClass(n, "vtkMRMLSliceCompositeNode") for n in range(3)]


def surface_of(shown):
    """(points, attention) of the coloured bone."""
    data = shown.node("surface").GetPolyData()
    return vtk_to_numpy(data.GetPoints().GetData()), vtk_to_numpy(data.GetPointData().GetScalars())


def test_the_labels_are_those_of_the_assessment(shown, found):
    back = labels_from_node(shown.scene, shown.node("labels"))
    index = np.argwhere(back.array == Level.C2.value)
    points = found.labels.ras_to_index(back.index_to_ras(index)).round().astype(int)
    assert len(index) == (found.labels.array > 0).sum()
    assert (found.labels.array[tuple(points.T)] == Level.C2.value).all()


def test_both_pedicles_have_their_segment_on_their_side(shown, found):
    segmentation = shown.node("pedicles").GetSegmentation()
    names = {segmentation.GetNthSegment(n).GetName() for n in range(segmentation.GetNumberOfSegments())}
    assert names == {"Left pedicle", "Right pedicle"}
    for name, side in (("Left pedicle", "left"), ("Right pedicle", "right")):
        centre = np.array(shown.node("pedicles").GetSegmentCenterRAS(segmentation.GetSegmentIdBySegmentName(name)))
        assert np.linalg.norm(centre - found.sides[side].measures.isthmus) < 6.0


def test_attention_lies_where_it_was_found(shown, found):
    volume = volume_from_node(shown.node("attention"))
    top = np.unravel_index(volume.array.argmax(), volume.shape)
    place = found.attention.ras_to_index(volume.index_to_ras(top)).round().astype(int)
    assert found.attention.array[tuple(place)] == pytest.approx(float(found.attention.array.max()))
    assert volume.array.size < 0.3 * found.attention.array.size


def test_the_ct_of_the_scene_is_used_again(scene, slices, found):
    node = add_volume(scene, found.ct, "Neck")
    shown = C2Scene(scene, found, node)
    assert shown.ct_node is node
    assert shown.node("ct") is None
    shown.remove()
    assert scene.IsNodePresent(node)


def test_the_surface_is_the_bone_and_carries_attention_at_its_points(shown, found):
    points, values = surface_of(shown)
    assert np.abs(found.bone.sample(points.astype(float))).max() < 0.3
    assert values.max() > 0.5
    near = [np.linalg.norm(points - own.measures.isthmus, axis=1) < 12.0 for own in found.sides.values()]
    assert values[near[0] | near[1]].mean() > 5 * values[~(near[0] | near[1])].mean()


def test_attention_is_the_foreground_of_every_slice(shown, scene):
    for composite in composites(scene):
        assert composite.GetForegroundVolumeID() == shown.node("attention").GetID()
        assert composite.GetBackgroundVolumeID() == shown.ct_node.GetID()
    shown.set_opacity(0.4)
    assert [c.GetForegroundOpacity() for c in composites(scene)] == [0.4] * 3
    shown.show_attention(False)
    assert [c.GetForegroundOpacity() for c in composites(scene)] == [0.0] * 3
    shown.show_attention(True)
    assert [c.GetForegroundOpacity() for c in composites(scene)] == [0.4] * 3


def test_below_the_threshold_the_bone_has_its_own_colour(shown):
    table, rgb = shown.node("scale on bone"), np.zeros(4)
    shown.set_threshold(0.5)
    shown.set_opacity(1.0)
    seen = []
    for n in (0, 126, 129, 255):
        table.GetColor(n, rgb)
        seen.append(rgb[:3].copy())
    bone = colours_on_bone(2.0, 1.0)[0]
    np.testing.assert_allclose(seen[:2], [bone, bone], atol=0.01)
    np.testing.assert_allclose(seen[2:], attention_colours()[[129, 255]], atol=0.01)
    assert shown.node("attention").GetDisplayNode().GetLowerThreshold() == pytest.approx(0.5)


@pytest.mark.parametrize("hide", [lambda s: s.show_attention(False), lambda s: s.set_surface(False)])
def test_a_surface_without_attention_is_plain(shown, hide):
    hide(shown)
    rgb = np.zeros(4)
    shown.node("scale on bone").GetColor(255, rgb)
    np.testing.assert_allclose(rgb[:3], colours_on_bone(2.0, 1.0)[0], atol=0.01)


def test_the_scale_grows_lighter_evenly():
    lightness = attention_colours() @ (0.2126, 0.7152, 0.0722)
    assert (np.diff(lightness) > -1e-3).all()
    assert lightness[-1] - lightness[0] > 0.6


@pytest.mark.parametrize("side", ["left", "right"])
def test_slices_stand_along_the_pedicle(shown, slices, found, side):
    before = [plane_of(node) for node in slices]
    shown.look_at(side, slices, along_mm=3.0)
    pose, isthmus = found.sides[side].pose, found.sides[side].measures.isthmus
    planes = [plane_of(node) for node in slices]
    for plane in planes[:2]:
        assert abs(plane[:3, 2] @ pose.forwards) < 1e-6
        np.testing.assert_allclose(plane[:3, 3], isthmus, atol=1e-6)
    assert abs(planes[2][:3, 2] @ pose.forwards) == pytest.approx(1.0)
    np.testing.assert_allclose(planes[2][:3, 3], isthmus + 3.0 * pose.forwards, atol=1e-6)
    shown.remove()
    for node, plane in zip(slices, before, strict=True):
        np.testing.assert_allclose(plane_of(node), plane, atol=1e-9)


def test_a_way_out_is_a_tube_of_its_screws_diameter(shown, found):
    assert shown.way_out_names == ("C2 right pars 3.5 mm", "C2 right lamina 3.5 mm")
    for name, way in zip(shown.way_out_names, found.sides["right"].ways_out, strict=True):
        points = vtk_to_numpy(shown.node(name).GetPolyData().GetPoints().GetData()).astype(float)
        axis = (way.tip - way.entry) / np.linalg.norm(way.tip - way.entry)
        arm = points - way.entry
        away = np.linalg.norm(arm - np.outer(arm @ axis, axis), axis=1)
        assert away.max() == pytest.approx(1.75, abs=0.01)


def test_removing_leaves_nothing(scene, slices, found):
    before = {scene.GetNthNode(n).GetID() for n in range(scene.GetNumberOfNodes())}
    shown = C2Scene(scene, found)
    shown.remove()
    assert {scene.GetNthNode(n).GetID() for n in range(scene.GetNumberOfNodes())} == before
    assert not any(c.GetForegroundVolumeID() for c in composites(scene))
    shown.remove()


def test_a_node_that_someone_deleted_is_missed_by_nobody(shown, scene):
    scene.RemoveNode(shown.node("attention"))
    scene.RemoveNode(shown.node("surface"))
    shown.set_threshold(0.6)
    shown.show_attention(False)
    assert shown.node("attention") is None


def test_only_a_pedicle_that_may_take_a_screw_gets_one(found):
    plan, spine = suggested_plan(found)
    assert [row.side for row in plan.planned] == ["left"]
    assert "2 %" in plan.get(Level.C2, "right").reason
    assert spine.vertebrae[Level.C2].bone is found.bone


def test_the_screw_can_be_dragged_and_undone(scene, found):
    case = open_screws(scene, found)
    key = (Level.C2, "left")
    before = case.session.plan.get(*key).screw
    line = case.shown.nodes(key).node("line")
    line.SetNthControlPointPositionWorld(1, *(before.tip + 3.0 * found.frame.superior))
    after = case.session.plan.get(*key)
    assert after.screw.direction @ found.frame.superior > before.direction @ found.frame.superior
    assert after.assessment.gertzbein_robbins in "ABCDE"
    case.session.undo()
    np.testing.assert_allclose(case.session.plan.get(*key).screw.tip, before.tip)
    case.close(remove_nodes=True)


def test_another_plan_of_the_scene_stays(scene, found, case):
    from spinescrew.planning.session import Session

    other = PlanScene(scene, Session(case.plan, case.spine))
    screws = open_screws(scene, found)
    assert PlanStore.find(scene).node is other.store.node
    assert PlanStore.find(scene, C2_PLAN).node is screws.shown.store.node
    assert all(other.nodes(row.key).node("line") is not None for row in case.plan.planned)
    screws.close(remove_nodes=True)
    assert PlanStore.find(scene, C2_PLAN) is None
    other.close()
