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
        """Say that screw ``first`` of view 1 is ``second`` of view 2; an empty name: it is in the other view not.

        Where both belonged to other screws, these swap what they lose.
        """
        one = self._named(0, first) if first else None
        two = self._named(1, second) if second else None
        pairs = {str(screw.number): (screw.seen[0], screw.seen[1]) for screw in self.result.screws}
        if (first == second and first in pairs) or (one is None and two is None):
            return
        mine, other = pairs.pop(first, None), pairs.pop(second, None)
        found = list(pairs.values())
        if one is not None and two is not None:
            found.append((one, two))
            if mine is not None and other is not None:
                found.append((other[0], mine[1]))
        name = f"match {first or 'nothing'} with {second or 'nothing'}"
        self._solve(name, lambda result, pose: pose.with_match(result, found))
        self._take(one, 0)

    def place_axis(self, number: int, view_index: int, neck: Any, tip: Any) -> None:
        """The axis of a screw in one view, as someone sees it there: from ``neck`` to ``tip``, pixels of its maps."""
        old = self.screw(number)
        name = f"axis of screw {number} in view {view_index + 1}"
        self._solve(name, lambda result, pose: pose.with_axis(result, number, view_index, neck, tip))
        self._take(old.seen[1 - view_index], 1 - view_index)

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

    def _solve(self, name: str, work: Callable[[PoseResult, Any], PoseResult]) -> None:
        from spinescrew.radiographs import pose

        before = self.result
        solved = work(before, pose)
        if solved.given_views is not before.given_views:  # those of the maps, where the images are finer
            solved = with_whole_views(solved, before.given_views)
        told = (*(words for words in self._doubts if words not in solved.warnings), *solved.warnings)
        self._history.do(replace(solved, warnings=told), name)

    def _take(self, seen: SeenScrew | None, view_index: int) -> None:
        """In hand: the screw that was solved from what a view shows; numbers may have changed."""
        found = next(
            (one.number for one in self.result.screws if seen is not None and one.seen[view_index] is seen), None
        )
        self.selected = found if found is not None else self.selected
        self._settle()

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
