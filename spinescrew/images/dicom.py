"""CT series from DICOM folders: which exist, and one of them as a volume."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.errors import InputError
from spinescrew.geometry.volume import Volume
from spinescrew.images.dicom_grid import grid_of
from spinescrew.images.dicom_slice import NotDicom, Slice, read_dataset, read_slice
from spinescrew.progress import Progress

_FEWEST_SLICES = 3
_SCOUTS_HAVE_FEWER = 5
"""A CT series of fewer slices beside a longer one is taken for scout views."""


@dataclass(frozen=True, eq=False)
class DicomSeries:
    """One series of a folder.

    ``files`` are in no particular order; ``localizer`` tells a scout view; ``thickness_mm`` is that of the slices,
    where the files say it. ``description`` is free text of the hospital and may name the patient: it is shown, but
    never kept with the image.
    """

    uid: str
    number: int
    description: str
    modality: str
    files: tuple[Path, ...]
    localizer: bool
    thickness_mm: float | None = None

    @property
    def summary(self) -> str:
        """One line for people."""
        thick = f" of {self.thickness_mm:g} mm" if self.thickness_mm else ""
        scout = ", localizer" if self.localizer else ""
        return f"{self.number}: {self.modality} '{self.description}' with {len(self.files)} images{thick}{scout}"


def list_series(folder: str | Path) -> list[DicomSeries]:
    """The image series of a DICOM folder (subfolders too), numbered from 1 in the order of the file names.

    Localizers that share the UID of a series are listed apart from it.

    Raises
    ------
    InputError
        If the folder is empty or holds no DICOM image, or a DICOM image in it is truncated.

    Examples
    --------
    >>> [series.summary for series in list_series("export")]  # doctest: +SKIP
    ["1: CT 'Topogram' with 1 images, localizer", "2: CT 'Spine 1.0 Br60' with 412 images of 1 mm"]
    """
    return _list_series(Path(folder), Progress())[0]


def _list_series(folder: Path, progress: Progress) -> tuple[list[DicomSeries], int]:
    """The series, and how many files are no DICOM."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name.upper() != "DICOMDIR")
    if not files:
        raise InputError(f"{folder} is empty; give the folder that holds the CT series")
    groups: dict[tuple[str, bool], list[Path]] = {}
    heads: dict[tuple[str, bool], Any] = {}
    for n, path in enumerate(files):
        progress.update(n / len(files), f"file {n + 1} of {len(files)}")
        try:
            head = read_dataset(path, stop_before_pixels=True)
        except NotDicom:
            continue
        kind = head.get("ImageType") or []
        localizer = "LOCALIZER" in [str(value).upper() for value in ([kind] if isinstance(kind, str) else kind)]
        key = (str(head.get("SeriesInstanceUID", "") or "no UID"), localizer)
        groups.setdefault(key, []).append(path)
        heads.setdefault(key, head)
    if not groups:
        raise InputError(f"{folder} holds no DICOM images ({len(files)} other files); give the folder of the CT series")
    found = []
    for number, ((uid, localizer), paths) in enumerate(groups.items(), start=1):
        head = heads[uid, localizer]
        description = " ".join(str(head.get("SeriesDescription") or "no description").split())
        thickness = _thickness(head)
        found.append(DicomSeries(uid, number, description, str(head.Modality), tuple(paths), localizer, thickness))
    return found, len(files) - sum(map(len, groups.values()))


def _thickness(head: Any) -> float | None:
    """Slice thickness in mm; only shown to tell series apart, so nonsense counts as unknown."""
    try:
        return float(head.get("SliceThickness") or 0) or None
    except (TypeError, ValueError):
        return None


