"""Grades under an execution error."""

from __future__ import annotations

import builders
import pytest
from scipy.stats import norm

from spinescrew.errors import InputError
from spinescrew.grading.grade import assess, execution_risk


def half_space(points):
    """Bone wherever x < 5, 40 mm long, so that one wall alone decides."""
    return builders.box(points, (-30, -20, -30), (5, 20, 30))


@pytest.fixture(scope="module")
def case():
    sizes = {"isthmus": (-5, 0, 0), "width": 20.0, "height": 20.0}
    return builders.make_case(half_space, (-34, -24, -34), (17, 24, 34), exact=True, spacing=1.0, pedicle=sizes)


def risk(case, x, **given):
    return execution_risk(case.screw((x, -20, 0)), case.spine, case.level, "right", **given)


def test_probabilities_add_up_to_one_and_repeat_with_the_seed(case):
    first, again = risk(case, 1.0, draws=200, seed=4), risk(case, 1.0, draws=200, seed=4)
    assert first == again
    assert sum(first.probabilities.values()) == pytest.approx(1.0)
    assert first.probabilities != risk(case, 1.0, draws=200, seed=5).probabilities
    assert (first.draws, first.entry_sd_mm, first.angle_sd_deg, first.seed) == (200, 1.0, 2.0, 4)


def test_a_screw_far_from_every_wall_is_always_a(case):
    assert risk(case, -8.0).probabilities["A"] == 1.0


@pytest.mark.parametrize("margin", [0.0, 1.0, -1.5])
def test_without_angular_error_the_share_of_a_is_that_of_the_normal_distribution(case, margin):
    found = risk(case, 2.0 - margin, draws=800, angle_sd_deg=0.0).probabilities
    assert found["A"] == pytest.approx(norm.cdf(margin), abs=0.06)
    assert found["B"] == pytest.approx(norm.cdf(margin + 2) - norm.cdf(margin), abs=0.06)


def test_angular_error_adds_to_the_risk(case):
    steady = risk(case, 1.0, draws=1000, angle_sd_deg=0.0).probabilities["A"]
    shaky = risk(case, 1.0, draws=1000, angle_sd_deg=4.0).probabilities["A"]
    assert shaky < steady - 0.05


def test_without_any_error_the_grade_is_certain(case):
    for x in (1.0, 3.0, 5.5):
        letter = assess(case.screw((x, -20, 0)), case.spine, case.level, "right").gertzbein_robbins
        assert risk(case, x, draws=5, entry_sd_mm=0.0, angle_sd_deg=0.0).probabilities[letter] == 1.0


def test_senseless_errors_are_refused(case):
    with pytest.raises(InputError, match="execution risk"):
        risk(case, 0.0, draws=0)
    with pytest.raises(InputError, match="execution risk"):
        risk(case, 0.0, entry_sd_mm=-1.0)
