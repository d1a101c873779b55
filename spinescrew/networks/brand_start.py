"""A first lesson for EfficientNet-b0 from random weights: judged at every depth, it leaves chance much sooner."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from spinescrew.networks.brand_net import BrandNet

_STAGES = {1: 24, 2: 40, 4: 112, 6: 320}
"""Stages of EfficientNet-b0 that have a judge of their own, and their channels."""

_WIDE = 128


class BrandStart(nn.Module):
    """A network of systems with judges at four depths (deep supervision, Lee 2015); only ``net`` is kept afterwards.

    Parameters
    ----------
    net:
        Random weights are what it is made for.
    """

    squeezes = BrandNet.squeezes

    def __init__(self, net: BrandNet) -> None:
        super().__init__()
        self.net = net
        self.judges = nn.ModuleDict({str(k): _judge(wide, len(net.outputs)) for k, wide in _STAGES.items()})

    def forward(self, crops: Tensor) -> tuple[Tensor, ...]:
        """Logits (N, outputs): of the network itself, then of the judges from the shallowest to the deepest."""
        body = self.net.body
        x = crops.contiguous(memory_format=torch.channels_last)
        x = body._swish(body._bn0(body._conv_stem(body._conv_stem_padding(x))))
        judged = []
        for number, stage in enumerate(body._blocks):
            x = stage(x)
            if str(number) in self.judges:
                judged.append(self.judges[str(number)](x))
        x = body._swish(body._bn1(body._conv_head(body._conv_head_padding(x))))
        x = body._dropout(body._avg_pooling(x).flatten(start_dim=1))
        return body._fc(x), *judged


def _judge(channels: int, outputs: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(channels, _WIDE, 1, bias=False),
        nn.BatchNorm2d(_WIDE),
        nn.SiLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(_WIDE, outputs),
    )
