"""Training of the network that finds screws in radiographs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from spinescrew.radiographs.find import MODEL
from spinescrew.radiographs.screw_maps import SIGMA_PX
from spinescrew.training.task import Batch
from spinescrew.training.xray_cases import LabelledXray, XraySource

Floats = NDArray[np.float64]
Field = NDArray[np.float32]

_ANYWHERE_SHARE = 0.15
_SCALES = (0.7, 1.45)
_TURN_DEG = 20.0
_RIM = 0.3
"""A cut is not centred nearer to the edge of the image than this share of it."""


@dataclass(frozen=True)
class ScrewTask:
    """Head, shaft and background, necks and tips, in one radiograph of any pixel size and turn."""

    source: XraySource
    batch_size: int = 2
    seed: int = 71
    shape: tuple[int, int] = (384, 384)
    name: str = MODEL
    purpose: str = "finds pedicle screws in a radiograph: head, shaft, and where shafts begin and end"

    def build(self) -> Any:
        """See :class:`spinescrew.training.task.Task`."""
        from spinescrew.networks.screw_net import ScrewNet

        return ScrewNet()

    def batch(self, step: int) -> Batch:
        """``image`` (n, 1, r, c), ``classes`` (n, r, c), ``heat`` (n, 2, r, c), ``offsets`` (n, 4, r, c)."""
        import torch

        samples = [self._sample(np.random.default_rng((self.seed, step, n))) for n in range(self.batch_size)]
        return {key: torch.from_numpy(np.stack([sample[key] for sample in samples])) for key in samples[0]}

    def loss(self, model: Any, batch: Batch) -> Any:
        """See :func:`spinescrew.networks.screw_net.screw_loss`."""
        from spinescrew.networks.screw_net import screw_loss

        return screw_loss(model(batch["image"]), batch["classes"], batch["heat"], batch["offsets"])

    def _sample(self, random: np.random.Generator) -> dict[str, NDArray[Any]]:
        shown = self.source.draw(random)
        middle = _middle(shown, random)
        scale = float(np.exp(random.uniform(*np.log(_SCALES))))
        turn = np.radians(90 * int(random.integers(4)) + _TURN_DEG * np.clip(random.normal(), -2, 2) / 2)
        matrix = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        matrix[:, 0] *= random.choice([-1.0, 1.0])
        return cut(shown, middle, matrix, self.shape)


def _middle(shown: LabelledXray, random: np.random.Generator) -> Floats:
    """Where a cut is made: near the end of a screw mostly."""
    rows, columns = shown.classes.shape
    ends = np.concatenate([shown.necks, shown.tips])
    inside = ends[(ends > 0).all(axis=1) & (ends < (columns, rows)).all(axis=1)]  # not those that are NaN
    if len(inside) and random.random() > _ANYWHERE_SHARE:
        wanted = inside[int(random.integers(len(inside)))] + random.normal(0.0, 60.0, 2)
        return np.clip(wanted, _RIM * np.array([columns, rows]), (1 - _RIM) * np.array([columns, rows]))
    return random.uniform(_RIM, 1 - _RIM, 2) * (columns, rows)


def cut(shown: LabelledXray, middle: Floats, matrix: Floats, shape: tuple[int, int]) -> dict[str, NDArray[Any]]:
    """A part of a radiograph around ``middle`` (column, row), its pixels at ``middle + matrix @ (own - centre)``."""
    rows, columns = shape
    centre = (np.array([columns, rows]) - 1) / 2
    grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1)
    at = (grid - centre) @ matrix.T + middle
    where = [at[..., 1], at[..., 0]]
    image = map_coordinates(shown.pixels, where, order=1, mode="nearest").astype(np.float32)
    classes = map_coordinates(shown.classes, where, order=0, mode="constant").astype(np.int64)
    back = np.linalg.inv(matrix)
    necks, tips = ((points - middle) @ back.T + centre for points in (shown.necks, shown.tips))
    heat, offsets = targets(necks, tips, shape)
    return {"image": image[None], "classes": classes, "heat": heat, "offsets": offsets}


def targets(necks: Floats, tips: Floats, shape: tuple[int, int]) -> tuple[Field, Field]:
    """Heat (2, rows, columns) of necks and tips; the way (4, rows, columns) from the nearest one to its other end.

    The way is NaN where that end is not known.
    """
    heat, offsets = np.zeros((2, *shape), np.float32), np.zeros((4, *shape), np.float32)
    for kind, (own, other) in enumerate(((necks, tips), (tips, necks))):
        known = np.isfinite(own).all(axis=1)
        own, other = own[known], other[known]
        if not len(own):
            continue
        row, column = np.ogrid[: shape[0], : shape[1]]
        away = np.stack([(column - p[0]) ** 2 + (row - p[1]) ** 2 for p in own])
        nearest = away.argmin(axis=0)
        heat[kind] = np.exp(-0.5 * away.min(axis=0) / SIGMA_PX**2)
        offsets[2 * kind] = other[nearest, 0] - np.arange(shape[1])[None, :]
        offsets[2 * kind + 1] = other[nearest, 1] - np.arange(shape[0])[:, None]
    return heat, offsets
