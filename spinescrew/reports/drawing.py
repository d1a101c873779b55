"""Figures at a known scale, and what is written on all of them: scale bar, letters at the edges, PNG bytes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from spinescrew.reports.palette import INK
from spinescrew.reports.slices import ViewPlane

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 180
MM_PER_INCH = 25.4
FONT_PT = 7.5


def blank_figure(width_mm: float, height_mm: float) -> Figure:
    """A white figure of this size on paper; never a window, never matplotlib's global state."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_mm / MM_PER_INCH, height_mm / MM_PER_INCH), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def view_figure(plane: ViewPlane, scale: float) -> tuple[Figure, Axes]:
    """A figure that ``plane`` fills, ``scale`` mm on paper for 1 mm in the patient; axes are mm from its middle."""
    figure = blank_figure(plane.width_mm * scale, plane.height_mm * scale)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set_xlim(*plane.extent[:2])
    axes.set_ylim(*plane.extent[2:])
    return figure, axes


def finish(figure: Figure) -> bytes:
    """PNG of the figure, without metadata."""
    from PIL import Image

    canvas: Any = figure.canvas
    canvas.draw()
    stream = io.BytesIO()
    Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3]).save(stream, "png", compress_level=6)
    return stream.getvalue()


def halo(colour: str, width: float = 1.6) -> list[Any]:
    """Path effects that keep a line or a text readable on any ground."""
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=width, foreground=colour)]


def scale_bar(axes: Axes, plane: ViewPlane, length_mm: float = 10.0, dark: bool = True) -> None:
    """A bar of ``length_mm`` in the lower left corner."""
    colour, shade = ("white", "black") if dark else (INK, "white")
    left, _, bottom, _ = plane.extent
    x, y = left + 0.045 * plane.width_mm, bottom + 0.045 * plane.height_mm
    axes.plot([x, x + length_mm], [y, y], color=colour, lw=1.6, solid_capstyle="butt", path_effects=halo(shade, 2.8))
    write(axes, x + length_mm / 2, y + 0.018 * plane.height_mm, f"{length_mm:g} mm", dark, va="bottom")


def edge_letters(axes: Axes, plane: ViewPlane, words: tuple[str, str, str, str]) -> None:
    """Orientation at the left, right, top and bottom edge of a dark picture."""
    left, right, bottom, top = plane.extent
    gap = 0.02 * max(plane.width_mm, plane.height_mm)
    write(axes, left + gap, 0, words[0], ha="left", bold=True)
    write(axes, right - gap, 0, words[1], ha="right", bold=True)
    write(axes, 0, top - gap, words[2], va="top", bold=True)
    write(axes, 0, bottom + gap, words[3], va="bottom", bold=True)


def corner_words(axes: Axes, plane: ViewPlane, words: tuple[str, str]) -> None:
    """What lies to the left and to the right, in the upper corners of a white picture."""
    left, right, _, top = plane.extent
    left, right, top = left + 0.01 * plane.width_mm, right - 0.01 * plane.width_mm, top - 0.01 * plane.height_mm
    write(axes, left, top, words[0], dark=False, ha="left", va="top", bold=True)
    write(axes, right, top, words[1], dark=False, ha="right", va="top", bold=True)


def write(
    axes: Axes,
    x: float,
    y: float,
    text: str,
    dark: bool = True,
    ha: str = "center",
    va: str = "center",
    bold: bool = False,
) -> None:
    """Text on a picture, white on dark ones."""
    colour, shade = ("white", "black") if dark else (INK, "white")
    weight = "bold" if bold else "normal"
    axes.text(x, y, text, color=colour, fontsize=FONT_PT, ha=ha, va=va, weight=weight, path_effects=halo(shade))
