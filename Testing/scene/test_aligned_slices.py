"""Slice views that stand along the screw in hand."""

import numpy as np
import pytest

from spinescrew.anatomy.frame import VertebralFrame, direction_from_angles
from spinescrew.anatomy.levels import Level
from spinescrew.geometry.vectors import rotation
from spinescrew.implants.screw import Screw, ScrewShape
from spinescrew.planning import edits
from spinescrew.scene.aligned_slices import AlignedSlices, edge_letters, screw_planes
from spinescrew.scene.grips import grip_point
from spinescrew.scene.volumes import array_from_matrix, matrix_from_array

L3L, L4R = (Level.L3, "left"), (Level.L4, "right")
AXIAL, SAGITTAL, ACROSS = 0, 1, 2
POSES = [
    (turn_deg, pta_deg, psa_deg, side)
    for turn_deg in (0.0, 35.0, -80.0)
    for pta_deg, psa_deg in ((0.0, 0.0), (15.0, 0.0), (-10.0, 25.0), (30.0, -40.0), (45.0, 60.0))
    for side in ("left", "right")
]
poses = pytest.mark.parametrize("pose", POSES, ids=str)


def screw_and_frame(pose):
    turn_deg, pta_deg, psa_deg, side = pose
    axes = rotation((1.0, 0.4, -0.3), turn_deg)
    frame = VertebralFrame(np.array([12.0, -40.0, 350.0]), *axes.T)
    direction = direction_from_angles(pta_deg, psa_deg, frame, side)
    return Screw(frame.to_ras((14.0, -30.0, 5.0)), direction, ScrewShape(6.5, 45.0)), frame


def in_picture(plane, vector):
    """(to the right, up, towards the eye or away) of a RAS vector in a view."""
    return plane[:3, :3].T @ vector


def distance(plane, point):
    return abs(float((point - plane[:3, 3]) @ plane[:3, 2]))


@pytest.fixture
def nodes(scene):
    """Three slice nodes as Slicer's layout brings them, each looking somewhere else."""
    made = []
    for n, (name, orientation) in enumerate((("Red", "Axial"), ("Yellow", "Sagittal"), ("Green", "Coronal"))):
        node = scene.AddNewNodeByClass("vtkMRMLSliceNode", name)
        node.SetLayoutName(name)
        node.SetOrientation(orientation)
        node.SetDimensions(300, 200, 1)
        node.SetFieldOfView(150.0, 100.0, 1.0)
        node.JumpSliceByCentering(5.0 * n, 10.0, -20.0 * n)
        made.append(node)
    return made


@pytest.fixture
def slices(nodes):
    made = AlignedSlices(nodes)
    made.start()
    return made


def planes_of(nodes):
    return [array_from_matrix(node.GetSliceToRAS()) for node in nodes]


def assert_planes(nodes, expected, atol=1e-9):
    for plane, wanted in zip(planes_of(nodes), expected, strict=True):
        np.testing.assert_allclose(plane, wanted, atol=atol)


def planes_for(shown, key):
    return screw_planes(shown.session.plan.get(*key).screw, shown.session.spine.vertebrae[key[0]].frame)


def different(one, other):
    return [bool(np.abs(a - b).max() > 1e-6) for a, b in zip(one, other, strict=True)]


@poses
def test_the_planes_are_right_handed_and_orthonormal(pose):
    for plane in screw_planes(*screw_and_frame(pose)):
        np.testing.assert_allclose(plane[:3, :3].T @ plane[:3, :3], np.eye(3), atol=1e-12)
        assert np.linalg.det(plane[:3, :3]) == pytest.approx(1.0)
        np.testing.assert_array_equal(plane[3], (0, 0, 0, 1))


