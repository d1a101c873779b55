"""Training of the three networks for C2: find it, cut it out and find its pedicles, judge a pedicle."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import center_of_mass

from spinescrew.anatomy.frame import SIDES
from spinescrew.anatomy.levels import Level
from spinescrew.errors import InputError
from spinescrew.feasibility.scheme import (
    AXIS,
    BONE,
    BONE_MM,
    BONE_SHAPE,
    CLASSES,
    DEEPEST_MM,
    FARTHEST_MM,
    FIND,
    FIND_MM,
    FIND_SHAPE,
    OTHER,
    PEDICLE,
    PEDICLE_MM,
    PEDICLE_SHAPE,
    POINTS,
    bone_input,
)
from spinescrew.geometry.vectors import rotation
from spinescrew.geometry.volume import Volume
from spinescrew.networks.intensity import network_input
from spinescrew.segmentation.box import AIR_HU, Box
from spinescrew.training.axis_cases import AxisImage, AxisSource, PedicleTruth
from spinescrew.training.cases import Source
from spinescrew.training.sampling import Augmentation, narrow_view, only, other_tones, random_box
from spinescrew.training.task import Batch

Floats = NDArray[np.float64]

SIGMA_VOXELS = 2.0

_OF_ALL_BONE = 0.25


@dataclass(frozen=True)
class FindTask:
    """Background, other vertebrae, C2, on a coarse grid.

    Parameters
    ----------
    source:
        Images of C2.
    others:
        Images of other parts of the spine, shown now and then, so that not everything is a neck.
    """

    source: AxisSource
    others: Source | None = None
    width: int = 12
    batch_size: int = 2
    seed: int = 61
    shape: tuple[int, int, int] = FIND_SHAPE
    how: Augmentation = field(
        default_factory=lambda: Augmentation(turn_deg=20.0, shift_mm=35.0, blur_mm=2.0, narrow=0.4)
    )
    name: str = FIND
    purpose: str = "finds C2 in a neck CT"

    def build(self) -> Any:
        """See :class:`spinescrew.training.task.Task`."""
        from spinescrew.networks.edge_unet import EdgeAttentionUNet

        return EdgeAttentionUNet(1, CLASSES, width=self.width)

    def batch(self, step: int) -> Batch:
        """``image`` (n, 1, i, j, k) and ``target`` (n, i, j, k)."""
        import torch

        samples = [self._sample(np.random.default_rng((self.seed, step, n))) for n in range(self.batch_size)]
        images, targets = zip(*samples, strict=True)
        return {"image": torch.from_numpy(np.stack(images)), "target": torch.from_numpy(np.stack(targets))}

    def loss(self, model: Any, batch: Batch) -> Any:
        """Cross entropy and soft Dice of C2 and of the rest."""
        return _class_loss(model(batch["image"]), batch["target"])

    def _sample(self, random: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        image: Any = self.source[int(random.integers(len(self.source)))]
        if self.others is not None and random.uniform() < _OF_ALL_BONE:
            image = self.others[int(random.integers(len(self.others)))]
        centre = _middle(image.labels, image.labels.array > 0)
        box = random_box(centre, self.shape, FIND_MM, self.how, random)
        hu = other_tones(box.cut(image.ct, 1, AIR_HU), FIND_MM, self.how, random)
        classes = _classes(box.cut(image.labels, 0, 0.0))
        part = narrow_view(self.shape, self.how, random)
        hu, classes = only(part, hu, AIR_HU), only(part, classes, 0)
        flip = -1 if random.uniform() < 0.5 else 1
        seen = network_input(hu)[None, ::flip]
        return np.ascontiguousarray(seen), np.ascontiguousarray(classes[::flip])


@dataclass(frozen=True)
class BoneTask:
    """C2 voxel by voxel, and three points along each of its pedicles."""

    source: AxisSource
    width: int = 12
    batch_size: int = 1
    seed: int = 62
    shape: tuple[int, int, int] = BONE_SHAPE
    how: Augmentation = field(default_factory=lambda: Augmentation(shift_mm=6.0, turn_deg=15.0, stretch=0.1))
    name: str = BONE
    purpose: str = "cuts out C2 and finds its pedicles"

    def build(self) -> Any:
        """See :class:`spinescrew.training.task.Task`."""
        from spinescrew.networks.edge_unet import EdgeAttentionUNet

        return EdgeAttentionUNet(1, CLASSES + len(POINTS), width=self.width)

    def batch(self, step: int) -> Batch:
        """``image`` (n, 1, i, j, k), ``target`` (n, i, j, k), ``points`` (n, 6, 3) in voxels."""
        import torch

        samples = [self._sample(np.random.default_rng((self.seed, step, n))) for n in range(self.batch_size)]
        images, targets, points = zip(*samples, strict=True)
        return {
            "image": torch.from_numpy(np.stack(images)),
            "target": torch.from_numpy(np.stack(targets)),
            "points": torch.from_numpy(np.stack(points)),
        }

    def loss(self, model: Any, batch: Batch) -> Any:
        """Classes as :class:`FindTask` has them, points as heat maps."""
        from spinescrew.networks.heat import heat_loss

        outputs = model(batch["image"])
        points = heat_loss(outputs[:, CLASSES:], batch["points"], SIGMA_VOXELS)
        return _class_loss(outputs[:, :CLASSES], batch["target"]) + 0.3 * points

    def _sample(
        self, random: np.random.Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32]]:
        image = self.source[int(random.integers(len(self.source)))]
        centre = _middle(image.labels, image.labels.array == Level.C2)
        box = random_box(centre, self.shape, BONE_MM, self.how, random)
        hu = other_tones(box.cut(image.ct, 1, AIR_HU), BONE_MM, self.how, random)
        classes = _classes(box.cut(image.labels, 0, 0.0))
        points = box.to_index(np.concatenate([image.truth[side].points for side in SIDES]))
        points[((points < 0) | (points > np.array(self.shape) - 1)).any(axis=1)] = np.nan
        seen = network_input(hu)
        if random.uniform() < 0.5:
            seen, classes, points = seen[::-1], classes[::-1], points[[3, 4, 5, 0, 1, 2]]
            points[:, 0] = self.shape[0] - 1 - points[:, 0]
        return np.ascontiguousarray(seen[None]), np.ascontiguousarray(classes), points.astype(np.float32)


@dataclass(frozen=True)
class PedicleTask:
    """Whether one pedicle takes a screw, with its cortex in mm; both sides are shown as right ones."""

    source: AxisSource
    width: int = 12
    batch_size: int = 2
    seed: int = 63
    shape: tuple[int, int, int] = PEDICLE_SHAPE
    how: Augmentation = field(
        default_factory=lambda: Augmentation(turn_deg=6.0, shift_mm=2.0, contrast=0.1, blur_mm=0.4, noise_hu=50.0)
    )
    name: str = PEDICLE
    purpose: str = "judges whether a C2 pedicle takes a 3.5 mm screw"

    def build(self) -> Any:
        """See :class:`spinescrew.training.task.Task`."""
        from spinescrew.networks.pedicle_net import PedicleNet

        return PedicleNet(self.shape, width=self.width)

    def batch(self, step: int) -> Batch:
        """``image`` (n, 1, i, j, k), ``depth`` and ``part`` (n, i, j, k), ``truth`` (n, 4).

        The truth is feasible (0 or 1), probability, minimum diameter and worst wall in mm; NaN where unknown.
        """
        import torch

        samples = [self._sample(np.random.default_rng((self.seed, step, n))) for n in range(self.batch_size)]
        return {
            key: torch.from_numpy(np.stack([sample[key] for sample in samples]).astype(np.float32))
            for key in samples[0]
        }

    def loss(self, model: Any, batch: Batch) -> Any:
        """Depth near the cortex, the pedicle's voxels, and the judgement."""
        maps, judgement = model(batch["image"])
        return _map_loss(maps.float(), batch) + judgement_loss(judgement.float(), batch["truth"])

    def _sample(self, random: np.random.Generator) -> dict[str, NDArray[np.float32]]:
        image = self.source[int(random.integers(len(self.source)))]
        side = SIDES[int(random.integers(2))]
        turn = rotation(random.normal(size=3), self.how.turn_deg * float(np.clip(random.normal(), -2, 2)) / 2)
        shift = self.how.shift_mm * np.clip(random.normal(size=3), -2, 2) / 2
        box = image.poses[side].moved(turn, shift).box()
        return self._cut(image, box, image.truth[side], random)

    def _cut(
        self, image: AxisImage, box: Box, truth: PedicleTruth, random: np.random.Generator
    ) -> dict[str, NDArray[np.float32]]:
        hu = other_tones(box.cut(image.ct, 1, AIR_HU), PEDICLE_MM, self.how, random)
        depth = np.full(self.shape, np.nan, np.float32)
        if truth.depth is not None:
            depth = np.clip(box.cut(truth.depth, 1, FARTHEST_MM), FARTHEST_MM, DEEPEST_MM)
        known = (float(truth.feasible), truth.probability, truth.mpd_mm, truth.margin_mm)
        value = 1 + (truth is image.truth["right"])
        part = box.share_of(image.pedicles, value)
        return {
            "image": bone_input(np.asarray(hu, np.float32))[None],
            "depth": depth,
            "part": part,
            "truth": np.array(known, np.float32),
        }


