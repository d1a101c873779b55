"""Rough starts from planned and placed screws: order unknown, some missing, none as planned."""

import numpy as np
import pytest

from spinescrew.errors import InputError
from spinescrew.geometry.vectors import rotation, unit
from spinescrew.implants.screw import Screw, ScrewShape
from spinescrew.outcome.start import rigid_fits, starts_from_screws


def a_plan():
    """Four levels of a lordotic spine, screws that converge, a little different at each level."""
    screws = []
    for n in range(4):
        for sign in (-1.0, 1.0):
            entry = np.array([sign * (14.0 + n), -40.0 - 3.0 * (n - 1.5) ** 2, 40.0 - 35.0 * n])
            direction = unit([-sign * (0.15 + 0.05 * n), 1.0, 0.3 - 0.2 * n])
            screws.append(Screw(entry, direction, ScrewShape(6.0, 45.0)))
    return screws


def a_pose(seed):
    random = np.random.default_rng(seed)
    pose = np.eye(4)
    pose[:3, :3] = rotation(random.normal(size=3), 25.0)
    pose[:3, 3] = random.normal(size=3) * 80.0
    return pose


def carried(pose, screw):
    return Screw(pose[:3, :3] @ screw.entry + pose[:3, 3], pose[:3, :3] @ screw.direction, screw.shape)


def off_by(pose, other):
    points = np.array([[20, -30, 40], [-20, -30, -60], [0, 10, 0]], float)
    gap = points @ (pose[:3, :3] - other[:3, :3]).T + pose[:3, 3] - other[:3, 3]
    return np.linalg.norm(gap, axis=1).max()


@pytest.mark.parametrize("seed", range(3))
def test_a_start_is_found_though_screws_are_missing_and_badly_placed(seed):
    random = np.random.default_rng(seed)
    plan, pose = a_plan(), a_pose(seed)
    hand = [
        Screw(s.entry + random.normal(0, 2.0, 3), unit(s.direction + random.normal(0, 0.08, 3)), s.shape) for s in plan
    ]
    placed = [carried(pose, screw) for screw in hand]
    random.shuffle(placed)
    starts = starts_from_screws(plan, placed[:6])
    assert min(off_by(start, pose) for start in starts) < 8.0


def test_a_few_screws_of_a_long_plan_leave_several_starts_that_the_images_must_choose_from():
    plan, pose = a_plan(), a_pose(5)
    starts = starts_from_screws(plan, [carried(pose, screw) for screw in plan[2:6]])
    assert 1 <= len(starts) <= 3
    assert off_by(starts[0], pose) < 0.1


def test_one_screw_gives_a_start_too():
    plan, pose = a_plan()[:1], a_pose(1)
    start = starts_from_screws(plan, [carried(pose, plan[0])])[0]
    tip = start[:3, :3] @ plan[0].tip + start[:3, 3]
    np.testing.assert_allclose(tip, carried(pose, plan[0]).tip, atol=1e-6)


def test_a_fit_is_a_proper_rotation():
    random = np.random.default_rng(0)
    here = random.normal(size=(5, 4, 3))
    poses, left = rigid_fits(here, here * (-1.0, 1.0, 1.0))
    np.testing.assert_allclose(np.linalg.det(poses[:, :3, :3]), 1.0)
    assert (left > 0.1).any()


def test_no_screws_are_refused():
    with pytest.raises(InputError, match="start"):
        starts_from_screws([], a_plan())
