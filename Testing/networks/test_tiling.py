"""Tiles put together are the whole."""

import numpy as np
import pytest
import torch
from torch import nn

from spinescrew.networks.tiling import predict_tiled
from spinescrew.progress import Cancelled, Progress


@pytest.fixture
def smoother():
    """A convolution that sees one voxel around, so that tiles err at their borders only."""
    torch.manual_seed(0)
    return nn.Conv3d(2, 3, 3, padding=1, padding_mode="replicate")


class Listed(nn.Module):
    def forward(self, image):
        return [image * 0, image * 2]


class Inner(nn.Module):
    """The identity, wrong at the border of each tile."""

    def forward(self, image):
        answer = image.clone()
        answer[..., 0] = 1e3
        return answer


def test_a_pointwise_network_gives_the_same_tiled_and_whole():
    model = nn.Conv3d(2, 3, 1)
    image = torch.randn(2, 50, 41, 37)
    with torch.no_grad():
        whole = model(image[None])[0]
    tiled = predict_tiled(model, image, (16, 24, 32), 0.5, batch=3)
    assert tiled.shape == (3, 50, 41, 37) and tiled.dtype == torch.float32
    assert torch.allclose(tiled, whole, atol=1e-5)


def test_a_convolution_gives_the_same_tiled_and_whole(smoother):
    image = torch.randn(2, 48, 64, 48)
    with torch.no_grad():
        whole = smoother(image[None])[0]
    error = (predict_tiled(smoother, image, (32, 32, 32), 0.5) - whole).abs()
    assert error.mean() < 2e-4 * whole.std() and error.max() < 0.01 * whole.std()
    assert torch.allclose(predict_tiled(smoother, image, (64, 64, 64)), whole, atol=1e-5)


def test_the_border_of_a_tile_counts_least():
    image = torch.zeros(1, 16, 16, 64)
    inner = predict_tiled(Inner(), image, (16, 16, 32), 0.5)[..., 16:32]
    assert inner.max() < 1


def test_an_image_smaller_than_a_tile_comes_back_in_its_own_size(smoother):
    image = torch.randn(2, 5, 17, 9)
    with torch.no_grad():
        whole = smoother(image[None])[0]
    assert torch.allclose(predict_tiled(smoother, image, (96, 96, 96)), whole, atol=1e-5)


def test_of_a_list_the_last_answer_counts():
    image = np.ones((1, 20, 20, 20), np.float32)
    assert torch.allclose(predict_tiled(Listed(), image, (16, 16, 16)), torch.tensor(2.0))


def test_half_precision_gives_float16_close_to_the_full_answer(smoother):
    image = torch.randn(2, 32, 32, 32)
    full = predict_tiled(smoother, image, (32, 32, 32))
    half = predict_tiled(smoother, image, (32, 32, 32), precision=torch.bfloat16)
    assert half.dtype == torch.float16
    assert 0 < (half - full).abs().mean() < 0.02


def test_the_network_is_left_in_the_mode_it_was_in():
    model = nn.Sequential(nn.Dropout(0.9), nn.Sigmoid()).train()
    image = torch.ones(1, 16, 16, 16)
    assert torch.allclose(predict_tiled(model, image, (16, 16, 16)), image.sigmoid())
    assert model.training


def test_progress_rises_from_zero_in_equal_steps_to_just_below_one():
    seen = []
    progress = Progress(lambda fraction, text: seen.append(fraction))
    predict_tiled(nn.Identity(), torch.zeros(1, 40, 16, 50), (16, 16, 32), 0.5, batch=2, progress=progress)
    assert len(seen) == 6 and seen[0] == 0
    assert np.allclose(np.diff(seen), 1 / 6, atol=1e-6)


def test_a_cancel_takes_effect_before_the_next_tile():
    calls = []

    class Counting(nn.Module):
        def forward(self, image):
            calls.append(1)
            progress.cancel()
            return image

    progress = Progress()
    with pytest.raises(Cancelled):
        predict_tiled(Counting(), torch.zeros(1, 64, 64, 64), (16, 16, 16), progress=progress)
    assert len(calls) == 1
