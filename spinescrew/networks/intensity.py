"""From Hounsfield units to what a network is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

WINDOW_CENTRE_HU = 150.0
WINDOW_WIDTH_HU = 1500.0


@overload
def network_input(ct: NDArray[Any]) -> NDArray[np.float32]: ...


@overload
def network_input(ct: torch.Tensor) -> torch.Tensor: ...


def network_input(ct: Any) -> Any:
    """CT in HU, any shape and number type, to float32 in [-1, 1]; what is NaN counts as air.

    The window has its centre at 150 HU and is 1500 HU wide, so that soft tissue, spongy bone and cortex keep their
    contrast and metal does not stretch the scale (Wang et al. 2024, AISPINE).
    """
    half = WINDOW_WIDTH_HU / 2
    if isinstance(ct, np.ndarray):
        scaled = (ct.astype(np.float32) - np.float32(WINDOW_CENTRE_HU)) / np.float32(half)
        return np.nan_to_num(np.clip(scaled, -1, 1, out=scaled), copy=False, nan=-1.0)
    return ct.float().sub(WINDOW_CENTRE_HU).div_(half).clamp_(-1, 1).nan_to_num_(nan=-1.0)
