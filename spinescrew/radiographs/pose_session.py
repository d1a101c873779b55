"""Solved screws under correction by hand: which screw is in hand, what was seen in each view, undo and redo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from string import ascii_lowercase
from typing import TYPE_CHECKING, Any, NamedTuple

from spinescrew.errors import InputError
from spinescrew.planning.history import History
from spinescrew.radiographs.regrid import with_whole_views

if TYPE_CHECKING:
    from spinescrew.radiographs.pose import PosedScrew, PoseResult
    from spinescrew.radiographs.seen import SeenScrew


ABOUT_IMAGES = "image "
"""Begins doubts that no correction of poses takes away."""


class Candidate(NamedTuple):
    """A screw as one view shows it: its number, or a letter where it belongs to no screw."""

    name: str
    seen: SeenScrew
    matched: bool


class Correction(NamedTuple):
    """One correction by hand, not solved yet.

    Attributes
    ----------
    name:
        As menus show it.
    before:
        The poses that it corrects.
    solve:
        Solves it; touches nothing, so that it may run in a thread of its own.
    seen, view_index:
        The screw that is in hand afterwards: the one with this in that view.
    """

    name: str
    before: PoseResult
    solve: Callable[[], PoseResult]
    seen: SeenScrew | None
    view_index: int


class PoseSession:
    """The poses that windows show and correct.

    Every correction solves again at once and can be taken back. What cannot be solved raises
    :class:`spinescrew.errors.SpineScrewError`, and nothing is changed.

    Attributes
    ----------
    selected:
        Number of the screw in hand, or ``None``.
    on_change:
        Called after each selection and each correction.
    """

    def __init__(self, result: PoseResult) -> None:
        self._history: History[PoseResult] = History(result)
        self._doubts = tuple(words for words in result.warnings if words.startswith(ABOUT_IMAGES))
        self.selected: int | None = result.screws[0].number if result.screws else None
        self.on_change: list[Callable[[], None]] = []

    @property
    def result(self) -> PoseResult:
        """The poses as they stand."""
        return self._history.current

    @property
    def history(self) -> History[PoseResult]:
        """For its names; change it through the session only."""
        return self._history

    @property
    def in_hand(self) -> PosedScrew | None:
        """The screw in hand."""
        return next((screw for screw in self.result.screws if screw.number == self.selected), None)

    def screw(self, number: int) -> PosedScrew:
        """A screw by its number; :class:`InputError` if there is none."""
        found = next((screw for screw in self.result.screws if screw.number == number), None)
        if found is None:
            raise InputError(f"there is no screw {number}; select one of the table")
        return found

    def select(self, number: int | None) -> None:
        """Take a screw in hand."""
        if number is not None:
            self.screw(number)
        if number != self.selected:
            self.selected = number
            self._tell()

    def select_next(self, step: int) -> None:
        """The next screw (``step`` 1) or the one before (-1), around."""
        numbers = [screw.number for screw in self.result.screws]
        if numbers:
            at = numbers.index(self.selected) if self.selected in numbers else -max(step, 0)
            self.select(numbers[(at + step) % len(numbers)])

    def seen(self, view_index: int) -> tuple[Candidate, ...]:
        """What a view shows: the screws by number, then those that belong to none."""
        matched = [Candidate(str(screw.number), screw.seen[view_index], True) for screw in self.result.screws]
        alone = self.result.unmatched[view_index]
        return (*matched, *(Candidate(letter, one, False) for letter, one in zip(_letters(), alone, strict=False)))

    def match(self, first: str, second: str) -> None:
        """:meth:`match_correction`, solved and applied now."""
        self._do(self.match_correction(first, second))

    def place_axis(self, number: int, view_index: int, neck: Any, tip: Any) -> None:
        """:meth:`axis_correction`, solved and applied now."""
        self._do(self.axis_correction(number, view_index, neck, tip))

    def match_correction(self, first: str, second: str) -> Correction | None:
        """That screw ``first`` of view 1 is ``second`` of view 2; an empty name: it is in the other view not.

        Where both belonged to other screws, these swap what they lose. ``None`` where it is so already.
        """
        one = self._named(0, first) if first else None
        two = self._named(1, second) if second else None
        pairs = {str(screw.number): (screw.seen[0], screw.seen[1]) for screw in self.result.screws}
        if (first == second and first in pairs) or (one is None and two is None):
            return None
        mine, other = pairs.pop(first, None), pairs.pop(second, None)
        found = list(pairs.values())
        if one is not None and two is not None:
            found.append((one, two))
            if mine is not None and other is not None:
                found.append((other[0], mine[1]))
        name = f"match {first or 'nothing'} with {second or 'nothing'}"
        return self._correction(name, lambda result, pose: pose.with_match(result, found), one, 0)

    def axis_correction(self, number: int, view_index: int, neck: Any, tip: Any) -> Correction:
        """The axis of a screw in one view, as someone sees it there: from ``neck`` to ``tip``, pixels of its maps."""
        seen = self.screw(number).seen[1 - view_index]
        return self._correction(
            f"axis of screw {number} in view {view_index + 1}",
            lambda result, pose: pose.with_axis(result, number, view_index, neck, tip),
            seen,
            1 - view_index,
        )

    def apply(self, correction: Correction, result: PoseResult) -> None:
        """What a correction was solved to; :class:`InputError` if another one came between."""
        if correction.before is not self.result:
            raise InputError("the screws were corrected meanwhile; do it once more")
        self._history.do(result, correction.name)
        for screw in result.screws:
            if correction.seen is not None and screw.seen[correction.view_index] is correction.seen:
                self.selected = screw.number
        self._settle()

    def undo(self) -> None:
        """The last correction taken back; :class:`InputError` if there is none."""
        self._history.undo()
        self._settle()

    def redo(self) -> None:
        """The correction taken back last, made again; :class:`InputError` if there is none."""
        self._history.redo()
        self._settle()

    def _named(self, view_index: int, name: str) -> SeenScrew:
        found = next((candidate.seen for candidate in self.seen(view_index) if candidate.name == name), None)
        if found is None:
            raise InputError(f"view {view_index + 1} shows no screw '{name}'; choose one of the list")
        return found

    def _do(self, correction: Correction | None) -> None:
        if correction is not None:
            self.apply(correction, correction.solve())

    def _correction(
        self, name: str, work: Callable[[PoseResult, Any], PoseResult], seen: SeenScrew | None, view_index: int
    ) -> Correction:
        before, doubts = self.result, self._doubts

        def solve() -> PoseResult:
            from spinescrew.radiographs import pose

            solved = work(before, pose)
            if solved.given_views is not before.given_views:  # those of the maps, where the images are finer
                solved = with_whole_views(solved, before.given_views)
            told = (*(words for words in doubts if words not in solved.warnings), *solved.warnings)
            return replace(solved, warnings=told)

        return Correction(name, before, solve, seen, view_index)

    def _settle(self) -> None:
        if self.in_hand is None:
            self.selected = self.result.screws[0].number if self.result.screws else None
        self._tell()

    def _tell(self) -> None:
        for listener in tuple(self.on_change):
            listener()


def _letters() -> Any:
    """a, b, ... z, aa, ab ..."""
    yield from ascii_lowercase
    for first in ascii_lowercase:
        for second in ascii_lowercase:
            yield first + second
