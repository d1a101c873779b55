"""Screw heads in a line that a rod can follow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spinescrew.planning.search import Choices

Floats = NDArray[np.float64]

_FREE_MM = 3.0
"""Polyaxial heads and bending take up this much: nothing is moved for less."""

_LARGEST_COST = 0.4
"""A screw is not taken that far (in cost units, about 1 mm or 3 degrees squared) from its best for the rod's sake."""


def align_heads(choices: list[Choices]) -> list[int]:
    """Row of each choice to take so that the entries of one side lie near a smooth curve.

    The curve is a quadratic (a line for three screws) through the other heads; each screw in turn takes the
    cheapest of its rows, where cost is its own plus the square of what its head lies off the curve beyond 3 mm.
    ``choices`` are those of one side, from the head down; with fewer than three every screw keeps its best row.
    """
    taken = [0] * len(choices)
    if len(choices) < 3:
        return taken
    for _ in range(3):
        before = list(taken)
        for n, choice in enumerate(choices):
            heads = np.array([c.corridors.entry[taken[m]] for m, c in enumerate(choices)])
            off = _off_curve(heads, n, choice.corridors.entry)
            cost = choice.cost + 0.05 * np.clip(off - _FREE_MM, 0, None) ** 2
            cost = np.where(choice.cost > choice.cost[0] + _LARGEST_COST, np.inf, cost)
            taken[n] = int(cost.argmin())
        if taken == before:
            break
    return taken


def _off_curve(heads: Floats, left_out: int, candidates: Floats) -> Floats:
    """Distance (n,) of candidate heads to the curve through all heads but one, measured at their height."""
    others = np.delete(heads, left_out, axis=0)
    along = others[-1] - others[0]
    length = float(np.linalg.norm(along))
    along = along / length
    t = (others - others[0]) @ along / length
    degree = min(2, len(others) - 1)
    curve = np.polynomial.polynomial.polyfit(t, others, degree)
    at = (candidates - others[0]) @ along / length
    nearest = np.polynomial.polynomial.polyval(at, curve).T
    return np.linalg.norm(candidates - nearest, axis=1)


def rod_deviation_mm(heads: Floats) -> float:
    """Largest distance of a head (n, 3) from the smooth curve through the others; 0 for fewer than three."""
    if len(heads) < 3:
        return 0.0
    return float(max(_off_curve(heads, n, heads[n : n + 1])[0] for n in range(len(heads))))
