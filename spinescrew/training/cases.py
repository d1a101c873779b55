"""Where training takes its images from: phantoms made on demand, or a folder of images and labels."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from spinescrew.anatomy.frame import Side
from spinescrew.anatomy.levels import Level
from spinescrew.anatomy.numbering import to_verse
from spinescrew.errors import InputError
from spinescrew.geometry.atomic import atomic_path
from spinescrew.geometry.volume import Volume
from spinescrew.images import read_image, read_labels
from spinescrew.implants.screw import Screw, ScrewShape

THICK_MM = 2.0

Landmarks = dict[tuple[Level, Side], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, eq=False)
class LabelledImage:
    """A CT (HU), its vertebrae (VerSe ids) on the same grid and what else is known.

    Attributes
    ----------
    landmarks:
        Entry and exit (3,) RAS by pedicle.
    screws:
        Reference screws by pedicle.
    traits:
        What is special about the patient or the image, in words.
    """

    ct: Volume
    labels: Volume
    landmarks: Landmarks
    screws: dict[tuple[Level, Side], Screw] = field(default_factory=dict)
    traits: tuple[str, ...] = ()

    @property
    def thick(self) -> bool:
        """Whether its slices are thicker than 2 mm."""
        return float(self.ct.spacing.max()) > THICK_MM


class Source(Protocol):
    """Numbered labelled images."""

    def __len__(self) -> int: ...

    def __getitem__(self, number: int) -> LabelledImage: ...

    def describe(self) -> str:
        """For the model card."""
        ...

    @property
    def generator(self) -> str:
        """Hash of what makes the images; empty where they are real."""
        ...


class PhantomSource:
    """Phantoms of consecutive seeds, made when they are asked for first and kept in a folder.

    Parameters
    ----------
    make:
        ``make(seed)`` gives a case with the attributes of :class:`LabelledImage`.
    folder:
        Where they are kept; every process of a training may use it at once.
    generator:
        Hash of what makes them; phantoms of another generator are made anew.
    """

    def __init__(self, make: Callable[[int], Any], folder: Path, count: int, generator: str, first: int = 0) -> None:
        self._make, self._count, self._first = make, count, first
        self._folder = Path(folder) / generator.rpartition(":")[2][:12]
        self._generator = generator

    @property
    def generator(self) -> str:
        """See :class:`Source`."""
        return self._generator

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> LabelledImage:
        seed = self._first + number % self._count
        path = self._folder / f"{seed}.npz"
        if not path.is_file():
            case = self._make(seed)
            _write(path, LabelledImage(case.ct, case.labels, case.landmarks, case.screws, case.traits))
        return _read(path)

    def describe(self) -> str:
        """How many, and their seeds."""
        return f"{self._count} simulated CTs, seeds {self._first}-{self._first + self._count - 1}"


class FolderSource:
    """Image and label pairs of a folder: a MONAI data list, nnU-Net's raw layout, or a list of pairs.

    Parameters
    ----------
    folder:
        Holds ``dataset.json`` (MONAI: ``training`` with ``image`` and ``label``), or ``imagesTr`` and ``labelsTr``
        (nnU-Net: ``case_0000.nii.gz`` and ``case.nii.gz``).

    Raises
    ------
    InputError
        If it holds no pairs; the message says what was looked for.
    """

    def __init__(self, folder: str | Path, numbering: str = "auto") -> None:
        self._folder, self._numbering = Path(folder), numbering
        self.pairs = image_pairs(self._folder)

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, number: int) -> LabelledImage:
        image, labels = self.pairs[number % len(self.pairs)]
        ct, verse = read_image(image), to_verse(read_labels(labels), self._numbering)
        if not ct.same_grid(verse):
            raise InputError(f"{labels} does not lie on the grid of {image}; resample the labels to the image")
        return LabelledImage(ct, verse, {})

    @property
    def generator(self) -> str:
        """See :class:`Source`."""
        return ""

    def describe(self) -> str:
        """How many; no names: they may tell patients."""
        return f"{len(self.pairs)} images of a folder"


def image_pairs(folder: Path) -> list[tuple[Path, Path]]:
    """(image, labels) of a training folder; see :class:`FolderSource`."""
    listed = folder / "dataset.json"
    pairs: list[tuple[Path, Path]] = []
    if listed.is_file():
        pairs = _from_data_list(listed)
    if not pairs and (folder / "labelsTr").is_dir():
        pairs = _from_nnunet(folder)
    if not pairs:
        raise InputError(
            f"'{folder}' holds no training pairs; give a folder with dataset.json (training: image, label) or with "
            "imagesTr/case_0000.nii.gz and labelsTr/case.nii.gz"
        )
    missing = [path for pair in pairs for path in pair if not path.exists()]
    if missing:
        raise InputError(f"'{missing[0]}' of the training list is not there ({len(missing)} files are missing)")
    return pairs


def _from_data_list(path: Path) -> list[tuple[Path, Path]]:
    try:
        items = json.loads(path.read_text(encoding="utf-8")).get("training", [])
        return [(path.parent / _one(item["image"]), path.parent / item["label"]) for item in _dictionaries(items)]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"'{path}' is no data list ({error}); it needs training: [{{image, label}}]") from error


def _dictionaries(items: Any) -> Sequence[dict[str, Any]]:
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _one(image: Any) -> str:
    return str(image[0] if isinstance(image, list) else image)


def _from_nnunet(folder: Path) -> list[tuple[Path, Path]]:
    pairs = []
    for labels in sorted((folder / "labelsTr").iterdir()):
        name = labels.name.split(".")[0]
        found = sorted((folder / "imagesTr").glob(f"{name}_0000.*"))
        if found:
            pairs.append((found[0], labels))
    return pairs


def _write(path: Path, image: LabelledImage) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    points = np.array([np.stack(pair) for pair in image.landmarks.values()], float).reshape(-1, 2, 3)
    ends = np.array([(screw.entry, screw.tip) for screw in image.screws.values()], float).reshape(-1, 2, 3)
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(
            file,
            ct=image.ct.array.astype(np.int16),
            labels=image.labels.array.astype(np.uint8),
            affine=image.ct.affine,
            **_pedicles("", image.landmarks),
            points=points,
            **_pedicles("screw_", image.screws),
            screw_ends=ends,
            screw_diameters=np.array([screw.shape.diameter_mm for screw in image.screws.values()], float),
            traits=np.array(image.traits, str),
        )


def _pedicles(prefix: str, keys: Iterable[tuple[Level, Side]]) -> dict[str, Any]:
    pairs = list(keys)
    return {
        f"{prefix}levels": np.array([level.value for level, _ in pairs], int),
        f"{prefix}sides": np.array([side for _, side in pairs], str),
    }


def _read(path: Path) -> LabelledImage:
    with np.load(path, allow_pickle=False) as held:
        affine = held["affine"]
        landmarks = {key: (pair[0], pair[1]) for key, pair in zip(_keys(held, ""), held["points"], strict=True)}
        screws = {
            key: Screw(entry, tip - entry, ScrewShape(float(diameter), float(np.linalg.norm(tip - entry))))
            for key, (entry, tip), diameter in zip(
                _keys(held, "screw_"), held["screw_ends"], held["screw_diameters"], strict=True
            )
        }
        ct, labels = Volume(held["ct"], affine), Volume(held["labels"].astype(np.int16), affine)
        return LabelledImage(ct, labels, landmarks, screws, tuple(held["traits"].tolist()))


def _keys(held: Any, prefix: str) -> list[tuple[Level, Side]]:
    levels, sides = held[f"{prefix}levels"], held[f"{prefix}sides"]
    return [
        (Level(int(level)), "left" if side == "left" else "right") for level, side in zip(levels, sides, strict=True)
    ]
