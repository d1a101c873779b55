"""Rods and crosslinks."""

import numpy as np
import pytest
from closed_surfaces import assert_closed, volume

from spinescrew.errors import InputError
from spinescrew.implants.construct import crosslink_mesh, rod_mesh


def test_a_straight_rod_is_a_cylinder():
    rod = rod_mesh([[0, 0, 0], [0, 0, 40], [0, 0, 60]], 2.75)
    assert_closed(rod)
    assert np.ptp(rod[0][:, 2]) == pytest.approx(60.0)
    assert volume(*rod) == pytest.approx(np.pi * 2.75**2 * 60, rel=0.03)
    longer = rod_mesh([[0, 0, 0], [0, 0, 40], [0, 0, 60]], 2.75, overhang_mm=5.0)
    assert np.ptp(longer[0][:, 2]) == pytest.approx(70.0)


def test_a_bent_rod_passes_its_points():
    points = np.array([[0, 0, 0], [4, -6, 30], [2, -9, 62], [-3, -5, 95.0]])
    rod = rod_mesh(points, 2.75)
    assert_closed(rod)
    for point in points[1:-1]:
        assert np.linalg.norm(rod[0] - point, axis=1).min() == pytest.approx(2.75, abs=0.3)
    a, b, c = (rod[0][rod[1][:, k]] for k in range(3))
    assert np.linalg.norm(np.cross(b - a, c - a), axis=1).min() > 0.05


@pytest.mark.parametrize("kind", ["plate", "hinged", "hook"])
@pytest.mark.parametrize("end", [(34, 0, 0), (30, 4, 3), (-40, -2, 5)])
def test_a_crosslink_is_closed_spans_the_rods_and_leaves_them_free(kind, end):
    start, rod = np.zeros(3), np.array([0.05, 0.1, 1.0])
    mesh = crosslink_mesh(start, end, kind, rod=rod)
    assert_closed(mesh)
    across = np.asarray(end) / np.linalg.norm(end)
    along = mesh[0] @ across
    assert along.min() < -3
    assert along.max() > np.linalg.norm(end) + 3
    # Posterior to the rods, mostly.
    assert np.mean(mesh[0][:, 1] - mesh[0][:, 0] * end[1] / end[0]) < -2
    direct = np.cross(np.cross(across, rod), across)
    direct /= np.linalg.norm(direct)
    for place in (start, np.asarray(end)):
        off = mesh[0] - place
        off = off - np.outer(off @ direct, direct)
        assert np.linalg.norm(off, axis=1).min() > 2.75


def test_no_crosslink_and_impossible_ones():
    assert len(crosslink_mesh((0, 0, 0), (40, 0, 0), "none")[1]) == 0
    with pytest.raises(InputError, match="one of"):
        crosslink_mesh((0, 0, 0), (40, 0, 0), "rope")
    with pytest.raises(InputError, match="too near"):
        crosslink_mesh((0, 0, 0), (10, 0, 0), "plate")
    with pytest.raises(InputError, match="positive radius"):
        rod_mesh([[0, 0, 0], [0, 0, 1]], 0.0)
    with pytest.raises(InputError, match="twice in a row"):
        rod_mesh([[0, 0, 0], [0, 0, 0]], 2.0)
