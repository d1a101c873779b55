"""A folder of one's own radiographs by system, for training and for measuring."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spinescrew.brands.locate import Located, locate
from spinescrew.brands.models import AP, LAT, VIEWS
from spinescrew.errors import InputError
from spinescrew.images.rows import read_rows
from spinescrew.progress import Progress
from spinescrew.radiographs.image import PICTURES, read_radiograph
from spinescrew.radiographs.radiograph import Radiograph
from spinescrew.training.brand_cases import NONE, BrandPatient, Entry, image_of, read_patient, write_patient

LIST = "patients.csv"
COLUMNS = ("brand", "patient", "image")
OTHERS = ("other", "others", "unknown", "another system")
"""Folders, or brands of the list, of systems that shall not be told apart from one another."""

_ENDINGS = (".dcm", ".dicom", "", *PICTURES)
_AP_WORDS, _LAT_WORDS = ("ap", "pa", "front", "frontal"), ("lat", "lateral", "side", "ll", "rl")


@dataclass
class FolderPatient:
    """Images of one patient, by view where that is known already."""

    brand: str
    name: str
    crosslink: bool = False
    images: list[tuple[str, Path]] = field(default_factory=list)


class FolderBrandSource:
    """Radiographs of a folder: a folder for each system, in it the images of its patients.

    ``Alpha/007_AP.dcm`` and ``Alpha/007_LAT.dcm``, or ``Alpha/007/ap.png`` and ``Alpha/007/lateral.png``: what stands
    before the name of the view, or the folder, is the patient. Without a name of the view the file's header tells it,
    else how long the shafts look. A folder called ``other`` holds systems that shall not be told apart. Instead of
    folders a list ``patients.csv`` may stand there with the columns brand, patient, image (relative path), and, if
    known, view (ap or lat) and crosslink (yes or no).

    The screws are found once; crops are cut from what is kept of each patient in ``cache``.

    Parameters
    ----------
    find:
        ``find(radiograph, name) -> Located``; :func:`spinescrew.brands.locate.locate` when left out.

    Raises
    ------
    InputError
        If there is no folder with images, or no screw is found in any of them.
    """

    generator = ""

    def __init__(
        self,
        folder: str | Path,
        cache: Path,
        *,
        find: Callable[[Radiograph, str], Located] | None = None,
        first: int = 0,
        progress: Progress | None = None,
    ) -> None:
        self._folder, self._cache, self._find = Path(folder), Path(cache), find or locate
        self._first = first
        self.refused: dict[str, str] = {}
        self.names: list[str] = []
        self._paths: list[Path] = []
        self.entries: list[Entry] = []
        self._read(progress or Progress())

    @property
    def brands(self) -> tuple[str, ...]:
        """The systems of the folder, in alphabetical order."""
        return tuple(sorted({entry.brand for entry in self.entries} - {NONE}))

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, number: int) -> BrandPatient:
        return read_patient(self._paths[number - self._first])

    def describe(self) -> str:
        """How many; no names: they may tell patients."""
        return f"{len(self)} patients with {len(self.brands)} systems of a user's folder"

    def _read(self, progress: Progress) -> None:
        patients = listed(self._folder)
        for number, patient in enumerate(patients):
            progress.update(number / len(patients), f"screws of patient {number + 1} of {len(patients)}")
            path = self._cache / f"{_digest(patient)}.npz"
            if not path.is_file() and not self._prepare(patient, path):
                continue
            views = tuple(view for view in VIEWS if view in read_patient(path).images)
            self.entries.append(Entry(self._first + len(self._paths), patient.brand, patient.crosslink, views))
            self._paths.append(path)
            self.names.append(f"{patient.brand or OTHERS[0]}/{patient.name}")
        if not self.entries:
            reasons = "; ".join(list(self.refused.values())[:2])
            raise InputError(f"no radiograph of '{self._folder}' can be used: {reasons}")

    def _prepare(self, patient: FolderPatient, path: Path) -> bool:
        """Find the screws of a patient's images; whether any could be used."""
        found: dict[str, Any] = {}
        for told, image in patient.images:
            try:
                radiograph = read_radiograph(image)
                located = self._find(radiograph, image.name)
            except InputError as error:
                self.refused[str(image.relative_to(self._folder))] = str(error)
                continue
            view = told or {"AP": AP, "LAT": LAT}.get(radiograph.view, located.view)
            found[view] = image_of(located.radiograph, located.px_per_mm, located.necks, located.tips)
        if found:
            write_patient(path, BrandPatient(patient.brand, found))
        return bool(found)


