"""What the networks cost, measured in a process of its own with real weight files of tiny networks."""

import json

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from spinescrew.anatomy.levels import Level
from spinescrew.cli import app
from spinescrew.cohort import bench_segmentation
from spinescrew.cohort.bench_segmentation import peak_memory_mb, segmentation_figures, simulated_ct
from spinescrew.errors import InputError
from spinescrew.networks import ModelCard, save_model
from spinescrew.networks.edge_unet import EdgeAttentionUNet
from spinescrew.networks.weights import USER_FOLDER
from spinescrew.progress import Progress
from spinescrew.segmentation import own
from spinescrew.segmentation.scheme import COARSE, COARSE_LEVELS, COARSE_OUTPUTS, FINE

TINY = {"size": (40, 40, 30), "spacing": (2.0, 2.0, 2.0)}
"""80 mm, which one box of the fine network holds."""


def sure_of(channels, classes, answer):
    """A network that says ``answer`` of every voxel."""
    model = EdgeAttentionUNet(channels, classes, width=2)
    with torch.no_grad():
        model.head.weight.zero_()
        model.head.bias.zero_()
        model.head.bias[answer] = 8.0
    return model


def install(folder, coarse_answer):
    networks = {COARSE: sure_of(1, COARSE_OUTPUTS, coarse_answer), FINE: sure_of(2, 2, 1)}
    for name, model in networks.items():
        card = ModelCard(name=name, task="x", version="1", created="2026-01-01", trained_on="x")
        save_model(folder / name, model, card)


@pytest.fixture
def models(tmp_path, monkeypatch):
    monkeypatch.setenv(USER_FOLDER, str(tmp_path / "models"))
    return tmp_path / "models"


def test_times_memory_and_their_reference_are_measured(models):
    install(models, COARSE_LEVELS.index(Level.S1) + 1)
    told = []
    ballast = np.ones(700 * 2**20, np.uint8)
    figures = segmentation_figures(Progress(lambda fraction, text: told.append(fraction)), "cpu", 1, **TINY)
    assert figures["threads"] == 1 and figures["device"].startswith("cpu")
    assert (figures["size"], figures["levels"]) == ("40 x 40 x 30", "S1")
    steps = figures["finding and naming s"] + figures["cutting one level s"]
    assert 0 < steps <= figures["whole case s"] < 60
    ratio = figures["cutting one level s"] / figures["one convolution s"]
    assert figures["one level / one convolution"] == pytest.approx(ratio)
    assert 150 < figures["peak memory MB"] < peak_memory_mb() - 300, "what this process holds does not count"
    assert told == sorted(told) and any(0.45 < fraction < 0.95 for fraction in told)
    assert ballast.any()


def test_what_the_engine_refuses_is_told(models):
    install(models, 0)
    with pytest.raises(InputError, match="found no vertebra in this CT"):
        segmentation_figures(None, "cpu", 1, **TINY)


def test_without_models_it_says_how_to_train_them(monkeypatch):
    monkeypatch.setattr(own, "list_models", lambda: [])
    with pytest.raises(InputError, match="train it with spinescrew train segmentation"):
        segmentation_figures()


def test_the_ct_has_the_size_that_was_asked_for_and_a_spine_in_it():
    ct = simulated_ct((60, 50, 40), (5.0, 6.0, 7.0))
    assert ct.shape == (60, 50, 40) and ct.array.dtype == np.int16
    assert ct.spacing == pytest.approx([5.0, 6.0, 7.0])
    assert (ct.array[15:45, 10:40] > 150).any(axis=(0, 1)).mean() > 0.9, "bone in nearly every slice"


def test_the_command_shows_the_figures_and_writes_them(monkeypatch, tmp_path):
    monkeypatch.setattr(
        bench_segmentation, "segmentation_figures", lambda progress, device, threads: {"a": device, "b": threads}
    )
    words = ["bench", "segmentation", "--device", "cpu", "--threads", "2", "--json", str(tmp_path / "out.json")]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0 and "bench segmentation" in done.output
    assert json.loads((tmp_path / "out.json").read_text()) == {"a": "cpu", "b": 2}
