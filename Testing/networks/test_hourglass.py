"""The stacked hourglass and the read-out of its heat maps."""

import pytest
import torch

from spinescrew.networks.heat import MOST_SPREAD, heat_loss, heat_of, read_out, target_heat
from spinescrew.networks.hourglass import StackedHourglass

SHAPE = (40, 36, 44)


def scattered(count=40, seed=1):
    """Points (N, 4, 3) at least 5 voxels inside SHAPE."""
    generator = torch.Generator().manual_seed(seed)
    return 5 + torch.rand(count, 4, 3, generator=generator) * (torch.tensor(SHAPE) - 11.0)


def test_a_target_is_one_at_its_point_and_falls_off_as_a_gaussian():
    heat = target_heat(torch.tensor([[[10.0, 20.0, 15.0]]]), SHAPE, sigma=2.0)
    assert heat.shape == (1, 1, *SHAPE)
    assert heat[0, 0, 10, 20, 15] == 1
    assert heat[0, 0, 12, 20, 15] == pytest.approx(0.60653, abs=1e-4)


def test_a_point_that_is_absent_has_an_empty_map():
    points = torch.tensor([[[10.0, 20.0, 15.0], [float("nan")] * 3]])
    heat = target_heat(points, SHAPE, sigma=2.0)
    assert heat[0, 1].count_nonzero() == 0 and heat[0, 0].max() == 1


@pytest.mark.parametrize("sigma", [1.0, 1.5, 2.0, 3.0])
def test_points_are_read_to_a_twentieth_of_a_voxel_and_their_spread_too(sigma):
    points = scattered()
    found, spread = read_out(target_heat(points, SHAPE, sigma))
    assert (found - points).norm(dim=-1).max() < 0.05
    assert (spread - sigma).abs().max() < 0.15 * sigma


def test_a_second_lower_peak_and_a_pedestal_do_not_pull_the_point():
    points = scattered()
    far = (points + torch.tensor([20.0, 18.0, 22.0])) % torch.tensor(SHAPE)
    heat = target_heat(points, SHAPE, 2.0) + 0.5 * target_heat(far, SHAPE, 2.0) - 0.02
    found, _ = read_out(heat)
    assert (found - points).norm(dim=-1).median() < 0.05


def test_the_spread_grows_with_blur():
    spreads = [read_out(target_heat(scattered(), SHAPE, sigma))[1].mean() for sigma in (1.0, 2.0, 3.0, 4.0, 6.0)]
    assert spreads == sorted(spreads) and spreads[-1] > 5


def test_a_flat_or_empty_map_has_the_greatest_spread():
    assert torch.all(read_out(torch.zeros(1, 2, *SHAPE))[1] == MOST_SPREAD)
    nearly_flat = torch.ones(1, 1, *SHAPE)
    nearly_flat[..., 20, 18, 22] = 1.01
    assert read_out(nearly_flat)[1].item() > 0.8 * MOST_SPREAD


def test_points_near_the_border_stay_in_the_image():
    points = torch.tensor([[[0.3, 1.2, 0.0], [39.0, 35.0, 43.0]]])
    found, _ = read_out(target_heat(points, SHAPE, 2.0))
    assert (found - points).abs().max() < 1.5
    assert torch.all(found >= 0) and torch.all(found <= torch.tensor(SHAPE) - 1)


def test_maps_in_half_precision_are_read_as_well():
    points = scattered()
    found, _ = read_out(target_heat(points, SHAPE, 2.0).half())
    assert (found - points).norm(dim=-1).max() < 0.05


def test_it_has_at_most_seven_and_a_half_million_parameters():
    assert 4e6 < sum(parameter.numel() for parameter in StackedHourglass().parameters()) <= 7.5e6


@pytest.mark.parametrize(("stacks", "size"), [(1, (33, 32, 40)), (3, (20, 50, 32))])
def test_each_stack_returns_heat_maps_of_the_images_size(stacks, size):
    with torch.inference_mode():
        heats = StackedHourglass(2, 3, stacks, width=4)(torch.randn(1, 2, *size))
    assert [heat.shape for heat in heats] == [(1, 3, *size)] * stacks


def test_it_learns_one_small_case_by_heart():
    torch.manual_seed(3)
    points = torch.tensor([[[10.3, 12.6, 9.0], [20.0, 22.4, 21.7]]])
    target = target_heat(points, (32, 32, 32), 3.0)
    image = target[:, :1] - target[:, 1:] + 0.1 * torch.randn(1, 1, 32, 32, 32)
    model = StackedHourglass(1, 2, 2, width=4)
    optimiser = torch.optim.AdamW(model.parameters(), lr=0.01)
    losses = []
    for _ in range(25):
        heats = model(image)
        loss = torch.stack([(heat - target).square().mean() for heat in heats]).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[0] < 1.1 * len(heats) * target.square().mean(), "it begins with empty maps"
    assert losses[-1] < 0.1 * losses[0]
    assert (read_out(heats[-1].detach())[0] - points).norm(dim=-1).max() < 0.5


def test_every_weight_is_reached_by_the_gradient_of_the_last_stack():
    model = StackedHourglass(1, 2, 2, width=4)
    model(torch.randn(1, 1, 32, 32, 32))[-1].square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in model.parameters())


def test_the_loss_is_least_where_the_heat_is_and_unknown_points_do_not_count():
    points = torch.tensor([[[10.2, 8.0, 12.7], [5.0, 20.0, 6.0], [float("nan")] * 3]])
    logits = torch.log(target_heat(points.nan_to_num(3.0), (24, 24, 24), 2.0) + 1e-20)
    best = heat_loss(logits, points, 2.0)
    assert abs(best) < 1e-3
    assert heat_loss(logits.roll(1, dims=2), points, 2.0) > best + 0.05
    other = logits.clone()
    other[0, 2] = torch.randn(24, 24, 24)
    assert torch.isclose(heat_loss(other, points, 2.0), best)
    assert heat_loss(logits, torch.full_like(points, float("nan")), 2.0) == 0.0


def test_heat_of_what_the_loss_wants_is_read_where_the_points_are():
    points = torch.tensor([[[10.2, 8.0, 12.7]]])
    found, spread = read_out(heat_of(torch.log(target_heat(points, (24, 24, 24), 2.0) + 1e-20)))
    assert torch.allclose(found, points, atol=0.05) and abs(float(spread) - 2.0) < 0.1
