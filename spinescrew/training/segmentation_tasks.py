"""Training of the two segmentation networks: one finds and names the vertebrae, the other cuts one of them finely.

Wang (2024, AISPINE) segments with one 3D U-Net; two steps let the pedicles be cut at 1 mm without holding a whole CT at
that size, and let a name depend on the whole spine in view.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, binary_erosion, gaussian_filter, zoom

from spinescrew.anatomy.levels import Level
from spinescrew.geometry.volume import Volume
from spinescrew.networks.intensity import network_input
from spinescrew.segmentation.box import AIR_HU, Box
from spinescrew.segmentation.scheme import (
    COARSE,
    COARSE_LEVELS,
    COARSE_MM,
    COARSE_SHAPE,
    FINE,
    FINE_MM,
    FINE_SHAPE,
    coarse_classes,
)
from spinescrew.training.cases import LabelledImage, Source
from spinescrew.training.sampling import Augmentation, other_tones, random_box
from spinescrew.training.task import Batch

_SMALLEST_VOXELS = 200
_PROMPT_MM = 4.0


@dataclass(frozen=True)
class _SegmentationTask:
    """What both have in common; ``width`` is the number of channels of the network's first level."""

    source: Source
    width: int = 16
    edge_attention: bool = True
    batch_size: int = 1
    seed: int = 1

    def batch(self, step: int) -> Batch:
        """``image`` (n, channels, i, j, k) float32 and ``target`` (n, 1, i, j, k) int64."""
        return _collect(self._sample(np.random.default_rng((self.seed, step, n))) for n in range(self.batch_size))

    def loss(self, model: Any, batch: Batch) -> Any:
        """Dice and cross entropy."""
        return _dice_and_entropy(model(batch["image"]), batch["target"])

    def _sample(self, random: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        raise NotImplementedError

    def _draw(self, random: np.random.Generator) -> tuple[LabelledImage, Level]:
        """An image, and one of the levels in it."""
        image = self.source[int(random.integers(len(self.source)))]
        present = _present(image)
        return image, present[int(random.integers(len(present)))]


@dataclass(frozen=True)
class CoarseTask(_SegmentationTask):
    """Find and name: CT at 4 mm to one class per level."""

    seed: int = 1
    shape: tuple[int, int, int] = COARSE_SHAPE
    how: Augmentation = field(default_factory=lambda: Augmentation(shift_mm=55.0, turn_deg=15.0))
    name: str = COARSE
    purpose: str = "finds the vertebrae of a CT and names them"

    def build(self) -> Any:
        """See :class:`spinescrew.training.task.Task`."""
        return _unet(1, len(COARSE_LEVELS) + 1, self.width, self.edge_attention)

    def loss(self, model: Any, batch: Batch) -> Any:
        """See :func:`named_loss`."""
        return named_loss(model(batch["image"]), batch["target"])

    def _sample(self, random: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        image, level = self._draw(random)
        box = random_box(_centroid(image.labels, level), self.shape, COARSE_MM, self.how, random)
        ct = other_tones(box.cut(image.ct, 1, AIR_HU), COARSE_MM, self.how, random)
        return _mirrored(network_input(ct)[None], coarse_classes(box.cut(image.labels, 0, 0.0)), random)


@dataclass(frozen=True)
class FineTask(_SegmentationTask):
    """Cut: CT at 1 mm and a rough mask of one vertebra to that vertebra's exact mask.

    The rough mask is what the coarse network gives in use; here it is the true one at 4 mm, damaged at random.
    """

    seed: int = 2
    shape: tuple[int, int, int] = FINE_SHAPE
    how: Augmentation = field(default_factory=Augmentation)
    name: str = FINE
    purpose: str = "cuts one vertebra out of a CT"

    def build(self) -> Any:
        """See :class:`spinescrew.training.task.Task`."""
        return _unet(2, 2, self.width, self.edge_attention)

    def _sample(self, random: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        image, level = self._draw(random)
        box = random_box(_inside(image.labels, level, random), self.shape, FINE_MM, self.how, random)
        ct = other_tones(box.cut(image.ct, 1, AIR_HU), FINE_MM, self.how, random)
        mask = smooth_cut(box, image.labels, level)
        rough = damaged(mask, random)
        return _mirrored(np.stack([network_input(ct), rough]), (mask > 0.5).astype(np.int64), random)


def smooth_cut(box: Box, labels: Volume, level: Level) -> NDArray[np.float32]:
    """One label on the grid of ``box`` (share of each voxel), interpolated so that coarse labels leave no steps."""
    return box.cut(labels.with_array((labels.array == level.value).astype(np.float32)), 1, 0.0)


def damaged(mask: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """A mask at 1 mm as a network at 4 mm might give it: coarse, too thick or too thin, with pieces missing."""
    factor = FINE_MM / _PROMPT_MM
    coarse = zoom(gaussian_filter(mask, 0.4 / factor), factor, order=1, grid_mode=True, mode="nearest")
    coarse = coarse > random.uniform(0.3, 0.6)
    change = random.uniform()
    if change < 0.25:
        coarse = binary_dilation(coarse)
    elif change < 0.35:
        coarse = binary_erosion(coarse)
    holes = gaussian_filter(random.normal(size=coarse.shape), 1.5)
    coarse &= holes < np.quantile(holes, 1.0 - random.uniform(0.0, 0.15))
    back = np.array(mask.shape) / np.array(coarse.shape)
    return np.asarray(zoom(coarse.astype(np.float32), back, order=1, grid_mode=True, mode="nearest"), np.float32)


def _unet(channels: int, classes: int, width: int, edge_attention: bool) -> Any:
    from spinescrew.networks.edge_unet import EdgeAttentionUNet

    return EdgeAttentionUNet(channels, classes, width=width, edge_attention=edge_attention)


def _dice_and_entropy(logits: Any, target: Any) -> Any:
    from monai.losses import DiceCELoss

    return DiceCELoss(to_onehot_y=True, softmax=True, include_background=False, batch=True)(logits.float(), target)


def named_loss(logits: Any, target: Any) -> Any:
    """Loss of finding and naming, of logits (n, classes, i, j, k) and classes (n, 1, i, j, k).

    Vertebrae are about 2 % of a body at 4 mm, and most classes are absent from most images: with Dice and cross entropy
    over all classes a network learns for long that everything is background. So finding counts for itself (Dice of all
    vertebrae as one), only classes that are there have a Dice, and cross entropy counts vertebrae apart.
    """
    from torch.nn.functional import cross_entropy, one_hot

    logits, classes = logits.float(), target[:, 0]
    shares, inside = logits.softmax(dim=1), classes > 0
    entropy = cross_entropy(logits, classes, reduction="none")
    entropy_inside = (entropy * inside).sum() / inside.sum().clamp(min=1)
    found = _soft_dice((1.0 - shares[:, 0]).flatten(), inside.flatten())
    wanted = one_hot(classes, logits.shape[1]).movedim(-1, 1)
    sizes = wanted.sum(dim=(0, 2, 3, 4))
    there = sizes[1:].nonzero().flatten().tolist()
    named = [_soft_dice(shares[:, n + 1].flatten(), wanted[:, n + 1].flatten()) for n in there]
    missed = 2.0 - found - sum(named) / max(len(named), 1)
    return missed + entropy.mean() + 0.5 * entropy_inside


def _soft_dice(shares: Any, wanted: Any) -> Any:
    return (2.0 * (shares * wanted).sum() + 1.0) / (shares.sum() + wanted.sum() + 1.0)


def _present(image: LabelledImage) -> list[Level]:
    """Levels that are there with more than a fragment."""
    values, counts = np.unique(image.labels.array, return_counts=True)
    known = {int(value) for value, count in zip(values, counts, strict=True) if count > _SMALLEST_VOXELS}
    return [level for level in COARSE_LEVELS if level.value in known] or [Level(max(known - {0}))]


def _centroid(labels: Volume, level: Level) -> NDArray[np.float64]:
    return labels.index_to_ras(np.argwhere(labels.array == level.value).mean(axis=0))


def _inside(labels: Volume, level: Level, random: np.random.Generator) -> NDArray[np.float64]:
    """A point between the centroid and some voxel of the label: long labels (the sacrum) are seen in parts."""
    index = np.argwhere(labels.array == level.value)
    centre, some = index.mean(axis=0), index[int(random.integers(len(index)))]
    return labels.index_to_ras(centre + random.uniform(0.0, 0.6) * (some - centre))


def _mirrored(
    image: NDArray[np.float32], target: NDArray[np.int64], random: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Half of the samples with left and right exchanged."""
    if random.uniform() < 0.5:
        image, target = image[:, ::-1], target[::-1]
    return np.ascontiguousarray(image), np.ascontiguousarray(target)[None]


def _collect(samples: Any) -> Batch:
    import torch

    images, targets = zip(*samples, strict=True)
    return {"image": torch.from_numpy(np.stack(images)), "target": torch.from_numpy(np.stack(targets))}
