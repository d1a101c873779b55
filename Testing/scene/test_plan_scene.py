import agreement
import numpy as np
import pytest
import slicer
import vtk

from spinescrew.anatomy.levels import Level
from spinescrew.grading.grade import assess
from spinescrew.planning import adjust, edits
from spinescrew.planning.session import Session
from spinescrew.scene.host import FrameHost
from spinescrew.scene.look import Look
from spinescrew.scene.meshes import screw_surface
from spinescrew.scene.plan_scene import PlanScene
from spinescrew.scene.screw_nodes import PARTS
from spinescrew.scene.standalone import full_scene, quiet
from spinescrew.scene.store import PlanStore
from spinescrew.scene.volumes import matrix_from_array

L3L = (Level.L3, "left")
L3R = (Level.L3, "right")
MARKUPS = slicer.vtkMRMLMarkupsNode


def move_point(node, number, shift):
    point = np.zeros(3)
    node.GetNthControlPointPositionWorld(number, point)
    node.SetNthControlPointPositionWorld(number, *(point + shift))


def names_of(scene):
    return sorted(scene.GetNthNode(n).GetID() for n in range(scene.GetNumberOfNodes()))


def test_a_plan_becomes_nodes_that_agree_with_it(shown):
    agreement.check(shown)
    assert len(shown.session.plan.planned) == 6


def test_sizes_and_grade_are_attributes(shown):
    row = shown.session.plan.get(*L3L)
    for part in ("line", "model"):
        node = shown.nodes(L3L).node(part)
        assert node.GetAttribute("SpineScrew.Level") == "L3"
        assert node.GetAttribute("SpineScrew.Side") == "left"
        assert float(node.GetAttribute("SpineScrew.DiameterMm")) == row.screw.shape.diameter_mm
        assert node.GetAttribute("SpineScrew.GertzbeinRobbins") == row.assessment.gertzbein_robbins


def test_screws_lie_in_folders_of_the_subject_hierarchy(shown, scene):
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    item = hierarchy.GetItemByDataNode(shown.nodes(L3L).node("line"))
    parent = hierarchy.GetItemParent(item)
    assert hierarchy.GetItemName(parent) == "L3 left"
    assert hierarchy.GetItemParent(parent) == shown.folder


@pytest.mark.parametrize("number", [0, 1])
def test_a_moved_end_becomes_a_graded_edit(shown, case, number):
    shown.session.snap = False
    before = shown.session.plan.get(*L3L).screw
    move_point(shown.nodes(L3L).node("line"), number, (2.0, 1.0, -1.5))
    row = shown.session.plan.get(*L3L)
    moved, still = (row.screw.entry, row.screw.tip) if number == 0 else (row.screw.tip, row.screw.entry)
    was, kept = (before.entry, before.tip) if number == 0 else (before.tip, before.entry)
    np.testing.assert_allclose(moved, was + (2.0, 1.0, -1.5), atol=1e-6)
    np.testing.assert_allclose(still, kept, atol=1e-6)
    others = [other.screw for other in shown.session.plan.planned if other.key != L3L]
    assert row.assessment.to_dict() == assess(row.screw, case.spine, *L3L, others).to_dict()
    agreement.check(shown)


def test_a_moved_grip_moves_the_whole_screw(shown):
    before = shown.session.plan.get(*L3R).screw
    move_point(shown.grips.node, shown.grips.keys()[L3R], (-1.0, 0.5, 2.0))
    after = shown.session.plan.get(*L3R).screw
    np.testing.assert_allclose(after.entry, before.entry + (-1.0, 0.5, 2.0), atol=1e-6)
    np.testing.assert_allclose(after.direction, before.direction, atol=1e-9)
    assert after.shape == before.shape
    agreement.check(shown)


