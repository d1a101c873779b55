"""Where screws really are, from the maps of two radiographs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.errors import InputError
from spinescrew.progress import Progress
from spinescrew.radiographs.adjustment import Fitted, Terms
from spinescrew.radiographs.checks import view_doubts
from spinescrew.radiographs.known_sizes import assigned_sizes, checked_sizes, spacing_doubt
from spinescrew.radiographs.matching import Rival, match
from spinescrew.radiographs.pose_doubts import alone_doubts, orientation_doubts, other_metal
from spinescrew.radiographs.pose_summary import summary
from spinescrew.radiographs.posed import PosedScrew, posed_screws
from spinescrew.radiographs.posing import Case, Refine, finish_fit, start_fit
from spinescrew.radiographs.recalibration import Calibration, Refinement
from spinescrew.radiographs.rivals import decided
from spinescrew.radiographs.screw_maps import ScrewMaps
from spinescrew.radiographs.seen import SeenScrew, seen_screws
from spinescrew.radiographs.seen_together import seen_in_both
from spinescrew.radiographs.view import View

__all__ = ["PoseResult", "PosedScrew", "solve_poses", "summary", "with_axis", "with_match"]

Floats = NDArray[np.float64]
Maps = tuple[ScrewMaps, ScrewMaps]
Seen = tuple[tuple[SeenScrew, ...], tuple[SeenScrew, ...]]
Pairs = Sequence[tuple[SeenScrew, SeenScrew]]

_SAME_PX = 6.0


@dataclass(frozen=True, eq=False)
class PoseResult:
    """Everything that two radiographs say of the screws in them.

    Attributes
    ----------
    views:
        As used: view 1 is the frame of reference, view 2 as refined.
    given_views:
        As calibrated.
    screws:
        By number.
    unmatched:
        Screws of each view that are in no pair.
    calibration:
        How far it was refined.
    maps:
        What was solved from.
    warnings:
        One line each, for people.
    ambiguous:
        Numbers of the screws whose matches may be others: two each that may be exchanged, or one.
    seconds:
        Time of each step.
    sizes, refine_calibration:
        As asked for; kept for corrections by hand.
    """

    views: tuple[View, View]
    given_views: tuple[View, View]
    screws: tuple[PosedScrew, ...]
    unmatched: Seen
    calibration: Refinement
    maps: Maps
    warnings: tuple[str, ...] = ()
    ambiguous: tuple[tuple[int, ...], ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    sizes: tuple[tuple[float, float], ...] = ()
    refine_calibration: Refine = "auto"


def solve_poses(
    maps: Sequence[ScrewMaps],
    sizes: Sequence[tuple[float, float]] | None = None,
    refine_calibration: Refine = "auto",
    progress: Progress | None = None,
) -> PoseResult:
    """Find, match and pose the screws of two radiographs.

    Parameters
    ----------
    maps:
        Of both views, with the geometry as calibrated.
    sizes:
        (diameter, length) in mm of the screws, in any order: one for all of them, or as many as there are; each is
        given to the screw it fits. Without sizes they are measured; then the scale rests on the calibration alone.
    refine_calibration:
        Whether view 2 and the sources may move a little; ``"auto"``: where that explains what is seen far better.

    Raises
    ------
    InputError
        If there are not two views, no screws are found in one, or none of them match; the message says what may be
        wrong.
    Cancelled
        If ``progress`` was asked to stop.

    Examples
    --------
    >>> result = solve_poses((find_screws(ap_image, ap), find_screws(lateral_image, lateral)))  # doctest: +SKIP
    >>> result.screws[0].screw.tip  # doctest: +SKIP
    array([-12.1, 31.7, 88.4])
    """
    progress = progress or Progress()
    known = checked_sizes(sizes)
    views, warnings = _checked(maps)
    both: Maps = (maps[0], maps[1])
    with progress.step("find screws", 0.0, 0.2) as part:
        each_alone = _seen(both, part.part(0.0, 0.4))
        part.update(0.4, "both views together")
        seen = seen_in_both(both, known)
    with progress.step("match screws", 0.2, 0.3):
        found = match(views, seen, known)
        # what was chosen for fitting together as given would not fit together otherwise
        doubts = orientation_doubts(views, each_alone, match(views, each_alone))
        if not found.pairs:
            raise InputError(_no_match(seen, doubts))
    with progress.step("settle doubtful matches", 0.3, 0.5) as part:
        links = [(pair.first, pair.second) for pair in found.pairs]
        coarse = start_fit(_case(both, seen, [(seen[0][i], seen[1][j]) for i, j in links]), refine_calibration, part)
        decision = decided(both, seen, found, coarse, refine_calibration, part)
    pairs = [(seen[0][i], seen[1][j]) for i, j in decision.links]
    start = coarse if decision.links == links else None
    result = _solved(both, seen, pairs, known, refine_calibration, progress.part(0.5, 1.0), start)
    return _worded(result, [*warnings, *doubts], decision.doubtful, seen)


def with_match(result: PoseResult, pairs: Pairs, progress: Progress | None = None) -> PoseResult:
    """Solve again with these pairs of seen screws, out of ``screws[n].seen`` and ``unmatched``.

    A screw of one view may be in two pairs, where it hides another. What is in no pair is unmatched.

    Raises
    ------
    InputError
        If there is no pair, or one is not of this result.
    """
    seen = _all_seen(result)
    for pair in pairs:
        if not all(any(one is each for each in seen[k]) for k, one in enumerate(pair)):
            raise InputError("a pair of screws is not of this result; choose one screw of each view")
    return _again(result, seen, list(pairs), progress)


def with_axis(
    result: PoseResult, number: int, view_index: int, neck: Any, tip: Any, progress: Progress | None = None
) -> PoseResult:
    """Solve again with the axis of one screw placed by hand in one view.

    Parameters
    ----------
    number, view_index:
        Which screw, and in view 0 or 1.
    neck, tip:
        (2,) (column, row) in pixels of the maps.

    Raises
    ------
    InputError
        If there is no such screw or view, or neck and tip are one point.
    """
    screw = next((one for one in result.screws if one.number == number), None)
    if screw is None or view_index not in (0, 1):
        raise InputError(f"there is no screw {number} in view {view_index + 1}; give the number of a posed screw")
    ends = np.array([neck, tip], dtype=np.float64)
    if ends.shape != (2, 2) or not np.isfinite(ends).all():
        raise InputError("neck and tip must be (column, row) in the image")
    old = screw.seen[view_index]
    new = replace(old, neck=ends[0], tip=ends[1], confidence=1.0, by_hand=True)
    pairs = []
    for one in result.screws:
        pair = list(one.seen)
        if one is screw:
            pair[view_index] = new
        pairs.append((pair[0], pair[1]))
    still_used = any(pair[view_index] is old for pair in pairs)
    seen = _all_seen(result)
    swapped = tuple(each for each in seen[view_index] if each is not old or still_used)
    changed = (*swapped, new)
    return _again(result, (changed, seen[1]) if view_index == 0 else (seen[0], changed), pairs, progress)


def _again(
    result: PoseResult, seen: Seen, pairs: list[tuple[SeenScrew, SeenScrew]], progress: Progress | None
) -> PoseResult:
    if not pairs:
        raise InputError("no pair of screws is left; match at least one screw of both views")
    _, warnings = _checked(result.maps)
    progress = progress or Progress()
    again = _solved(result.maps, seen, pairs, list(result.sizes), result.refine_calibration, progress)
    return _worded(again, warnings, (), seen)


def _checked(maps: Sequence[ScrewMaps]) -> tuple[tuple[View, View], list[str]]:
    """The two views and what is doubtful of them."""
    warnings = view_doubts([each.view for each in maps])
    if len(maps) != 2:
        raise InputError(f"poses are solved from two radiographs, {len(maps)} were given; choose two")
    return (maps[0].view, maps[1].view), warnings


def _seen(maps: Maps, progress: Progress) -> Seen:
    found = []
    for k, each in enumerate(maps):
        progress.update(k / 2, f"view {k + 1}")
        found.append(seen_screws(each))
    if not all(found):
        where = " or ".join(f"view {k + 1}" for k, each in enumerate(found) if not each)
        other = [words for k, each in enumerate(maps) for words in other_metal(each, found[k], k + 1)]
        raise InputError(
            f"no screw was found in {where}"
            + (f" ({other[0]})" if other else "")
            + "; give two radiographs that show necks and tips of the same screws"
        )
    return found[0], found[1]


def _no_match(seen: Seen, doubts: Sequence[str]) -> str:
    hint = doubts[0] if doubts else "check that both images are of one patient and each has its own geometry"
    return f"none of the {len(seen[0])} screws of view 1 is one of the {len(seen[1])} of view 2: {hint}"


def _case(maps: Maps, seen: Seen, pairs: Pairs) -> Case:
    return Case(Calibration((maps[0].view, maps[1].view)), maps, pairs, _alone(seen, pairs))


def _alone(seen: Seen, pairs: Pairs) -> Seen:
    left = [tuple(one for one in seen[k] if not any(pair[k] is one for pair in pairs)) for k in (0, 1)]
    return left[0], left[1]


def _solved(
    maps: Maps,
    seen: Seen,
    pairs: list[tuple[SeenScrew, SeenScrew]],
    sizes: list[tuple[float, float]],
    refine: Refine,
    progress: Progress,
    start: tuple[Fitted, bool, Terms] | None = None,
) -> PoseResult:
    """Fit, from ``start`` where that was done already, and what follows from the fit."""
    case = _case(maps, seen, pairs)
    with progress.step("fit coarsely", 0.0, 0.3) as part:
        coarse, refined, _ = start or start_fit(case, refine, part)
    with progress.step("fit finely", 0.3, 1.0) as part:
        lengths = np.linalg.norm(coarse.state.tips - coarse.state.necks, axis=1)
        measured = np.column_stack([2 * coarse.state.radii, lengths])
        spacing = spacing_doubt(sizes, measured)
        own = assigned_sizes([] if spacing else sizes, measured)
        solved = finish_fit(case, coarse, refined, own, part)
        screws = posed_screws(solved, maps, pairs, own)
    unfit = [one.number for one in screws if sizes and not spacing and not one.sizes_given]
    warnings = [spacing] if spacing else []
    if unfit:
        warnings.append(f"no given size fits screw {', '.join(map(str, unfit))}: measured instead; check the sizes")
    left = [_not_posed(each, screws, view) for each, view in zip(_alone(seen, pairs), solved.views, strict=True)]
    return PoseResult(
        solved.views,
        case.calibration.given,
        screws,
        (left[0], left[1]),
        solved.refinement,
        maps,
        tuple(warnings),
        seconds=dict(progress.timings_s),
        sizes=tuple(sizes),
        refine_calibration=refine,
    )


def _not_posed(alone: Sequence[SeenScrew], screws: Sequence[PosedScrew], view: View) -> tuple[SeenScrew, ...]:
    """Without those that a posed screw explains: the same screw, seen twice."""
    found = []
    for one in alone:
        ends = [view.project(np.stack([each.screw.entry, each.screw.tip])) for each in screws]
        away = [np.hypot(*(each - np.stack([one.neck, one.tip])).T).max() for each in ends]
        if min(away) > _SAME_PX:
            found.append(one)
    return tuple(found)


def _all_seen(result: PoseResult) -> Seen:
    """What was seen in each view, each once."""
    found: list[list[SeenScrew]] = [[], []]
    for k in (0, 1):
        for one in (*(screw.seen[k] for screw in result.screws), *result.unmatched[k]):
            if not any(one is each for each in found[k]):
                found[k].append(one)
    return tuple(found[0]), tuple(found[1])


def _worded(result: PoseResult, before: Sequence[str], doubtful: Sequence[Rival], seen: Seen) -> PoseResult:
    """With every warning, and doubtful matches noted at their screws."""
    numbers = [
        tuple(
            one.number
            for one in result.screws
            for i, j in each.instead_of
            if one.seen[0] is seen[0][i] and one.seen[1] is seen[1][j]
        )
        for each in doubtful
    ]
    warnings = [*before, *result.warnings]
    for each in numbers:
        who = " and ".join(map(str, each))
        warnings.append(
            f"screws {who} may be exchanged between the views: both ways fit almost as well; look at both"
            if len(each) > 1
            else f"screw {who} may be another one of what the other view shows: both fit almost as well; look at both"
        )
    note = "its match is ambiguous: another fits almost as well"
    unsure = {number for each in numbers for number in each}
    screws = tuple(replace(one, notes=(*one.notes, note)) if one.number in unsure else one for one in result.screws)
    warnings += alone_doubts(result.unmatched)
    for k, maps in enumerate(result.maps):
        warnings += other_metal(maps, [*(one.seen[k] for one in screws), *result.unmatched[k], *seen[k]], k + 1)
    return replace(result, screws=screws, warnings=tuple(warnings), ambiguous=tuple(numbers))
