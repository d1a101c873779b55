"""One command from images to models that an engine can use."""

import json
from dataclasses import replace

import pytest
import torch
from typer.testing import CliRunner

from spinescrew.cli import app
from spinescrew.errors import InputError
from spinescrew.images import write_volume
from spinescrew.networks import weights
from spinescrew.networks.card import ModelCard
from spinescrew.networks.edge_unet import EdgeAttentionUNet
from spinescrew.networks.weights import list_models, load_model, save_model
from spinescrew.phantoms import make_spine_phantom
from spinescrew.segmentation.own import OwnEngine
from spinescrew.segmentation.scheme import COARSE, COARSE_OUTPUTS, FINE, LANDMARKS
from spinescrew.training.command import NetworkChoice, train
from spinescrew.training.options import TrainingOptions

SMALL = NetworkChoice(width=4, shape=(32, 32, 32))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One image and its labels, as nnU-Net lays them out."""
    made = tmp_path_factory.mktemp("data")
    phantom = make_spine_phantom(5, spacing=(3.0, 3.0, 3.0))
    for name, volume in (("imagesTr/a_0000.nii.gz", phantom.ct), ("labelsTr/a.nii.gz", phantom.labels)):
        (made / name).parent.mkdir()
        write_volume(volume, made / name)
    return made


@pytest.fixture(scope="module")
def trained(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    options = TrainingOptions(steps=3, device="cpu")
    cards = train("segmentation", out / "runs", out / "models", options, data=str(folder), choice=SMALL)
    return out, cards


def test_both_networks_are_written_with_their_cards(trained):
    out, cards = trained
    assert [card.name for card in cards] == [COARSE, FINE]
    for card in cards:
        told = json.loads((out / "models" / card.name / "card.json").read_text())
        assert told["trained_on"].startswith("1 images of a folder; ")
        assert told["provenance"] == card.provenance
        assert "a_0000" not in json.dumps(told)
        assert (out / "models" / card.name / "weights.safetensors").stat().st_size < 15e6


def test_the_engine_takes_what_was_trained(trained, monkeypatch):
    out, _ = trained
    monkeypatch.setenv("SPINESCREW_MODELS", str(out / "models"))
    assert {entry.name for entry in list_models() if not entry.unavailable} >= {COARSE, FINE}
    assert OwnEngine("cpu").unavailable() == ""
    model, card = load_model(COARSE, "cpu")
    with torch.no_grad():
        answer = model(torch.zeros(1, 1, 32, 32, 32))
    assert answer.shape[1] == COARSE_OUTPUTS
    assert card.task == "finds the vertebrae of a CT and names them"


def test_a_second_run_goes_on_where_the_first_ended(trained, folder):
    out, _ = trained
    options = TrainingOptions(steps=6, device="cpu")
    cards = train("segmentation", out / "runs", out / "again", options, data=str(folder), choice=SMALL, resume=True)
    assert [card.trained_on.split("; ")[1] for card in cards] == ["2 steps", "4 steps"]


def models_of(monkeypatch, folder):
    monkeypatch.setenv("SPINESCREW_MODELS", str(folder))


def test_one_network_alone_has_all_of_the_steps(trained, folder, tmp_path):
    options = TrainingOptions(steps=3, device="cpu")
    alone = replace(SMALL, name=COARSE)
    [card] = train("segmentation", tmp_path / "runs", tmp_path / "models", options, data=str(folder), choice=alone)
    assert (card.name, card.steps) == (COARSE, 3)
    assert [path.name for path in (tmp_path / "models").iterdir()] == [COARSE]


def test_a_network_of_another_kind_is_refused_with_the_right_ones(tmp_path):
    for kind, name, known in (
        ("segmentation", LANDMARKS, "vertebrae-coarse or vertebrae-fine"),
        ("landmarks", FINE, LANDMARKS),
    ):
        with pytest.raises(InputError, match=f"'{name}' is no network of {kind}; use {known}"):
            train(kind, tmp_path, tmp_path, TrainingOptions(steps=1), choice=NetworkChoice(name=name))


def test_a_run_goes_on_from_the_installed_model_on_another_machine(trained, folder, tmp_path, monkeypatch):
    out, (before, _) = trained
    models_of(monkeypatch, out / "models")
    wide = NetworkChoice(COARSE, width=8, shape=(32, 32, 32), from_model=True)
    options = TrainingOptions(steps=before.steps, device="cpu")
    [same] = train("segmentation", tmp_path / "runs", tmp_path / "same", options, data=str(folder), choice=wide)
    assert same.sha256 == before.sha256
    assert same.architecture == before.architecture, "the model's width goes before the one that was given"
    further = replace(options, steps=before.steps + 2)
    [card] = train("segmentation", tmp_path / "other", tmp_path / "models", further, data=str(folder), choice=wide)
    assert card.sha256 != before.sha256
    assert card.steps == before.steps + 2
    assert card.hours >= before.hours
    assert f"{card.steps} steps, from step {before.steps} on with a model's weights" in card.trained_on
    assert before.trained_on in card.trained_on


def test_a_checkpoint_goes_before_the_installed_model(trained, folder, tmp_path, monkeypatch):
    out, (before, _) = trained
    models_of(monkeypatch, out / "models")
    begun = replace(SMALL, name=COARSE, from_model=True)

    def run(steps, choice, resume):
        options = TrainingOptions(steps=before.steps + steps, device="cpu")
        [card] = train(
            "segmentation",
            tmp_path / "runs",
            tmp_path / "models",
            options,
            data=str(folder),
            choice=choice,
            resume=resume,
        )
        return card

    run(1, begun, resume=False)
    models_of(monkeypatch, tmp_path / "nothing")
    card = run(3, begun, resume=True)
    assert card.steps == before.steps + 3
    assert f"from step {before.steps} on" in card.trained_on
    whole = tmp_path / "whole"
    models_of(monkeypatch, out / "models")
    options = TrainingOptions(steps=before.steps + 3, device="cpu")
    [once] = train("segmentation", whole, whole / "models", options, data=str(folder), choice=begun)
    assert card.sha256 == once.sha256, "in two pieces as in one"


def test_only_an_installed_model_can_be_gone_on_from(folder, tmp_path, monkeypatch):
    models_of(monkeypatch, tmp_path)
    monkeypatch.setattr(weights, "resource_path", lambda *parts: tmp_path / "nothing shipped")
    choice = replace(SMALL, name=LANDMARKS, from_model=True)
    with pytest.raises(InputError, match="there is no model 'pedicle-landmarks'"):
        train("landmarks", tmp_path, tmp_path, TrainingOptions(steps=1), data=str(folder), choice=choice)


def test_a_model_of_another_kind_is_not_gone_on_from(folder, tmp_path, monkeypatch):
    models_of(monkeypatch, tmp_path / "models")
    card = ModelCard(name=FINE, task="x", version="1", created="2026-01-01", trained_on="x")
    save_model(tmp_path / "models" / FINE, EdgeAttentionUNet(1, 3, 4), card)
    choice = replace(SMALL, name=FINE, from_model=True)
    with pytest.raises(InputError, match="the model vertebrae-fine is another network than is trained now"):
        train("segmentation", tmp_path, tmp_path, TrainingOptions(steps=1), data=str(folder), choice=choice)


def test_networks_without_edges_have_a_name_of_their_own(folder, tmp_path):
    choice = replace(SMALL, name=COARSE, without_edges=True)
    options = TrainingOptions(steps=1, device="cpu")
    [card] = train("segmentation", tmp_path / "runs", tmp_path / "models", options, data=str(folder), choice=choice)
    assert card.name == "vertebrae-coarse-without-edges"
    assert card.architecture.arguments["edge_attention"] is False
    model, _ = load_model(tmp_path / "models" / card.name, "cpu")
    assert model.alpha is None
    assert (tmp_path / "runs" / card.name / "checkpoint.pt").is_file()
    with pytest.raises(InputError, match="landmarks has no edge attention"):
        train("landmarks", tmp_path, tmp_path, options, choice=NetworkChoice(without_edges=True))


def test_a_checkpoint_of_another_width_is_refused(trained, folder):
    out, _ = trained
    options = TrainingOptions(steps=6, device="cpu")
    wide = replace(SMALL, name=COARSE, width=8)
    with pytest.raises(InputError, match=r"checkpoint\.pt' is of another network; give the width it was begun with"):
        train("segmentation", out / "runs", out / "wide", options, data=str(folder), choice=wide, resume=True)


def test_threads_are_those_that_were_asked_for(folder, tmp_path):
    before = torch.get_num_threads()
    options, choice = TrainingOptions(steps=1, device="cpu"), replace(SMALL, name=COARSE)
    try:
        [card] = train("segmentation", tmp_path, tmp_path, options, data=str(folder), choice=choice, threads=before + 1)
        assert torch.get_num_threads() == before + 1
        assert f"{before + 1} threads" in card.device
    finally:
        torch.set_num_threads(before)


def test_the_command_line_hands_its_options_on(trained, folder, tmp_path, monkeypatch):
    out, (_, before) = trained
    models_of(monkeypatch, out / "models")
    told = {}

    def note(kind, runs, models, options, *, choice, **others):
        told.update(others, kind=kind, options=options, choice=choice)
        return (before,)

    monkeypatch.setattr("spinescrew.training.command.train", note)
    words = "train segmentation --network vertebrae-fine --from-model --width 12 --threads 3 --without-edges"
    done = CliRunner().invoke(app, [*words.split(), "--learning-rate", "2e-4", "--models", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert told["choice"] == NetworkChoice(FINE, 12, without_edges=True, from_model=True)
    assert (told["threads"], told["options"].learning_rate) == (3, 2e-4)


def test_unknown_kinds_and_empty_folders_are_refused(tmp_path):
    with pytest.raises(InputError, match="use segmentation or landmarks"):
        train("brains", tmp_path, tmp_path, TrainingOptions(steps=1))
    with pytest.raises(InputError, match="holds no training pairs"):
        train("segmentation", tmp_path, tmp_path, TrainingOptions(steps=1), data=str(tmp_path))


def test_landmarks_need_images_that_have_them(folder, tmp_path):
    with pytest.raises(InputError, match="have no landmarks; train the landmark network on phantoms"):
        train("landmarks", tmp_path, tmp_path, TrainingOptions(steps=1, device="cpu"), data=str(folder), choice=SMALL)
