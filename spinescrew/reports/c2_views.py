"""Pictures of one C2 pedicle: along its best corridor and across it, with attention or without, and of the ways out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.feasibility.assessment import WALL_MM, C2Assessment, SideAssessment
from spinescrew.feasibility.measures import Corridor
from spinescrew.geometry.vectors import unit
from spinescrew.geometry.volume import Volume
from spinescrew.implants.screw import Screw, ScrewShape
from spinescrew.reports.drawing import edge_letters, finish, halo, scale_bar, view_figure
from spinescrew.reports.palette import BONE_OUTLINE, GRADE_COLOURS
from spinescrew.reports.slices import (
    ViewPlane,
    axial_plane,
    isthmus_plane,
    profile_outline,
    sagittal_plane,
    section_outline,
    slice_distance,
    slice_image,
    windowed,
    zone_marks,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

ALONG_MM, ALONG_SCALE = (50.0, 45.0), 1.2
ACROSS_MM, ACROSS_SCALE = (20.0, 18.0), 3.0
"""Sizes in the patient, and mm on paper for each of their mm."""

ATTENTION_MAP = "magma"
_SAGITTAL_WORDS = ("anterior", "posterior", "superior", "inferior")
_SHOWN_FROM, _OPACITY = 0.15, 0.7
_DARK = "#14181D"


def corridor_colour(corridor: Corridor) -> str:
    """Blue where the wall is thick enough for a hand's error, amber where it is thinner, vermilion out of bone."""
    if corridor.margin_mm >= WALL_MM:
        return GRADE_COLOURS["A"]
    return GRADE_COLOURS["C"] if corridor.margin_mm >= 0.0 else GRADE_COLOURS["D"]


def shaft_of(corridor: Corridor) -> Screw:
    """A corridor as a plain cylinder, from its entry to its tip."""
    along = corridor.tip - corridor.entry
    shape = ScrewShape(corridor.diameter_mm, float(np.linalg.norm(along)), tip_taper_mm=0.0)
    return Screw(corridor.entry, unit(along), shape)


def side_views(found: C2Assessment, own: SideAssessment, *, attention: bool) -> tuple[bytes, bytes, bytes]:
    """PNGs of the oblique axial, the section across at the isthmus, and the oblique sagittal, of one size."""
    corridor = own.measures.corridors[found.screw_mm]
    screw = shaft_of(corridor)
    looked = own.attention if attention else None
    axial, sagittal = (plane(screw, found.frame, *ALONG_MM) for plane in (axial_plane, sagittal_plane))
    return (
        _along(found, own, corridor, axial, _axial_words(own), looked),
        _across(found, own, corridor, looked),
        _along(found, own, corridor, sagittal, _SAGITTAL_WORDS, looked),
    )


def way_view(found: C2Assessment, own: SideAssessment, way: Corridor) -> bytes:
    """PNG along another corridor: a laminar one in its transverse plane, any other in its sagittal plane."""
    screw = shaft_of(way)
    if way.name == "lamina":
        return _along(found, own, way, _transverse_plane(screw, found), ("R", "L", "anterior", "posterior"), None)
    return _along(found, own, way, sagittal_plane(screw, found.frame, *ALONG_MM), _SAGITTAL_WORDS, None)


def _transverse_plane(screw: Screw, found: C2Assessment) -> ViewPlane:
    """The plane nearest to transverse that holds a shaft of any direction, seen from the feet."""
    superior, right = found.frame.superior, found.frame.right
    towards = -unit(superior - (superior @ screw.direction) * screw.direction)
    across = -unit(right - (right @ towards) * towards)
    return ViewPlane((screw.entry + screw.tip) / 2, across, np.cross(towards, across), *ALONG_MM)


def _axial_words(own: SideAssessment) -> tuple[str, str, str, str]:
    left, right = ("lateral", "medial") if own.side == "right" else ("medial", "lateral")
    return f"R\n{left}", f"L\n{right}", "anterior", "posterior"


