"""What two views say about one point."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from spinescrew.errors import GeometryError
from spinescrew.radiographs import ap, epipolar_line, from_c_arm, fundamental, lateral, triangulate

PAIR = {
    "first": st.tuples(st.floats(-40, 40), st.floats(-20, 20)),
    "second": st.tuples(st.floats(85, 130), st.floats(-20, 20)),
    "point": st.tuples(*[st.floats(-80, 80)] * 3).map(np.array),
}


def some_points(count=6):
    return np.random.default_rng(1).uniform(-60, 60, (count, 3))


@given(**PAIR)
@settings(max_examples=80, deadline=None)
def test_the_epipolar_line_passes_through_the_match(first, second, point):
    one, other = from_c_arm(*first), from_c_arm(*second)
    for a, b in ((one, other), (other, one)):
        line = epipolar_line(a, a.project(point), b)
        assert np.hypot(*line[:2]) == pytest.approx(1)
        assert abs(line @ [*b.project(point), 1]) < 1e-6


def test_points_along_the_ray_lie_on_one_line():
    one, other = from_c_arm(10, 5), from_c_arm(80, -10)
    pixel = np.array([500.0, 900.0])
    along = other.project(one.back(pixel, np.linspace(300, 800, 9)))
    line = epipolar_line(one, pixel, other)
    assert np.abs(along @ line[:2] + line[2]).max() < 1e-6
    assert np.ptp(along, axis=0).max() > 100


def test_the_line_tells_the_distance_in_pixels():
    one, other = ap(), lateral()
    point = np.array([10.0, 20.0, 5.0])
    line = epipolar_line(one, one.project(point), other)
    aside = other.project(point) + 7.0 * line[:2]
    assert line @ [*aside, 1] == pytest.approx(7.0)


def test_many_pixels_give_as_many_lines():
    one, other, points = ap(), lateral(), some_points()
    lines = epipolar_line(one, one.project(points), other)
    matches = np.column_stack([other.project(points), np.ones(len(points))])
    off = np.abs(lines @ matches.T)
    assert lines.shape == (6, 3)
    assert np.diag(off).max() < 1e-6 < off[~np.eye(6, dtype=bool)].min()


def test_the_fundamental_matrix_has_rank_two_and_turns_over():
    one, other = from_c_arm(10, 5), from_c_arm(80, -10)
    matrix = fundamental(one, other)
    values = np.linalg.svd(matrix, compute_uv=False)
    assert np.linalg.norm(matrix) == pytest.approx(1)
    # the smallest is 0 but for rounding of terms of the size of K^-1
    assert values[2] < 1e-12 < values[1]
    back = fundamental(other, one).T
    assert_allclose(np.sign(np.sum(back * matrix)) * back, matrix, atol=1e-12)


@given(**PAIR)
@settings(max_examples=80, deadline=None)
def test_exact_pixels_give_the_point_back(first, second, point):
    views = from_c_arm(*first), from_c_arm(*second)
    found, residual = triangulate(views, [view.project(point) for view in views])
    assert_allclose(found, point, atol=1e-6)
    assert residual < 1e-6


def test_many_points_from_three_views():
    views, points = (ap(), lateral(), from_c_arm(40, 15)), some_points()
    found, residual = triangulate(views, [view.project(points) for view in views])
    assert found.shape == (6, 3)
    assert residual.shape == (6,)
    assert_allclose(found, points, atol=1e-6)


def test_the_residual_is_half_the_gap_between_two_rays():
    one, other = ap(), lateral()
    point = np.zeros(3)
    up = other.project(point + [0, 0, 2.0])
    found, residual = triangulate((one, other), (one.project(point), up))
    assert residual == pytest.approx(1.0, abs=1e-3)
    assert_allclose(found, [0, 0, 1.0], atol=1e-2)


def test_error_grows_as_the_views_come_together():
    random = np.random.default_rng(4)

    def error(angle):
        views = from_c_arm(0, 0), from_c_arm(angle, 0)
        points = random.uniform(-40, 40, (400, 3))
        pixels = [view.project(points) + random.normal(0, 0.5, (400, 2)) for view in views]
        return np.sqrt(((triangulate(views, pixels)[0] - points) ** 2).sum(-1).mean())

    assert error(20) > 1.8 * error(90)


def test_one_source_says_nothing_of_depth():
    for other in (ap(), ap().cropped(5, 5, 100, 100)):
        with pytest.raises(GeometryError, match="same source"):
            epipolar_line(ap(), (3, 4), other)


def test_parallel_rays_and_single_views_are_refused():
    middle = ap().centre_pixel
    with pytest.raises(GeometryError, match="parallel"):
        triangulate((ap(), from_c_arm(180, 0)), (middle, middle))
    with pytest.raises(GeometryError, match="two views"):
        triangulate((ap(),), (middle,))
    with pytest.raises(GeometryError, match="one pixel in each"):
        triangulate((ap(), lateral()), (middle,))
