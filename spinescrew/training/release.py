"""A trained network as a model that is shipped: its weights, and a card that says what it is."""

from __future__ import annotations

import datetime
import platform
from pathlib import Path
from typing import Any

from spinescrew import __version__
from spinescrew.networks.card import PROVENANCE, ModelCard
from spinescrew.training.axis_cases import AxisSource
from spinescrew.training.cases import Source
from spinescrew.training.trainer import Trainer

OWN_DATA = "Trained on images that the user gave; for research"


def release(
    trainer: Trainer,
    source: Source | AxisSource,
    folder: str | Path,
    figures: dict[str, Any] | None = None,
    failures: tuple[str, ...] = (),
) -> ModelCard:
    """Write the moving average of a training's weights into ``folder``, with its card.

    Parameters
    ----------
    figures, failures:
        Measured on images that training never saw; what is known to go wrong.
    """
    from spinescrew.networks.weights import save_model

    card = ModelCard(
        name=trainer.task.name,
        task=trainer.task.purpose,
        version=__version__,
        created=datetime.date.today().isoformat(),
        trained_on=_trained_on(trainer, source),
        steps=trainer.step,
        hours=round(trainer.seconds / 3600, 2),
        device=_device(trainer),
        generator_hash=source.generator,
        provenance=getattr(source, "provenance", PROVENANCE if source.generator else OWN_DATA),
        figures=figures or {},
        failures=failures,
    )
    return save_model(folder, trainer.best, card)


def _trained_on(trainer: Trainer, source: Source | AxisSource) -> str:
    told = f"{source.describe()}; {trainer.step} steps"
    if not trainer.before:
        return told
    since = f"from step {trainer.first} on with a model's" if trainer.first else "begun with the"
    return f"{told}, {since} weights ({trainer.before})"


def _device(trainer: Trainer) -> str:
    import torch

    if trainer.device.type == "cuda":
        return str(torch.cuda.get_device_name(trainer.device))
    return f"{trainer.device.type} ({platform.machine()}, {torch.get_num_threads()} threads)"
