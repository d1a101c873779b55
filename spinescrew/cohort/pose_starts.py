"""Which planned screw is which of those found, and where that puts the plan's CT: from the screws alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from spinescrew.implants.screw import Screw

Floats = NDArray[np.float64]

FAR_MM = 30.0
"""A found screw farther than this from a planned one, entry and tip on average, is none of the plan."""

_KEPT = 4
_GAP_MM = 20.0
"""How much a hand and a spine lying differently may change the distance between two screws."""

_NEAR = 1.6
_ROUNDS = 3


@dataclass(frozen=True, eq=False)
class Start:
    """A way to lay the plan on the screws found.

    Attributes
    ----------
    pose:
        (4, 4) RAS of the plan's CT to the frame of the screws found.
    pairs:
        (planned, found) indices, one to one.
    away_mm:
        Root mean square distance of entries and tips of the pairs, what has no partner counted as :data:`FAR_MM`.
    """

    pose: Floats
    pairs: tuple[tuple[int, int], ...]
    away_mm: float


def starts(planned: Sequence[Screw], found: Sequence[Screw]) -> list[Start]:
    """The best ways to lay planned screws on found ones, best first; empty without two of each.

    A spine looks much the same one level further, so that several may be about as good: let the images decide.
    """
    if len(planned) < 2 or len(found) < 2:
        return []
    mine, theirs = (np.array([[screw.entry, screw.tip] for screw in each]) for each in (planned, found))
    ways: dict[tuple[tuple[int, int], ...], Start] = {}
    for first, second in _anchors(theirs):
        gap = np.linalg.norm(theirs[first] - theirs[second], axis=-1)
        for a, b in permutations(range(len(mine)), 2):
            if np.abs(np.linalg.norm(mine[a] - mine[b], axis=-1) - gap).max() > _GAP_MM:
                continue
            way = _settled(mine, theirs, _rigid(mine[[a, b]], theirs[[first, second]]))
            if way is not None and way.pairs not in ways:
                ways[way.pairs] = way
    ranked = sorted(ways.values(), key=lambda way: way.away_mm)
    return [way for way in ranked[:_KEPT] if way.away_mm <= _NEAR * ranked[0].away_mm + 1.0]


def pairs_of(planned: Sequence[Screw], found: Sequence[Screw]) -> tuple[tuple[int, int], ...]:
    """(planned, found) of screws in one frame, the nearest ones one to one, none farther apart than :data:`FAR_MM`."""
    if not planned or not found:
        return ()
    mine, theirs = (np.array([[screw.entry, screw.tip] for screw in each]) for each in (planned, found))
    return _assigned(mine, theirs)


def _anchors(theirs: Floats) -> list[tuple[int, int]]:
    """Every found screw with the one farthest away and the one half as far: one that is none of the plan spoils few."""
    middles = theirs.mean(axis=1)
    away = np.linalg.norm(middles[:, None] - middles[None], axis=-1)
    order = np.argsort(away, axis=1)
    chosen = [(n, int(row[k])) for n, row in enumerate(order) for k in (len(row) - 1, (len(row) + 1) // 2)]
    return list(dict.fromkeys((min(pair), max(pair)) for pair in chosen if pair[0] != pair[1]))


def _settled(mine: Floats, theirs: Floats, pose: Floats) -> Start | None:
    """The nearest screws paired, laid on each other again, until nothing changes."""
    pairs: tuple[tuple[int, int], ...] = ()
    for _ in range(_ROUNDS):
        new = _assigned(_moved(mine, pose), theirs)
        if len(new) < 2:
            return None
        if new == pairs:
            break
        pairs = new
        pose = _rigid(mine[[p for p, _ in pairs]], theirs[[f for _, f in pairs]])
    off = _moved(mine[[p for p, _ in pairs]], pose) - theirs[[f for _, f in pairs]]
    squares = [*(off**2).sum(axis=-1).ravel(), *[FAR_MM**2] * (2 * (min(len(mine), len(theirs)) - len(pairs)))]
    return Start(pose, pairs, float(np.sqrt(np.mean(squares))))


def _assigned(mine: Floats, theirs: Floats) -> tuple[tuple[int, int], ...]:
    away = np.linalg.norm(mine[:, None] - theirs[None], axis=-1).mean(axis=-1)
    rows, columns = linear_sum_assignment(np.minimum(away, FAR_MM))
    return tuple((int(p), int(f)) for p, f in zip(rows, columns, strict=True) if away[p, f] < FAR_MM)


def _moved(points: Floats, pose: Floats) -> Floats:
    return np.asarray(points @ pose[:3, :3].T + pose[:3, 3])


def _rigid(mine: Floats, theirs: Floats) -> Floats:
    """The rigid (4, 4) that brings points (n, 2, 3) nearest to others (Kabsch 1976)."""
    a, b = mine.reshape(-1, 3), theirs.reshape(-1, 3)
    middle_a, middle_b = a.mean(axis=0), b.mean(axis=0)
    u, _, v = np.linalg.svd((a - middle_a).T @ (b - middle_b))
    flip = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ v))])
    turn = (u @ flip @ v).T
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = turn, middle_b - turn @ middle_a
    return pose
