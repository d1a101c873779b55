"""Pictures of screws in two radiographs: the images, what was found in them, a close look at each screw, and 3D."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.geometry.vectors import orthogonal_pair, rotation
from spinescrew.implants.screw import Screw
from spinescrew.radiographs.outlines import Outline, outline
from spinescrew.radiographs.radiograph import Radiograph
from spinescrew.radiographs.regrid import between
from spinescrew.radiographs.screw_maps import ScrewMaps
from spinescrew.radiographs.view import View
from spinescrew.reports.drawing import (
    DPI,
    MM_PER_INCH,
    blank_figure,
    corner_words,
    finish,
    halo,
    scale_bar,
    view_figure,
)
from spinescrew.reports.drawing import write as write_on
from spinescrew.reports.palette import INK, screw_colour
from spinescrew.reports.render3d import ScrewPart, render
from spinescrew.reports.slices import ViewPlane

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from spinescrew.radiographs.pose import PosedScrew, PoseResult

Floats = NDArray[np.float64]

IMAGE_MM, CLOSE_MM = 91.0, 44.0
"""Width of a picture on paper: of a whole image, and of a close look (which is square)."""

SOLID_MM, ROOM_MM = (90.0, 80.0), (90.0, 80.0)
SHAFT_COLOUR, HEAD_COLOUR = "#2F9BFF", "#FF9A3D"
"""Of what the network took for shafts and for heads."""

_BLACK_PERCENT, _WHITE_PERCENT = 0.5, 99.7
_TINT = 0.35
_MARGIN = 0.28
_LEAST_CLOSE_PX = 24.0
_RIGHT, _ANTERIOR, _SUPERIOR = np.eye(3)
_EDGE_MM = 12.0
_BESIDE_MM, _SHARED_MM = 20.0, 6.0


def image_view(image: Radiograph) -> bytes:
    """PNG of a radiograph as its file shows it."""
    return finish(_ground(image)[0])


def found_view(image: Radiograph, result: PoseResult, index: int) -> bytes:
    """PNG of the same with shafts and heads as the network found them, and the fitted screws with their numbers."""
    figure, axes = _ground(image)
    given, view = result.given_views[index], result.views[index]
    _tint(axes, result.maps[index], given)
    for posed in result.screws:
        _outlined(axes, _outline(posed, view), screw_colour(posed.number), 1.1)
    for posed in result.screws:
        _numbered(axes, posed, view)
    for seen in result.unmatched[index]:
        ends = between(result.maps[index].view, given, np.stack([seen.neck, seen.tip]))
        axes.plot(*ends.T, color="white", lw=1.0, ls=(0, (2, 2)), path_effects=halo("black", 2.0))
        _label(axes, ends.mean(axis=0), "?", "white")
    return finish(figure)


def close_view(image: Radiograph, result: PoseResult, posed: PosedScrew, index: int) -> bytes:
    """PNG of one screw in one image: its outline as fitted, and where its ends were seen (dots)."""
    view = result.views[index]
    lines = _outline(posed, view)
    seen = posed.seen[index]
    ends = between(result.maps[index].view, result.given_views[index], np.stack([seen.neck, seen.tip]))
    every = np.vstack([lines.shaft, lines.head, lines.axis, ends])
    every = every[np.isfinite(every).all(axis=1)]
    low, high = every.min(axis=0), every.max(axis=0)
    half = max(float((high - low).max()) / 2 * (1 + _MARGIN), _LEAST_CLOSE_PX)
    middle = (low + high) / 2
    figure, axes = _ground(image, (middle, half))
    _outlined(axes, lines, screw_colour(posed.number), 1.4)
    axes.plot(*lines.axis.T, color=screw_colour(posed.number), lw=0.8, ls=(0, (4, 2)))
    axes.plot(*ends.T, "o", mfc="none", mec="white", mew=1.0, ms=4.5, path_effects=halo("black", 1.8))
    return finish(figure)


def solid_views(result: PoseResult, others: Sequence[Screw] = ()) -> tuple[bytes, bytes]:
    """PNGs of the screws in 3D at one scale, from behind and from the patient's left, with their numbers.

    Ask :func:`spinescrew.reports.render3d.rendering_problem` first.

    Parameters
    ----------
    others:
        Further screws in grey, such as planned ones in the same place.
    """
    every = [posed.screw for posed in result.screws] + list(others)
    ends = np.array([end for screw in every for end in (screw.entry - 12.0 * screw.direction, screw.tip)])
    sides = ((_RIGHT, ("left", "right")), (-_ANTERIOR, ("anterior", "posterior")))
    paper = SOLID_MM[0] / SOLID_MM[1]
    width = max(float(np.ptp(ends @ right)) for right, _ in sides) + 2 * _EDGE_MM
    height = float(np.ptp(ends @ _SUPERIOR)) + 2 * _EDGE_MM
    width, height = max(width, height * paper), max(height, width / paper)
    middle = (ends.min(axis=0) + ends.max(axis=0)) / 2
    behind, left = (
        _solid(result, others, ViewPlane(middle, right, _SUPERIOR, width, height, _step(height)), words)
        for right, words in sides
    )
    return behind, left


def room_view(result: PoseResult) -> bytes:
    """PNG of how the images were taken, seen from the feet: sources, detectors, beams, and the screws between them."""
    right, up = -_RIGHT, _ANTERIOR
    figure = blank_figure(*ROOM_MM)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set_aspect("equal")
    for number, view in enumerate(result.views, start=1):
        rows, columns = view.shape
        middle = (rows - 1) / 2
        edges = view.on_detector(np.array([[-0.5, middle], [columns - 0.5, middle]]))
        source, *ends = (np.array([point @ right, point @ up]) for point in (view.source, *edges))
        axes.fill(*np.array([source, *ends]).T, color="#2F9BFF", alpha=0.08, lw=0)
        axes.plot(*np.array(ends).T, color=INK, lw=3.0, solid_capstyle="butt")
        axes.plot(*source, "o", color=INK, ms=6)
        words = f"source of view {number}" + (f" ({view.name})" if view.name else "")
        near = (
            "right"
            if source[0] > float(result.screws[0].screw.entry @ right if result.screws else 0.0) + 1.0
            else "left"
        )
        axes.annotate(
            words, tuple(source), xytext=(0, -9), textcoords="offset points", fontsize=7.5, color=INK, ha=near, va="top"
        )
    for posed in result.screws:
        line = np.stack([posed.screw.entry, posed.screw.tip])
        axes.plot(line @ right, line @ up, color=screw_colour(posed.number), lw=2.2, solid_capstyle="round")
    _at_edges(axes)
    return finish(figure)


def _at_edges(axes: Axes) -> None:
    """The patient's directions around the picture from the feet, and room for them."""
    axes.margins(0.12)
    axes.autoscale_view()
    for place, words, ha, va in (
        ((0.01, 0.5), "R", "left", "center"),
        ((0.99, 0.5), "L", "right", "center"),
        ((0.5, 0.99), "anterior", "center", "top"),
        ((0.5, 0.01), "posterior", "center", "bottom"),
    ):
        axes.text(*place, words, transform=axes.transAxes, ha=ha, va=va, fontsize=7.5, weight="bold", color=INK)


