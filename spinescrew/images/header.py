"""What image files say about the place of their voxels, as it is written, before any library mends it."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np

from spinescrew.errors import InputError

_NIFTI2_BYTES = 540

_META_BYTES = {"CHAR": 1, "SHORT": 2, "INT": 4, "LONG": 4, "LONG_LONG": 8, "FLOAT": 4, "DOUBLE": 8}
"""Bytes of a voxel for MetaImage's names of number types; the unsigned ones have a U in front."""


def check_nifti(path: Path) -> None:
    """Refuse a NIfTI header with a damaged or missing geometry; readers replace such values by their own.

    Of the two ways in which NIfTI-1 stores a geometry the sform is used where its code is above 0, else the qform.

    Raises
    ------
    InputError
        If the place of the voxels is missing, not finite, or cannot be a grid.
    """
    header = _raw_nifti(path)
    if header is None:
        return
    if int(header["sform_code"]) > 0:
        numbers = [header["srow_x"], header["srow_y"], header["srow_z"]]
        _refuse_nonfinite(path, "sform", numbers)
    elif int(header["qform_code"]) > 0:
        quaternion = np.array([header[f"quatern_{name}"] for name in "bcd"], dtype=np.float64)
        steps = np.array(header["pixdim"][1:4], dtype=np.float64)
        _refuse_nonfinite(path, "qform", [quaternion, steps, *(header[f"qoffset_{name}"] for name in "xyz")])
        if steps.min() <= 0:
            raise InputError(f"{path} has a voxel size of {steps.min():g} mm; export it again from its source")
        if quaternion @ quaternion > 1 + 1e-3:
            raise InputError(f"{path} has a damaged qform (its quaternion is no rotation); export it again")
    else:
        raise InputError(f"{path} does not say where its voxels are (sform and qform codes are 0); export it again")


def _raw_nifti(path: Path) -> Any:
    """The header with nothing mended, or ``None`` for what is no NIfTI file at all."""
    import nibabel
    from nibabel.openers import Opener

    try:
        with Opener(str(path)) as file:
            block = file.read(_NIFTI2_BYTES)
    except (OSError, EOFError):
        return None
    second = len(block) >= _NIFTI2_BYTES and _NIFTI2_BYTES in (
        int.from_bytes(block[:4], "little"),
        int.from_bytes(block[:4], "big"),
    )
    kind = nibabel.Nifti2Header if second else nibabel.Nifti1Header
    size = kind.template_dtype.itemsize
    if len(block) < size:
        return None
    return kind(block[:size], check=False)


def _refuse_nonfinite(path: Path, name: str, numbers: list[Any]) -> None:
    if not all(np.isfinite(np.asarray(value, dtype=np.float64)).all() for value in numbers):
        raise InputError(f"{path} has a damaged {name} (NaN or infinite); export it again from its source")


def check_itk(path: Path) -> None:
    """Refuse an NRRD or MetaImage header without an orientation; readers would make one up.

    Raises
    ------
    InputError
        If the header names no patient space or no directions.
    """
    with path.open("rb") as file:
        text = file.read(65536).decode("latin-1")
    if text.startswith("NRRD"):
        text = re.split(r"\r?\n\r?\n", text)[0]
        needed = [r"^space:", r"^space directions:"]
    else:
        text = text.partition("ElementDataFile")[0]
        needed = [r"^(TransformMatrix|Orientation|Rotation)\s*="]
    if text and not all(re.search(pattern, text, flags=re.MULTILINE) for pattern in needed):
        raise InputError(f"{path} does not say how its voxels lie in the patient (no directions); export it again")


def meta_image_is_whole(path: Path) -> bool:
    """Whether a MetaImage has all of its header and its voxels; ITK writes to the terminal where it has not."""
    with path.open("rb") as file:
        block = file.read(65536)
    last = re.search(rb"^ElementDataFile[ \t]*=[ \t]*([^\r\n]+)(\r?\n|$)", block, flags=re.MULTILINE)
    if last is None:
        return False
    text = block[: last.start()].decode("latin-1")
    fields = dict(re.findall(r"^(\w+)[ \t]*=[ \t]*(.*?)\s*$", text, flags=re.MULTILINE))
    name = last[1].decode("latin-1").strip()
    data = path if name.upper() == "LOCAL" else path.parent / name
    if name.upper().startswith("LIST") or "%" in name:
        return True  # one file for each slice: left to the reader
    if not data.is_file():
        return False
    there = data.stat().st_size - (last.end() if data == path else 0)
    try:
        return there >= _bytes_needed(fields)
    except (KeyError, ValueError):
        return False


def _bytes_needed(fields: dict[str, str]) -> int:
    """Bytes that the voxels of a MetaImage take at least."""
    kind = fields["ElementType"].removeprefix("MET_").removeprefix("U")
    voxels = math.prod(int(size) for size in fields["DimSize"].split())
    if fields.get("CompressedData", "").lower() == "true":
        return int(fields.get("CompressedDataSize", 1))
    return voxels * _META_BYTES.get(kind, 1)
