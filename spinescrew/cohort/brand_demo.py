"""Two simulated films of one patient with screws of a design family, as files: something to try the models on."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from spinescrew.progress import Progress
from spinescrew.radiographs.image import write_radiograph
from spinescrew.viewer.opened import BrandTarget

SEED, FAMILY, LEVELS = 71_004, "family C", 2
IMAGES = ("AP.dcm", "LAT.dcm")


def example_in(folder: Path) -> BrandTarget | None:
    """The films that :func:`write_example` left in ``folder``, if they are there."""
    paths = [folder / name for name in IMAGES]
    return BrandTarget(tuple(paths)) if all(path.is_file() for path in paths) else None


def write_example(folder: Path, progress: Progress | None = None) -> BrandTarget:
    """Make the films, which takes a while, and write them into ``folder``; training draws no spine like this one."""
    from spinescrew.phantoms.xray.brand_case import make_case  # its kernels take seconds to load
    from spinescrew.phantoms.xray.brand_scene import HELD_OUT, make_scenes

    progress = progress or Progress()
    with progress.step("make a simulated patient", 0.0, 0.7):
        scene = make_scenes(SEED, HELD_OUT)[0]
    with progress.step("take two films", 0.7, 1.0):
        case = make_case(scene, FAMILY, np.random.default_rng(SEED), levels=LEVELS, crosslink=True)
    shots = zip(IMAGES, case.shots, strict=True)
    return BrandTarget(tuple(write_radiograph(folder / name, shot.radiograph) for name, shot in shots))
