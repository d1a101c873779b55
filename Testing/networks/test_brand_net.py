"""The network that names systems, and what joins four of them."""

import pytest
import torch

from spinescrew.errors import InputError
from spinescrew.networks import ModelCard, load_model, save_model, weights
from spinescrew.networks.brand_names import OTHER
from spinescrew.networks.brand_net import BrandEnsemble, BrandNet, with_imagenet

CARD = ModelCard(name="brand-ap", task="brands", version="0.1", created="2026-01-31", trained_on="nothing")


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(3)


def test_outputs_are_the_systems_and_all_others():
    net = BrandNet(["A", "B"], "ap").eval()
    assert net.outputs == ("A", "B", OTHER)
    assert net(torch.zeros(2, 3, 64, 64)).shape == (2, 3)
    assert BrandNet(["A", "B"], other=False).outputs == ("A", "B")


def test_it_has_the_size_that_is_allowed():
    assert sum(p.numel() for p in BrandNet([str(n) for n in range(7)]).parameters()) < 7.5e6


def test_a_model_and_an_ensemble_come_back_from_their_files(tmp_path, monkeypatch):
    monkeypatch.setenv(weights.USER_FOLDER, str(tmp_path))
    net = BrandNet(["A", "B"], "lat").eval()
    net.calibrate(2.5)
    save_model(tmp_path / "brand-lat", net, CARD)
    again, card = load_model("brand-lat", "cpu")
    assert card.architecture.arguments["kind"] == "lat"
    assert float(again.temperature) == 2.5
    ensemble = BrandEnsemble(["A", "B"], [["ap"], ["ap", "lat"]])
    ensemble.fit(1, torch.ones(6, 3), torch.tensor([0.5, 0.0, 1.0]), 1.5)
    save_model(tmp_path / "brand-ensemble", ensemble, CARD)
    found, _ = load_model("brand-ensemble", "cpu")
    rows, bias, least = found.values(found.part(["lat", "ap"]))
    assert rows.shape == (6, 3)
    assert bias.tolist() == [0.5, 0.0, 1.0]
    assert least == 1.5


def test_a_subset_that_was_not_fitted_is_refused():
    with pytest.raises(InputError, match="no ensemble of concat"):
        BrandEnsemble(["A", "B"], [["ap"]]).part(["concat"])


def test_an_untrained_ensemble_is_the_mean_of_its_members():
    rows, bias, _ = BrandEnsemble(["A", "B"], [["ap", "lat"]]).values(0)
    assert torch.equal(rows, torch.eye(3).repeat(2, 1) / 2)
    assert not bias.any()


def test_a_network_with_one_system_more_keeps_what_it_knew():
    old, new = BrandNet(["A", "B"]).eval(), BrandNet(["A", "B", "C"]).eval()
    new.take_over(old)
    crops = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        before, after = old(crops)[0], new(crops)[0]
    assert torch.allclose(before[:2], after[:2], atol=1e-5)
    assert torch.allclose(before[2], after[3], atol=1e-5)
    assert torch.allclose(after[2], before[2], atol=1e-5)
    old, new = BrandNet(["A", "B"], other=False).eval(), BrandNet(["C"], other=False).eval()
    new.take_over(old)
    with torch.inference_mode():
        assert torch.allclose(new(crops)[0, 0], old(crops)[0].mean(), atol=1e-5)


def test_published_weights_are_taken_over_under_their_own_names(tmp_path):
    given = BrandNet(["x"] * 3, other=False)
    published = {}
    for name, value in given.body.state_dict().items():
        parts = name.split(".")
        published[".".join(parts[:1] + parts[2:]) if name.startswith("_blocks.") else name] = value
    torch.save(published, tmp_path / "efficientnet-b0-1.pth")
    net = with_imagenet(BrandNet(["A", "B"]), tmp_path / "efficientnet-b0-1.pth")
    assert torch.equal(net.body._conv_stem.weight, given.body._conv_stem.weight)
    name = "_blocks.4.9._project_conv.weight"
    assert torch.equal(net.body.state_dict()[name], given.body.state_dict()[name])
    torch.save({"other": torch.zeros(1)}, tmp_path / "wrong.pth")
    with pytest.raises(InputError, match="does not hold the weights"):
        with_imagenet(BrandNet(["A"]), tmp_path / "wrong.pth")
