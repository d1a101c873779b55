"""A 2D U-Net that finds screws in a radiograph: what each pixel shows, and where shafts begin and end."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from monai.networks.nets import BasicUNet
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, pad, smooth_l1_loss

CLASSES = 3
BACKGROUND, SHAFT, HEAD = range(CLASSES)
"""What a pixel shows; a head (tulip, set screw) hides a shaft."""

NECK, TIP = 3, 4
TO_TIP, TO_NECK = slice(5, 7), slice(7, 9)
CHANNELS = 9
"""Three logits, heat logits of necks and tips, (columns, rows) from neck to tip, and from tip to neck."""

OFFSET_PX = 32.0
"""Offsets are learned in units of this many pixels."""

_MULTIPLE = 16
_NEAR = 0.3
_RARE = -4.0
_HEAT, _OFFSETS = 2.0, 1.5


class ScrewNet(nn.Module):
    """Classes, heat of necks and tips, and the way from each to the other, at every pixel.

    Esfandiari 2018 segments head, shaft and background; the heat and the offsets are added so that screws which cross
    or hide behind each other come apart.

    Parameters
    ----------
    features:
        Channels of the five levels, and of the last one on the way up.
    """

    def __init__(self, features: Sequence[int] = (16, 32, 64, 128, 160, 16)) -> None:
        super().__init__()
        self.arguments = {"features": list(features)}
        self.body = BasicUNet(
            spatial_dims=2,
            in_channels=1,
            out_channels=CHANNELS,
            features=tuple(features),  # type: ignore[arg-type]
            act=("leakyrelu", {"negative_slope": 0.01, "inplace": True}),
            norm=("instance", {"affine": True}),
            upsample="deconv",
        )
        with torch.no_grad():
            # Points are rare: a network that begins with none of them need not unlearn one at every pixel.
            self.body.final_conv.bias[NECK : TIP + 1] = _RARE

    def forward(self, image: Tensor) -> Tensor:
        """Logits, heat and offsets (N, 9, rows, columns) of images (N, 1, rows, columns), see :data:`CHANNELS`."""
        rows, columns = image.shape[2:]
        below, right = (-n % _MULTIPLE for n in (rows, columns))
        padded = pad(image, (0, right, 0, below), mode="replicate")
        found: Tensor = self.body(padded)
        return found[..., :rows, :columns]


def screw_loss(outputs: Tensor, classes: Tensor, heat: Tensor, offsets: Tensor) -> Tensor:
    """Classes (cross entropy and Dice), heat (focal, as CenterNet has it: Zhou 2019) and offsets near the points.

    Parameters
    ----------
    outputs:
        (N, 9, rows, columns) of :class:`ScrewNet`.
    classes:
        (N, rows, columns) whole numbers.
    heat:
        (N, 2, rows, columns) 0..1, necks and tips.
    offsets:
        (N, 4, rows, columns) in pixels, to the tip and to the neck; NaN where it is not known.
    """
    outputs = outputs.float()
    logits = outputs[:, :CLASSES]
    weights = torch.tensor([1.0, 2.0, 2.0], device=logits.device)
    loss = cross_entropy(logits, classes, weight=weights)
    shares = logits.softmax(dim=1)
    for value in (SHAFT, HEAD):
        wanted = (classes == value).float()
        loss = loss + 0.5 * (1 - (2 * (shares[:, value] * wanted).sum() + 1) / ((shares[:, value] + wanted).sum() + 1))
    points = outputs[:, NECK : TIP + 1]
    loss = loss + _HEAT * _focal(points, heat)
    near = torch.repeat_interleave((heat > _NEAR).float(), 2, dim=1) * offsets.isfinite()
    wanted = offsets.nan_to_num(0.0) / OFFSET_PX
    off = smooth_l1_loss(outputs[:, TO_TIP.start : TO_NECK.stop], wanted, beta=0.1, reduction="none")
    return loss + _OFFSETS * (off * near).sum() / near.sum().clamp(min=1.0)


def _focal(logits: Tensor, heat: Tensor) -> Tensor:
    """Cross entropy in which easy pixels and those beside a point count little, by the number of points."""
    share = logits.sigmoid().clamp(1e-4, 1 - 1e-4)
    peak = (heat > 0.95).float()
    hit = (1 - share) ** 2 * share.log() * peak
    miss = share**2 * (1 - share).log() * (1 - heat) ** 4 * (1 - peak)
    return -(hit.sum() + miss.sum()) / peak.sum().clamp(min=1.0)
