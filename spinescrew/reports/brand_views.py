"""Pictures of an answer which system radiographs show: the screws found, the crops, where models looked, references."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.brands.attention import Attention
from spinescrew.brands.crop import METAL, OVERALL, SIZE, Window
from spinescrew.brands.locate import Located
from spinescrew.brands.models import Crops
from spinescrew.reports.drawing import blank_figure, finish, halo
from spinescrew.reports.palette import screw_colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
Field = NDArray[np.float32]

IMAGE_MM, LOOK_MM = 91.0, 58.0
"""Width of a picture on paper: a whole image, and where a model looked."""

HEAT_MAP = "inferno"
_HEAT = 0.6
_BLACK_PERCENT, _WHITE_PERCENT = 0.5, 99.7
_ROOM = 0.12


def found_view(located: Located, crops: Crops) -> bytes:
    """PNG of a radiograph with the crops that were judged and the screws they belong to, by number."""
    figure, axes = _ground(located, IMAGE_MM)
    for window in crops.windows:
        colour = screw_colour(window.screw + 1)
        corners = _corners(window)
        axes.plot(*np.vstack([corners, corners[:1]]).T, color=colour, lw=1.0, path_effects=halo("black", 2.0))
        ends = np.stack([located.necks[window.screw], located.tips[window.screw]])
        axes.plot(*ends.T, color=colour, lw=1.2, path_effects=halo("black", 2.2))
        look: dict[str, Any] = {"fontsize": 8.5, "weight": "bold", "ha": "left", "va": "top"}
        x, y = (float(value) for value in corners[0])
        axes.text(x, y, str(window.screw + 1), color=colour, path_effects=halo("black", 2.2), **look)
    return finish(figure)


def attention_view(located: Located, crops: Crops, attention: Attention) -> bytes:
    """PNG of the part around the screws, with where a model looked in colour on it."""
    figure, axes = _ground(located, LOOK_MM, _around(located, crops))
    from matplotlib import colormaps

    field = attention.field
    layer = np.asarray(colormaps[HEAT_MAP](np.clip(field, 0.0, 1.0)), dtype=np.float32)
    layer[..., 3] = _HEAT * np.clip(2.0 * field, 0.0, 1.0)
    rows, columns = field.shape
    step = attention.step_px
    extent = (-0.5 * step, (columns - 0.5) * step, (rows - 0.5) * step, -0.5 * step)
    limits = axes.get_xlim(), axes.get_ylim()
    axes.imshow(layer, extent=extent, interpolation="bilinear", aspect="auto")
    axes.set_xlim(*limits[0])
    axes.set_ylim(*limits[1])
    return finish(figure)


def crop_view(crops: Crops, number: int) -> bytes:
    """PNG of a crop as its model is shown it: the whole range of grey, and the range of metal, side by side."""
    shown = np.concatenate([crops.images[number][OVERALL], crops.images[number][METAL]], axis=1)
    return grey_png(np.clip((shown + 1.2) / 2.4, 0.0, 1.0))


def crop_picture(crops: Crops, number: int) -> Field:
    """The range of metal of a crop, where threads are seen best; (rows, columns) from 0 to 1."""
    return np.asarray(np.clip((crops.images[number][METAL] + 1.2) / 2.4, 0.0, 1.0))


def grey_png(values: Field) -> bytes:
    """PNG of values from 0 to 1."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(np.rint(255.0 * values).astype(np.uint8)).save(stream, "png", compress_level=6)
    return stream.getvalue()


def _corners(window: Window) -> Floats:
    """(4, 2) of the image, in turn."""
    edge = SIZE - 0.5
    return window.to_image(np.array([(-0.5, -0.5), (edge, -0.5), (edge, edge), (-0.5, edge)]))


def _around(located: Located, crops: Crops) -> tuple[float, float, float, float]:
    """Left, right, lower and upper edge of the square around all crops, within the image."""
    corners = np.concatenate([_corners(window) for window in crops.windows])
    low, high = corners.min(axis=0), corners.max(axis=0)
    half = float((high - low).max()) / 2 * (1 + _ROOM)
    middle = (low + high) / 2
    rows, columns = located.radiograph.shape
    left, right = max(middle[0] - half, -0.5), min(middle[0] + half, columns - 0.5)
    top, bottom = max(middle[1] - half, -0.5), min(middle[1] + half, rows - 0.5)
    return left, right, bottom, top


def _ground(
    located: Located, wide_mm: float, box: tuple[float, float, float, float] | None = None
) -> tuple[Figure, Axes]:
    """The image, or a part of it, that fills a figure; bone and metal bright."""
    pixels = located.radiograph.dense_bright()
    rows, columns = pixels.shape
    left, right, bottom, top = box or (-0.5, columns - 0.5, rows - 0.5, -0.5)
    figure = blank_figure(wide_mm, wide_mm * (bottom - top) / (right - left))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    figure.set_facecolor("black")
    low, high = np.percentile(pixels, (_BLACK_PERCENT, _WHITE_PERCENT))
    axes.imshow(pixels, cmap="gray", vmin=low, vmax=max(high, low + 1e-6), interpolation="antialiased", aspect="auto")
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    return figure, axes
