"""Sizes that are known of the screws, given to those that they fit, and what misfits say of the pixel spacing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from spinescrew.errors import InputError

Floats = NDArray[np.float64]

_SPREAD_MM = (0.4, 1.2)
_MISFIT_MM = 6.0
_SCALES = np.exp(np.linspace(np.log(0.45), np.log(2.2), 160))
_CLEARLY_OFF = 0.07
_DIAMETER_MM, _LENGTH_MM = (3.2, 10.5), (14.0, 100.0)
_TERM_CAP = 25.0


def checked_sizes(sizes: Sequence[tuple[float, float]] | None) -> list[tuple[float, float]]:
    """The sizes as numbers.

    Raises
    ------
    InputError
        If one is no positive (diameter, length).
    """
    found = []
    for size in sizes or ():
        if len(size) != 2 or not all(np.isfinite(value) and value > 0 for value in size):
            raise InputError(f"a screw's size is (diameter, length) in mm, got {size!r}; give both, or no sizes")
        if not size[0] < size[1]:
            raise InputError(f"a screw of {size[0]:g} x {size[1]:g} mm is thicker than long; give (diameter, length)")
        found.append((float(size[0]), float(size[1])))
    return found


def assigned_sizes(sizes: Sequence[tuple[float, float]], measured: Floats) -> list[tuple[float, float] | None]:
    """The size of each screw out of ``sizes``, by what was ``measured`` (n, 2): diameter and length in mm.

    As many sizes as screws or more: each is given once at most. Fewer: each holds for as many as it fits. ``None``
    where none fits within 6 mm of length.
    """
    if not sizes:
        return [None] * len(measured)
    known = np.array(sizes, dtype=np.float64)
    wider, chosen = 0.0, np.zeros(len(measured), dtype=int)
    for _ in range(3):
        # maps draw all screws a little too thin or too thick
        chosen = _chosen(_misfit(known, measured - [wider, 0.0]))
        wider = float(np.median(measured[:, 0] - known[chosen, 0]))
    fits = np.abs(measured[:, 1] - known[chosen, 1]) <= _MISFIT_MM
    return [(float(known[k, 0]), float(known[k, 1])) if fit else None for k, fit in zip(chosen, fits, strict=True)]


def spacing_doubt(sizes: Sequence[tuple[float, float]], measured: Floats) -> str:
    """One line if all screws come out too large or too small by one factor; empty where they do not."""
    if not len(measured):
        return ""
    diameter, length = np.median(measured, axis=0)
    if sizes:
        known = np.array(sizes, dtype=np.float64)

        def misfit(scale: float) -> float:
            cost = _misfit(known, measured / scale)
            return float(cost[np.arange(len(cost)), _chosen(cost)].mean())

        best = float(min(_SCALES, key=misfit))
        if abs(np.log(best)) > _CLEARLY_OFF and misfit(best) < 0.5 * misfit(1.0) and misfit(1.0) > 4.0:
            return (
                f"the screws come out {best:.2f} times as large as their given sizes: check the pixel spacing (it must "
                "be given at the detector) and the distances of the source; the given sizes were not used"
            )
        return ""
    if _DIAMETER_MM[0] <= diameter <= _DIAMETER_MM[1] and _LENGTH_MM[0] <= length <= _LENGTH_MM[1]:
        return ""
    return (
        f"the screws come out {diameter:.1f} mm thick and {length:.0f} mm long, as no pedicle screws are: check the "
        "pixel spacing (it must be given at the detector) and the distances of the source"
    )


def _misfit(known: Floats, measured: Floats) -> Floats:
    """(screws, sizes) squared deviations."""
    off = (measured[:, None] - known[None]) / _SPREAD_MM
    return np.asarray(np.minimum(off**2, _TERM_CAP).sum(axis=-1) + 1e-3 * (off**2).sum(axis=-1))


def _chosen(cost: Floats) -> NDArray[np.int64]:
    screws, sizes = cost.shape
    if sizes >= screws > 0:
        return np.asarray(linear_sum_assignment(cost)[1])
    return np.asarray(cost.argmin(axis=1))
