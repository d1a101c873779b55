"""Statistics of classifiers against answers worked out by hand or printed in their papers."""

import numpy as np
import pytest
from scipy.integrate import trapezoid

from spinescrew.evaluation.agreement import (
    Rates,
    auc,
    auc_by_patient,
    brier,
    by_patient,
    calibration_error,
    kappa,
    kappa_by_patient,
    paired_test,
    reliability,
    roc,
    share,
)


def test_wilsons_interval_is_the_formulas():
    # (p + z^2/2n +- z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n) for 8 of 10
    found = share(8, 10)
    assert (found.value, found.count) == (0.8, 10)
    assert (found.low, found.high) == (pytest.approx(0.4902, abs=1e-4), pytest.approx(0.9433, abs=1e-4))
    assert share(10, 10).low == pytest.approx(0.7225, abs=1e-4) and share(10, 10).high == pytest.approx(1.0)


def test_a_share_of_nothing_is_no_number():
    assert np.isnan([share(0, 0).value, share(0, 0).low, share(0, 0).high]).all()


def test_rates_come_from_the_four_cells():
    truth = [True] * 10 + [False] * 20
    found = [True] * 8 + [False] * 2 + [True] * 5 + [False] * 15
    rates = Rates.of(truth, found)
    assert (rates.sensitivity.value, rates.sensitivity.count) == (0.8, 10)
    assert (rates.specificity.value, rates.specificity.count) == (0.75, 20)
    assert rates.ppv.value == pytest.approx(8 / 13) and rates.npv.value == pytest.approx(15 / 17)
    assert rates.accuracy.value == pytest.approx(23 / 30)


def test_ties_count_half_in_the_area():
    # pairs: (.5, .5) is a tie, (.5, .2), (.9, .5), (.9, .2) are won, so 3.5 of 4
    assert auc([True, True, False, False], [0.5, 0.9, 0.5, 0.2]) == pytest.approx(3.5 / 4)
    assert auc([True, False], [0.3, 0.3]) == 0.5
    assert np.isnan(auc([True, True], [0.1, 0.2]))


def test_the_curve_encloses_the_area():
    random = np.random.default_rng(4)
    truth = random.random(200) < 0.4
    score = np.round(random.normal(size=200) + truth, 1)
    alarms, hits = roc(truth, score)
    assert (alarms[0], hits[0], alarms[-1], hits[-1]) == (0.0, 0.0, 1.0, 1.0)
    assert trapezoid(hits, alarms) == pytest.approx(auc(truth, score), abs=1e-12)


def test_the_score_of_brier():
    assert brier([True, False, True], [0.9, 0.2, 0.4]) == pytest.approx((0.01 + 0.04 + 0.36) / 3)
    assert np.isnan(brier([], []))


def test_bins_hold_equally_many():
    probability = np.array([0.1, 0.9, 0.2, 0.8, 0.3, 0.7])
    low, high = reliability([False, True, True, True, False, False], probability, bins=2)
    assert (low.predicted, low.observed.value, low.observed.count) == (pytest.approx(0.2), pytest.approx(1 / 3), 3)
    assert (high.predicted, high.observed.value) == (pytest.approx(0.8), pytest.approx(2 / 3))


def test_the_calibration_error_is_the_mean_gap():
    probability = np.array([0.1, 0.2, 0.3, 0.7, 0.8, 0.9])
    truth = [False, True, False, True, True, False]
    assert calibration_error(truth, probability, bins=2) == pytest.approx(0.5 * (1 / 3 - 0.2) + 0.5 * (0.8 - 2 / 3))
    assert calibration_error(probability, probability) == pytest.approx(0.0)
    assert len(reliability(truth, probability, bins=50)) == 6


def test_kappa_of_a_known_table():
    # 20 both yes, 5 only the first, 10 only the second, 15 both no: 0.7 seen, 0.5 by chance
    one = [True] * 25 + [False] * 25
    other = [True] * 20 + [False] * 5 + [True] * 10 + [False] * 15
    assert kappa(one, other) == pytest.approx(0.4)
    assert kappa(one, one) == 1.0
    assert np.isnan(kappa([True, True], [True, True]))


def test_kappas_interval_is_near_the_large_sample_one():
    one = np.array([True] * 250 + [False] * 250)
    other = np.array(([True] * 20 + [False] * 5) * 10 + ([True] * 10 + [False] * 15) * 10)
    found = kappa_by_patient(one, other, range(500))
    error = np.sqrt(0.7 * 0.3 / (500 * 0.25))
    assert found.value == pytest.approx(0.4)
    assert found.low == pytest.approx(0.4 - 1.96 * error, abs=0.02)
    assert found.high == pytest.approx(0.4 + 1.96 * error, abs=0.02)


def test_mcnemars_test_is_exact():
    # right alone: 9 times the first, twice the second; 2 (C(11,0) + C(11,1) + C(11,2)) / 2^11
    truth = np.ones(30, bool)
    first = np.array([True] * 9 + [False] * 2 + [True] * 19)
    second = np.array([False] * 9 + [True] * 2 + [True] * 19)
    found = paired_test(truth, first, second, range(30))
    assert (found.count, found.only_first, found.only_second) == (30, 9, 2)
    assert found.p == pytest.approx(2 * (1 + 11 + 55) / 2**11)
    assert found.difference.value == pytest.approx(7 / 30)
    assert found.difference.low < 7 / 30 < found.difference.high


def test_classifiers_that_never_differ_are_no_better_than_each_other():
    found = paired_test([True, False], [True, True], [True, True], "ab")
    assert (found.p, found.only_first, found.only_second, found.difference.value) == (1.0, 0, 0, 0.0)


def test_patients_are_drawn_whole():
    # Two identical cases of each patient tell no more than one does.
    random = np.random.default_rng(1)
    values = random.random(60)
    alone = by_patient(lambda index: float(values[index].mean()), range(60))
    twice = np.repeat(values, 2)
    paired = by_patient(lambda index: float(twice[index].mean()), [n // 2 for n in range(120)])
    apart = by_patient(lambda index: float(twice[index].mean()), range(120))
    assert (paired.low, paired.high) == (pytest.approx(alone.low), pytest.approx(alone.high))
    assert apart.high - apart.low < 0.8 * (paired.high - paired.low)


def test_the_area_has_the_same_interval_every_time():
    random = np.random.default_rng(2)
    truth = random.random(100) < 0.5
    score = random.normal(size=100) + 1.5 * truth
    found = auc_by_patient(truth, score, [n // 2 for n in range(100)])
    assert found == auc_by_patient(truth, score, [n // 2 for n in range(100)])
    assert 0.5 < found.low < found.value < found.high < 1.0
    assert np.isnan(auc_by_patient([], [], []).low)
