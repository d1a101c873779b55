"""A stacked 3D hourglass that finds points as the maxima of heat maps (:mod:`spinescrew.networks.heat`)."""

from __future__ import annotations

import torch
from monai.networks.blocks import Convolution, ResidualUnit
from torch import Tensor, nn

from spinescrew.networks.padding import pad_to_multiple

# channels of the modules, in widths
_GROWTH = (1, 2, 4, 6)


class StackedHourglass(nn.Module):
    """Hourglasses in a row, each with heat maps of its own (Newell et al. 2016, in 3D).

    An hourglass has four modules down and four up; each is a group of three convolution-norm-ReLU with a residual in
    the third. Every hourglass after the first sees the features and heat maps before it.

    Parameters
    ----------
    in_channels, points:
        Channels of the image and of each heat map.
    stacks:
        Number of hourglasses.
    width:
        Channels at full resolution.
    """

    def __init__(self, in_channels: int = 1, points: int = 4, stacks: int = 2, width: int = 16) -> None:
        super().__init__()
        self.arguments = {"in_channels": in_channels, "points": points, "stacks": stacks, "width": width}
        self.stem = _convolution(in_channels, width, 3)
        self.hourglasses = nn.ModuleList(_Hourglass(width) for _ in range(stacks))
        self.features = nn.ModuleList(_convolution(width, width, 1) for _ in range(stacks))
        self.heads = nn.ModuleList(_head(width, points) for _ in range(stacks))
        self.returned = nn.ModuleList(nn.Conv3d(width + points, width, 1) for _ in range(stacks - 1))

    def forward(self, image: Tensor) -> list[Tensor]:
        """Logits of the heat maps (N, points, i, j, k) of each hourglass, the last one the best; images of any size."""
        i, j, k = image.shape[2:]
        current = self.stem(pad_to_multiple(image))
        heats: list[Tensor] = []
        for stack, hourglass in enumerate(self.hourglasses):
            features = self.features[stack](hourglass(current))
            heat = self.heads[stack](features)
            heats.append(heat[..., :i, :j, :k])
            if stack < len(self.returned):
                current = current + self.returned[stack](torch.cat([features, heat], dim=1))
        return heats


class _Hourglass(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        channels = [width * factor for factor in _GROWTH]
        below = [*channels[1:], channels[-1]]
        self.down = nn.ModuleList(_group(a, b) for a, b in zip([width, *channels[:-1]], channels, strict=True))
        self.pool = nn.MaxPool3d(2)
        self.up = nn.ModuleList(_group(count, count) for count in below)
        self.enlarge = nn.ModuleList(
            nn.ConvTranspose3d(a, b, 2, stride=2) for a, b in zip(below, channels, strict=True)
        )

    def forward(self, features: Tensor) -> Tensor:
        skips = []
        for module in self.down:
            features = module(features)
            skips.append(features)
            features = self.pool(features)
        for depth in reversed(range(len(skips))):
            features = skips[depth] + self.enlarge[depth](self.up[depth](features))
        return features


def _group(inputs: int, outputs: int) -> nn.Module:
    return ResidualUnit(
        3, inputs, outputs, subunits=3, adn_ordering="NA", act="relu", norm=("instance", {"affine": True}), bias=False
    )


def _convolution(inputs: int, outputs: int, size: int) -> nn.Module:
    norm = ("instance", {"affine": True})
    return Convolution(3, inputs, outputs, kernel_size=size, adn_ordering="NA", act="relu", norm=norm, bias=False)


def _head(inputs: int, points: int) -> nn.Module:
    """Begins with flat heat maps: any place is as likely as any other."""
    head = nn.Conv3d(inputs, points, 1)
    nn.init.normal_(head.weight, std=0.01)
    nn.init.zeros_(head.bias)  # type: ignore[arg-type]
    return head
