"""Work in a thread of its own, for windows and pages that must stay alive meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from spinescrew.progress.progress import Cancelled, Listener, Progress

T = TypeVar("T")


class Job(Generic[T]):
    """A function ``work(progress)`` that runs in the background.

    The listener is called from the worker thread: a window hands the values over to its own thread. Example::

        job = Job(lambda progress: plan_spine(spine, progress=progress)).start()
        ...
        job.cancel()
        plan = job.result(timeout=60)      # raises what the work raised, or Cancelled
    """

    def __init__(self, work: Callable[[Progress], T], listener: Listener | None = None) -> None:
        self.progress = Progress(listener)
        self._work = work
        self._value: T | None = None
        self._error: BaseException | None = None
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> Job[T]:
        """Start the work; returns itself."""
        self._thread.start()
        return self

    def _run(self) -> None:
        try:
            self._value = self._work(self.progress)
        except BaseException as error:
            self._error = error
        finally:
            self._done.set()

    def cancel(self) -> None:
        """Ask the work to stop; :meth:`result` then raises :class:`Cancelled`."""
        self.progress.cancel()

    @property
    def done(self) -> bool:
        """Whether the work has ended, well or not."""
        return self._done.is_set()

    @property
    def cancelled(self) -> bool:
        """Whether the work ended because of a cancel."""
        return isinstance(self._error, Cancelled)

    def result(self, timeout: float | None = None) -> T:
        """Wait for the work and return its value.

        Raises
        ------
        TimeoutError
            If the work is still running after ``timeout`` seconds.
        """
        if not self._done.wait(timeout):
            raise TimeoutError(f"the work is still running after {timeout} s")
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]