def _along(
    found: C2Assessment,
    own: SideAssessment,
    corridor: Corridor,
    plane: ViewPlane,
    words: tuple[str, str, str, str],
    looked: Volume | None,
) -> bytes:
    """A plane that holds the corridor; a bar marks the isthmus on a pedicle's."""
    screw = shaft_of(corridor)
    figure, axes = _ground(found, plane, ALONG_SCALE, looked)
    _shaft(axes, profile_outline(screw, plane), corridor)
    if corridor.name == "pedicle":
        depth = float((own.measures.isthmus - screw.entry) @ screw.direction)
        bar, _ = zone_marks(screw, plane, (depth, depth))
        axes.plot(*bar.T, color="white", lw=1.0, path_effects=halo("black", 2.0))
    axes.plot(*plane.project(screw.entry), "o", color="white", mec="black", mew=0.8, ms=4.0)
    return _finished(figure, axes, plane, words, 10.0)


def _across(found: C2Assessment, own: SideAssessment, corridor: Corridor, looked: Volume | None) -> bytes:
    """Seen from behind; the dashed circle is the largest ball that passes the isthmus."""
    screw = shaft_of(corridor)
    plane = isthmus_plane(screw, found.frame, own.measures.isthmus, *ACROSS_MM)
    figure, axes = _ground(found, plane, ACROSS_SCALE, looked)
    turn = np.linspace(0.0, 2 * np.pi, 91)
    ring = plane.project(own.measures.isthmus) + 0.5 * own.measures.outer_width_mm * np.column_stack(
        [np.cos(turn), np.sin(turn)]
    )
    axes.plot(*ring.T, color="white", lw=1.0, ls=(0, (3, 2)), path_effects=halo("black", 1.8))
    _shaft(axes, section_outline(screw, plane), corridor)
    left, right = ("L\nmedial", "R\nlateral") if own.side == "right" else ("L\nlateral", "R\nmedial")
    return _finished(figure, axes, plane, (left, right, "superior", "inferior"), 5.0)


def _ground(found: C2Assessment, plane: ViewPlane, scale: float, looked: Volume | None) -> tuple[Figure, Axes]:
    """The CT, attention over it if asked for, and the outline of C2."""
    from matplotlib import colormaps

    figure, axes = view_figure(plane, scale)
    axes.set_facecolor(_DARK)
    grey: Any = colormaps["gray"].with_extremes(bad=_DARK)
    picture: dict[str, Any] = {"vmin": 0.0, "vmax": 1.0, "extent": plane.extent, "interpolation": "bilinear"}
    axes.imshow(windowed(slice_image(found.ct, plane)), cmap=grey, **picture)
    if looked is not None:
        share = np.nan_to_num(slice_image(looked, plane))
        axes.imshow(share, cmap=ATTENTION_MAP, alpha=_opacity(share), **picture)
    distance = slice_distance([found.bone], plane, found.ct)
    if (distance < 0).any() and (distance > 0).any():
        axes.contour(*plane.axes_mm(), distance, levels=[0.0], colors=[BONE_OUTLINE], linewidths=0.9)
    axes.set_xlim(*plane.extent[:2])
    axes.set_ylim(*plane.extent[2:])
    return figure, axes


def _opacity(share: Floats) -> Floats:
    """Nothing where hardly anything was looked at, so that the bone stays to be seen."""
    return np.asarray(_OPACITY * np.clip((share - _SHOWN_FROM) / (0.5 - _SHOWN_FROM), 0.0, 1.0))


def _shaft(axes: Axes, outline: Floats, corridor: Corridor) -> None:
    colour = corridor_colour(corridor)
    axes.fill(*outline.T, color=colour, alpha=0.2, lw=0)
    axes.plot(*outline.T, color=colour, lw=1.5, path_effects=halo("white", 2.4), solid_joinstyle="miter")


def _finished(figure: Figure, axes: Axes, plane: ViewPlane, words: tuple[str, str, str, str], bar_mm: float) -> bytes:
    edge_letters(axes, plane, words)
    scale_bar(axes, plane, bar_mm)
    return finish(figure)
