"""A construct of pedicle screws and rods as a surgeon leaves it in a simulated spine."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import SIDES, Side
from spinescrew.anatomy.levels import Level
from spinescrew.geometry.vectors import orthogonal_pair, rotation, unit
from spinescrew.implants.design_mesh import head_mesh, rod_mesh, set_screw_mesh, shaft_mesh
from spinescrew.implants.designs import ScrewDesign, draw_design
from spinescrew.implants.screw import Screw

Floats = NDArray[np.float64]
Mesh = tuple[Floats, NDArray[np.int64]]

_MISSING_SHARE = 0.06
_RODS_SHARE = 0.65
_ENTRY_MM, _ANGLE_DEG, _PROUD_MM = 1.5, 4.0, 2.0
"""A surgeon's hand: standard deviations of entry and angle, and how far a head may stand above the bone."""

_HEAD_TILT_DEG = 10.0
_MOST_TILT_DEG = 28.0
_OVERHANG_MM = (4.0, 14.0)


@dataclass(frozen=True, eq=False)
class Implant:
    """One screw with its head.

    Attributes
    ----------
    screw:
        Where its shaft stands; ``screw.entry`` is where the shaft begins below the head.
    head:
        (4, 4) from the head's own frame (origin at the pivot, +z towards the shaft, x along the slot) to RAS.
    set_screw:
        Whether the head is closed.
    """

    level: Level
    side: Side
    screw: Screw
    design: ScrewDesign
    roll_deg: float
    head: Floats
    set_screw: bool

    @property
    def shaft(self) -> Mesh:
        """The shaft's surface in RAS."""
        shape = self.screw.shape
        points, triangles = shaft_mesh(self.design, shape.diameter_mm, shape.length_mm)
        u, v = orthogonal_pair(self.screw.direction, (0.0, 0.0, 1.0))
        axes = rotation(self.screw.direction, self.roll_deg) @ np.column_stack([u, v, self.screw.direction])
        return points @ axes.T + self.screw.entry, triangles

    @property
    def head_parts(self) -> tuple[Mesh, ...]:
        """Tulip, and set screw where there is one, in RAS."""
        parts = [head_mesh(self.design, self.screw.shape.diameter_mm)]
        if self.set_screw and self.design.set_screw != "none":
            parts.append(set_screw_mesh(self.design))
        return tuple((points @ self.head[:3, :3].T + self.head[:3, 3], triangles) for points, triangles in parts)


@dataclass(frozen=True, eq=False)
class Construct:
    """Screws from the head down, left before right, and rods as tubes: points (n, 3) RAS and a radius in mm."""

    implants: tuple[Implant, ...]
    rods: tuple[tuple[Floats, float], ...] = ()

    @property
    def centre(self) -> Floats:
        """(3,) RAS, the middle of all shafts."""
        ends = [end for each in self.implants for end in (each.screw.entry, each.screw.tip)]
        return np.asarray((np.min(ends, axis=0) + np.max(ends, axis=0)) / 2)

    @property
    def rod_meshes(self) -> tuple[Mesh, ...]:
        """Surfaces of the rods in RAS."""
        return tuple(rod_mesh(points, radius) for points, radius in self.rods)


def draw_construct(
    screws: Mapping[tuple[Level, Side], Screw],
    random: np.random.Generator,
    *,
    most: int = 14,
    design: ScrewDesign | None = None,
    rods: bool | None = None,
    hand: float = 1.0,
) -> Construct:
    """Screws of one to seven neighbouring levels by a surgeon's hand, with or without rods.

    Parameters
    ----------
    screws:
        Where a plan would put them, by level and side.
    most:
        Screws at most, at least two.
    design:
        Of all screws; drawn when left out.
    rods:
        Whether the heads are joined; drawn when left out.
    hand:
        How far the screws are from ``screws``, in the errors of a usual hand.
    """
    design = design or draw_design(random)
    chosen = _chosen(screws, most, random)
    placed = {key: _by_hand(screws[key], hand, random) for key in chosen}
    joined = bool(random.random() < _RODS_SHARE) if rods is None else rods
    lines = {side: _line(placed, side) for side in SIDES}
    implants = []
    for (level, side), screw in placed.items():
        head = _head(screw, design, lines[side], joined, random)
        implants.append(Implant(level, side, screw, design, float(random.uniform(0, 360)), head, joined))
    tubes = []
    if joined:
        for side in SIDES:
            seats = [_seat(each) for each in implants if each.side == side]
            if len(seats) > 1:
                tubes.append((_rod(np.array(seats), random), design.rod_mm / 2))
    return Construct(tuple(implants), tuple(tubes))


