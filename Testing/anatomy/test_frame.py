import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from spinescrew.anatomy.frame import VertebralFrame, direction_from_angles, screw_angles

ANGLES = st.floats(-60, 60)


def a_frame(seed=0):
    r, a, s = Rotation.random(random_state=seed).as_matrix().T
    return VertebralFrame(np.array([1.0, 2.0, 3.0]), r, a, np.cross(r, a) if np.cross(r, a) @ s > 0 else s)


@given(ANGLES, ANGLES, st.integers(0, 50), st.sampled_from(["left", "right"]))
def test_angles_and_directions_are_inverse(pta, psa, seed, side):
    frame = a_frame(seed)
    found = screw_angles(direction_from_angles(pta, psa, frame, side), frame, side)
    assert found.pta == pytest.approx(pta, abs=1e-6)
    assert found.psa == pytest.approx(psa, abs=1e-6)


def test_the_elevation_differs_from_the_projected_angle_as_computed():
    frame = a_frame(1)
    found = screw_angles(direction_from_angles(30, 10, frame, "right"), frame, "right")
    assert found.psa_elevation == pytest.approx(8.68, abs=0.005)


@pytest.mark.parametrize("side", ["left", "right"])
def test_convergence_is_positive_on_both_sides(side):
    frame = VertebralFrame(np.zeros(3), *np.eye(3))
    towards_midline = np.array([1.0 if side == "left" else -1.0, 3.0, 0.0])
    assert screw_angles(towards_midline, frame, side).pta > 0
    assert screw_angles([0, 1, 0.2], frame, side).psa > 0


def test_local_coordinates_read_back():
    frame = a_frame(4)
    points = np.random.default_rng(0).normal(size=(10, 3))
    assert np.allclose(frame.to_ras(frame.to_local(points)), points)
