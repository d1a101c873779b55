"""How long and how a network is trained."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from spinescrew.errors import InputError

_RISING, _FIRST, _LAST = 0.3, 0.04, 1e-4
"""Of a cycle: the share in which the rate rises, and the rate at its beginning and its end over the highest."""

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True)
class TrainingOptions:
    """Settings of a run; all but the limits must be the same when it is resumed.

    Attributes
    ----------
    time_s, steps:
        Limits of this run, whichever comes first; ``steps`` counts from the beginning of all runs.
    learning_rate, warm_up:
        Of AdamW (Adam without weight decay): constant after ``warm_up`` steps, so that training can go on for as long
        as anyone likes; the moving average of the weights takes the place of a falling rate.
    cycle:
        Steps of one cycle instead: the rate rises to ``learning_rate`` over the first 30 %, then falls to nothing, both
        along a cosine (Smith 2018), and training ends with it.
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
    cycle: int | None = None
    average: float = 0.995
    clip: float = 5.0
    checkpoint_s: float = 240.0
    workers: int = 0
    seed: int = 1

    def rate(self, done: int) -> float:
        """Learning rate of the step after ``done`` steps."""
        if self.cycle is None:
            return self.learning_rate * min(1.0, (done + 1) / max(self.warm_up, 1))
        share = min((done + 0.5) / self.cycle, 1.0)
        start, end = (_FIRST, 1.0) if share < _RISING else (1.0, _LAST)
        along = share / _RISING if share < _RISING else (share - _RISING) / (1.0 - _RISING)
        return self.learning_rate * (end + 0.5 * (start - end) * (1.0 + math.cos(math.pi * along)))


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