def _chosen(
    screws: Mapping[tuple[Level, Side], Screw], most: int, random: np.random.Generator
) -> list[tuple[Level, Side]]:
    levels = list(dict.fromkeys(level for level, _ in screws))
    count = int(np.clip(1 + random.geometric(0.35), 1, min(most // 2, 7, len(levels))))
    first = int(random.integers(0, len(levels) - count + 1))
    keys = [(level, side) for level in levels[first : first + count] for side in SIDES if (level, side) in screws]
    kept = [key for key in keys if random.random() >= _MISSING_SHARE]
    return kept if len(kept) >= 2 else keys


def _by_hand(screw: Screw, hand: float, random: np.random.Generator) -> Screw:
    """A screw whose entry, angle and depth are those of a hand, of a size that may differ from the plan's."""
    u, v = orthogonal_pair(screw.direction, (0.0, 0.0, 1.0))
    off = hand * _ENTRY_MM * np.clip(random.normal(size=2), -2.5, 2.5)
    tilt = np.tan(np.radians(hand * _ANGLE_DEG)) * np.clip(random.normal(size=2), -2.5, 2.5)
    direction = unit(screw.direction + tilt[0] * u + tilt[1] * v)
    proud = float(random.uniform(0.0, _PROUD_MM))
    length = screw.shape.length_mm + float(random.choice([-5.0, 0.0, 0.0, 0.0, 5.0]))
    diameter = screw.shape.diameter_mm + float(random.choice([-0.5, 0.0, 0.0, 0.5]))
    shape = replace(screw.shape, length_mm=max(length, 20.0), diameter_mm=max(diameter, 4.0), item="custom")
    return Screw(screw.entry + off[0] * u + off[1] * v - proud * direction, direction, shape)


def _line(placed: Mapping[tuple[Level, Side], Screw], side: Side) -> Floats:
    """(n, 3) entries of one side from the head down."""
    return np.array([screw.entry for (_, own), screw in placed.items() if own == side]).reshape(-1, 3)


def _head(screw: Screw, design: ScrewDesign, line: Floats, joined: bool, random: np.random.Generator) -> Floats:
    """The head's frame: across the rod where there is one, anyhow otherwise, within the reach of its joint."""
    along: Any = (0.0, 0.0, -1.0)
    if len(line) > 1:
        nearest = np.argsort(np.linalg.norm(line - screw.entry, axis=1))[:2]
        along = unit(line[max(nearest)] - line[min(nearest)])
    tilt = _HEAD_TILT_DEG * (0.5 if joined else 1.0)
    along = rotation(random.normal(size=3), tilt * float(np.clip(random.normal(), -2, 2))) @ np.asarray(along)
    down = unit(screw.direction - (screw.direction @ along) * along) if joined else screw.direction
    down = rotation(random.normal(size=3), tilt * float(np.clip(random.normal(), -2, 2))) @ down
    lean = np.degrees(np.arccos(np.clip(down @ screw.direction, -1, 1)))
    if lean > _MOST_TILT_DEG:
        share = _MOST_TILT_DEG / lean
        down = unit(share * down + (1 - share) * screw.direction)
    x, y = orthogonal_pair(down, along)
    frame = np.eye(4)
    frame[:3, :3] = np.column_stack([x, y, down])
    frame[:3, 3] = screw.entry - design.pivot_mm * screw.direction
    return frame


def _seat(implant: Implant) -> Floats:
    """Where the rod's axis passes through a head."""
    return np.asarray(implant.head[:3, 3] - implant.design.rod_above_pivot_mm * implant.head[:3, 2])


def _rod(seats: Floats, random: np.random.Generator) -> Floats:
    """Points of a rod through its seats, standing out at both ends."""
    ends = random.uniform(*_OVERHANG_MM, 2)
    first = seats[0] + ends[0] * unit(seats[0] - seats[1])
    last = seats[-1] + ends[1] * unit(seats[-1] - seats[-2])
    return np.vstack([first, seats, last])


def gaps(construct: Construct) -> Floats:
    """Distances in mm between neighbouring necks of one side: what tells crowded constructs."""
    found = []
    for side in SIDES:
        line = [each.screw.entry for each in construct.implants if each.side == side]
        found += [float(np.linalg.norm(b - a)) for a, b in itertools.pairwise(line)]
    return np.array(found)
