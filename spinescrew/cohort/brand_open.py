"""Radiographs as windows ask for their system of screws, and every file of the answer to be carried away."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from spinescrew.brands.identify import BrandResult, identify
from spinescrew.brands.models import BrandModels, load_models, why_none
from spinescrew.brands.reference import reference_picture
from spinescrew.cohort.archive import pack
from spinescrew.cohort.brand import BRAND, REPORT, write_brand_case
from spinescrew.cohort.brand_demo import FAMILY, write_example
from spinescrew.errors import InputError
from spinescrew.progress import Progress
from spinescrew.radiographs.image import read_radiograph
from spinescrew.radiographs.radiograph import Radiograph
from spinescrew.viewer.opened import BrandTarget, Identified

EXAMPLE_NAME = f"Simulated films with screws of {FAMILY}"
MOST_IMAGES = 2


def open_brand(
    target: BrandTarget,
    *,
    device: str = "auto",
    models: BrandModels | None = None,
    judge: Callable[..., BrandResult] = identify,
    progress: Progress | None = None,
) -> Identified:
    """Say which system one or two radiographs show; the built-in pair is made first.

    Parameters
    ----------
    models:
        Loaded ones; those installed when left out.
    judge:
        :func:`spinescrew.brands.identify.identify`, or what stands in for it.

    Raises
    ------
    InputError
        If no model is installed (the message says which command trains them), or an image cannot be read or judged.
    Cancelled
        If ``progress`` was asked to stop.
    """
    progress = progress or Progress()
    if models is None and (reason := why_none()):
        raise InputError(reason)
    start = 0.45 if target.built_in else 0.05
    with progress.step("read the images", 0.0, start) as part:
        images = _images(target, part)
    with progress.step("load the models", start, start + 0.1):
        models = models or load_models(device)
    found = judge(images, models, device=device, progress=progress.part(start + 0.1, 0.95))
    with progress.step("draw the systems", 0.95, 1.0):
        references = reference_pictures(found.brands)
    return Identified(found, _name(target), references)


def reference_pictures(brands: Sequence[str]) -> Mapping[int, NDArray[np.uint8]]:
    """By number of the system, (rows, columns) 0 to 255; see :func:`spinescrew.brands.reference.reference_picture`."""
    pictures = {number: reference_picture(brand) for number, brand in enumerate(brands)}
    return {
        number: np.rint(255.0 * np.clip(picture, 0.0, 1.0)).astype(np.uint8)
        for number, picture in pictures.items()
        if picture is not None
    }


def pack_brand(
    found: Identified, folder: Path, archive: Path, progress: Progress | None = None
) -> tuple[Path, Path, Path]:
    """Write :func:`spinescrew.cohort.brand.write_brand_case` into ``folder``, and a zip of it.

    Returns the paths of ``report.html``, ``brand.json`` and the archive; nothing holds the patient's identity.
    """
    progress = progress or Progress()
    write_brand_case(found.result, folder, force=True, progress=progress.part(0.0, 0.9))
    with progress.step("pack", 0.9, 1.0):
        pack(folder, archive)
    return folder / REPORT, folder / BRAND, archive


def _images(target: BrandTarget, progress: Progress) -> list[Radiograph]:
    if len(target.images) > MOST_IMAGES:
        raise InputError(f"one radiograph is judged, or two of one patient; {len(target.images)} were given")
    if target.built_in:
        with TemporaryDirectory() as folder:
            return [read_radiograph(path) for path in write_example(Path(folder), progress).images]
    return [read_radiograph(path) for path in target.images]


def _name(target: BrandTarget) -> str:
    if target.built_in:
        return EXAMPLE_NAME
    return ", ".join(path.resolve().name for path in target.images)
