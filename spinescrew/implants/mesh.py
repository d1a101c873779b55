"""Surfaces of screws for looking at and for printing; grading works on the shape itself.

A screw's **own frame**: origin where the shaft begins below the head, +z from head to tip, x along the rod that the
tulip takes, millimetres.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.errors import InputError
from spinescrew.geometry.vectors import orthogonal_pair
from spinescrew.implants.screw import Screw, ScrewShape

Floats = NDArray[np.float64]
Triangles = NDArray[np.int64]
Profile = list[tuple[Floats, Floats, Floats]]

_AROUND = 48
_PITCH_MM = 2.8
_CORE_SHARE = 0.68
_RUN_OUT_MM = 2.0
_RINGS_PER_PITCH = 10
_SLOT_SHARE, _BORE_SHARE = 0.45, 0.36
_SLOT_DEPTH_SHARE = 0.72
_DRAFT_MM = 0.1


def screw_mesh(shape: ScrewShape, *, threaded: bool = True) -> tuple[Floats, Triangles]:
    """Closed surface of a screw in its own frame, with a U-shaped tulip.

    Parameters
    ----------
    shape:
        Its sizes. No point of the shaft lies outside the outer diameter or beyond the tip; no point of the tulip
        outside the tulip's cylinder, unless the shaft is the thicker of both.
    threaded:
        With a thread to look at: pitch 2.8 mm, core 0.68 of the outer diameter, as six clinical threads have it
        (pitch 2-4 mm, core 0.56-0.72; Weidling 2022). Without: the smooth outer envelope that grading uses.

    Returns
    -------
    ``(points, triangles)``: (n, 3) mm, and (m, 3) indices, anticlockwise seen from outside; every edge belongs to
    exactly two triangles.

    Raises
    ------
    InputError
        If the tulip has no size.

    Examples
    --------
    >>> points, triangles = screw_mesh(ScrewShape(6.5, 45.0))
    >>> float(points[:, 2].max())
    45.0
    """
    if not (shape.tulip_height_mm > 0 and shape.tulip_diameter_mm > 0):
        raise InputError(
            f"a tulip of {shape.tulip_diameter_mm:g} x {shape.tulip_height_mm:g} mm cannot be drawn; "
            "give it a diameter and a height"
        )
    rings = _tulip(shape) + _shaft(shape, threaded)
    floor_z, tip_z = float(rings[0][2].mean()), shape.length_mm
    points = np.vstack([[[0.0, 0.0, floor_z]], *[np.column_stack(ring) for ring in rings], [[0.0, 0.0, tip_z]]])
    return points, _sewn(len(rings))


def pose_matrix(screw: Screw, rod: Any = (0.0, 0.0, 1.0)) -> Floats:
    """4x4 that takes the screw's own frame to RAS; ``rod`` (3,) is the RAS direction its rod runs in (about cranial).

    The tulip turns freely on most screws, so ``rod`` is for the eye only.
    """
    x, y = orthogonal_pair(screw.direction, rod)
    matrix = np.eye(4)
    matrix[:3] = np.column_stack([x, y, screw.direction, screw.entry])
    return matrix


def posed_mesh(screw: Screw, rod: Any = (0.0, 0.0, 1.0), *, threaded: bool = True) -> tuple[Floats, Triangles]:
    """:func:`screw_mesh` where the screw stands in the patient, points in RAS."""
    points, triangles = screw_mesh(screw.shape, threaded=threaded)
    matrix = pose_matrix(screw, rod)
    return points @ matrix[:3, :3].T + matrix[:3, 3], triangles


def _sewn(rings: int) -> Triangles:
    """Triangles between consecutive rings of ``_AROUND`` points, closed by one point at either end."""
    around = np.arange(_AROUND)
    after = (around + 1) % _AROUND
    first = 1 + np.arange(rings - 1)[:, None] * _AROUND
    a, b, c, d = first + around, first + after, first + _AROUND + around, first + _AROUND + after
    sides = np.concatenate([np.stack([a, b, d], -1).reshape(-1, 3), np.stack([a, d, c], -1).reshape(-1, 3)])
    last = 1 + (rings - 1) * _AROUND
    head = np.column_stack([np.zeros_like(around), 1 + after, 1 + around])
    tip = np.column_stack([np.full_like(around, last + _AROUND), last + around, last + after])
    return np.concatenate([head, sides, tip])


def _circle(radius: Floats | float, angles: Floats, z: Floats | float) -> tuple[Floats, Floats, Floats]:
    return radius * np.cos(angles), radius * np.sin(angles), np.broadcast_to(z, angles.shape).astype(np.float64)


def _tulip(shape: ScrewShape) -> Profile:
    """Rings from the floor of the tulip's bore over its two walls down its outside to the head-shaft junction.

    All rings have their points at matching places: points within the slot keep the same distance from the rod's axis
    on the inner and the outer wall, which makes the slot's sides flat.
    """
    radius, height = shape.tulip_diameter_mm / 2, shape.tulip_height_mm
    bore, half_slot = _BORE_SHARE * 2 * radius, _SLOT_SHARE * radius
    outer, inner, seat = _slotted_angles(radius, bore, half_slot)
    top = -height
    slot_floor = top + _SLOT_DEPTH_SHARE * height
    rounding = min(half_slot, _SLOT_DEPTH_SHARE * height)
    off_axis = np.minimum(np.abs(radius * np.sin(outer)), half_slot)
    rim = np.where(seat, slot_floor - rounding + np.sqrt(half_slot**2 - off_axis**2) * rounding / half_slot, top)
    floor = slot_floor + 0.04 * height
    rings = [_circle(0.5 * bore, inner, floor), _circle(bore, inner, floor)]
    rings += [_circle(bore, inner, rim), _circle(radius, outer, rim)]
    shoulder = -0.2 * height
    for share in np.linspace(0.0, 1.0, 6)[1:]:
        rings.append(_circle(radius, outer, rim + share * (shoulder - rim)))
    even = 2 * np.pi * np.arange(_AROUND) / _AROUND
    for turn in np.linspace(0.0, np.pi / 2, 7)[1:]:
        narrowed = shape.radius_mm + (radius - shape.radius_mm) * np.cos(turn)
        blend = np.sin(turn)
        angles = np.angle((1 - blend) * np.exp(1j * outer) + blend * np.exp(1j * even))
        rings.append(_circle(narrowed, angles, shoulder * (1 - np.sin(turn))))
    return rings


def _slotted_angles(radius: float, bore: float, half_slot: float) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Angles of matching points on the outer wall and in the bore, and which of them lie in the slot (along x)."""
    in_slot = _AROUND // 4 - 3
    in_wall = _AROUND // 2 - in_slot
    across = np.sin(np.linspace(-np.pi / 2, np.pi / 2, in_slot)) * half_slot
    quarter: list[Floats] = []
    for wall in (radius, bore):
        slot = np.arcsin(across / wall)
        edge = np.arcsin((half_slot + _DRAFT_MM) / wall)
        quarter.append(np.concatenate([slot, np.linspace(edge, np.pi - edge, in_wall)]))
    seat = np.tile(np.arange(in_slot + in_wall) < in_slot, 2)
    outer, inner = (np.concatenate([half, half + np.pi]) for half in quarter)
    return outer, inner, seat


