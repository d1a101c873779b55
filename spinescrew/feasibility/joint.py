"""The answer for a C2 pedicle: what the network says, joined with what was measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import hypot, isfinite
from typing import Any

import numpy as np

from spinescrew.feasibility.judge import Judgement, share_of
from spinescrew.feasibility.scheme import JOIN
from spinescrew.networks.weights import load_model

OTHER_NETWORK = (
    "the network's probability is not joined with the measures: the model axis-join was made for another network; "
    "make one with spinescrew train c2 --join"
)

UNMEASURED = "the probability is that of the network alone: width or corridor could not be measured"

_SURFACE_MM, _BY_SLICE = 0.085, 0.016
"""One standard deviation of how far the surface found is off on both walls at once, with slices of 1 mm, and what each
further mm adds: half of the width's error on 360 simulated pedicles, and how the wall's error grew at 2 and 3 mm."""

_USUAL_SLICE_MM = 1.0
_SPREAD = 1.645
_EDGE = 1e-9

Logit = Callable[[float, float, float], float]


@dataclass(frozen=True)
class Answer:
    """Calibrated probability that a pedicle is feasible, and between what it moves; ``joined`` with the measures?"""

    probability: float
    low: float
    high: float
    joined: bool


def load_join(network_sha256: str) -> Logit | None:
    """Joint logit of a network's probability, a minimum diameter and a corridor's wall (mm).

    ``None`` if the installed join was made for another network than the one with this checksum.

    Raises
    ------
    InputError
        If the model is missing or damaged.
    """
    model, card = load_model(JOIN, "cpu")
    return logit_of(model) if card.architecture.arguments["network"] == network_sha256 else None


def logit_of(model: Any) -> Logit:
    """What a :class:`spinescrew.networks.pedicle_join.PedicleJoin` says of one pedicle, in plain numbers."""
    import torch

    def logit(probability: float, width_mm: float, wall_mm: float) -> float:
        with torch.inference_mode():
            return float(model(torch.tensor([[network_logit(probability), width_mm, wall_mm]], dtype=torch.float64)))

    return logit


def network_logit(probability: float) -> float:
    """Logit of a probability, finite at 0 and 1."""
    held = float(np.clip(probability, _EDGE, 1.0 - _EDGE))
    return float(np.log(held / (1.0 - held)))


def answer(found: Judgement, width_mm: float, wall_mm: float, slice_mm: float, join: Logit | None) -> Answer:
    """The joint answer; the network's own where the pedicle could not be measured or there is no join.

    Its interval holds nine in ten of the answers when the network looks from slightly different boxes and the surface
    on which was measured is off by as much as it usually is with slices of ``slice_mm``.
    """
    if join is None or not (isfinite(width_mm) and isfinite(wall_mm)):
        return Answer(found.probability, found.low, found.high, joined=False)
    middle = join(found.probability, width_mm, wall_mm)
    looks = 0.5 * (join(found.high, width_mm, wall_mm) - join(found.low, width_mm, wall_mm))
    # A surface that is off by d on every wall changes the diameter by 2 d and the wall by d.
    off = _SPREAD * surface_doubt_mm(slice_mm)
    wide, slim = (join(found.probability, width_mm + 2 * each, wall_mm + each) for each in (off, -off))
    spread = hypot(looks, 0.5 * (wide - slim))
    return Answer(share_of(middle), share_of(middle - spread), share_of(middle + spread), joined=True)


def surface_doubt_mm(slice_mm: float) -> float:
    """Standard deviation of how far a surface found in slices of this thickness is off."""
    return _SURFACE_MM + _BY_SLICE * max(slice_mm - _USUAL_SLICE_MM, 0.0)
