"""Heads of designed screws: tulip with the ball in it, and the set screw that closes it.

A head's own frame: origin at the pivot (the centre of the ball), +z towards the shaft, x along the rod's slot.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spinescrew.errors import InputError
from spinescrew.implants.designs import ScrewDesign
from spinescrew.implants.solids import NOTHING, Floats, Mesh, circle, sewn

_SLOT_POINTS, _WALL_POINTS = 11, 19
_AROUND = 2 * (_SLOT_POINTS + _WALL_POINTS)
_DRAFT_MM = 0.08
_STEP_MM = 0.12
_SEAT_DEG = (15.0, 30.0, 45.0, 60.0, 72.0, 81.0)
_CAP_RINGS = 6
_WIDER_FROM_MM, _WIDER_SHARE = 7.5, 0.3
_CLEARANCE_MM = 0.06

_OUTLINES: dict[str, list[tuple[float, float]]] = {
    "round": [(0, 0.95), (0.04, 1), (0.62, 1), (0.76, 0.97), (0.88, 0.88), (0.95, 0.77), (1, 0.62)],
    "flats": [(0, 1), (0.70, 1), (0.80, 0.97), (0.86, 0.84), (1, 0.70)],
    "tapered": [(0, 0.80), (0.3, 0.90), (0.62, 1), (0.78, 1), (0.90, 0.86), (1, 0.60)],
    "waisted": [
        (0, 0.96),
        (0.05, 1),
        (0.20, 1),
        (0.24, 0.86),
        (0.38, 0.86),
        (0.42, 1),
        (0.72, 1),
        (0.80, 0.85),
        (1, 0.66),
    ],
}
"""Share of the height below the top, and of the largest radius there."""

_FLAT_SHARE = 0.80
_TAB_MM, _GROOVE_DEPTH_MM, _GROOVE_MM = 1.7, 0.8, 0.5


def head_mesh(design: ScrewDesign, diameter_mm: float) -> Mesh:
    """Closed surface of a tulip with its saddle and its ball in one piece, in the head's own frame.

    The rod's axis lies at z = ``-design.rod_above_pivot_mm``, along x. The tulip's lower rim is at
    ``design.rim_below_pivot_mm``, the ball reaches ``design.ball_mm / 2`` below the origin.

    Parameters
    ----------
    design:
        What it looks like.
    diameter_mm:
        Outer diameter of the screw it is for: those above 7.5 mm carry a slightly wider tulip.

    Raises
    ------
    InputError
        If the diameter is not positive.
    """
    if not (np.isfinite(diameter_mm) and diameter_mm > 0):
        raise InputError(f"a head for a screw of {diameter_mm:g} mm cannot be drawn; give a positive diameter")
    tulip = _Tulip(design, design.tulip_diameter_mm / 2 + _WIDER_SHARE * max(0.0, diameter_mm - _WIDER_FROM_MM) / 2)
    rings = [*tulip.inside(), *tulip.outside(), *_ball(design)]
    return sewn(rings, (0, 0, rings[0][:, 2].max()), (0, 0, design.ball_mm / 2))


def set_screw_mesh(design: ScrewDesign) -> Mesh:
    """Closed surface of the set screw, seated on the rod, in the head's own frame; nothing where there is none.

    "hex" and "star" have a socket of that shape, "break-off" is solid with the stump where its head came off.
    """
    if design.set_screw == "none":
        return NOTHING
    low = -design.rod_above_pivot_mm - design.rod_mm / 2
    top, radius = low - design.set_screw_room_mm, design.bore_radius_mm - _CLEARANCE_MM
    floor = top + 0.65 * design.set_screw_room_mm
    # From the rod outwards, over the rim and down into the socket: the way runs against z.
    outline = [(0.6 * radius, low), (0.9 * radius, low), (radius, low - 0.3), (radius, top + 0.3), (0.95 * radius, top)]
    rings = [circle(r, z, _AROUND)[::-1] for r, z in outline]
    if design.set_screw == "break-off":
        rings += [circle(r, z, _AROUND)[::-1] for r, z in ((0.62 * radius, top - 0.1), (0.55 * radius, top - 1.2))]
        return sewn(rings, (0, 0, low), (0, 0, top - 1.0))
    socket = _socket(design.set_screw, 0.5 * radius)[::-1]
    rings += [np.column_stack([socket, np.full(_AROUND, z)]) for z in (top, floor)]
    return sewn(rings, (0, 0, low), (0, 0, floor + 0.2))


class _Tulip:
    """Points of the tulip's walls; all rings have theirs at matching places.

    Points within the slot keep their distance from the rod's axis on the inner and on the outer wall, which makes the
    slot's sides flat.
    """

    def __init__(self, design: ScrewDesign, radius: float) -> None:
        self.design, self.radius = design, radius
        self.half_slot, self.bore = design.slot_mm / 2, design.bore_radius_mm
        self.axis = -design.rod_above_pivot_mm
        self.floor = self.axis + self.half_slot
        self.top, self.bottom = -design.top_above_pivot_mm, design.rim_below_pivot_mm
        across = self.half_slot * np.sin(np.linspace(-np.pi / 2, np.pi / 2, _SLOT_POINTS))
        self.in_slot: NDArray[np.bool_] = np.tile(np.arange(_SLOT_POINTS + _WALL_POINTS) < _SLOT_POINTS, 2)
        self.off_axis = np.tile(np.r_[across, np.full(_WALL_POINTS, self.half_slot)], 2)
        self.seat = self.axis + np.sqrt(np.maximum(self.half_slot**2 - self.off_axis**2, 0))

    def flat_ring(self, radius: Floats | float, limit: float = np.inf) -> Floats:
        """(n, 2) places on a circle, cut flat at +-``limit`` along x; ``radius`` a number or one for each point."""
        of_each = np.broadcast_to(np.asarray(radius, dtype=np.float64), (_AROUND,))
        half = _SLOT_POINTS + _WALL_POINTS
        sides = []
        for side in (of_each[:half], of_each[half:]):
            slot, wall = side[:_SLOT_POINTS], side[_SLOT_POINTS:]
            edge = np.arcsin((self.half_slot + _DRAFT_MM) / wall)
            even = edge + (np.pi - 2 * edge) * np.linspace(0, 1, _WALL_POINTS)
            angles = np.r_[np.arcsin(self.off_axis[:_SLOT_POINTS] / slot), even]
            sides.append(np.column_stack([side * np.cos(angles), side * np.sin(angles)]))
        ring = np.vstack([sides[0], -sides[1]])
        ring[:, 0] = np.clip(ring[:, 0], -limit, limit)
        return ring

    def inside(self) -> list[Floats]:
        """Rings from the middle of the saddle out to the bore and up its wall to the rim."""
        bore = self.flat_ring(self.bore)
        along_rod = np.column_stack([bore[:, 0], np.clip(bore[:, 1], -self.half_slot, self.half_slot)])
        rings = []
        for share in np.sin(np.radians(_SEAT_DEG)):
            low = self.axis + np.sqrt(self.half_slot**2 - (share * along_rod[:, 1]) ** 2)
            rings.append(np.column_stack([share * along_rod, low + _STEP_MM]))
        rings.append(np.column_stack([bore, self.seat + _STEP_MM]))
        end = self.top - self.design.tabs_mm
        rings.append(np.column_stack([bore, np.where(self.in_slot, self.seat, end)]))
        return rings

    def outside(self) -> list[Floats]:
        """Rings from the rim down the outside to the opening for the neck."""
        levels = self._levels()
        start, below = levels[0][0], self.floor + 0.3
        even = 2 * np.pi * (np.arange(_AROUND) - (_SLOT_POINTS - 1) / 2) / _AROUND
        rings = []
        for level, _ in levels:
            down = min(1.0, (level - start) / (below - start))
            z = np.where(self.in_slot, self.seat + down * (max(level, below) - self.seat), level)
            radius = self.radius * np.interp(z, *np.transpose(levels))
            limit = _FLAT_SHARE * self.radius if self.design.tulip == "flats" else np.inf
            place = self.flat_ring(radius, limit)
            blend = np.clip((level - below) / (self.bottom - below), 0, 1)
            if blend > 0:
                round_ = radius[:, None] * np.column_stack([np.cos(even), np.sin(even)])
                place = (1 - blend) * place + blend * round_
                place[:, 0] = np.clip(place[:, 0], -limit, limit)
            rings.append(np.column_stack([place, z]))
        return rings

    def _levels(self) -> list[tuple[float, float]]:
        """(z, share of the radius) down the outside, with steps fine enough for the slot's round floor."""
        height = self.bottom - self.top
        outline = [(self.top + share * height, wide) for share, wide in _OUTLINES[self.design.tulip]]
        z, wide = np.transpose(outline)
        extra = np.concatenate([[self.floor + 0.3], np.linspace(self.axis, self.floor, 4)])
        every = np.union1d(z, extra[(np.abs(extra[:, None] - z) > 0.15).all(axis=1)])
        levels = [(float(at), float(np.interp(at, z, wide))) for at in every]
        smallest = (self.design.opening_radius_mm + 0.5) / self.radius
        levels = [(at, max(share, smallest)) for at, share in levels]
        if self.design.tabs_mm:
            end = self.top - self.design.tabs_mm
            tab = min((self.bore + _TAB_MM) / self.radius, levels[0][1])
            groove = tab - _GROOVE_DEPTH_MM / self.radius
            tabs = [(end, tab), (self.top - 2 * _GROOVE_MM, tab), (self.top - _GROOVE_MM, groove)]
            levels = [*tabs, *levels]
        return levels


def _ball(design: ScrewDesign) -> list[Floats]:
    """Rings of the ball below the tulip, from the rim of the opening to before its pole."""
    radius = design.ball_mm / 2
    widest = np.arcsin(design.opening_radius_mm / radius)
    rings = []
    for polar in np.linspace(widest, 0, _CAP_RINGS + 1)[:-1]:
        ring = circle(radius * np.sin(polar), radius * np.cos(polar), _AROUND)
        turn = -2 * np.pi * (_SLOT_POINTS - 1) / 2 / _AROUND
        cosine, sine = np.cos(turn), np.sin(turn)
        rings.append(ring @ np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1.0]]))
    return rings


def _socket(kind: str, radius: float) -> Floats:
    """(n, 2) outline of a driver's socket, anticlockwise."""
    angles = 2 * np.pi * np.arange(_AROUND) / _AROUND
    if kind == "hex":
        wide = radius * np.cos(np.pi / 6) / np.cos((angles % (np.pi / 3)) - np.pi / 6)
    else:
        wide = radius * (0.86 + 0.14 * np.cos(6 * angles))
    return np.column_stack([wide * np.cos(angles), wide * np.sin(angles)])
