"""What is true of a C2 pedicle: its narrowest diameter, the best corridor, and how often a hand stays in the bone.

The printed bone and the surgeon's hand (JOSR 2023, C2-Net 2026) are imitated: screws are put into the exact solid
along its best corridor, each started a little beside the planned entry and aimed again at the isthmus that is seen and
felt, with an error of the angle; the share that keeps the wanted wall all around is the probability.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import Side
from spinescrew.geometry.sampling import trilinear
from spinescrew.geometry.vectors import orthogonal_pair, unit
from spinescrew.geometry.volume import Volume
from spinescrew.phantoms.axis.depth import signed_depth
from spinescrew.phantoms.axis.heights import LOWEST_INTERNAL_MM, LOWEST_ISTHMUS_MM, canal_side_heights
from spinescrew.phantoms.axis.solid import AxisSolids

Floats = NDArray[np.float64]

FINE_MM = 0.3
_BEHIND_MM, _AHEAD_MM, _HALF_MM = 26.0, 16.0, 9.5
_SEARCHED = (-5.0, 8.0)
_STEP_MM = 0.5
_DEEP_ENOUGH_MM = 4.5


@dataclass(frozen=True)
class Hand:
    """How a screw is put in, and when that counts as a success.

    Attributes
    ----------
    entry_sd_mm:
        Error of the entry along both directions across the axis: the default of the project's execution risk.
    angle_sd_deg:
        Error of the direction about both of them, once the hand has aimed at the isthmus again. The one figure that is
        tuned: with 0.7 degrees, one half of the screws of 3.5 mm fit where the published cut-off is (MPD 4.78 mm).
    wall_mm:
        Bone that must be left around the shaft (4 mm screw, 5 mm pedicle: Kaur 2016).
    opening_mm:
        The shaft counts from this far past the point where its axis enters bone: the cortex opened on purpose at the
        entry is not a breach.
    """

    diameter_mm: float = 3.5
    entry_sd_mm: float = 1.0
    angle_sd_deg: float = 0.7
    wall_mm: float = 0.5
    opening_mm: float = 5.0
    past_isthmus_mm: float = 10.0
    placements: int = 200

    @property
    def needed_mm(self) -> float:
        """Depth below the surface that the axis of a good screw keeps."""
        return 0.5 * self.diameter_mm + self.wall_mm


@dataclass(frozen=True, eq=False)
class Corridor:
    """A line through the pedicle: ``entry`` and ``tip`` (3,) RAS mm; ``margin_mm`` is the wall left at its worst."""

    entry: Floats
    tip: Floats
    isthmus: Floats
    margin_mm: float


@dataclass(frozen=True, eq=False)
class PedicleFeasibility:
    """The truth of one side.

    Attributes
    ----------
    mpd_mm:
        Minimum pediculoisthmic diameter: of the largest ball that can be pushed through, outer surface.
    isthmus_height_mm, internal_height_mm:
        C2IsH and C2InH, 3 mm lateral to the border of the canal (Klepinowski 2021).
    high_riding:
        By its published definition: isthmus height at most 5 mm, or internal height at most 2 mm.
    probability, feasible:
        Share of the placed screws that keep the wall; feasible above one half.
    axis:
        (2, 3) points behind and in front on the deformed axis of the pedicle, RAS mm.
    """

    side: Side
    mpd_mm: float
    isthmus_height_mm: float
    internal_height_mm: float
    high_riding: bool
    probability: float
    feasible: bool
    corridor: Corridor
    isthmus: Floats
    axis: Floats


def measure_side(solids: AxisSolids, side: Side, seed: int, hand: Hand | None = None) -> PedicleFeasibility:
    """The truth of one pedicle of C2."""
    hand = hand or Hand()
    field = depth_field(solids, side)
    centre, axis = designed_axis(solids, side)
    corridor = best_corridor(field, centre, axis, hand)
    probability = _share(field, corridor, hand, np.random.default_rng(seed))
    height, internal = canal_side_heights(solids, side)
    behind, ahead = solids.to_patient([solids.pedicle(side).at(-9.0), solids.pedicle(side).at(10.0)])
    return PedicleFeasibility(
        side=side,
        mpd_mm=diameter(field, centre, axis),
        isthmus_height_mm=height,
        internal_height_mm=internal,
        high_riding=height <= LOWEST_ISTHMUS_MM or internal <= LOWEST_INTERNAL_MM,
        probability=probability,
        feasible=probability > 0.5,
        corridor=corridor,
        isthmus=centre,
        axis=np.stack([behind, ahead]),
    )


def designed_axis(solids: AxisSolids, side: Side) -> tuple[Floats, Floats]:
    """Isthmus and unit axis as the deformation has put them."""
    pedicle = solids.pedicle(side)
    behind, middle, ahead = solids.to_patient([pedicle.at(-7.0), pedicle.isthmus, pedicle.at(9.0)])
    return middle, unit(ahead - behind)


def depth_field(solids: AxisSolids, side: Side) -> Volume:
    """Depth below the surface of C2 in mm (0 outside) on a grid that lies along the pedicle."""
    centre, axis = designed_axis(solids, side)
    u, v = orthogonal_pair(axis, solids.own.superior)
    affine = np.eye(4)
    affine[:3, :3] = np.column_stack([axis, u, v]) * FINE_MM
    affine[:3, 3] = centre + np.column_stack([axis, u, v]) @ np.array([-_BEHIND_MM, -_HALF_MM, -_HALF_MM])
    shape = np.ceil(np.array([_BEHIND_MM + _AHEAD_MM, 2 * _HALF_MM, 2 * _HALF_MM]) / FINE_MM).astype(int) + 1
    grid = Volume(np.zeros(tuple(int(n) for n in shape), np.uint8), affine)
    return grid.with_array(np.maximum(signed_depth(solids, grid).array, 0.0))


def diameter(field: Volume, centre: Floats, axis: Floats) -> float:
    """Diameter in mm of the largest ball that passes the isthmus; 0 where there is no bone."""
    u, v = orthogonal_pair(axis, axis + (0.0, 0.0, 1.0))
    along = np.arange(_SEARCHED[0], _SEARCHED[1] + 0.1, _STEP_MM)
    across, up = np.meshgrid(np.arange(-4.0, 4.1, 0.2), np.arange(-4.0, 4.1, 0.2), indexing="ij")
    plane = across[..., None] * u + up[..., None] * v
    points = centre + along[:, None, None, None] * axis + plane
    deepest = trilinear(field, points.reshape(-1, 3)).reshape(len(along), -1).max(axis=1)
    return 2.0 * float(deepest.min())


def best_corridor(field: Volume, centre: Floats, axis: Floats, hand: Hand) -> Corridor:
    """The line whose axis stays deepest below the surface from the opening to its tip.

    Places in the isthmus's plane and directions around the pedicle's axis are searched twice: wide, then close by.
    """
    u, v = orthogonal_pair(axis, axis + (0.0, 0.0, 1.0))
    best = np.zeros(4)
    margin = 0.0
    for reach, turn, count in ((3.0, 12.0, 7), (1.0, 4.0, 5), (0.35, 1.4, 5)):
        places, turns = np.linspace(-reach, reach, count), np.tan(np.radians(np.linspace(-turn, turn, count)))
        moves = best + np.stack(np.meshgrid(places, places, turns, turns, indexing="ij"), axis=-1).reshape(-1, 4)
        through = centre + moves[:, :1] * u + moves[:, 1:2] * v
        directions = axis + moves[:, 2:3] * u + moves[:, 3:4] * v
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        depth = _least_depth(field, through, directions, hand)
        # Among equally deep ones the one nearest the pedicle's own axis.
        score = (
            np.minimum(depth, _DEEP_ENOUGH_MM) - 0.02 * np.abs(moves[:, :2]).sum(1) - 0.3 * np.abs(moves[:, 2:]).sum(1)
        )
        chosen = int(np.argmax(score))
        best, margin = moves[chosen], float(depth[chosen])
    through = centre + best[0] * u + best[1] * v
    direction = unit(axis + best[2] * u + best[3] * v)
    start = float(_entries(field, through[None], direction[None])[0])
    return Corridor(
        through + start * direction,
        through + hand.past_isthmus_mm * direction,
        through,
        margin - 0.5 * hand.diameter_mm,
    )


def _entries(field: Volume, through: Floats, directions: Floats) -> Floats:
    """Where (n,), along each line from its point at the isthmus backwards, the bone begins; at most at -6 mm."""
    t = np.arange(-_BEHIND_MM, 0.01, _STEP_MM)
    inside = _sample(field, through, directions, t) > 0.0
    # The bone that the isthmus is part of: behind it may follow other bone after a gap.
    outside_behind = np.where(inside | (t > -6.0), -np.inf, t)
    return np.asarray(np.maximum(outside_behind.max(axis=1), t[0]))


def _least_depth(field: Volume, through: Floats, directions: Floats, hand: Hand) -> Floats:
    """Least depth (n,) of each line's axis between opening and tip."""
    t = np.arange(-_BEHIND_MM, hand.past_isthmus_mm + 0.01, _STEP_MM)
    depth = _sample(field, through, directions, t)
    start = _entries(field, through, directions) + hand.opening_mm
    counted = t >= np.minimum(start, -1.0)[:, None]
    return np.asarray(np.where(counted, depth, np.inf).min(axis=1))


def _sample(field: Volume, through: Floats, directions: Floats, t: Floats) -> Floats:
    points = through[:, None] + t[None, :, None] * directions[:, None]
    return trilinear(field, points.reshape(-1, 3)).reshape(len(through), len(t))


def _share(field: Volume, corridor: Corridor, hand: Hand, random: np.random.Generator) -> float:
    """Share of the placements that keep the wall."""
    axis = unit(corridor.tip - corridor.entry)
    u, v = orthogonal_pair(axis, axis + (0.0, 0.0, 1.0))
    errors = random.normal(size=(hand.placements, 4))
    across = hand.entry_sd_mm * (errors[:, :1] * u + errors[:, 1:2] * v)
    entries = corridor.entry + across
    turn = np.tan(np.radians(hand.angle_sd_deg))
    aimed = corridor.isthmus - entries
    reach = np.linalg.norm(aimed, axis=1, keepdims=True)
    aimed = aimed + reach * turn * (errors[:, 2:3] * u + errors[:, 3:4] * v)
    directions = aimed / np.linalg.norm(aimed, axis=1, keepdims=True)
    depth = _least_depth(field, entries + reach * directions, directions, hand)
    return float((depth >= hand.needed_mm).mean())
