"""What the C2 tab is told of an assessment: plain values in the words of the report."""

import json
from dataclasses import replace

import pytest
from axis_samples import perfect_assessment

from spinescrew.feasibility.assessment import CUT_OFF_MM
from spinescrew.viewer import c2_controls, c2_shown
from spinescrew.viewer.controls import KEYS, key_help


@pytest.fixture(scope="module")
def found():
    """Wide on the left, narrow on the right."""
    return perfect_assessment(7, 1.0, "asymmetric")


@pytest.fixture(scope="module")
def told(found):
    return c2_shown.answer(found)


def of_side(told, side):
    return next(own for own in told["sides"] if own["side"] == side)


def measure(told, start):
    return next(row for row in told["measures"] if row["name"].startswith(start))


def test_everything_can_go_to_a_browser(told):
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert set(c2_shown.NOTHING) == set(told)


def test_both_gauges_have_their_probability_interval_and_verdict(found, told):
    for side, own in found.sides.items():
        shown = of_side(told, side)
        assert shown["percent"] == round(100 * own.probability)
        assert shown["low"] <= shown["percent"] <= shown["high"]
        assert shown["verdict"] == own.verdict
    assert told["threshold"] == 50
    assert of_side(told, "left")["colour"] != of_side(told, "right")["colour"]


def test_nothing_is_told_to_be_certain(found):
    own = replace(found.sides["left"], probability=0.9991, low=0.0004, high=1.0)
    shown = of_side(c2_shown.answer(replace(found, sides={**found.sides, "left": own})), "left")
    assert shown["chance"] == ">\u202f99 %"
    assert shown["range"] == "<\u202f1 to >\u202f99 %"


def test_the_width_stands_beside_the_published_cut_off_on_both_sides(found, told):
    row = measure(told, "Minimum pediculoisthmic")
    for side, own in found.sides.items():
        (tag,) = row["values"][side]["tags"]
        assert f"{CUT_OFF_MM}" in tag["text"]
        assert tag["good"] == (own.measures.outer_width_mm > CUT_OFF_MM)
    assert f"{CUT_OFF_MM}" in row["meaning"]
    assert any("2023" in source for source in told["sources"])


def test_the_ways_out_are_named_where_the_pedicle_is_not_feasible(told):
    assert of_side(told, "left")["ways"] == []
    names = [way["name"] for way in of_side(told, "right")["ways"]]
    assert names == ["Pars screw, 3.5 mm", "Translaminar screw, 3.5 mm"]


def test_a_disagreement_is_told_with_its_side_and_an_agreement_is_not(found):
    own = replace(found.sides["right"], disagreement="the network expects otherwise")
    told = c2_shown.answer(replace(found, sides={**found.sides, "right": own}))
    assert of_side(told, "right")["disagreement"] == "Right: the network expects otherwise."
    assert of_side(told, "left")["disagreement"] == ""


def test_it_is_said_that_no_real_neck_was_seen():
    assert "simulated images" in c2_shown.WARNING
    assert "never saw a real neck CT" in c2_shown.WARNING


def test_the_attention_key_stands_in_the_help_and_is_no_key_of_a_screw():
    assert not set(c2_controls.KEYS) & set(KEYS)
    assert {"keys": "A", "does": "in the C2 tab: attention on or off"} in key_help(c2_controls.KEYS)
