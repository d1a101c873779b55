"""What two views of screws say of mistakes made before: images swapped or mirrored, metal that is no screw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.ndimage import center_of_mass, label

from spinescrew.radiographs.match_table import crossing
from spinescrew.radiographs.matching import ALONE, Match, match
from spinescrew.radiographs.screw_maps import ScrewMaps
from spinescrew.radiographs.seen import SeenScrew
from spinescrew.radiographs.view import View

Seen = tuple[Sequence[SeenScrew], Sequence[SeenScrew]]

_GOOD = 9.0
"""Cost per screw up to which screws fit together: a pair that does costs 1 to 6."""

_CLEARLY = 12.0
_TIMES = 2.0
_FROM_FRONT = 10.0

_METAL_MM2 = 80.0
"""On the detector: a blob of 9 mm."""

_MOST_BLOBS = 3

_TURNS = {"mirrored left to right": (-1, 1), "upside down": (1, -1), "turned by 180 degrees": (-1, -1)}


def orientation_doubts(views: tuple[View, View], seen: Seen, found: Match) -> list[str]:
    """One line if what is seen fits well with images swapped, mirrored or turned, and badly as given.

    What shows one point in both images lies on epipolar lines, and a pedicle screw points forwards. Matches and
    directions as given are held against those of every cheap alternative. (A mirrored AP view only exchanges left and
    right, so there the epipolar lines alone tell.)
    """
    given = _badness(views, seen, found)
    count = max(len(seen[0]), len(seen[1]))
    best, words = given, ""
    for said, turns, swap in _alternatives(views):
        other: Seen = (_turned(seen[0], views[0], turns[0]), _turned(seen[1], views[1], turns[1]))
        other = (other[1], other[0]) if swap else other
        bad = _badness(views, other, match(views, other))
        if bad < best - 1e-6:
            best, words = bad, said
    if not words or best > _GOOD or given < _TIMES * best or (given - best) * count < _CLEARLY:
        return []
    return [f"{words}: the screws fit together so, and do not as given; check the images and their geometry"]


def _alternatives(views: tuple[View, View]) -> list[tuple[str, tuple[tuple[int, int], tuple[int, int]], bool]]:
    """(words, turn of each image, whether they are swapped), likelier ones first."""
    same = (1, 1)
    found: list[tuple[str, tuple[tuple[int, int], tuple[int, int]], bool]] = []
    if views[0].shape == views[1].shape:
        found.append(("the images seem to be swapped", (same, same), True))
    for name, turn in _TURNS.items():
        found.append((f"image 1 seems to be {name}", (turn, same), False))
        found.append((f"image 2 seems to be {name}", (same, turn), False))
    found.append(("both images seem to be mirrored left to right", ((-1, 1), (-1, 1)), False))
    return found


def _turned(seen: Sequence[SeenScrew], view: View, turn: tuple[int, int]) -> tuple[SeenScrew, ...]:
    """What the image would show, were it turned over about its middle."""
    middle, sign = view.centre_pixel, np.array(turn)
    ends = ("neck", "tip", "head")
    return tuple(replace(one, **{name: middle + sign * (getattr(one, name) - middle) for name in ends}) for one in seen)


def _badness(views: tuple[View, View], seen: Seen, found: Match) -> float:
    """Cost per screw of a match, and of screws that point where none do."""
    count = max(len(seen[0]), len(seen[1]), 1)
    if not found.pairs:
        return 2 * ALONE
    pixels = [
        [np.array([getattr(seen[k][(pair.first, pair.second)[k]], end) for pair in found.pairs]) for k in (0, 1)]
        for end in ("neck", "tip")
    ]
    necks, tips = (crossing(views, *each)[0] for each in pixels)
    way = tips - necks
    length = np.linalg.norm(way, axis=1)
    backwards = way[:, 1] < 0.2 * length
    return float(found.cost / count + _FROM_FRONT * backwards.mean())


def other_metal(maps: ScrewMaps, seen: Sequence[SeenScrew], number: int) -> list[str]:
    """One line for each larger piece of what the map calls shaft or head, but no neck and tip belong to."""
    parts, count = label(maps.metal > 0.5)
    if not count:
        return []
    for one in seen:
        for share in np.linspace(0.0, 1.0, 30):
            column, row = np.rint(one.neck + share * (one.tip - one.neck)).astype(int)
            reach = 6
            window = parts[max(row - reach, 0) : row + reach + 1, max(column - reach, 0) : column + reach + 1]
            for part in np.unique(window[window > 0]):
                parts[parts == part] = 0
    sizes = np.bincount(parts.ravel(), minlength=count + 1)[1:] * float(np.prod(maps.view.pixel_mm))
    found = []
    for part in np.argsort(-sizes)[:_MOST_BLOBS]:
        if sizes[part] >= _METAL_MM2:
            row, column = center_of_mass(parts == part + 1)
            found.append(
                f"view {number} shows metal at column {column:.0f}, row {row:.0f} without the neck and tip of a screw; "
                "it was not used"
            )
    return found


def alone_doubts(alone: tuple[Sequence[SeenScrew], Sequence[SeenScrew]]) -> list[str]:
    """One line for each view with screws that the other view does not show."""
    found = []
    for k, each in enumerate(alone):
        if each:
            where = ", ".join(f"column {one.neck[0]:.0f} row {one.neck[1]:.0f}" for one in each)
            screws = f"{len(each)} screw" + ("s" if len(each) > 1 else "")
            found.append(
                f"{screws} of view {k + 1} (neck at {where}) found no match in view {2 - k}: not posed; match by hand "
                "if it is there"
            )
    return found
