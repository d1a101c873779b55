"""Room between two shafts."""

from __future__ import annotations

import numpy as np
import pytest

from spinescrew.implants.clearance import capsule_clearance, capsule_clearances, segment_distances
from spinescrew.implants.screw import Screw, ScrewShape


def screw(entry, direction=(0, 1, 0), diameter=6.0, length=43.0):
    return Screw(np.array(entry, dtype=float), np.array(direction, dtype=float), ScrewShape(diameter, length))


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (((0, 0, 0), (10, 0, 0)), 0.0),
        (((0, 3, 0), (10, 3, 0)), 3.0),
        (((5, -5, 4), (5, 5, 4)), 4.0),
        (((13, 4, 0), (20, 4, 0)), 5.0),
        (((-3, 0, 4), (-3, 0, 9)), 5.0),
        (((5, 2, 0), (5, 2, 0)), 2.0),
        (((12, -2, 0), (12, 2, 0)), 2.0),
    ],
)
def test_segments_lie_as_far_apart_as_drawn(second, expected):
    first = ((0, 0, 0), (10, 0, 0))
    assert segment_distances(*first, [second[0]], [second[1]]) == pytest.approx([expected])
    assert segment_distances(*second, [first[0]], [first[1]]) == pytest.approx([expected])


def test_segments_agree_with_sampling_them_finely():
    rng = np.random.default_rng(4)
    p, q = rng.uniform(-20, 20, (2, 3))
    starts, ends = rng.uniform(-20, 20, (2, 60, 3))
    share = np.linspace(0, 1, 401)[:, None]
    first = p + share * (q - p)
    for k in range(60):
        second = starts[k] + share * (ends[k] - starts[k])
        sampled = np.linalg.norm(first[:, None] - second[None], axis=-1).min()
        exact = segment_distances(p, q, starts[k : k + 1], ends[k : k + 1])[0]
        assert exact <= sampled + 1e-9 and exact == pytest.approx(sampled, abs=0.1)


def test_parallel_shafts_lie_their_distance_less_both_radii_apart():
    assert capsule_clearance(screw((0, 0, 0)), screw((20, 0, 0), diameter=8.0)) == pytest.approx(13.0)


def test_overlapping_shafts_have_a_negative_clearance():
    assert capsule_clearance(screw((0, 0, 0)), screw((5, 0, 0))) == pytest.approx(-1.0)


def test_two_tips_that_meet_have_no_room_and_no_overlap():
    assert capsule_clearance(screw((0, -43, 0)), screw((0, 43, 0), (0, -1, 0))) == pytest.approx(0.0, abs=1e-9)


def test_many_neighbours_are_measured_as_one_by_one_and_both_ways():
    rng = np.random.default_rng(1)
    first, *others = [screw(rng.normal(0, 20, 3), rng.normal(size=3)) for _ in range(9)]
    together = capsule_clearances(first, others)
    assert together == pytest.approx([capsule_clearance(first, other) for other in others])
    assert together == pytest.approx([capsule_clearance(other, first) for other in others])
    assert capsule_clearances(first, []).shape == (0,)
