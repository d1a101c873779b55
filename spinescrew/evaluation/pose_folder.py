"""Pairs of radiographs whose screws are known, and folders of them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from spinescrew.errors import InputError, SpineScrewError
from spinescrew.evaluation.pose_pixels import HEAD
from spinescrew.evaluation.pose_score import USUAL
from spinescrew.geometry.atomic import atomic_path
from spinescrew.images.rows import Row, read_rows
from spinescrew.implants.screw import Screw
from spinescrew.radiographs.calibration import read_geometry, write_geometry
from spinescrew.radiographs.image import read_radiograph, write_radiograph
from spinescrew.radiographs.radiograph import Radiograph
from spinescrew.radiographs.view import View

Classes = NDArray[np.uint8]

LIST = "cases.csv"
COLUMNS = ("case", "first", "second", "geometry", "screws")
MORE = ("true_geometry", "first_labels", "second_labels", "style")
PLACES = ("entry_r_mm", "entry_a_mm", "entry_s_mm", "tip_r_mm", "tip_a_mm", "tip_s_mm")


@dataclass(frozen=True, eq=False)
class PoseImage:
    """Two radiographs of screws and what is true of them.

    Attributes
    ----------
    name, style:
        Whose they are, and how they were made.
    views:
        As the calibration gives them.
    true_views:
        Where the images were really taken: the screws stand in their frame.
    screws:
        ``entry`` is where the shaft begins below the head; RAS mm.
    setup:
        :data:`spinescrew.evaluation.pose_score.USUAL`, or the angle between the views that was asked for.
    labels:
        uint8 (rows, columns) of each image: 0 background (rods and foreign metal too), 1 shaft, 2 head; ``None`` where
        they are not known.
    """

    name: int | str
    style: str
    radiographs: tuple[Radiograph, Radiograph]
    views: tuple[View, View]
    true_views: tuple[View, View]
    screws: tuple[Screw, ...]
    labels: tuple[Classes | None, Classes | None] = (None, None)
    setup: str = USUAL


class PoseSource(Protocol):
    """Numbered pairs."""

    def __len__(self) -> int: ...

    def __getitem__(self, number: int) -> PoseImage: ...

    def describe(self) -> str:
        """What they are, without names of patients."""
        ...


class FolderPairs:
    """Pairs of a folder, in the order of ``cases.csv``; paths are relative to it::

        case,first,second,geometry,screws,true_geometry,first_labels,second_labels,style
        001,001/ap.dcm,001/lat.dcm,001/geometry.json,001/screws.csv,001/true.json,001/ap.png,001/lat.png,realistic

    ``first`` and ``second`` are radiographs, ``geometry`` their calibration file in the same order. ``screws`` is a
    table with the columns entry_r_mm, entry_a_mm, entry_s_mm (where the shaft begins below the head), tip_r_mm,
    tip_a_mm, tip_s_mm and diameter_mm, as ``spinescrew pose`` writes one: RAS of ``true_geometry``. That may be left
    out or empty where ``geometry`` is true, and so may the label maps (PNG: 0 background, 1 shaft, 2 head) and
    ``style``.

    Raises
    ------
    InputError
        If the list cannot be used; the message names its line.
    """

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder)
        if not self._folder.is_dir():
            raise InputError(f"'{folder}' is no folder; give phantoms, or a folder with {LIST}")
        self._rows = read_rows(self._folder / LIST, COLUMNS)
        names = [row.text("case") for row in self._rows]
        for n, row in enumerate(self._rows):
            if names[n] in names[:n]:
                row.refuse(f"case '{names[n]}' is named twice; give each pair a name of its own")

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, number: int) -> PoseImage:
        row = self._rows[number]
        images = tuple(read_radiograph(self._path(row, name)) for name in ("first", "second"))
        views = self._views(row, "geometry")
        true = self._views(row, "true_geometry") if row.cells.get("true_geometry") else views
        labels = tuple(
            self._labels(row, name, image)
            for name, image in zip(("first_labels", "second_labels"), images, strict=True)
        )
        screws = _screws(self._path(row, "screws"))
        style = row.cells.get("style") or "folder"
        return PoseImage(row.text("case"), style, _two(images), views, true, screws, _two(labels))

    def describe(self) -> str:
        """See :class:`PoseSource`."""
        return f"{len(self)} pairs of radiographs of a folder"

    def _path(self, row: Row, column: str) -> Path:
        path = self._folder / row.text(column)
        return path if path.exists() else row.refuse(f"there is no '{path}'")

    def _views(self, row: Row, column: str) -> tuple[View, View]:
        views = read_geometry(self._path(row, column))
        if len(views) != 2:
            row.refuse(f"'{column}' holds {len(views)} views; write those of the two images")
        return views[0], views[1]

    def _labels(self, row: Row, column: str, image: Radiograph) -> Classes | None:
        if not row.cells.get(column):
            return None
        from PIL import Image

        try:
            with Image.open(self._path(row, column)) as picture:
                found = np.asarray(picture)
        except (OSError, ValueError):
            row.refuse(f"'{row.cells[column]}' is no label map: give a PNG file")
        if found.shape != image.shape or found.max() > HEAD:
            row.refuse(f"'{row.cells[column]}' is no label map of its image: values 0, 1, 2 on the same pixels")
        return found.astype(np.uint8)


def write_pose_folder(folder: str | Path, images: Iterable[PoseImage]) -> Path:
    """Write pairs as :class:`FolderPairs` reads them; files are called by their place, not by the pairs' names."""
    folder = Path(folder)
    rows = [_written(folder, f"{number:03d}", image) for number, image in enumerate(images, start=1)]
    with atomic_path(folder / LIST) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, [*COLUMNS, *MORE])
        table.writeheader()
        table.writerows(rows)
    return folder / LIST


def _written(folder: Path, place: str, image: PoseImage) -> dict[str, str]:
    from PIL import Image

    own = folder / place
    row = {"case": str(image.name), "style": image.style, "geometry": "geometry.json", "screws": "screws.csv"}
    for column, radiograph, labels in zip(("first", "second"), image.radiographs, image.labels, strict=True):
        row[column] = write_radiograph(own / f"{column}.dcm", radiograph).name
        if labels is not None:
            row[f"{column}_labels"] = f"{column}-labels.png"
            with atomic_path(own / f"{column}-labels.png") as temporary:
                Image.fromarray(labels).save(temporary)
    write_geometry(own / "geometry.json", image.views)
    row["true_geometry"] = write_geometry(own / "true.json", image.true_views).name
    _write_screws(own / "screws.csv", image.screws)
    kept = ("case", "style")
    return {name: text if name in kept else f"{place}/{text}" for name, text in row.items()}


def _write_screws(path: Path, screws: Sequence[Screw]) -> None:
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow([*PLACES, "diameter_mm"])
        table.writerows([*screw.entry, *screw.tip, screw.shape.diameter_mm] for screw in screws)


def _screws(path: Path) -> tuple[Screw, ...]:
    found = []
    for row in read_rows(path, (*PLACES, "diameter_mm")):
        places = np.array([row.number(name) for name in PLACES])
        try:
            found.append(Screw.between(places[:3], places[3:], row.number("diameter_mm")))
        except SpineScrewError as error:
            row.refuse(str(error))
    return tuple(found)


def _two(values: Sequence[Any]) -> tuple[Any, Any]:
    first, second = values
    return first, second
