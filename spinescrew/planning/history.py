"""Undo and redo of edits, in plain Python."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from spinescrew.errors import InputError

T = TypeVar("T")


class _Step(NamedTuple, Generic[T]):
    """An edit by the name menus show, and the plan on its other side."""

    name: str
    plan: T


class History(Generic[T]):
    """The plan (or the poses: any value) as it stands, and the way back and forth through its edits.

    Plans are values, so a step costs one row. Beyond ``limit`` steps the oldest are forgotten.

    Examples
    --------
    >>> from spinescrew.planning.plan import Plan
    >>> history = History(Plan())
    >>> history.do(Plan(engine="other"), "change the engine").engine
    'other'
    >>> history.undo_name
    'change the engine'
    >>> history.undo().engine
    'geometry'
    """

    def __init__(self, plan: T, limit: int = 500) -> None:
        if limit < 1:
            raise InputError(f"a history needs room for at least one step, got {limit}")
        self._current = plan
        self._past: deque[_Step[T]] = deque(maxlen=limit)
        self._future: list[_Step[T]] = []

    @property
    def current(self) -> T:
        """The plan as it stands."""
        return self._current

    @property
    def can_undo(self) -> bool:
        """Whether there is an edit to take back."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Whether there is an edit to make again."""
        return bool(self._future)

    @property
    def undo_name(self) -> str:
        """Name of the edit that :meth:`undo` takes back; empty if there is none."""
        return self._past[-1].name if self._past else ""

    @property
    def redo_name(self) -> str:
        """Name of the edit that :meth:`redo` makes again; empty if there is none."""
        return self._future[-1].name if self._future else ""

    @property
    def names(self) -> tuple[str, ...]:
        """The edits that can be taken back, oldest first."""
        return tuple(step.name for step in self._past)

    def do(self, plan: T, name: str) -> T:
        """``plan`` becomes the current one by an edit called ``name``; what had been taken back is forgotten."""
        self._past.append(_Step(name, self._current))
        self._future.clear()
        self._current = plan
        return plan

    def amend(self, plan: T) -> T:
        """``plan`` becomes the current one as part of the last edit: no step of its own, nothing is forgotten."""
        self._current = plan
        return plan

    def rewrite(self, function: Callable[[T], T]) -> T:
        """Every plan of the history replaced by ``function`` of it, for news that hold whichever edit is taken back."""
        self._past = deque((_Step(name, function(plan)) for name, plan in self._past), maxlen=self._past.maxlen)
        self._future = [_Step(name, function(plan)) for name, plan in self._future]
        self._current = function(self._current)
        return self._current

    def undo(self) -> T:
        """The last edit taken back; :class:`InputError` if there is none."""
        if not self._past:
            raise InputError("there is nothing to undo")
        name, plan = self._past.pop()
        self._future.append(_Step(name, self._current))
        self._current = plan
        return plan

    def redo(self) -> T:
        """The edit taken back last, made again; :class:`InputError` if there is none."""
        if not self._future:
            raise InputError("there is nothing to redo")
        name, plan = self._future.pop()
        self._past.append(_Step(name, self._current))
        self._current = plan
        return plan
