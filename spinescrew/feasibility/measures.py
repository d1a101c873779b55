"""What is measured of one C2 pedicle: its narrowest diameter, heights, angles, and the corridor for a screw.

Everything is found on the surface of the bone alone, from a pose that may be a few millimetres and degrees off. These
are the figures that a reader compares the network with (science: sections 2.4 and 2.5 of the project's reference).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import Side, VertebralFrame, screw_angles
from spinescrew.feasibility.endosteal import endosteal_width
from spinescrew.feasibility.foramen import foramen_room
from spinescrew.feasibility.heights import canal_half_width, canal_side_heights, high_riding
from spinescrew.feasibility.lines import Aim, Line, Stretch, ball_depth, deepest_line, length_inside
from spinescrew.feasibility.pose import PediclePose
from spinescrew.geometry.rays import exit_distance
from spinescrew.geometry.sdf import SignedDistance
from spinescrew.geometry.vectors import unit
from spinescrew.geometry.volume import Volume

Floats = NDArray[np.float64]

DIAMETERS_MM = (3.5, 4.0)
"""Of the screws used at C2."""

STRETCH = Stretch(ahead_mm=10.0)
"""A pedicle screw counts from 5 mm past its entry to 10 mm past the isthmus."""

_ROUNDS = ((4.0, 15.0, 7), (1.5, 6.0, 5), (0.6, 2.5, 5), (0.25, 1.0, 5))
_SEARCHED_MM = (-5.0, 8.0)
_HALF_MM, _TILT = 4.0, 0.25
_PLATEAU_MM, _NEARLY_MM, _RIDGE_MM = 0.15, 0.5, 0.3
_USUAL_HALF_CANAL_MM = 11.75
_WALL_MM = 14.0


@dataclass(frozen=True, eq=False)
class Corridor:
    """A straight way for a screw.

    Attributes
    ----------
    length_mm:
        Of the longest shaft that stays in bone, from the dorsal cortex forward; 0 when none passes.
    entry, tip:
        (3,) RAS mm; where ``length_mm`` is 0 the tip is that of a shaft of usual length.
    breach_mm:
        How far a shaft of usual length leaves the bone; 0 for none.
    margin_mm:
        Wall left at its worst along that shaft; negative where it leaves the bone.
    name:
        ``"pedicle"``, ``"pars"`` or ``"lamina"``.
    """

    diameter_mm: float
    length_mm: float
    entry: Floats
    tip: Floats
    breach_mm: float
    margin_mm: float
    name: str = "pedicle"


@dataclass(frozen=True, eq=False)
class PedicleMeasures:
    """One pedicle in figures; mm and degrees, NaN where a figure cannot be given (``notes`` says why).

    Attributes
    ----------
    outer_width_mm:
        Minimum pediculoisthmic diameter (MPD): of the largest ball that passes the narrowest place.
    inner_width_mm:
        There, between the inner cortices, in the CT.
    height_mm:
        Outer height of the isthmus.
    isthmus_height_mm, internal_height_mm, high_riding:
        C2IsH and C2InH, and what follows from them (Klepinowski 2021).
    pta_deg, psa_deg:
        Angles of the pedicle's own axis, as the pose gives it, in the frame of C2; the deepest corridor may cross a
        tall pedicle at another sagittal angle.
    foramen_mm:
        From the surface of the best 3.5 mm shaft to the wall of the transverse foramen.
    corridors:
        By diameter of the screw.
    isthmus:
        (3,) RAS, middle of the narrowest section.
    """

    side: Side
    outer_width_mm: float
    inner_width_mm: float
    height_mm: float
    isthmus_height_mm: float
    internal_height_mm: float
    high_riding: bool
    pta_deg: float
    psa_deg: float
    foramen_mm: float
    corridors: dict[float, Corridor]
    isthmus: Floats
    notes: tuple[str, ...] = ()


def measure_pedicle(
    bone: SignedDistance,
    pose: PediclePose,
    frame: VertebralFrame,
    canal_half_mm: float | None = None,
    ct: Volume | None = None,
) -> PedicleMeasures:
    """Measure one pedicle of C2.

    Parameters
    ----------
    bone:
        Of C2; need not reach farther than about 30 mm from the pedicle.
    pose:
        Where the pedicle lies, to within about 2 mm and 5 degrees.
    canal_half_mm:
        From the midline to the border of the canal; found from the bone when left out.
    ct:
        For the inner width; any grid in the same patient space.
    """
    notes: list[str] = []
    line = deepest_line(bone, _aim(pose), STRETCH, _ROUNDS)
    # At the height of the isthmus as it looks: in a tall pedicle the best line may lie far above or below.
    beside = pose.isthmus + ((line.point - pose.isthmus) @ pose.outwards) * pose.outwards
    width, isthmus = _narrowest(bone, beside, line.direction, pose)
    outwards, up = _across(line.direction, pose)
    above, below = exit_distance(bone, isthmus, np.stack([up, -up]), _WALL_MM).clip(max=_WALL_MM)
    if canal_half_mm is None:
        canal_half_mm = _canal(bone, frame, pose, beside, notes)
    isthmus_height, internal_height = canal_side_heights(bone, frame, pose.side, beside, float(above), canal_half_mm)
    angles = screw_angles(pose.forwards, frame, pose.side)
    return PedicleMeasures(
        side=pose.side,
        outer_width_mm=width,
        inner_width_mm=_inner_width(ct, bone, isthmus, line, outwards, notes),
        height_mm=float(above + below),
        isthmus_height_mm=isthmus_height,
        internal_height_mm=internal_height,
        high_riding=high_riding(isthmus_height, internal_height),
        pta_deg=angles.pta,
        psa_deg=angles.psa,
        foramen_mm=_foramen(bone, line, outwards, up, notes),
        corridors={diameter: corridor_of(bone, line, diameter, STRETCH, "pedicle") for diameter in DIAMETERS_MM},
        isthmus=isthmus,
        notes=tuple(notes),
    )


def corridor_of(
    bone: SignedDistance, line: Line, diameter_mm: float, stretch: Stretch, name: str, longest_mm: float = np.inf
) -> Corridor:
    """What a shaft of this diameter finds along ``line``; one that does not pass the line's point has no length."""
    margin = line.depth_mm - 0.5 * diameter_mm
    length = min(length_inside(bone, line, 0.5 * diameter_mm, stretch), longest_mm)
    tip_mm = line.entry_mm + length if length else stretch.ahead_mm
    return Corridor(diameter_mm, length, line.at(line.entry_mm), line.at(tip_mm), max(-margin, 0.0), margin, name)


