"""3D pictures: bones and screws where they belong, on any grid, and no crash without a graphics driver."""

import numpy as np
import pytest

from spinescrew.geometry.sdf import SignedDistance
from spinescrew.geometry.vectors import rotation
from spinescrew.geometry.volume import Volume
from spinescrew.implants.screw import Screw, ScrewShape
from spinescrew.reports.render3d import BonePart, ScrewPart, render, rendering_problem
from spinescrew.reports.slices import ViewPlane

PLANE = ViewPlane(np.zeros(3), np.array([1.0, 0, 0]), np.array([0, 0, 1.0]), 60.0, 40.0, 0.5)
needs_driver = pytest.mark.skipif(bool(rendering_problem()), reason=rendering_problem() or "drawing works")


def ball(steps, middle, radius=10.0):
    shape = np.array([44, 44, 44])
    affine = np.eye(4)
    affine[:3, :3] = steps
    affine[:3, 3] = np.asarray(middle) - steps @ ((shape - 1) / 2)
    index = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    points = index @ affine[:3, :3].T + affine[:3, 3]
    return SignedDistance(Volume((np.linalg.norm(points - middle, axis=-1) - radius).astype(np.float32), affine))


def picture(steps):
    return render([BonePart(ball(steps, (-12.0, 3.0, 5.0)), "#E4DACA")], [], PLANE).astype(int)


@needs_driver
def test_a_bone_covers_the_pixels_where_it_is_and_is_lit_from_the_viewer():
    image = picture(np.eye(3) * 0.8)
    x, y = PLANE.axes_mm()
    inside = np.hypot(x[None, :] + 12.0, y[:, None] - 5.0) < 9.0
    outside = np.hypot(x[None, :] + 12.0, y[:, None] - 5.0) > 11.0
    assert (image[outside] == 255).all()
    assert image[inside].min() < 255
    assert image[inside].mean() > 120


@needs_driver
@pytest.mark.parametrize(
    "steps",
    [np.diag([-0.8, 0.8, 0.8]), rotation((1, 2, 3), 40.0) * 0.8, rotation((1, 2, 3), 40.0)[:, ::-1] * 0.8],
    ids=["left-handed", "oblique", "oblique left-handed"],
)
def test_the_picture_does_not_depend_on_the_bones_grid(steps):
    difference = np.abs(picture(steps) - picture(np.eye(3) * 0.8))
    assert np.percentile(difference, 99) <= 6
    assert difference.mean() < 0.5


@needs_driver
def test_a_bone_ends_where_its_image_ends():
    bone = ball(np.eye(3) * 0.8, (0.0, 0.0, 0.0))
    affine = np.eye(4)
    affine[:3, 3] = (0.5, -30.0, -30.0)
    half = Volume(np.zeros((60, 60, 60), np.uint8), affine)
    drawn = (render([BonePart(bone, "#E4DACA", half)], [], PLANE) < 250).any(axis=(0, 2))
    columns = PLANE.axes_mm()[0][drawn]
    assert columns.min() == pytest.approx(0.0, abs=1.0)
    assert columns.max() == pytest.approx(10.0, abs=1.0)


@needs_driver
def test_a_screw_shines_through_the_bone_and_has_its_full_colour_outside():
    bone = ball(np.eye(3) * 0.8, (0.0, 0.0, 0.0))
    screw = Screw(np.array([-20.0, 0, 0]), np.array([1.0, 0, 0]), ScrewShape(6.0, 40.0))
    image = render([BonePart(bone, "#E4DACA")], [ScrewPart(screw, "#0072B2")], PLANE).astype(float)
    bare = render([BonePart(bone, "#E4DACA")], [], PLANE).astype(float)
    blueness = (image[..., 2] - image[..., 0])[38:42]
    behind, free = blueness[:, 50:70].mean(), blueness[:, 85:95].mean()
    assert free > behind > (bare[..., 2] - bare[..., 0])[38:42, 50:70].mean() + 20


def test_a_driver_that_crashes_is_a_sentence_and_not_a_crash():
    assert "graphics driver" in rendering_problem("import os; os.abort()")


def test_a_missing_package_is_named():
    assert "vtk" in rendering_problem("import a_package_that_nobody_has")


def test_drawing_that_works_is_no_problem():
    assert rendering_problem("pass") == ""


def test_drawing_that_hangs_is_given_up():
    assert "did not answer" in rendering_problem("import time; time.sleep(30)", 0.5)
