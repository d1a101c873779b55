"""A network applied to images larger than it can take at once."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, prod

import numpy as np
import torch
from monai.inferers import sliding_window_inference
from monai.networks.utils import eval_mode
from numpy.typing import NDArray
from torch import Tensor, nn

from spinescrew.networks.padding import MULTIPLE
from spinescrew.progress import Progress


def predict_tiled(
    model: nn.Module,
    image: NDArray[np.float32] | Tensor,
    tile: Sequence[int],
    overlap: float = 0.25,
    *,
    device: torch.device | str = "cpu",
    precision: torch.dtype | None = None,
    batch: int = 1,
    progress: Progress | None = None,
) -> Tensor:
    """What ``model`` makes of ``image``, tile by tile, blended with Gaussian weights.

    Only ``batch`` tiles are on the device at a time; the result is put together in main memory.

    Parameters
    ----------
    model:
        On ``device``. If it returns a list, the last of it counts.
    image:
        (channels, i, j, k), as the network is given it (:func:`network_input`).
    tile:
        Voxels along i, j, k; along an axis on which the image is smaller, the image's size rounded up to 16, the
        outermost voxels repeated.
    overlap:
        Fraction of a tile shared with the next one.
    precision:
        Half precision to compute in (:func:`mixed_precision`), or ``None``.
    progress:
        Hears of each batch of tiles; a cancel takes effect between two.

    Returns
    -------
    Tensor
        (classes, i, j, k) on the CPU; float16 if computed in half precision, else float32.

    Raises
    ------
    Cancelled
        If a cancel was asked for.
    """
    whole = torch.as_tensor(image, dtype=torch.float32)[None]
    size = [min(wanted, ceil(n / MULTIPLE) * MULTIPLE) for wanted, n in zip(tile, whole.shape[2:], strict=True)]
    step = _Step(model, torch.device(device), precision, _tile_count(whole.shape[2:], size, overlap) / batch, progress)
    with eval_mode(model):
        result = sliding_window_inference(
            whole,
            size,
            batch,
            step,
            overlap=overlap,
            padding_mode="replicate",
            roi_weight_map=_weights(size),
            sw_device=device,
            device="cpu",
        )
    assert isinstance(result, Tensor)
    return result[0].to(torch.float16 if precision else torch.float32)


class _Step:
    """One batch of tiles through the network, in the wanted precision, and a word to whoever waits."""

    def __init__(
        self,
        model: nn.Module,
        device: torch.device,
        precision: torch.dtype | None,
        calls: float,
        progress: Progress | None,
    ) -> None:
        self.model, self.device, self.precision = model, device, precision
        self.calls, self.progress, self.done = calls, progress, 0

    def __call__(self, tiles: Tensor) -> Tensor:
        if self.progress is not None:
            self.progress.update(self.done / self.calls, "asking the network")
        with torch.autocast(self.device.type, dtype=self.precision, enabled=self.precision is not None):
            answer = self.model(tiles)
        self.done += 1
        final: Tensor = answer[-1] if isinstance(answer, list | tuple) else answer
        return final.float()


def _weights(size: Sequence[int]) -> Tensor:
    """A Gaussian over a tile, an eighth of it wide.

    An exact product of its axes: were it cut off below, tiles would count alike along the image's edges.
    """
    i, j, k = (torch.exp(-0.5 * ((torch.arange(n) - (n - 1) / 2) * (8 / n)) ** 2) for n in size)
    return i[:, None, None] * j[:, None] * k


def _tile_count(shape: Sequence[int], size: Sequence[int], overlap: float) -> int:
    return prod(
        1 + ceil(max(n - tile, 0) / max(int(tile * (1 - overlap)), 1)) for n, tile in zip(shape, size, strict=True)
    )
