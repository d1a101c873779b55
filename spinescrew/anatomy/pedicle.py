"""Pedicles: axis, isthmus, sizes and the junction with the body."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from spinescrew.anatomy.body import Body
from spinescrew.anatomy.frame import Side, direction_from_angles, screw_angles, side_sign
from spinescrew.anatomy.morphometry import USUAL_BAND_DEG, UsualPedicle
from spinescrew.anatomy.vertebra import Pedicle
from spinescrew.errors import GeometryError
from spinescrew.geometry.rays import exit_distance, section_radii
from spinescrew.geometry.sdf import SignedDistance
from spinescrew.geometry.vectors import orthogonal_pair, unit

Floats = NDArray[np.float64]

ASSUMED_WALLS_MM = (1.4, 2.9)
"""Medial plus lateral and superior plus inferior pedicle wall (L3 histology, science.md 2.8)."""

_ANGLES = np.arange(72) * (2 * np.pi / 72)
_OPENS_AT = 1.8
"""A section this many times the smallest one belongs to the body or to the articular mass, not to the pedicle."""


@dataclass(frozen=True, eq=False)
class Section:
    """Cross-section of a pedicle: centroid, area and the wall's radii (72,) from the centroid in the plane (u, v)."""

    centre: Floats
    u: Floats
    v: Floats
    radii: Floats
    area: float

    @property
    def diameters(self) -> Floats:
        """(36,) chords through the centroid, by angle from ``u``."""
        return self.radii[:36] + self.radii[36:]


def cross_section(bone: SignedDistance, point: Floats, axis: Floats, hint: Floats, cap_mm: float) -> Section | None:
    """The section of bone around ``point`` at right angles to ``axis``, or ``None`` where the point is not in bone."""
    u, v = orthogonal_pair(axis, hint)
    centre = point
    radii = section_radii(bone, centre, u, v, _ANGLES, cap_mm)
    for _ in range(2):
        if radii.max() <= 0:
            return None
        x, y = radii * np.cos(_ANGLES), radii * np.sin(_ANGLES)
        cross = x * np.roll(y, -1) - np.roll(x, -1) * y
        area = cross.sum() / 2
        shift_u = ((x + np.roll(x, -1)) * cross).sum() / (6 * area)
        shift_v = ((y + np.roll(y, -1)) * cross).sum() / (6 * area)
        moved = section_radii(bone, centre + shift_u * u + shift_v * v, u, v, _ANGLES, cap_mm)
        if moved.max() <= 0:
            break
        centre, radii = centre + shift_u * u + shift_v * v, moved
    area = float((radii * np.roll(radii, -1) * np.sin(_ANGLES[1])).sum() / 2)
    return Section(centre, u, v, radii, area)


def find_pedicle(bone: SignedDistance, body: Body, side: Side, usual: UsualPedicle) -> Pedicle:
    """The pedicle of one side of a T1-L6 vertebra.

    The isthmus is the smallest section at right angles to the axis; the axis is the line through the centroids of the
    sections on both sides of it, found in turn until both agree.

    Raises
    ------
    GeometryError
        If no closed section can be found, with the reason.
    """
    point, axis = _start(bone, body, side, usual)
    for _ in range(8):
        sections = _tube(bone, point, axis, body.frame.right, _cap(usual))
        point, new_axis = _fit_line(sections, axis, body)
        turned = float(np.linalg.norm(new_axis - axis))
        axis = new_axis
        if turned < 0.005:
            break
    return measure_pedicle(bone, body, side, point, axis, _cap(usual))


def find_sacral_pedicle(bone: SignedDistance, body: Body, side: Side, usual: UsualPedicle) -> Pedicle:
    """The S1 pedicle: open towards the ala, so it has no closed section and is found as the deepest corridor.

    Lines through the posterior wall of the body, lateral to the canal, are compared by the bone around them from 8 mm
    behind that wall to 12 mm before it; the usual angle decides where the bone does not.

    Raises
    ------
    GeometryError
        If no line stays in bone.
    """
    frame, sign = body.frame, side_sign(side)
    along = np.arange(-8.0, 13.0, 1.0)

    def line(x: Floats) -> tuple[Floats, Floats]:
        point = frame.to_ras([sign * x[0], -body.half_depth_mm, x[1]])
        return point, direction_from_angles(float(x[2]), float(x[3]), frame, side)

    def cost(x: Floats) -> float:
        point, axis = line(x)
        depth = np.clip(-bone.sample(point + along[:, None] * axis), -2.0, 9.0)
        unusual = ((x[2] - usual.pta_deg) / USUAL_BAND_DEG) ** 2 + (x[3] / 5.0) ** 2
        return float(-depth.mean() - depth.min() + 3.0 * unusual)

    starts = [np.array([r, s, usual.pta_deg - 6.0, 4.0]) for r in (18.0, 22.0, 26.0) for s in (0.0, 4.0, 8.0)]
    best = min(starts, key=cost)
    simplex = best + np.vstack([np.zeros(4), np.diag([3.0, 3.0, 5.0, 5.0])])
    found = minimize(cost, best, method="Nelder-Mead", options={"initial_simplex": simplex, "maxfev": 400}).x
    point, axis = line(found)
    if float(bone.sample(point + along[:, None] * axis).max()) > 0:
        raise GeometryError(f"no corridor of bone leads into the S1 body on the {side} side")
    return measure_pedicle(bone, body, side, point, axis, usual.width_mm / 2)


