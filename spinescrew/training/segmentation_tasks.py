"""Training of the two segmentation networks: one finds and names the vertebrae, the other cuts one of them finely.

Wang (2024, AISPINE) segments with one 3D U-Net; two steps let the pedicles be cut at 1 mm without holding a whole CT at
that size, and let a name depend on the whole spine in view.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, binary_erosion, center_of_mass, gaussian_filter, shift, zoom

from spinescrew.anatomy.levels import Level
from spinescrew.geometry.volume import Volume
from spinescrew.networks.intensity import network_input
from spinescrew.segmentation.box import AIR_HU, Box
from spinescrew.segmentation.scheme import (
    COARSE,
    COARSE_CLASSES,
    COARSE_LEVELS,
    COARSE_MM,
    COARSE_OUTPUTS,
    COARSE_SHAPE,
    FINE,
    FINE_MM,
    FINE_SHAPE,
    OFFSET_UNIT_MM,
    REGION_CLASSES,
    SACRAL_CLASS,
    coarse_classes,
)
from spinescrew.training.cases import LabelledImage, Source
from spinescrew.training.sampling import Augmentation, narrow_view, only, other_tones, random_box
from spinescrew.training.task import Batch

_SMALLEST_VOXELS = 200


@dataclass(frozen=True)
class _SegmentationTask(ABC):
    """What both have in common; ``width`` is the number of channels of the network's first level."""

    source: Source
    width: int = 16
    edge_attention: bool = True
    batch_size: int = 1
    seed: int = 1

    def batch(self, step: int) -> Batch:
        """``image`` (n, channels, i, j, k) float32 and ``target``: (n, 1, i, j, k) int64, of the coarse task as
        :func:`coarse_target` gives it.
        """
        return _collect(self._sample(np.random.default_rng((self.seed, step, n))) for n in range(self.batch_size))

    def loss(self, model: Any, batch: Batch) -> Any:
        """Dice and cross entropy."""
        return _dice_and_entropy(model(batch["image"]), batch["target"])

    @abstractmethod
    def _sample(self, random: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[Any]]:
        """Image (channels, i, j, k) and target (1 or 4, i, j, k)."""

    def _draw(self, random: np.random.Generator) -> tuple[LabelledImage, Level]:
        """An image, and one of the levels in it."""
        image = self.source[int(random.integers(len(self.source)))]
        present = _present(image)
        return image, present[int(random.integers(len(present)))]


