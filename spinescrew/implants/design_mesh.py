"""Surfaces of designed screws: the threaded shaft here, heads, rods and crosslinks in the files beside.

A shaft's **own frame**: origin where the shaft begins below the head, +z to the tip. A head's: origin at the pivot (the
centre of the ball), +z towards the shaft, x along the rod's slot. Everything in millimetres.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.errors import InputError
from spinescrew.geometry.vectors import orthogonal_pair
from spinescrew.implants.construct import crosslink_mesh, rod_mesh
from spinescrew.implants.design_head import head_mesh, set_screw_mesh
from spinescrew.implants.designs import ScrewDesign
from spinescrew.implants.solids import Floats, Mesh, Triangles, between_rings, circle

__all__ = ["crosslink_mesh", "head_matrix", "head_mesh", "rod_mesh", "set_screw_mesh", "shaft_mesh"]

_AROUND = (36, 30, 24)
_MANY_TRIANGLES = 8000
_RUN_OUT_MM = 2.0
_NECK_RUN_MM = 1.5
_END_SHARE = {"blunt": 0.45, "sharp": 0.14, "fluted": 0.3}
_FLUTE_MM, _FLUTE_DEG, _FLUTE_DEPTH = 11.0, 24.0, 0.55
_CAP_RINGS = 5
_WALL_MM = 0.25
_BORE_SHARE, _THINNEST_BORE_MM = 0.5, 0.4


def shaft_mesh(design: ScrewDesign, diameter_mm: float, length_mm: float) -> Mesh:
    """Closed surface of a shaft with its thread, in its own frame.

    Its upper end is hollowed to sit on the ball that belongs to the head, so shaft and head touch without overlapping
    at every tilt. No point lies outside the outer diameter, before the origin or beyond the tip.

    Parameters
    ----------
    design:
        What it looks like.
    diameter_mm, length_mm:
        Outer thread diameter; from the origin to the tip.

    Returns
    -------
    ``(points, triangles)``: (n, 3) mm and (m, 3), anticlockwise seen from outside, every edge in exactly two
    triangles; 3,000 to 8,000 triangles for common sizes.

    Raises
    ------
    InputError
        If a size is not positive, or the shaft is too short for its tip.
    """
    shape = _Shaft(design, float(diameter_mm), float(length_mm))
    points, triangles, top, end = _wall(shape)
    if shape.bore:
        return _with_bore(shape, points, triangles, top, end)
    cap = [points[top] * (share, share, 1.0) for share in np.linspace(1, 0, _CAP_RINGS)[1:-1]]
    cap = [shape.on_ball(ring) for ring in cap]
    pole = shape.on_ball(np.zeros((1, 3)))
    return _closed(points, triangles, [*cap, pole], top, end, shape)


def head_matrix(design: ScrewDesign, screw_matrix: Any, tulip_axis: Any = None, rod: Any = (0.0, 0.0, 1.0)) -> Floats:
    """4x4 that takes a head's own frame to RAS, for a shaft that stands at ``screw_matrix`` (4x4).

    Parameters
    ----------
    tulip_axis:
        (3,) RAS from the tulip to the shaft, at most ``design.range_deg`` from the shaft's own direction for a tulip
        that does not touch the neck; left out: the shaft's.
    rod:
        (3,) RAS direction in which the rod runs, about.
    """
    stand = np.asarray(screw_matrix, dtype=np.float64)
    axis = stand[:3, 2] if tulip_axis is None else np.asarray(tulip_axis, dtype=np.float64)
    x, y = orthogonal_pair(axis, rod)
    matrix = np.eye(4)
    matrix[:3, :3] = np.column_stack([x, y, np.cross(x, y)])
    matrix[:3, 3] = stand[:3, 3] - design.pivot_mm * stand[:3, 2]
    return matrix


class _Shaft:
    """Radii of one shaft along its length."""

    def __init__(self, design: ScrewDesign, diameter: float, length: float) -> None:
        if not (np.isfinite([diameter, length]).all() and diameter > 0 and length > 0):
            raise InputError(f"a shaft of {diameter:g} x {length:g} mm cannot be drawn; give it positive sizes")
        if length < design.tip_mm + 2 * _RUN_OUT_MM:
            raise InputError(f"a shaft of {length:g} mm is too short for a tip of {design.tip_mm:g} mm")
        self.design, self.radius, self.length = design, diameter / 2, length
        self.ball, self.neck = design.ball_mm / 2, min(design.neck_mm / 2, 0.98 * diameter / 2)
        self.start = float(np.sqrt(self.ball**2 - self.neck**2)) - design.pivot_mm
        core = min(design.core_share, design.core_taper_share) * self.radius
        bore = min(design.cannula_mm / 2, _BORE_SHARE * core, _BORE_SHARE * self.neck)
        self.bore = bore if bore > _THINNEST_BORE_MM else 0.0

    def on_ball(self, points: Floats) -> Floats:
        """Points moved along the axis onto the ball."""
        flat = np.hypot(points[:, 0], points[:, 1])
        return np.column_stack([points[:, :2], np.sqrt(self.ball**2 - flat**2) - self.design.pivot_mm])

    def core_and_outer(self, z: Floats) -> tuple[Floats, Floats]:
        """Radii at the root and at the crest, tip included, thread run-out left out."""
        design = self.design
        cone = design.core_cone_mm or self.length
        down = np.clip(z / cone, 0, 1)
        core = self.radius * (design.core_share + (design.core_taper_share - design.core_share) * down)
        outer = self.radius * (1 + (design.outer_taper_share - 1) * np.clip(z / self.length, 0, 1))
        into = np.clip((z - (self.length - design.tip_mm)) / max(design.tip_mm, 1e-9), 0, 1)
        end = max(_END_SHARE[design.tip], (self.bore + _WALL_MM) / float(core.min()))
        falls = 1 - np.sqrt(np.maximum(1 - into**2, 0)) if design.tip == "blunt" else into
        narrowed = 1 - (1 - end) * falls
        return core * narrowed, outer * narrowed

    def radii(self, z: Floats, angles: Floats, height: Floats) -> Floats:
        """Radius at depth ``z`` where the thread is ``height`` (0 at the root, 1 at the crest) high."""
        core, outer = self.core_and_outer(z)
        fade = np.clip((z - self.start) / _RUN_OUT_MM, 0, 1) * np.clip((self.length - z) / 1.0, 0, 1)
        radius = core + (outer - core) * height * fade
        if self.design.tip == "fluted":
            radius = np.minimum(radius, self._flutes(z, angles, core, outer))
        blend = np.clip((z - self.start) / _NECK_RUN_MM, 0, 1)
        blend = blend * blend * (3 - 2 * blend)
        return np.maximum(self.neck + (radius - self.neck) * blend, self.bore + _WALL_MM)

    def _flutes(self, z: Floats, angles: Floats, core: Floats, outer: Floats) -> Floats:
        """Radius that the cutting flutes leave: two for a double thread, else three, straight along the tip."""
        count = 2 if self.design.leads == 2 else 3
        off = np.abs(np.angle(np.exp(1j * angles * count))) / count
        across = np.clip((np.radians(_FLUTE_DEG) - off) / np.radians(12.0), 0, 1)
        first = self.length - min(_FLUTE_MM, 0.3 * self.length)
        along = np.clip((z - first) / 3.0, 0, 1)
        return outer + (_FLUTE_DEPTH * core - outer) * across * along


def _thread(design: ScrewDesign) -> tuple[Floats, Floats, Floats, Floats]:
    """Where the thread's edges lie in a pitch (0 to 1) and how high they are; below, and in the dual zone."""
    half, lead, trail = design.crest_share / 2, design.leading_flank_share, design.trailing_flank_share
    edges = np.array([-half - trail, -half, half, half + lead])
    if not design.dual_zone_mm:
        middle = (edges[0] + edges[3] - 1) / 2
        places, heights = np.array([middle, *edges]) - middle, np.array([0.0, 0, 1, 1, 0])
        return places, heights, places, heights
    # The second crest rises from the middle of the root; both zones have as many edges, so that one fades into the
    # other along the rows.
    first = edges + 0.25
    rest = np.linspace(first[3], 1.0 + 0.0, 7)[1:-1]
    places = np.concatenate([[0.0], first, rest])
    heights = np.array([0.0, 0, 1, 1, 0, 0, 0, 0, 0, 0])
    fine = np.concatenate([[0.0], edges / 2 + 0.25, [0.5], edges / 2 + 0.75])
    fine_heights = np.tile([design.dual_zone_root, design.dual_zone_root, 1, 1, design.dual_zone_root], 2)
    return places, heights, fine, fine_heights


