"""Pictures through a spine: right values at the right places, outlines at the right millimetres."""

import numpy as np
import pytest

from spinescrew.anatomy.frame import VertebralFrame, direction_from_angles
from spinescrew.geometry.sdf import SignedDistance
from spinescrew.geometry.vectors import rotation, unit
from spinescrew.geometry.volume import Volume
from spinescrew.implants.screw import Screw, ScrewShape
from spinescrew.reports.slices import (
    ViewPlane,
    axial_plane,
    isthmus_plane,
    profile_outline,
    sagittal_plane,
    section_outline,
    shaded,
    slice_distance,
    slice_image,
    windowed,
    zone_marks,
)

SLOPE = np.array([3.0, -2.0, 5.0])
TURN = rotation((0.3, -0.5, 1.0), 25.0)
FRAME = VertebralFrame(np.array([4.0, -3.0, 7.0]), *TURN.T)
GRIDS = {
    "right-handed": np.diag([1.0, 1.0, 1.0]),
    "left-handed": np.diag([-1.0, 1.0, 1.0]),
    "oblique": rotation((1.0, 2.0, 0.5), 35.0) @ np.diag([0.8, 1.1, 2.0]),
    "oblique left-handed": rotation((1.0, 2.0, 0.5), 35.0)[:, [2, 1, 0]] @ np.diag([0.8, 1.1, 2.0]),
}


def screw(side="right", pta=15.0, psa=-8.0, **sizes):
    direction = direction_from_angles(pta, psa, FRAME, side)
    return Screw(FRAME.to_ras((16.0, -28.0, 4.0)), direction, ScrewShape(6.5, 45.0, **sizes))


def ramp(steps):
    """A volume whose value at every RAS point p is SLOPE . p + 11."""
    shape = np.array([90, 90, 90])
    affine = np.eye(4)
    affine[:3, :3] = steps
    affine[:3, 3] = FRAME.origin - steps @ ((shape - 1) / 2)
    index = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    points = index @ affine[:3, :3].T + affine[:3, 3]
    return Volume(points @ SLOPE + 11.0, affine)


@pytest.mark.parametrize("grid", GRIDS)
def test_a_slice_of_a_linear_ramp_has_the_ramps_values_whatever_the_grid(grid):
    for plane in (
        axial_plane(screw(), FRAME, 40.0, 30.0),
        sagittal_plane(screw(), FRAME, 40.0, 30.0),
        isthmus_plane(screw(), FRAME, FRAME.to_ras((14, -18, 4)), 20.0, 20.0),
    ):
        expected = plane.points() @ SLOPE + 11.0
        np.testing.assert_allclose(slice_image(ramp(GRIDS[grid]), plane), expected, atol=1e-6)


def test_pixels_outside_the_image_are_not_a_number_and_stay_so_in_the_window():
    volume = Volume(np.full((10, 10, 10), 150.0), np.eye(4))
    plane = ViewPlane(np.array([9.5, 4.5, 4.5]), np.array([1.0, 0, 0]), np.array([0, 0, 1.0]), 8.0, 4.0, 1.0)
    grey = windowed(slice_image(volume, plane))
    assert (grey[:, :4] == 0.5).all()
    assert np.isnan(grey[:, 4:]).all()


def test_the_window_of_150_and_1500_runs_from_minus_600_to_900():
    np.testing.assert_allclose(windowed(np.array([-2000.0, -600.0, 150.0, 900.0, 3000.0])), [0, 0, 0.5, 1, 1])


def test_bone_without_a_ct_is_brightest_at_its_cortex_and_dark_outside():
    inside, cortex, outside = shaded(np.array([-8.0, -0.5, 2.0]))
    assert cortex > inside > outside


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_axial_plane_holds_the_axis_and_the_vertebras_right_and_shows_it_from_the_feet(side):
    plane = axial_plane(screw(side), FRAME, 90.0, 70.0)
    for point in (screw(side).entry, screw(side).tip, screw(side).entry + 9.0 * FRAME.right):
        assert abs((point - plane.centre) @ plane.towards_viewer) < 1e-9
    np.testing.assert_allclose(plane.right, -FRAME.right)
    assert plane.up @ FRAME.anterior > 0.9
    assert plane.towards_viewer @ FRAME.superior < -0.9


def test_the_axial_view_shows_the_transverse_angle():
    plane = axial_plane(screw(pta=15.0, psa=0.0), FRAME, 90.0, 70.0)
    x, y = plane.project(screw(pta=15.0, psa=0.0).tip) - plane.project(screw(pta=15.0, psa=0.0).entry)
    assert np.degrees(np.arctan2(x, y)) == pytest.approx(15.0)


