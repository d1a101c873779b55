"""A new screw by two clicks."""

import agreement
import numpy as np
import pytest
import slicer
import vtk

from spinescrew.anatomy.levels import Level
from spinescrew.anatomy.vertebra import Spine
from spinescrew.errors import InputError
from spinescrew.grading.grade import assess
from spinescrew.implants.catalog import load_catalog
from spinescrew.planning import adjust, edits
from spinescrew.planning.session import Session
from spinescrew.scene.add_screw import TwoClicks, add_between, where

L3L, L3R = (Level.L3, "left"), (Level.L3, "right")
KEYS = [(level, side) for level in (Level.L2, Level.L3, Level.L4) for side in ("left", "right")]


@pytest.fixture
def session(case):
    return Session(case.plan, case.spine)


@pytest.fixture
def done():
    """What the clicks were told to end with: (key, problem)."""
    return []


@pytest.fixture
def clicks(scene, session, done):
    made = TwoClicks(scene, session, lambda *told: done.append(told))
    yield made
    made.cancel()


def without(session, *keys):
    for key in keys:
        session.edit("delete", lambda plan, key=key: edits.delete(plan, *key))


def click(node, point):
    node.AddControlPointWorld(vtk.vtkVector3d(*point))


def click_twice(clicks, screw):
    node = clicks.node
    click(node, screw.entry)
    click(node, screw.tip)


def mode_of(scene):
    return scene.GetNodeByID("vtkMRMLInteractionNodeSingleton").GetCurrentInteractionMode()


def through_pedicle(spine, level, side):
    """(entry, tip) along a pedicle's own axis."""
    pedicle = spine.vertebrae[level].pedicles[side]
    return pedicle.isthmus + pedicle.dorsal_mm * pedicle.axis, pedicle.isthmus + 25.0 * pedicle.axis


def test_two_clicks_make_the_screw_between_them(clicks, session, done, case):
    screw = case.plan.get(*L3L).screw
    without(session, L3L)
    click_twice(clicks, screw)
    row = session.plan.get(*L3L)
    assert done == [(L3L, "")]
    np.testing.assert_allclose(row.screw.entry, screw.entry, atol=1e-4)
    np.testing.assert_allclose(row.screw.direction, screw.direction, atol=1e-5)
    assert row.planned_by == "edited"
    assert session.selected == L3L


def test_the_new_screw_is_graded_and_one_step_of_the_history(session, case):
    without(session, L3L)
    screw = case.plan.get(*L3L).screw
    add_between(session, screw.entry, screw.tip)
    row = session.plan.get(*L3L)
    others = [other.screw for other in session.plan.planned if other.key != L3L]
    assert row.assessment.to_dict() == assess(row.screw, case.spine, *L3L, others).to_dict()
    assert session.history.names[1:] == ("add L3 left",)
    session.undo()
    assert session.plan.get(*L3L).screw is None


def test_the_new_screw_appears_in_the_scene(shown, case):
    without(shown.session, L3R)
    screw = case.plan.get(*L3R).screw
    add_between(shown.session, screw.entry, screw.tip)
    assert shown.nodes(L3R).node("line") is not None
    agreement.check(shown)


def test_one_click_is_not_enough(clicks, session, done, case):
    plan = session.plan
    click(clicks.node, case.plan.get(*L3L).screw.entry)
    assert not done and session.plan is plan
    assert clicks.node.GetNumberOfControlPoints() == 1


def test_a_point_that_only_follows_the_mouse_does_not_count(clicks, session, done, case):
    screw = case.plan.get(*L3L).screw
    without(session, L3L)
    node, preview = clicks.node, slicer.vtkMRMLMarkupsNode.PositionPreview
    click(node, screw.entry)
    node.UnsetNthControlPointPosition(0)
    click(node, screw.tip + 9.0)
    node.SetNthControlPointPositionWorld(1, *screw.tip, preview)
    node.SetNthControlPointPositionWorld(0, *screw.entry)
    assert node.GetNumberOfControlPoints() == 2 and not done
    node.SetNthControlPointPositionWorld(1, *screw.tip)
    assert done == [(L3L, "")]
    np.testing.assert_allclose(session.plan.get(*L3L).screw.tip, screw.tip, atol=1e-4)


def test_while_it_waits_the_mouse_places_points_of_its_line_only(scene, session):
    interaction = scene.GetNodeByID("vtkMRMLInteractionNodeSingleton")
    interaction.SetPlaceModePersistence(1)
    clicks = TwoClicks(scene, session, lambda *_: None)
    selection = scene.GetNodeByID("vtkMRMLSelectionNodeSingleton")
    assert mode_of(scene) == interaction.Place
    assert selection.GetActivePlaceNodeID() == clicks.node.GetID()
    assert selection.GetActivePlaceNodeClassName() == "vtkMRMLMarkupsLineNode"
    assert interaction.GetPlaceModePersistence() == 0
    assert not clicks.node.GetSaveWithScene()
    clicks.cancel()


def test_afterwards_the_line_is_gone_and_the_mouse_turns_views_again(scene, session, done, case):
    count = scene.GetNumberOfNodes()
    without(session, L3L)
    clicks = TwoClicks(scene, session, lambda *told: done.append(told))
    assert scene.GetNumberOfNodes() > count
    click_twice(clicks, case.plan.get(*L3L).screw)
    assert clicks.node is None and len(clicks._observers) == 0
    assert scene.GetNumberOfNodes() == count
    assert mode_of(scene) == slicer.vtkMRMLInteractionNode.ViewTransform


