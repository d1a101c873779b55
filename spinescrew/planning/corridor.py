"""Straight lines through a pedicle, compared by the bone around them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spinescrew.anatomy.vertebra import FacetJoint, Pedicle
from spinescrew.geometry.sampling import trilinear_at
from spinescrew.geometry.sdf import SignedDistance

Floats = NDArray[np.float64]

_STEP_MM = 0.5
_RING = 24
_BRIDGE_MM = 3.0


@dataclass(frozen=True, eq=False)
class Corridors:
    """Candidate lines and what was found along them; every array has one row per line.

    Attributes
    ----------
    through, direction:
        (n, 3) RAS: a point in the isthmus plane and the unit direction from posterior to anterior.
    before_mm, beyond_mm:
        Signed distances from ``through`` to the dorsal entry (negative) and to the anterior or lateral exit.
    neck_mm:
        Least distance from the line to the cortex around the isthmus and up to the body: the radius and the bone left
        around it.
    length_mm:
        The longest catalogue length within the permitted depth; 0 where none fits.
    outside_mm:
        How far the shaft's surface leaves bone from 3 mm past the entry to the tip (negative: bone left everywhere).
    facet_mm:
        Room between the shaft and the facet joint with the vertebra above; infinity without a joint.
    """

    through: Floats
    direction: Floats
    before_mm: Floats
    beyond_mm: Floats
    neck_mm: Floats
    length_mm: Floats
    outside_mm: Floats
    facet_mm: Floats

    @property
    def entry(self) -> Floats:
        """(n, 3) RAS entry points on the dorsal cortex."""
        return self.through + self.before_mm[:, None] * self.direction

    @property
    def channel_mm(self) -> Floats:
        """(n,) length of the bone-screw channel."""
        return self.beyond_mm - self.before_mm

    @property
    def depth_percent(self) -> Floats:
        """(n,) length of the screw as a share of the channel."""
        return 100.0 * self.length_mm / np.maximum(self.channel_mm, 1e-9)


def explore(
    bone: SignedDistance,
    pedicle: Pedicle,
    joint: FacetJoint | None,
    through: Floats,
    direction: Floats,
    radius_mm: float,
    lengths_mm: tuple[float, ...],
    depth_share: float,
    entry_exclusion_mm: float,
) -> Corridors:
    """Follow each candidate line through the vertebra for a screw of this radius."""
    n = len(through)
    out = np.empty((n, 5))
    lines = np.ascontiguousarray(np.concatenate([through, direction], axis=1))
    angles = np.arange(_RING) * (2 * np.pi / _RING)
    neck = np.array([-4.0, max(pedicle.junction_mm, 3.0)])
    _follow(
        bone.volume.array,
        bone.inverse,
        lines,
        pedicle.isthmus,
        pedicle.axis,
        neck,
        np.array(sorted(lengths_mm)),
        depth_share,
        radius_mm,
        entry_exclusion_mm,
        np.cos(angles),
        np.sin(angles),
        out,
    )
    facet = np.full(n, np.inf)
    if joint is not None:
        _facet_room(joint.points, lines, out, radius_mm, facet)
    return Corridors(through, direction, out[:, 0], out[:, 1], out[:, 2], out[:, 3], out[:, 4], facet)


@njit(cache=True)
def _at(array, inverse, a, b, c):  # type: ignore[no-untyped-def]
    x = inverse[0, 0] * a + inverse[0, 1] * b + inverse[0, 2] * c + inverse[0, 3]
    y = inverse[1, 0] * a + inverse[1, 1] * b + inverse[1, 2] * c + inverse[1, 3]
    z = inverse[2, 0] * a + inverse[2, 1] * b + inverse[2, 2] * c + inverse[2, 3]
    return trilinear_at(array, x, y, z)


@njit(cache=True)
def _leave(array, inverse, line, step, reach, bridge):  # type: ignore[no-untyped-def]
    """Signed distance at which the line leaves bone, going on from its through point in steps of ``step``."""
    last, value, previous, gap = 0.0, 0.0, 0.0, 0.0
    t = 0.0
    crossing = 0.0
    while abs(t) < reach:
        value = _at(array, inverse, line[0] + t * line[3], line[1] + t * line[4], line[2] + t * line[5])
        if value <= 0.0:
            last, gap = t, 0.0
        else:
            if gap == 0.0:
                crossing = t - step + step * previous / (previous - value) if t != 0.0 else 0.0
            gap += abs(step)
            if gap > bridge:
                return crossing
        previous = value
        t += step
    return last


@njit(cache=True)
def _follow(array, inverse, lines, isthmus, axis, neck, lengths, share, radius, skip, cosines, sines, out):  # type: ignore[no-untyped-def]
    for n in range(lines.shape[0]):
        line = lines[n]
        back = _leave(array, inverse, line, -_STEP_MM, 45.0, 0.0)
        ahead = _leave(array, inverse, line, _STEP_MM, 80.0, _BRIDGE_MM)
        channel = ahead - back
        length = 0.0
        for candidate in lengths:
            if candidate <= share * channel + 1e-6:
                length = candidate
        slope = line[3] * axis[0] + line[4] * axis[1] + line[5] * axis[2]
        offset = (line[0] - isthmus[0]) * axis[0] + (line[1] - isthmus[1]) * axis[1] + (line[2] - isthmus[2]) * axis[2]
        neck_from, neck_to = (neck[0] - offset) / slope, (neck[1] - offset) / slope
        # The ring around the shaft, from past the entry to the tip.
        u0, u1, u2 = line[4], -line[3], 0.0
        if abs(line[5]) > 0.9:
            u0, u1, u2 = 0.0, line[5], -line[4]
        size = np.sqrt(u0 * u0 + u1 * u1 + u2 * u2)
        u0, u1, u2 = u0 / size, u1 / size, u2 / size
        v0 = line[4] * u2 - line[5] * u1
        v1 = line[5] * u0 - line[3] * u2
        v2 = line[3] * u1 - line[4] * u0
        worst, tightest = -1e6, -1e6
        for m in range(cosines.shape[0]):
            # A thread line that has not met bone yet belongs to the opening of the entry, but not for ever.
            entered, waiting = False, -1e6
            t = back
            while t <= back + length:
                into_tip = (t - (back + length - 5.0)) / 5.0
                r = radius if into_tip <= 0.0 else radius + (0.5 - radius) * into_tip
                x = line[0] + t * line[3] + r * (cosines[m] * u0 + sines[m] * v0)
                y = line[1] + t * line[4] + r * (cosines[m] * u1 + sines[m] * v1)
                z = line[2] + t * line[5] + r * (cosines[m] * u2 + sines[m] * v2)
                value = _at(array, inverse, x, y, z)
                entered = entered or value <= 0.0
                if neck_from <= t <= neck_to:
                    tightest = max(tightest, value)
                if t >= back + skip:
                    if entered or t > back + skip + radius:
                        worst = max(worst, value, -1e6 if entered else waiting)
                    else:
                        waiting = max(waiting, value)
                t += 2.0 * _STEP_MM
        out[n, 0], out[n, 1], out[n, 2], out[n, 3], out[n, 4] = back, ahead, radius - tightest, length, worst


@njit(cache=True)
def _facet_room(points, lines, found, radius, room):  # type: ignore[no-untyped-def]
    for n in range(lines.shape[0]):
        least = 1e6
        for m in range(points.shape[0]):
            x = points[m, 0] - lines[n, 0]
            y = points[m, 1] - lines[n, 1]
            z = points[m, 2] - lines[n, 2]
            along = x * lines[n, 3] + y * lines[n, 4] + z * lines[n, 5]
            sideways = np.sqrt(max(x * x + y * y + z * z - along * along, 0.0)) - radius
            behind = found[n, 0] - along
            if behind > 0.0:
                gap = np.sqrt(behind * behind + max(sideways, 0.0) ** 2)
            else:
                gap = sideways
            least = min(least, gap)
        room[n] = least
