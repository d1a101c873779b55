"""Volumes in one file: NIfTI through nibabel, NRRD and MetaImage through SimpleITK."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.errors import GeometryError, InputError
from spinescrew.geometry.volume import Volume

NIFTI = (".nii", ".nii.gz")
ITK = (".nrrd", ".nhdr", ".mha", ".mhd")

_UNITS_MM = {"meter": 1000.0, "micron": 0.001}


def suffix_of(path: Path) -> str:
    """File ending in lower case, ``.nii.gz`` as one."""
    name = path.name.lower()
    return ".nii.gz" if name.endswith(".nii.gz") else Path(name).suffix


def read_file(path: Path) -> Volume:
    """Read a volume file with its own geometry, voxels as they are stored (scaled where the file says so).

    Raises
    ------
    InputError
        One line that names the file, what is wrong, and what to do.
    """
    suffix = suffix_of(path)
    if path.stat().st_size == 0:
        raise InputError(f"{path} is empty (0 bytes); export or copy it again")
    if suffix in NIFTI:
        array, affine, notes = _read_nifti(path)
    elif suffix in ITK:
        array, affine, notes = _read_itk(path)
    else:
        known = ", ".join((*NIFTI, *ITK))
        raise InputError(f"{path} is not an image format that is read here; use {known} or a DICOM folder")
    try:
        return Volume(array, affine, {"corrections": notes, "modality": "unknown"})
    except GeometryError as error:
        raise InputError(f"{path} has no usable geometry: {error}; export it again from its source") from error


def _read_nifti(path: Path) -> tuple[NDArray[Any], NDArray[np.float64], list[str]]:
    import nibabel

    try:
        image: Any = nibabel.load(path)
    except (nibabel.filebasedimages.ImageFileError, OSError, EOFError, zlib.error, ValueError) as error:
        raise InputError(
            f"{path} is not a readable NIfTI file (truncated or another format); export it again"
        ) from error
    header = image.header
    if header.get_data_dtype().fields is not None:
        raise InputError(f"{path} is a colour image; a CT or a label map has one value per voxel")
    shape = tuple(int(n) for n in image.shape)
    _check_shape(path, shape)
    if int(header["sform_code"]) == 0 and int(header["qform_code"]) == 0:
        raise InputError(f"{path} does not say where its voxels are (sform and qform codes are 0); export it again")
    notes = []
    affine: NDArray[np.float64] = np.array(image.affine, dtype=np.float64)
    if np.isnan(affine).any():
        raise InputError(f"{path} has a damaged affine (NaN); export it again from its source")
    unit = header.get_xyzt_units()[0]
    if unit in _UNITS_MM:
        affine[:3] *= _UNITS_MM[unit]
        notes.append(f"geometry converted from {unit} to mm")
    try:
        array = np.asanyarray(image.dataobj)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise InputError(f"{path} is truncated: its voxels cannot be read; copy or export it again") from error
    return array.reshape(shape[:3]), affine, notes


def _read_itk(path: Path) -> tuple[NDArray[Any], NDArray[np.float64], list[str]]:
    import SimpleITK

    try:
        image = SimpleITK.ReadImage(str(path))
    except RuntimeError as error:
        raise InputError(
            f"{path} is not a readable {suffix_of(path)} file (truncated, or its data file is missing)"
        ) from error
    if image.GetNumberOfComponentsPerPixel() != 1:
        raise InputError(f"{path} is a colour or vector image; a CT or a label map has one value per voxel")
    shape = image.GetSize()
    _check_shape(path, shape)
    if len(shape) == 4:
        image = image[..., 0]
    affine = np.eye(4)
    affine[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    to_ras = np.diag([-1.0, -1.0, 1.0, 1.0])
    return np.ascontiguousarray(SimpleITK.GetArrayFromImage(image).T), to_ras @ affine, []


def _check_shape(path: Path, shape: tuple[int, ...]) -> None:
    if len(shape) < 3 or min(shape[:3]) < 2:
        raise InputError(f"{path} is flat ({' x '.join(map(str, shape))}); a volume needs at least two voxels each way")
    if len(shape) > 3 and int(np.prod(shape[3:])) != 1:
        raise InputError(f"{path} holds {int(np.prod(shape[3:]))} volumes; give a file with one")
