"""Joining of models, their temperature, and what is unknown."""

import numpy as np
import pytest

from spinescrew.brands.ensemble import features, fit, joined, subsets, temperature
from spinescrew.brands.models import softmax
from spinescrew.brands.unknown import NEVER, score, threshold

COUNT = 4


def said(truth, sharpness, random):
    """Probabilities of a model that is right as often as its sharpness lets it."""
    noise = random.gumbel(size=(len(truth), COUNT))
    return softmax(sharpness * np.eye(COUNT)[truth] + noise)


@pytest.fixture
def truth():
    return np.arange(600) % COUNT


def test_all_subsets_are_named_once():
    found = subsets(["a", "b", "c"])
    assert found[0] == ("a",)
    assert found[-1] == ("a", "b", "c")
    assert len(set(found)) == 7


def test_an_ensemble_of_two_is_better_than_either(truth):
    random = np.random.default_rng(0)
    shares = {"one": said(truth, 2.0, random), "two": said(truth, 2.0, random)}
    weights, bias = fit(features(shares, ["one", "two"])[:300], truth[:300], COUNT)
    found = joined({k: v[300:] for k, v in shares.items()}, ["one", "two"], weights, bias)
    accuracy = (found.argmax(axis=1) == truth[300:]).mean()
    alone = max((v[300:].argmax(axis=1) == truth[300:]).mean() for v in shares.values())
    assert accuracy > alone + 0.05
    assert np.allclose(found.sum(axis=1), 1.0)


def test_with_few_patients_an_ensemble_stays_near_the_mean_of_its_members():
    random = np.random.default_rng(1)
    few = np.arange(8) % COUNT
    shares = {"one": said(few, 2.0, random), "two": said(few, 2.0, random)}
    weights, _ = fit(features(shares, ["one", "two"]), few, COUNT, ridge=10.0)
    assert np.abs(weights - np.tile(np.eye(COUNT), (2, 1)) / 2).max() < 0.05


def test_a_useless_member_is_passed_over(truth):
    random = np.random.default_rng(2)
    shares = {"good": said(truth, 3.0, random), "blind": said(random.permutation(truth), 3.0, random)}
    weights, _ = fit(features(shares, ["good", "blind"]), truth, COUNT)
    assert np.trace(weights[:COUNT]) > 3 * abs(np.trace(weights[COUNT:]))


def test_temperature_brings_back_logits_that_were_too_sure(truth):
    random = np.random.default_rng(3)
    shares = said(truth, 2.0, random)
    honest = np.log(shares)
    base = temperature(honest, truth)
    assert temperature(3.0 * honest, truth) == pytest.approx(3.0 * base, rel=0.02)


def test_the_threshold_refuses_the_share_asked_for():
    scores = np.arange(100.0)
    assert (scores < threshold(scores, 0.05)).sum() == 5
    assert threshold(np.array([])) == NEVER


def test_scores_fall_when_the_other_output_rises():
    known, other = np.array([0.9, 0.05, 0.05]), np.array([0.3, 0.1, 0.6])
    assert score(known, 2) > score(other, 2)
    assert np.isfinite(score(np.array([1.0, 0.0, 0.0]), 2))
