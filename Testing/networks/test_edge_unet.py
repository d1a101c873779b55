"""The edge-attention U-Net: its size, the shapes it takes, and that it learns."""

import pytest
import torch
from torch.nn.functional import cross_entropy

from spinescrew.networks.edge_unet import EdgeAttentionUNet


@pytest.fixture(autouse=True)
def same_weights_every_time():
    torch.manual_seed(3)


def parameters(model):
    return sum(parameter.numel() for parameter in model.parameters())


def test_it_has_at_most_seven_and_a_half_million_parameters():
    assert 5e6 < parameters(EdgeAttentionUNet(1, 26)) <= 7.5e6


def test_edge_attention_adds_one_parameter_for_each_skip_connection():
    assert parameters(EdgeAttentionUNet(1, 5, 4)) - parameters(EdgeAttentionUNet(1, 5, 4, edge_attention=False)) == 4


@pytest.mark.parametrize("size", [(32, 32, 32), (37, 50, 33), (8, 61, 19), (1, 1, 1)], ids=str)
def test_the_answer_has_the_size_of_the_image(size):
    with torch.inference_mode():
        answer = EdgeAttentionUNet(2, 5, 4)(torch.randn(2, 2, *size))
    assert answer.shape == (2, 5, *size) and torch.isfinite(answer).all()


def test_padding_does_not_move_the_answer():
    model = EdgeAttentionUNet(1, 3, 4).eval()
    image = torch.randn(1, 1, 48, 48, 40)
    image[..., 38:] = image[..., 37:38]
    grown = torch.cat([image, image[..., -1:].expand(-1, -1, -1, -1, 8)], dim=-1)
    with torch.inference_mode():
        assert torch.allclose(model(image), model(grown)[..., :40], atol=1e-5)


def test_without_weight_on_the_edges_it_is_the_plain_network():
    edged, plain = EdgeAttentionUNet(1, 3, 4), EdgeAttentionUNet(1, 3, 4, edge_attention=False)
    plain.load_state_dict({name: value for name, value in edged.state_dict().items() if name != "alpha"})
    image = torch.randn(1, 1, 32, 32, 32)
    with torch.inference_mode():
        assert not torch.allclose(edged(image), plain(image), atol=1e-3)
        edged.alpha.zero_()
        assert torch.allclose(edged(image), plain(image))


@pytest.mark.parametrize("edge_attention", [True, False])
def test_it_learns_one_small_volume_by_heart(edge_attention):
    truth = torch.zeros(1, 32, 32, 32, dtype=torch.long)
    truth[:, 6:20, 8:24, 5:15] = 1
    truth[:, 22:28, 8:24, 10:28] = 2
    image = truth[:, None] * 0.3 + 0.1 * torch.randn(1, 1, 32, 32, 32)
    image = image.to(memory_format=torch.channels_last_3d)
    model = EdgeAttentionUNet(1, 3, 6, edge_attention).to(memory_format=torch.channels_last_3d)
    optimiser = torch.optim.AdamW(model.parameters(), lr=0.01)
    losses = []
    for _ in range(42):
        logits = model(image)
        loss = cross_entropy(logits, truth)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]
    right = logits.argmax(1) == truth
    assert right[truth > 0].float().mean() > 0.9 and right.float().mean() > 0.95


def test_every_weight_is_reached_by_the_gradient():
    model = EdgeAttentionUNet(1, 2, 4)
    model(torch.randn(1, 1, 32, 32, 32)).square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in model.parameters())


def test_it_works_in_mixed_precision():
    model = EdgeAttentionUNet(1, 3, 4).eval()
    image = torch.randn(1, 1, 32, 32, 32)
    with torch.inference_mode():
        full = model(image)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            half = model(image)
    assert half.dtype == torch.bfloat16
    assert (half.float() - full).abs().mean() < 0.1 * full.std()


def test_gradients_in_mixed_precision_are_finite_and_reach_the_edges_weight():
    model = EdgeAttentionUNet(1, 3, 4)
    image = torch.zeros(1, 1, 48, 48, 48)
    image[..., 6:26, 6:26, 6:26] = 1
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = model(image + 0.02 * torch.randn_like(image))
    logits.float().square().mean().backward()
    assert all(torch.isfinite(parameter.grad).all() for parameter in model.parameters())
    assert model.alpha.grad.count_nonzero() >= 3