def test_cancelled_there_is_no_screw_and_nothing_left(scene, session, done, case):
    count, plan = scene.GetNumberOfNodes(), session.plan
    clicks = TwoClicks(scene, session, lambda *told: done.append(told))
    node = clicks.node
    click(node, case.plan.get(*L3L).screw.entry)
    clicks.cancel()
    clicks.cancel()
    assert scene.GetNumberOfNodes() == count
    assert mode_of(scene) == slicer.vtkMRMLInteractionNode.ViewTransform
    click(node, case.plan.get(*L3L).screw.tip)
    assert not done and session.plan is plan


def test_a_line_deleted_by_hand_can_still_be_cancelled(clicks, scene, done):
    scene.RemoveNode(clicks.node)
    clicks.cancel()
    assert not done and mode_of(scene) == slicer.vtkMRMLInteractionNode.ViewTransform


def test_a_screw_that_is_there_already_is_told_and_kept(clicks, session, done, scene, case):
    plan = session.plan
    click_twice(clicks, case.plan.get(*L3L).screw)
    assert len(done) == 1 and done[0][0] is None
    assert "L3 (22) left has a screw already" in done[0][1]
    assert session.plan is plan
    assert mode_of(scene) == slicer.vtkMRMLInteractionNode.ViewTransform


def test_clicks_in_the_air_are_told(clicks, session, done, case):
    plan, screw = session.plan, case.plan.get(*L3L).screw
    click(clicks.node, screw.entry + (0.0, -150.0, 0.0))
    click(clicks.node, screw.tip + (0.0, -150.0, 0.0))
    assert done[0][0] is None and "outside every vertebra" in done[0][1]
    assert session.plan is plan


@pytest.mark.parametrize("snap", [True, False])
@pytest.mark.parametrize("length_mm", [0.0, 0.5, 7.9])
def test_two_clicks_on_one_spot_make_no_screw(session, case, snap, length_mm):
    session.snap = snap
    screw = case.plan.get(*L3L).screw
    without(session, L3L)
    plan = session.plan
    with pytest.raises(InputError, match="length"):
        add_between(session, screw.entry, screw.entry + length_mm * screw.direction)
    assert session.plan is plan


def test_with_snapping_sizes_come_from_the_catalogue(session, case):
    screw = case.plan.get(*L3L).screw
    without(session, L3L)
    add_between(session, screw.entry, screw.entry + 41.9 * screw.direction)
    shape = session.plan.get(*L3L).screw.shape
    assert shape == load_catalog().snap(Level.L3, shape.diameter_mm, 41.9)
    assert shape.length_mm != 41.9


def test_without_snapping_the_tip_is_where_it_was_clicked(session, case):
    session.snap = False
    screw = case.plan.get(*L3L).screw
    without(session, L3L)
    tip = screw.entry + 41.9 * screw.direction
    add_between(session, screw.entry, tip)
    np.testing.assert_allclose(session.plan.get(*L3L).screw.tip, tip, atol=1e-9)
    assert session.plan.get(*L3L).screw.shape.item == "custom"


@pytest.mark.parametrize("diameter_mm", [5.5, 7.5])
def test_the_new_screw_is_as_thick_as_the_one_across(session, case, diameter_mm):
    screw = case.plan.get(*L3L).screw
    session.edit("size", lambda plan: adjust.set_size(plan, *L3R, diameter_mm=diameter_mm))
    without(session, L3L)
    add_between(session, screw.entry, screw.tip)
    assert session.plan.get(*L3L).screw.shape.diameter_mm == diameter_mm


def test_without_one_across_it_is_as_thick_as_is_usual_there(session, case):
    screw = case.plan.get(*L3L).screw
    without(session, L3L, L3R)
    add_between(session, screw.entry, screw.tip)
    catalog = load_catalog()
    diameter = session.plan.get(*L3L).screw.shape.diameter_mm
    assert diameter in catalog.diameters(Level.L3)
    assert catalog.diameters(Level.L3)[0] < diameter <= catalog.max_diameter(Level.L3)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("level", [Level.L1, Level.L5])
def test_a_level_that_the_plan_does_not_have_gets_a_row(session, case, level, side):
    assert add_between(session, *through_pedicle(case.spine, level, side)) == (level, side)
    row = session.plan.get(level, side)
    assert row.assessment is not None and session.selected == (level, side)
    assert [r.key for r in session.plan.screws].index((level, side)) == (0 if level is Level.L1 else 6)


@pytest.mark.parametrize("key", KEYS)
def test_every_planned_screw_is_found_where_it_stands(case, key):
    screw = case.plan.get(*key).screw
    assert where(case.spine, screw.entry, screw.tip) == key


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_screw_belongs_to_the_vertebra_it_points_into_though_its_entry_is_nearer_another(case, side):
    entry, tip = through_pedicle(case.spine, Level.L4, side)
    upper, lower = case.spine.vertebrae[Level.L3], case.spine.vertebrae[Level.L4]
    entry = entry + 24.0 * lower.frame.superior
    assert upper.bone.sample(entry[None])[0] < lower.bone.sample(entry[None])[0]
    assert where(case.spine, entry, tip) == (Level.L4, side)


def test_the_side_is_that_of_the_entry_though_the_tip_crosses_the_middle(case):
    frame = case.spine.vertebrae[Level.L3].frame
    entry, tip = through_pedicle(case.spine, Level.L3, "right")
    across = tip + (-2.0 * frame.to_local(tip)[0] - 2.0) * frame.right
    assert frame.to_local(across)[0] < 0
    assert where(case.spine, entry, across) == L3R


def test_without_vertebrae_there_is_nowhere(case):
    with pytest.raises(InputError, match="no vertebrae"):
        where(Spine({}, case.spine.labels), np.zeros(3), np.array([0.0, 40.0, 0.0]))
