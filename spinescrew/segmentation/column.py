"""Which of the pieces that look like vertebrae form the spine: the heaviest chain, from the head down.

Heads of femurs, calcified vessels or a table's edge may look like vertebrae; they do not stand in a row with the
others, a vertebra's length apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_NEAREST_MM, _NEIGHBOUR_MM, _FARTHEST_MM, _SACRUM_MM = 14.0, 55.0, 90.0, 40.0
_STEEPEST = np.cos(np.radians(55.0))
_LEAN_COST, _GAP_COST = 0.6, 0.8
"""What a link at 45 degrees to the body's axis, and one over a vertebra that was missed, cost: shares of the weight of
a typical piece."""


@dataclass(frozen=True, eq=False)
class Piece:
    """Something like a vertebra.

    Attributes
    ----------
    centroid:
        (3,) RAS mm.
    weight:
        How much it counts: its size times how sure the network is of it, in any unit.
    sacral:
        Whether it is a sacrum: then nothing follows below.
    """

    centroid: Floats
    weight: float
    sacral: bool = False


def column(pieces: Sequence[Piece]) -> list[int]:
    """Numbers of the pieces of the best chain, from the head down; links run downwards and skip one piece at most."""
    if not pieces:
        return []
    order = sorted(range(len(pieces)), key=lambda n: -pieces[n].centroid[2])
    typical = float(np.median([piece.weight for piece in pieces]))
    best = {n: pieces[n].weight for n in order}
    above: dict[int, int] = {}
    for place, n in enumerate(order):
        for m in order[:place]:
            cost = _link(pieces[m], pieces[n])
            if cost is not None and best[m] + pieces[n].weight - cost * typical > best[n]:
                best[n], above[n] = best[m] + pieces[n].weight - cost * typical, m
    chain = [max(order, key=lambda n: best[n])]
    while chain[-1] in above:
        chain.append(above[chain[-1]])
    return chain[::-1]


def _link(upper: Piece, lower: Piece) -> float | None:
    """Cost of two neighbours in the chain; ``None`` where they cannot be."""
    way = upper.centroid - lower.centroid
    length = float(np.linalg.norm(way))
    # the centroid of a sacrum lies far below its upper end
    more = _SACRUM_MM if lower.sacral else 0.0
    if upper.sacral or not _NEAREST_MM <= length <= _FARTHEST_MM + more or way[2] < _STEEPEST * length:
        return None
    lean = _LEAN_COST * float((way[0] ** 2 + way[1] ** 2) / max(way[2] ** 2, 1e-6))
    return lean + (_GAP_COST if length > _NEIGHBOUR_MM + more else 0.0)