def _shaft(shape: ScrewShape, threaded: bool) -> Profile:
    """Rings below the junction to just before the tip's own point."""
    length = shape.length_mm
    even = 2 * np.pi * np.arange(_AROUND) / _AROUND
    if not threaded:
        depths = np.union1d(np.linspace(0, length, 13), length - shape.tip_taper_mm)
        return [_circle(shape.radius_at(np.full(_AROUND, z)), even, z) for z in depths if z > 0]
    count = int(np.ceil(length / _PITCH_MM * _RINGS_PER_PITCH))
    rings: Profile = []
    for z in np.linspace(0, length, count + 1)[1:]:
        envelope = shape.radius_at(np.full(_AROUND, z))
        flank = _thread(z / _PITCH_MM - even / (2 * np.pi))
        fade = min(1.0, z / _RUN_OUT_MM, (length - z) / _RUN_OUT_MM)
        core = np.minimum(envelope, _CORE_SHARE * shape.radius_mm)
        rings.append(_circle(core + (envelope - core) * (1 - fade * (1 - flank)), even, z))
    return rings


def _thread(turns: Floats) -> Floats:
    """Height of the thread, 0 at the core and 1 at the crest, by turns: a trapezoid with a narrow crest."""
    phase = np.abs(turns - np.floor(turns) - 0.5) * 2
    return np.clip((0.42 - phase) / 0.28, 0.0, 1.0)
