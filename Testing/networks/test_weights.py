"""Weight files and cards: kept bit by bit, refused when anything is wrong with them."""

import json
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from torch import nn

from spinescrew.errors import InputError
from spinescrew.networks import ModelCard, list_models, load_model, save_model, weights
from spinescrew.networks.edge_unet import EdgeAttentionUNet
from spinescrew.networks.hourglass import StackedHourglass

CARD = ModelCard(
    name="tiny",
    task="segmentation",
    version="0.1",
    created="2025-01-31",
    trained_on="40 phantoms",
    hours=0.1,
    device="2 CPU cores",
    generator_hash="sha256:abc",
    figures={"dice": {"L1": 0.91, "L2": 0.9}},
    failures=("metal", "ßtrange letters"),
)


@pytest.fixture
def models(tmp_path, monkeypatch):
    """The user's own folder of models, and none shipped."""
    monkeypatch.setenv(weights.USER_FOLDER, str(tmp_path / "models"))
    monkeypatch.setattr(weights, "resource_path", lambda *parts: tmp_path / "shipped")
    return tmp_path / "models"


@pytest.fixture
def tiny(models):
    save_model(models / "tiny", EdgeAttentionUNet(1, 3, 2), CARD)
    return models / "tiny"


def edit_card(folder: Path, **changes):
    path = folder / "card.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")


@pytest.mark.parametrize(
    "model", [EdgeAttentionUNet(1, 3, 2, False), StackedHourglass(1, 2, 2, 2)], ids=lambda m: type(m).__name__
)
def test_weights_come_back_bit_by_bit_in_float16(models, model):
    card = save_model(models / "a", model, CARD)
    loaded, read = load_model("a", "cpu")
    assert read == card and read.failures == CARD.failures
    assert type(loaded) is type(model) and not loaded.training
    for name, value in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value.half().float()), name
    assert save_model(models / "b", loaded, CARD).sha256 == card.sha256


def test_a_loaded_network_answers_as_the_saved_one_does(tiny):
    model = EdgeAttentionUNet(1, 3, 2)
    model.load_state_dict({name: value.half().float() for name, value in model.state_dict().items()})
    save_model(tiny, model, CARD)
    image = torch.randn(1, 1, 32, 32, 32)
    with torch.inference_mode():
        assert torch.equal(load_model(tiny, "cpu")[0](image), model.eval()(image))


def test_a_model_is_found_by_name_and_by_folder(tiny):
    assert load_model("tiny", "cpu")[1] == load_model(tiny, "cpu")[1] == load_model(str(tiny), torch.device("cpu"))[1]


def test_the_users_model_goes_before_a_shipped_one_of_the_same_name(tiny):
    shipped = tiny.parent.parent / "shipped"
    save_model(shipped / "tiny", EdgeAttentionUNet(1, 3, 2), CARD)
    save_model(shipped / "other", EdgeAttentionUNet(1, 3, 2), CARD)
    assert {entry.name: entry.folder.parent for entry in list_models()} == {"tiny": tiny.parent, "other": shipped}
    assert load_model("tiny", "cpu")[1].sha256 == json.loads((tiny / "card.json").read_text())["sha256"]


def test_an_unknown_name_is_refused_with_the_known_ones(tiny):
    with pytest.raises(InputError, match="no model 'huge'; installed: tiny"):
        load_model("huge")


def test_an_available_model_is_listed_with_its_card(tiny):
    [entry] = list_models()
    assert (entry.name, entry.folder, entry.unavailable) == ("tiny", tiny, "")
    assert entry.card.figures["dice"]["L1"] == 0.91
    assert entry.card.provenance == "Trained on simulated images; for research"


def tamper(folder):
    path = folder / "weights.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def cut_short(folder):
    path = folder / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:100])


BROKEN = {
    "one bit changed": (tamper, "weights.safetensors' is damaged or was changed"),
    "cut short": (cut_short, "weights.safetensors' is damaged or was changed"),
    "no weights": (lambda folder: (folder / "weights.safetensors").unlink(), "weights.safetensors' cannot be read"),
    "no card": (lambda folder: (folder / "card.json").unlink(), "card.json' is not a readable model card"),
    "card not JSON": (lambda folder: (folder / "card.json").write_text("{"), "card.json' is not a readable model card"),
    "card empty": (lambda folder: (folder / "card.json").write_text("[]"), "card.json' is not a model card"),
    "no licence": (lambda folder: edit_card(folder, licence=""), r"card.json' is not a model card: \$.licence"),
    "of the future": (
        lambda folder: edit_card(folder, architecture={"name": "Mamba", "arguments": {}}),
        "card.json' asks for the architecture 'Mamba', unknown here",
    ),
}


