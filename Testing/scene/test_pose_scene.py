"""Screws of two radiographs as nodes: where everything stands, what is dragged, and that everything goes again."""

import numpy as np
import pytest
import slicer
from known_poses import KnownPlan, solved, use_known_solver
from offscreen_views import Views, views_problem
from vtk.util.numpy_support import vtk_to_numpy

from spinescrew.errors import GeometryError
from spinescrew.geometry.vectors import rotation, unit
from spinescrew.radiographs import pose
from spinescrew.radiographs.pose_session import PoseSession
from spinescrew.scene.aligned_slices import plane_of
from spinescrew.scene.pose_models import posed_surface
from spinescrew.scene.pose_planned import planned_in_views
from spinescrew.scene.pose_scene import PoseScene
from spinescrew.scene.radiograph_nodes import labels_of
from spinescrew.scene.volumes import affine_from_node, volume_from_node


@pytest.fixture(autouse=True)
def _known(monkeypatch):
    use_known_solver(monkeypatch)


@pytest.fixture
def known():
    return solved()


@pytest.fixture
def session(known):
    return PoseSession(known.result)


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
def shown(scene, session, known, slices):
    made = PoseScene(scene, session, known.radiographs)
    made.put_into(slices)
    yield made
    made.close()


def points_of(node):
    return vtk_to_numpy(node.GetPolyData().GetPoints().GetData()).astype(float)


def end(shown, view_index, number, name):
    handles = shown.handles[view_index]
    return handles.position(handles.numbers()[number, name])


@pytest.mark.parametrize("n", [0, 1])
def test_an_image_stands_where_its_detector_stood(shown, known, n):
    node, view = shown.images[n].nodes["image"], known.result.views[n]
    affine = affine_from_node(node)
    for column, row in ((0, 0), (300, 40), (17, 371)):
        np.testing.assert_allclose((affine @ (column, row, 0, 1))[:3], view.on_detector((column, row)), atol=1e-9)
    np.testing.assert_array_equal(volume_from_node(node).array[:, :, 0].T, known.radiographs[n].pixels)


def test_the_segmentation_lies_over_the_metal_it_was_found_in(shown, known):
    labels = shown.images[1].nodes["labels"]
    centre = known.result.views[1].on_detector(known.result.views[1].project(known.screws[2].entry))
    i, j, k = np.round(np.linalg.inv(affine_from_node(labels)) @ (*centre, 1.0))[:3].astype(int)
    assert k == 0
    assert volume_from_node(labels).array[i, j, 0] in (1, 2)
    assert set(np.unique(labels_of(known.result.maps[0]))) == {0, 1, 2}


def test_slices_show_their_image_upright_and_whole(shown, known, slices):
    for node, view, image in zip(slices, known.result.views, shown.images, strict=True):
        plane = plane_of(node)
        np.testing.assert_allclose(plane[:3, 0], view.right)
        np.testing.assert_allclose(plane[:3, 1], -view.down)
        np.testing.assert_allclose(plane[:3, 3], view.on_detector(view.centre_pixel))
        assert min(node.GetFieldOfView()[:2]) >= view.shape[0] * view.pixel_mm[0] - 1e-6
        composites = [shown.scene.GetNthNodeByClass(n, "vtkMRMLSliceCompositeNode") for n in range(2)]
        composite = next(one for one in composites if one.GetLayoutName() == node.GetLayoutName())
        assert composite.GetBackgroundVolumeID() == image.nodes["image"].GetID()
        assert composite.GetLabelVolumeID() == image.nodes["labels"].GetID()
        assert composite.GetLabelOpacity() == pytest.approx(shown.shown.overlay)


def test_outlines_lie_on_the_detector_of_their_own_view_only(shown, known, slices):
    for n, view in enumerate(known.result.views):
        node = shown.node(f"view {n + 1}", 3)
        np.testing.assert_allclose((points_of(node) - view.detector_origin) @ view.normal, 0.0, atol=1e-3)
        display = node.GetDisplayNode()
        assert display.GetViewNodeIDs() == (slices[n].GetID(),)
        assert not display.GetVisibility3D()
    ends = known.result.views[0].project(np.stack([known.screws[2].entry, known.screws[2].tip]))
    np.testing.assert_allclose(known.result.views[0].project(points_of(shown.node("view 1", 3))[-2:]), ends, atol=1e-3)


def test_the_screw_in_hand_stands_out_everywhere(shown, session):
    session.select(4)
    widths = {n: shown.node("view 2", n).GetDisplayNode().GetSliceIntersectionThickness() for n in range(1, 6)}
    assert max(widths, key=widths.get) == 4
    bright = {n: shown.node("screw", n).GetDisplayNode().GetAmbient() for n in range(1, 6)}
    assert max(bright, key=bright.get) == 4
    colours = {shown.node(what, 4).GetDisplayNode().GetColor() for what in ("screw", "view 1", "view 2")}
    assert len(colours) == 1
    numbers = shown.handles[0].numbers()
    chosen = {held[0] for held, n in numbers.items() if shown.handles[0].node.GetNthControlPointSelected(n)}
    assert chosen == {4}


