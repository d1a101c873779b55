"""Grey values from colour images, as screenshots and exports to pictures hold them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_LUMINANCE = (0.299, 0.587, 0.114)
"""ITU-R BT.601."""


def grey_of_colour(pixels: NDArray[Any]) -> tuple[NDArray[Any], list[str]]:
    """Luminance (rows, columns) of an image (rows, columns, 3), and a word where its channels differ; grey stays."""
    if pixels.ndim != 3 or pixels.shape[-1] != 3:
        return pixels, []
    first = pixels[..., :1]
    if (pixels == first).all():
        return first[..., 0], []
    return np.round(pixels @ np.array(_LUMINANCE)).astype(pixels.dtype), ["a colour image was turned to grey"]