def test_a_moved_pose_moves_the_screw_and_roll_changes_nothing(shown):
    screw = shown.session.plan.get(*L3L).screw
    node = shown.nodes(L3L).node("pose")
    matrix = agreement.world_matrix(node)
    roll = np.eye(4)
    roll[:2, :2] = [[0, -1], [1, 0]]
    node.SetMatrixTransformToParent(matrix_from_array(matrix @ roll))
    assert shown.session.plan.get(*L3L).screw is screw
    shift = np.eye(4)
    shift[:3, 3] = (1.0, 2.0, 3.0)
    node.SetMatrixTransformToParent(matrix_from_array(shift @ matrix))
    np.testing.assert_allclose(shown.session.plan.get(*L3L).screw.entry, screw.entry + (1.0, 2.0, 3.0), atol=1e-6)
    agreement.check(shown)


def test_a_gesture_is_one_step_of_the_history(shown):
    line = shown.nodes(L3L).node("line")
    line.InvokeEvent(MARKUPS.PointStartInteractionEvent)
    for _ in range(12):
        move_point(line, 1, (0.3, 0.0, 0.2))
    assert shown.session.gesture
    line.InvokeEvent(MARKUPS.PointEndInteractionEvent)
    assert shown.session.history.names == ("drag L3 left",)
    assert shown.session.selected == L3L
    shown.session.undo()
    agreement.check(shown)


def test_snapped_lengths_do_not_let_the_screw_creep(shown):
    """The held end stays where it was when the hand took the other one, however often the length snaps."""
    session, line = shown.session, shown.nodes(L3L).node("line")
    tip = session.plan.get(*L3L).screw.tip.copy()
    line.InvokeEvent(MARKUPS.PointStartInteractionEvent)
    backwards = -session.plan.get(*L3L).screw.direction
    for _ in range(20):
        move_point(line, 0, 0.5 * backwards)
    line.InvokeEvent(MARKUPS.PointEndInteractionEvent)
    screw = session.plan.get(*L3L).screw
    assert np.linalg.norm(screw.tip - tip) <= 2.5 + 1e-6, "half a catalogue step"
    assert screw.shape.item.startswith("generic")
    agreement.check(shown)


def test_a_locked_screw_stays_and_says_so(shown):
    shown.session.edit("lock", lambda plan: edits.set_locked(plan, *L3L))
    problems = []
    shown.on_problem.append(problems.append)
    before = shown.session.plan
    move_point(shown.nodes(L3L).node("line"), 1, (3.0, 0.0, 0.0))
    assert shown.session.plan is before
    assert "locked" in problems[0]
    agreement.check(shown)


def test_a_length_that_cannot_be_puts_the_markup_back(shown):
    line = shown.nodes(L3L).node("line")
    entry = shown.session.plan.get(*L3L).screw.entry
    line.SetNthControlPointPositionWorld(1, *(entry + (0.0, 1.0, 0.0)))
    assert "length" in shown.problem or "positive" in shown.problem
    agreement.check(shown)


@pytest.mark.parametrize("part", ["line", "pose", "model"])
def test_a_node_deleted_by_hand_deletes_its_screw_and_undo_brings_it_back(shown, scene, part):
    scene.RemoveNode(shown.nodes(L3L).node(part))
    assert shown.session.plan.get(*L3L).screw is None
    assert shown.session.plan.get(*L3L).reason == edits.DELETED
    for other in PARTS:
        assert shown.store.referred(f"L3.left.{other}") is None
    agreement.check(shown)
    shown.session.undo()
    agreement.check(shown)


def test_a_removed_grip_deletes_its_screw(shown):
    shown.grips.node.RemoveNthControlPoint(shown.grips.keys()[L3R])
    assert shown.session.plan.get(*L3R).screw is None
    agreement.check(shown)


def test_a_removed_end_of_a_line_comes_back(shown):
    shown.nodes(L3L).node("line").RemoveNthControlPoint(1)
    agreement.check(shown)


@pytest.mark.parametrize("name", ["grips", "table"])
def test_what_belongs_to_all_screws_comes_back_when_deleted(shown, scene, name):
    scene.RemoveNode(shown.store.referred(name))
    agreement.check(shown)
    move_point(shown.grips.node, shown.grips.keys()[L3R], (1.0, 0.0, 0.0))
    assert shown.session.history.can_undo
    agreement.check(shown)


