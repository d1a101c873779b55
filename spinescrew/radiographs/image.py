"""Reading and writing radiographs, whatever the format."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from spinescrew.errors import InputError
from spinescrew.geometry.atomic import atomic_path
from spinescrew.radiographs.dicom_radiograph import read_dicom
from spinescrew.radiographs.dicom_write import full_scale, write_dicom
from spinescrew.radiographs.grey import grey_of_colour
from spinescrew.radiographs.radiograph import Radiograph

__all__ = ["Radiograph", "read_radiograph", "write_radiograph"]

PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")

_UPRIGHT = 1
_EXIF_ORIENTATION = 0x0112


def read_radiograph(path: str | Path, *, frame: int | None = None, bright_is_dense: bool | None = None) -> Radiograph:
    """Read a radiograph from a DICOM (CR, DX, XA, RF), PNG, JPEG or TIFF file.

    Parameters
    ----------
    frame:
        Number from 1, where a file holds several; the first where left out.
    bright_is_dense:
        Whether bone and metal are bright, for who knows better than the file.

    Raises
    ------
    InputError
        One line that names the file, what is wrong, and what to do.

    Examples
    --------
    >>> image = read_radiograph("AP.dcm")  # doctest: +SKIP
    >>> image.view, image.spacing_kind, image.notes  # doctest: +SKIP
    ('AP', 'detector', ())
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder; give one radiograph")
    if not path.exists():
        raise InputError(f"{path} does not exist; check the path")
    if path.stat().st_size == 0:
        raise InputError(f"{path} is empty (0 bytes); export or copy it again")
    image = (
        _read_picture(path, frame, bright_is_dense)
        if path.suffix.lower() in PICTURES
        else read_dicom(path, frame, bright_is_dense)
    )
    if image.pixels.min() == image.pixels.max():
        raise InputError(f"{path}: every pixel has the value {image.pixels[0, 0]:g}; export the image again")
    return image


def write_radiograph(path: str | Path, image: Radiograph) -> Path:
    """Write a (simulated) radiograph as DICOM (.dcm) or 16-bit PNG, completely or not at all.

    Values that 16 bits cannot hold are scaled to them: a DICOM file says how and gives them back to 1/65535 of their
    range, a PNG file does not. A PNG file holds no spacing.

    Raises
    ------
    InputError
        If the ending is another one, or the place cannot be written.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in (".dcm", ".png"):
        raise InputError(f"{path}: radiographs are written as .dcm or .png; choose one of these endings")
    with atomic_path(path) as temporary:
        if suffix == ".dcm":
            write_dicom(temporary, image)
        else:
            _write_png(temporary, image)
    return path


def _read_picture(path: Path, frame: int | None, bright_is_dense: bool | None) -> Radiograph:
    from PIL import Image

    notes = ["a picture does not tell the size of its pixels; the geometry has to"]
    try:
        with Image.open(path) as picture:
            count = getattr(picture, "n_frames", 1)
            if frame is not None and not 1 <= frame <= count:
                raise InputError(f"{path} has no frame {frame}; choose one from 1 to {count}")
            picture.seek((frame or 1) - 1)
            if picture.getexif().get(_EXIF_ORIENTATION, _UPRIGHT) != _UPRIGHT:
                notes.append("the picture asks to be shown turned; it was not, so that its geometry holds")
            plain = picture if picture.mode in ("L", "F", "I") or picture.mode.startswith("I;16") else None
            pixels, colour = grey_of_colour(np.asarray(plain if plain is not None else picture.convert("RGB")))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"{path} is not a readable picture (truncated or another format); export it again") from error
    if count > 1 and frame is None:
        notes.append(f"the file holds {count} frames; the first was read")
    if bright_is_dense is None:
        bright_is_dense = True
        notes.append("a picture does not tell its grey scale; bone and metal were taken as bright, as on films")
    return Radiograph(pixels.astype(np.float32), bright_is_dense, notes=(*notes, *colour))


def _write_png(path: Path, image: Radiograph) -> None:
    from PIL import Image

    Image.fromarray(full_scale(image.pixels)[0]).save(path)
