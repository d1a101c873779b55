"""Single screws in the maps of both views at once: which neck and which tip of one view, and of the other, are one.

In one view alone a neck often points about as well to the tip of the screw beside it. Four peaks that are one screw in
space must agree in both views, so they are chosen together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spinescrew.radiographs.choice import Wanted, cheapest
from spinescrew.radiographs.heat_peaks import Peaks, heat_peaks
from spinescrew.radiographs.match_table import SHIFT_MM, MatchTable, match_table
from spinescrew.radiographs.screw_maps import ScrewMaps
from spinescrew.radiographs.seen import DEAREST, SeenScrew, confidence, described, end_costs, offsets_at, seen_screws

Floats = NDArray[np.float64]
Seen = tuple[tuple[SeenScrew, ...], tuple[SeenScrew, ...]]

_PLAUSIBLE = 14.0
"""Cost up to which a neck and a tip of one view may be one screw."""

_FINER_SHARE = 0.1
_HIDDEN, _POINTED = 8.0, 0.5
"""Cost of an end that no peak shows."""

_GUESS_PX, _GUESS_SHARE = 3.0, 0.15
"""How far an end is off that only the other one points to: pixels, and share of the way."""

_PEAK = (3.0, 9.0)
"""What leaving a peak without a screw costs: for any, and for one of full heat beside it."""

_TWIN_PX, _TWIN = 12.0, 0.2
"""Within so far of a stronger one a peak counts this share."""

_SHARING = 4.0
"""Cost of a second screw that ends in a peak."""

_FURTHEST_MM, _STEP_MM = 9.0, 1.5
"""Common shifts of the epipolar lines that are tried."""

_COARSE_MM, _FINE_MM = 1.6, 0.8
"""Standard deviation of what rays miss each other by, while shifts are tried and after."""

_GAP_CAP = 25.0
_ONE_MM = 6.0
"""Two shafts are nearer than this at their middle only if they are one."""

_ROUNDS = 3


@dataclass(frozen=True, eq=False)
class _Candidates:
    """What may be screws in one view.

    Attributes
    ----------
    ends:
        (n, 2) numbers of the neck's and the tip's peak, -1 for one that is hidden.
    costs:
        (n,) how badly both ends fit together.
    worth:
        (n, 2) what it saves that the peak of the neck, and of the tip, has a screw.
    """

    seen: list[SeenScrew]
    ends: NDArray[np.intp]
    costs: Floats
    worth: Floats
    peaks: tuple[Peaks, Peaks]


def seen_in_both(maps: tuple[ScrewMaps, ScrewMaps], sizes: Sequence[tuple[float, float]] | None = None) -> Seen:
    """The screws in the maps of two views, each from top to bottom; those of one view alone come last.

    Parameters
    ----------
    sizes:
        (diameter, length) in mm of the screws, if known.

    Notes
    -----
    Which peaks are one screw is an integer programme: every peak belongs to one screw (two at a cost, as the tips of
    one level do in a true lateral), and what deviates least is chosen, for the common error of calibration that suits
    it best. An end that a head hides is guessed from where its other end points.
    """
    own = (_candidates(maps[0]), _candidates(maps[1]))
    if not (own[0].seen and own[1].seen):
        return seen_screws(maps[0]), seen_screws(maps[1])
    search = _Search(own, match_table((maps[0].view, maps[1].view), (own[0].seen, own[1].seen), sizes, rivals=True))
    links = search.best()
    found = []
    for k in (0, 1):
        chosen = sorted({link[k] for link in links})
        ends = own[k].ends[chosen]
        necks, tips = (peaks.without(numbers) for peaks, numbers in zip(own[k].peaks, ends.T, strict=True))
        rest = seen_screws(maps[k], (necks, tips))
        found.append((*described(maps[k], [own[k].seen[n] for n in chosen]), *rest))
    return found[0], found[1]


def _candidates(maps: ScrewMaps) -> _Candidates:
    necks, tips = heat_peaks(maps.neck), heat_peaks(maps.tip)
    seen: list[SeenScrew] = []
    ends: list[tuple[int, int]] = []
    costs: list[float] = []
    nowhere = np.full(2, np.nan)
    partner = [np.full(len(peaks.points), DEAREST) for peaks in (necks, tips)]
    if len(necks.points) and len(tips.points):
        cost, finer = end_costs(maps, necks.points, tips.points)
        partner = [cost.min(axis=1, initial=DEAREST), cost.min(axis=0, initial=DEAREST)]
        for i, j in np.argwhere(cost < _PLAUSIBLE):
            sure = confidence(necks.heat[i], tips.heat[j], cost[i, j])
            seen.append(SeenScrew(necks.points[i], tips.points[j], np.nan, nowhere, sure))
            ends.append((int(i), int(j)))
            costs.append(float(cost[i, j] + _FINER_SHARE * finer[i, j]))
    for end, (peaks, field) in enumerate(((necks, maps.to_tip), (tips, maps.to_neck))):
        for n, (point, way) in enumerate(zip(peaks.points, offsets_at(field, peaks.points), strict=True)):
            loose = _GUESS_PX + _GUESS_SHARE * float(np.hypot(*way))
            pair = (point, point + way) if end == 0 else (point + way, point)
            sure = confidence(peaks.heat[n], peaks.heat[n], _HIDDEN)
            guessed = (0.0, loose) if end == 0 else (loose, 0.0)
            seen.append(SeenScrew(*pair, np.nan, nowhere, sure, guessed_px=guessed))
            ends.append((n, -1) if end == 0 else (-1, n))
            # the other end of one that points to a peak is hardly hidden
            costs.append(_HIDDEN + _POINTED * float(DEAREST - partner[end][n]))
    numbers = np.array(ends, dtype=np.intp).reshape(-1, 2)
    worth = [
        np.where(number >= 0, np.append(_worth(peaks), 0.0)[number], 0.0)
        for number, peaks in zip(numbers.T, (necks, tips), strict=True)
    ]
    return _Candidates(seen, numbers, np.array(costs), np.stack(worth, axis=1), (necks, tips))


def _worth(peaks: Peaks) -> Floats:
    """(n,) what it saves that each has a screw: less for one beside a stronger one, which may be the same twice."""
    apart = np.linalg.norm(peaks.points[:, None] - peaks.points[None], axis=-1)
    stronger = (peaks.heat[None] > peaks.heat[:, None]) & (apart < _TWIN_PX)
    return np.asarray((_PEAK[0] + _PEAK[1] * peaks.heat) * np.where(stronger.any(axis=1), _TWIN, 1.0))


Links = list[tuple[int, int]]


class _Search:
    """Looks for the candidates of both views that together explain the peaks best."""

    def __init__(self, own: tuple[_Candidates, _Candidates], table: MatchTable) -> None:
        self.own, self.table = own, table
        self.plain = table.other + own[0].costs[:, None] + own[1].costs
        self.plain -= own[0].worth.sum(axis=1)[:, None] + own[1].worth.sum(axis=1)
        self.middle = (table.necks + table.tips) / 2

    def best(self) -> Links:
        """For the common error of calibration that suits best."""
        best: tuple[float, Links] = (np.inf, [])
        for step in np.arange(-_FURTHEST_MM, _FURTHEST_MM + 1e-6, _STEP_MM):
            cost, links = self.chosen(np.append(step * self.table.across, np.zeros(3)), _COARSE_MM)
            cost += (step / SHIFT_MM) ** 2
            if cost < best[0]:
                best = cost, links
        links = best[1]
        for _ in range(_ROUNDS):
            before = links
            _, links = self.chosen(self.table.offset(links, _FINE_MM), _FINE_MM)
            if links == before:
                break
        return links

    def chosen(self, offset: Floats, gap_mm: float) -> tuple[float, Links]:
        """The cheapest choice under an offset, and what it costs against choosing nothing."""
        left = (self.table.all_gaps_left(offset) / np.hypot(gap_mm, self.table.loose)) ** 2
        cost = np.minimum(left, _GAP_CAP).sum(axis=-1) + self.plain
        pairs = np.nonzero(cost < 0)
        wanted = [each for k in (0, 1) for end in (0, 1) for each in self._wanted(k, end, pairs[k])]
        middle = self.middle[pairs]
        apart = np.linalg.norm(middle[:, None] - middle[None], axis=-1) > _ONE_MM
        for own, used in zip(self.own, pairs, strict=True):
            apart &= ~_needing_a_peak_alone(own.ends[used])
        total, taken = cheapest(cost[pairs], wanted, np.argwhere(np.triu(~apart, 1)))
        return total, [(int(pairs[0][n]), int(pairs[1][n])) for n in taken]

    def _wanted(self, view: int, end: int, used: NDArray[np.intp]) -> list[Wanted]:
        """The peaks that several pairs would use, and what it costs if two of them do."""
        own = self.own[view]
        peak = own.ends[used, end]
        found = []
        for number in np.unique(peak[peak >= 0]):
            users = np.flatnonzero(peak == number)
            if len(users) > 1:
                found.append(Wanted(users, _SHARING + float(own.worth[used[users[0]], end])))
        return found


def _needing_a_peak_alone(ends: NDArray[np.intp]) -> NDArray[np.bool_]:
    """(n, n) which of these share a peak though one is half guessed: two guesses could make a screw of anything."""
    guessed = np.asarray((ends < 0).any(axis=1))
    same = np.zeros((len(ends), len(ends)), bool)
    for peak in ends.T:
        same |= (peak[:, None] == peak[None]) & (peak[:, None] >= 0)
    return np.asarray(same & (guessed[:, None] | guessed[None]))