def listed(folder: Path) -> list[FolderPatient]:
    """Patients of a folder and their images; see :class:`FolderBrandSource`.

    Raises
    ------
    InputError
        If there are none, or the list is wrong.
    """
    patients = _of_list(folder) if (folder / LIST).is_file() else _of_folders(folder)
    if not patients:
        raise InputError(
            f"'{folder}' holds no radiographs by system; make a folder for each system and put its images there, such "
            "as Alpha/007_AP.dcm and Alpha/007_LAT.dcm"
        )
    return patients


def view_and_patient(stem: str) -> tuple[str, str]:
    """``"007_AP"`` to ("ap", "007"): the view that a file's name tells, and what is left of it."""
    words = [word for word in re.split(r"[\s_\-.]+", stem) if word]
    view = next((AP if word.lower() in _AP_WORDS else LAT for word in words if _is_view(word)), "")
    return view, "_".join(word for word in words if not _is_view(word))


def _is_view(word: str) -> bool:
    return word.lower() in (*_AP_WORDS, *_LAT_WORDS)


def _of_folders(folder: Path) -> list[FolderPatient]:
    found: dict[tuple[str, str], FolderPatient] = {}
    if not folder.is_dir():
        raise InputError(f"'{folder}' is no folder; give one with a folder of radiographs for each system")
    for system in sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")):
        brand = NONE if system.name.lower() in OTHERS else system.name
        for image in sorted(system.rglob("*")):
            if not image.is_file() or image.suffix.lower() not in _ENDINGS or image.name.startswith("."):
                continue
            view, left = view_and_patient(image.stem)
            inside = image.parent.relative_to(system).as_posix()
            name = inside if inside != "." else left or image.stem
            found.setdefault((brand, name), FolderPatient(brand, name)).images.append((view, image))
    return list(found.values())


def _of_list(folder: Path) -> list[FolderPatient]:
    found: dict[tuple[str, str], FolderPatient] = {}
    for row in read_rows(folder / LIST, COLUMNS):
        brand, name = row.text("brand"), row.text("patient")
        brand = NONE if brand.lower() in OTHERS else brand
        path = folder / row.text("image")
        if not path.is_file():
            row.refuse(f"there is no '{path}'")
        view = row.choice("view", VIEWS) if row.cells.get("view") else ""
        patient = found.setdefault((brand, name), FolderPatient(brand, name))
        patient.crosslink |= bool(row.cells.get("crosslink")) and row.yes("crosslink")
        patient.images.append((view, path))
    for others in {name for _, name in found}:
        if len({brand for brand, name in found if name == others}) > 1:
            raise InputError(f"'{folder / LIST}': patient '{others}' has two systems; give it one, or leave it out")
    return list(found.values())


def _digest(patient: FolderPatient) -> str:
    """Of the patient's brand and images, so that changed files are read again."""
    digest = hashlib.sha256(patient.brand.encode())
    for view, image in patient.images:
        digest.update(view.encode() + hashlib.sha256(image.read_bytes()).digest())
    return digest.hexdigest()[:24]


class Together:
    """Patients of two sources, as when a system is added to those of the simulation.

    Parameters
    ----------
    second:
        Its numbers must not be those of the first.
    """

    def __init__(self, first: Any, second: Any, only: Sequence[Entry] | None = None) -> None:
        self._first, self._second = first, second
        self._own = {entry.number for entry in first.entries}
        self.entries = [*first.entries, *second.entries] if only is None else list(only)
        self.generator = first.generator or second.generator
        self.provenance = "Trained on simulated images and on images that the user gave; for research"

    def __getitem__(self, number: int) -> BrandPatient:
        source = self._first if number in self._own else self._second
        found: BrandPatient = source[number]
        return found

    def describe(self) -> str:
        """For the model card."""
        return f"{self._first.describe()}; {self._second.describe()}"
