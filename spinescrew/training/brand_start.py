"""The first lesson of the models of systems: strips along single screws, judged at every depth of the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from spinescrew.brands.crop import SIZE
from spinescrew.training.brand_task import BrandTask
from spinescrew.training.task import Batch

STRIP = 64
"""Rows of a strip: 20 mm in the patient, a head and a little beside it."""

_JUDGES = 0.5


@dataclass(frozen=True)
class BrandStartTask:
    """Strips of the crops of another task (:class:`BrandTask` of one view), cut down to the screw itself.

    Whole crops show a screw on a tenth of their area: from random weights a network then stays at chance for many
    hundreds of steps. On strips it leaves it sooner, and each step takes a quarter of the time.
    """

    crops: BrandTask

    @property
    def name(self) -> str:
        """See :class:`spinescrew.training.task.Task`."""
        return f"brand-start-{self.crops.kind}"

    @property
    def purpose(self) -> str:
        """See :class:`spinescrew.training.task.Task`."""
        return "what the models that name systems begin with"

    @property
    def shape(self) -> tuple[int, int]:
        """See :class:`spinescrew.training.task.Task`."""
        return STRIP, SIZE

    def build(self) -> Any:
        """See :class:`spinescrew.training.task.Task`."""
        from spinescrew.networks.brand_start import BrandStart

        return BrandStart(self.crops.build())

    def batch(self, step: int) -> Batch:
        """As of the crops, but lower."""
        whole = self.crops.batch(step)
        above = (SIZE - STRIP) // 2
        return {**whole, "image": whole["image"][:, :, above : above + STRIP].contiguous()}

    def loss(self, model: Any, batch: Batch) -> Any:
        """Cross entropy of the network's answer, and of each judge's by half."""
        import torch
        from torch.nn.functional import cross_entropy

        torch.manual_seed(int(batch["seed"]))
        losses = [cross_entropy(given.float(), batch["target"]) for given in model(batch["image"])]
        return losses[0] + _JUDGES * sum(losses[1:])
