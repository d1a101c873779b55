"""A 3D U-Net whose skip connections are weighted by the edges of what they carry (Wang et al. 2024, AISPINE)."""

from __future__ import annotations

import torch
from monai.networks.blocks import Convolution
from torch import Tensor, nn

from spinescrew.networks.canny import canny_attention
from spinescrew.networks.padding import pad_to_multiple

# channels per level, in widths; doubling to the bottom would put most parameters where there are the fewest voxels
_GROWTH = (1, 2, 4, 6, 10)


class EdgeAttentionUNet(nn.Module):
    """Four levels down by max pooling, four up by transposed convolution, two 3x3x3 convolutions on each.

    Each skip connection carries ``skip * (1 + alpha * edges)``: the Canny edges of the encoder's feature maps, with an
    ``alpha`` of its own that is learned. Instance norm, as batches are of one or two.

    Parameters
    ----------
    in_channels, classes:
        Channels of the image (N, in_channels, i, j, k) and of the logits (N, classes, i, j, k), background included.
    width:
        Channels of the first level.
    edge_attention:
        Without it the skip connections carry the feature maps as they are.
    """

    def __init__(self, in_channels: int, classes: int, width: int = 24, edge_attention: bool = True) -> None:
        super().__init__()
        self.arguments = {
            "in_channels": in_channels,
            "classes": classes,
            "width": width,
            "edge_attention": edge_attention,
        }
        channels = [width * factor for factor in _GROWTH]
        inputs = [in_channels, *channels[:-1]]
        self.down = nn.ModuleList(_level(a, b) for a, b in zip(inputs, channels, strict=True))
        pairs = list(zip(channels[1:], channels[:-1], strict=True))
        self.enlarge = nn.ModuleList(nn.ConvTranspose3d(below, here, 2, stride=2) for below, here in pairs)
        self.up = nn.ModuleList(_level(2 * here, here) for _, here in pairs)
        self.pool = nn.MaxPool3d(2)
        self.head = nn.Conv3d(width, classes, 1)
        self.alpha = nn.Parameter(torch.ones(len(pairs))) if edge_attention else None

    def forward(self, image: Tensor) -> Tensor:
        """Logits (N, classes, i, j, k) of an image (N, in_channels, i, j, k) of any size."""
        size = image.shape[2:]
        features = pad_to_multiple(image)
        skips = []
        for level in self.down[:-1]:
            features = level(features)
            skips.append(features)
            features = self.pool(features)
        features = self.down[-1](features)
        for depth in reversed(range(len(skips))):
            joined = torch.cat([self._weighted(skips.pop(), depth), self.enlarge[depth](features)], dim=1)
            features = self.up[depth](joined)
        logits: Tensor = self.head(features)
        return logits[..., : size[0], : size[1], : size[2]]

    def _weighted(self, skip: Tensor, depth: int) -> Tensor:
        if self.alpha is None:
            return skip
        return skip * (1 + self.alpha[depth].to(skip.dtype) * canny_attention(skip))


def _level(inputs: int, outputs: int) -> nn.Sequential:
    """Two 3x3x3 convolutions, each with its norm and activation."""
    return nn.Sequential(
        *(
            Convolution(
                3,
                channels,
                outputs,
                kernel_size=3,
                adn_ordering="NA",
                norm=("instance", {"affine": True}),
                act=("leakyrelu", {"negative_slope": 0.01, "inplace": True}),
                bias=False,
            )
            for channels in (inputs, outputs)
        )
    )
