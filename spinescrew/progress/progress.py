"""How a function that takes long says how far it is, and hears that it should stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Listener = Callable[[float, str], None]


class Cancelled(Exception):
    """Raised inside long work after somebody asked it to stop."""


class Progress:
    """Progress of one piece of work, split into named steps whose times are kept.

    A function that takes long accepts ``progress: Progress | None`` and calls :meth:`update` often. Each call is
    also the place where a cancel takes effect. Example::

        progress = Progress(lambda fraction, text: print(f"{fraction:4.0%} {text}"))
        with progress.step("read the CT", 0.0, 0.2) as part:
            part.update(0.5, "slice 100 of 200")

    Parameters
    ----------
    listener:
        Called with the overall fraction in [0, 1] and a text for people.
    """

    def __init__(self, listener: Listener | None = None) -> None:
        self._listener = listener
        self._cancel = threading.Event()
        self._start = 0.0
        self._stop = 1.0
        self.timings_s: dict[str, float] = {}

    def update(self, fraction: float, text: str = "") -> None:
        """Report ``fraction`` in [0, 1] of this part; raises :class:`Cancelled` if a cancel was asked for."""
        self.check()
        if self._listener is not None:
            inside = min(max(fraction, 0.0), 1.0)
            self._listener(self._start + (self._stop - self._start) * inside, text)

    def check(self) -> None:
        """Raise :class:`Cancelled` if a cancel was asked for."""
        if self._cancel.is_set():
            raise Cancelled

    def cancel(self) -> None:
        """Ask the work to stop at its next :meth:`update` or :meth:`check`. Safe from any thread."""
        self._cancel.set()

    @property
    def cancelled(self) -> bool:
        """Whether a cancel was asked for."""
        return self._cancel.is_set()

    def part(self, start: float, stop: float) -> Progress:
        """A progress for the sub-range [start, stop] of this one; cancel and timings are shared."""
        child = Progress(self._listener)
        child._cancel = self._cancel
        child.timings_s = self.timings_s
        width = self._stop - self._start
        child._start = self._start + width * start
        child._stop = self._start + width * stop
        return child

    @contextmanager
    def step(self, name: str, start: float = 0.0, stop: float = 1.0) -> Iterator[Progress]:
        """A named step over [start, stop]; its wall time is added to ``timings_s[name]``."""
        child = self.part(start, stop)
        child.update(0.0, name)
        began = time.perf_counter()
        try:
            yield child
        finally:
            self.timings_s[name] = self.timings_s.get(name, 0.0) + time.perf_counter() - began
        child.update(1.0, name)