def _ground(image: Radiograph, part: tuple[Floats, float] | None = None) -> tuple[Figure, Axes]:
    """The image that fills a figure, or the square of ``part``: its middle (column, row) and half its edge."""
    rows, columns = image.shape
    box = (-0.5, columns - 0.5, rows - 0.5, -0.5)
    if part is not None:
        (x, y), half = part
        box = (x - half, x + half, y + half, y - half)
    wide = IMAGE_MM if part is None else CLOSE_MM
    figure = blank_figure(wide, wide * (box[2] - box[3]) / (box[1] - box[0]))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set_facecolor("black")
    figure.set_facecolor("black")
    low, high = image.window or np.percentile(image.pixels, (_BLACK_PERCENT, _WHITE_PERCENT))
    axes.imshow(image.pixels, cmap="gray", vmin=low, vmax=max(high, low + 1e-6), interpolation="antialiased")
    axes.set_xlim(*box[:2])
    axes.set_ylim(*box[2:])
    return figure, axes


def _tint(axes: Axes, maps: ScrewMaps, whole: View) -> None:
    """Colour over what the network took for shafts and heads."""
    corners = between(maps.view, whole, np.array([[-0.5, -0.5], np.array(maps.view.shape[::-1]) - 0.5]))
    extent = (corners[0, 0], corners[1, 0], corners[1, 1], corners[0, 1])
    for share, colour in ((maps.shaft, SHAFT_COLOUR), (maps.head, HEAD_COLOUR)):
        red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
        layer = np.zeros((*share.shape, 4))
        layer[...] = red, green, blue, 0.0
        layer[..., 3] = _TINT * np.clip(share, 0.0, 1.0)
        axes.imshow(layer, extent=extent, interpolation="bilinear", aspect="auto")


