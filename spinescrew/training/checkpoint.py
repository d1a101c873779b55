"""Everything that a training run needs to go on as if it had never stopped."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from spinescrew.errors import InputError
from spinescrew.geometry.atomic import atomic_path
from spinescrew.training.options import TrainingOptions

FILE = "checkpoint.pt"
_VERSION = 1
_LIMITS = ("time_s", "steps", "device", "checkpoint_s", "workers")


@dataclass
class Checkpoint:
    """State of a run after ``step`` steps.

    Attributes
    ----------
    model, average, optimizer, scaler:
        State dictionaries, on the CPU.
    history, recent:
        (step, loss) means over stretches of steps, and the losses since the last of them.
    seconds:
        Time spent in all runs.
    first, before:
        Step of the model that the run began with and what that was trained on; 0 and empty for random weights.
    """

    step: int
    model: dict[str, Any]
    average: dict[str, Any]
    optimizer: dict[str, Any]
    scaler: dict[str, Any]
    history: list[tuple[int, float]] = field(default_factory=list)
    recent: list[float] = field(default_factory=list)
    seconds: float = 0.0
    first: int = 0
    before: str = ""


def write_checkpoint(folder: Path, checkpoint: Checkpoint, name: str, options: TrainingOptions) -> Path:
    """Written whole or not at all; the one before it stays until then."""
    import torch

    path = folder / FILE
    folder.mkdir(parents=True, exist_ok=True)
    values = {"version": _VERSION, "name": name, "options": asdict(options), **vars(checkpoint)}
    with atomic_path(path) as temporary:
        torch.save(values, temporary)
    return path


def read_checkpoint(folder: Path, name: str, options: TrainingOptions) -> Checkpoint | None:
    """The checkpoint in ``folder``; ``None`` if there is none.

    Raises
    ------
    InputError
        If it is damaged, or belongs to another network or other settings.
    """
    import torch

    path = folder / FILE
    if not path.is_file():
        return None
    try:
        values = torch.load(path, map_location="cpu", weights_only=True)
        version, owner, settings = values.pop("version"), values.pop("name"), values.pop("options")
    except Exception as error:  # torch raises many kinds for damaged files
        raise InputError(f"'{path}' is damaged ({type(error).__name__}); remove it to begin anew") from error
    if version != _VERSION or owner != name:
        raise InputError(f"'{path}' belongs to {owner}, version {version}; give {name} a folder of its own")
    other = [key for key, value in asdict(options).items() if key not in _LIMITS and settings.get(key) != value]
    if other:
        words = ", ".join(f"{key} {settings.get(key)}" for key in other)
        raise InputError(f"'{path}' was trained with {words}; use the same settings or begin anew without --resume")
    values["history"] = [tuple(pair) for pair in values["history"]]
    return Checkpoint(**values)
