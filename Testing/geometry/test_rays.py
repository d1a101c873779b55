import numpy as np
import pytest
from shapes import ball, box, tube

from spinescrew.geometry.rays import exit_distance, first_hit, section_radii
from spinescrew.geometry.sdf import SignedDistance

X = np.array([1.0, 0.0, 0.0])
Y = np.array([0.0, 1.0, 0.0])


def field(function, half=14.0):
    return SignedDistance.from_function(function, (-half,) * 3, (half,) * 3, 0.5)


def test_a_ray_leaves_a_ball_at_its_radius():
    assert exit_distance(field(ball), [0, 0, 0], X, 20.0)[0] == pytest.approx(9.0, abs=0.05)
    assert exit_distance(field(ball), [12, 0, 0], X, 20.0)[0] == 0.0
    assert np.isinf(exit_distance(field(ball), [0, 0, 0], X, 5.0)[0])


def test_holes_are_bridged_only_when_asked():
    def two(points):
        return np.minimum(ball(points - [-4, 0, 0], 3.0), ball(points - [4, 0, 0], 3.0))

    assert exit_distance(field(two), [-4, 0, 0], X, 20.0)[0] == pytest.approx(3.0, abs=0.1)
    assert exit_distance(field(two), [-4, 0, 0], X, 20.0, bridge_mm=3.0)[0] == pytest.approx(11.0, abs=0.1)


def test_a_ray_from_outside_meets_the_near_wall():
    hits = first_hit(field(ball), [[-13, 0, 0], [-13, 11, 0]], X, 30.0)
    assert hits[0] == pytest.approx(4.0, abs=0.05)
    assert np.isinf(hits[1])


def test_section_radii_trace_the_wall():
    angles = np.arange(36) * 2 * np.pi / 36
    radii = section_radii(field(tube), [2.0, 0, 0], X, Y, angles, 20.0)
    wall = np.array([2.0, 0]) + radii[:, None] * np.column_stack([np.cos(angles), np.sin(angles)])
    assert np.abs(np.hypot(*wall.T) - 5.0).max() < 0.08
    assert section_radii(field(box), [0, 0, 0], X, Y, angles[:1], 3.0)[0] == 3.0
    assert section_radii(field(tube), [9.0, 0, 0], X, Y, angles, 20.0).max() == 0.0
