"""Necks and tips from heat, paired into screws in one view."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from simulated_maps import GOOD, NONE, POOR, construct, simulated_maps, two_views

from spinescrew.radiographs.heat_peaks import heat_peaks
from spinescrew.radiographs.screw_maps import SIGMA_PX
from spinescrew.radiographs.seen import seen_screws


def heat(*places):
    rows, columns = np.indices((60, 80))
    bumps = [np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * SIGMA_PX**2)) for x, y in places]
    return np.max(bumps, axis=0).astype(np.float32)


def off(view, standing, found):
    """For each true screw, how far (pixels) the worse end of the nearest seen one is."""
    ends = [view.project(np.stack([one.screw.entry, one.screw.tip])) for one in standing]
    return [min(np.hypot(*(np.stack([s.neck, s.tip]) - true).T).max() for s in found) for true in ends]


def test_peaks_are_finer_than_pixels():
    peaks = heat_peaks(heat((20.3, 30.7), (60.0, 12.4)))
    assert_allclose(sorted(peaks.points.tolist()), [[20.3, 30.7], [60.0, 12.4]], atol=0.05)


@pytest.mark.parametrize("apart", [4.5, 6.0, 9.0])
def test_two_peaks_that_run_into_each_other_are_two(apart):
    wanted = [[30.0, 30.0], [30.0 + 0.8 * apart, 30.0 + 0.6 * apart]]
    points = sorted(heat_peaks(heat(*wanted)).points.tolist())
    assert_allclose(points, wanted, atol=0.8)


def test_nothing_is_seen_in_empty_maps():
    assert len(heat_peaks(np.zeros((40, 40), np.float32)).points) == 0


@pytest.mark.parametrize(("flaws", "within"), [(NONE, 0.3), (GOOD, 2.0), (POOR, 5.0)])
def test_every_screw_of_both_views_is_seen_once(flaws, within):
    random = np.random.default_rng(5)
    standing = construct(random, 3)
    for view in two_views(random, standing):
        found = seen_screws(simulated_maps(view, standing, random, flaws))
        assert len(found) == len(standing)
        assert max(off(view, standing, found)) < within


def test_the_width_is_measured_where_nothing_overlaps():
    random = np.random.default_rng(8)
    standing = construct(random, 2, sides=("left",))
    view = two_views(random, standing, second=(90.0, 0.0))[1]
    found = seen_screws(simulated_maps(view, standing, random, NONE))
    for one, seen in zip(standing, found, strict=True):
        wanted = one.screw.shape.radius_mm * view.magnification(one.middle) / view.pixel_mm[0]
        assert seen.radius_px == pytest.approx(wanted, rel=0.05)
        assert np.isfinite(seen.head).all()
        # the head's middle lies beyond the neck
        assert (seen.head - seen.neck) @ (seen.tip - seen.neck) < 0
        assert seen.confidence > 0.8


def test_crossing_screws_stay_apart():
    random = np.random.default_rng(9)
    one, other = construct(random, 1)
    view = two_views(random, [one, other], second=(90.0, 0.0))[1]
    turned = replace(other.screw, direction=one.screw.direction + [0, 0, 0.5], entry=one.screw.entry - [-30, 0, 12])
    crossing = [one, replace(other, screw=turned)]
    found = seen_screws(simulated_maps(view, crossing, random, GOOD))
    assert len(found) == 2
    assert max(off(view, crossing, found)) < 2
