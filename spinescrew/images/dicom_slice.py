"""One CT slice from a DICOM file: is it usable, and what does it hold."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.errors import InputError

Floats = NDArray[np.float64]

_NUMBERS = {
    "ImagePositionPatient": 3,
    "ImageOrientationPatient": 6,
    "PixelSpacing": 2,
    "RescaleSlope": 1,
    "RescaleIntercept": 1,
}


class NotDicom(ValueError):
    """A file that is no DICOM image."""


@dataclass(frozen=True, eq=False)
class Slice:
    """What is needed of one slice; nothing here identifies the patient.

    Attributes
    ----------
    position, orientation:
        DICOM's (3,) and (6,), LPS millimetres.
    spacing:
        (2,) mm between rows and between columns, in DICOM's order.
    pixels:
        Stored values (rows, columns), before rescaling.
    """

    path: Path
    position: Floats
    orientation: Floats
    spacing: Floats
    slope: float
    intercept: float
    pixels: NDArray[Any]

    def repeats(self, other: Slice) -> bool:
        """Whether the other file holds the same slice once more."""
        return (
            bool((self.position == other.position).all())
            and (self.slope, self.intercept) == (other.slope, other.intercept)
            and np.array_equal(self.pixels, other.pixels)
        )


def read_dataset(path: Path, **options: Any) -> Any:
    """One DICOM data set; files without the preamble are read too, as old archives write them.

    Raises
    ------
    NotDicom
        If the file is no DICOM image.
    InputError
        If it cannot be opened, or says that it is a DICOM image and breaks off.
    """
    import pydicom
    from pydicom.uid import ImplicitVRLittleEndian

    try:
        with path.open("rb") as file:
            marked = file.read(132)[128:] == b"DICM"
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check its permissions") from error
    try:
        data = pydicom.dcmread(path, force=True, **options)
    except Exception as error:  # arbitrary bytes make the parser fail in ways of their own
        if marked:
            raise InputError(f"{path} is truncated or damaged; copy the series again") from error
        raise NotDicom(str(path)) from error
    if "Modality" not in data:
        kind = data.file_meta.get("MediaStorageSOPClassUID")
        if marked and (kind is None or "Image Storage" in kind.name):
            raise InputError(f"{path} is truncated or damaged; copy the series again")
        raise NotDicom(str(path))
    if "TransferSyntaxUID" not in data.file_meta:
        data.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    return data


def read_slice(path: Path) -> Slice:
    """Read, check and decode one slice.

    Raises
    ------
    InputError
        One line for each thing that can be wrong, with what to do.
    """
    try:
        data = read_dataset(path)
    except NotDicom as error:
        raise InputError(f"{path} is truncated or damaged; copy the series again") from error
    _check_kind(path, data)
    values = {name: _numbers(path, data, name, count) for name, count in _NUMBERS.items()}
    if values["PixelSpacing"].min() <= 0:
        raise InputError(
            f"{path}: PixelSpacing is damaged ({values['PixelSpacing'].tolist()}); export the series again"
        )
    if values["RescaleSlope"][0] == 0:
        raise InputError(f"{path}: RescaleSlope is 0, so its HU cannot be told; export the series again")
    return Slice(
        path,
        values["ImagePositionPatient"],
        values["ImageOrientationPatient"],
        values["PixelSpacing"],
        float(values["RescaleSlope"][0]),
        float(values["RescaleIntercept"][0]),
        _decoded(path, data),
    )


def _check_kind(path: Path, data: Any) -> None:
    if int(data.get("NumberOfFrames") or 1) > 1:
        raise InputError(
            f"{path} is an enhanced multi-frame object, which is not read yet; export single-frame CT slices"
        )
    if int(data.get("SamplesPerPixel") or 1) != 1:
        raise InputError(f"{path} is a colour image (a screenshot or a report); remove it or choose the CT series")
    if "PixelData" not in data:
        raise InputError(f"{path} holds no pixels; copy the series again")
    if str(data.get("PhotometricInterpretation", "MONOCHROME2")) != "MONOCHROME2":
        raise InputError(f"{path} is stored as {data.PhotometricInterpretation}; a CT is MONOCHROME2")


def _numbers(path: Path, data: Any, name: str, count: int) -> Floats:
    """The ``count`` finite numbers of one element."""
    if name not in data or data[name].value in (None, ""):
        raise InputError(f"{path} lacks {name}: where its voxels are, or their HU, cannot be told; export it again")
    try:
        values = np.atleast_1d(np.array(data[name].value, dtype=np.float64))
    except (ValueError, TypeError):
        values = np.full(count, np.nan)
    if values.shape != (count,) or not np.isfinite(values).all():
        raise InputError(f"{path}: {name} is damaged ({data[name].value}); export the series again")
    return values


def _decoded(path: Path, data: Any) -> NDArray[Any]:
    from pydicom.uid import UncompressedTransferSyntaxes

    syntax = data.file_meta.TransferSyntaxUID
    try:
        pixels: NDArray[Any] = np.array(data.pixel_array)
    except Exception as error:  # each decoder package fails in ways of its own
        if syntax in UncompressedTransferSyntaxes:
            raise InputError(f"{path} is truncated or damaged: pixels are missing; copy the series again") from error
        why = " ".join(str(error).split())[:300]
        raise InputError(
            f"{path}: its pixels ({syntax.name}) cannot be decoded: {why}; copy the series again, or install the "
            "package it names"
        ) from error
    if pixels.ndim != 2:
        raise InputError(f"{path} holds pixels of shape {pixels.shape}; a CT slice is flat and grey")
    return pixels
