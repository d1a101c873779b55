"""Reading images and label maps, whatever the format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.errors import InputError
from spinescrew.geometry.volume import Volume
from spinescrew.images.dicom import read_series
from spinescrew.images.files import read_file
from spinescrew.progress import Progress

LARGEST_LABEL = 1000
_AIR_HU = -300.0
_LARGEST_HU = 1e6


def read_image(path: str | Path, *, series: str | None = None, progress: Progress | None = None) -> Volume:
    """Read a CT from a NIfTI, NRRD, MHA or MHD file or from a DICOM folder.

    The voxels stay on their own grid, whatever its orientation. What had to be put right stands in
    ``metadata["corrections"]``, doubts in ``metadata["notes"]``; patient identity is never kept.

    Parameters
    ----------
    series:
        Number (from 1, as :func:`list_series` gives them) or UID, where a folder holds several.

    Raises
    ------
    InputError
        One line that names the file, what is wrong, and what to do.

    Examples
    --------
    >>> ct = read_image("ct.nii.gz")  # doctest: +SKIP
    >>> ct.spacing  # doctest: +SKIP
    array([0.8, 0.8, 1. ])
    """
    path = _existing(path)
    if path.is_dir():
        volume = read_series(path, series, progress)
    elif series is not None:
        raise InputError(
            f"{path} is one file and holds no series '{series}'; leave --series out or give a DICOM folder"
        )
    else:
        volume = read_file(path)
    array, corrections = _plain_numbers(path, volume.array)
    metadata = {**volume.metadata, "notes": [*volume.metadata.get("notes", []), *check_ct(array)]}
    metadata["corrections"] = [*volume.metadata.get("corrections", []), *corrections]
    return Volume(array, volume.affine, metadata)


def read_labels(path: str | Path) -> Volume:
    """Read an integer label map; floating-point files that hold whole numbers are accepted and say so.

    Raises
    ------
    InputError
        If values are fractional, negative or absurdly large, or nothing is labelled.
    """
    path = _existing(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder; give the label map as one file (.nii.gz, .nrrd, .mha)")
    volume = read_file(path)
    array, corrections = volume.array, list(volume.metadata["corrections"])
    if array.dtype == bool or np.issubdtype(array.dtype, np.complexfloating):
        raise InputError(f"{path} holds values of type {array.dtype}; a label map holds whole numbers")
    if not np.issubdtype(array.dtype, np.integer):
        if not np.isfinite(array).all():
            raise InputError(f"{path} holds values that are not numbers (NaN or infinite); it is no label map")
        whole = np.round(array)
        if np.abs(array - whole).max() > 1e-3:
            raise InputError(f"{path} holds fractional values; it is an image or a probability map, not a label map")
        array = whole
        corrections.append("labels were stored as floating-point numbers")
    low, high = int(array.min()), int(array.max())
    if low < 0 or high > LARGEST_LABEL:
        raise InputError(f"{path} holds values from {low} to {high}; that is an image, give its label map")
    if high == 0:
        raise InputError(f"{path} is empty: no voxel is labelled; segment the vertebrae first")
    metadata = {**volume.metadata, "modality": "labels", "corrections": corrections}
    return Volume(array.astype(np.int16), volume.affine, metadata)


def check_ct(array: NDArray[Any]) -> list[str]:
    """Doubts whether these are Hounsfield units, in words; empty for a plausible CT."""
    sample = array.ravel()[:: max(1, array.size // 200_000)]
    low, high = float(sample.min()), float(sample.max())
    if low == high:
        return [f"every voxel has the value {low:g}: this image is empty"]
    doubts = []
    if low >= 0:
        doubts.append("no value is below 0 HU: these may not be Hounsfield units (MR, or a missing rescale)")
    elif low > _AIR_HU and float(np.median(sample)) > 0:
        doubts.append(f"the lowest value is {low:g} HU: a CT with air around the patient reaches -1000")
    if high <= 1 and low >= -1:
        doubts.append("values lie within -1 and 1: the image seems to be normalised; densities mean nothing")
    return doubts


def _plain_numbers(path: Path, array: NDArray[Any]) -> tuple[NDArray[Any], list[str]]:
    """int16 where that loses nothing, else float32; voxels without a value are refused when many."""
    corrections = []
    if not np.issubdtype(array.dtype, np.floating) and not np.issubdtype(array.dtype, np.integer):
        raise InputError(f"{path} holds values of type {array.dtype}, not plain numbers; give a CT")
    if np.issubdtype(array.dtype, np.floating):
        bad = ~np.isfinite(array)
        count = int(bad.sum())
        if count > 0.001 * array.size:
            raise InputError(f"{path}: {count} voxels hold no number (NaN or infinite); export the image again")
        if count:
            array = np.where(bad, np.float32(-1024), array)
            corrections.append(f"{count} voxels without a number were set to -1024 HU")
    if array.dtype == np.int16:
        return array, corrections
    low, high = float(array.min()), float(array.max())
    if max(-low, high) > _LARGEST_HU:
        raise InputError(f"{path} holds values from {low:g} to {high:g}, which are no densities; export it again")
    if low >= -32768 and high <= 32767 and (np.issubdtype(array.dtype, np.integer) or (array == np.round(array)).all()):
        return array.astype(np.int16), corrections
    return array.astype(np.float32), corrections


def _existing(path: str | Path) -> Path:
    path = Path(path)
    try:
        exists = path.exists()
    except OSError as error:
        raise InputError(f"{path} cannot be reached ({error.strerror})") from error
    if not exists:
        raise InputError(f"{path} does not exist; check the path")
    if path.is_file():
        try:
            with path.open("rb"):
                pass
        except OSError as error:
            raise InputError(f"{path} cannot be read ({error.strerror}); check its permissions") from error
    return path
