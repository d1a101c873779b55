"""Single screws in the maps of one view: necks and tips paired, crossing screws kept apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label, map_coordinates
from scipy.optimize import linear_sum_assignment

from spinescrew.errors import InputError
from spinescrew.radiographs.heat_peaks import Peaks, heat_peaks
from spinescrew.radiographs.screw_maps import ScrewMaps

Floats = NDArray[np.float64]

LONGEST_MM = 230.0
"""A shaft on the detector: 120 mm, 1.9 times as large."""

_OFF_PX, _OFF_SHARE = 5.0, 0.2
"""How far the predicted other end may be off: pixels, and share of the way."""

_FINER = 3.0
"""So much nearer it usually is. Whether ends belong together at all is judged by the first, which of two by both."""

_UNSUPPORTED = 0.2
_TERM_CAP = 16.0
DEAREST = 9.0
"""Cost from which on a neck and a tip do not belong together: three standard deviations."""

_WEAK = 2.0
"""Cost of a peak without heat, against stronger ones; it does not count against leaving an end alone."""

_SHARING, _SHARING_HEAT = 3.0, 0.28
_TWIN_PX = 3.0
_STATIONS = 24
_WIDEST_MM = 16.0
_HEAD_REACH_PX = 8


@dataclass(frozen=True, eq=False)
class SeenScrew:
    """A screw as one view shows it, in pixels (column, row) of its maps; equal only to itself.

    Attributes
    ----------
    neck, tip:
        (2,) where the shaft begins below the head, and where it ends.
    radius_px:
        Half the width of the shaft where nothing hides it; NaN where everything is hidden.
    head:
        (2,) middle of the head; NaN where it cannot be told from another.
    confidence:
        0..1, from the heat of both peaks, how well they point to each other and the shaft between them.
    by_hand:
        Placed by a person, who knows better than the maps.
    guessed_px:
        Standard deviation in pixels of neck and tip where one of them is hidden and only the other end tells of it; 0
        for an end that is seen.
    """

    neck: Floats
    tip: Floats
    radius_px: float
    head: Floats
    confidence: float
    by_hand: bool = False
    guessed_px: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        for name in ("neck", "tip", "head"):
            value = np.array(getattr(self, name), dtype=np.float64)
            if value.shape != (2,):
                raise InputError(f"the {name} of a seen screw must be a (column, row)")
            value.setflags(write=False)
            object.__setattr__(self, name, value)

    @property
    def length_px(self) -> float:
        """From neck to tip as shown."""
        return float(np.hypot(*(self.tip - self.neck)))


def seen_screws(maps: ScrewMaps, peaks: tuple[Peaks, Peaks] | None = None) -> tuple[SeenScrew, ...]:
    """The screws in the maps of one view, from top to bottom; of these ``peaks`` of necks and tips, or of all.

    A neck belongs to the tip it points to and is pointed to from, with shaft or head all the way. Where two screws end
    in one peak, as those of one level do in a true lateral, both keep it.
    """
    necks, tips = peaks or (heat_peaks(maps.neck), heat_peaks(maps.tip))
    pairs = _paired(maps, necks, tips)
    found = [
        SeenScrew(
            necks.points[i], tips.points[j], np.nan, np.full(2, np.nan), confidence(necks.heat[i], tips.heat[j], cost)
        )
        for i, j, cost in pairs
    ]
    return described(maps, found)


def described(maps: ScrewMaps, found: Sequence[SeenScrew]) -> tuple[SeenScrew, ...]:
    """With widths and heads, from top to bottom."""
    found = list(found)
    heads = _heads(maps, found)
    found = [
        replace(one, radius_px=_radius(maps, one, found[:n] + found[n + 1 :]), head=heads[n])
        for n, one in enumerate(found)
    ]
    return tuple(sorted(found, key=lambda one: float(one.neck[1] + one.tip[1])))


def _paired(maps: ScrewMaps, necks: Peaks, tips: Peaks) -> list[tuple[int, int, float]]:
    """(neck, tip, cost): one to one at first, then what is left over may share its other end."""
    if not len(necks.points) or not len(tips.points):
        return []
    cost, finer = end_costs(maps, necks.points, tips.points)
    weak = _WEAK * (2 - necks.heat[:, None] - tips.heat[None])
    capped = np.where(cost < DEAREST, cost + finer + weak, DEAREST + _TERM_CAP + 2 * _WEAK)
    pairs = [(int(i), int(j)) for i, j in zip(*linear_sum_assignment(capped), strict=True) if cost[i, j] < DEAREST]
    for flip in (False, True):
        table, (points, heat) = (cost.T, tips) if flip else (cost, necks)
        own = 1 if flip else 0
        used = {pair[own] for pair in pairs}
        for k in range(len(points)):
            best = int(table[k].argmin())
            twins = [points[pair[own]] for pair in pairs if pair[1 - own] == best]
            apart = min((np.hypot(*(points[k] - twin)) for twin in twins), default=np.inf)
            sure = heat[k] > _SHARING_HEAT and table[k, best] + _SHARING < DEAREST
            if k not in used and sure and apart > _TWIN_PX:
                pairs.append((best, k) if flip else (k, best))
    return [(i, j, float(cost[i, j])) for i, j in pairs]


def end_costs(maps: ScrewMaps, necks: Floats, tips: Floats) -> tuple[Floats, Floats]:
    """(necks, tips) squared deviations of what ends say of each other and of the metal between; the former finer."""
    way = tips[None] - necks[:, None]
    length = np.hypot(*np.moveaxis(way, -1, 0))
    allowed = _OFF_PX + _OFF_SHARE * length
    from_neck, from_tip = offsets_at(maps.to_tip, necks), offsets_at(maps.to_neck, tips)
    ahead = np.hypot(*np.moveaxis(from_neck[:, None] - way, -1, 0)) / allowed
    back = np.hypot(*np.moveaxis(from_tip[None] + way, -1, 0)) / allowed
    along = necks[:, None, None] + np.linspace(0.0, 1.0, 40)[:, None] * way[:, :, None]
    metal = map_coordinates(maps.metal, [along[..., 1], along[..., 0]], order=1, mode="constant").mean(axis=-1)
    cost, finer = (
        (np.minimum((scale * ahead) ** 2, _TERM_CAP) + np.minimum((scale * back) ** 2, _TERM_CAP)) / 2
        for scale in (1.0, _FINER)
    )
    cost += np.minimum(((1 - metal) / _UNSUPPORTED) ** 2, _TERM_CAP)
    return np.where(length * maps.view.pixel_mm.max() > LONGEST_MM, np.inf, cost), finer


def offsets_at(field: NDArray[np.float32], points: Floats) -> Floats:
    """A (2, rows, columns) field at points (n, 2): the median of the nine pixels around each."""
    rows, columns = field.shape[1:]
    found = []
    for column, row in np.rint(points).astype(int):
        r, c = np.clip(row, 1, rows - 2), np.clip(column, 1, columns - 2)
        found.append(np.median(field[:, r - 1 : r + 2, c - 1 : c + 2].reshape(2, -1), axis=1))
    return np.array(found, dtype=np.float64).reshape(-1, 2)


def confidence(neck_heat: float, tip_heat: float, cost: float) -> float:
    """0..1, of ends with this heat whose own directions deviate by ``cost``."""
    return float(np.sqrt(neck_heat * tip_heat) * np.exp(-cost / DEAREST))


def _radius(maps: ScrewMaps, one: SeenScrew, others: list[SeenScrew]) -> float:
    """Median half width of the shaft at stations that no head and no other screw reaches."""
    way = one.tip - one.neck
    if one.length_px < 4:
        return np.nan
    along = way / one.length_px
    reach = _WIDEST_MM / float(maps.view.pixel_mm.max())
    across = np.arange(-reach, reach + 0.25, 0.5)
    stations = one.neck + np.linspace(0.05, 0.85, _STATIONS)[:, None] * way
    place = stations[:, None] + across[:, None] * np.array([-along[1], along[0]])
    shaft, head = (
        map_coordinates(each, [place[..., 1], place[..., 0]], order=1, mode="constant")
        for each in (maps.shaft, maps.head)
    )
    widths = []
    middle = len(across) // 2
    for station, profile, hiding in zip(stations, shaft, head, strict=True):
        sides = [_side(profile[middle::-1]), _side(profile[middle:])]
        width = 0.5 * (profile[middle - sides[0] : middle + sides[1] + 1].sum() - 1.0) + 0.5
        free = all(_away(station, other) > 1.2 * width for other in others)
        hidden = hiding[middle - sides[0] : middle + sides[1] + 1].max() > 0.3
        if min(sides) > 0 and abs(sides[0] - sides[1]) <= 0.5 * max(sides) + 2 and free and not hidden:
            widths.append(width)
    return float(np.median(widths)) / 2 if len(widths) >= 3 else np.nan


def _side(profile: Floats) -> int:
    """Steps from the middle until the shaft has ended; 0 where it does not begin or never ends."""
    low = np.flatnonzero(profile < 0.1)
    return int(low[0]) if profile[0] > 0.5 and len(low) else 0


def _away(point: Floats, other: SeenScrew) -> float:
    """Pixels from a point to the axis of another screw."""
    way = other.tip - other.neck
    share = np.clip((point - other.neck) @ way / max(float(way @ way), 1e-9), 0.0, 1.0)
    return float(np.hypot(*(point - other.neck - share * way)))


def _heads(maps: ScrewMaps, found: list[SeenScrew]) -> list[Floats]:
    """Centre of the head at each neck; NaN where several necks share one outline or it leaves the image."""
    parts, _ = label(maps.head > 0.5)
    at = [_part_near(parts, one.neck) for one in found]
    heads = []
    for part in at:
        centre = np.full(2, np.nan)
        if part and at.count(part) == 1:
            rows, columns = np.nonzero(parts == part)
            inside = min(rows.min(), columns.min()) > 0 and rows.max() < parts.shape[0] - 1
            if inside and columns.max() < parts.shape[1] - 1:
                centre = np.average(np.stack([columns, rows]), axis=1, weights=maps.head[rows, columns])
        heads.append(centre)
    return heads


def _part_near(parts: NDArray[np.int32], point: Floats) -> int:
    """Number of the outline at or nearest to a point, 0 for none within reach."""
    column, row = np.rint(point).astype(int)
    low_row, low_column = max(row - _HEAD_REACH_PX, 0), max(column - _HEAD_REACH_PX, 0)
    window = parts[low_row : row + _HEAD_REACH_PX + 1, low_column : column + _HEAD_REACH_PX + 1]
    rows, columns = np.nonzero(window)
    if not len(rows):
        return 0
    nearest = np.argmin(np.hypot(rows + low_row - row, columns + low_column - column))
    return int(window[rows[nearest], columns[nearest]])
