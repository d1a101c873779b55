"""One X-ray image and what its file said about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
SpacingKind = Literal["detector", "isocentre", "calibrated", "unknown"]


@dataclass(frozen=True, eq=False)
class Radiograph:
    """Grey values of a projection, never with the identity of a patient.

    Attributes
    ----------
    pixels:
        float32 (rows, columns), larger values shown brighter; as stored in their orientation, so that a calibration
        for the file's pixels holds.
    bright_is_dense:
        Whether bone and metal are the larger values (films) or the smaller ones (most fluoroscopy).
    pixel_mm:
        (2,) step from column to column and from row to row **at the detector**; ``None`` if it cannot be told.
    spacing_kind:
        Where ``pixel_mm`` comes from: told for the ``detector``; told for the ``isocentre`` or ``calibrated`` on an
        object of known size, and brought to the detector by the magnification; ``unknown``: nothing told, or a step
        without its plane.
    magnification:
        Detector over object plane, as told or as two spacings tell it.
    object_pixel_mm:
        (2,) step between pixels in the object's plane.
    source_detector_mm:
        Distance from the source to the detector.
    view:
        ``AP`` (postero-anterior too), ``LAT`` or nothing, as the header tells.
    laterality:
        ``L``, ``R``, ``B`` or ``U`` as the header tells.
    orientation:
        Anatomical directions towards the right edge and the lower edge, as DICOM's Patient Orientation: ``("L", "F")``.
    window:
        Values shown black and white, where the file proposes them; the pixels are not clipped to it.
    notes:
        Doubts and what had to be assumed, in words.
    """

    pixels: NDArray[np.float32]
    bright_is_dense: bool
    pixel_mm: Floats | None = None
    spacing_kind: SpacingKind = "unknown"
    magnification: float | None = None
    object_pixel_mm: Floats | None = None
    source_detector_mm: float | None = None
    view: str = ""
    laterality: str = ""
    orientation: tuple[str, str] = ("", "")
    window: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        rows, columns = self.pixels.shape
        return rows, columns

    def dense_bright(self) -> NDArray[Any]:
        """The pixels with bone and metal as the larger values, whatever the file's way; same range, float32."""
        if self.bright_is_dense:
            return self.pixels
        return self.pixels.max() + self.pixels.min() - self.pixels
