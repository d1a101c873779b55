"""What a scene needs from the program it lives in: the next frame, and a clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

Work = Callable[[], None]


class Host(Protocol):
    """Slicer gives timers, a browser its event loop; both call back on the thread that owns the scene."""

    def soon(self, work: Work) -> None:
        """Call ``work`` once at the next frame, however often it is asked for until then."""

    def later(self, name: str, seconds: float, work: Work) -> None:
        """Call ``work`` in ``seconds``; asking again under the same ``name`` starts the wait anew."""

    def stop(self) -> None:
        """Forget everything that was asked for."""


class DirectHost:
    """For scripts and tests: the next frame is now, and what should come later waits for :meth:`run_later`."""

    def __init__(self) -> None:
        self.waiting: dict[str, Work] = {}

    def soon(self, work: Work) -> None:
        """Call ``work`` now."""
        work()

    def later(self, name: str, seconds: float, work: Work) -> None:
        """Keep ``work`` until :meth:`run_later`."""
        self.waiting[name] = work

    def stop(self) -> None:
        """Forget what waits."""
        self.waiting.clear()

    def run_later(self) -> None:
        """Do all that waits."""
        waiting, self.waiting = self.waiting, {}
        for work in waiting.values():
            work()


class FrameHost(DirectHost):
    """A host whose frames are given by hand: what should come soon waits for :meth:`frame`, each work once."""

    def __init__(self) -> None:
        super().__init__()
        self.next_frame: list[Work] = []

    def soon(self, work: Work) -> None:
        """Keep ``work`` for the next frame; a bound method that is there already is kept once."""
        if work not in self.next_frame:
            self.next_frame.append(work)

    def frame(self) -> None:
        """The next frame is here."""
        due, self.next_frame = self.next_frame, []
        for work in due:
            work()

    def stop(self) -> None:
        """Forget what waits."""
        super().stop()
        self.next_frame.clear()
