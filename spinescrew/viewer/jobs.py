"""Work for the page in processes of its own: one job at a time, with progress, an end and a cancel."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol

from spinescrew.errors import SpineScrewError
from spinescrew.progress import Cancelled

Tell = Callable[[str, bool], None]
"""One line to the person, and whether it is a problem."""

_POLL_S = 0.15


class Job(Protocol):
    """Work in another process, as :class:`spinescrew.cohort.background.BackgroundJob` does it."""

    def start(self) -> Any:
        """Begin."""

    def poll(self) -> Any:
        """``fraction``, ``text`` and ``finished``."""

    def result(self) -> Any:
        """What came of it, or what was wrong."""

    def cancel(self) -> None:
        """End it; nothing is changed."""


class Jobs:
    """One job at a time; the page shows how far it is, and its end.

    Parameters
    ----------
    state:
        trame's shared state.
    tell:
        Who hears of a defect of the program.
    """

    def __init__(self, state: Any, tell: Tell) -> None:
        self.state, self._tell = state, tell
        self._job: Job | None = None
        self._heard_by: Tell = tell
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, errand: Coroutine[Any, Any, None]) -> None:
        """Go on an errand and come back at once: the server hears no page while it waits for that page's call."""
        task = asyncio.get_running_loop().create_task(errand)
        self._tasks.add(task)  # or it may be collected before it is done
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._tell(f"a defect of the program ended this ({type(error).__name__}: {error}); please report it", True)

    @property
    def busy(self) -> bool:
        """Whether a job runs."""
        return self._job is not None

    def cancel(self) -> None:
        """End the job; everything is as it was."""
        job, self._job = self._job, None
        if job is not None:
            job.cancel()
            self._heard_by("Cancelled; nothing was changed.", False)

    async def run(self, make: Callable[[], Job], done: Callable[[Any], Awaitable[None]], tell: Tell) -> None:
        """Start a job, watch it, and do what is to be done with its result; ``tell`` hears what goes wrong."""
        if self.busy:
            tell("Wait for the present work to end, or cancel it.", True)
            return
        self._heard_by = tell
        with self.state as state:
            state.busy, state.job_text, state.job_fraction = True, "starting", 0.0
            tell("", False)
        try:
            job = self._job = make()
            await asyncio.get_running_loop().run_in_executor(None, job.start)
            result = await self._result(job)
            if self._job is job:
                await done(result)
        except Cancelled:
            pass
        except SpineScrewError as error:
            tell(str(error), True)
        finally:
            self._job = None
            with self.state as state:
                state.busy = False

    async def _result(self, job: Job) -> Any:
        while True:
            told = job.poll()
            if told.finished:
                return job.result()
            with self.state as state:
                state.job_fraction, state.job_text = round(100 * told.fraction), told.text
            await asyncio.sleep(_POLL_S)