def judgement_loss(judgement: Any, truth: Any) -> Any:
    """Cross entropy of the answer and of the share, and mean distance of both measures; see :class:`PedicleTask`."""
    from torch.nn.functional import binary_cross_entropy_with_logits as entropy
    from torch.nn.functional import smooth_l1_loss

    known = truth.isfinite()
    wanted = truth.nan_to_num(0.0)
    answers = (entropy(judgement[:, :2], wanted[:, :2], reduction="none") * known[:, :2]).sum(dim=1)
    measured = smooth_l1_loss(judgement[:, 2:], wanted[:, 2:], beta=0.3, reduction="none")
    return (answers + 1.5 * (measured * known[:, 2:]).sum(dim=1)).mean()


def _map_loss(maps: Any, batch: Batch) -> Any:
    from torch.nn.functional import binary_cross_entropy_with_logits, smooth_l1_loss

    depth, part = batch["depth"], batch["part"]
    known = depth.isfinite()
    # Where the cortex is counts most: errors of the deep marrow and far outside do not move it.
    weight = known * (0.15 + (-((depth.nan_to_num(0.0) / 1.5) ** 2)).exp())
    off = smooth_l1_loss(maps[:, 0], depth.nan_to_num(0.0), beta=0.3, reduction="none")
    cortex = (off * weight).sum() / weight.sum().clamp(min=1e-6)
    logits = maps[:, 1]
    shares = logits.sigmoid()
    overlap = (2 * (shares * part).sum(dim=(1, 2, 3)) + 1) / ((shares + part).sum(dim=(1, 2, 3)) + 1)
    return 2.0 * cortex + binary_cross_entropy_with_logits(logits, part) + 0.5 * (1 - overlap).mean()


def _middle(labels: Volume, wanted: NDArray[np.bool_]) -> Floats:
    if not wanted.any():
        raise InputError("a training image has no vertebrae labelled; give labels with C2 (VerSe id 2) for every case")
    return labels.index_to_ras(np.array(center_of_mass(wanted)))


def _class_loss(logits: Any, target: Any) -> Any:
    from torch.nn.functional import cross_entropy

    logits = logits.float()
    shares = logits.softmax(dim=1)
    overlaps = []
    for value in (OTHER, AXIS):
        wanted = (target == value).float()
        overlaps.append((2 * (shares[:, value] * wanted).sum() + 1) / (shares[:, value].sum() + wanted.sum() + 1))
    return cross_entropy(logits, target) + 2.0 - overlaps[0] - overlaps[1]


def _classes(labels: NDArray[np.float32]) -> NDArray[np.int64]:
    values = np.round(labels).astype(np.int64)
    return np.where(values == Level.C2, AXIS, np.where(values > 0, OTHER, 0))
