"""Distances of rays from tapered shafts, and how the calibration's unknowns look like motions."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from spinescrew.radiographs import ap, from_c_arm, lateral
from spinescrew.radiographs.recalibration import UNKNOWNS, Calibration
from spinescrew.radiographs.silhouette import Shaft, passing

SHAFTS = [
    Shaft(np.array([0, -20, 5.0]), np.array([8, 22, 0.0]), 3.25, 5.0, 0.5),
    Shaft(np.array([-20, 0, 5.0]), np.array([22, 10, 9.0]), 3.0, 7.0, 0.5),
]


def some_rays(count=800):
    view = from_c_arm(10, 5, shape=(600, 600), pixel_mm=0.5)
    return view.source, view.rays(np.random.default_rng(3).uniform(200, 400, (count, 2)))


@pytest.mark.parametrize("shaft", SHAFTS)
def test_the_distance_is_that_of_spheres_along_the_axis(shaft):
    source, rays = some_rays()
    length = np.linalg.norm(shaft.tip - shaft.neck)
    depth = np.linspace(0, length, 3001)
    radius = np.interp(depth, [0, length - shaft.taper, length], [shaft.radius, shaft.radius, shaft.tip_radius])
    base = shaft.neck + depth[:, None] / length * (shaft.tip - shaft.neck) - source
    squared = (base**2).sum(axis=1)[:, None] - (base @ rays.T) ** 2
    nearest = (np.sqrt(np.maximum(squared, 0)) - radius[:, None]).min(axis=0)
    assert_allclose(passing(source, rays, shaft).away, nearest, atol=5e-3)


@pytest.mark.parametrize("shaft", SHAFTS)
def test_its_derivatives_are_those_of_small_changes(shaft):
    source, rays = some_rays()
    found, step = passing(source, rays, shaft), 1e-5

    def changed(**values):
        return passing(source, rays, shaft._replace(**values)).away

    def slope(name, by):
        up, down = (changed(**{name: getattr(shaft, name) + sign * by}) for sign in (1, -1))
        return (up - down) / (2 * step)

    wanted = {"radius": found.by_radius, "taper": found.by_taper}
    for name, exact in wanted.items():
        assert np.quantile(np.abs(slope(name, step) - exact), 0.99) < 1e-4
    for axis in range(3):
        by = step * np.eye(3)[axis]
        assert np.quantile(np.abs(slope("tip", by) - found.by_tip[:, axis]), 0.99) < 1e-4
        assert np.quantile(np.abs(slope("neck", by) - (found.outward - found.by_tip)[:, axis]), 0.99) < 1e-4


def test_a_change_of_the_calibration_looks_like_a_motion_of_what_is_seen():
    views = ap(), lateral()
    calibration, step = Calibration(views), 1e-5
    points = np.random.default_rng(1).uniform(-50, 50, (5, 3))
    for index, view in enumerate(views):
        motion = calibration.as_motion(index, view, points)
        for unknown in range(UNKNOWNS):
            changed = calibration.views(step * np.eye(UNKNOWNS)[unknown])[index].project(points)
            moved = view.project(points + step * motion[:, :, unknown])
            assert_allclose(changed, moved, atol=1e-7)
