"""How well the pixels of screws were found in one radiograph, and how noisy it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, convolve, map_coordinates

from spinescrew.radiographs.radiograph import Radiograph
from spinescrew.radiographs.regrid import to_pixels
from spinescrew.radiographs.screw_maps import ScrewMaps
from spinescrew.radiographs.view import View

Classes = NDArray[np.uint8]
Mask = NDArray[np.bool_]

BACKGROUND, SHAFT, HEAD = range(3)
"""Values of label maps; rods and foreign metal are background."""

_NAN = float("nan")
_AWAY_PX, _RING_PX = 2, 6
_LEAST_PX = 50
_LAPLACE = np.array([[1.0, -2.0, 1.0], [-2.0, 4.0, -2.0], [1.0, -2.0, 1.0]])


@dataclass(frozen=True)
class Overlap:
    """Of a part's pixels with the true ones: what both share over their mean, over what was found, over the truth."""

    dice: float
    precision: float
    recall: float


def classes_of(maps: ScrewMaps, view: View) -> Classes:
    """What is likeliest at each pixel of the whole image that ``view`` is of: the maps brought to it, bilinearly.

    ``maps`` may be those of a part of it, or of coarser or finer pixels.
    """
    rows, columns = view.shape
    column = to_pixels(maps.view, view.on_detector(np.column_stack([np.arange(columns), np.zeros(columns)])))[:, 0]
    row = to_pixels(maps.view, view.on_detector(np.column_stack([np.zeros(rows), np.arange(rows)])))[:, 1]
    grid = np.meshgrid(row, column, indexing="ij")
    shaft, head = (map_coordinates(each, grid, order=1, mode="constant") for each in (maps.shaft, maps.head))
    return np.argmax(np.stack([1.0 - shaft - head, shaft, head]), axis=0).astype(np.uint8)


def overlap(found: Classes, true: Classes, part: int) -> Overlap:
    """Of one part, :data:`SHAFT` or :data:`HEAD`; NaN where there is nothing to share."""
    own, reference = found == part, true == part
    both, mine, its = (float(np.count_nonzero(each)) for each in (own & reference, own, reference))
    return Overlap(_ratio(2 * both, mine + its), _ratio(both, mine), _ratio(both, its))


def noise(image: Radiograph, true: Classes) -> float:
    """Noise of a pixel over the contrast of shafts: how deep it lies in the grain; NaN without shafts.

    The noise is that of the image's finest detail beside the metal (Immerkaer 1996, by the median), the contrast that
    of the middle of the shafts to a ring around the metal.
    """
    pixels = image.dense_bright().astype(np.float64)
    shaft, metal = true == SHAFT, true != BACKGROUND
    near = _grown(metal, _AWAY_PX)
    ring = _grown(metal, _AWAY_PX + _RING_PX) & ~near
    if min(np.count_nonzero(shaft), np.count_nonzero(ring)) < _LEAST_PX:
        return _NAN
    contrast = float(np.median(pixels[shaft]) - np.median(pixels[ring]))
    detail = convolve(pixels, _LAPLACE, mode="nearest")[ring] / 6.0
    grain = float(np.median(np.abs(detail - np.median(detail)))) / 0.6745
    return grain / contrast if contrast > 0 else float("inf")


def _grown(mask: Mask, pixels: int) -> Mask:
    grown: Any = binary_dilation(mask, iterations=pixels)
    return np.asarray(grown, dtype=np.bool_)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else _NAN