def read_series(folder: Path, series: str | None = None, progress: Progress | None = None) -> Volume:
    """Read one CT series, slices in the order of their positions.

    Gantry tilt gives a sheared grid that keeps every voxel where it was taken; it is stated in
    ``metadata["corrections"]``. Missing or uneven slices are refused.

    Raises
    ------
    InputError
        One line for each thing that can be wrong, with what to do.
    """
    progress = progress or Progress()
    found, other = _list_series(folder, progress.part(0.0, 0.15))
    chosen, corrections = _choose(folder, found, series)
    if other:
        corrections.append(f"{other} files in the folder are no DICOM images and were left out")
    slices, copies = _without_copies(_load(folder, chosen, progress.part(0.15, 0.9)))
    if copies:
        corrections.append(f"{copies} slices were there twice, with the same voxels, and were taken once")
    if len(slices) < _FEWEST_SLICES:
        raise InputError(
            f"{folder}: the series has {len(slices)} slices; a volume needs at least {_FEWEST_SLICES}; give a CT series"
        )
    affine, order, notes = grid_of(folder, slices)
    progress.update(0.9, "putting the slices together")
    array = _voxels([slices[n] for n in order])
    hashed = hashlib.sha256(chosen.uid.encode()).hexdigest()[:16]
    return Volume(array, affine, {"modality": "CT", "series": hashed, "corrections": corrections + notes, "notes": []})


def _choose(folder: Path, found: list[DicomSeries], wanted: str | None) -> tuple[DicomSeries, list[str]]:
    listing = "; ".join(series.summary for series in found)
    if wanted is not None:
        named = [series for series in found if str(wanted) in (series.uid, str(series.number))]
        if named:
            return min(named, key=lambda series: series.localizer), []
        raise InputError(f"{folder} has no series '{wanted}'; choose one with --series: {listing}")
    images = [series for series in found if series.modality == "CT" and not series.localizer]
    real = [series for series in images if len(series.files) >= _SCOUTS_HAVE_FEWER]
    if len(real) > 1:
        raise InputError(f"{folder} holds several CT series; choose one with --series: {listing}")
    only = real or images
    if len(only) != 1:
        only = found
    if len(only) != 1:
        raise InputError(f"{folder} holds no CT series of at least {_SCOUTS_HAVE_FEWER} slices, but {listing}")
    left = [f"{s.modality} with {len(s.files)} images" for s in found if s is not only[0]]
    return only[0], [f"other series in the folder were left out: {'; '.join(left)}"] if left else []


def _load(folder: Path, series: DicomSeries, progress: Progress) -> list[Slice]:
    """Slices with decoded pixels, checked one by one."""
    if series.modality != "CT":
        raise InputError(f"{folder}: series {series.summary} is {series.modality}, not CT; give a CT series")
    slices = []
    for n, path in enumerate(series.files):
        progress.update(n / len(series.files), f"slice {n + 1} of {len(series.files)}")
        slices.append(read_slice(path))
    return slices


def _without_copies(slices: Sequence[Slice]) -> tuple[list[Slice], int]:
    """The slices without files that repeat another one, and how many those were."""
    kept: dict[tuple[float, ...], Slice] = {}
    different = []
    for part in slices:
        first = kept.setdefault(tuple(part.position.tolist()), part)
        if first is not part and not part.repeats(first):
            different.append(part)
    left = [*kept.values(), *different]
    return left, len(slices) - len(left)


def _voxels(slices: Sequence[Slice]) -> NDArray[Any]:
    """Hounsfield units [i, j, k]: int16 where rescaling keeps whole numbers, else float32."""
    whole = all(part.slope.is_integer() and part.intercept.is_integer() for part in slices)
    rows, columns = slices[0].pixels.shape
    out = np.empty((columns, rows, len(slices)), np.int32 if whole else np.float32)
    for k, part in enumerate(slices):
        values = part.pixels.T
        if whole:
            out[:, :, k] = values.astype(np.int32) * int(part.slope) + int(part.intercept)
        else:
            out[:, :, k] = values * part.slope + part.intercept
    if whole and out.min() >= -32768 and out.max() <= 32767:
        return out.astype(np.int16)
    return out
