"""Films whose system was asked for as nodes: where they stand, what lies on them, and that everything goes again."""

import numpy as np
import pytest
import slicer
from offscreen_views import Views, views_problem
from vtk.util.numpy_support import vtk_to_numpy

pytest.importorskip("torch")

from known_brand import identified

from spinescrew.scene import image_layout
from spinescrew.scene.aligned_slices import plane_of
from spinescrew.scene.brand_scene import LEAST_ATTENTION, NO_MODEL, BrandScene, attention_models
from spinescrew.scene.volumes import affine_from_node, volume_from_node


@pytest.fixture
def result():
    return identified().result


@pytest.fixture
def slices(scene):
    """Two slice views with what they show."""
    nodes = []
    for name in ("Red", "Yellow"):
        node = slicer.vtkMRMLSliceNode()
        node.SetLayoutName(name)
        node.SetName(name)
        nodes.append(scene.AddNode(node))
        composite = slicer.vtkMRMLSliceCompositeNode()
        composite.SetLayoutName(name)
        scene.AddNode(composite)
    return nodes


@pytest.fixture
def shown(scene, result, slices):
    made = BrandScene(scene, result)
    made.put_into(slices)
    yield made
    made.close()


def composite(scene, name):
    found = [scene.GetNthNodeByClass(n, "vtkMRMLSliceCompositeNode") for n in range(2)]
    return next(node for node in found if node.GetLayoutName() == name)


def all_ids(scene):
    return {scene.GetNthNode(n).GetID() for n in range(scene.GetNumberOfNodes())}


def points_of(node):
    return vtk_to_numpy(node.GetPolyData().GetPoints().GetData()).astype(float)


@pytest.mark.parametrize("view", ["ap", "lat"])
def test_a_film_holds_its_pixels_at_their_size_in_the_patient(shown, result, view):
    node, located = shown.node("image", view), result.located[view]
    np.testing.assert_array_equal(volume_from_node(node).array[:, :, 0].T, located.radiograph.dense_bright())
    affine = affine_from_node(node)
    assert np.linalg.norm(affine[:3, 0]) == pytest.approx(1 / located.px_per_mm)
    middle = affine @ (*(0.5 * (np.array(located.radiograph.shape[::-1]) - 1)), 0, 1)
    np.testing.assert_allclose(middle[:3], 0.0, atol=1e-9)


def test_the_view_from_the_front_is_coronal_and_first(shown, scene, slices):
    for node, axis, name in zip(slices, (1, 0), ("Red", "Yellow"), strict=True):
        np.testing.assert_allclose(np.abs(plane_of(node)[:3, 2]), np.eye(3)[axis], atol=1e-9)
        assert composite(scene, name).GetBackgroundVolumeID() is not None
    assert shown.views == ("ap", "lat")


def test_squares_and_axes_lie_on_their_screws(shown, result):
    place, located = shown.places["lat"], result.located["lat"]
    points = points_of(shown.node("screw", "lat", 2))
    np.testing.assert_allclose(place.project(points[:2]), [located.necks[1], located.tips[1]], atol=0.05)
    window = result.crops["lat"].windows[1]
    np.testing.assert_allclose(place.project(points[2:6]).mean(axis=0), window.centre, atol=0.1)
    numbers = shown.node("numbers", "lat")
    assert [numbers.GetNthControlPointLabel(n) for n in range(3)] == ["1", "2", "3"]


def test_attention_of_the_model_that_is_chosen_lies_on_the_film(shown, scene, result):
    assert attention_models(result) == ("ap", "lat", "concat", "merge")
    red, yellow = composite(scene, "Red"), composite(scene, "Yellow")
    assert red.GetForegroundVolumeID() is None
    shown.look(model="merge", opacity=0.7)
    for node, view in ((red, "ap"), (yellow, "lat")):
        assert node.GetForegroundVolumeID() == shown.node("attention", view, "merge").GetID()
        assert node.GetForegroundOpacity() == pytest.approx(0.7)
    shown.look(model="ap")
    assert red.GetForegroundVolumeID() == shown.node("attention", "ap", "ap").GetID()
    assert yellow.GetForegroundVolumeID() is None
    shown.look(model=NO_MODEL)
    assert red.GetForegroundVolumeID() is None


