"""CT series from DICOM folders: which exist, where their slices are, and what is wrong with them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.errors import InputError
from spinescrew.geometry.volume import Volume
from spinescrew.progress import Progress

Floats = NDArray[np.float64]

_FEWEST_SLICES = 3
_JITTER = 0.01
"""Share of the spacing by which slice positions may jitter before they count as uneven."""


@dataclass(frozen=True, eq=False)
class DicomSeries:
    """One series of a folder; nothing here identifies the patient.

    ``files`` are in no particular order; ``localizer`` tells a scout view.
    """

    uid: str
    number: int
    description: str
    modality: str
    files: tuple[Path, ...]
    localizer: bool

    @property
    def summary(self) -> str:
        """One line for people."""
        return f"{self.number}: {self.modality} '{self.description}' with {len(self.files)} images"


def list_series(folder: str | Path) -> list[DicomSeries]:
    """The image series of a DICOM folder (subfolders too), numbered from 1.

    Raises
    ------
    InputError
        If the folder is empty or holds no DICOM image.
    """
    return _list_series(Path(folder))[0]


def _list_series(folder: Path) -> tuple[list[DicomSeries], int]:
    """The series, and how many files are no DICOM."""
    from pydicom.errors import InvalidDicomError

    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name.upper() != "DICOMDIR")
    if not files:
        raise InputError(f"{folder} is empty; give the folder that holds the CT series")
    groups: dict[str, list[Path]] = {}
    heads: dict[str, Any] = {}
    other = 0
    for path in files:
        try:
            head = _read(path, stop_before_pixels=True)
        except (InvalidDicomError, EOFError, ValueError, OSError, NotImplementedError, AttributeError, KeyError):
            other += 1
            continue
        uid = str(head.get("SeriesInstanceUID", "") or "no UID")
        groups.setdefault(uid, []).append(path)
        heads.setdefault(uid, head)
    if not groups:
        raise InputError(f"{folder} holds no DICOM images ({len(files)} other files); give the folder of the CT series")
    found = []
    for number, (uid, paths) in enumerate(groups.items(), start=1):
        head = heads[uid]
        kind = [str(value).upper() for value in head.get("ImageType", [])]
        description = str(head.get("SeriesDescription", "")).strip() or "no description"
        found.append(DicomSeries(uid, number, description, str(head.Modality), tuple(paths), "LOCALIZER" in kind))
    return found, other


def _read(path: Path, **options: Any) -> Any:
    """One DICOM data set; files without the preamble are read too, as old archives write them."""
    import pydicom
    from pydicom.uid import ImplicitVRLittleEndian

    data = pydicom.dcmread(path, force=True, **options)
    if "Modality" not in data:
        raise ValueError("no DICOM image")
    if "TransferSyntaxUID" not in data.file_meta:
        data.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    return data


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
    found, other = _list_series(folder)
    chosen, corrections = _choose(folder, found, series)
    if other:
        corrections.append(f"{other} files in the folder are no DICOM images and were left out")
    slices = _load(folder, chosen, progress)
    affine, order, notes = _geometry(folder, slices)
    corrections += notes
    progress.update(0.9, "putting the slices together")
    array = _voxels([slices[n] for n in order])
    hashed = hashlib.sha256(chosen.uid.encode()).hexdigest()[:16]
    return Volume(array, affine, {"modality": "CT", "series": hashed, "corrections": corrections, "notes": []})


def _choose(folder: Path, found: list[DicomSeries], wanted: str | None) -> tuple[DicomSeries, list[str]]:
    listing = "; ".join(series.summary for series in found)
    if wanted is not None:
        for series in found:
            if wanted in (series.uid, str(series.number)):
                return series, []
        raise InputError(f"{folder} has no series '{wanted}'; it holds {listing}")
    real = [s for s in found if s.modality == "CT" and not s.localizer and len(s.files) >= _FEWEST_SLICES]
    if len(real) == 1:
        left = [s.summary for s in found if s is not real[0]]
        return real[0], [f"other series in the folder were left out: {'; '.join(left)}"] if left else []
    if len(real) > 1:
        raise InputError(f"{folder} holds several CT series; choose one with --series: {listing}")
    if len(found) == 1:
        return found[0], []
    raise InputError(f"{folder} holds no CT series of at least {_FEWEST_SLICES} slices: {listing}")


def _load(folder: Path, series: DicomSeries, progress: Progress) -> list[Any]:
    """Slices with decoded pixels, checked one by one."""
    if series.modality != "CT":
        raise InputError(f"{folder}: series {series.summary} is {series.modality}, not CT; give a CT series")
    slices = []
    for n, path in enumerate(series.files):
        progress.update(0.85 * n / len(series.files), f"slice {n + 1} of {len(series.files)}")
        try:
            data = _read(path)
        except (EOFError, ValueError, OSError) as error:
            raise InputError(f"{path} is truncated; copy the series again") from error
        _check_slice(path, data)
        try:
            data.decoded = data.pixel_array
        except (AttributeError, ValueError, RuntimeError, NotImplementedError, KeyError) as error:
            syntax = data.file_meta.TransferSyntaxUID.name
            raise InputError(
                f"{path}: its pixels ({syntax}) cannot be decoded: {str(error).splitlines()[0][:120]}; copy the series "
                "again, or install the package it names"
            ) from error
        slices.append(data)
    if len(slices) < _FEWEST_SLICES:
        raise InputError(f"{folder}: the series has {len(slices)} slices; a volume needs at least {_FEWEST_SLICES}")
    return slices


def _check_slice(path: Path, data: Any) -> None:
    if int(data.get("NumberOfFrames", 1)) > 1:
        raise InputError(
            f"{path} is an enhanced multi-frame object, which is not read yet; export single-frame CT slices"
        )
    if int(data.get("SamplesPerPixel", 1)) != 1:
        raise InputError(f"{path} is a colour image (a screenshot or a report); remove it or choose the CT series")
    if "PixelData" not in data:
        raise InputError(f"{path} holds no pixels; copy the series again")
    if str(data.get("PhotometricInterpretation", "MONOCHROME2")) != "MONOCHROME2":
        raise InputError(f"{path} is stored as {data.PhotometricInterpretation}; a CT is MONOCHROME2")
    for name in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "RescaleSlope", "RescaleIntercept"):
        if name not in data or data[name].value in (None, ""):
            raise InputError(f"{path} lacks {name}: where its voxels are, or their HU, cannot be told; export it again")


def _geometry(folder: Path, slices: list[Any]) -> tuple[Floats, NDArray[np.int_], list[str]]:
    """(affine, order of the slices, what was put right); the affine keeps every slice where it was taken."""
    first = slices[0]
    for data in slices:
        if (data.Rows, data.Columns) != (first.Rows, first.Columns):
            raise InputError(
                f"{folder}: slices differ in size ({first.Columns}x{first.Rows} and {data.Columns}x{data.Rows})"
            )
        if np.abs(np.subtract(data.PixelSpacing, first.PixelSpacing, dtype=float)).max() > 1e-4:
            raise InputError(f"{folder}: slices differ in pixel spacing; choose one series")
        if np.abs(np.subtract(data.ImageOrientationPatient, first.ImageOrientationPatient, dtype=float)).max() > 1e-3:
            raise InputError(f"{folder}: slices differ in orientation; choose one series")
    row, column = np.array(first.ImageOrientationPatient, dtype=float).reshape(2, 3)
    if not np.isfinite([row, column]).all() or abs(row @ column) > 1e-3 or abs(np.linalg.norm(row) - 1) > 1e-2:
        raise InputError(f"{folder}: ImageOrientationPatient is damaged; export the series again")
    normal = np.cross(row, column)
    places = np.array([data.ImagePositionPatient for data in slices], dtype=float)
    height = places @ normal
    order = np.argsort(height, kind="stable")
    steps = np.diff(height[order])
    step = float(np.median(steps))
    _check_steps(folder, steps, step, height[order])
    shift = (places[order[-1]] - places[order[0]]) / (len(order) - 1)
    straight = places[order[0]] + np.arange(len(order))[:, None] * shift
    if np.abs(places[order] - straight).max() > max(_JITTER * step, 0.02):
        raise InputError(f"{folder}: the slices do not lie on one line; the table moved or series are mixed")
    notes = []
    sideways = shift - (shift @ normal) * normal
    tilt = float(np.degrees(np.arctan2(np.linalg.norm(sideways), abs(shift @ normal))))
    if tilt > 0.1:
        notes.append(f"gantry tilt of {tilt:.1f} degrees: the grid is sheared so that every voxel keeps its place")
    if np.abs(steps - step).max() > 1e-3:
        notes.append(f"slice positions jitter by up to {np.abs(steps - step).max():.3f} mm; the mean spacing is used")
    affine = np.eye(4)
    affine[:3, 0] = row * float(first.PixelSpacing[1])
    affine[:3, 1] = column * float(first.PixelSpacing[0])
    affine[:3, 2] = shift
    affine[:3, 3] = places[order[0]]
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine, order, notes


def _check_steps(folder: Path, steps: Floats, step: float, height: Floats) -> None:
    if (steps < 1e-3).any():
        at = height[int(np.argmin(steps))]
        raise InputError(
            f"{folder}: two slices lie at the same place ({at:.1f} mm); the series holds several acquisitions"
        )
    gaps = np.flatnonzero(np.abs(steps - step) > _JITTER * step)
    if not len(gaps):
        return
    missing = np.round(steps[gaps] / step) - 1
    where = ", ".join(f"{height[g]:.1f} to {height[g + 1]:.1f} mm" for g in gaps[:4])
    if (np.abs(steps[gaps] / step - np.round(steps[gaps] / step)) < 0.05).all() and (missing > 0).all():
        raise InputError(f"{folder}: {int(missing.sum())} slices are missing ({where}); copy the whole series")
    raise InputError(
        f"{folder}: slices are unevenly spaced ({where}, elsewhere {step:.2f} mm); give an even reconstruction"
    )


def _voxels(slices: list[Any]) -> NDArray[Any]:
    """Hounsfield units [i, j, k]: int16 where rescaling keeps whole numbers, else float32."""
    whole = all(float(d.RescaleSlope).is_integer() and float(d.RescaleIntercept).is_integer() for d in slices)
    out = np.empty((int(slices[0].Columns), int(slices[0].Rows), len(slices)), np.int32 if whole else np.float32)
    for k, data in enumerate(slices):
        values = data.decoded.T
        slope, intercept = float(data.RescaleSlope), float(data.RescaleIntercept)
        if whole:
            out[:, :, k] = values.astype(np.int32) * int(slope) + int(intercept)
        else:
            out[:, :, k] = values * slope + intercept
    if whole and out.min() >= -32768 and out.max() <= 32767:
        return out.astype(np.int16)
    return out