@poses
def test_two_planes_hold_the_whole_axis_and_the_third_stands_across_it_where_it_is_grabbed(pose):
    screw, frame = screw_and_frame(pose)
    planes = screw_planes(screw, frame)
    for plane in planes[:2]:
        assert max(distance(plane, screw.entry), distance(plane, screw.tip)) < 1e-9
        np.testing.assert_allclose(plane[:3, 3], (screw.entry + screw.tip) / 2, atol=1e-9)
    assert abs(planes[ACROSS][:3, 2] @ screw.direction) == pytest.approx(1.0)
    np.testing.assert_allclose(planes[ACROSS][:3, 3], grip_point(screw), atol=1e-9)
    for one, other in ((0, 1), (1, 2), (0, 2)):
        assert abs(planes[one][:3, 2] @ planes[other][:3, 2]) < 1e-9


@poses
def test_in_the_transverse_plane_the_tip_points_up_and_the_patients_left_is_right(pose):
    screw, frame = screw_and_frame(pose)
    plane = screw_planes(screw, frame)[AXIAL]
    np.testing.assert_allclose(in_picture(plane, screw.direction), (0, 1, 0), atol=1e-9)
    assert in_picture(plane, -frame.right)[0] > 0.5


@poses
def test_in_the_sagittal_plane_the_tip_points_left_and_the_head_is_up(pose):
    screw, frame = screw_and_frame(pose)
    plane = screw_planes(screw, frame)[SAGITTAL]
    np.testing.assert_allclose(in_picture(plane, screw.direction), (-1, 0, 0), atol=1e-9)
    assert in_picture(plane, frame.superior)[1] > 0.3


@poses
def test_across_the_screw_the_head_is_up_and_the_patients_left_is_left(pose):
    screw, frame = screw_and_frame(pose)
    plane = screw_planes(screw, frame)[ACROSS]
    assert in_picture(plane, frame.superior)[1] > 0.3
    assert in_picture(plane, -frame.right)[0] < -0.5


def test_a_straight_screw_gives_the_planes_of_the_vertebra():
    frame = VertebralFrame(np.zeros(3), *np.eye(3))
    planes = screw_planes(Screw(np.zeros(3), frame.anterior, ScrewShape(6.5, 40.0)), frame)
    expected = (((-1, 0, 0), (0, 1, 0)), ((0, -1, 0), (0, 0, 1)), ((1, 0, 0), (0, 0, 1)))
    for plane, (to_the_right, up) in zip(planes, expected, strict=True):
        np.testing.assert_allclose(plane[:3, 0], to_the_right, atol=1e-12)
        np.testing.assert_allclose(plane[:3, 1], up, atol=1e-12)


def test_planes_of_planned_screws_cut_the_vertebra_as_they_say(case):
    """The patient's left as RAS has it, not as the frame has it: the transverse plane of a real case."""
    for row in case.plan.planned:
        axial, sagittal, across = screw_planes(row.screw, case.spine.vertebrae[row.level].frame)
        assert axial[0, 0] < -0.7 and axial[1, 1] > 0.7
        assert sagittal[1, 0] < -0.7 and sagittal[2, 1] > 0.7
        assert across[0, 0] > 0.7 and across[2, 1] > 0.7


def test_the_views_stand_along_the_screw_and_show_it_in_their_middle(slices, nodes):
    screw, frame = screw_and_frame(POSES[7])
    slices.align(screw, frame)
    assert_planes(nodes, screw_planes(screw, frame))
    for node in nodes[:2]:
        middle = array_from_matrix(node.GetXYToRAS()) @ (150.0, 100.0, 0.0, 1.0)
        np.testing.assert_allclose(middle[:3], (screw.entry + screw.tip) / 2, atol=0.6)


def test_an_aligned_view_is_not_touched_again(slices, nodes):
    screw, frame = screw_and_frame(POSES[7])
    slices.align(screw, frame)
    before = [node.GetSliceToRAS().GetMTime() for node in nodes]
    slices.align(screw, frame)
    slices.moved(screw, frame, live=False)
    assert [node.GetSliceToRAS().GetMTime() for node in nodes] == before


