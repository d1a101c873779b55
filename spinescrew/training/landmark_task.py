"""Training of the landmark network: entry and exit of both pedicles of one vertebra."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import SIDES
from spinescrew.anatomy.levels import Level
from spinescrew.errors import InputError
from spinescrew.networks.intensity import network_input
from spinescrew.segmentation.box import AIR_HU, Box
from spinescrew.segmentation.scheme import LANDMARK_MM, LANDMARK_SHAPE, LANDMARKS, POINTS
from spinescrew.training.cases import LabelledImage, Source
from spinescrew.training.sampling import Augmentation, other_tones, random_box
from spinescrew.training.segmentation_tasks import damaged
from spinescrew.training.task import Batch

SIGMA_VOXELS = 2.0


@dataclass(frozen=True)
class LandmarkTask:
    """Four heat maps a vertebra, from its CT and its mask (Wang 2024, AISPINE: a 3D stacked hourglass).

    Parameters
    ----------
    source:
        Labelled images with landmarks.
    """

    source: Source
    width: int = 16
    stacks: int = 2
    batch_size: int = 1
    seed: int = 3
    shape: tuple[int, int, int] = LANDMARK_SHAPE
    how: Augmentation = field(default_factory=lambda: Augmentation(shift_mm=9.0))
    name: str = LANDMARKS
    purpose: str = "finds entry and exit of both pedicles of a vertebra"

    def build(self) -> Any:
        """See :class:`spinescrew.training.task.Task`."""
        from spinescrew.networks.hourglass import StackedHourglass

        return StackedHourglass(2, len(POINTS), stacks=self.stacks, width=self.width)

    def batch(self, step: int) -> Batch:
        """``image`` (n, 2, i, j, k): CT and mask; ``points`` (n, 4, 3) in voxels, NaN where there is none."""
        import torch

        samples = [self._sample(np.random.default_rng((self.seed, step, n))) for n in range(self.batch_size)]
        images, points = zip(*samples, strict=True)
        return {"image": torch.from_numpy(np.stack(images)), "points": torch.from_numpy(np.stack(points))}

    def loss(self, model: Any, batch: Batch) -> Any:
        """Divergence of each stack's heat maps from the wanted ones (:func:`spinescrew.networks.heat.heat_loss`)."""
        from spinescrew.networks.heat import heat_loss

        maps = model(batch["image"])
        return sum(heat_loss(logits, batch["points"], SIGMA_VOXELS) for logits in maps) / len(maps)

    def _sample(self, random: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        image = self._with_landmarks(random)
        levels = sorted({level for level, _ in image.landmarks})
        level = levels[int(random.integers(len(levels)))]
        known = np.concatenate([image.landmarks[level, side] for side in SIDES if (level, side) in image.landmarks])
        box = random_box(known.reshape(-1, 3).mean(axis=0), self.shape, LANDMARK_MM, self.how, random)
        ct = other_tones(box.cut(image.ct, 1, AIR_HU), LANDMARK_MM, self.how, random)
        mask = box.share_of(image.labels, level.value)
        rough = damaged(mask, random) if random.uniform() < 0.3 else mask
        return self._mirrored(np.stack([network_input(ct), rough]), _points(image, level, box), random)

    def _with_landmarks(self, random: np.random.Generator) -> LabelledImage:
        for _ in range(20):
            image = self.source[int(random.integers(len(self.source)))]
            if image.landmarks:
                return image
        raise InputError("the training images have no landmarks; train the landmark network on phantoms")

    def _mirrored(
        self, image: NDArray[np.float32], points: NDArray[np.float32], random: np.random.Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Half of the samples with left and right exchanged; then the left points are the right ones."""
        if random.uniform() < 0.5:
            image = np.ascontiguousarray(image[:, ::-1])
            points = points[[2, 3, 0, 1]]
            points[:, 0] = self.shape[0] - 1 - points[:, 0]
        return image, points


def _points(image: LabelledImage, level: Level, box: Box) -> NDArray[np.float32]:
    found = np.full((len(POINTS), 3), np.nan, np.float32)
    for number, (side, end) in enumerate(POINTS):
        pair = image.landmarks.get((level, side))
        if pair is not None:
            voxel = box.to_index(np.asarray(pair[end == "exit"]))
            if (voxel >= 0).all() and (voxel <= np.array(box.shape) - 1).all():
                found[number] = voxel
    return found
