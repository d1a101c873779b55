import numpy as np

from spinescrew.feasibility.pose import poses_of
from spinescrew.geometry.vectors import angle_deg, rotation

RIGHT = np.array([[12.0, -20.0, -3.0], [10.0, -12.0, 0.0], [8.0, -3.0, 3.5]])
MIRROR = np.array([-1.0, 1.0, 1.0])
POINTS = {"left": RIGHT * MIRROR, "right": RIGHT}


def test_both_sides_look_alike_in_their_own_directions():
    poses = poses_of(POINTS)
    for name in ("isthmus", "outwards", "forwards", "upwards"):
        assert np.allclose(getattr(poses["left"], name), getattr(poses["right"], name) * MIRROR)


def test_directions_are_at_right_angles_and_point_as_named():
    pose = poses_of(POINTS)["right"]
    axes = np.column_stack([pose.outwards, pose.forwards, pose.upwards])
    assert np.allclose(axes.T @ axes, np.eye(3), atol=1e-9)
    assert pose.outwards[0] > 0.8
    assert pose.forwards[1] > 0.8
    assert pose.upwards[2] > 0.8


def test_the_box_holds_the_isthmus_where_the_scheme_says():
    for pose in poses_of(POINTS).values():
        assert np.allclose(pose.box().to_index(pose.isthmus), (24, 50, 28))


def test_a_coarser_box_covers_the_same_place():
    pose = poses_of(POINTS)["left"]
    fine, coarse = pose.box(), pose.box(1.0)
    assert np.allclose(fine.to_ras(np.zeros(3)), coarse.to_ras(np.zeros(3)))
    assert coarse.shape == (24, 40, 28)


def test_one_point_off_moves_the_isthmus_by_a_third():
    moved = {**POINTS, "right": RIGHT + [[0, 0, 0], [0, 0, 3.0], [0, 0, 0]]}
    shift = poses_of(moved)["right"].isthmus - poses_of(POINTS)["right"].isthmus
    assert np.allclose(shift, (0, 0, 1.0))


def test_moving_turns_about_the_isthmus_in_the_poses_own_directions():
    pose = poses_of(POINTS)["right"]
    moved = pose.moved(rotation((0, 0, 1), 5.0), np.array([0.0, 2.0, 0.0]))
    assert np.isclose(angle_deg(moved.forwards, pose.forwards), 5.0)
    assert np.allclose(moved.upwards, pose.upwards)
    assert np.allclose(moved.isthmus, pose.isthmus + 2.0 * pose.forwards)
