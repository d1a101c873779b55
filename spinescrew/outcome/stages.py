"""Resolutions of a registration, and what of the images is looked at in each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.errors import InputError
from spinescrew.geometry.vectors import unit
from spinescrew.outcome.bone import Bone
from spinescrew.outcome.fit import Drawn, Prior, moved
from spinescrew.outcome.patches import Patch, pyramid
from spinescrew.outcome.similarity import Windows, shadow

Floats = NDArray[np.float64]

BEND_MM, BEND_DEG = 5.0, 6.0
"""How far a vertebra may have moved against the spine as one piece, between CT and operation (standard deviations)."""


@dataclass(frozen=True)
class Stage:
    """One resolution, in mm at the object: pixels, voxels, windows, what counts beside a bone, and room around it."""

    pixel_mm: float
    voxel_mm: float
    window_mm: float
    region_mm: float
    margin_mm: float
    most_steps: int

    def prior(self, pose: Floats) -> Prior:
        """What a spine that bends between CT and operation lets expect of a vertebra, where ``pose`` is the whole's."""
        return Prior(pose, BEND_MM, BEND_DEG, self.independent)

    @property
    def independent(self) -> float:
        """Pixels in a window, which are right or wrong together."""
        return (self.window_mm / self.pixel_mm) ** 2


STAGES = (
    Stage(3.2, 2.6, 20.0, 6.0, 14.0, 15),
    Stage(1.9, 1.7, 12.0, 3.0, 8.0, 10),
    Stage(1.2, 1.2, 8.0, 2.0, 5.0, 6),
)
COARSE, MIDDLE, FINE = range(3)


def images_of(prepared: Sequence[Patch], stages: Sequence[Stage]) -> list[list[Patch]]:
    """The images of both views, by stage."""
    steps = [stage.pixel_mm for stage in stages]
    return [list(pair) for pair in zip(*(pyramid(whole, steps) for whole in prepared), strict=True)]


def corners_of(bone: Bone, pose: Floats) -> Floats:
    return np.asarray(bone.corners @ pose[:3, :3].T + pose[:3, 3])


def windows_around(
    images: Sequence[Patch], corners: Floats, stage: Stage, what: str, bone: tuple[Drawn, Floats] | None = None
) -> list[Windows]:
    """The parts of the images around ``corners``; where ``bone`` in its pose is given, what is around it counts."""
    patches = [image.around(corners, stage.margin_mm) for image in images]
    for number, patch in enumerate(patches, start=1):
        if patch is None:
            raise InputError(f"{what} is not in image {number}; check the geometry, or where the CT is said to lie")
    found = [patch for patch in patches if patch is not None]
    if bone is None:
        return [Windows(patch, stage.window_mm) for patch in found]
    drawn, pose = bone
    regions = [shadow(drawn.image(patch, pose), patch.step_mm, stage.region_mm) for patch in found]
    return [Windows(patch, stage.window_mm, region) for patch, region in zip(found, regions, strict=True)]


def places_around(pose: Floats, centre: Floats, mm: float, degrees: float, count: int, random: Any) -> list[Floats]:
    """``pose`` itself and poses up to so far from it."""
    poses = [pose]
    for _ in range(count - 1):
        turn = np.radians(degrees) * random.random() ** (1 / 3) * unit(random.normal(size=3))
        shift = mm * random.random() ** (1 / 3) * unit(random.normal(size=3))
        poses.append(moved(pose, centre, [*turn, *shift]))
    return poses
