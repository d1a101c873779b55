"""The geometry of one view, against what is known of a C-arm."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from spinescrew.errors import GeometryError
from spinescrew.geometry.vectors import rotation
from spinescrew.radiographs import View, ap, from_c_arm, lateral, perturbed

CENTRE = np.array([12.0, -30.0, 85.0])
ANGLES = {"orbital": st.floats(-180, 180), "angular": st.floats(-60, 60)}
POINT = st.tuples(*[st.floats(-150, 150)] * 3).map(np.array)


def random_view(seed):
    """Any view, mirrored ones too, its principal point far from the middle."""
    random = np.random.default_rng(seed)
    turn = rotation(random.normal(size=3), random.uniform(0, 360))
    right, down = random.choice([-1, 1]) * turn[0], turn[1]
    source = random.uniform(-400, 400, 3)
    origin = source + 1000 * turn[2] + random.uniform(-300, 300, 3) @ np.diag([1, 1, 0.2]) @ turn
    return View(source, origin, right, down, random.uniform(0.1, 0.6, 2), (300, 400))


def flipped(view):
    """The same view shown as seen from behind the detector."""
    last = view.on_detector((view.shape[1] - 1, 0))
    return View(view.source, last, -view.right, view.down, view.pixel_mm, view.shape)


def test_the_isocentre_is_in_the_middle_of_the_image():
    for view in (ap(CENTRE), lateral(CENTRE), from_c_arm(-35, 20, CENTRE)):
        assert_allclose(view.project(CENTRE), view.centre_pixel)
        assert_allclose(view.principal_point, view.centre_pixel)


def test_things_at_the_isocentre_are_magnified_by_the_two_distances():
    view = from_c_arm(20, 10, CENTRE)
    assert_allclose(view.magnification(CENTRE), 1020 / 530)
    pixels = view.project(CENTRE + view.right) - view.centre_pixel
    assert_allclose(pixels * view.pixel_mm, [1020 / 530, 0], atol=1e-9)


def test_an_ap_image_shows_the_left_at_the_right_and_the_head_at_the_top():
    view = ap(CENTRE)
    assert view.name == "AP"
    assert view.source[1] > CENTRE[1]
    left_and_up = view.project(CENTRE + [-10, 0, 10]) - view.centre_pixel
    assert left_and_up[0] > 0 > left_and_up[1]


def test_a_lateral_source_stands_at_the_left_and_the_back_is_at_the_right():
    view = lateral(CENTRE)
    assert view.name == "LAT"
    assert_allclose(view.source, CENTRE + [-530, 0, 0], atol=1e-9)
    assert (view.project(CENTRE + [0, -10, 0]) - view.centre_pixel)[0] > 0


def test_a_positive_tilt_brings_the_detector_to_the_head():
    for orbital in (0, 90, 40):
        assert from_c_arm(orbital, 15).normal[2] == pytest.approx(np.sin(np.radians(15)))


def test_an_oblique_view_has_no_name():
    assert from_c_arm(45, 0).name == ""
    assert from_c_arm(180, 0).name == "AP"
    assert from_c_arm(-90, 10).name == "LAT"


@given(**ANGLES)
@settings(max_examples=40, deadline=None)
def test_views_turned_by_an_angle_are_that_angle_apart(orbital, angular):
    assert ap().angle_to(from_c_arm(orbital, 0)) == pytest.approx(abs(orbital), abs=1e-6)
    assert lateral().angle_to(from_c_arm(90, angular)) == pytest.approx(abs(angular), abs=1e-6)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=80, deadline=None)
def test_k_r_t_is_the_matrix_and_r_a_rotation(seed):
    view = random_view(seed)
    turn = view.extrinsics[:, :3]
    assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(turn) == pytest.approx(1)
    assert_allclose(view.intrinsics @ view.extrinsics, view.matrix)
    assert_allclose(np.tril(view.intrinsics, -1), 0)
    assert view.mirrored == (view.intrinsics[0, 0] < 0)


@given(seed=st.integers(0, 10**6), column=st.floats(-50, 450), row=st.floats(-50, 350), reach=st.floats(10, 2000))
@settings(max_examples=80, deadline=None)
def test_what_is_projected_back_is_seen_at_its_pixel(seed, column, row, reach):
    view = random_view(seed)
    point = view.back((column, row), reach)
    assert np.linalg.norm(point - view.source) == pytest.approx(reach)
    assert_allclose(view.project(point), (column, row), atol=1e-6)


@given(seed=st.integers(0, 10**6), point=POINT)
@settings(max_examples=60, deadline=None)
def test_the_matrix_gives_pixel_and_depth(seed, point):
    view = random_view(seed)
    point = view.source + 700 * view.normal + point
    column, row, depth = view.matrix @ [*point, 1]
    assert depth == pytest.approx(float(view.depth(point)))
    assert_allclose(view.project(point), (column / depth, row / depth))


def test_a_pixel_of_the_detector_is_where_it_is_projected():
    view = random_view(5)
    pixels = np.random.default_rng(0).uniform(0, 300, (4, 7, 2))
    assert_allclose(view.project(view.on_detector(pixels)), pixels)
    assert view.rays(pixels).shape == (4, 7, 3)
    assert_allclose(view.magnification(view.on_detector(pixels)), 1)


def test_the_distance_of_source_and_detector_is_at_right_angles():
    view = from_c_arm(30, -10, CENTRE, sdd_mm=1100, sid_mm=700)
    assert view.source_detector_mm == pytest.approx(1100)
    assert np.linalg.norm(view.source - CENTRE) == pytest.approx(700)


def test_nothing_is_seen_behind_the_source():
    view = ap()
    assert np.isnan(view.project(view.source - 10 * view.normal)).all()
    assert np.isfinite(view.project(view.source + 10 * view.normal)).all()


@given(seed=st.integers(0, 10**6), point=POINT)
@settings(max_examples=40, deadline=None)
def test_points_that_move_with_the_c_arm_stay_on_their_pixels(seed, point):
    random = np.random.default_rng(seed)
    move = np.eye(4)
    move[:3, :3], move[:3, 3] = rotation(random.normal(size=3), random.uniform(0, 360)), random.uniform(-99, 99, 3)
    view = from_c_arm(25, 10)
    assert_allclose(view.moved(move).project(move[:3, :3] @ point + move[:3, 3]), view.project(point), atol=1e-6)


def test_only_rigid_moves_are_made():
    with pytest.raises(GeometryError, match="rotation"):
        ap().moved(np.diag([1, 1, 1.1, 1]))
    with pytest.raises(GeometryError, match="rotation"):
        ap().moved(np.diag([-1, 1, 1, 1]))


def test_a_part_of_the_image_shows_the_same_place():
    view, point = from_c_arm(15, 5, CENTRE), CENTRE + [20, 10, -15]
    part = view.cropped(100, 300, 64, 80)
    assert part.shape == (64, 80)
    assert_allclose(part.project(point), view.project(point) - [300, 100], atol=1e-9)


@pytest.mark.parametrize("factor", [2, 3, 5])
def test_binned_pixels_lie_in_the_middle_of_those_they_average(factor):
    view, point = from_c_arm(15, 5, CENTRE), CENTRE + [20, 10, -15]
    small = view.binned(factor)
    assert small.shape == (1536 // factor, 1536 // factor)
    assert_allclose(small.project(point), (view.project(point) - (factor - 1) / 2) / factor, atol=1e-9)
    block = np.stack(np.meshgrid(np.arange(factor), np.arange(factor)), axis=-1)
    assert_allclose(small.on_detector((0, 0)), view.on_detector(block).mean(axis=(0, 1)))


def test_an_image_seen_from_behind_shows_columns_the_other_way():
    view, point = ap(CENTRE), CENTRE + [20, 10, -15]
    mirrored = flipped(view)
    assert mirrored.mirrored and not view.mirrored
    column, row = view.project(point)
    assert_allclose(mirrored.project(point), (view.shape[1] - 1 - column, row))
    assert_allclose(mirrored.normal, view.normal)


def test_a_perturbed_view_errs_by_exactly_what_was_asked():
    view = from_c_arm(20, 0, CENTRE)
    for seed in range(10):
        wrong = perturbed(view, 1.0, 2.0, np.random.default_rng(seed))
        turned = perturbed(view, 1.0, 0.0, np.random.default_rng(seed))
        assert np.linalg.norm(wrong.source - turned.source) == pytest.approx(2.0)
        assert_allclose(wrong.detector_origin, turned.detector_origin)
        assert_allclose(turned.project(CENTRE), view.centre_pixel, atol=1e-6)
        turn = turned.extrinsics[:, :3].T @ view.extrinsics[:, :3]
        assert np.degrees(np.arccos((np.trace(turn) - 1) / 2)) == pytest.approx(1.0)


def test_the_isocentre_of_an_error_can_be_given():
    point = CENTRE + [50, 0, 0]
    wrong = perturbed(ap(CENTRE), 3.0, 0.0, np.random.default_rng(0), isocentre=point)
    assert_allclose(wrong.project(point), ap(CENTRE).project(point), atol=8)
    assert np.linalg.norm(wrong.source - point) == pytest.approx(np.linalg.norm(ap(CENTRE).source - point))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"right": (1, 1, 0)}, "right angles"),
        ({"down": (0, 0.6, -0.8)}, "right angles"),
        ({"pixel_mm": (0.2, 0)}, "positive"),
        ({"shape": (0, 5)}, "positive"),
        ({"source": (0, np.nan, 0)}, "finite"),
        ({"source": (5.0, -490.0, 9.0)}, "plane of its detector"),
    ],
)
def test_a_view_that_cannot_be_is_refused(change, words):
    good = {name: getattr(ap(), name) for name in ("source", "detector_origin", "right", "down", "pixel_mm", "shape")}
    if "down" in change:
        good["right"] = (0, 1, 0)
    with pytest.raises(GeometryError, match=words):
        View(**(good | change))