@dataclass(frozen=True)
class CoarseTask(_SegmentationTask):
    """Find and name: CT at 4 mm to one class per level, and to the way to each vertebra's centroid."""

    seed: int = 1
    shape: tuple[int, int, int] = COARSE_SHAPE
    how: Augmentation = field(default_factory=lambda: Augmentation(shift_mm=55.0, turn_deg=15.0))
    name: str = COARSE
    purpose: str = "finds the vertebrae of a CT and names them"

    def build(self) -> Any:
        """See :class:`spinescrew.training.task.Task`."""
        return _unet(1, COARSE_OUTPUTS, self.width, self.edge_attention)

    def loss(self, model: Any, batch: Batch) -> Any:
        """See :func:`coarse_loss`."""
        return coarse_loss(model(batch["image"]), batch["target"])

    def _sample(self, random: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        image, level = self._draw(random)
        box = random_box(_centroid(image.labels, level), self.shape, COARSE_MM, self.how, random)
        ct = other_tones(box.cut(image.ct, 1, AIR_HU), COARSE_MM, self.how, random)
        part = narrow_view(self.shape, self.how, random)
        target = only(part, coarse_target(box, image.labels), 0.0)
        return _mirrored(network_input(only(part, ct, AIR_HU))[None], target, random)


@dataclass(frozen=True)
class FineTask(_SegmentationTask):
    """Cut: CT at 1 mm and a rough mask of one vertebra to that vertebra's exact mask.

    The rough mask is what the coarse network gives in use; here it is the true one at 4 mm, damaged at random.
    """

    seed: int = 2
    shape: tuple[int, int, int] = FINE_SHAPE
    how: Augmentation = field(default_factory=lambda: Augmentation(narrow=0.15))
    name: str = FINE
    purpose: str = "cuts one vertebra out of a CT"

    def build(self) -> Any:
        """See :class:`spinescrew.training.task.Task`."""
        return _unet(2, 2, self.width, self.edge_attention)

    def _sample(self, random: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        image, level = self._draw(random)
        box = random_box(_inside(image.labels, level, random), self.shape, FINE_MM, self.how, random)
        ct = other_tones(box.cut(image.ct, 1, AIR_HU), FINE_MM, self.how, random)
        part = narrow_view(self.shape, self.how, random)
        ct, mask = only(part, ct, AIR_HU), only(part, box.share_of(image.labels, level.value), 0.0)
        rough = damaged(mask, random)
        return _mirrored(np.stack([network_input(ct), rough]), (mask > 0.5).astype(np.int64)[None], random)


def damaged(mask: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """A mask at 1 mm as a network at 4 mm might give it.

    Blurred by up to 6 mm, so that processes are lost and discs are bridged; too thick or too thin; out of place by up
    to 4 mm; with pieces missing. What the fine network is to learn is the image, not the border of this mask.
    """
    factor = FINE_MM / COARSE_MM
    blur = random.uniform(0.4, 1.5 if random.uniform() < 0.6 else 0.6)
    coarse = zoom(gaussian_filter(mask, blur / factor), factor, order=1, grid_mode=True, mode="nearest")
    coarse = shift(coarse, random.uniform(-1.0, 1.0, 3) * (random.uniform() < 0.5), order=1)
    coarse = coarse > random.uniform(0.25, 0.6) * max(float(coarse.max()), 1e-3)
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


def coarse_target(box: Box, labels: Volume) -> NDArray[np.float32]:
    """(4, i, j, k) on the grid of ``box``: class of each voxel, and its way to the centroid of its vertebra.

    The way runs along i, j, k in units of ``OFFSET_UNIT_MM``; it is 0 outside vertebrae, and in the sacrum, which is
    told by its class alone.
    """
    values = box.cut(labels, 0, 0.0)
    target = np.zeros((4, *box.shape), np.float32)
    target[0] = coarse_classes(values)
    pointing = (target[0] > 0) & (values != Level.S1.value)
    for value, centroid in _centroids(labels, np.unique(values[pointing]).astype(int)).items():
        its = pointing & (values == value)
        ways = (box.to_index(centroid) - np.argwhere(its)) * (COARSE_MM / OFFSET_UNIT_MM)
        target[1:, its] = ways.T
    return target


def coarse_loss(outputs: Any, target: Any) -> Any:
    """Loss of finding, telling apart and naming.

    Vertebrae are about 2 % of a body at 4 mm, and most levels are absent from most images: with Dice and cross entropy
    over all classes a network learns for long that everything is background. So what is easy counts for itself: Dice of
    all vertebrae as one, of each region (thoracic, lumbar, sacral: what ribs and shape tell at a glance), cross entropy
    of vertebrae apart from the rest; and the mean error of the way to the centroid.

    Parameters
    ----------
    outputs:
        (n, COARSE_OUTPUTS, i, j, k).
    target:
        (n, 4, i, j, k), as :func:`coarse_target` gives it.
    """
    from torch.nn.functional import cross_entropy, smooth_l1_loss

    outputs, classes = outputs.float(), target[:, 0].long()
    logits, ways = outputs[:, :COARSE_CLASSES], outputs[:, COARSE_CLASSES:]
    shares, inside = logits.softmax(dim=1), classes > 0
    entropy = cross_entropy(logits, classes, reduction="none")
    entropy_inside = (entropy * inside).sum() / inside.sum().clamp(min=1)
    overlaps = [_soft_dice(1.0 - shares[:, 0], inside)]
    for numbers in REGION_CLASSES:
        wanted = (classes >= numbers[0]) & (classes <= numbers[-1])
        if wanted.any():
            overlaps.append(_soft_dice(shares[:, numbers[0] : numbers[-1] + 1].sum(dim=1), wanted))
    pointing = inside & (classes < SACRAL_CLASS)
    off = smooth_l1_loss(ways, target[:, 1:], beta=0.1, reduction="none").sum(dim=1)
    astray = (off * pointing).sum() / pointing.sum().clamp(min=1)
    return 2.0 * (1.0 - sum(overlaps) / len(overlaps)) + entropy.mean() + 0.5 * entropy_inside + 2.0 * astray


def _soft_dice(shares: Any, wanted: Any) -> Any:
    return (2.0 * (shares * wanted).sum() + 1.0) / (shares.sum() + wanted.sum() + 1.0)


def _present(image: LabelledImage) -> list[Level]:
    """Levels that are there with more than a fragment."""
    values, counts = np.unique(image.labels.array, return_counts=True)
    known = {int(value) for value, count in zip(values, counts, strict=True) if count > _SMALLEST_VOXELS}
    return [level for level in COARSE_LEVELS if level.value in known] or [Level(max(known - {0}))]


def _centroid(labels: Volume, level: Level) -> NDArray[np.float64]:
    return labels.index_to_ras(np.argwhere(labels.array == level.value).mean(axis=0))


def _centroids(labels: Volume, values: NDArray[np.int_]) -> dict[int, NDArray[np.float64]]:
    """RAS centroid of each label among ``values``, from every few voxels."""
    every = np.maximum((2.5 / labels.spacing).astype(int), 1)
    thinned = labels.array[:: every[0], :: every[1], :: every[2]]
    there = [value for value in values.tolist() if (thinned == value).any()]
    middles = center_of_mass(thinned > 0, thinned, there)
    return {value: labels.index_to_ras(np.array(middle) * every) for value, middle in zip(there, middles, strict=True)}


def _inside(labels: Volume, level: Level, random: np.random.Generator) -> NDArray[np.float64]:
    """A point between the centroid and some voxel of the label: long labels (the sacrum) are seen in parts."""
    index = np.argwhere(labels.array == level.value)
    centre, some = index.mean(axis=0), index[int(random.integers(len(index)))]
    return labels.index_to_ras(centre + random.uniform(0.0, 0.6) * (some - centre))


def _mirrored(
    image: NDArray[np.float32], target: NDArray[Any], random: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[Any]]:
    """Half of the samples with left and right exchanged; where there are ways in the target, those along i turn."""
    if random.uniform() < 0.5:
        image, target = image[:, ::-1], target[:, ::-1].copy()
        target[1:2] *= -1
    return np.ascontiguousarray(image), np.ascontiguousarray(target)


def _collect(samples: Any) -> Batch:
    import torch

    images, targets = zip(*samples, strict=True)
    return {"image": torch.from_numpy(np.stack(images)), "target": torch.from_numpy(np.stack(targets))}
