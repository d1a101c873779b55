"""Radiographs made ready for registration: coarse copies, which pixels count, and parts around a vertebra."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, gaussian_filter, map_coordinates

from spinescrew.errors import GeometryError
from spinescrew.radiographs.radiograph import Radiograph
from spinescrew.radiographs.regrid import between
from spinescrew.radiographs.screw_maps import ScrewMaps
from spinescrew.radiographs.view import View

Field = NDArray[np.float32]
Floats = NDArray[np.float64]

_METAL_FROM = 0.3
_METAL_MARGIN_MM = 1.5
"""Around metal, at the object: glare, the network's own doubt, and the cortex that a screw hides or breaks."""

_CLIPPED_SHARE = 0.002
_SMALL_CLIPPED_MM = 1.0


@dataclass(frozen=True, eq=False)
class Patch:
    """A part of one radiograph at one resolution.

    Attributes
    ----------
    view:
        Of its pixels.
    pixels:
        float32 (rows, columns), dense bright.
    weight:
        float32, 0 where metal or a shutter hides the patient, up to 1.
    step_mm:
        Between pixels at the object.
    """

    view: View
    pixels: Field
    weight: Field
    step_mm: float

    def around(self, points: Any, margin_mm: float) -> Patch | None:
        """The part that shows RAS points (n, 3) with a margin at the object; ``None`` if less than a few pixels."""
        shown = self.view.project(points)
        shown = shown[np.isfinite(shown).all(axis=1)]
        if not len(shown):
            return None
        margin = margin_mm / self.step_mm
        low = np.maximum(np.floor(shown.min(axis=0) - margin), 0).astype(int)
        high = np.minimum(np.ceil(shown.max(axis=0) + margin) + 1, self.view.shape[::-1]).astype(int)
        if (high - low).min() < 6:
            return None
        part = np.s_[low[1] : high[1], low[0] : high[0]]
        rows, columns = int(high[1] - low[1]), int(high[0] - low[0])
        view = self.view.cropped(int(low[1]), int(low[0]), rows, columns)
        return Patch(view, self.pixels[part], self.weight[part], self.step_mm)

    @property
    def targets(self) -> Floats:
        """(rows * columns, 3) RAS mm of the pixels on the detector."""
        rows, columns = np.indices(self.view.shape)
        return self.view.on_detector(np.stack([columns, rows], axis=-1)).reshape(-1, 3)


def metal_on_image(maps: ScrewMaps, given: View) -> Field:
    """Probability of metal on the pixels of an image whose view was ``given`` when the maps were made."""
    if maps.view.shape == given.shape and np.abs(maps.view.detector_origin - given.detector_origin).max() < 1e-6:
        return maps.metal
    rows, columns = np.indices(given.shape)
    places = between(given, maps.view, np.stack([columns, rows], axis=-1))[..., ::-1]
    at = np.moveaxis(places, -1, 0)
    return np.asarray(map_coordinates(maps.metal, at, order=1, mode="constant"), dtype=np.float32)


def prepare(radiograph: Radiograph, view: View, metal: Any, object_at: Any) -> Patch:
    """The whole image at its own resolution, metal and clipped parts without weight.

    Parameters
    ----------
    metal:
        (rows, columns) of the image: probability of metal, or a mask; ``None`` for none.
    object_at:
        (3,) RAS, where the patient is: for sizes at the object.

    Raises
    ------
    GeometryError
        If sizes do not fit.
    """
    if radiograph.shape != view.shape:
        raise GeometryError(f"a radiograph of {radiograph.shape} pixels with a view of {view.shape}; give its own view")
    step = float(view.pixel_mm.mean() / view.magnification(object_at))
    pixels = np.asarray(radiograph.dense_bright(), dtype=np.float32)
    hidden = _clipped(pixels, step)
    if metal is not None:
        mask = np.asarray(metal)
        if mask.shape != view.shape:
            raise GeometryError(
                f"a metal mask of {mask.shape} for an image of {view.shape}; give it on the image's pixels"
            )
        hidden |= _grown(mask > _METAL_FROM, _METAL_MARGIN_MM / step)
    return Patch(view, pixels, (~hidden).astype(np.float32), step)


def pyramid(whole: Patch, steps_mm: Sequence[float]) -> list[Patch]:
    """The image at each of these steps between pixels (at the object), as near as whole factors come."""
    return [_binned(whole, max(1, round(step / whole.step_mm))) for step in steps_mm]


def _binned(whole: Patch, factor: int) -> Patch:
    """Means over blocks of what has weight."""
    if factor == 1:
        return whole
    rows, columns = (n // factor for n in whole.view.shape)
    weight = whole.weight[: rows * factor, : columns * factor]
    values = whole.pixels[: rows * factor, : columns * factor] * weight

    def sums(field: Field) -> Field:
        blocks = field.reshape(rows, factor, columns, factor)
        return np.asarray(blocks.sum(axis=(1, 3), dtype=np.float32))

    total = sums(weight)
    share = total / np.float32(factor**2)
    pixels = sums(values) / np.maximum(total, np.float32(1.0))
    kept = np.where(share > 0.5, share, 0.0).astype(np.float32)
    return Patch(whole.view.binned(factor), np.asarray(pixels, np.float32), kept, whole.step_mm * factor)


def _clipped(pixels: Field, step_mm: float) -> NDArray[np.bool_]:
    """Parts at the least or largest grey value: shutters, bare detector, saturated metal; not single pixels."""
    hidden = np.zeros(pixels.shape, bool)
    for value in (pixels.min(), pixels.max()):
        at = pixels == value
        if at.mean() > _CLIPPED_SHARE:
            sigma = _SMALL_CLIPPED_MM / step_mm
            hidden |= gaussian_filter(at.astype(np.float32), sigma) > 0.5
    return _grown(hidden, _SMALL_CLIPPED_MM / step_mm) if hidden.any() else hidden


def _grown(mask: NDArray[np.bool_], radius_px: float) -> NDArray[np.bool_]:
    if not mask.any():
        return mask
    size = max(1, round(radius_px))
    cross = np.hypot(*np.indices((2 * size + 1, 2 * size + 1)) - size) <= size + 0.3
    return np.asarray(binary_dilation(mask, cross))
