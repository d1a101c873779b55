"""What a network has to say about itself to be trained."""

from __future__ import annotations

from typing import Any, Protocol

Batch = dict[str, Any]


class Task(Protocol):
    """One network's training.

    A batch depends on its number alone, never on what was drawn before it: that is what makes training resumable to
    the bit, and lets any number of workers prepare batches.

    Attributes
    ----------
    name:
        Of the model, as its folder is called.
    purpose:
        What it does, in a few words.
    shape:
        Voxels of the boxes, or pixels of the images, that it shows to the network.
    """

    name: str
    purpose: str
    shape: tuple[int, ...]

    def build(self) -> Any:
        """A new ``torch.nn.Module`` on the CPU; its first weights depend on the seed of torch alone."""
        ...

    def batch(self, step: int) -> Batch:
        """Tensors of step ``step``, on the CPU."""
        ...

    def loss(self, model: Any, batch: Batch) -> Any:
        """Scalar tensor; ``batch`` is on the model's device."""
        ...
