"""Planned screws laid on those found: by the screws alone, whichever frame they are in."""

import numpy as np
import pytest
from known_poses import the_screws

from spinescrew.cohort.pose_starts import pairs_of, starts
from spinescrew.geometry.vectors import rotation
from spinescrew.implants.screw import Screw


@pytest.fixture
def planned():
    return the_screws()


def moved(screws, random, turn=35.0, hand_mm=2.0):
    """Screws elsewhere, put in by a hand."""
    axis = rotation((0.3, 1.0, -0.4), turn)
    shift = np.array([40.0, -120.0, 300.0])
    return tuple(
        Screw(
            axis @ (screw.entry + hand_mm * random.normal(size=3)) + shift,
            axis @ (screw.direction + 0.05 * random.normal(size=3)),
            screw.shape,
        )
        for screw in screws
    ), (axis, shift)


def test_the_same_screws_elsewhere_are_found_with_their_names(planned):
    order = [3, 0, 5, 2, 1, 4]
    found, (axis, shift) = moved([planned[n] for n in order], np.random.default_rng(1))
    best = starts(planned, found)[0]
    assert sorted(best.pairs) == sorted((n, k) for k, n in enumerate(order))
    middle = np.mean([screw.entry for screw in planned], axis=0)
    assert np.linalg.norm(best.pose[:3, :3] @ middle + best.pose[:3, 3] - (axis @ middle + shift)) < 3.0
    assert best.away_mm < 5.0
    assert np.allclose(best.pose[:3, :3] @ best.pose[:3, :3].T, np.eye(3), atol=1e-9)
    assert np.linalg.det(best.pose[:3, :3]) > 0


def test_a_missing_and_an_extra_screw_do_not_lead_astray(planned):
    random = np.random.default_rng(2)
    found, _ = moved([*planned[:2], *planned[3:]], random)
    far = Screw(found[0].entry + 200.0, found[0].direction, found[0].shape)
    best = starts(planned, (*found, far))[0]
    assert sorted(best.pairs) == [(0, 0), (1, 1), (3, 2), (4, 3), (5, 4)]


def test_screws_of_two_levels_may_belong_to_either_pair_of_a_regular_plan(planned):
    regular = [
        Screw(screw.entry - (0, 0, 34.0 * n), screw.direction, screw.shape) for n in range(4) for screw in planned[:2]
    ]
    found, _ = moved(regular[2:6], np.random.default_rng(3), hand_mm=0.2)
    ways = starts(regular, found)
    assert len(ways) >= 2
    assert any(sorted(way.pairs) == [(2, 0), (3, 1), (4, 2), (5, 3)] for way in ways)


def test_too_few_screws_tell_nothing(planned):
    assert starts(planned[:1], planned) == []
    assert starts(planned, ()) == []


def test_in_one_frame_the_nearest_are_pairs(planned):
    found, _ = moved(planned, np.random.default_rng(4))
    assert pairs_of(planned, found) == ()
    near = tuple(Screw(screw.entry + 3.0, screw.direction, screw.shape) for screw in planned[::-1])
    assert sorted(pairs_of(planned, near)) == [(n, 5 - n) for n in range(6)]
    assert pairs_of(planned, ()) == ()
