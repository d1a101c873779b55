"""Three pictures aligned with one screw: axial along it, sagittal along it, and across it at the isthmus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import Side
from spinescrew.anatomy.vertebra import Spine, Vertebra
from spinescrew.implants.screw import Screw
from spinescrew.planning.plan import PlannedScrew
from spinescrew.reports.drawing import FONT_PT, edge_letters, finish, halo, scale_bar, view_figure
from spinescrew.reports.palette import BONE_OUTLINE, NEIGHBOUR_OUTLINE, grade_colour
from spinescrew.reports.slices import (
    ViewPlane,
    axial_plane,
    isthmus_plane,
    profile_outline,
    sagittal_plane,
    section_outline,
    shaded,
    slice_distance,
    slice_image,
    windowed,
    zone_marks,
)
from spinescrew.reports.wording import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]
ALONG_MM = (91.0, 74.0)
ACROSS_MM = (30.0, 30.0)
ALONG_SCALE = 1.0
ACROSS_SCALE = 2.0
BREACH_REACH_MM = 2.5


def axial_view(row: PlannedScrew, screw: Screw, spine: Spine, vertebra: Vertebra) -> bytes:
    """PNG of the plane through the axis and the vertebra's right-left, seen from the feet, true size on paper."""
    plane = axial_plane(screw, vertebra.frame, *ALONG_MM)
    left, right = ("lateral", "medial") if row.side == "right" else ("medial", "lateral")
    return _along(row, screw, spine, vertebra, plane, (f"R\n{left}", f"L\n{right}", "anterior", "posterior"))


def sagittal_view(row: PlannedScrew, screw: Screw, spine: Spine, vertebra: Vertebra) -> bytes:
    """PNG of the plane through the axis and the vertebra's superior, seen from the patient's left, true size."""
    plane = sagittal_plane(screw, vertebra.frame, *ALONG_MM)
    return _along(row, screw, spine, vertebra, plane, ("anterior", "posterior", "superior", "inferior"))


def isthmus_view(row: PlannedScrew, screw: Screw, spine: Spine, vertebra: Vertebra) -> bytes | None:
    """PNG of the section across the axis at the isthmus, seen from behind, twice its size; ``None`` without one."""
    pedicle = vertebra.pedicles.get(row.side)
    if pedicle is None:
        return None
    plane = isthmus_plane(screw, vertebra.frame, pedicle.isthmus, *ACROSS_MM)
    figure, axes = view_figure(plane, ACROSS_SCALE)
    _ground(axes, spine, vertebra, plane)
    colour = grade_colour(row.assessment.gertzbein_robbins if row.assessment else None)
    outline = section_outline(screw, plane)
    axes.fill(*outline.T, color=colour, alpha=0.25, lw=0)
    axes.plot(*outline.T, color=colour, lw=1.8, path_effects=halo("white", 2.8))
    axes.plot(0, 0, "+", color="white", ms=7, mew=1.0, path_effects=halo("black"))
    _breach(axes, row, plane)
    edge_letters(axes, plane, (*_edges_from_behind(row.side), "superior", "inferior"))
    scale_bar(axes, plane, 5.0)
    return finish(figure)


def _edges_from_behind(side: Side) -> tuple[str, str]:
    return ("medial", "lateral") if side == "right" else ("lateral", "medial")


def _along(
    row: PlannedScrew,
    screw: Screw,
    spine: Spine,
    vertebra: Vertebra,
    plane: ViewPlane,
    words: tuple[str, str, str, str],
) -> bytes:
    figure, axes = view_figure(plane, ALONG_SCALE)
    _ground(axes, spine, vertebra, plane)
    assessment = row.assessment
    colour = grade_colour(assessment.gertzbein_robbins if assessment else None)
    outline = profile_outline(screw, plane)
    axes.fill(*outline.T, color=colour, alpha=0.25, lw=0)
    axes.plot(*outline.T, color=colour, lw=1.5, path_effects=halo("white", 2.4), solid_joinstyle="miter")
    reach = plane.project(np.stack([screw.entry - 15.0 * screw.direction, screw.tip + 6.0 * screw.direction]))
    axes.plot(*reach.T, color="white", lw=0.8, ls=(0, (6, 3)), path_effects=halo("black", 1.4))
    for mark in zone_marks(screw, plane, assessment.zone_mm) if assessment and assessment.zone_mm else []:
        axes.plot(*mark.T, color="white", lw=1.2, path_effects=halo("black", 2.2))
    axes.plot(*plane.project(screw.entry), "o", color="white", mec="black", mew=0.8, ms=4.5)
    _breach(axes, row, plane)
    edge_letters(axes, plane, words)
    scale_bar(axes, plane)
    return finish(figure)


def _ground(axes: Axes, spine: Spine, vertebra: Vertebra, plane: ViewPlane) -> None:
    """The CT, or the shape of the bones alone, with the outlines of the vertebra and its neighbours."""
    neighbours = [v for v in (spine.above(vertebra.level), spine.below(vertebra.level)) if v is not None]
    own = slice_distance([vertebra.bone], plane, spine.labels)
    others = slice_distance([v.bone for v in neighbours], plane, spine.labels)
    grey = shaded(np.minimum(own, others)) if spine.ct is None else windowed(slice_image(spine.ct, plane))
    axes.set_facecolor("#14181D")
    axes.imshow(grey, cmap=_grey(), vmin=0, vmax=1, extent=plane.extent, interpolation="bilinear", zorder=0)
    x, y = plane.axes_mm()
    for distance, colour, width in ((others, NEIGHBOUR_OUTLINE, 0.6), (own, BONE_OUTLINE, 0.9)):
        if (distance < 0).any() and (distance > 0).any():
            axes.contour(x, y, np.minimum(distance, 1e3), levels=[0.0], colors=[colour], linewidths=width)
    axes.set_xlim(*plane.extent[:2])
    axes.set_ylim(*plane.extent[2:])


def _grey() -> Any:
    from matplotlib import colormaps

    return colormaps["gray"].with_extremes(bad="#14181D")


def _breach(axes: Axes, row: PlannedScrew, plane: ViewPlane) -> None:
    """A ring at the place of the pedicle breach, where it lies near enough to this plane, and its size."""
    breach = row.assessment.breach if row.assessment else None
    if breach is None or breach.mm <= 0 or breach.point is None:
        return
    offset = np.asarray(breach.point) - plane.centre
    x, y = plane.project(breach.point)
    inside = abs(x) < plane.width_mm / 2 and abs(y) < plane.height_mm / 2
    if abs(offset @ plane.towards_viewer) > BREACH_REACH_MM or not inside:
        return
    axes.plot(x, y, "o", mfc="none", mec="#FF4FA3", mew=1.6, ms=10, path_effects=halo("black", 2.6))
    text = f"{number(breach.mm, unit='mm')} {breach.direction or ''}"
    side = -1.0 if x > 0 else 1.0
    axes.annotate(
        text,
        (x, y),
        (side * 16, -16),
        textcoords="offset points",
        color="white",
        fontsize=FONT_PT,
        weight="bold",
        ha="left" if side > 0 else "right",
        va="top",
        path_effects=halo("black", 2.0),
        arrowprops={"arrowstyle": "-", "color": "#FF4FA3", "lw": 1.0, "shrinkB": 5},
    )
