"""Show the models of systems films as people really send them, and films that are none, and count what becomes of them.

Photographs of screens, cut out, lying, inverted, without implants, with a plate, with two systems on one film::

    python Utilities/brand_odd_films.py --count 10
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from spinescrew.brands.identify import BrandResult, identify
from spinescrew.brands.models import BrandModels, load_models
from spinescrew.errors import InputError
from spinescrew.implants.families import FAMILIES
from spinescrew.phantoms.xray.brand_case import make_case, metal_seen
from spinescrew.phantoms.xray.brand_odd import anterior_plate, no_implant, photographed, two_systems
from spinescrew.phantoms.xray.brand_scene import HELD_OUT, make_scenes
from spinescrew.phantoms.xray.shot import Shot
from spinescrew.radiographs.image import read_radiograph
from spinescrew.radiographs.radiograph import Radiograph

FIRST_SEED = 70_000
RIGHT, WRONG, UNKNOWN, REFUSED, TWO = "right", "wrong", "said to be unknown", "refused", "two systems told"
_STREAM = 7031
_ROOM_PX = 80


def main() -> None:
    """Judge them and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10, help="Patients of each kind.")
    count = parser.parse_args().count
    models = load_models("cpu")
    names = list(FAMILIES)
    told: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            random = np.random.default_rng([FIRST_SEED + number, _STREAM])
            scene, brand = make_scenes(FIRST_SEED + number, HELD_OUT)[0], names[number % len(names)]
            shots = make_case(scene, brand, random, levels=2).shots
            images = [shot.radiograph for shot in shots]
            for kind, given in {
                "as they are": images,
                "photographs of a screen": [
                    _photograph(image, Path(folder) / f"{n}.jpg", random) for n, image in enumerate(images)
                ],
                "cut out, no pixel size": [_cut_out(shot) for shot in shots],
                "lying": [_turned(image) for image in images],
                "inverted": [replace(image, pixels=image.pixels.max() - image.pixels) for image in images],
            }.items():
                told.setdefault(kind, []).append(_outcome(given, models, brand))
            for kind, odd in (("no implant", no_implant), ("a plate", anterior_plate)):
                given = [shot.radiograph for shot in odd(scene, random)]
                told.setdefault(kind, []).append(_outcome(given, models, ""))
            other = names[(number + 1 + number // len(names)) % len(names)]
            two = [shot.radiograph for shot in two_systems(scene, (brand, other), random)]
            told.setdefault("two systems", []).append(_outcome(two, models, brand, other))
            print(number + 1, {kind: each[-1] for kind, each in told.items()}, flush=True)  # noqa: T201
    for kind, outcomes in told.items():
        counts = ", ".join(f"{outcomes.count(each)} {each}" for each in dict.fromkeys(outcomes))
        print(f"| {kind} | {counts} |")  # noqa: T201


def _outcome(images: Sequence[Radiograph], models: BrandModels, *right: str) -> str:
    try:
        found: BrandResult = identify(images, models, attention=False, device="cpu")
    except InputError:
        return REFUSED
    if any("two systems" in warning for warning in found.warnings):
        return TWO
    if not found.known:
        return UNKNOWN
    return RIGHT if found.brands[found.best] in right else WRONG


def _photograph(image: Radiograph, path: Path, random: np.random.Generator) -> Radiograph:
    Image.fromarray(photographed(_grey(image.pixels), random)).save(path)
    return read_radiograph(path)


def _grey(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    low, high = np.percentile(pixels, (0.2, 99.9))
    return np.asarray(np.clip((pixels - low) / (high - low), 0, 1), dtype=np.float32)


def _cut_out(shot: Shot) -> Radiograph:
    """What someone cuts out around the implants before sending it; the file no longer tells a size."""
    rows, columns = np.nonzero(metal_seen(shot))
    first = np.maximum([rows.min() - _ROOM_PX, columns.min() - _ROOM_PX], 0)
    last = np.array([rows.max(), columns.max()]) + _ROOM_PX
    pixels = shot.radiograph.pixels[first[0] : last[0], first[1] : last[1]]
    return replace(shot.radiograph, pixels=pixels, pixel_mm=None, spacing_kind="unknown")


def _turned(image: Radiograph) -> Radiograph:
    step = None if image.pixel_mm is None else image.pixel_mm[::-1]
    return replace(image, pixels=np.ascontiguousarray(np.rot90(image.pixels)), pixel_mm=step)


if __name__ == "__main__":
    main()
