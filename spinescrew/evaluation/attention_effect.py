"""Whether attention means something: what hiding it does to the answer, against hiding some other bone.

A map that only looks right would change nothing. The most attended tenth of the box is hidden behind the box's mean,
and so is a contiguous piece of bone as large, grown from a random voxel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.feasibility.attention import attention
from spinescrew.feasibility.judge import pedicle_image
from spinescrew.feasibility.pose import PediclePose
from spinescrew.geometry.volume import Volume

HIDDEN_SHARE = 0.1
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class AttentionEffect:
    """Change of the probability (0..1) when the attended part is hidden, and when random bone is (mean of some)."""

    attended: float
    elsewhere: float


def attention_effect(
    model: Any,
    ct: Volume,
    pose: PediclePose,
    depth: NDArray[np.float32],
    random: np.random.Generator,
    *,
    pieces: int = 4,
) -> AttentionEffect:
    """Hide and ask again.

    Parameters
    ----------
    depth:
        mm below the cortex on the pedicle's box: bone is where it is positive.
    pieces:
        How many random pieces of bone are tried.
    """
    image = pedicle_image(ct, pose)
    looked = attention(model, ct, pose, "cpu").array
    count = int(HIDDEN_SHARE * looked.size)
    attended = np.zeros(looked.shape, bool)
    attended.reshape(-1)[np.argsort(looked, axis=None)[-count:]] = True
    whole = _probability(model, image)
    change = abs(_probability(model, hidden(image, attended)) - whole)
    others = [
        abs(_probability(model, hidden(image, random_piece(depth > 0, count, random))) - whole) for _ in range(pieces)
    ]
    return AttentionEffect(change, float(np.mean(others)))


def hidden(image: NDArray[np.float32], where: Mask) -> NDArray[np.float32]:
    """``image`` (1, i, j, k) with its mean in place of what is at ``where`` (i, j, k)."""
    out = image.copy()
    out[0, where] = image.mean()
    return out


def random_piece(bone: Mask, count: int, random: np.random.Generator) -> Mask:
    """The ``count`` voxels of bone nearest to a random one of them; all of it where there is less."""
    voxels = np.argwhere(bone)
    out = np.zeros(bone.shape, bool)
    if len(voxels):
        away = ((voxels - voxels[int(random.integers(len(voxels)))]) ** 2).sum(axis=1)
        out[tuple(voxels[np.argsort(away)[:count]].T)] = True
    return out


def _probability(model: Any, image: NDArray[np.float32]) -> float:
    import torch

    with torch.inference_mode():
        return float(model.logit(model(torch.from_numpy(image)[None])[1])[0].sigmoid())