def _outline(posed: PosedScrew, view: View) -> Outline:
    return outline(view, posed.screw, posed.tulip_axis)


def _outlined(axes: Axes, lines: Outline, colour: str, width: float) -> None:
    for polygon, style in ((lines.shaft, "-"), (lines.head, (0, (5, 1.5)))):
        if len(polygon):
            closed = np.vstack([polygon, polygon[:1]])
            axes.plot(*closed.T, color=colour, lw=width, ls=style, path_effects=halo("black", width + 1.2))


def _numbered(axes: Axes, posed: PosedScrew, view: View) -> None:
    """The number beside the head, away from the tip."""
    neck, tip = view.project(np.stack([posed.screw.entry, posed.screw.tip]))
    away = neck - tip
    reach = 11.0 * float(np.mean(view.magnification(posed.screw.entry) / view.pixel_mm))
    _label(axes, neck + reach * away / max(float(np.hypot(*away)), 1e-6), str(posed.number), screw_colour(posed.number))


def _label(axes: Axes, place: Floats, text: str, colour: str) -> None:
    effects = halo("black", 2.4)
    look: dict[str, Any] = {"fontsize": 9.5, "weight": "bold", "ha": "center", "va": "center"}
    axes.text(float(place[0]), float(place[1]), text, color=colour, path_effects=effects, clip_on=True, **look)


def _step(height_mm: float) -> float:
    return height_mm * MM_PER_INCH / (DPI * SOLID_MM[1])


def _solid(result: PoseResult, others: Sequence[Screw], plane: ViewPlane, words: tuple[str, str]) -> bytes:
    parts = [ScrewPart(posed.screw, screw_colour(posed.number), _rod(posed)) for posed in result.screws]
    parts += [ScrewPart(screw, "#B9BEC6") for screw in others]
    figure, axes = view_figure(plane, SOLID_MM[0] / plane.width_mm)
    axes.imshow(render([], parts, plane), extent=plane.extent)
    for x, y, text in _labels(result, plane):
        write_on(axes, x, y, text, dark=False, bold=True)
    corner_words(axes, plane, words)
    scale_bar(axes, plane, 20.0, dark=False)
    return finish(figure)


def _labels(result: PoseResult, plane: ViewPlane) -> list[tuple[float, float, str]]:
    """Numbers beside the heads, mm on the plane; heads behind each other share a place."""
    found: list[tuple[float, float, str]] = []
    for posed in result.screws:
        x, y = plane.project(posed.screw.entry - _BESIDE_MM * posed.screw.direction)
        near = next((n for n, (a, b, _) in enumerate(found) if np.hypot(a - x, b - y) < _SHARED_MM), None)
        if near is None:
            found.append((float(x), float(y), str(posed.number)))
        else:
            a, b, text = found[near]
            found[near] = (a, b, f"{text}, {posed.number}")
    return found


def _rod(posed: PosedScrew) -> Floats:
    """Where the slot points, for the eye: turned from the patient's long axis by the angle that was found."""
    along, _ = orthogonal_pair(posed.screw.direction, _SUPERIOR)
    if posed.slot_deg is None:
        return along
    return rotation(posed.screw.direction, float(posed.slot_deg)) @ along
