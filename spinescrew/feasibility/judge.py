"""What the network says of one C2 pedicle: its cortex, its voxels, and the probability that a screw stays inside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.feasibility.pose import PediclePose
from spinescrew.feasibility.scheme import DEPTH, PART, PEDICLE, bone_input
from spinescrew.geometry.vectors import rotation
from spinescrew.geometry.volume import Volume
from spinescrew.networks.device import choose_device
from spinescrew.networks.weights import load_model
from spinescrew.segmentation.box import AIR_HU

Floats = NDArray[np.float64]

FEASIBLE = 0.5
"""The reading threshold: above it more than half of the screws are expected to stay inside."""

# The box moved by a millimetre and turned by a few degrees: degrees about outwards, forwards, upwards, then mm.
_LOOKS: tuple[tuple[float, float, float, float, float, float], ...] = (
    (0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    (2.5, 0.0, 2.5, 0.6, 0.8, 0.0),
    (-2.5, 0.0, 2.5, -0.6, 0.0, 0.6),
    (2.5, 3.0, -2.5, 0.0, -0.8, -0.6),
    (-2.5, -3.0, -2.5, 0.3, 0.4, 0.3),
)
_SPREAD = 1.645


@dataclass(frozen=True, eq=False)
class Judgement:
    """One pedicle as the network judges it.

    Attributes
    ----------
    probability:
        Calibrated, that the pedicle is feasible, by what the network saw alone.
    low, high:
        Between these lie nine in ten of the answers when the box is moved and turned a little.
    share:
        Of the screws of an imitated hand that stay inside, as the network expects it.
    width_mm, margin_mm:
        Minimum diameter and worst wall as the network reads them, without geometry.
    depth:
        mm below the cortex on the pedicle's box (negative outside).
    part:
        Share (0..1) of each voxel that is pedicle, on the same box.
    """

    pose: PediclePose
    probability: float
    low: float
    high: float
    share: float
    width_mm: float
    margin_mm: float
    depth: Volume
    part: Volume


def load_judge(device: str = "auto") -> tuple[Any, Any]:
    """The network and its card."""
    return load_model(PEDICLE, device)


def judge(model: Any, ct: Volume, pose: PediclePose, device: str = "auto") -> Judgement:
    """Ask the network about one pedicle of a CT (HU), from five slightly different boxes.

    The left side is shown mirrored, so one network serves both.
    """
    box = pose.box()
    answers, maps = _asked(model, ct, pose, device)
    logits = answers @ model.weights.cpu().numpy() + float(model.bias)
    middle, spread = float(logits.mean()), float(logits.std(ddof=1))
    means = answers.mean(axis=0)
    return Judgement(
        pose=pose,
        probability=share_of(middle),
        low=share_of(middle - _SPREAD * spread),
        high=share_of(middle + _SPREAD * spread),
        share=share_of(float(means[1])),
        width_mm=float(means[2]),
        margin_mm=float(means[3]),
        depth=Volume(maps[DEPTH], box.affine),
        part=Volume(1.0 / (1.0 + np.exp(-maps[PART])), box.affine),
    )


def answers_of(model: Any, ct: Volume, pose: PediclePose, device: str = "cpu") -> Floats:
    """Judgements (looks, 4) of one pedicle before calibration, as its network returns them."""
    return _asked(model, ct, pose, device)[0]


def _asked(model: Any, ct: Volume, pose: PediclePose, device: str) -> tuple[Floats, NDArray[np.float32]]:
    """Judgements of every look, and the maps of the first."""
    import torch

    place = choose_device(device)
    model = model.to(place).eval()
    answers, maps = [], None
    with torch.inference_mode():
        for look in _LOOKS:
            seen = torch.from_numpy(pedicle_image(ct, _moved(pose, look)))[None].to(place)
            found, answer = model(seen)
            answers.append(answer[0].float().cpu().numpy())
            maps = found[0].float().cpu().numpy() if maps is None else maps
    assert maps is not None
    return np.array(answers, float), maps


def pedicle_image(ct: Volume, pose: PediclePose) -> NDArray[np.float32]:
    """The box (1, i, j, k) around a pedicle as the network is given it."""
    return bone_input(pose.box().cut(ct, 1, AIR_HU))[None]


def _moved(pose: PediclePose, look: tuple[float, ...]) -> PediclePose:
    turn = np.eye(3)
    for axis, degrees in zip(np.eye(3), look[:3], strict=True):
        turn = turn @ rotation(axis, degrees)
    return pose.moved(turn, np.array(look[3:]))


def share_of(logit: float) -> float:
    """Probability of a logit."""
    return float(1.0 / (1.0 + np.exp(-np.clip(logit, -30.0, 30.0))))
