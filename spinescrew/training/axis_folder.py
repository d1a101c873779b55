"""Images of C2 that someone has: a folder with a list of cases, for training and for evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import SIDES, Side
from spinescrew.anatomy.numbering import to_verse
from spinescrew.errors import InputError
from spinescrew.feasibility.scheme import AHEAD_MM, BEHIND_MM
from spinescrew.geometry.volume import Volume
from spinescrew.images import read_image, read_labels
from spinescrew.images.rows import Row, read_rows
from spinescrew.phantoms.axis import PEDICLE_LABELS
from spinescrew.training.axis_cases import AxisImage, PedicleTruth

Floats = NDArray[np.float64]

LIST = "cases.csv"
COLUMNS = ("case", "image", "side", "feasible")

_NAN = float("nan")
_LEAST_VOXELS = 20
_SECTION_MM, _SEARCHED_MM = 2.0, 5.0


class FolderAxisSource:
    """Cases of a folder, in the order in which ``cases.csv`` names them first.

    Every row is a pedicle; paths are relative to the folder::

        case,image,side,feasible,pedicles,labels
        001,001/ct.nii.gz,left,yes,001/pedicles.nii.gz,001/vertebrae.nii.gz
        001,001/ct.nii.gz,right,no,001/pedicles.nii.gz,001/vertebrae.nii.gz

    ``image`` is a CT file or a DICOM folder. ``feasible`` says whether a 3.5 mm screw stays in the bone; the side of
    an empty cell has no truth. Columns ``pedicles`` (a label map, left 1, right 2) and ``labels`` (vertebrae, VerSe
    ids: C2 is 2) may be left out or empty. From a pedicle's voxels follow the points by which it is found; what else
    the phantoms know is unknown here (NaN, or ``None``).

    Parameters
    ----------
    complete:
        Leave out cases of which a side's answer or the pedicles are not known, as training must.

    Raises
    ------
    InputError
        If the list cannot be used; the message names its line.
    """

    def __init__(self, folder: str | Path, *, complete: bool = False) -> None:
        self._folder = Path(folder)
        listed = _by_case(read_rows(self._folder / LIST, COLUMNS))
        self._cases = {name: rows for name, rows in listed.items() if not complete or _complete(rows)}
        if not self._cases:
            raise InputError(f"'{self._folder / LIST}' has no case with both sides' answers and a file of pedicles")

    @property
    def names(self) -> tuple[str, ...]:
        """What the cases are called in the list."""
        return tuple(self._cases)

    def __len__(self) -> int:
        return len(self._cases)

    def __getitem__(self, number: int) -> AxisImage:
        rows = self._cases[self.names[number % len(self)]]
        first = next(iter(rows.values()))
        ct = read_image(self._path(first, "image"))
        pedicles = self._labels(first, "pedicles", ct)
        labels = self._labels(first, "labels", ct)
        if labels.array.any():
            labels = to_verse(labels, "verse")
        truth = {side: _truth(row, side, pedicles) for side, row in rows.items() if row.cells["feasible"]}
        return AxisImage(ct, labels, pedicles, truth)

    @property
    def generator(self) -> str:
        """See :class:`spinescrew.training.axis_cases.AxisSource`."""
        return ""

    def describe(self) -> str:
        """How many; no names: they may tell patients."""
        return f"{len(self)} neck CTs of a folder"

    def _path(self, row: Row, column: str) -> Path:
        path = self._folder / row.text(column)
        return path if path.exists() else row.refuse(f"there is no '{path}'")

    def _labels(self, row: Row, column: str, ct: Volume) -> Volume:
        """A label map on the grid of the image; empty where the list names none."""
        if not row.cells.get(column):
            return Volume(np.zeros(ct.shape, np.uint8), ct.affine)
        found = read_labels(self._path(row, column))
        if not found.same_grid(ct):
            row.refuse(f"'{row.cells[column]}' does not lie on the grid of the image; resample it to the image")
        return found


def _by_case(rows: Sequence[Row]) -> dict[str, dict[Side, Row]]:
    cases: dict[str, dict[Side, Row]] = {}
    for row in rows:
        sides = cases.setdefault(row.text("case"), {})
        side = cast(Side, row.choice("side", SIDES))
        if side in sides:
            row.refuse(f"the {side} side of case '{row.cells['case']}' stands in line {sides[side].line} already")
        for other in sides.values():
            if other.cells["image"] != row.cells["image"]:
                row.refuse(f"case '{row.cells['case']}' has another image in line {other.line}; give it one")
        row.text("image")
        if row.cells["feasible"]:
            row.yes("feasible")
        sides[side] = row
    return cases


def _complete(rows: dict[Side, Row]) -> bool:
    return len(rows) == len(SIDES) and all(row.cells["feasible"] and row.cells.get("pedicles") for row in rows.values())


def _truth(row: Row, side: Side, pedicles: Volume) -> PedicleTruth:
    return PedicleTruth(
        points=pedicle_points(pedicles, side),
        depth=None,
        feasible=row.yes("feasible"),
        probability=_NAN,
        mpd_mm=_NAN,
        margin_mm=_NAN,
        isthmus_height_mm=_NAN,
        internal_height_mm=_NAN,
        high_riding=False,
    )


def pedicle_points(pedicles: Volume, side: Side) -> Floats:
    """Points (3, 3) RAS mm behind the isthmus, at it and ahead of it, from a pedicle's voxels; NaN without them.

    They lie on the principal axis of the voxels, through the middle of the section with the fewest of them.
    """
    voxels = np.argwhere(pedicles.array == PEDICLE_LABELS[side])
    if len(voxels) < _LEAST_VOXELS:
        return np.full((3, 3), _NAN)
    points = pedicles.index_to_ras(voxels)
    centre = points.mean(axis=0)
    axis = np.linalg.svd(points - centre, full_matrices=False)[2][0]
    axis *= 1.0 if axis[1] > 0 else -1.0
    along = (points - centre) @ axis
    places = np.arange(-_SEARCHED_MM, _SEARCHED_MM + 0.1, 0.5)
    sections = [np.abs(along - place) < 0.5 * _SECTION_MM for place in places]
    sizes = np.array([int(section.sum()) or len(voxels) for section in sections])
    isthmus = points[sections[int(sizes.argmin())]].mean(axis=0)
    return isthmus + np.array([-BEHIND_MM, 0.0, AHEAD_MM])[:, None] * axis