def test_attention_is_where_the_library_says(shown, result):
    each = next(one for one in result.attention if (one.kind, one.view) == ("lat", "lat"))
    node = shown.node("attention", "lat", "lat")
    row, column = np.unravel_index(each.field.argmax(), each.field.shape)
    place = shown.places["lat"].on_detector(np.array([column, row]) * each.step_px)
    np.testing.assert_allclose((affine_from_node(node) @ (column, row, 0, 1))[:3], place, atol=1e-6)
    assert node.GetDisplayNode().GetLowerThreshold() == pytest.approx(LEAST_ATTENTION)


def test_one_screw_fills_its_view_and_the_whole_film_comes_back(shown, slices, result):
    whole = slices[1].GetFieldOfView()[:2]
    shown.look_at("lat", 2)
    window = result.crops["lat"].windows[1]
    np.testing.assert_allclose(plane_of(slices[1])[:3, 3], shown.places["lat"].on_detector(window.centre))
    assert min(slices[1].GetFieldOfView()[:2]) == pytest.approx(100.0, rel=0.01)
    shown.look_at("lat", 9)
    shown.look_at_images()
    assert slices[1].GetFieldOfView()[:2] == whole


def test_outlines_are_switched_off_and_on(shown):
    shown.look(outlines=False)
    assert not shown.node("screw", "ap", 1).GetDisplayNode().GetVisibility()
    assert not shown.node("numbers", "ap").GetDisplayNode().GetVisibility()
    shown.look(outlines=True)
    assert shown.node("screw", "ap", 1).GetDisplayNode().GetVisibility()


def test_one_film_leaves_the_other_view_alone(scene, slices):
    before = plane_of(slices[1])
    made = BrandScene(scene, identified(views=("lat",)).result)
    made.put_into(slices)
    assert made.views == ("lat",)
    assert composite(scene, "Red").GetBackgroundVolumeID() is not None
    assert composite(scene, "Yellow").GetBackgroundVolumeID() is None
    np.testing.assert_array_equal(plane_of(slices[1]), before)
    made.close()


def test_everything_goes_again(scene, result, slices):
    before, planes = all_ids(scene), [plane_of(node) for node in slices]
    made = BrandScene(scene, result)
    made.put_into(slices)
    made.look(model="merge")
    made.close()
    assert all_ids(scene) == before
    assert made.observer_count == 0
    for node, plane in zip(slices, planes, strict=True):
        np.testing.assert_array_equal(plane_of(node), plane)
    assert composite(scene, "Red").GetForegroundVolumeID() is None


def test_a_scene_that_closes_takes_nothing_with_it(scene, result):
    made = BrandScene(scene, result)
    scene.Clear(0)
    assert made.closed and made.observer_count == 0


def test_views_are_arranged_for_films_and_given_back(scene):
    node = slicer.vtkMRMLLayoutNode()
    scene.AddNode(node)
    start = node.GetViewArrangement()
    assert image_layout.arrange_films(scene, 2) == start
    assert node.GetViewArrangement() == node.SlicerLayoutSideBySideView
    image_layout.arrange_films(scene, 1)
    assert node.GetViewArrangement() == node.SlicerLayoutOneUpRedSliceView
    image_layout.give_back(scene, start)
    assert node.GetViewArrangement() == start


@pytest.mark.skipif(bool(views_problem()), reason=views_problem())
def test_film_squares_and_attention_are_drawn(scene, result):
    with Views(scene, (420, 420)) as views:
        shown = BrandScene(scene, result)
        red, yellow = views.slices["Red"], views.slices["Yellow"]
        shown.put_into([red.node, yellow.node])
        views.render()
        bare = yellow.picture().astype(int)
        assert bare.std() > 20
        shown.look(model="lat", opacity=0.8)
        bright = yellow.picture().astype(int)
        assert (np.abs(bright - bare).max(axis=2) > 25).mean() > 0.01
        shown.look(model=NO_MODEL, outlines=False)
        assert (np.abs(yellow.picture().astype(int) - bare).max(axis=2) > 40).mean() > 0.005
        shown.close()