def test_rays_go_from_each_source_through_the_ends_of_the_screw_in_hand(shown, session, known):
    session.select(2)
    points = points_of(shown.node("rays")).reshape(4, 2, 3)
    screw = known.screws[1]
    for (start, stop), through in zip(points, (screw.entry, screw.tip) * 2, strict=True):
        along = unit(stop - start)
        off = (through - start) - ((through - start) @ along) * along
        assert np.linalg.norm(off) < 1e-2


def test_what_is_seen_follows_the_switches(shown):
    shown.look(overlay=0.8, outlines=False, beams=False, detectors=False)
    composite = shown.scene.GetNthNodeByClass(0, "vtkMRMLSliceCompositeNode")
    assert composite.GetLabelOpacity() == pytest.approx(0.8)
    assert not shown.node("view 1", 1).GetDisplayNode().GetVisibility()
    assert not shown.images[0].nodes["beam"].GetDisplayNode().GetVisibility()
    assert not shown.images[1].nodes["detector"].GetDisplayNode().GetVisibility()
    assert shown.node("screw", 1).GetDisplayNode().GetVisibility()


def test_an_end_that_was_dragged_is_solved_again(shown, session, known):
    view, grid = known.result.views[1], shown.grid(1)
    place = end(shown, 1, 3, "tip") + 6.0 * view.down
    handles = shown.handles[1]
    handles.node.SetNthControlPointPositionWorld(handles.numbers()[3, "tip"], *place)
    shown.correct(3, 1)
    np.testing.assert_allclose(session.screw(3).seen[1].tip, grid.project(place), atol=1e-6)
    assert session.screw(3).screw.tip[2] < known.screws[2].tip[2] - 1.0
    drawn = points_of(shown.node("view 2", 3))[-1]
    np.testing.assert_allclose(drawn, view.on_detector(view.project(session.screw(3).screw.tip)), atol=1e-3)
    session.undo()
    np.testing.assert_allclose(end(shown, 1, 3, "tip"), place - 6.0 * view.down, atol=1e-6)


def test_a_correction_that_cannot_be_solved_is_told_and_the_end_goes_back(shown, session, monkeypatch):
    def refuse(*_unused):
        raise GeometryError("the rays of a point are parallel")

    monkeypatch.setattr(pose, "with_axis", refuse)
    told, before = [], end(shown, 0, 2, "neck")
    shown.on_problem.append(told.append)
    handles = shown.handles[0]
    handles.node.SetNthControlPointPositionWorld(handles.numbers()[2, "neck"], *(before + 9.0))
    shown.correct(2, 0)
    assert told == ["the rays of a point are parallel"]
    np.testing.assert_allclose(end(shown, 0, 2, "neck"), before)
    assert not session.history.can_undo


def test_a_new_match_draws_the_screws_anew(shown, session, known):
    session.match("a", "a")
    assert shown.node("screw", 6) is not None
    assert points_of(shown.node("alone 1")).size == 0
    session.match("6", "")
    assert shown.node("screw", 6) is None
    assert shown.node("view 1", 6) is None
    assert (6, "tip") not in shown.handles[0].numbers()


def test_images_move_with_a_refined_calibration(shown, session, known, monkeypatch):
    from dataclasses import replace

    move = np.eye(4)
    move[:3, :3] = rotation((0, 0, 1), 1.5)
    views = (known.result.views[0], known.result.views[1].moved(move))
    monkeypatch.setattr(pose, "with_axis", lambda result, *_unused: replace(result, views=views))
    session.place_axis(1, 0, (1.0, 1.0), (9.0, 9.0))
    affine = affine_from_node(shown.images[1].nodes["image"])
    np.testing.assert_allclose((affine @ (5, 7, 0, 1))[:3], views[1].on_detector((5, 7)))
    np.testing.assert_allclose(
        shown.grid(1).on_detector((3, 4)),
        views[1].on_detector(known.views[1].project(known.result.maps[1].view.on_detector((3, 4)))),
    )


