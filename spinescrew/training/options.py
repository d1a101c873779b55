"""How long and how a network is trained."""

from __future__ import annotations

import re
from dataclasses import dataclass

from spinescrew.errors import InputError

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True)
class TrainingOptions:
    """Settings of a run; all but the limits must be the same when it is resumed.

    Attributes
    ----------
    time_s, steps:
        Limits of this run, whichever comes first; ``steps`` counts from the beginning of all runs.
    learning_rate, warm_up:
        Of AdamW: constant after ``warm_up`` steps, so that training can go on for as long as anyone likes; the moving
        average of the weights takes the place of a falling rate.
    average:
        Share of the old weights that the moving average keeps in each step.
    checkpoint_s:
        A checkpoint is written at least this often.
    workers:
        Processes that prepare batches; 0 prepares them in this one.
    """

    time_s: float | None = None
    steps: int | None = None
    device: str = "auto"
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    warm_up: int = 50
    average: float = 0.995
    clip: float = 5.0
    checkpoint_s: float = 240.0
    workers: int = 0
    seed: int = 1


def parse_time(text: str) -> float:
    """``"150m"``, ``"2h"``, ``"90s"`` or plain seconds, in seconds.

    Raises
    ------
    InputError
        For anything else.
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smh]?)\s*", text.lower())
    if not found or float(found[1]) <= 0:
        raise InputError(f"'{text}' is not a time; write for example 150m, 2h or 90s")
    return float(found[1]) * _UNITS[found[2] or "s"]