@pytest.mark.parametrize(("harm", "says"), BROKEN.values(), ids=BROKEN)
def test_a_damaged_model_is_refused_and_the_listing_says_why(tiny, harm, says):
    harm(tiny)
    with pytest.raises(InputError, match=says):
        load_model("tiny", "cpu")
    [entry] = list_models()
    assert says.split("'")[-1].strip("$\\.") in entry.unavailable or "licence" in entry.unavailable


def test_weights_of_another_network_are_refused(tiny):
    edit_card(
        tiny, architecture={"name": "EdgeAttentionUNet", "arguments": {"in_channels": 1, "classes": 4, "width": 2}}
    )
    with pytest.raises(InputError, match="weights.safetensors' does not fit its card .*head"):
        load_model(tiny, "cpu")


def test_arguments_the_network_does_not_know_are_refused(tiny):
    edit_card(tiny, architecture={"name": "EdgeAttentionUNet", "arguments": {"depth": 9}})
    with pytest.raises(InputError, match=r"card.json': EdgeAttentionUNet cannot be built"):
        load_model(tiny, "cpu")


def test_a_file_that_is_no_safetensors_is_refused_even_with_its_checksum(tiny):
    (tiny / "weights.safetensors").write_bytes(b"not tensors")
    edit_card(tiny, sha256=sha256(b"not tensors").hexdigest())
    with pytest.raises(InputError, match="weights.safetensors' does not fit its card"):
        load_model(tiny, "cpu")


def test_without_torch_the_listing_says_so(tiny, monkeypatch):
    monkeypatch.setattr(weights, "missing_packages", lambda: ["torch"])
    [entry] = list_models()
    assert entry.unavailable == "torch not installed" and entry.card.name == "tiny"


def test_weights_that_are_not_finite_are_not_saved_and_the_older_ones_stay(tiny):
    before = {path.name: path.read_bytes() for path in tiny.iterdir()}
    model = EdgeAttentionUNet(1, 3, 2)
    with torch.no_grad():
        model.head.weight[0] = 1e6
    with pytest.raises(InputError, match="'head.weight' is not finite in float16"):
        save_model(tiny, model, CARD)
    assert {path.name: path.read_bytes() for path in tiny.iterdir()} == before


def test_a_card_that_follows_no_schema_leaves_nothing_behind(tmp_path):
    with pytest.raises(InputError, match="card of 'no spaces' is not a model card"):
        save_model(tmp_path / "new", EdgeAttentionUNet(1, 3, 2), ModelCard(**{**vars(CARD), "name": "no spaces"}))
    assert not (tmp_path / "new").exists()


def test_more_than_fifteen_megabytes_are_refused(tmp_path):
    with pytest.raises(InputError, match="would have 19.* MB, 15 MB are the most"):
        save_model(tmp_path / "wide", EdgeAttentionUNet(1, 3, 28), CARD)


def test_networks_of_full_width_fit_the_file(tmp_path):
    for model in (EdgeAttentionUNet(1, 27), StackedHourglass()):
        save_model(tmp_path / "full", model, CARD)
        assert (tmp_path / "full" / "weights.safetensors").stat().st_size <= 15e6


def test_a_network_that_could_not_be_loaded_again_is_not_saved(tmp_path):
    with pytest.raises(InputError, match="Conv3d is not an architecture"):
        save_model(tmp_path / "other", nn.Conv3d(1, 1, 1), CARD)


def test_figures_get_onto_a_card_and_the_weights_stay_as_they_are(tiny):
    before = (tiny / "weights.safetensors").read_bytes()
    card = weights.update_card(tiny, {"dice": {"L3": 0.93}}, ["thick slices"])
    assert card.figures == {"dice": {"L3": 0.93}} and card.failures == ("thick slices",)
    assert list_models()[0].card == card
    assert (tiny / "weights.safetensors").read_bytes() == before
    with pytest.raises(ValueError, match="not JSON compliant"):
        weights.update_card(tiny, {"dice": float("nan")}, [])
    assert list_models()[0].card == card
