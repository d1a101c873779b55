"""Radiographs (CR, DX, digitised films) and fluoroscopy (XA, RF) from DICOM files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.errors import InputError
from spinescrew.images.dicom_slice import NotDicom, read_dataset
from spinescrew.radiographs.dicom_spacing import element, spacing_of
from spinescrew.radiographs.grey import grey_of_colour
from spinescrew.radiographs.radiograph import Radiograph

_FILMS = ("CR", "DX", "RG")
_FLUOROSCOPY = ("XA", "RF")
_COPIES = ("SC", "OT")
_VOLUMES = "1.2.840.10008.5.1.4.1.1.13.1."
"""X-ray 3D objects: reconstructions, whose frames are slices."""

_NEAR_DEG = 30.0
"""How far a C-arm may be turned from straight for its view to keep its name."""


def read_dicom(path: Path, frame: int | None = None, bright_is_dense: bool | None = None) -> Radiograph:
    """One frame (from 1; the first where left out) of a DICOM file.

    The modality's look-up table or rescaling is applied, and MONOCHROME1 turned over; the window is handed on, not
    applied, because it clips metal.

    Raises
    ------
    InputError
        One line for each thing that can be wrong, with what to do.
    """
    try:
        return _radiograph(path, read_dataset(path), frame, bright_is_dense)
    except NotDicom as error:
        raise InputError(f"{path} is no DICOM image; give a radiograph as DICOM, PNG, JPEG or TIFF") from error
    except (NotImplementedError, AttributeError) as error:  # elements are parsed only when they are asked for
        raise InputError(f"{path}: its header is damaged; copy the image again") from error


def _radiograph(path: Path, data: Any, frame: int | None, bright_is_dense: bool | None) -> Radiograph:
    _check_kind(path, data)
    index, notes = _frame_index(path, data, frame)
    spacing = spacing_of(data, index)
    stored, colour = grey_of_colour(_decoded(path, data, index))
    if stored.ndim != 2:
        raise InputError(f"{path} holds pixels of shape {stored.shape}; a radiograph is flat and grey")
    ends = _stored_range(data, stored)
    grey, (low, high) = _rescaled(path, data, stored), _rescaled(path, data, ends).tolist()
    inverted = str(data.get("PhotometricInterpretation", "")) == "MONOCHROME1"
    rising = (high >= low) != inverted
    window = _window(data)
    if inverted:
        grey = low + high - grey
        window = None if window is None else (low + high - window[1], low + high - window[0])
    if bright_is_dense is None:
        bright_is_dense, assumed = _polarity(data, rising)
        notes += assumed
    return Radiograph(
        np.ascontiguousarray(grey, dtype=np.float32),
        bright_is_dense,
        spacing.pixel_mm,
        spacing.spacing_kind,
        spacing.magnification,
        spacing.object_pixel_mm,
        spacing.source_detector_mm,
        _view(data, index),
        str(data.get("ImageLaterality") or data.get("Laterality") or ""),
        _orientation(data, index),
        window,
        (*notes, *colour, *spacing.notes, *_remarks(data)),
    )


def _check_kind(path: Path, data: Any) -> None:
    if data.Modality not in (*_FILMS, *_FLUOROSCOPY, *_COPIES):
        raise InputError(f"{path} is {data.Modality}, no radiograph; give a CR, DX, XA or RF image")
    if str(data.get("SOPClassUID", "")).startswith(_VOLUMES):
        raise InputError(f"{path} is a volume reconstructed from X-rays; give a projection, or use it as a CT")
    if "PixelData" not in data:
        raise InputError(f"{path} holds no pixels; copy the image again")


def _frame_index(path: Path, data: Any, frame: int | None) -> tuple[int, list[str]]:
    """Index from 0, and a note where a choice was made for the user."""
    try:
        count = int(data.get("NumberOfFrames") or 1)
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: NumberOfFrames is damaged; export the image again") from error
    if frame is None:
        return 0, [f"the file holds {count} frames; the first was read"] if count > 1 else []
    if not 1 <= frame <= count:
        raise InputError(f"{path} has no frame {frame}; choose one from 1 to {count}")
    return frame - 1, []


def _decoded(path: Path, data: Any, index: int) -> NDArray[Any]:
    from pydicom.pixels import pixel_array
    from pydicom.uid import UncompressedTransferSyntaxes

    syntax = data.file_meta.TransferSyntaxUID
    try:
        return np.array(pixel_array(data, index=index))
    except Exception as error:  # each decoder package fails in ways of its own
        if syntax in UncompressedTransferSyntaxes:
            raise InputError(f"{path} is truncated or damaged: pixels are missing; copy the image again") from error
        why = " ".join(str(error).split())[:300]
        raise InputError(
            f"{path}: its pixels ({syntax.name}) cannot be decoded: {why}; copy the image again, or install the "
            "package it names"
        ) from error


def _stored_range(data: Any, stored: NDArray[Any]) -> NDArray[Any]:
    """Smallest and largest value that can be stored: what MONOCHROME1 is turned over between."""
    bits = int(data.BitsStored)
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if data.PixelRepresentation else (0, 2**bits - 1)
    return np.array([low, high], dtype=stored.dtype)


def _rescaled(path: Path, data: Any, values: NDArray[Any]) -> NDArray[Any]:
    from pydicom.pixels import apply_modality_lut

    try:
        return np.asarray(apply_modality_lut(values, data), dtype=np.float64)
    except Exception as error:  # a damaged table fails in ways of its own
        raise InputError(f"{path}: its modality look-up table or rescaling is damaged; export it again") from error


def _polarity(data: Any, rising: bool) -> tuple[bool, list[str]]:
    """Whether larger values are denser; ``rising`` tells whether they were larger as stored."""
    sign = data.get("PixelIntensityRelationshipSign")
    if sign in (-1, 1):
        return (sign < 0) == rising, []
    if data.Modality in _FLUOROSCOPY:
        return False, ["the file does not tell its grey scale; bone and metal were taken as dark, as in fluoroscopy"]
    return True, ["the file does not tell its grey scale; bone and metal were taken as bright, as on films"]


def _window(data: Any) -> tuple[float, float] | None:
    try:
        centre = float(np.atleast_1d(data.get("WindowCenter"))[0])
        width = float(np.atleast_1d(data.get("WindowWidth"))[0])
    except (TypeError, ValueError):
        return None
    return (centre - width / 2, centre + width / 2) if width > 0 else None


def _view(data: Any, frame: int) -> str:
    """By its name, its code, the angle of the C-arm, or the directions of the patient; oblique views have no name."""
    said = [str(data.get("ViewPosition") or "")]
    said += [str(code.get("CodeMeaning") or "") for code in data.get("ViewCodeSequence") or []]
    for words in (text.upper().replace("-", "").replace(" ", "") for text in said):
        if words and "OBLIQUE" not in words:
            if words in ("AP", "PA") or words.startswith(("ANTEROPOSTERIOR", "POSTEROANTERIOR", "FRONTAL")):
                return "AP"
            if words in ("LL", "RL", "LAT") or "LATERAL" in words:
                return "LAT"
    return _view_by_angle(data, frame) or {"L": "AP", "R": "AP", "A": "LAT", "P": "LAT"}.get(
        _orientation(data, frame)[0], ""
    )


def _view_by_angle(data: Any, frame: int) -> str:
    try:
        angle = abs(float(element(data, "PositionerPrimaryAngle", frame)))
    except (TypeError, ValueError):
        return ""
    if min(angle, abs(180 - angle)) <= _NEAR_DEG:
        return "AP"
    return "LAT" if abs(90 - angle) <= _NEAR_DEG else ""


def _orientation(data: Any, frame: int) -> tuple[str, str]:
    value = element(data, "PatientOrientation", frame)
    if value is None or isinstance(value, str) or len(value) != 2:
        return "", ""
    return str(value[0]).upper(), str(value[1]).upper()


def _remarks(data: Any) -> list[str]:
    notes = []
    if data.Modality in _COPIES:
        notes.append("the image is a secondary capture: its grey values and sizes may have been changed")
    if str(data.get("BurnedInAnnotation", "")) == "YES":
        notes.append("text is burned into the image; it was left there and may name the patient")
    if str(data.get("LossyImageCompression", "")) == "01":
        notes.append("the image was compressed with losses")
    if "H" in _orientation(data, 0)[1]:
        notes.append("the head is at the lower edge; the image was not turned, so that its geometry holds")
    return notes
