"""Which screw of one view is which of the other."""

from dataclasses import replace

import numpy as np
import pytest
from simulated_maps import GOOD, construct, simulated_maps, two_views

from spinescrew.radiographs import perturbed
from spinescrew.radiographs.matching import match
from spinescrew.radiographs.seen import SeenScrew, seen_screws


def seen_exactly(view, standing, random=None, jitter=0.0):
    """What a perfect network would lead to, in the order of ``standing``."""
    random = random or np.random.default_rng(0)
    ends = [view.project(np.stack([one.screw.entry, one.screw.tip])) for one in standing]
    nowhere = np.full(2, np.nan)
    return tuple(SeenScrew(*(pair + random.normal(0, 1, (2, 2)) * jitter), np.nan, nowhere, 1.0) for pair in ends)


def links(found):
    return [(pair.first, pair.second) for pair in found.pairs]


def scene(seed, levels=3, **angles):
    random = np.random.default_rng(seed)
    standing = construct(random, levels)
    return random, standing, two_views(random, standing, **angles)


@pytest.mark.parametrize("seed", range(4))
def test_all_are_matched_with_a_right_and_with_a_wrong_calibration(seed):
    random, standing, views = scene(seed, 4)
    seen = tuple(seen_exactly(view, standing, random, 0.4) for view in views)
    everyone = [(n, n) for n in range(len(standing))]
    assert links(match(views, seen)) == everyone
    given = tuple(perturbed(view, 1.0, 2.0, random, np.zeros(3)) for view in views)
    assert links(match(given, seen)) == everyone


def test_missing_and_extra_ones_are_left_alone():
    random, standing, views = scene(11, 4)
    first, second = (list(seen_exactly(view, standing, random, 0.3)) for view in views)
    del first[6], second[1]
    astray = replace(second[0], neck=second[0].neck + [30, 70], tip=second[0].tip + [30, 70])
    found = match(views, (first, [*second, astray]))
    truth = [n for n in range(8) if n != 6], [n for n in range(8) if n != 1]
    assert {(truth[0][i], truth[1][j]) for i, j in links(found)} == {(n, n) for n in range(8) if n not in (1, 6)}
    assert [truth[0][i] for i in found.unmatched[0]] == [1]
    assert len(found.unmatched[1]) == 2


def test_one_detection_may_serve_two_screws_that_hide_each_other():
    random, standing, views = scene(3, 2, first=(0.0, 0.0), second=(90.0, 0.0))
    left, right = standing[:2]
    view = views[1]
    # where the right one has to stand to be hidden by the left one
    ends = [view.back(view.project(end), 545.0) for end in (left.screw.entry, left.screw.tip)]
    hidden = replace(right.screw, entry=ends[0], direction=ends[1] - ends[0], shape=left.screw.shape)
    assert abs(ends[0][0] - left.screw.entry[0]) > 10
    standing = [left, replace(right, screw=hidden), *standing[2:]]
    first = seen_exactly(views[0], standing)
    second = (seen_exactly(view, [left])[0], *seen_exactly(view, standing[2:]))
    found = match(views, (first, second))
    assert links(found) == [(0, 0), (1, 0), (2, 1), (3, 2)]
    assert [pair.shared for pair in found.pairs] == [True, True, False, False]


def test_screws_that_geometry_does_not_tell_apart_are_told():
    random, standing, views = scene(4, 1, first=(0.0, 0.0), second=(90.0, 0.0))
    level, mirror = np.array([1.0, 1.0, 0.0]), np.array([-1.0, 1.0, 1.0])
    left = replace(
        standing[0].screw, entry=standing[0].screw.entry * level, direction=standing[0].screw.direction * level
    )
    # both at the height of the beam, one 4 mm deeper
    right = replace(left, entry=left.entry * mirror + [0, 4.0, 0], direction=left.direction * mirror)
    standing = [replace(one, screw=screw) for one, screw in zip(standing, (left, right), strict=True)]
    found = match(views, tuple(seen_exactly(view, standing, random, 0.5) for view in views))
    assert len(found.pairs) == 2
    assert found.ambiguous
    assert set(found.ambiguous[0].instead_of) == set(links(found))


def test_nothing_seen_is_nothing_matched():
    _, standing, views = scene(1, 1)
    found = match(views, (seen_exactly(views[0], standing), ()))
    assert not found.pairs
    assert found.unmatched == ((0, 1), ())


def test_maps_of_a_true_lateral_are_matched():
    random, standing, views = scene(21, 3, first=(1.0, 0.0), second=(90.0, 1.0))
    seen = tuple(seen_screws(simulated_maps(view, standing, random, GOOD)) for view in views)
    found = match(views, seen)
    for pair in found.pairs:
        ends = [np.concatenate([s.neck, s.tip]) for s in (seen[0][pair.first], seen[1][pair.second])]
        true = [
            [np.abs(np.concatenate(view.project(np.stack([o.screw.entry, o.screw.tip]))) - end).max() for o in standing]
            for view, end in zip(views, ends, strict=True)
        ]
        assert true[1][int(np.argmin(true[0]))] < 4
    assert len(found.pairs) == len(standing)
