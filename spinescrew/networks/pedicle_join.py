"""What joins a network's probability of a C2 pedicle with what was measured of it: three weights and a bias."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

FIGURES = ("logit of the network's probability", "minimum diameter mm", "wall along the corridor mm")


class PedicleJoin(nn.Module):
    """A logistic regression of three figures that saturate: far from its centre no figure outvotes the others.

    Parameters
    ----------
    network:
        SHA-256 of the weights of the network whose probability was joined; another one's means something else.
    centres, scales:
        Of each of :data:`FIGURES`: where it decides nothing, and how far from there it begins to saturate.
    """

    def __init__(
        self,
        network: str = "",
        centres: Sequence[float] = (0.0, 4.78, 0.64),
        scales: Sequence[float] = (4.0, 1.0, 0.5),
    ) -> None:
        super().__init__()
        self.arguments = {"network": network, "centres": list(centres), "scales": list(scales)}
        self.centres = torch.tensor([float(each) for each in centres], dtype=torch.float64)
        self.scales = torch.tensor([float(each) for each in scales], dtype=torch.float64)
        self.weights: Tensor
        self.bias: Tensor
        self.register_buffer("weights", torch.zeros(len(FIGURES)))
        self.register_buffer("bias", torch.zeros(1))

    def columns(self, figures: Tensor) -> Tensor:
        """Figures (N, 3) as the regression is given them, between -1 and 1."""
        return torch.tanh((figures.double() - self.centres) / self.scales)

    def forward(self, figures: Tensor) -> Tensor:
        """Logit (N,) of figures (N, 3), in the order of :data:`FIGURES`."""
        found: Tensor = self.columns(figures) @ self.weights.double() + self.bias.double()
        return found

    def calibrate(self, weights: Tensor, bias: float) -> None:
        """Take over what a logistic regression gave."""
        self.weights.copy_(weights)
        self.bias.fill_(bias)