def test_views_that_are_off_stay_as_they_are(nodes):
    slices, before = AlignedSlices(nodes), planes_of(nodes)
    slices.align(*screw_and_frame(POSES[7]))
    slices.moved(*screw_and_frame(POSES[7]), live=False)
    slices.stop()
    assert_planes(nodes, before, atol=0.0)


def test_stop_gives_the_views_back_as_they_were(nodes):
    slices, before = AlignedSlices(nodes), planes_of(nodes)
    slices.start()
    slices.align(*screw_and_frame(POSES[7]))
    assert all(different(planes_of(nodes), before))
    slices.start()
    slices.stop()
    assert not slices.on
    assert_planes(nodes, before)
    nodes[0].SetSliceOffset(77.0)
    slices.stop()
    assert nodes[0].GetSliceOffset() == pytest.approx(77.0)


def test_started_again_the_views_are_given_back_as_they_were_then(nodes):
    slices = AlignedSlices(nodes)
    slices.start()
    slices.stop()
    nodes[0].SetSliceOffset(33.0)
    before = planes_of(nodes)
    slices.start()
    slices.align(*screw_and_frame(POSES[7]))
    slices.stop()
    assert_planes(nodes, before)


def moved_by(screw, shift):
    return Screw(screw.entry + shift, screw.direction, screw.shape)


def test_when_the_hand_rests_every_view_follows(slices, nodes):
    screw, frame = screw_and_frame(POSES[7])
    slices.align(screw, frame)
    after = moved_by(screw, np.array([1.0, -2.0, 3.0]))
    slices.moved(after, frame, live=False)
    assert_planes(nodes, screw_planes(after, frame))


@pytest.mark.parametrize(
    ("along", "kept"),
    [(AXIAL, (True, False, True)), (SAGITTAL, (False, True, True)), (None, (True, True, False))],
    ids=["to the side", "up", "deeper"],
)
def test_while_the_hand_moves_a_view_that_still_holds_the_screw_stays(slices, nodes, along, kept):
    """To the side and up are directions of the picture across the screw; deeper is along the screw."""
    screw, frame = screw_and_frame(POSES[7])
    slices.align(screw, frame)
    before = planes_of(nodes)
    shift = 2.0 * (screw.direction if along is None else before[ACROSS][:3, along])
    after = moved_by(screw, shift)
    slices.moved(after, frame, live=True)
    assert different(planes_of(nodes), before) == [not stays for stays in kept]
    for plane, wanted, stays in zip(planes_of(nodes), screw_planes(after, frame), kept, strict=True):
        assert stays or np.allclose(plane, wanted, atol=1e-9)


def test_a_view_that_only_one_end_lies_in_turns_with_the_screw(slices, nodes):
    screw, frame = screw_and_frame(POSES[7])
    slices.align(screw, frame)
    side = planes_of(nodes)[SAGITTAL][:3, 2]
    after = Screw(screw.entry, screw.tip + 3.0 * side - screw.entry, screw.shape)
    slices.moved(after, frame, live=True)
    np.testing.assert_allclose(planes_of(nodes)[SAGITTAL], screw_planes(after, frame)[SAGITTAL], atol=1e-9)


@pytest.mark.parametrize("live", [True, False])
def test_where_the_image_stays_the_screw_moves_in_it(nodes, live):
    slices = AlignedSlices(nodes, follow="image")
    slices.start()
    screw, frame = screw_and_frame(POSES[7])
    slices.align(screw, frame)
    slices.moved(moved_by(screw, np.array([5.0, 5.0, 5.0])), frame, live)
    assert_planes(nodes, screw_planes(screw, frame))


def test_a_plan_aligns_them_with_the_screw_in_hand_and_with_the_next_one(shown, nodes):
    shown.session.select(L3L)
    shown.watch_slices(AlignedSlices(nodes))
    assert_planes(nodes, planes_for(shown, L3L))
    shown.session.select(L4R)
    assert_planes(nodes, planes_for(shown, L4R))
    shown.session.edit("slide", lambda plan: edits.slide(plan, *L4R, 3.0))
    assert_planes(nodes, planes_for(shown, L4R))


