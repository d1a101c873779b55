"""Training of the models that name the system of the screws in a crop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import affine_transform, gaussian_filter

from spinescrew.brands.crop import SIZE, Window, beside, channels, cut, windows_of
from spinescrew.brands.models import CONCAT, KIND_WORDS, MERGE, VIEWS, model_name
from spinescrew.errors import InputError
from spinescrew.training.brand_cases import NONE, BrandImage, BrandSource, Entry
from spinescrew.training.task import Batch

Field = NDArray[np.float32]
Random = np.random.Generator

_OFF_MM, _LARGER, _TURN_DEG = 2.0, 0.07, 4.0
"""How far a crop is moved, enlarged (logarithm) and turned: standard deviations."""

_WIDER = 1.5
"""Training moves crops this much further than screws are found away from their place."""

_BENT_SHARE, _BENT = 0.5, 0.05
"""How often a crop is stretched and sheared as another projection would, and by how much (standard deviation)."""

_EDGES_SHARE, _EDGES, _EDGES_PX = 0.5, (-0.4, 2.0), (2.0, 14.0)
"""Unsharp masking, or veiling light below nought: how often, how much, how coarse."""

_BLUR_SHARE, _BLUR_PX = 0.5, (0.2, 1.7)
_NOISE, _GAMMA = 0.06, 0.4
_FAR = 2.5

OFTEN = 2.0
"""Designs of no system, which look like many things, and new systems are drawn this often for once that another is."""


@dataclass(frozen=True)
class BrandTask:
    """Crops of screws, turned over and moved a little, and the system of each; known systems equally often.

    Parameters
    ----------
    kind:
        Which of the four models (:data:`spinescrew.brands.models.KINDS`).
    brands:
        Names of the systems, in the order of the outputs.
    entries:
        Patients to learn from; all of the source when left out.
    other:
        Whether designs of no system have an output of their own.
    new:
        Systems that are still to be learned by a network that knows the others.
    """

    source: BrandSource
    kind: str = MERGE
    brands: tuple[str, ...] = ()
    entries: Sequence[Entry] | None = None
    other: bool = True
    batch_size: int = 16
    seed: int = 81
    new: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """See :class:`spinescrew.training.task.Task`."""
        return model_name(self.kind)

    @property
    def purpose(self) -> str:
        """See :class:`spinescrew.training.task.Task`."""
        seen = "radiographs from the front and the side" if self.kind in (MERGE, CONCAT) else "radiographs"
        return f"names the system of pedicle screws on {seen} ({KIND_WORDS[self.kind]} model)"

    @property
    def shape(self) -> tuple[int, int]:
        """See :class:`spinescrew.training.task.Task`."""
        return SIZE, 2 * SIZE if self.kind == CONCAT else SIZE

    def build(self) -> Any:
        """See :class:`spinescrew.training.task.Task`."""
        from spinescrew.networks.brand_net import BrandNet, imagenet_file, with_imagenet

        model = BrandNet(self.brands, self.kind, self.other)
        path = imagenet_file()
        return model if path is None else with_imagenet(model, path)

    def batch(self, step: int) -> Batch:
        """``image`` (n, 3, r, c), ``target`` (n,), and the ``seed`` of what is left out by chance."""
        import torch

        samples = [self.sample(np.random.default_rng((self.seed, step, n))) for n in range(self.batch_size)]
        images, targets = zip(*samples, strict=True)
        return {
            "image": torch.from_numpy(np.stack(images)),
            "target": torch.tensor(targets),
            "seed": torch.tensor(step),
        }

    def loss(self, model: Any, batch: Batch) -> Any:
        """Cross entropy."""
        import torch
        from torch.nn.functional import cross_entropy

        # Which features are dropped depends on the step alone, so that a resumed run goes on as it would have.
        torch.manual_seed(int(batch["seed"]))
        return cross_entropy(model(batch["image"]).float(), batch["target"])

    def sample(self, random: Random) -> tuple[Field, int]:
        """One crop (3, r, c), or pair of crops, and the number of its system."""
        groups = self._by_output
        output = int(random.choice(len(groups), p=self._shares))
        entry = groups[output][int(random.integers(len(groups[output])))]
        patient = self.source[entry.number]
        if self.kind == CONCAT:
            return beside(*(self._crop(patient.images[view], random) for view in VIEWS)), output
        view = self.kind if self.kind in VIEWS else str(random.choice(entry.views))
        return self._crop(patient.images[view], random), output

    @cached_property
    def _shares(self) -> NDArray[np.float64]:
        """How often each output is drawn."""
        often = [brand in self.new for brand in self.brands] + ([True] if self.other else [])
        shares = np.where(often, OFTEN, 1.0)
        return np.asarray(shares / shares.sum())

    @cached_property
    def _by_output(self) -> list[list[Entry]]:
        """Patients with the views that this model needs, by the number of their system."""
        needed = set(VIEWS) if self.kind == CONCAT else {self.kind} & set(VIEWS)
        entries = self.source.entries if self.entries is None else self.entries
        names = (*self.brands, NONE) if self.other else self.brands
        groups = [[e for e in entries if e.brand == name and needed <= set(e.views) and e.views] for name in names]
        for name, group in zip(names, groups, strict=True):
            if not group:
                words = " and ".join(KIND_WORDS[view] for view in sorted(needed)) or "any"
                raise InputError(
                    f"no patient with {name or 'a design of no system'} has {words} radiographs; give some, or train "
                    "another model"
                )
        return groups

    def _crop(self, image: BrandImage, random: Random) -> Field:
        windows = windows_of(image.necks, image.tips, image.px_per_mm)
        window = jittered(windows[int(random.integers(len(windows)))], image.px_per_mm, random, _WIDER)
        crop = cut(image.pixels.astype(np.float32), window) / np.float32(255.0)
        if random.random() < 0.5:
            crop = crop[::-1]
        if random.random() < _BENT_SHARE:
            crop = bent(crop, random)
        return channels(other_tones(crop, random))


def jittered(window: Window, px_per_mm: float, random: Random, wider: float = 1.0) -> Window:
    """A window as it might have been found, or ``wider`` times as far off."""
    off, turn, larger = random.normal(size=2), random.normal(), random.normal()
    return replace(
        window,
        centre=window.centre + np.clip(off, -_FAR, _FAR) * wider * _OFF_MM * px_per_mm,
        side_px=window.side_px * float(np.exp(wider * _LARGER * np.clip(larger, -_FAR, _FAR))),
        turn_deg=window.turn_deg + wider * _TURN_DEG * float(np.clip(turn, -_FAR, _FAR)),
    )


def bent(crop: Field, random: Random) -> Field:
    """A crop stretched and sheared about its middle, as a screw looks from a little further round."""
    matrix = np.eye(2) + _BENT * np.clip(random.normal(size=(2, 2)), -_FAR, _FAR)
    middle = (np.array(crop.shape) - 1) / 2
    return np.asarray(affine_transform(crop, matrix, middle - matrix @ middle, order=1, mode="nearest"))


def other_tones(crop: Field, random: Random) -> Field:
    """A crop (0..1) as another detector might have shown it: other contrast and edges, softer, noisier."""
    crop = np.clip(crop, 0.0, 1.0) ** np.float32(np.exp(_GAMMA * random.normal()))
    if random.random() < _BLUR_SHARE:
        crop = gaussian_filter(crop, float(random.uniform(*_BLUR_PX)))
    noise = np.float32(_NOISE * random.random() ** 3) * random.standard_normal(crop.shape, dtype=np.float32)
    if random.random() < 0.5:
        noise = 2.0 * gaussian_filter(noise, 0.7)
    crop = crop + noise
    if random.random() < _EDGES_SHARE:
        coarse = gaussian_filter(crop, float(random.uniform(*_EDGES_PX)))
        crop = crop + np.float32(random.uniform(*_EDGES)) * (crop - coarse)
    return np.asarray(crop, dtype=np.float32)
