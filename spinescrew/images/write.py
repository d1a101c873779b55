"""Writing volumes, completely or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.errors import InputError
from spinescrew.geometry.atomic import atomic_path
from spinescrew.geometry.volume import Volume
from spinescrew.images.files import NIFTI, suffix_of

_WRITTEN = (*NIFTI, ".nrrd", ".mha")
"""One file each: a header and its data apart cannot be put in place in one step."""


def write_volume(volume: Volume, path: str | Path) -> Path:
    """Write a volume with its own geometry as NIfTI, NRRD or MHA; no metadata goes with it.

    Raises
    ------
    InputError
        If the format is unknown or cannot hold the geometry (NRRD and MHA cannot hold a sheared grid, as gantry tilt
        gives), or the place cannot be written; nothing is left behind then.
    """
    path = Path(path)
    suffix = suffix_of(path)
    if suffix not in _WRITTEN:
        raise InputError(f"{path}: volumes are written as {', '.join(_WRITTEN)}; choose one of these endings")
    with atomic_path(path) as temporary:
        if suffix in NIFTI:
            _write_nifti(volume, Path(temporary))
        else:
            _write_itk(volume, Path(temporary), path)
    return path


def _storable(array: NDArray[Any]) -> NDArray[Any]:
    """The same values in a type that other programs read too."""
    if array.dtype == bool:
        return array.astype(np.uint8)
    if array.dtype == np.float16:
        return array.astype(np.float32)
    if array.dtype.kind in "iu" and array.dtype.itemsize > 4:
        limits = np.iinfo(np.int32)
        fits = limits.min <= array.min() and array.max() <= limits.max
        return array.astype(np.int32 if fits else np.float64)
    return array


def _write_nifti(volume: Volume, path: Path) -> None:
    import nibabel

    image = nibabel.Nifti1Image(_storable(volume.array), volume.affine)
    image.header.set_xyzt_units("mm")
    image.set_sform(volume.affine, code=1)
    image.set_qform(volume.affine, code=1, strip_shears=True)
    nibabel.save(image, path)


def _write_itk(volume: Volume, path: Path, target: Path) -> None:
    import SimpleITK

    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ volume.affine
    direction = affine[:3, :3] / volume.spacing
    if np.abs(direction.T @ direction - np.eye(3)).max() > 1e-4:
        raise InputError(f"{target}: this format cannot hold a sheared grid (gantry tilt); write .nii.gz instead")
    image = SimpleITK.GetImageFromArray(np.ascontiguousarray(_storable(volume.array).T))
    image.SetSpacing(volume.spacing.tolist())
    image.SetOrigin(affine[:3, 3].tolist())
    image.SetDirection(direction.ravel().tolist())
    path.touch()  # says why a folder cannot be written to; the writer's own message does not
    if not _written_whole(image, path):
        raise OSError("the file came out incomplete, as on a full disk")


def _written_whole(image: Any, path: Path) -> bool:
    """Write, and read back what arrived: on a full disk the writer may stop short without a word."""
    import SimpleITK

    try:
        SimpleITK.WriteImage(image, str(path), useCompression=True)
        back = SimpleITK.ReadImage(str(path))
    except RuntimeError:
        return False
    arrived, meant = (SimpleITK.GetArrayViewFromImage(found) for found in (back, image))
    return np.array_equal(arrived, meant, equal_nan=True)
