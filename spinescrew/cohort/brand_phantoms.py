"""Simulated films as files, a folder for each design family: what a user's own folder of radiographs looks like."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from spinescrew.progress import Progress

_STREAM = 7016


def write_films(
    out: Path, families: Sequence[str], count: int, seed: int, progress: Progress | None = None
) -> list[Path]:
    """``<family>/<patient>_AP.dcm`` and ``_LAT.dcm`` of ``count`` patients of each family, a spine each.

    Raises
    ------
    InputError
        If there is no such family, or the folder cannot be written.
    """
    from spinescrew.implants.families import FAMILIES
    from spinescrew.implants.families import family as family_of
    from spinescrew.phantoms.xray.brand_case import make_case
    from spinescrew.phantoms.xray.brand_scene import make_scenes
    from spinescrew.radiographs.image import write_radiograph

    progress = progress or Progress()
    names = [family_of(name).name for name in families] or list(FAMILIES)
    files = []
    for number in range(count * len(names)):
        name, patient = names[number // count], seed + number
        progress.update(number / (count * len(names)), f"{name}, patient {number % count + 1}")
        scene = make_scenes(patient)[0]
        case = make_case(scene, name, np.random.default_rng([patient, _STREAM]), crosslink=number % 2 == 0)
        (out / name).mkdir(parents=True, exist_ok=True)
        for view, shot in zip(("AP", "LAT"), case.shots, strict=True):
            files.append(write_radiograph(out / name / f"{patient}_{view}.dcm", shot.radiograph))
    return files
