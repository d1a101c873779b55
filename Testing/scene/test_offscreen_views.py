"""The views that later tests look through are themselves looked at: what is drawn where, and what the mouse does."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

slicer = pytest.importorskip("slicer")
vtk = pytest.importorskip("vtk")

from offscreen_views import Views, views_problem  # noqa: E402

from spinescrew.scene.standalone import full_scene  # noqa: E402

pytestmark = pytest.mark.skipif(bool(views_problem()), reason=views_problem())

HERE = Path(__file__).resolve().parent
BOX = (-40.0, 40.0) * 3
ENTRY, TIP = (-12.0, 4.0, 0.0), (12.0, -6.0, 0.0)


@pytest.fixture
def scene():
    with full_scene() as scene:
        yield scene


@pytest.fixture
def views(scene):
    with Views(scene) as views:
        views.three_d.fit(BOX)
        views.three_d.look_from((0.3, 1.0, 0.4))
        for view in views.slices.values():
            view.fit(BOX)
        yield views


def add_ball(scene, radius=30.0):
    source = vtk.vtkSphereSource()
    source.SetRadius(radius)
    source.SetThetaResolution(60)
    source.SetPhiResolution(60)
    source.Update()
    node = scene.AddNewNodeByClass("vtkMRMLModelNode", "Ball")
    node.SetAndObservePolyData(source.GetOutput())
    node.CreateDefaultDisplayNodes()
    node.GetDisplayNode().SetColor(0.0, 0.0, 1.0)
    node.GetDisplayNode().SetVisibility2D(True)
    return node


def add_markup(scene, kind, points):
    node = scene.AddNewNodeByClass(f"vtkMRMLMarkups{kind}Node", kind)
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetOccludedVisibility(True)
    display.SetOccludedOpacity(1.0)
    display.SetSnapMode(display.SnapModeUnconstrained)
    display.SetSelectedColor(1.0, 0.0, 0.0)
    display.SetPointLabelsVisibility(False)
    display.SetPropertiesLabelVisibility(False)
    for point in points:
        node.AddControlPoint(*point)
    return node


def add_volume(scene, array, origin=(-40.0, -40.0, -40.0), kind="vtkMRMLScalarVolumeNode"):
    node = scene.AddNewNodeByClass(kind, "Volume")
    image = vtk.vtkImageData()
    image.SetDimensions(*array.shape)
    values = vtk.util.numpy_support.numpy_to_vtk(array.ravel(order="F"), deep=True)
    image.GetPointData().SetScalars(values)
    node.SetAndObserveImageData(image)
    node.SetOrigin(origin)
    node.CreateDefaultDisplayNodes()
    return node


def position(node, index):
    point = [0.0, 0.0, 0.0]
    node.GetNthControlPointPositionWorld(index, point)
    return np.array(point)


def is_red(colour):
    """Of one colour (3,) or of each pixel of a picture."""
    return (colour[..., 0] > 150) & (colour[..., 1] < 110) & (colour[..., 2] < 110)


# drawing


def test_all_four_views_hold_real_nodes(scene, views):
    assert views.three_d.node.IsA("vtkMRMLViewNode")
    assert {name: view.node.GetLayoutName() for name, view in views.slices.items()} == {
        name: name for name in ("Red", "Green", "Yellow")
    }
    assert scene.GetNumberOfNodesByClass("vtkMRMLSliceNode") == 3
    assert scene.GetNumberOfNodesByClass("vtkMRMLSliceCompositeNode") == 3
    assert scene.GetNumberOfNodesByClass("vtkMRMLViewNode") == 1


def test_a_line_inside_an_opaque_model_is_drawn(scene, views):
    add_ball(scene)
    line = add_markup(scene, "Line", [ENTRY, TIP])
    for point in (ENTRY, TIP):
        assert is_red(views.three_d.colour_at(point))
        assert is_red(views.slices["Red"].colour_at(point))
    line.GetDisplayNode().SetOccludedVisibility(False)
    assert not is_red(views.three_d.colour_at(ENTRY))
    assert is_red(views.slices["Red"].colour_at(ENTRY))


def test_a_translucent_model_is_drawn(scene, views):
    background = views.three_d.colour_at((0, 0, 0)).astype(int)
    ball = add_ball(scene)
    opaque = views.three_d.colour_at((0, 0, 0)).astype(int)
    ball.GetDisplayNode().SetOpacity(0.5)
    half = views.three_d.colour_at((0, 0, 0)).astype(int)
    assert np.abs(opaque - background).max() > 60
    np.testing.assert_allclose(half[0], (background[0] + opaque[0]) / 2, atol=0.3 * background[0])
    assert opaque[0] < half[0] < background[0]


def test_the_outline_of_a_model_is_drawn_in_the_slice(scene, views):
    add_ball(scene)
    red = views.slices["Red"]
    assert red.picture()[..., 2].max() == 255
    np.testing.assert_array_equal(red.colour_at((0, 0, 0)), 0)
    red.set_plane((0, 0, 35), (0, 0, -1), (0, 1, 0))
    assert red.picture()[..., 2].max() == 0


def test_a_volume_is_grey_where_it_should_be(scene, views):
    array = np.zeros((81, 81, 81), np.int16)
    array[:40] = 500
    array[40:, :40] = 1000
    node = add_volume(scene, array)
    node.GetDisplayNode().SetAutoWindowLevel(False)
    node.GetDisplayNode().SetWindowLevelMinMax(0, 1000)
    for name in views.slices:
        views.slices[name].set_background(node)
    for point, grey in (((-20, 10, 0), 127), ((20, -20, 0), 255), ((20, 20, 0), 0)):
        np.testing.assert_allclose(views.slices["Red"].colour_at(point), grey, atol=2)
    np.testing.assert_allclose(views.slices["Green"].colour_at((-20, 0, 20)), 127, atol=2)
    np.testing.assert_allclose(views.slices["Yellow"].colour_at((0, -20, 20)), 255, atol=2)
    views.slices["Red"].set_background(None)
    np.testing.assert_array_equal(views.slices["Red"].colour_at((20, -20, 0)), 0)


def test_the_fill_of_a_segment_lets_the_volume_through(scene, views):
    labels = np.zeros((81, 81, 81), np.uint8)
    labels[20:61, 20:61, 20:61] = 1
    label_node = add_volume(scene, labels, kind="vtkMRMLLabelMapVolumeNode")
    segmentation = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Bones")
    segmentation.CreateDefaultDisplayNodes()
    views.render()  # the segmentation is in the views before the volume
    assert slicer.vtkSlicerSegmentationsModuleLogic.ImportLabelmapToSegmentationNode(label_node, segmentation)
    segmentation.GetSegmentation().GetNthSegment(0).SetColor(1.0, 0.0, 0.0)
    segmentation.GetDisplayNode().SetOpacity2DFill(0.5)
    volume = add_volume(scene, np.full((81, 81, 81), 100, np.int16))
    volume.GetDisplayNode().SetAutoWindowLevel(False)
    volume.GetDisplayNode().SetWindowLevelMinMax(0, 200)
    red = views.slices["Red"]
    red.set_background(volume)
    np.testing.assert_allclose(red.colour_at((30, 30, 0)), 127, atol=2)
    np.testing.assert_allclose(red.colour_at((0, 0, 0)), (191, 64, 64), atol=2)


@pytest.mark.skipif(sys.platform != "linux", reason="EGL is Linux's")
def test_without_a_driver_the_reason_and_the_remedy_are_said():
    code = "from offscreen_views import views_problem; print(views_problem())"
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, (HERE, HERE.parents[1]))),
        "__EGL_VENDOR_LIBRARY_DIRS": str(HERE),
    }
    said = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert "no graphics driver" in said.stdout
    assert "libegl1" in said.stdout


# where things are


@pytest.mark.parametrize("name", ["three_d", "Red", "Green", "Yellow"])
def test_positions_in_a_view_are_those_of_the_picture(scene, views, name):
    view = views.three_d if name == "three_d" else views.slices[name]
    add_markup(scene, "Fiducial", [(8.0, 8.0, 8.0)])
    if name != "three_d":
        view.node.JumpSlice(8.0, 8.0, 8.0)
    rows, columns = np.nonzero(is_red(view.picture()))
    assert len(rows)
    found = columns.mean(), view.size[1] - 1 - rows.mean()
    np.testing.assert_allclose(found, view.ras_to_display((8.0, 8.0, 8.0)), atol=1.5)


def test_slices_show_the_patient_as_radiologists_do(views):
    red, green, yellow = (views.slices[name] for name in ("Red", "Green", "Yellow"))
    middle = np.array(red.size) / 2
    assert red.ras_to_display((10, 0, 0))[0] < middle[0]  # right on the left
    assert red.ras_to_display((0, 10, 0))[1] > middle[1]  # anterior on top
    assert green.ras_to_display((10, 0, 0))[0] < middle[0]
    assert green.ras_to_display((0, 0, 10))[1] > middle[1]
    assert yellow.ras_to_display((0, 10, 0))[0] < middle[0]
    assert yellow.ras_to_display((0, 0, 10))[1] > middle[1]


def test_a_plane_is_set_as_asked(views):
    red = views.slices["Red"]
    normal, up = np.array((1.0, 2.0, 2.0)) / 3, np.array((0.0, 0.0, 1.0))
    red.set_plane((5, 6, 7), normal, up)
    np.testing.assert_allclose(red.ras_to_display((5, 6, 7)), np.array(red.size) / 2, atol=1)
    right = np.cross(up, normal) / np.linalg.norm(np.cross(up, normal))
    there = np.subtract(red.ras_to_display((5, 6, 7) + 10 * right), red.ras_to_display((5, 6, 7)))
    assert there[0] > 10
    assert abs(there[1]) < 1e-6
    there = np.subtract(red.ras_to_display((5, 6, 7) + 10 * normal), red.ras_to_display((5, 6, 7)))
    np.testing.assert_allclose(there, 0, atol=1e-6)
    assert red.ras_to_display((5, 6, 17))[1] > red.size[1] / 2


# the mouse


@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize("kind", ["Line", "Fiducial"])
def test_a_point_inside_a_model_follows_the_mouse_in_3d(scene, views, kind, index):
    add_ball(scene)
    markup = add_markup(scene, kind, [ENTRY, TIP])
    view, before = views.three_d, [position(markup, 0), position(markup, 1)]
    target = np.add(view.ras_to_display(before[index]), (25, -15))
    view.drag(view.ras_to_display(before[index]), target)
    after = position(markup, index)
    np.testing.assert_allclose(view.ras_to_display(after), target, atol=2)
    towards_viewer = np.subtract(view.camera.GetPosition(), view.camera.GetFocalPoint())
    assert abs((after - before[index]) @ towards_viewer / np.linalg.norm(towards_viewer)) < 1
    np.testing.assert_array_equal(position(markup, 1 - index), before[1 - index])


@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize("kind", ["Line", "Fiducial"])
def test_a_point_inside_a_model_follows_the_mouse_in_a_slice(scene, views, kind, index):
    add_ball(scene)
    markup = add_markup(scene, kind, [ENTRY, TIP])
    view, before = views.slices["Red"], [position(markup, 0), position(markup, 1)]
    wanted = before[index] + (5, 7, 0)
    view.drag(view.ras_to_display(before[index]), view.ras_to_display(wanted))
    np.testing.assert_allclose(position(markup, index), wanted, atol=1)
    np.testing.assert_array_equal(position(markup, 1 - index), before[1 - index])


def test_a_point_follows_the_mouse_in_an_oblique_slice(scene, views):
    markup = add_markup(scene, "Line", [ENTRY, TIP])
    view, along = views.slices["Yellow"], np.subtract(TIP, ENTRY)
    along = along / np.linalg.norm(along)
    view.set_plane(np.add(ENTRY, TIP) / 2, np.cross(along, (0, 0, 1)), (0, 0, 1))
    view.fit(BOX)
    wanted = TIP + 6 * along + (0, 0, 4)
    view.drag(view.ras_to_display(TIP), view.ras_to_display(wanted))
    np.testing.assert_allclose(position(markup, 1), wanted, atol=1)


def test_a_locked_point_stays(scene, views):
    markup = add_markup(scene, "Line", [ENTRY, TIP])
    markup.SetLocked(True)
    for view in (views.three_d, views.slices["Red"]):
        start = view.ras_to_display(ENTRY)
        view.drag(start, np.add(start, (20, 20)))
    np.testing.assert_array_equal(position(markup, 0), ENTRY)


def test_the_ends_of_a_drag_are_told(scene, views):
    markup, told = add_markup(scene, "Line", [ENTRY, TIP]), []
    for event in ("PointStartInteractionEvent", "PointModifiedEvent", "PointEndInteractionEvent"):
        markup.AddObserver(getattr(markup, event), lambda *_, event=event: told.append(event))
    view = views.slices["Red"]
    view.drag(view.ras_to_display(ENTRY), view.ras_to_display(TIP), steps=5)
    assert told[0] == "PointStartInteractionEvent"
    assert told[-1] == "PointEndInteractionEvent"
    assert told.count("PointModifiedEvent") >= 5


def test_the_mouse_turns_the_3d_view_and_zooms_a_slice(scene, views):
    add_ball(scene)
    view, red = views.three_d, views.slices["Red"]
    before, zoom = np.array(view.camera.GetPosition()), red.node.GetFieldOfView()[0]
    view.drag((50, 50), (100, 60))
    assert np.linalg.norm(np.subtract(view.camera.GetPosition(), before)) > 5
    red.drag((100, 100), (100, 160), button="right")
    assert red.node.GetFieldOfView()[0] != pytest.approx(zoom, rel=0.05)


# files


def test_views_go_on_after_a_scene_was_saved_and_loaded(scene, views, tmp_path):
    add_ball(scene)
    add_markup(scene, "Line", [ENTRY, TIP])
    views.render()
    assert scene.WriteToMRB(str(tmp_path / "case.mrb"))
    assert scene.ReadFromMRB(str(tmp_path / "case.mrb"), True)
    markup, red = scene.GetFirstNodeByName("Line"), views.slices["Red"]
    np.testing.assert_allclose(position(markup, 1), TIP, atol=1e-6)
    assert is_red(red.colour_at(ENTRY))
    wanted = np.add(ENTRY, (5, 7, 0))
    red.drag(red.ras_to_display(ENTRY), red.ras_to_display(wanted))
    np.testing.assert_allclose(position(markup, 0), wanted, atol=1)


def test_views_can_be_closed_and_opened_again(scene):
    add_ball(scene)
    for _ in range(2):
        with Views(scene) as views:
            views.three_d.fit(BOX)
            assert views.three_d.colour_at((0, 0, 0))[2] > 100


def test_a_picture_is_saved_as_it_is(scene, views, tmp_path):
    from PIL import Image

    add_ball(scene)
    views.three_d.save(tmp_path / "view.png")
    np.testing.assert_array_equal(np.array(Image.open(tmp_path / "view.png")), views.three_d.picture())