def test_a_tulip_stands_as_it_was_found(known):
    screw = known.screws[0]
    straight, tilted = posed_surface(screw), posed_surface(screw, unit(screw.direction + (0, 0, 0.4)))
    one, other = (vtk_to_numpy(each.GetPoints().GetData()) for each in (straight, tilted))
    shaft = (one - screw.entry) @ screw.direction > 0.0
    np.testing.assert_allclose(one[shaft], other[shaft], atol=1e-4)
    assert np.abs(one[~shaft] - other[~shaft]).max() > 3.0
    np.testing.assert_allclose(
        np.linalg.norm(one[~shaft] - screw.entry, axis=1),
        np.linalg.norm(other[~shaft] - screw.entry, axis=1),
        atol=1e-3,
    )


def test_planned_screws_stand_where_their_vertebrae_were_found(shown, known, slices, session):
    outcome = KnownPlan().compare(session.result)
    move = np.eye(4)
    move[:3, :3], move[:3, 3] = rotation((0, 0, 1), 90.0), (5.0, 6.0, 7.0)
    for vertebra in outcome.vertebrae.values():
        vertebra.pose = move
    screws = planned_in_views(outcome)
    own = outcome.found.screws[2].planned
    np.testing.assert_allclose(screws["L4 left"].entry, move[:3, :3] @ own.entry + (5.0, 6.0, 7.0))
    np.testing.assert_allclose(screws["L4 left"].tip, move[:3, :3] @ own.tip + (5.0, 6.0, 7.0))
    shown.show_planned(screws)
    scene = shown.scene
    solid, line = (scene.GetFirstNodeByName(f"L4 left planned{where}") for where in ("", " in view 2"))
    ahead = (points_of(solid) - screws["L4 left"].entry) @ screws["L4 left"].direction
    assert ahead.max() == pytest.approx(screws["L4 left"].shape.length_mm, abs=0.01)
    assert line.GetDisplayNode().GetViewNodeIDs() == (slices[1].GetID(),)
    shown.look(outlines=False)
    assert solid.GetDisplayNode().GetVisibility() and not line.GetDisplayNode().GetVisibility()
    shown.show_planned({})
    assert scene.GetFirstNodeByName("L4 left planned") is None


def test_everything_goes_again(scene, session, known, slices):
    def nodes():
        return {scene.GetNthNode(n).GetID() for n in range(scene.GetNumberOfNodes())}

    before, planes = nodes(), [plane_of(node) for node in slices]
    made = PoseScene(scene, session, known.radiographs)
    made.put_into(slices)
    made.show_planned(planned_in_views(KnownPlan().compare(session.result)))
    made.close()
    assert nodes() == before
    assert made.observer_count == 0
    assert session.on_change == []
    for node, plane in zip(slices, planes, strict=True):
        np.testing.assert_array_equal(plane_of(node), plane)
    assert scene.GetNthNodeByClass(0, "vtkMRMLSliceCompositeNode").GetBackgroundVolumeID() is None


def test_a_scene_that_closes_takes_nothing_with_it(scene, session, known):
    made = PoseScene(scene, session, known.radiographs)
    scene.Clear(0)
    assert made.closed and made.observer_count == 0
    session.select(2)


@pytest.mark.skipif(bool(views_problem()), reason=views_problem())
def test_a_hand_in_a_slice_view_takes_an_end_and_only_the_screw_in_hand_where_two_are_near(scene, session, known):
    with Views(scene, (420, 420)) as views:
        shown = PoseScene(scene, session, known.radiographs)
        red, yellow = views.slices["Red"], views.slices["Yellow"]
        shown.put_into([red.node, yellow.node])
        for view in (red, yellow):
            view.logic.UpdatePipeline()
        view = known.result.views[1]
        xy = np.array(yellow.ras_to_display(end(shown, 1, 5, "tip")))
        yellow.drag(tuple(xy), tuple(xy))
        assert session.selected == 5 and not session.history.can_undo
        yellow.drag(tuple(xy), tuple(xy + (-20, -12)))
        assert session.history.names == ("axis of screw 5 in view 2",)
        moved = view.project(end(shown, 1, 5, "tip")) - view.project(
            view.on_detector(view.project(known.screws[4].tip))
        )
        assert moved[0] < -3 and moved[1] > 2
        # the tips of 3 and 4 coincide in the lateral view: the one in hand is taken
        session.select(4)
        xy = np.array(yellow.ras_to_display(end(shown, 1, 4, "tip")))
        yellow.drag(tuple(xy), tuple(xy + (0, 25)))
        assert session.selected == 4
        assert session.history.undo_name == "axis of screw 4 in view 2"
        # the metal is drawn under its outline, in both views and in 3D
        head = known.screws[0].entry - 9 * known.screws[0].direction
        assert red.colour_at(known.views[0].on_detector(known.views[0].project(head))).sum() < 500
        views.three_d.fit(shown.box(everything=True))
        shown.look(beams=False)
        picture = views.three_d.picture()
        shown.look(detectors=False)
        assert np.abs(picture.astype(int) - views.three_d.picture()).max() > 60
        shown.close()