def test_another_screw_that_moves_does_not_move_the_views(shown, nodes):
    shown.session.select(L3L)
    shown.watch_slices(AlignedSlices(nodes))
    before = planes_of(nodes)
    shown.session.edit("slide", lambda plan: edits.slide(plan, *L4R, 3.0))
    assert_planes(nodes, before, atol=0.0)


def test_following_the_image_a_plan_still_aligns_them_with_the_next_screw(shown, nodes):
    shown.session.select(L3L)
    shown.watch_slices(AlignedSlices(nodes, follow="image"))
    first = planes_for(shown, L3L)
    shown.session.edit("move", lambda plan: edits.move(plan, *L3L, np.array([2.0, 1.0, 3.0])))
    assert all(different(planes_for(shown, L3L), first))
    assert_planes(nodes, first)
    shown.align_slices()
    assert_planes(nodes, planes_for(shown, L3L))
    shown.session.select(L4R)
    assert_planes(nodes, planes_for(shown, L4R))


def test_after_a_gesture_the_views_stand_exactly_along_the_screw(shown, nodes):
    shown.session.select(L3L)
    shown.watch_slices(AlignedSlices(nodes))
    first = planes_of(nodes)
    shown.session.begin("drag")
    to_the_side = 2.0 * first[ACROSS][:3, 0]
    shown.session.edit("move", lambda plan: edits.move(plan, *L3L, to_the_side))
    assert different(planes_of(nodes), first) == [False, True, False]
    shown.session.end()
    assert_planes(nodes, planes_for(shown, L3L))


@pytest.mark.parametrize("ending", ["unwatched", "others watched", "closed"])
def test_a_plan_gives_the_views_back(shown, nodes, scene, ending):
    before = planes_of(nodes)
    shown.watch_slices(AlignedSlices(nodes))
    assert all(different(planes_of(nodes), before))
    if ending == "unwatched":
        shown.watch_slices(None)
    elif ending == "others watched":
        others = [scene.AddNewNodeByClass("vtkMRMLSliceNode", name) for name in ("Slice4", "Slice5", "Slice6")]
        shown.watch_slices(AlignedSlices(others))
        assert_planes(others, planes_for(shown, shown.session.selected))
    else:
        shown.close(remove_nodes=True)
    assert_planes(nodes, before)


def test_without_a_screw_in_hand_the_views_wait(shown, nodes):
    shown.session.select(None)
    before = planes_of(nodes)
    shown.watch_slices(AlignedSlices(nodes))
    assert_planes(nodes, before, atol=0.0)
    shown.session.select(L3L)
    assert_planes(nodes, planes_for(shown, L3L))


def test_a_deleted_screw_leaves_the_views_where_they_were(shown, nodes):
    shown.session.select(L3L)
    shown.watch_slices(AlignedSlices(nodes))
    before = planes_of(nodes)
    shown.session.edit("delete", lambda plan: edits.delete(plan, *L3L))
    assert_planes(nodes, before, atol=0.0)


def test_views_turned_by_hand_come_back_when_asked(shown, nodes):
    shown.session.select(L3L)
    shown.watch_slices(AlignedSlices(nodes))
    nodes[0].GetSliceToRAS().DeepCopy(matrix_from_array(np.eye(4)))
    nodes[0].UpdateMatrices()
    shown.align_slices()
    assert_planes(nodes, planes_for(shown, L3L))


def test_the_edges_of_a_slice_are_called_by_the_patients_sides():
    axial = np.diag([-1.0, 1.0, 1.0, 1.0])  # seen from the feet
    assert edge_letters(axial) == ("R", "L", "A", "P")
    behind = np.eye(4)
    behind[:3, 0], behind[:3, 1], behind[:3, 2] = (1, 0, 0), (0, 0, 1), (0, -1, 0)
    assert edge_letters(behind) == ("L", "R", "S", "I")