def test_the_deletion_of_a_locked_screw_is_taken_back(shown, scene):
    shown.session.edit("lock", lambda plan: edits.set_locked(plan, *L3L))
    scene.RemoveNode(shown.nodes(L3L).node("line"))
    assert shown.session.plan.get(*L3L).screw is not None
    assert "locked" in shown.problem
    agreement.check(shown)


def test_renamed_nodes_stay_found_and_keep_their_names(shown):
    line = shown.nodes(L3L).node("line")
    line.SetName("the big one")
    move_point(line, 1, (1.0, 0.0, 1.0))
    assert line.GetName() == "the big one"
    assert shown.session.history.can_undo
    agreement.check(shown)


def test_closing_the_scene_lets_go_of_everything(shown, scene):
    with quiet():
        scene.Clear(False)
    assert shown.closed
    assert shown.observer_count == 0
    shown.session.edit("after", lambda plan: edits.slide(plan, *L3L, 1.0))


def test_closing_with_removal_leaves_no_node_behind(case):
    with full_scene() as scene:
        slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
        before = names_of(scene)
        shown = PlanScene(scene, Session(case.plan, case.spine))
        shown.show_ghost(True)
        shown.close(remove_nodes=True)
        left = set(names_of(scene)) - set(before)
        assert not {name for name in left if "Singleton" not in name}
        assert shown.observer_count == 0


def test_frames_gather_many_events_into_one_edit(case, scene):
    host = FrameHost()
    shown = PlanScene(scene, Session(case.plan, case.spine), host)
    told = []
    shown.on_change.append(told.append)
    line = shown.nodes(L3L).node("line")
    line.InvokeEvent(MARKUPS.PointStartInteractionEvent)
    told.clear()
    for _ in range(30):
        move_point(line, 1, (0.1, 0.0, 0.0))
    assert not told
    host.frame()
    assert len(told) == 1
    agreement.check(shown)
    line.InvokeEvent(MARKUPS.PointEndInteractionEvent)
    shown.close()


def test_the_rest_of_the_hand_brings_the_risk(shown, host):
    shown.session.edit("slide", lambda plan: edits.slide(plan, *L3L, 0.5))
    shown.session.select(L3L)
    host.run_later()
    risk = shown.session.plan.get(*L3L).assessment.execution_risk
    assert abs(sum(risk.probabilities.values()) - 1.0) < 1e-6
    agreement.check(shown)


def test_the_ghost_stands_where_the_planner_had_put_the_screw(shown, case):
    shown.show_ghost(True)
    shown.session.edit("slide", lambda plan: edits.slide(plan, *L3L, 5.0))
    ghost = np.array(shown.ghost.node(L3L).GetPolyData().GetBounds())
    live = vtk.vtkPolyData()
    live.DeepCopy(shown.nodes(L3L).node("model").GetPolyData())
    screw = case.plan.get(*L3L).screw
    assert (ghost[::2] - 0.1 <= screw.tip).all() and (screw.tip <= ghost[1::2] + 0.1).all()
    cells = shown.table.cells(L3L)
    assert cells[11] == "5.0" and cells[12] == "5.0" and cells[13] == "0.0"
    shown.show_ghost(False)
    assert shown.ghost.node(L3L) is None


