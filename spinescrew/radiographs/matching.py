"""Which screw of one view is which of the other: by epipolar geometry, sizes, and a calibration that may be off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from spinescrew.radiographs.match_table import LOOSE_PX, SHIFT_MM, TURN_RAD, MatchTable, match_table
from spinescrew.radiographs.seen import SeenScrew
from spinescrew.radiographs.view import View

Floats = NDArray[np.float64]

ALONE = 12.5
"""Cost of a screw that is left unmatched; a pair may cost twice that."""

SHARING = 4.0
"""Extra cost of a detection that serves two screws of the other view."""

DOUBT = 6.0
"""A second assignment that costs less than this more is almost as good: twenty to one."""

_RIVAL = 20.0
"""A second assignment that costs at most this more deserves to be tried against the maps themselves."""

_SAME_MM = 1.5
"""Assignments whose screws differ by less than this at both ends are no choice."""

_COARSE_MM = 1.2
_FINE_MM = (0.15, 0.8)
_FURTHEST_MM = 10.0
_STEP_MM = 0.75
_ROUNDS = 6


@dataclass(frozen=True)
class Pair:
    """Screw ``first`` of view 1 and ``second`` of view 2 (indices of what was seen) are one.

    Attributes
    ----------
    cost:
        Sum of squared deviations, each over its standard deviation; 2 to 6 is usual.
    gap_mm:
        Distance between the rays of the necks and between those of the tips, a common error of calibration taken off.
    length_mm, diameter_mm:
        As triangulated, and from the widths seen (NaN where both are hidden).
    shared:
        Whether another pair uses one of the two detections as well: one screw hides the other there.
    """

    first: int
    second: int
    cost: float
    gap_mm: tuple[float, float]
    length_mm: float
    diameter_mm: float
    shared: bool = False


class Rival(NamedTuple):
    """Another assignment: these pairs (first, second) instead of those, and how much more it costs."""

    instead_of: tuple[tuple[int, int], ...]
    pairs: tuple[tuple[int, int], ...]
    more: float


@dataclass(frozen=True)
class Match:
    """Who is who.

    Attributes
    ----------
    pairs:
        By ``first``.
    unmatched:
        Indices that are in no pair, of each view.
    rivals:
        Assignments one exchange away that cost little more.
    cost:
        Of everything, unmatched ones and the common error of calibration included.
    offset:
        (6,) that error: a shift in mm and a turn in radians of view 2, as far as gaps show it.
    """

    pairs: tuple[Pair, ...]
    unmatched: tuple[tuple[int, ...], tuple[int, ...]]
    rivals: tuple[Rival, ...]
    cost: float
    offset: Floats

    @property
    def ambiguous(self) -> tuple[Rival, ...]:
        """The rivals that are almost as good."""
        return tuple(rival for rival in self.rivals if rival.more < DOUBT)


Links = list[tuple[int, int]]


def match(
    views: tuple[View, View],
    seen: tuple[Sequence[SeenScrew], Sequence[SeenScrew]],
    sizes: Sequence[tuple[float, float]] | None = None,
) -> Match:
    """Match the screws of two views.

    Parameters
    ----------
    views:
        As calibrated. An error of about 1 degree and 2 mm moves all epipolar lines alike; it is found together with
        the matches.
    sizes:
        (diameter, length) in mm of the screws, in any order; left out when unknown.

    Notes
    -----
    The assignment is optimal for each offset of the epipolar lines (Hungarian method); offset and assignment are found
    in turns, from several starts. Then pairs are exchanged as long as that makes the whole cheaper.
    """
    table = match_table(views, seen, sizes)
    count = len(seen[0]), len(seen[1])
    if not min(count):
        return Match((), (tuple(range(count[0])), tuple(range(count[1]))), (), ALONE * sum(count), np.zeros(6))
    search = _Search(table, _FINE_MM[1])
    links = search.best_start()
    for _ in range(2):
        search.gap_mm = _spread(table, links)
        links = search.exchanged(search.settled(links))
    links = search.with_shared(links)
    total, offset = search.total(links)
    return _told(search, links, total, offset)


def _spread(table: MatchTable, links: Links) -> float:
    """Standard deviation of the gaps beside the common offset, robustly; wide where few pairs tell."""
    if len(links) < 2:
        return _FINE_MM[1]
    left = np.abs(table.gaps_left(links, table.offset(links, _FINE_MM[0])))
    # crowded peaks say little of the others
    loose = np.array([table.loose[link] for link in links])
    free_ones = left[loose < _FINE_MM[0]]
    rms = 1.48 * float(np.median(free_ones if len(free_ones) > 3 else left))
    free = max(1.0, 2 * len(links) / max(2 * len(links) - 3, 1))
    return float(np.clip(rms * np.sqrt(free), *_FINE_MM))


class _Search:
    """Looks for the cheapest links in a table, with gaps of this standard deviation."""

    def __init__(self, table: MatchTable, gap_mm: float) -> None:
        self.table, self.gap_mm = table, gap_mm

    def costs(self, offset: Floats, gap_mm: float | None = None) -> Floats:
        """(first, second) cost of each pair under an offset."""
        sigma = np.hypot(gap_mm or self.gap_mm, self.table.loose)
        left = self.table.all_gaps_left(offset) / sigma
        return np.asarray((left**2).sum(axis=-1) + self.table.other)

    def assigned(self, cost: Floats) -> Links:
        """The cheapest one-to-one links that cost less than leaving both alone."""
        capped = np.minimum(cost, 2 * ALONE)
        return [(int(i), int(j)) for i, j in zip(*linear_sum_assignment(capped), strict=True) if cost[i, j] < 2 * ALONE]

    def total(self, links: Links) -> tuple[float, Floats]:
        """Cost of links with the offset that suits them best, and that offset."""
        offset = self.table.offset(links, self.gap_mm)
        cost = self.costs(offset)
        alone = sum(n - len({link[k] for link in links}) for k, n in enumerate(cost.shape))
        shared = sum(len(links) - len({link[k] for link in links}) for k in (0, 1))
        prior = (offset[:3] ** 2).sum() / SHIFT_MM**2 + (offset[3:] ** 2).sum() / TURN_RAD**2
        paired = sum(min(float(cost[link]), 4 * ALONE) for link in links)
        return paired + ALONE * alone + SHARING * shared + float(prior), offset

    def best_start(self) -> Links:
        """From every offset that would make some pair fit, coarsely at first."""
        usable = np.isfinite(self.table.other) & (np.abs(self.table.gaps).max(axis=-1) < _FURTHEST_MM + 2)
        middle = self.table.gaps.mean(axis=-1)[usable]
        steps = np.unique(np.rint(np.clip(middle, -_FURTHEST_MM, _FURTHEST_MM) / _STEP_MM))
        best: tuple[float, Links] = (np.inf, [])
        for step in [0.0, *steps]:
            shift = np.append(step * _STEP_MM * self.table.across, np.zeros(3))
            links = self.settled(self.assigned(self.costs(shift, _COARSE_MM)))
            cost, _ = self.total(links)
            if cost < best[0]:
                best = cost, links
        return best[1]

    def settled(self, links: Links) -> Links:
        """Offset and assignment in turns until nothing changes."""
        for _ in range(_ROUNDS):
            before = links
            links = self.assigned(self.costs(self.table.offset(links, self.gap_mm)))
            if links == before:
                break
        return links

    def exchanged(self, links: Links) -> Links:
        """Two pairs exchange partners, or all of one level do at once, while that makes the whole cheaper."""
        cost, _ = self.total(links)
        for _ in range(4 * len(links) + 1):
            trials = [other for other, _ in self.rivals(links)]
            near = [(a, b) for a, b in combinations(links, 2) if self.exchangeable(a, b)]
            if len(near) > 1:
                everyone = list(links)
                for a, b in near:
                    if a in everyone and b in everyone:
                        everyone = _swapped(everyone, a, b)
                trials.append(everyone)
            best = min(trials, key=lambda other: self.total(other)[0], default=links)
            if (lower := self.total(best)[0]) >= cost - 1e-9:
                break
            cost, links = lower, best
        return links

    def exchangeable(self, a: tuple[int, int], b: tuple[int, int]) -> bool:
        """Whether partners could be exchanged if the gaps allowed it within a few millimetres."""
        for link in ((a[0], b[1]), (b[0], a[1])):
            if not np.isfinite(self.table.other[link]) or np.abs(self.table.gaps[link]).max() > _FURTHEST_MM + 2:
                return False
        return a[0] != b[0] and a[1] != b[1]

    def rivals(self, links: Links) -> list[tuple[Links, tuple[tuple[int, int], ...]]]:
        """Other links, one change away, and the pairs that change."""
        found: list[tuple[Links, tuple[tuple[int, int], ...]]] = []
        for a, b in combinations(links, 2):
            if self.exchangeable(a, b):
                found.append((_swapped(links, a, b), (a, b)))
        for k in (0, 1):
            alone = set(range(self.table.other.shape[k])) - {link[k] for link in links}
            for link in links:
                for free in alone:
                    other = (free, link[1]) if k == 0 else (link[0], free)
                    if np.isfinite(self.table.other[other]):
                        found.append(([other if each == link else each for each in links], (link,)))
        return found

    def with_shared(self, links: Links) -> Links:
        """Left over detections may take one that is taken already: two screws that hide behind each other."""
        for k in (0, 1):
            alone = set(range(self.table.other.shape[k])) - {link[k] for link in links}
            offset = self.table.offset(links, self.gap_mm)
            cost = self.costs(offset, float(np.hypot(self.gap_mm, LOOSE_PX * self.table.scale_mm)))
            for free in sorted(alone):
                row = cost[free] if k == 0 else cost[:, free]
                partner = int(row.argmin())
                link = (free, partner) if k == 0 else (partner, free)
                twins = [other for other in links if other[1 - k] == partner]
                if row[partner] + SHARING < ALONE and not any(self.table.stacked(link, twin) for twin in twins):
                    links = [*links, link]
        return sorted(links)


def _swapped(links: Links, a: tuple[int, int], b: tuple[int, int]) -> Links:
    changed = {a: (a[0], b[1]), b: (b[0], a[1])}
    return [changed.get(link, link) for link in links]


def _told(search: _Search, links: Links, total: float, offset: Floats) -> Match:
    table, cost = search.table, search.costs(offset)
    left = table.all_gaps_left(offset)
    used = [[link[k] for link in links] for k in (0, 1)]
    pairs = tuple(
        Pair(
            i,
            j,
            float(cost[i, j]),
            (float(left[i, j, 0]), float(left[i, j, 1])),
            float(table.lengths[i, j]),
            float(table.diameters[i, j]),
            used[0].count(i) > 1 or used[1].count(j) > 1,
        )
        for i, j in links
    )
    rivals = []
    for other, changed in search.rivals(links):
        more = search.total(other)[0] - total
        new = tuple(link for link in other if link not in links)
        if more < _RIVAL and table.furthest(changed, new) > _SAME_MM:
            rivals.append(Rival(changed, new, float(more)))
    rivals.sort(key=lambda rival: rival.more)
    alone = [tuple(sorted(set(range(n)) - set(used[k]))) for k, n in enumerate(cost.shape)]
    return Match(pairs, (alone[0], alone[1]), tuple(rivals), total, offset)
