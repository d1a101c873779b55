"""Room for networks that halve their maps four times."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import pad

MULTIPLE = 16


def pad_to_multiple(image: Tensor) -> Tensor:
    """``image`` (N, C, i, j, k) with its last voxels repeated up to multiples of 16, and at least 32, along each axis.

    With 16 along all three a single voxel would be left at the bottom, and instance norm needs more than one.
    """
    missing = [max(-n % MULTIPLE, 2 * MULTIPLE - n) for n in image.shape[2:]]
    if not any(missing):
        return image
    return pad(image, [0, missing[2], 0, missing[1], 0, missing[0]], mode="replicate")
