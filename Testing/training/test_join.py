"""The join of network and geometry: fitted on rows whose truth is known, kept in a file, refused when damaged."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from spinescrew.errors import InputError  # noqa: E402
from spinescrew.evaluation.agreement import calibration_error  # noqa: E402
from spinescrew.feasibility.joint import logit_of, network_logit  # noqa: E402
from spinescrew.feasibility.judge import share_of  # noqa: E402
from spinescrew.networks.card import ModelCard  # noqa: E402
from spinescrew.networks.weights import load_model  # noqa: E402
from spinescrew.training.calibrate import logistic  # noqa: E402
from spinescrew.training.join import fit_join  # noqa: E402

CARD = ModelCard(
    name="axis-pedicle",
    task="judging",
    version="1",
    created="2026-01-01",
    trained_on="nothing",
    provenance="Made up",
    generator_hash="sha256:abc",
    sha256="f" * 64,
)


def pedicles(count, seed=1):
    """What network and geometry make of true widths, and whether those are feasible."""
    random = np.random.default_rng(seed)
    width = random.normal(4.9, 0.7, count)
    sure = [share_of(logit) for logit in 6 * (width - 4.8 + random.normal(0, 0.25, count))]
    measured = width + random.normal(0.1, 0.15, count)
    wall = 0.5 * (width - 3.5) + random.normal(0, 0.15, count)
    return np.column_stack([sure, measured, wall]), width + random.normal(0, 0.08, count) > 4.8


def said(folder, figures):
    logit = logit_of(load_model(folder, "cpu")[0])
    return np.array([share_of(logit(*row)) for row in figures])


def test_on_other_pedicles_it_is_calibrated_and_better_than_each_alone(tmp_path):
    fit_join(*pedicles(1500), CARD, tmp_path)
    figures, truth = pedicles(3000, seed=2)
    chance = said(tmp_path, figures)
    right = ((chance >= 0.5) == truth).mean()
    assert calibration_error(truth, chance) < 0.03
    assert right > ((figures[:, 0] >= 0.5) == truth).mean() + 0.01
    assert right > ((figures[:, 1] > 4.78) == truth).mean() + 0.01


def test_it_comes_back_from_its_file_with_its_card(tmp_path):
    figures, truth = pedicles(400)
    figures[3, 1] = np.nan
    card = fit_join(figures, truth, CARD, tmp_path)
    model, read = load_model(tmp_path, "cpu")
    assert read == card and card.name == "axis-join"
    assert (card.provenance, card.generator_hash) == (CARD.provenance, CARD.generator_hash)
    assert card.architecture.arguments["network"] == CARD.sha256
    assert card.trained_on.startswith("399 C2 pedicles")
    known = np.delete(figures, 3, axis=0)
    columns = known.copy()
    columns[:, 0] = [network_logit(share) for share in known[:, 0]]
    columns = np.tanh((columns - (0.0, 4.78, 0.64)) / (4.0, 1.0, 0.5))
    weights, bias = logistic(columns, np.delete(truth, 3).astype(float), rising=True)
    assert model.weights.numpy() == pytest.approx(weights, rel=1e-3) and float(model.bias) == pytest.approx(
        bias, rel=1e-2
    )


def test_no_weight_is_negative(tmp_path):
    """A figure that speaks against what it means is left out."""
    figures, truth = pedicles(400)
    fit_join(figures * (1.0, 1.0, -1.0) + (0.0, 0.0, 1.3), truth, CARD, tmp_path)
    weights = load_model(tmp_path, "cpu")[0].weights
    assert float(weights[2]) == 0.0 and (weights[:2] > 0.5).all()


def test_bounds_that_do_not_bind_change_nothing():
    rows, truth = pedicles(400)
    for free, bound in zip(logistic(rows, truth * 1.0), logistic(rows, truth * 1.0, rising=True), strict=True):
        assert bound == pytest.approx(free, rel=1e-2, abs=1e-3)


def test_too_few_pedicles_are_refused(tmp_path):
    figures, _ = pedicles(90)
    with pytest.raises(InputError, match="at least 40 of each"):
        fit_join(figures, np.arange(90) < 39, CARD, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_file_that_was_changed_is_refused(tmp_path):
    fit_join(*pedicles(200), CARD, tmp_path / "one")
    fit_join(*pedicles(200, seed=5), replace(CARD, sha256="e" * 64), tmp_path / "other")
    (tmp_path / "one" / "weights.safetensors").write_bytes((tmp_path / "other" / "weights.safetensors").read_bytes())
    with pytest.raises(InputError, match="checksum is not the card's"):
        load_model(tmp_path / "one", "cpu")
