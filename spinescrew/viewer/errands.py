"""Long work for the page, each in a process of its own: open, rename levels, save, export; with progress and cancel."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from spinescrew.anatomy.levels import Level, parse_level
from spinescrew.anatomy.relabel import check_names, relabel, shifted, spatial_order
from spinescrew.anatomy.vertebra import Spine
from spinescrew.errors import InputError, SpineScrewError
from spinescrew.exchange.journal import Unsaved, discard, unsaved_work
from spinescrew.geometry.volume import Volume
from spinescrew.planning.edits import renamed
from spinescrew.planning.plan import Plan
from spinescrew.progress import Cancelled
from spinescrew.viewer.desk import Desk
from spinescrew.viewer.downloads import Downloads
from spinescrew.viewer.opened import Opened

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


class Workshop(Protocol):
    """Who does the work."""

    def open(self) -> Job:
        """The case that was asked for, as :class:`Opened`."""

    def measure(self, labels: Volume, ct: Volume | None, levels: tuple[Level, ...]) -> Job:
        """The vertebrae, as :class:`Spine`."""

    def export(self, plan: Plan, spine: Spine, folder: Path, archive: Path | None) -> Job:
        """The paths of report and plan in ``folder``, and of the archive where one is wanted."""


class Errands:
    """One job at a time; the page shows how far it is, and its end."""

    def __init__(self, desk: Desk, workshop: Workshop, downloads: Downloads) -> None:
        self.desk, self.workshop, self.downloads = desk, workshop, downloads
        self._job: Job | None = None
        self._found: Unsaved | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, errand: Coroutine[Any, Any, None]) -> None:
        """Go on an errand and come back at once: the server hears no page while it waits for that page's call."""
        task = asyncio.get_running_loop().create_task(errand)
        self._tasks.add(task)  # or it may be collected before it is done
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.desk.tell(
                f"a defect of the program ended this ({type(error).__name__}: {error}); please report it", True
            )

    @property
    def busy(self) -> bool:
        """Whether a job runs."""
        return self._job is not None

    async def open(self) -> None:
        """Open what was asked for; unsaved work on it is offered."""

        async def done(opened: Opened) -> None:
            await self.desk.open(opened)
            self._offer_recovery(opened)

        await self._run(self.workshop.open, done)

    async def apply_names(self) -> None:
        """Call the vertebrae as the page has it; their screws stay in their bone and are graded anew."""
        desk = self.desk
        session, opened = desk.session, desk.opened
        if session is None or opened is None:
            return
        labels, names = session.spine.labels, dict(desk.names)
        try:
            fresh = relabel(labels, names)
        except InputError as error:
            desk.tell(str(error), True)
            return
        plan, automatic = renamed(session.plan, names), renamed(session.automatic, names)
        levels = tuple(dict.fromkeys(row.level for row in plan.screws))

        async def done(spine: Spine) -> None:
            hashes = {**plan.input_hash, "labels": spine.labels.content_hash()}
            now = replace(plan, input_hash=hashes)
            await desk.open(replace(opened, plan=now, automatic=automatic, spine=spine), unsaved=True)
            desk.tell("The levels were renamed; screws kept their bone. Undo begins anew. Save or export to keep it.")

        await self._run(lambda: self.workshop.measure(fresh, session.spine.ct, levels), done)

    def set_name(self, now: str, name: str) -> None:
        """Call one vertebra otherwise, from :meth:`apply_names` on."""
        try:
            self.desk.names[parse_level(now)] = parse_level(name)
        except InputError as error:
            self.desk.tell(str(error), True)
        self.desk.refresh()

    def shift_names(self, step: int) -> None:
        """Call every vertebra by the name of the one below it (``step`` -1: above), from :meth:`apply_names` on."""
        session = self.desk.session
        if session is None:
            return
        order = spatial_order(session.spine.labels)
        now = {level: self.desk.names.get(level, level) for level in order}
        try:
            moved = shifted(now.values(), step)
            names = {level: moved[name] for level, name in now.items()}
            check_names(names, order)
            self.desk.names = names
        except InputError as error:
            self.desk.tell(str(error), True)
        self.desk.refresh()

    async def export(self) -> None:
        """Report, plan and everything as a zip, for download."""
        session, opened = self.desk.session, self.desk.opened
        if session is None or opened is None:
            return
        folder, archive = self.downloads.folder / "case", self.downloads.folder / "case.zip"

        async def done(paths: tuple[Path, ...]) -> None:
            report, plan, archive = paths
            offers = {"report": report, "plan": plan, "archive": archive}
            with self.desk.state as state:
                state.exported = {name: self.downloads.offer(path, path.name) for name, path in offers.items()}

        await self._run(lambda: self.workshop.export(session.plan, session.spine, folder, archive), done)

    async def save(self) -> None:
        """Every file of the case, into the folder that it came from."""
        session, opened = self.desk.session, self.desk.opened
        if session is None or opened is None or opened.folder is None:
            return
        plan, folder = session.plan, opened.folder

        async def done(paths: tuple[Path, ...]) -> None:
            self.desk.mark_saved(plan)
            self.desk.tell(f"Saved: {paths[1].parent}")

        await self._run(lambda: self.workshop.export(plan, session.spine, folder, None), done)

    async def recover(self, wanted: bool) -> None:
        """Take unsaved work of an earlier time up again, or forget it."""
        found, self._found = self._found, None
        opened = self.desk.opened
        with self.desk.state as state:
            state.recover = 0
        if found is None or opened is None:
            return
        if wanted:
            await self.desk.open(replace(opened, plan=found.plan, automatic=found.automatic), unsaved=True)
        discard(found)

    def cancel(self) -> None:
        """End the job; everything is as it was."""
        job, self._job = self._job, None
        if job is not None:
            job.cancel()
            self.desk.tell("Cancelled; nothing was changed.")

    def _offer_recovery(self, opened: Opened) -> None:
        folder = self.desk.journal_folder
        if folder is None or not folder.is_dir():
            return
        found = unsaved_work(folder, opened.spine.labels.content_hash())
        self._found = found[0] if found else None
        with self.desk.state as state:
            state.recover = self._found.steps if self._found is not None else 0

    async def _run(self, make: Callable[[], Job], done: Callable[[Any], Awaitable[None]]) -> None:
        """Start a job, watch it, and do what is to be done with its result."""
        desk = self.desk
        if self.busy:
            desk.tell("Wait for the present work to end, or cancel it.", True)
            return
        with desk.state as state:
            state.busy, state.job_text, state.job_fraction = True, "starting", 0.0
            desk.tell("")
        try:
            job = self._job = make()
            await asyncio.get_running_loop().run_in_executor(None, job.start)
            result = await self._result(job)
            if self._job is job:
                await done(result)
        except Cancelled:
            pass
        except SpineScrewError as error:
            desk.tell(str(error), True)
        finally:
            self._job = None
            with desk.state as state:
                state.busy = False
            desk.refresh()

    async def _result(self, job: Job) -> Any:
        while True:
            told = job.poll()
            if told.finished:
                return job.result()
            with self.desk.state as state:
                state.job_fraction, state.job_text = round(100 * told.fraction), told.text
            await asyncio.sleep(_POLL_S)
