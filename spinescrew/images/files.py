"""Volumes in one file: NIfTI through nibabel, NRRD and MetaImage through SimpleITK."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.errors import GeometryError, InputError
from spinescrew.geometry.volume import Volume
from spinescrew.images.header import check_itk, check_nifti, meta_image_is_whole

NIFTI = (".nii", ".nii.gz")
ITK = (".nrrd", ".nhdr", ".mha", ".mhd")

_UNITS_MM = {"meter": 1000.0, "micron": 0.001}

_SHEARED = 1e-3
"""Cosine between two axes from which a grid counts as sheared; stored numbers are rounded."""

_DISAGREE_MM = 0.5
"""Distance between a corner's places in sform and qform from which it is worth a word."""


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
        if _is_dicom(path):
            raise InputError(f"{path} is one DICOM file; give the folder that holds the whole series")
        raise InputError(f"{path} is not an image format that is read here; use {known} or a DICOM folder")
    try:
        return Volume(array, affine, {"corrections": notes, "modality": "unknown"})
    except GeometryError as error:
        raise InputError(f"{path} has no usable geometry: {error}; export it again from its source") from error


def _read_nifti(path: Path) -> tuple[NDArray[Any], NDArray[np.float64], list[str]]:
    import nibabel
    from nibabel.filebasedimages import ImageFileError
    from nibabel.spatialimages import HeaderDataError

    unreadable = (ImageFileError, HeaderDataError, OSError, EOFError, zlib.error, ValueError)
    try:
        # A memory map would change under us when somebody writes the file anew.
        image: Any = nibabel.load(path, mmap=False)
    except unreadable as error:
        check_nifti(path)
        raise InputError(
            f"{path} is not a readable NIfTI file (truncated or another format); export it again"
        ) from error
    header = image.header
    if header.get_data_dtype().fields is not None:
        raise InputError(f"{path} is a colour image; a CT or a label map has one value per voxel")
    shape = tuple(int(n) for n in image.shape)
    _check_shape(path, shape)
    check_nifti(path)
    affine: NDArray[np.float64] = np.array(image.affine, dtype=np.float64)
    notes = _grid_notes(header, affine, shape)
    unit = header.get_xyzt_units()[0]
    if unit in _UNITS_MM:
        affine[:3] *= _UNITS_MM[unit]
        notes.append(f"geometry converted from {unit} to mm")
    try:
        array = np.asanyarray(image.dataobj)
    except unreadable as error:
        raise InputError(f"{path} is truncated: its voxels cannot be read; copy or export it again") from error
    return array.reshape(shape[:3]), affine, notes


def _grid_notes(header: Any, affine: NDArray[np.float64], shape: tuple[int, ...]) -> list[str]:
    """What is unusual about a NIfTI geometry: sheared, or stored twice with different values."""
    sheared = _shear_notes(affine)
    if sheared:
        return sheared
    if min(int(header["sform_code"]), int(header["qform_code"])) == 0:
        return []
    try:
        other = header.get_qform()
    except ValueError:
        return ["the qform is damaged; the sform was used"]
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in shape[:3]])).reshape(3, -1)
    gap = np.linalg.norm((other - affine)[:3, :3] @ corners + (other - affine)[:3, 3:], axis=0).max()
    return [f"sform and qform differ by {gap:.1f} mm; the sform was used"] if gap > _DISAGREE_MM else []


def _shear_notes(affine: NDArray[np.float64]) -> list[str]:
    """A sheared grid is kept and stated."""
    axes = affine[:3, :3] / np.maximum(np.linalg.norm(affine[:3, :3], axis=0), 1e-12)
    sideways = np.abs(axes.T @ axes - np.eye(3)).max()
    if sideways <= _SHEARED:
        return []
    angle = 90.0 - np.degrees(np.arccos(min(sideways, 1.0)))
    return [f"the grid is sheared by {angle:.1f} degrees (gantry tilt); every voxel keeps its place"]


def _is_dicom(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def _read_itk(path: Path) -> tuple[NDArray[Any], NDArray[np.float64], list[str]]:
    import SimpleITK

    unreadable = InputError(
        f"{path} is not a readable {suffix_of(path)} file (truncated, its geometry damaged, or its data file "
        "missing); export it again"
    )
    if suffix_of(path) in (".mha", ".mhd") and not meta_image_is_whole(path):
        raise unreadable
    try:
        image = SimpleITK.ReadImage(str(path))
    except RuntimeError as error:
        raise unreadable from error
    check_itk(path)
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
    return np.ascontiguousarray(SimpleITK.GetArrayFromImage(image).T), to_ras @ affine, _shear_notes(affine)


def _check_shape(path: Path, shape: tuple[int, ...]) -> None:
    if len(shape) < 3 or min(shape[:3]) < 2:
        raise InputError(f"{path} is flat ({' x '.join(map(str, shape))}); a volume needs at least two voxels each way")
    if len(shape) > 3 and int(np.prod(shape[3:])) != 1:
        raise InputError(f"{path} holds {int(np.prod(shape[3:]))} volumes; give a file with one")