def random_edit(rng, shown):
    """One edit through a random door: session, line, grip, pose, undo, redo."""
    session = shown.session
    planned = [row.key for row in session.plan.planned]
    kind = rng.integers(0, 12)
    if kind == 0 or not planned:
        session.undo() if session.history.can_undo else None
        return
    if kind == 1:
        session.redo() if session.history.can_redo else None
        return
    key = planned[rng.integers(len(planned))]
    level, side = key
    vertebra = session.spine.vertebrae[level]
    shift = rng.normal(0, 1.0, 3)
    session.snap = bool(rng.integers(0, 2))
    if kind == 2:
        move_point(shown.nodes(key).node("line"), int(rng.integers(0, 2)), shift)
    elif kind == 3:
        move_point(shown.grips.node, shown.grips.keys()[key], shift)
    elif kind == 4:
        session.edit("turn", lambda plan: edits.rotate(plan, level, side, vertebra, pta_deg=float(rng.normal(10, 4))))
    elif kind == 5:
        session.edit("size", lambda plan: adjust.set_size(plan, level, side, diameter_mm=float(rng.uniform(4, 8))))
    elif kind == 6:
        session.edit("mirror", lambda plan: edits.mirror(plan, level, side, vertebra.frame))
    elif kind == 7:
        session.edit("delete", lambda plan: edits.delete(plan, level, side))
    elif kind == 8:
        locked = not session.plan.get(*key).locked
        session.edit("review", lambda plan: edits.set_reviewed(plan, level, side, locked))
    elif kind == 9:
        session.select(key)
    elif kind == 10:
        line = shown.nodes(key).node("line")
        line.InvokeEvent(MARKUPS.PointStartInteractionEvent)
        for _ in range(3):
            move_point(line, 1, shift / 3)
        line.InvokeEvent(MARKUPS.PointEndInteractionEvent)
    else:
        session.edit("slide", lambda plan: edits.slide(plan, level, side, float(shift[0])))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_two_hundred_random_edits_and_undos_end_where_they_began(shown, case, seed):
    rng = np.random.default_rng(seed)
    first = shown.session.plan
    for _ in range(200):
        random_edit(rng, shown)
        agreement.check(shown)
    while shown.session.history.can_undo:
        shown.session.undo()
    agreement.check(shown)
    assert [row.screw for row in shown.session.plan.screws] == [row.screw for row in first.screws]


def test_saved_and_loaded_it_is_the_same_plan(case, scene, tmp_path):
    shown = PlanScene(scene, Session(case.plan, case.spine))
    rng = np.random.default_rng(5)
    for _ in range(30):
        random_edit(rng, shown)
    shown.nodes(shown.session.plan.planned[0].key).node("line").SetName("umbenannt")
    path = str(tmp_path / "case.mrb")
    with quiet():
        assert scene.WriteToMRB(path, None)
    with full_scene() as other:
        with quiet():
            other.ReadFromMRB(path, True)
        count = other.GetNumberOfNodes()
        store = PlanStore.find(other)
        again = PlanScene(other, Session(store.read(), case.spine, automatic=store.read_automatic()))
        assert other.GetNumberOfNodes() == count, "the loaded nodes are taken over, none is made"
        for mine, theirs in zip(shown.session.plan.screws, again.session.plan.screws, strict=True):
            assert mine.key == theirs.key
            assert (mine.screw is None) == (theirs.screw is None)
            if mine.screw is not None:
                np.testing.assert_allclose(theirs.screw.entry, mine.screw.entry, atol=1e-3)
                np.testing.assert_allclose(theirs.screw.tip, mine.screw.tip, atol=1e-3)
                assert theirs.screw.shape == mine.screw.shape
            assert (mine.locked, mine.reviewed, mine.planned_by) == (theirs.locked, theirs.reviewed, theirs.planned_by)
        agreement.check(again)
        again.close()
    shown.close()


def test_a_light_look_has_fewer_triangles_of_the_same_screw_and_short_labels(case, scene, host):
    made = PlanScene(scene, Session(case.plan, case.spine), host, Look(brief=True, light=True))
    key = made.session.selected
    light, whole = made.nodes(key).node("model").GetPolyData(), screw_surface(case.plan.get(*key).screw.shape)
    assert light.GetNumberOfPolys() < 0.3 * whole.GetNumberOfPolys()
    assert np.allclose(light.GetBounds(), whole.GetBounds(), atol=0.3)
    labels = {made.grips.node.GetNthControlPointLabel(n) for n in made.grips.keys().values()}
    assert all(len(text.split()) == 3 for text in labels)
    keys = [row.key for row in case.plan.planned]
    assert [k for k in keys if made.nodes(k).node("line").GetDisplayNode().GetVisibility()] == [key]
    made.close()
