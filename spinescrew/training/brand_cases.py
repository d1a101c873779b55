"""Where the models of systems take their images from: one patient a file, simulated or of a user's own folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from spinescrew.brands.crop import MAGNIFICATION
from spinescrew.brands.models import VIEWS
from spinescrew.geometry.atomic import atomic_path
from spinescrew.implants.families import FAMILIES
from spinescrew.phantoms.xray.brand_case import BrandCase, brand_hash, make_case
from spinescrew.phantoms.xray.brand_scene import TRAINING, BrandScene, make_scenes
from spinescrew.phantoms.xray.shot import Shot
from spinescrew.radiographs.radiograph import Radiograph

Floats = NDArray[np.float64]
Field = NDArray[np.float32]

NONE = ""
"""Brand of a design that belongs to none of the systems."""

SCENES, PATIENTS_OF_A_SPINE = 10, 20
_LOW, _HIGH = 0.2, 99.95
_STREAM = 7012


@dataclass(frozen=True, eq=False)
class BrandImage:
    """One view of one patient, as it is kept.

    Attributes
    ----------
    pixels:
        uint8 (rows, columns), dense things bright.
    px_per_mm:
        Pixels for a millimetre in the patient, as far as it is known.
    necks, tips:
        (n, 2) (column, row) where shafts begin below their heads, and where they end.
    """

    pixels: NDArray[np.uint8]
    px_per_mm: float
    necks: Floats
    tips: Floats


@dataclass(frozen=True, eq=False)
class BrandPatient:
    """One patient: the views there are, by name (:data:`spinescrew.brands.models.VIEWS`)."""

    brand: str
    images: Mapping[str, BrandImage]


@dataclass(frozen=True)
class Entry:
    """What is known of a patient without reading the images; ``number`` asks the source for them."""

    number: int
    brand: str
    crosslink: bool
    views: tuple[str, ...] = VIEWS


class BrandSource(Protocol):
    """Patients by number."""

    @property
    def entries(self) -> Sequence[Entry]:
        """All of them."""
        ...

    @property
    def generator(self) -> str:
        """Hash of what makes the images; empty where they are real."""
        ...

    def __getitem__(self, number: int) -> BrandPatient: ...

    def describe(self) -> str:
        """For the model card."""
        ...


class BrandPhantoms:
    """Simulated patients, twenty of a spine, made when asked for first and kept in a folder.

    Every second one has a crosslink where the system has one, and two of nine have a design that belongs to no family.

    Parameters
    ----------
    folder:
        Where they are kept; several processes may use it at once.
    count, first:
        How many patients, and the number of the first; spines are not shared between ranges that begin and end at
        multiples of twenty.
    first_seed:
        Of the spines.
    families:
        Names of the systems; the seven when left out.
    """

    def __init__(
        self,
        folder: Path,
        count: int,
        first_seed: int,
        first: int = 0,
        *,
        families: Sequence[str] | None = None,
        scenes: Callable[[int], list[BrandScene]] | None = None,
    ) -> None:
        self.families = tuple(families or FAMILIES)
        self.generator = brand_hash()
        self._root, self._count, self._seed, self._first = Path(folder), count, first_seed, first
        self._folder = self._root / self.generator.rpartition(":")[2][:12] / "-".join(_short(n) for n in self.families)
        self._scenes = scenes or (lambda seed: make_scenes(seed, TRAINING, SCENES))
        self.entries = [self._entry(number) for number in range(first, first + count)]

    def __getitem__(self, number: int) -> BrandPatient:
        path = self._path(number)
        if not path.is_file():
            self._make(number // PATIENTS_OF_A_SPINE)
        return read_patient(path)

    def after(self, count: int) -> BrandPhantoms:
        """So many patients more, of other spines."""
        first = -(-(self._first + self._count) // PATIENTS_OF_A_SPINE) * PATIENTS_OF_A_SPINE
        return BrandPhantoms(self._root, count, self._seed, first, families=self.families, scenes=self._scenes)

    def describe(self) -> str:
        """How many, and the seeds of their spines."""
        first, last = self._first // PATIENTS_OF_A_SPINE, (self._first + self._count - 1) // PATIENTS_OF_A_SPINE
        return (
            f"{self._count} simulated patients of {len(self.families)} design families and of designs of none, "
            f"seeds {self._seed + first}-{self._seed + last}"
        )

    def _entry(self, number: int) -> Entry:
        names = (*self.families, NONE, NONE)
        linked = number // len(names) % 2 == 0
        return Entry(number, names[number % len(names)], linked)

    def _path(self, number: int) -> Path:
        return self._folder / f"{self._seed + number // PATIENTS_OF_A_SPINE}" / f"{number}.npz"

    def _make(self, spine: int) -> None:
        """All patients of a spine."""
        scenes = self._scenes(self._seed + spine)
        for number in range(spine * PATIENTS_OF_A_SPINE, (spine + 1) * PATIENTS_OF_A_SPINE):
            path, entry = self._path(number), self._entry(number)
            if path.is_file():
                continue
            random = np.random.default_rng([number, self._seed, _STREAM])
            scene = scenes[number % len(scenes)]
            case = make_case(scene, entry.brand, random, crosslink=entry.crosslink, whole=False)
            write_patient(path, of_case(case))


def of_case(case: BrandCase) -> BrandPatient:
    """A simulated case as training keeps it."""
    return BrandPatient(case.family, {view: of_shot(shot) for view, shot in zip(VIEWS, case.shots, strict=True)})


def of_shot(shot: Shot) -> BrandImage:
    """One film of it; its scale is what a reader would take it to be, not what it truly is."""
    return image_of(shot.radiograph, MAGNIFICATION / float(shot.view.pixel_mm.mean()), shot.necks, shot.tips)


def image_of(radiograph: Radiograph, px_per_mm: float, necks: Floats, tips: Floats) -> BrandImage:
    """A radiograph and the screws found in it as training keeps them."""
    pixels = radiograph.dense_bright()
    low, high = np.percentile(pixels, (_LOW, _HIGH))
    grey = np.clip(np.rint(255.0 * (pixels - low) / max(float(high - low), 1e-6)), 0, 255)
    return BrandImage(grey.astype(np.uint8), px_per_mm, np.asarray(necks, float), np.asarray(tips, float))


def write_patient(path: Path, patient: BrandPatient) -> None:
    """Kept whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    held: dict[str, Any] = {"brand": patient.brand, "views": np.array(list(patient.images))}
    for view, image in patient.images.items():
        held[f"pixels-{view}"], held[f"scale-{view}"] = image.pixels, image.px_per_mm
        held[f"necks-{view}"], held[f"tips-{view}"] = image.necks, image.tips
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **held)


