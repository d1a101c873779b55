"""The landmark network in use, around one that is right by construction: boxes, sides, places and refusals."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from spinescrew.anatomy.frame import SIDES
from spinescrew.anatomy.levels import Level
from spinescrew.errors import InputError
from spinescrew.geometry.volume import Volume
from spinescrew.networks.card import ModelCard
from spinescrew.networks.hourglass import StackedHourglass
from spinescrew.networks.weights import save_model
from spinescrew.segmentation import landmarks
from spinescrew.segmentation.landmarks import find_landmarks, landmarks_unavailable
from spinescrew.segmentation.scheme import LANDMARKS, POINTS

CARD = ModelCard(name=LANDMARKS, task="t", version="1", created="2026-11-21", trained_on="nothing")
TONES_HU = (-500.0, -100.0, 300.0, 700.0)


class Tones(torch.nn.Module):
    """Logits of heat where the CT has the tone of a point."""

    def forward(self, image):
        hu = image[:, :1] * 750 + 150
        return [torch.cat([-(((hu - tone) / 60) ** 2) for tone in TONES_HU], dim=1)]


@cache
def dotted(slanted=False):
    """CT with four dots per vertebra of a tone each in air, the labels, and where the dots are."""
    shape, spacing = (120, 120, 100), 1.0
    affine = np.diag([spacing, spacing, spacing, 1.0])
    if slanted:
        affine[:3, :3] = np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1]]) * spacing
    hu, labels = np.full(shape, -1024.0, np.float32), np.zeros(shape, np.int16)
    ct = Volume(hu, affine)
    grid = ct.index_to_ras(np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1).reshape(-1, 3))
    middle = grid.mean(axis=0)
    wanted = {}
    for level, up in ((Level.L3, 24.0), (Level.L4, -18.0)):
        centre = middle + (0.0, 0.0, up)
        near = (np.abs(grid - centre) < (38.0, 38.0, 13.0)).all(axis=1)
        labels.reshape(-1)[near] = level.value
        for n, (side, _) in enumerate(POINTS):
            sign = 1.0 if side == "right" else -1.0
            at = centre + (sign * (18.0 if n % 2 == 0 else 8.0), -20.0 if n % 2 == 0 else 20.0, 2.0)
            wanted.setdefault((level, side), []).append(at)
            dot = np.exp(-0.5 * (((grid - at) / 1.5) ** 2).sum(axis=1))
            inside = dot > 0.1
            hu.reshape(-1)[inside] = TONES_HU[n]
    return ct, Volume(labels, affine), wanted


@pytest.fixture
def tones(monkeypatch):
    monkeypatch.setattr(landmarks, "landmarks_unavailable", lambda: "")
    monkeypatch.setattr(landmarks, "load_model", lambda name, device: (Tones().eval(), CARD))


@pytest.mark.parametrize("slanted", [False, True])
def test_points_are_found_on_their_sides_wherever_the_image_lies(tones, slanted):
    ct, labels, wanted = dotted(slanted)
    found = find_landmarks(ct, labels, device="cpu")
    assert found.provenance == CARD.provenance
    assert set(found.channels) == {(level, side) for level in (Level.L3, Level.L4) for side in SIDES}
    for key, (entry, end) in wanted.items():
        assert np.linalg.norm(found.channels[key].entry - entry) < 0.8
        assert np.linalg.norm(found.channels[key].exit - end) < 0.8
        assert 0.3 < found.channels[key].entry_spread_mm < 3.0


def test_only_the_levels_asked_for_are_looked_at(tones):
    ct, labels, _ = dotted()
    assert {level for level, _ in find_landmarks(ct, labels, [Level.L4, Level.L1], "cpu").channels} == {Level.L4}


def test_without_the_model_it_says_how_to_train_it(monkeypatch, tmp_path):
    monkeypatch.setattr(landmarks, "list_models", list)
    assert "spinescrew train landmarks" in landmarks_unavailable()
    ct, labels, _ = dotted()
    with pytest.raises(InputError, match="not installed"):
        find_landmarks(ct, labels)


def test_an_untrained_network_is_unsure(monkeypatch, tmp_path):
    torch.manual_seed(0)
    save_model(tmp_path / LANDMARKS, StackedHourglass(2, len(POINTS), stacks=1, width=4), CARD)
    monkeypatch.setenv("SPINESCREW_MODELS", str(tmp_path))
    ct, labels, _ = dotted()
    found = find_landmarks(ct, labels, [Level.L3], "cpu")
    spreads = [max(channel.entry_spread_mm, channel.exit_spread_mm) for channel in found.channels.values()]
    assert len(spreads) == 2 and min(spreads) > 3.5


def test_the_card_tells_how_far_off_the_network_is(monkeypatch, tmp_path):
    assert 0.5 < landmarks.measured_mm() < 6.0, "of the shipped network"
    rows = {"L3": {"pedicles": 4, "missing": 1, "mean_mm": 2.0}, "L4": {"pedicles": 1, "missing": 0, "mean_mm": 6.0}}
    card = replace(CARD, figures={"landmarks": {"slices up to 2 mm": {**rows, "T8": {"pedicles": 2, "missing": 2}}}})
    save_model(tmp_path / LANDMARKS, StackedHourglass(2, len(POINTS), stacks=1, width=4), card)
    monkeypatch.setenv("SPINESCREW_MODELS", str(tmp_path))
    assert landmarks.measured_mm() == pytest.approx(3.0)
    save_model(tmp_path / LANDMARKS, StackedHourglass(2, len(POINTS), stacks=1, width=4), CARD)
    assert landmarks.measured_mm() == float("inf")
