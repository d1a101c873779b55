"""Observers that can all be taken back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Observers:
    """What is observed, so that nothing stays observed afterwards."""

    def __init__(self) -> None:
        self._tags: list[tuple[Any, int, str]] = []

    def add(self, thing: Any, event: Any, function: Callable[..., None], group: str = "") -> None:
        """Call ``function(caller, event)`` (with call data where it is decorated for it) on ``event``."""
        self._tags.append((thing, thing.AddObserver(event, function), group))

    def remove(self, group: str | None = None) -> None:
        """Stop observing everything, or one ``group``."""
        kept = []
        for thing, tag, name in self._tags:
            if group is None or name == group:
                thing.RemoveObserver(tag)
            else:
                kept.append((thing, tag, name))
        self._tags = kept

    def __len__(self) -> int:
        return len(self._tags)