def read_patient(path: Path) -> BrandPatient:
    """What :func:`write_patient` wrote."""
    with np.load(path, allow_pickle=False) as held:
        images = {
            str(view): BrandImage(
                held[f"pixels-{view}"], float(held[f"scale-{view}"]), held[f"necks-{view}"], held[f"tips-{view}"]
            )
            for view in held["views"]
        }
        return BrandPatient(str(held["brand"]), images)


def split(entries: Sequence[Entry], share: float, seed: int = 0) -> tuple[list[Entry], list[Entry]]:
    """Patients in two parts, the second with about this share of each system, with and without crosslink.

    Patients are never divided: an entry is a whole patient. A group of two or more gives at least one to either part.
    """
    groups: dict[tuple[str, bool], list[Entry]] = {}
    for entry in entries:
        groups.setdefault((entry.brand, entry.crosslink), []).append(entry)
    random = np.random.default_rng([seed, _STREAM])
    first: list[Entry] = []
    second: list[Entry] = []
    for _, group in sorted(groups.items()):
        order = random.permutation(len(group))
        count = round(share * len(group))
        if len(group) > 1:
            count = min(max(count, 1 if share > 0 else 0), len(group) - 1)
        second += [group[n] for n in order[:count]]
        first += [group[n] for n in order[count:]]
    by_number = lambda entry: entry.number  # noqa: E731
    return sorted(first, key=by_number), sorted(second, key=by_number)


def _short(name: str) -> str:
    return name.rpartition(" ")[2]