def _wall(shape: _Shaft) -> tuple[Floats, Triangles, NDArray[np.int64], NDArray[np.int64]]:
    """The threaded wall: points, triangles, and the points of its upper and of its lower end in order.

    Rows follow the thread, so each of its edges is sharp; a row that has gone once round meets the row ``leads``
    pitches on. What would lie beyond either end is gathered on the end's own ring.
    """
    design = shape.design
    places, heights, fine, fine_heights = _thread(design)
    edges, leads = len(places), int(design.leads)
    turns = np.arange(-leads - 2, int(np.ceil(shape.length / design.pitch_mm)) + leads + 2)
    rows = len(turns) * edges
    seen = edges * shape.length / design.pitch_mm
    around = next((n for n in _AROUND if 2 * n * seen <= _MANY_TRIANGLES), _AROUND[-1])
    base = design.pitch_mm * (turns[:, None] + leads * np.arange(around) / around)  # (turns, around)
    zone = np.clip((design.dual_zone_mm - base) / design.pitch_mm, 0, 1)[:, None] if design.dual_zone_mm else 0.0
    place = places[:, None] + (fine - places)[:, None] * zone
    height = heights[:, None] + (fine_heights - heights)[:, None] * zone
    z = (base[:, None] + design.pitch_mm * place).reshape(rows, around)
    height = np.broadcast_to(height, (len(turns), edges, around)).reshape(rows, around)
    slack = 0.02 * design.pitch_mm
    above, below = z <= shape.start + slack, z >= shape.length - slack
    between = ~above & ~below
    column = np.broadcast_to(np.arange(around), z.shape)
    number = np.where(above, column, around + column)
    number[between] = 2 * around + np.arange(int(between.sum()))
    angles = 2 * np.pi * column / around
    radius = shape.radii(z, angles, height)
    ends = np.column_stack([np.r_[np.full(around, shape.start), np.full(around, shape.length)], np.tile(angles[0], 2)])
    end_radius = np.r_[np.full(around, shape.neck), shape.radii(ends[around:, 0], angles[0], np.zeros(around))]
    z_all, angle_all = np.r_[ends[:, 0], z[between]], np.r_[ends[:, 1], angles[between]]
    radius_all = np.r_[end_radius, radius[between]]
    points = np.column_stack([radius_all * np.cos(angle_all), radius_all * np.sin(angle_all), z_all])
    return points, _cells(number, edges * leads), np.arange(around), np.arange(around, 2 * around)


