"""EfficientNet-b0 that names the system of the screws in a crop of a radiograph, and the joining of several of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from monai.networks.nets import EfficientNetBN
from torch import Tensor, nn

from spinescrew.errors import InputError
from spinescrew.networks.brand_names import OTHER

_IMAGENET = "efficientnet-b0-*.pth"
_HEAD_STD = 0.01
_STACK = 2
"""Position of the number of the stack in MONAI's names, which the published weights do not have."""


class BrandNet(nn.Module):
    """Logits of systems for crops (N, 3, rows, columns); sides are multiples of 32.

    Yao 2024 trains four of these: on views from the front, from the side, from either side, and on both beside one
    another.

    Parameters
    ----------
    brands:
        Names of the systems, in the order of the outputs.
    kind:
        ``"ap"``, ``"lat"``, ``"merge"`` or ``"concat"``.
    other:
        Whether one more output, the last, is for designs that belong to none of them.
    """

    squeezes = True
    """Squeeze and excitation: some convolutions see one value of each channel."""

    def __init__(self, brands: Sequence[str], kind: str = "merge", other: bool = True) -> None:
        super().__init__()
        self.arguments = {"brands": list(brands), "kind": kind, "other": bool(other)}
        self.brands, self.kind, self.other = tuple(brands), kind, bool(other)
        self.body: Any = _quick(
            EfficientNetBN(
                "efficientnet-b0", pretrained=False, spatial_dims=2, in_channels=3, num_classes=len(self.outputs)
            )
        )
        # MONAI draws the last layer so wide that training begins far below chance and stays there for long.
        nn.init.normal_(self.body._fc.weight, std=_HEAD_STD)
        self.temperature: Tensor
        self.register_buffer("temperature", torch.ones(1))

    @property
    def outputs(self) -> tuple[str, ...]:
        """What each output means."""
        return (*self.brands, OTHER) if self.other else self.brands

    def forward(self, crops: Tensor) -> Tensor:
        """Logits (N, outputs), not calibrated."""
        found: Tensor = self.body(crops.contiguous(memory_format=torch.channels_last))
        return found

    def calibrate(self, temperature: float) -> None:
        """Take over the temperature that fits patients who had no part in the training (Guo 2017)."""
        self.temperature.fill_(temperature)

    @property
    def looked_at(self) -> str:
        """Name of the layer whose features attention is read from: a quarter as coarse as the last (2.5 mm)."""
        return "body._blocks.2"

    def take_over(self, other: BrandNet) -> None:
        """Weights of a network with other or fewer systems; outputs of the same name keep theirs.

        A new output begins as the one for any other design, which is what its crops were taken for so far; where there
        is none, at the mean of the known ones. Nothing else is lost.
        """
        own, given = self.state_dict(), other.state_dict()
        heads = [name for name in own if name.startswith("body._fc.")]
        for name, value in given.items():
            if name not in heads:
                own[name].copy_(value)
        for name in heads:
            begin = given[name][other.outputs.index(OTHER)] if other.other else given[name].mean(dim=0)
            fresh = begin.expand(len(self.outputs), *begin.shape).clone()
            for row, brand in enumerate(self.outputs):
                if brand in other.outputs:
                    fresh[row] = given[name][other.outputs.index(brand)]
            own[name].copy_(fresh)
        self.temperature.fill_(1.0)


class BrandEnsemble(nn.Module):
    """Logistic regressions that join the probabilities of subsets of the models, and from where on none is known.

    Parameters
    ----------
    brands, other:
        As of the models.
    subsets:
        Members of each subset, such as ``["ap", "lat"]``.
    """

    def __init__(self, brands: Sequence[str], subsets: Sequence[Sequence[str]], other: bool = True) -> None:
        super().__init__()
        self.arguments = {"brands": list(brands), "subsets": [list(each) for each in subsets], "other": bool(other)}
        self.brands, self.other = tuple(brands), bool(other)
        self.subsets = tuple(tuple(each) for each in subsets)
        outputs = len(brands) + bool(other)
        for number, members in enumerate(self.subsets):
            self.register_buffer(f"weights{number}", torch.eye(outputs).repeat(len(members), 1) / len(members))
            self.register_buffer(f"bias{number}", torch.zeros(outputs))
        self.least: Tensor
        self.register_buffer("least", torch.full((len(self.subsets),), -20.0))

    def part(self, members: Sequence[str]) -> int:
        """Number of the subset with exactly these members.

        Raises
        ------
        InputError
            If it was not fitted.
        """
        for number, own in enumerate(self.subsets):
            if set(own) == set(members):
                return number
        raise InputError(f"no ensemble of {' + '.join(members)} was fitted; train the brand models again")

    def values(self, number: int) -> tuple[Tensor, Tensor, float]:
        """Weights (members x outputs, outputs), bias (outputs,) and the least score of a known system."""
        return self.get_buffer(f"weights{number}"), self.get_buffer(f"bias{number}"), float(self.least[number])

    def fit(self, number: int, weights: Tensor, bias: Tensor, least: float) -> None:
        """Take over what was fitted to patients who had no part in the training."""
        self.get_buffer(f"weights{number}").copy_(weights)
        self.get_buffer(f"bias{number}").copy_(bias)
        self.least[number] = least


def _quick(body: Any) -> Any:
    """The same network, a third quicker on a CPU: channels last, torch's own SiLU, even padding left to convolutions.

    Blocks are not left out by chance: a few thousand steps from random weights are too few to need it.
    """
    for module in list(body.modules()):
        if hasattr(module, "drop_connect_rate"):
            module.drop_connect_rate = 0.0
        for name, child in list(module.named_children()):
            if type(child).__name__ in ("Swish", "MemoryEfficientSwish"):
                setattr(module, name, nn.SiLU())
            padding = getattr(module, f"{name}_padding", None)
            if isinstance(child, nn.Conv2d) and isinstance(padding, nn.ConstantPad2d):
                left, right, top, bottom = padding.padding
                if (left, top) == (right, bottom):
                    child.padding = (top, left)
                    setattr(module, f"{name}_padding", nn.Identity())
    return body.to(memory_format=torch.channels_last)


def imagenet_file() -> Path | None:
    """Weights trained on ImageNet, where torch has stored them on this computer; nothing is downloaded."""
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    return next(iter(sorted(folder.glob(_IMAGENET))), None)


def with_imagenet(model: BrandNet, path: Path) -> BrandNet:
    """Begin with published weights of EfficientNet-b0; the last layer stays as it was drawn.

    Raises
    ------
    InputError
        If the file does not hold them.
    """
    given = torch.load(path, map_location="cpu", weights_only=True)
    own = model.body.state_dict()
    taken = 0
    for name, value in own.items():
        parts = name.split(".")
        short = ".".join(parts[:1] + parts[_STACK:]) if name.startswith("_blocks.") else name
        if short in given and given[short].shape == value.shape:
            value.copy_(given[short])
            taken += value.ndim == 4
    if taken < sum(value.ndim == 4 for value in own.values()):
        raise InputError(f"'{path}' does not hold the weights of EfficientNet-b0; give the published file")
    return model
