"""Solids as lists of parts: compiled, so that millions of points can be asked.

A part is a row of numbers: its kind, how it is joined (united with a fillet, or cut out), whether it belongs to the
body or the arch, a sphere that holds it, and its sizes. ``kernels.distance_at`` runs through the rows and skips parts
whose sphere is too far away to matter.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.geometry.vectors import unit

Rows = NDArray[np.float64]

_COLUMNS = 28
_CAPSULE, _SLAB, _TUBE, _ELLIPSOID, _BODY, _CHANNEL = range(6)

FIRST_SIZE = 7
"""Column of a row where its sizes begin, after kind, fillet, arch, and centre and radius of the sphere."""

HOLLOWS = slice(6, 8)
"""Where a body's sizes hold the hollows of its endplates."""


def _row(kind: int, fillet: float, arch: bool, centre: Any, radius: float, *values: Any) -> Rows:
    numbers = np.concatenate([np.atleast_1d(np.asarray(value, dtype=float)) for value in values])
    row = np.zeros(_COLUMNS)
    row[:FIRST_SIZE] = [kind, fillet, arch, *np.asarray(centre, dtype=float), radius]
    row[FIRST_SIZE : FIRST_SIZE + len(numbers)] = numbers
    return row


def capsule(
    start: Any,
    end: Any,
    radii: tuple[float, float],
    *,
    fillet: float = 2.5,
    stretch: float = 1.0,
    along: Any = (0, 0, 1),
    cut: bool = False,
) -> Rows:
    """A segment's surroundings, ``radii`` at its ends, ``stretch`` times wider along the unit vector ``along``.

    With ``cut`` it is taken away instead.
    """
    a, b = np.asarray(start, dtype=float), np.asarray(end, dtype=float)
    reach = 0.5 * float(np.linalg.norm(b - a)) + max(radii) * max(stretch, 1.0)
    sign = -1.0 if cut else 1.0
    return _row(_CAPSULE, sign * fillet, True, (a + b) / 2, reach, a, b, radii, unit(along), stretch)


def slab(centre: Any, first: Any, second: Any, half: Any, radius: float, *, fillet: float = 2.5) -> Rows:
    """A box with rounded edges; ``half`` sizes along ``first``, ``second`` and their cross product."""
    u = unit(first)
    v = np.asarray(second, dtype=float)
    v = unit(v - (v @ u) * u)
    return _row(_SLAB, fillet, True, centre, float(np.linalg.norm(half)), centre, u, v, half, radius)


def tube(
    centre: Any, axis: Any, across: Any, half: tuple[float, float], reach: tuple[float, float], flare: float
) -> Rows:
    """A pedicle: an elliptic section ``half`` (across, up) at ``centre`` that widens by ``flare`` at 8 mm."""
    size = max(half) * (1 + 1.6 * flare) + max(abs(reach[0]), reach[1])
    return _row(_TUBE, 2.5, True, centre, size, centre, unit(axis), unit(across), half, reach, flare)


def ellipsoid(centre: Any, radii: Any, *, fillet: float = 2.5, cut: bool = False) -> Rows:
    """An ellipsoid with axes along the frame."""
    return _row(_ELLIPSOID, -fillet if cut else fillet, True, centre, float(np.max(radii)), centre, radii)


def body(
    width: tuple[float, float],
    depth: float,
    height: float,
    *,
    exponent: float,
    waist: float,
    hollow: tuple[float, float],
    loss: tuple[float, float] = (0.0, 0.0),
    lip: float = 0.0,
    lip_phase: tuple[float, float] = (0.0, 0.0),
    posterior: float = 1.5,
) -> Rows:
    """A vertebral body around the origin.

    Parameters
    ----------
    width:
        At the upper and at the lower endplate.
    hollow:
        How deep the upper and the lower endplate are hollow, mm.
    loss:
        Height lost in front and in the middle (a fracture), mm, off the upper endplate.
    lip:
        How far osteophytes stand out of the rims, mm; ``lip_phase`` says where around.
    """
    radius = float(np.linalg.norm([max(width) / 2 + 2 * lip, depth / 2 + 2 * lip, height / 2 + lip]))
    values = (width, depth, height, exponent, waist, hollow, loss, lip, lip_phase, posterior)
    return _row(_BODY, 2.5, False, (0, 0, 0), radius, *values)


def channel(centre: tuple[float, float], half: tuple[float, float], narrowing: float) -> Rows:
    """The canal, cut out: endless along superior; its half width falls by ``narrowing`` of itself towards the back."""
    return _row(_CHANNEL, -0.8, True, (0, 0, 0), 1e4, centre, half, narrowing)