def test_the_sagittal_plane_holds_the_axis_and_superior_with_anterior_on_the_left():
    plane = sagittal_plane(screw(), FRAME, 90.0, 70.0)
    for point in (screw().entry, screw().tip, screw().entry + 9.0 * FRAME.superior):
        assert abs((point - plane.centre) @ plane.towards_viewer) < 1e-9
    np.testing.assert_allclose(plane.up, FRAME.superior)
    assert plane.right @ FRAME.anterior < -0.9


def test_the_isthmus_view_is_square_to_the_axis_and_seen_from_behind():
    isthmus = FRAME.to_ras((14, -18, 4))
    plane = isthmus_plane(screw(), FRAME, isthmus, 30.0, 30.0)
    np.testing.assert_allclose(plane.towards_viewer, -screw().direction, atol=1e-12)
    assert (isthmus - plane.centre) @ screw().direction == pytest.approx(0.0, abs=1e-9)
    assert plane.up @ FRAME.superior > 0.9
    assert plane.right @ FRAME.right > 0.9
    np.testing.assert_allclose(plane.project(screw().entry), 0.0, atol=1e-9)


@pytest.mark.parametrize("make", [axial_plane, sagittal_plane])
def test_the_outline_has_the_screws_length_diameter_and_tip_taper_in_mm(make):
    tapered = screw(tip_taper_mm=6.0, tip_radius_mm=0.5)
    plane = make(tapered, FRAME, 90.0, 70.0)
    outline = profile_outline(tapered, plane)
    along = unit(plane.project(tapered.tip) - plane.project(tapered.entry))
    depth = (outline - plane.project(tapered.entry)) @ along
    across = np.abs((outline - plane.project(tapered.entry)) @ [-along[1], along[0]])
    np.testing.assert_allclose(np.unique(depth.round(6)), [0.0, 39.0, 45.0])
    np.testing.assert_allclose(across[depth < 40.0], 3.25)
    np.testing.assert_allclose(across[depth > 40.0], 0.5)
    np.testing.assert_array_equal(outline[0], outline[-1])


def test_the_section_is_a_circle_of_the_diameter_around_the_axis():
    plane = isthmus_plane(screw(), FRAME, screw().entry + 12.0 * screw().direction, 30.0, 30.0)
    np.testing.assert_allclose(np.linalg.norm(section_outline(screw(), plane), axis=1), 3.25)


def test_there_is_no_section_beyond_the_tip():
    plane = isthmus_plane(screw(), FRAME, screw().entry + 46.0 * screw().direction, 30.0, 30.0)
    assert section_outline(screw(), plane).shape == (0, 2)


def test_zone_marks_cross_the_shaft_at_their_depths():
    plane = sagittal_plane(screw(), FRAME, 90.0, 70.0)
    for mark, depth in zip(zone_marks(screw(), plane, (3.0, 22.0), 2.0), (3.0, 22.0), strict=True):
        np.testing.assert_allclose(mark.mean(axis=0), plane.project(screw().entry + depth * screw().direction))
        assert np.linalg.norm(mark[1] - mark[0]) == pytest.approx(6.5 + 4.0)


def test_row_zero_is_the_top_and_column_zero_the_left():
    plane = ViewPlane(np.zeros(3), np.array([0, 1.0, 0]), np.array([0, 0, 1.0]), 4.0, 2.0, 1.0)
    points = plane.points()
    assert points.shape == (2, 4, 3)
    np.testing.assert_allclose(points[0, 0], (0, -1.5, 0.5))
    np.testing.assert_allclose(plane.project(points[1, 3]), (1.5, -0.5))


def test_distances_on_a_plane_are_those_to_the_nearest_bone():
    def ball(x):
        middle = np.array([x, 0.0, 0.0])
        return SignedDistance.from_function(
            lambda p: np.linalg.norm(p - middle, axis=1) - 5.0, middle - 12.0, middle + 12.0, 0.5
        )

    plane = ViewPlane(np.zeros(3), np.array([1.0, 0, 0]), np.array([0, 1.0, 0]), 20.0, 1.0, 1.0)
    expected = np.abs(np.abs(plane.points()[0, :, 0]) - 10.0) - 5.0
    np.testing.assert_allclose(slice_distance([ball(-10.0), ball(10.0)], plane)[0], expected, atol=0.1)
    assert np.isinf(slice_distance([], plane)).all()


def test_bone_beyond_the_image_is_not_known():
    bone = SignedDistance.from_function(lambda p: np.linalg.norm(p, axis=1) - 5.0, np.full(3, -12.0), np.full(3, 12.0))
    image = Volume(np.zeros((20, 20, 20), np.uint8), np.diag([1.0, 1.0, 1.0, 1.0]))
    plane = ViewPlane(np.array([0.0, 5.0, 5.0]), np.array([1.0, 0, 0]), np.array([0, 1.0, 0]), 8.0, 2.0, 1.0)
    assert np.isnan(slice_distance([bone], plane, image)[0]).tolist() == [True] * 3 + [False] * 5
