"""Frames and timers of an asyncio loop, for a scene that lives in a server."""

from __future__ import annotations

import asyncio

from spinescrew.scene.host import Work

FRAME_S = 0.016


class LoopHost:
    """:class:`spinescrew.scene.host.Host` on the event loop that runs now: work of one frame is done together, once."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._due: list[Work] = []
        self._frame: asyncio.TimerHandle | None = None
        self._last = -FRAME_S
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def soon(self, work: Work) -> None:
        """Call ``work`` once at the next frame, which comes at once after a pause."""
        if work not in self._due:
            self._due.append(work)
        if self._frame is None:
            self._frame = self._loop.call_at(max(self._loop.time(), self._last + FRAME_S), self._on_frame)

    def later(self, name: str, seconds: float, work: Work) -> None:
        """Call ``work`` in ``seconds``, counted anew each time it is asked for."""
        if name in self._timers:
            self._timers.pop(name).cancel()
        self._timers[name] = self._loop.call_later(seconds, self._on_time, name, work)

    def stop(self) -> None:
        """Forget everything that was asked for."""
        if self._frame is not None:
            self._frame.cancel()
        for timer in self._timers.values():
            timer.cancel()
        self._due, self._frame, self._timers = [], None, {}

    def _on_frame(self) -> None:
        self._frame, self._last = None, self._loop.time()
        due, self._due = self._due, []
        for work in due:
            work()

    def _on_time(self, name: str, work: Work) -> None:
        self._timers.pop(name, None)
        work()
