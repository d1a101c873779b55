"""Canny edges of volumes: where they are, where they are not, what they do to gradients."""

import itertools

import pytest
import torch

from spinescrew.networks.canny import canny_attention


def box(noise=0.0, low=6, high=18, size=24, seed=0):
    """A bright box on dark ground, voxels low to high - 1 along each axis."""
    image = torch.zeros(1, 1, size, size, size)
    image[..., low:high, low:high, low:high] = 1
    return image + noise * torch.randn(image.shape, generator=torch.Generator().manual_seed(seed))


def test_the_faces_of_a_box_are_its_outermost_voxels_at_full_strength():
    edges = canny_attention(box())[0, 0]
    face = edges[9:15, 9:15, :]
    expected = torch.zeros(24)
    expected[[6, 17]] = 1
    assert torch.allclose(face, expected.expand(6, 6, 24), atol=1e-4)


def test_inside_and_away_from_a_box_there_is_nothing():
    edges = canny_attention(box())[0, 0]
    edges[5:19, 5:19, 5:19] = 0
    assert edges.count_nonzero() == 0
    assert canny_attention(box())[0, 0, 7:17, 7:17, 7:17].count_nonzero() == 0


def test_noise_below_the_threshold_makes_no_edges_and_moves_none():
    edges = canny_attention(box(noise=0.03))[0, 0]
    face = edges[9:15, 9:15]
    at_the_step = (face[..., 5:7], face[..., 17:19])
    assert all(pair.amax(dim=-1).min() > 0.75 and pair.amin(dim=-1).max() == 0 for pair in at_the_step)
    edges[5:19, 5:19, 5:19] = 0
    assert edges.count_nonzero() == 0


def test_a_flat_map_has_no_edges_whatever_its_height():
    flat = torch.full((2, 3, 8, 8, 8), 700.0)
    assert canny_attention(flat).count_nonzero() == 0


def test_a_slow_ramp_is_not_an_edge():
    ramp = torch.linspace(0, 1, 40).view(1, 1, 1, 1, 40).expand(1, 1, 8, 8, 40)
    assert canny_attention(ramp).count_nonzero() == 0


@pytest.mark.parametrize("order", list(itertools.permutations((2, 3, 4)))[1:], ids=str)
def test_turning_the_axes_turns_the_edges(order):
    image = torch.zeros(1, 1, 20, 22, 24)
    image[..., 5:14, 7:12, 6:19] = 1
    image[..., 9:, 9:, :11] += 0.5
    axes = (0, 1, *order)
    turned = canny_attention(image.permute(axes).contiguous())
    assert torch.allclose(turned, canny_attention(image).permute(axes), atol=1e-4)


def test_a_sphere_is_closed_by_edges_at_its_radius():
    grid = torch.stack(torch.meshgrid(*[torch.arange(32.0) - 15.5] * 3, indexing="ij")).norm(dim=0)
    edges = canny_attention((grid < 10).float()[None, None])[0, 0] > 0
    assert (grid[edges] - 10).abs().max() < 1.05
    assert edges.sum() > 0.8 * 4 * torch.pi * 10**2


def test_a_weak_edge_counts_only_where_it_hangs_together_with_a_strong_one():
    image = torch.zeros(1, 1, 12, 12, 50)
    image[..., :6, :, 20:] = torch.linspace(0.3, 1, 20).repeat_interleave(2)[:30]
    image[..., :6, :, 4:12] = 0.3
    found = {n: canny_attention(image, low=0.15, high=0.5, rounds=n)[0, 0, 5, 6] > 0 for n in (0, 3, 30)}
    first = {n: int(row[20:].nonzero()[0]) for n, row in found.items()}
    assert first[0] > 3 and first[3] == first[0] - 3 and first[30] <= 1
    assert found[30][first[30] + 20 :].all()
    assert not found[30][4:12].any(), "just as weak, but alone"


def test_the_gradient_is_that_of_the_strength_on_the_edges():
    image = box(noise=0.02).double().float().requires_grad_()
    canny_attention(image).sum().backward()
    assert torch.isfinite(image.grad).all()
    assert image.grad[..., 6:9, 10:14, 10:14].abs().sum() > 0
    assert image.grad[..., :2, :2, :2].abs().sum() == 0


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16], ids=str)
def test_half_precision_finds_the_same_edges(kind):
    edges = canny_attention(box().to(kind))
    assert edges.dtype == kind
    assert torch.equal(edges > 0, canny_attention(box()) > 0)


def test_edges_are_of_the_mean_or_of_each_map():
    maps = torch.cat([box(), 3 * box(low=4, high=12), torch.zeros_like(box())], dim=1)
    each = canny_attention(maps, each=True)
    assert canny_attention(maps).shape == (1, 1, 24, 24, 24)
    assert torch.allclose(each[:, :1], canny_attention(box())) and each[:, 2].count_nonzero() == 0
    assert torch.allclose(each[:, 1:2], canny_attention(box(low=4, high=12)), atol=1e-5)
