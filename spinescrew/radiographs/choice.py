"""The cheapest choice of things that want the same: a small integer programme."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

Floats = NDArray[np.float64]
Numbers = NDArray[np.intp]

_SECONDS = 5.0
_GAP = 1e-3


class Wanted(NamedTuple):
    """Something that ``by`` (numbers of things) want; one has it, and a second one for ``price``."""

    by: Numbers
    price: float


def cheapest(costs: Floats, wanted: Sequence[Wanted], conflicts: Numbers) -> tuple[float, Numbers]:
    """What to choose, and the sum of its costs and prices; 0 and nothing where nothing is worth it.

    Parameters
    ----------
    costs:
        (n,) of each thing; negative where it is worth having.
    wanted:
        What several of them want.
    conflicts:
        (m, 2) numbers of things that exclude each other.
    """
    count, shared = len(costs), len(wanted)
    if not count:
        return 0.0, np.zeros(0, np.intp)
    conflicts = np.asarray(conflicts, dtype=np.intp).reshape(-1, 2)
    rows = [np.full(len(each.by), n) for n, each in enumerate(wanted)]
    columns = [each.by for each in wanted]
    values = [np.ones(len(each.by)) for each in wanted]
    # the second user of a wanted thing is let in by a variable of its own, which has the price
    rows.append(np.arange(shared))
    columns.append(count + np.arange(shared))
    values.append(-np.ones(shared))
    rows.append(np.repeat(shared + np.arange(len(conflicts)), 2))
    columns.append(conflicts.ravel())
    values.append(np.ones(conflicts.size))
    height = shared + len(conflicts)
    constraints = []
    if height:
        place = np.concatenate(rows), np.concatenate(columns)
        matrix = coo_array((np.concatenate(values), place), shape=(height, count + shared)).tocsc()
        constraints.append(LinearConstraint(matrix, -np.inf, np.ones(height)))
    found = milp(
        np.concatenate([costs, [each.price for each in wanted]]),
        integrality=np.ones(count + shared),
        bounds=Bounds(0, 1),
        constraints=constraints,
        options={"time_limit": _SECONDS, "mip_rel_gap": _GAP},
    )
    if found.x is None:
        return 0.0, np.zeros(0, np.intp)
    return float(found.fun), np.flatnonzero(found.x[:count] > 0.5)
