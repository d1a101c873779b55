"""One command from images to models that an engine can use."""

import json

import pytest
import torch

from spinescrew.errors import InputError
from spinescrew.images import write_volume
from spinescrew.networks.weights import list_models, load_model
from spinescrew.phantoms import make_spine_phantom
from spinescrew.segmentation.own import OwnEngine
from spinescrew.segmentation.scheme import COARSE, FINE
from spinescrew.training.command import train
from spinescrew.training.options import TrainingOptions

SMALL = {"width": 4, "shape": (32, 32, 32)}


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
    cards = train("segmentation", out / "runs", out / "models", options, data=str(folder), **SMALL)
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
    assert answer.shape[1] == 13
    assert card.task == "finds the vertebrae of a CT and names them"


def test_a_second_run_goes_on_where_the_first_ended(trained, folder):
    out, _ = trained
    options = TrainingOptions(steps=6, device="cpu")
    cards = train("segmentation", out / "runs", out / "again", options, data=str(folder), **SMALL, resume=True)
    assert [card.trained_on.split("; ")[1] for card in cards] == ["2 steps", "4 steps"]


def test_unknown_kinds_and_empty_folders_are_refused(tmp_path):
    with pytest.raises(InputError, match="use segmentation or landmarks"):
        train("brains", tmp_path, tmp_path, TrainingOptions(steps=1))
    with pytest.raises(InputError, match="holds no training pairs"):
        train("segmentation", tmp_path, tmp_path, TrainingOptions(steps=1), data=str(tmp_path))


def test_landmarks_need_images_that_have_them(folder, tmp_path):
    with pytest.raises(InputError, match="have no landmarks; train the landmark network on phantoms"):
        train("landmarks", tmp_path, tmp_path, TrainingOptions(steps=1, device="cpu"), data=str(folder), **SMALL)
