"""Values in words."""

import numpy as np
import pytest

from spinescrew.reports.wording import DASH, grade, number, point, short_hash, spacing


@pytest.mark.parametrize("nothing", [None, float("nan"), float("inf"), np.float64("nan"), "not gradable"])
def test_no_value_is_an_en_dash(nothing):
    assert number(nothing, 1, "mm") == DASH


def test_numbers_have_their_unit_a_true_minus_and_no_negative_zero():
    assert number(2.345, 1, "mm") == "2.3\u00a0mm"
    assert number(-4.06, 1, "°") == "−4.1°"
    assert number(-0.02) == "0.0"
    assert number(77.6, 0, "%") == "78\u202f%"


def test_a_facet_grade_of_zero_is_a_value():
    assert grade(0) == "0"
    assert grade("not gradable") == DASH
    assert grade(None) == DASH


def test_points_and_spacings_and_hashes_are_short():
    assert point((1.04, -2.0, 300.26)) == "1.0, −2.0, 300.3"
    assert spacing((0.8, 0.8, 2)) == "0.80 × 0.80 × 2.00\u00a0mm"
    assert short_hash("sha256:0123456789abcdef") == "0123456789ab"
    assert short_hash(None) == DASH
