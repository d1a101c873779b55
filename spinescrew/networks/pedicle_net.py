"""One network that sees a C2 pedicle, says where its cortex is, and judges whether a screw stays inside.

Bao et al. (2026, C2-Net) segment the pedicles and classify each from the same image. Here the judgement is made on
what the segmentation found, in mm: features and the depth below the cortex go on into the judging part unnormalised,
as the width of a pedicle is an absolute thing.
"""

from __future__ import annotations

import itertools
from math import prod

import torch
from monai.networks.blocks import Convolution
from torch import Tensor, nn

MAPS, MEASURES = 2, 2
"""Maps: depth below the cortex in mm, logit of the pedicle. Measures: minimum diameter and wall at its worst, mm."""

_GROWTH = (1, 2, 4, 6)
_JUDGING = (2, 3, 4)
_COARSEST = 8
_SQUEEZED = 8


class PedicleNet(nn.Module):
    """A U-Net of three levels down and up, and a judging part on top of its last features, its maps and its bottom.

    Parameters
    ----------
    shape:
        Voxels of the image along i, j, k, multiples of 8: the judging part knows where in the box it looks.
    width:
        Channels of the first level.
    """

    def __init__(self, shape: tuple[int, int, int] | list[int], width: int = 12) -> None:
        super().__init__()
        self.arguments = {"shape": list(shape), "width": width}
        channels = [width * factor for factor in _GROWTH]
        self.down = nn.ModuleList(_level(a, b) for a, b in zip([1, *channels[:-1]], channels, strict=True))
        pairs = list(zip(channels[1:], channels[:-1], strict=True))
        self.enlarge = nn.ModuleList(nn.ConvTranspose3d(below, here, 2, stride=2) for below, here in pairs)
        self.up = nn.ModuleList(_level(2 * here, here) for _, here in pairs)
        self.pool = nn.MaxPool3d(2)
        self.maps = nn.Conv3d(width, MAPS, 1)
        seen = [width + MAPS, *(width * factor for factor in _JUDGING)]
        self.look = nn.Sequential(*(_strided(a, b) for a, b in itertools.pairwise(seen)))
        self.squeeze = nn.Conv3d(seen[-1] + channels[-1], _SQUEEZED, 1)
        places = _SQUEEZED * prod(size // _COARSEST for size in shape)
        self.judge = nn.Sequential(
            nn.LeakyReLU(0.01), nn.Flatten(), nn.Linear(places, 96), nn.LeakyReLU(0.01), nn.Linear(96, 2 + MEASURES)
        )
        # What a logistic regression on unseen cases adds afterwards (calibrate); until then the first logit as it is.
        self.weights: Tensor
        self.bias: Tensor
        self.register_buffer("weights", torch.eye(1, 2 + MEASURES)[0])
        self.register_buffer("bias", torch.zeros(1))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Of an image (N, 1, i, j, k): maps (N, 2, i, j, k), and the judgement (N, 4).

        The maps hold mm below the cortex and the logit of the pedicle. The judgement holds the logit of being feasible,
        the logit of the share of screws that stay inside, minimum diameter and worst wall in mm.
        """
        features, skips = image, []
        for level in self.down[:-1]:
            features = level(features)
            skips.append(features)
            features = self.pool(features)
        bottom = features = self.down[-1](features)
        for depth in reversed(range(len(skips))):
            features = self.up[depth](torch.cat([skips.pop(), self.enlarge[depth](features)], dim=1))
        maps = self.maps(features)
        looked = self.look(torch.cat([features, maps], dim=1))
        squeezed = self.squeeze(torch.cat([looked, bottom], dim=1))
        with torch.autocast(image.device.type, enabled=False):  # half precision would round widths to 0.03 mm
            return maps, self.judge(squeezed.float())

    def logit(self, judgement: Tensor) -> Tensor:
        """Calibrated logit (N,) of a judgement (N, 4)."""
        found: Tensor = judgement @ self.weights + self.bias
        return found

    def calibrate(self, weights: Tensor, bias: float) -> None:
        """Take over what a logistic regression of cases outside the training gave."""
        self.weights.copy_(weights)
        self.bias.fill_(bias)


class Judging(nn.Module):
    """The calibrated logit (N, 1) alone, or with ``against`` its negative, as attention maps ask for it."""

    def __init__(self, net: PedicleNet, against: bool = False) -> None:
        super().__init__()
        self.net, self.sign = net, -1.0 if against else 1.0

    def forward(self, image: Tensor) -> Tensor:
        return self.sign * self.net.logit(self.net(image)[1])[:, None]


def _level(inputs: int, outputs: int) -> nn.Sequential:
    """Two 3x3x3 convolutions, each with its norm and activation."""
    norm, act = ("instance", {"affine": True}), ("leakyrelu", {"negative_slope": 0.01, "inplace": True})
    return nn.Sequential(
        *(
            Convolution(3, channels, outputs, kernel_size=3, adn_ordering="NA", norm=norm, act=act, bias=False)
            for channels in (inputs, outputs)
        )
    )


def _strided(inputs: int, outputs: int) -> nn.Module:
    """A convolution that halves the grid, without a norm: how large a value is must survive."""
    return Convolution(
        3, inputs, outputs, strides=2, kernel_size=3, adn_ordering="A", act=("leakyrelu", {"negative_slope": 0.01})
    )
