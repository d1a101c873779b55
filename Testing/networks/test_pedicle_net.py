import pytest

torch = pytest.importorskip("torch")

from spinescrew.networks.card import ModelCard  # noqa: E402
from spinescrew.networks.pedicle_net import Judging, PedicleNet  # noqa: E402
from spinescrew.networks.weights import load_model, save_model  # noqa: E402

SHAPE = (16, 24, 16)
CARD = ModelCard(name="net", task="judging", version="1", created="2026-01-01", trained_on="nothing")


@pytest.fixture
def net():
    torch.manual_seed(0)
    return PedicleNet(SHAPE, width=4).eval()


def test_maps_lie_on_the_image_and_the_judgement_has_four_figures(net):
    maps, judgement = net(torch.zeros(2, 1, *SHAPE))
    assert maps.shape == (2, 2, *SHAPE)
    assert judgement.shape == (2, 4)


def test_the_judgement_knows_how_large_a_thing_is(net):
    """With a norm in the judging part a scaled depth would look the same."""
    image = torch.randn(1, 1, *SHAPE)
    with torch.no_grad():
        before = net(image)[1]
        net.maps.weight.mul_(3.0)
        assert not torch.allclose(net(image)[1], before, atol=1e-3)


def test_calibration_takes_the_place_of_the_first_logit(net):
    judgement = torch.tensor([[1.0, 2.0, 3.0, 4.0]])
    assert float(net.logit(judgement)) == 1.0
    net.calibrate(torch.tensor([0.5, 0.0, 2.0, 0.0]), -1.0)
    assert float(net.logit(judgement)) == pytest.approx(5.5)


def test_calibration_travels_with_the_weights(net, tmp_path):
    net.calibrate(torch.tensor([0.5, 0.25, 2.0, -1.0]), -1.5)
    save_model(tmp_path / "net", net, CARD)
    again, _ = load_model(tmp_path / "net", "cpu")
    assert torch.allclose(again.weights, net.weights, atol=1e-3)
    assert float(again.bias) == -1.5


def test_what_speaks_against_is_the_negative_of_what_speaks_for(net):
    image = torch.randn(1, 1, *SHAPE)
    with torch.no_grad():
        assert torch.equal(Judging(net, against=True)(image), -Judging(net)(image))


def test_half_precision_leaves_the_judgement_in_full():
    net = PedicleNet(SHAPE, width=4).eval()
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        maps, judgement = net(torch.randn(1, 1, *SHAPE))
    assert maps.dtype == torch.bfloat16
    assert judgement.dtype == torch.float32
