"""Assignments that geometry alone hardly tells apart, held against the maps themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spinescrew.progress import Progress
from spinescrew.radiographs.adjustment import Fitted, Terms, total_cost
from spinescrew.radiographs.matching import Match, Rival
from spinescrew.radiographs.pose_noise import Noise, measured_noise
from spinescrew.radiographs.posing import USUAL_NOISE, Case, Refine, start_fit, start_terms
from spinescrew.radiographs.recalibration import Calibration
from spinescrew.radiographs.screw_maps import ScrewMaps
from spinescrew.radiographs.seen import SeenScrew
from spinescrew.radiographs.shaft_bands import Band, band, compare

Links = list[tuple[int, int]]
Seen = tuple[Sequence[SeenScrew], Sequence[SeenScrew]]

_MOST = 8
_CLEAR = 6.0
"""Difference of half the sums of squares from which on one assignment is certain: 400 to one."""

_FEW = 3
_WIDTH_PX, _STEP = 6.0, 2


@dataclass(frozen=True)
class Decision:
    """``links`` as they fit the maps best, and ``doubtful``: assignments that fit almost as well."""

    links: Links
    doubtful: tuple[Rival, ...]


def decided(
    maps: tuple[ScrewMaps, ScrewMaps],
    seen: Seen,
    found: Match,
    start: tuple[Fitted, bool, Terms],
    refine: Refine,
    progress: Progress,
) -> Decision:
    """Try the rivals of a match, the nearest first.

    Parameters
    ----------
    start:
        The fit of the match as it is. Its calibration is used for the rivals too; but where there are few screws it may
        have followed a wrong pair, so there each assignment gets its own, refined as ``refine`` says.
    """
    fitted, _, terms = start
    noise = measured_noise(Calibration((maps[0].view, maps[1].view)), fitted, terms, USUAL_NOISE)
    links: Links = [(pair.first, pair.second) for pair in found.pairs]
    doubtful: list[Rival] = []
    for rival in found.rivals[:_MOST]:
        progress.check()
        if not set(rival.instead_of) <= set(links):
            continue
        rest = [link for link in links if link not in rival.instead_of]
        few = len(links) <= _FEW
        given = (maps[0].view, maps[1].view) if few else fitted.views
        both = [(rest if few else []) + list(each) for each in (rival.instead_of, rival.pairs)]
        more = _more(Calibration(given), maps, seen, both, refine if few else False, noise, progress)
        if more < 0:
            links = rest + list(rival.pairs)
            rival = Rival(rival.pairs, rival.instead_of, more)
        if abs(more) < _CLEAR:
            doubtful.append(Rival(rival.instead_of, rival.pairs, abs(more)))
    return Decision(sorted(links), tuple(each for each in doubtful if set(each.instead_of) <= set(links)))


def _more(
    calibration: Calibration,
    maps: tuple[ScrewMaps, ScrewMaps],
    seen: Seen,
    both: Sequence[Links],
    refine: Refine,
    noise: Noise,
    progress: Progress,
) -> float:
    """How much worse the second of two assignments fits, both on the pixels that either of them concerns."""
    used = [{link[k] for links in both for link in links} for k in (0, 1)]
    hidden = [[one for n, one in enumerate(seen[k]) if n not in used[k]] for k in (0, 1)]
    cases = [
        Case(calibration, maps, [(seen[0][i], seen[1][j]) for i, j in links], (hidden[0], hidden[1])) for links in both
    ]
    fits = [start_fit(case, refine, progress, noise) for case in cases]
    costs = []
    for case, (fitted, refined, _) in zip(cases, fits, strict=True):
        terms = start_terms(case, fitted.state, refined, noise)
        costs.append(total_cost(case.calibration, fitted.state, terms))
    for k in (0, 1):
        strips = [
            band(fitted.views[k], maps[k], fitted.state.shafts(k), hidden[k], _WIDTH_PX, _STEP, gated=False)
            for fitted, _, _ in fits
        ]
        for n, (fitted, _, _) in enumerate(fits):
            strip = _united(strips, len(fitted.state.radii))
            state = fitted.state
            seen_so = compare(calibration, k, fitted.views[k], strip, state.shafts(k), 0.0, state.softness_px[k], False)
            costs[n] += noise.per_pixel * seen_so.cost
    return costs[1] - costs[0]


def _united(strips: Sequence[Band], count: int) -> Band:
    """All pixels of some bands once; every shaft may cover every one."""
    pixels = np.concatenate([strip.pixels for strip in strips])
    _, first = np.unique(pixels, axis=0, return_index=True)
    seen = np.concatenate([strip.seen for strip in strips])[first]
    weight = np.concatenate([strip.weight for strip in strips])[first]
    return Band(pixels[first], seen, weight, (np.arange(len(first)),) * count)