def _start(bone: SignedDistance, body: Body, side: Side, usual: UsualPedicle) -> tuple[Floats, Floats]:
    """A point in the pedicle and a first axis: the narrowest section met along the usual direction.

    Planes across that direction are searched from behind the posterior wall of the body to beside it; in each the
    deepest bone lateral to the canal is taken.
    """
    frame, sign = body.frame, side_sign(side)
    axis = direction_from_angles(usual.pta_deg, 0.0, frame, side)
    r = np.arange(0.40, 1.05, 0.04) * body.half_width_mm * sign
    s = np.arange(-0.4 * body.half_height_mm, body.half_height_mm + 3.0, 1.0)
    best: tuple[float, Floats] | None = None
    for a in np.arange(-8.0, 5.0, 1.0) - body.half_depth_mm:
        grid = np.array([(x, a, z) for x in r for z in s])
        points = frame.to_ras(grid)
        depth = -bone.sample(points)
        at = int((depth - 0.03 * np.abs(grid[:, 2] - 0.4 * body.half_height_mm)).argmax())
        if depth[at] < 1.0:
            continue
        section = cross_section(bone, points[at], axis, frame.right, _cap(usual))
        if section is not None and (best is None or section.area < best[0]):
            best = section.area, section.centre
    if best is None:
        raise GeometryError(f"no bone where the {side} pedicle should be, behind the body and lateral to the canal")
    return best[1], axis


def _cap(usual: UsualPedicle) -> float:
    """Radius beyond which a section is no longer followed: there it runs into a process or the body."""
    return 0.75 * max(usual.height_mm, usual.width_mm)


def _tube(
    bone: SignedDistance, point: Floats, axis: Floats, hint: Floats, cap_mm: float
) -> list[tuple[float, Section]]:
    """Sections every millimetre along the axis, each found from the one before."""
    found: dict[float, Section] = {}
    for step in (1.0, -1.0):
        at = point
        for n in range(0 if step > 0 else 1, 8):
            target = point + n * step * axis
            at = at + ((target - at) @ axis) * axis
            section = cross_section(bone, at, axis, hint, cap_mm)
            if section is None:
                break
            found[n * step] = section
            at = section.centre
            if section.area > 3.5 * min(s.area for s in found.values()):
                break
    if not found:
        raise GeometryError("the pedicle axis leaves the bone")
    return sorted(found.items())


def _fit_line(sections: list[tuple[float, Section]], axis: Floats, body: Body) -> tuple[Floats, Floats]:
    """Isthmus centre, and the line through the centroids of the narrow sections around it."""
    areas = np.array([section.area for _, section in sections])
    smooth = areas.copy()
    if len(areas) >= 3:
        smooth[1:-1] = (areas[:-2] + areas[1:-1] + areas[2:]) / 3
    narrow = int(smooth.argmin())
    keep = [narrow]
    for step in (-1, 1):
        n = narrow + step
        while 0 <= n < len(areas) and areas[n] < _OPENS_AT * areas[narrow] and abs(n - narrow) <= 5:
            keep.append(n)
            n += step
    centres = np.array([sections[n][1].centre for n in keep])
    if len(keep) < 3:
        return sections[narrow][1].centre, axis
    weights = areas[narrow] / areas[keep]
    middle = np.average(centres, axis=0, weights=weights)
    _, _, rows = np.linalg.svd((centres - middle) * np.sqrt(weights)[:, None])
    line = rows[0] * (1.0 if rows[0] @ body.frame.anterior > 0 else -1.0)
    mixed = unit(0.5 * axis + 0.5 * line)
    isthmus = sections[narrow][1].centre
    return middle + ((isthmus - middle) @ line) * line, mixed


def measure_pedicle(
    bone: SignedDistance, body: Body, side: Side, point: Floats, axis: Floats, cap_mm: float
) -> Pedicle:
    """Sizes of the pedicle whose isthmus is at ``point`` with this ``axis``; raises :class:`GeometryError`."""
    frame = body.frame
    section = cross_section(bone, point, axis, frame.right, cap_mm)
    if section is None:
        raise GeometryError(f"the {side} pedicle has no closed section")
    diameters = section.diameters
    # The width is transverse: at L5 and S1 the smallest chord of all is the height.
    transverse = np.r_[0:7, 30:36]
    at = int(transverse[diameters[transverse].argmin()])
    angle = _ANGLES[at]
    medial = np.cos(angle) * section.u + np.sin(angle) * section.v
    if medial @ frame.right * side_sign(side) > 0:
        medial = -medial
    width, height = float(diameters[at]), float(diameters[(at + 18) % 36])
    dorsal = float(exit_distance(bone, point, -axis, 45.0)[0])
    ventral = float(exit_distance(bone, point, axis, 70.0, bridge_mm=3.0)[0])
    if not np.isfinite([dorsal, ventral]).all():
        raise GeometryError(f"the {side} pedicle axis does not leave the bone within the image")
    angles = screw_angles(axis, frame, side)
    return Pedicle(
        side=side,
        isthmus=point,
        axis=axis,
        medial=medial,
        width_mm=width,
        height_mm=height,
        inner_width_mm=max(width - ASSUMED_WALLS_MM[0], 0.0),
        inner_height_mm=max(height - ASSUMED_WALLS_MM[1], 0.0),
        inner_source="assumed walls",
        junction_mm=_junction(bone, point, axis, section, frame.right, cap_mm),
        dorsal_mm=-dorsal,
        chord_mm=dorsal + ventral,
        pta_deg=angles.pta,
        psa_deg=angles.psa,
    )


def _junction(
    bone: SignedDistance, point: Floats, axis: Floats, isthmus: Section, hint: Floats, cap_mm: float
) -> float:
    """Where, going forward, the section opens into the body."""
    for distance in np.arange(1.0, 14.0, 0.5):
        section = cross_section(bone, point + distance * axis, axis, hint, cap_mm)
        if section is None or section.area > _OPENS_AT * isthmus.area:
            return float(distance)
    return 14.0
