"""Necks and tips of both views put together as screws at once."""

from dataclasses import replace

import numpy as np
import pytest
from simulated_maps import GOOD, NONE, Flaws, construct, simulated_maps, two_views

from spinescrew.radiographs import perturbed
from spinescrew.radiographs.seen import seen_screws
from spinescrew.radiographs.seen_together import seen_in_both

MISLED = replace(GOOD, offset_px=16.0)
"""Ends that hardly know where their others lie."""


def worst_px(views, standing, seen):
    """How far the worse end of each screw of each view is from the true one that shares its place in the list."""
    found = []
    for view, each in zip(views, seen, strict=True):
        ends = [view.project(np.stack([one.screw.entry, one.screw.tip])) for one in standing]
        found.append([min(np.hypot(*(np.stack([s.neck, s.tip]) - true).T).max() for s in each) for true in ends])
    return np.array(found)


def scene(seed, flaws, levels=3):
    random = np.random.default_rng(seed)
    standing = construct(random, levels)
    views = two_views(random, standing, second=(88.0, 2.0))
    return standing, views, tuple(simulated_maps(view, standing, random, flaws) for view in views)


@pytest.mark.parametrize("seed", range(3))
def test_every_screw_is_found_in_both_views(seed):
    standing, views, maps = scene(seed, GOOD)
    seen = seen_in_both(maps)
    assert [len(each) for each in seen] == [len(standing)] * 2
    assert worst_px(views, standing, seen).max() < 2.5


def test_what_one_view_alone_puts_together_wrong_is_right_in_both():
    alone, together = 0, 0
    for seed in range(4):
        standing, views, maps = scene(seed, MISLED)
        alone += (worst_px(views, standing, [seen_screws(each) for each in maps]) > 6).sum()
        together += (worst_px(views, standing, seen_in_both(maps)) > 6).sum()
    assert alone >= 5
    assert together <= alone / 2


def test_a_calibration_that_is_a_little_wrong_changes_nothing():
    random = np.random.default_rng(3)
    standing, views, maps = scene(3, GOOD)
    wrong = perturbed(views[1], 1.0, 2.0, random, np.zeros(3))
    seen = seen_in_both((maps[0], replace(maps[1], view=wrong)))
    assert worst_px(views, standing, seen).max() < 2.5


def test_a_tip_that_a_head_hides_is_guessed_from_its_neck():
    standing, views, maps = scene(1, Flaws(0, 0, 0.3, 1.0, 0, 0))
    gone = views[0].project(standing[2].screw.tip)
    rows, columns = np.indices(views[0].shape)
    tip = np.where(np.hypot(columns - gone[0], rows - gone[1]) < 9, 0, maps[0].tip).astype(np.float32)
    seen = seen_in_both((replace(maps[0], tip=tip), maps[1]))
    guessed = [one for one in seen[0] if one.guessed_px[1] > 0]
    assert len(guessed) == 1
    neck = views[0].project(standing[2].screw.entry)
    assert np.hypot(*(guessed[0].neck - neck)) < 1.0
    assert np.hypot(*(guessed[0].tip - gone)) < guessed[0].guessed_px[1]
    assert all(one.guessed_px == (0.0, 0.0) for one in seen[1])


def test_what_one_view_alone_shows_comes_last_and_is_not_invented_in_the_other():
    standing, views, maps = scene(2, NONE)
    fewer = simulated_maps(views[1], standing[:-1])
    seen = seen_in_both((maps[0], fewer))
    assert [len(each) for each in seen] == [len(standing), len(standing) - 1]
    lone = views[0].project(standing[-1].screw.entry)
    assert np.hypot(*(seen[0][-1].neck - lone)) < 1.0


def test_nothing_is_seen_in_empty_maps():
    _, _, maps = scene(2, NONE)
    nothing = np.zeros_like(maps[0].neck)
    empty = tuple(replace(each, neck=nothing, tip=nothing) for each in maps)
    assert seen_in_both(empty) == ((), ())
