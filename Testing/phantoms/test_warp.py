"""The deformation of training phantoms: exact both ways, never folded."""

import numpy as np
import pytest

from spinescrew.phantoms.kernels import noise_at
from spinescrew.phantoms.warp import Warp

LOW, HIGH = np.array([-100.0, -100.0, -200.0]), np.array([100.0, 100.0, 200.0])


@pytest.fixture(scope="module", params=[((45.0, 11.0), (3.0, 0.7)), ((32.0, 8.0), (6.0, 3.0))], ids=["usual", "wild"])
def warp(request):
    return Warp.draw(np.random.default_rng(5), LOW, HIGH, *request.param)


@pytest.fixture(scope="module")
def points():
    return np.random.default_rng(6).uniform(LOW, HIGH, (2000, 3))


def test_the_inverse_is_exact_both_ways(warp, points):
    assert np.abs(warp.to_model(warp.to_patient(points)) - points).max() < 1e-3
    assert np.abs(warp.to_patient(warp.to_model(points)) - points).max() < 1e-3


def test_it_moves_points_by_millimetres(warp, points):
    moved = np.linalg.norm(warp.to_model(points) - points, axis=1)
    assert 0.8 < np.median(moved) < 12.0


def test_it_never_folds(warp, points):
    columns = [(warp.to_model(points + e) - warp.to_model(points - e)) / 0.02 for e in 0.01 * np.eye(3)]
    assert np.linalg.det(np.stack(columns, axis=-1)).min() > 0.1


def test_no_amount_is_no_deformation(points):
    still = Warp.draw(np.random.default_rng(5), LOW, HIGH, (45.0, 11.0), (0.0, 0.0))
    assert np.abs(still.to_patient(points) - points).max() < 1e-9


def test_noise_is_smooth_bounded_and_its_seed_counts():
    line = np.array([noise_at(x, 3.1, -2.2, 5.0, 9) for x in np.arange(-50, 50, 0.05)])
    other = np.array([noise_at(x, 3.1, -2.2, 5.0, 10) for x in np.arange(-50, 50, 0.05)])
    assert np.abs(line).max() <= 1.0
    assert line.std() > 0.2
    assert np.abs(np.diff(line)).max() < 0.05
    assert abs(np.corrcoef(line, other)[0, 1]) < 0.5
