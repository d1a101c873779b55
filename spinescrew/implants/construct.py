"""What joins the screws: rods, and the crosslinks between two rods."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.interpolate import CubicSpline

from spinescrew.errors import InputError
from spinescrew.geometry.vectors import orthogonal_pair, unit
from spinescrew.implants.designs import CROSSLINKS
from spinescrew.implants.solids import NOTHING, Floats, Mesh, joined, placed, prism, tube, turned

_STEP_MM = 2.0
_GAP_MM = 0.1
_SHORTEST_MM = 18.0

POSTERIOR = (0.0, -1.0, 0.0)


def rod_mesh(points: Any, radius_mm: float = 2.75, overhang_mm: float = 0.0) -> Mesh:
    """Closed surface of a bent rod: a smooth tube through the given points.

    Parameters
    ----------
    points:
        (n, 3) mm that its axis passes, n >= 2, in order; a cubic spline runs through them.
    radius_mm:
        Half its diameter.
    overhang_mm:
        How far it reaches straight on beyond the first and the last point.

    Raises
    ------
    InputError
        If there are fewer than two points or two that follow one another coincide, or the radius is not positive.
    """
    line = np.asarray(points, dtype=np.float64).reshape(-1, 3)
    if not (np.isfinite(radius_mm) and radius_mm > 0):
        raise InputError(f"a rod needs a positive radius, got {radius_mm}")
    steps = np.linalg.norm(np.diff(line, axis=0), axis=1)
    if len(line) < 2 or not np.isfinite(line).all() or steps.min() < 1e-6:
        raise InputError("a rod needs two points or more, none of them twice in a row")
    along = np.r_[0.0, np.cumsum(steps)]
    count = max(2, int(np.ceil(along[-1] / _STEP_MM)) + 1)
    smooth = CubicSpline(along, line, bc_type="natural")(np.linspace(0, along[-1], count))
    if overhang_mm > 0:
        ends = [smooth[at] + overhang_mm * unit(smooth[at] - smooth[beside]) for at, beside in ((0, 1), (-1, -2))]
        smooth = np.vstack([ends[0], smooth, ends[1]])
    return tube(smooth, radius_mm)


def crosslink_mesh(
    start: Any, end: Any, kind: str, *, rod_mm: float = 5.5, posterior: Any = POSTERIOR, rod: Any = None
) -> Mesh:
    """Closed surface (in several pieces) of a crosslink between two rods.

    Parameters
    ----------
    start, end:
        (3,) mm on the axes of the two rods.
    kind:
        "plate": a flat bar, wide over the rods, with jaws and screws; "hinged": two bars one above the other, joined
        by a nut; "hook": a narrow bar with hooks around the rods; "none": nothing.
    rod_mm:
        The rods' diameter.
    posterior:
        (3,) towards which the bar stands off the rods.
    rod:
        (3,) direction of the rods, taken where given to be what ``posterior`` is made right-angled to.

    Raises
    ------
    InputError
        If the kind is unknown or the rods are nearer than 18 mm.
    """
    if kind not in CROSSLINKS:
        raise InputError(f"a crosslink is one of {', '.join(CROSSLINKS)}, not {kind!r}")
    if kind == "none":
        return NOTHING
    first, last = np.asarray(start, dtype=np.float64), np.asarray(end, dtype=np.float64)
    span = float(np.linalg.norm(last - first))
    if span < _SHORTEST_MM:
        raise InputError(f"rods {span:.0f} mm apart are too near for a crosslink; {_SHORTEST_MM:g} mm is the least")
    across = unit(last - first)
    hint = np.asarray(posterior, dtype=np.float64)
    if rod is not None:
        away = np.cross(across, np.asarray(rod, dtype=np.float64))
        hint = away if away @ hint > 0 else -away
    up, along = orthogonal_pair(across, hint)
    matrix = np.eye(4)
    # x from rod to rod, y along them, z away from the spine.
    matrix[:3] = np.column_stack([across, -along, up, first])
    parts = {"plate": _plate, "hinged": _hinged, "hook": _hook}[kind](span, rod_mm / 2)
    return placed(joined(*parts), matrix)


_SIDEWAYS = np.array([[1.0, 0, 0], [0, 0, 1.0], [0, -1.0, 0]])
"""Axes that pull an outline (x, z) along the rods."""


def _plate(span: float, radius: float) -> list[Mesh]:
    low, thick = radius + _GAP_MM, 2.6
    pad, half, narrow = radius + 2.6, 4.6, 2.6
    right = [(span + pad, -half), (span + pad, half), (span - pad, half), (span - pad - 3, narrow)]
    left = [(pad + 3, narrow), (pad, half), (-pad, half), (-pad, -half), (pad, -half), (pad + 3, -narrow)]
    outline = [*right, *left, (span - pad - 3, -narrow), (span - pad, -half)]
    parts = [prism(outline, low, low + thick)]
    for place in (0.0, span):
        parts += _jaws(place, radius, low, 6.5)
        parts.append(_screw(place, low + thick, 2.9, 2.4))
    return parts


def _hinged(span: float, radius: float) -> list[Mesh]:
    low, thick, half = radius + _GAP_MM, 2.2, 2.4
    middle, reach = span / 2, 4.0
    arms = [(-radius - 2.4, middle + reach, low), (middle - reach, span + radius + 2.4, low + thick + _GAP_MM)]
    parts = []
    for from_, to, height in arms:
        outline = [(from_, -half), (to, -half), (to, half), (from_, half)]
        parts.append(prism(outline, height, height + thick))
    # The upper arm rests on its rod by a block.
    parts.append(prism(_box(span, radius + 2.0, 2.4), low, low + thick))
    top = low + 2 * thick + 2 * _GAP_MM
    parts.append(_screw(middle, top, 4.0, 3.6))
    for place, height in ((0.0, low + thick), (span, top - _GAP_MM)):
        parts += _jaws(place, radius, low, 5.0)
        parts.append(_screw(place, height, 2.4, 1.8))
    return parts


def _hook(span: float, radius: float) -> list[Mesh]:
    """One outline seen along the rods: a bar whose ends reach round the outer side of each."""
    inner, outer = radius + _GAP_MM, radius + 2.4
    bar, width = outer + 0.6, 4.0
    turn = np.radians(np.linspace(90, 235, 12))
    round_outside = np.column_stack([outer * np.cos(turn), outer * np.sin(turn)])
    round_inside = np.column_stack([inner * np.cos(turn), inner * np.sin(turn)])[::-1]
    left = np.vstack([[[1.5, bar]], round_outside, round_inside, [[radius + 2.0, inner]]])
    right = np.column_stack([span - left[::-1, 0], left[::-1, 1]])
    parts = [prism(np.vstack([left, right]), -width / 2, width / 2, _SIDEWAYS)]
    for place in (2.0, span - 2.0):
        parts.append(_screw(place, bar + 0.05, 2.2, 2.2))
    return parts


def _jaws(place: float, radius: float, low: float, length: float) -> list[Mesh]:
    """Two jaws beside a rod, below the bar that lies on it."""
    parts = []
    for side in (-1.0, 1.0):
        near, far = radius + _GAP_MM, radius + 2.2
        outline = np.array([(near, -0.75 * radius), (far, -0.4 * radius), (far, low), (near, low)])
        if side < 0:
            outline = outline[::-1]
        outline = outline * (side, 1.0) + (place, 0.0)
        parts.append(prism(outline, -length / 2, length / 2, _SIDEWAYS))
    return parts


def _screw(place: float, low: float, radius: float, height: float) -> Mesh:
    """A locking screw or nut that stands on the bar."""
    points, triangles = turned([(radius, low), (radius, low + 0.85 * height), (0.8 * radius, low + height)], 24)
    return points + (place, 0, 0), triangles


def _box(place: float, half_x: float, half_y: float) -> Floats:
    corners = np.array([(-half_x, -half_y), (half_x, -half_y), (half_x, half_y), (-half_x, half_y)])
    return corners + (place, 0)
