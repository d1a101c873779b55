"""Labelled radiographs of one's own, for training and for measuring."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spinescrew.errors import InputError
from spinescrew.radiographs.find import screw_input
from spinescrew.radiographs.image import read_radiograph
from spinescrew.training.xray_cases import LabelledXray

LIST = "radiographs.csv"
COLUMNS = ("image", "classes", "points")
_POINTS = ("neck_column", "neck_row", "tip_column", "tip_row")
_VALUES = (0, 1, 2)


@dataclass(frozen=True)
class _Row:
    line: int
    image: Path
    classes: Path
    points: Path


class FolderXraySource:
    """Radiographs of a folder with a list ``radiographs.csv``.

    Its columns are ``image`` (DICOM or PNG), ``classes`` (PNG of the image's size: 0 background, 1 shaft, 2 head) and
    ``points`` (CSV with the columns neck_column, neck_row, tip_column, tip_row, one screw a row; pixels of the image);
    paths are relative to the folder. Bring the images to about 0.6 mm per pixel at the detector.

    Raises
    ------
    InputError
        One line that names the file and what is wrong.
    """

    generator = ""

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder)
        self._rows = _rows(self._folder)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, number: int) -> LabelledXray:
        row = self._rows[number]
        image = read_radiograph(row.image)
        classes = _classes(row.classes)
        if classes.shape != image.shape:
            raise InputError(
                f"{row.classes.name} has {classes.shape[0]} x {classes.shape[1]} pixels, its image {image.shape[0]} x "
                f"{image.shape[1]}; both must be of one size"
            )
        points = _points(row.points)
        return LabelledXray(screw_input(image.dense_bright()), classes, points[:, :2], points[:, 2:])

    def draw(self, random: np.random.Generator) -> LabelledXray:
        """One of them."""
        return self[int(random.integers(len(self)))]

    def describe(self) -> str:
        """For the model card."""
        return f"{len(self)} radiographs of a user's folder"


def _rows(folder: Path) -> list[_Row]:
    path = folder / LIST
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            held = list(csv.DictReader(file))
    except OSError as error:
        raise InputError(
            f"'{path}' cannot be read; list the radiographs there, with the columns {', '.join(COLUMNS)}"
        ) from error
    rows = []
    for line, row in enumerate(held, 2):
        given = {name: (row.get(name) or "").strip() for name in COLUMNS}
        for name, text in given.items():
            if not text or not (folder / text).exists():
                raise InputError(f"{LIST}, line {line}: {name} '{text}' is no file of the folder; correct it")
        rows.append(_Row(line, *(folder / given[name] for name in COLUMNS)))
    if not rows:
        raise InputError(f"{LIST} lists no radiograph; give at least one")
    return rows


def _classes(path: Path) -> NDArray[np.uint8]:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            values = np.asarray(image)
    except (OSError, UnidentifiedImageError) as error:
        raise InputError(f"{path.name} is no readable image of classes; save it as PNG") from error
    if values.ndim != 2 or not np.isin(values, _VALUES).all():
        raise InputError(f"{path.name} must hold one channel of 0 (background), 1 (shaft) and 2 (head)")
    return values.astype(np.uint8)


def _points(path: Path) -> NDArray[np.float64]:
    """(n, 4) in pixels."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    try:
        found = [[float(row[name]) for name in _POINTS] for row in rows]
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path.name}: every row needs numbers in {', '.join(_POINTS)}") from error
    return np.array(found, dtype=np.float64).reshape(-1, 4)