def _aim(pose: PediclePose) -> Aim:
    return Aim(pose.isthmus, pose.forwards, pose.outwards, pose.upwards)


def _across(direction: Floats, pose: PediclePose) -> tuple[Floats, Floats]:
    """Unit vectors at right angles to ``direction``, outwards and upwards."""
    up = unit(pose.upwards - (pose.upwards @ direction) * direction)
    outwards = pose.outwards - (pose.outwards @ direction) * direction
    return unit(outwards - (outwards @ up) * up), up


def _narrowest(bone: SignedDistance, through: Floats, along: Floats, pose: PediclePose) -> tuple[float, Floats]:
    """Diameter in mm of the largest ball that can be pushed past ``through``, and the middle of where it is stopped.

    A ball that passes has to cross every plane, at best at its deepest point: planes across the direction ``along``,
    across the pedicle's own axis, and turned a little from it are looked at. 0 where there is no bone.
    """
    tilts = [sign * _TILT * across for across in (pose.outwards, pose.upwards) for sign in (-1.0, 1.0)]
    directions = [along, pose.forwards, *(unit(pose.forwards + tilt) for tilt in tilts)]
    stops = [stop for direction in directions for stop in _stops(bone, through, direction, pose)]
    radius, middle = min(stops, key=lambda stop: stop[0])
    return 2.0 * radius, middle


def _stops(bone: SignedDistance, through: Floats, direction: Floats, pose: PediclePose) -> list[tuple[float, Floats]]:
    """Radius of the largest ball, and where its centre is, in the narrower ones of the planes across ``direction``."""
    outwards, up = _across(direction, pose)
    along = np.arange(_SEARCHED_MM[0], _SEARCHED_MM[1] + 0.1, 0.5)
    plane = _square(outwards, up, _HALF_MM, 0.2)
    points = through + along[:, None, None] * direction + plane
    depth = -bone.sample(points)
    deepest = depth.max(axis=1)
    stops = []
    for n in np.flatnonzero(deepest < deepest.min() + _NEARLY_MM):
        ridge = points[n][depth[n] > deepest[n] - _RIDGE_MM]
        radii = ball_depth(bone, ridge)
        radius = ball_depth(bone, ridge[radii.argmax()] + _square(outwards, up, 0.1, 0.05)).max()
        # A tall isthmus is as wide over some height: its middle is meant.
        middle = ridge[radii >= radii.max() - _PLATEAU_MM].mean(axis=0)
        stops.append((max(float(radius), 0.0), middle))
    return stops


def _square(u: Floats, v: Floats, half_mm: float, step_mm: float) -> Floats:
    """Offsets (n, 3) that fill a square along two unit vectors."""
    places = np.arange(-half_mm, half_mm + step_mm / 2, step_mm)
    across, rise = np.meshgrid(places, places, indexing="ij")
    return (across[..., None] * u + rise[..., None] * v).reshape(-1, 3)


def _canal(bone: SignedDistance, frame: VertebralFrame, pose: PediclePose, isthmus: Floats, notes: list[str]) -> float:
    found = canal_half_width(bone, frame, pose.side, isthmus)
    if np.isfinite(found):
        return found
    notes.append("the border of the canal was not found: the heights are taken beside a canal of usual width")
    return _USUAL_HALF_CANAL_MM


def _inner_width(
    ct: Volume | None, bone: SignedDistance, isthmus: Floats, line: Line, outwards: Floats, notes: list[str]
) -> float:
    if ct is None:
        notes.append("the inner width is not given: there is no CT")
        return float("nan")
    width = endosteal_width(ct, bone, isthmus, line.direction, outwards)
    if not np.isfinite(width):
        notes.append("the inner width is not given: the CT does not show both inner cortices")
    return width


def _foramen(bone: SignedDistance, line: Line, outwards: Floats, up: Floats, notes: list[str]) -> float:
    room = foramen_room(bone, line, outwards, up)
    if not np.isfinite(room):
        notes.append("the distance to the transverse foramen is not given: no foramen closed by bone was found")
    return room - 0.5 * DIAMETERS_MM[0]