def _cells(number: NDArray[np.int64], shift: int) -> Triangles:
    """Triangles between the rows and columns of point numbers; the last column meets the first ``shift`` rows on."""
    following = np.roll(number, -1, axis=1)
    rows = len(number) - shift
    following[:rows, -1] = number[shift:, 0]
    # Rows that run out lie wholly on the lower end, all of one column on one point.
    following[rows:, -1] = number[-1, 0]
    a, b, c, d = number[:-1], following[:-1], number[1:], following[1:]
    faces = np.concatenate([np.stack([a, b, d], -1).reshape(-1, 3), np.stack([a, d, c], -1).reshape(-1, 3)])
    same = (faces == np.roll(faces, 1, axis=1)).any(axis=1)
    return faces[~same]


def _closed(
    points: Floats,
    triangles: Triangles,
    cap: list[Floats],
    top: NDArray[np.int64],
    end: NDArray[np.int64],
    shape: _Shaft,
) -> Mesh:
    """The wall with rings of its upper end (the last one a single point) and a point at the tip."""
    around, first = len(top), len(points)
    points = np.vstack([points, *cap, [[0.0, 0.0, shape.length]]])
    rings = [top, *(first + around * k + np.arange(around) for k in range(len(cap) - 1))]
    faces = [triangles]
    for outer, inner in pairwise(rings):
        faces += [_strip(inner, outer)]
    pole, tip = first + around * (len(cap) - 1), len(points) - 1
    faces.append(np.column_stack([np.full(around, pole), np.roll(rings[-1], -1), rings[-1]]))
    faces.append(np.column_stack([np.full(around, tip), end, np.roll(end, -1)]))
    return points, np.concatenate(faces)


def _with_bore(
    shape: _Shaft, points: Floats, triangles: Triangles, top: NDArray[np.int64], end: NDArray[np.int64]
) -> Mesh:
    """The wall joined to that of a bore by a ring at either end."""
    around, first = len(top), len(points)
    upper, lower = shape.on_ball(circle(shape.bore, 0, around)), circle(shape.bore, shape.length, around)
    bore = between_rings(around, 2)[:, ::-1] + first
    inner_top, inner_end = first + np.arange(around), first + around + np.arange(around)
    faces = [triangles, bore, _strip(inner_top, top), _strip(end, inner_end)]
    return np.vstack([points, upper, lower]), np.concatenate(faces)


def _strip(first: NDArray[np.int64], second: NDArray[np.int64]) -> Triangles:
    """Triangles between two rings of point numbers, the second farther along the way."""
    a, b, c, d = first, np.roll(first, -1), second, np.roll(second, -1)
    return np.concatenate([np.column_stack([a, b, d]), np.column_stack([a, d, c])])
