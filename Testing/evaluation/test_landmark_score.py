"""Distances of found entries and exits from the true ones."""

import numpy as np
import pytest

from spinescrew.anatomy.levels import Level
from spinescrew.evaluation.landmarks import score_landmarks, summarise_landmarks

TRUE = {
    (Level.L3, "left"): (np.zeros(3), np.array([0.0, 50.0, 0.0])),
    (Level.L3, "right"): (np.array([40.0, 0.0, 0.0]), np.array([40.0, 50.0, 0.0])),
    (Level.L2, "left"): (np.zeros(3), np.ones(3)),
}


def test_distances_are_those_of_each_point_and_missing_pedicles_are_counted():
    found = {
        (Level.L3, "left"): (np.array([3.0, 4.0, 0.0]), np.array([0.0, 50.0, 1.0])),
        (Level.L3, "right"): TRUE[Level.L3, "right"],
    }
    upper, lower = summarise_landmarks(score_landmarks(found, TRUE))
    assert (upper.level, upper.pedicles, upper.missing) == (Level.L2, 1, 1)
    assert np.isnan(upper.mean_mm)
    assert (lower.pedicles, lower.missing) == (2, 0)
    assert lower.entry_mm == pytest.approx(2.5) and lower.exit_mm == pytest.approx(0.5)
    assert lower.mean_mm == pytest.approx(1.5) and 4.0 < lower.p95_mm <= 5.0
