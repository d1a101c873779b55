"""Long work on the case of the planner: open, rename levels, save, export."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from spinescrew.anatomy.levels import Level, parse_level
from spinescrew.anatomy.relabel import check_names, relabel, shifted, spatial_order
from spinescrew.anatomy.vertebra import Spine
from spinescrew.errors import InputError
from spinescrew.exchange.journal import Unsaved, discard, unsaved_work
from spinescrew.feasibility.assessment import C2Assessment
from spinescrew.geometry.volume import Volume
from spinescrew.planning.edits import renamed
from spinescrew.planning.plan import Plan
from spinescrew.viewer.case_desk import CaseDesk
from spinescrew.viewer.downloads import Downloads
from spinescrew.viewer.jobs import Job, Jobs
from spinescrew.viewer.opened import Identified, Opened, Posed


class Workshop(Protocol):
    """Who does the work."""

    def open(self) -> Job:
        """The case that was asked for, as :class:`Opened`."""

    def judge(self, ct: Volume | None) -> Job:
        """Both pedicles of C2 in ``ct``, or in the image that was asked for, as :class:`Judged`."""

    def measure(self, labels: Volume, ct: Volume | None, levels: tuple[Level, ...]) -> Job:
        """The vertebrae, as :class:`Spine`."""

    def export(self, plan: Plan, spine: Spine, folder: Path, archive: Path | None) -> Job:
        """The paths of report and plan in ``folder``, and of the archive where one is wanted."""

    def find_screws(
        self, images: tuple[Path, ...], geometry: Path | None, sizes: str, planned: tuple[Plan, Spine] | None
    ) -> Job:
        """The screws of two radiographs, as :class:`Posed`; of the built-in pair without any file.

        Beside them the plan that they were to follow, where there is one, and the spine it was made on.
        """

    def export_pose(self, posed: Posed, folder: Path, archive: Path) -> Job:
        """The paths of report, poses and archive."""

    def identify(self, images: tuple[Path, ...]) -> Job:
        """Which system one or two radiographs show, as :class:`Identified`; of the built-in pair without any file."""

    def export_brand(self, found: Identified, folder: Path, archive: Path) -> Job:
        """The paths of report, answer and archive."""

    def export_c2(self, found: C2Assessment, plan: Plan, spine: Spine, folder: Path, archive: Path) -> Job:
        """The paths of report, plan and archive."""


class Errands:
    """Long work on the case of the planner."""

    def __init__(self, desk: CaseDesk, workshop: Workshop, downloads: Downloads, jobs: Jobs) -> None:
        self.desk, self.workshop, self.downloads, self.jobs = desk, workshop, downloads, jobs
        self._found: Unsaved | None = None

    async def open(self) -> None:
        """Open what was asked for; unsaved work on it is offered."""

        async def done(opened: Opened) -> None:
            await self.desk.open(opened)
            self._offer_recovery(opened)

        await self._run(self.workshop.open, done)

    async def apply_names(self) -> None:
        """Call the vertebrae as the page has it; their screws stay in their bone and are graded anew."""
        desk = self.desk
        session = desk.session
        if session is None:
            return
        names = dict(desk.names)
        try:
            fresh = relabel(session.spine.labels, names)
        except InputError as error:
            desk.tell(str(error), True)
            return
        levels = tuple(dict.fromkeys(row.level for row in renamed(session.plan, names).screws))

        async def done(spine: Spine) -> None:
            now, opened = desk.session, desk.opened
            if now is None or opened is None:
                return
            # what was edited and typed while the vertebrae were measured is kept
            heard = desk.names
            plan, automatic = renamed(now.plan, names), renamed(now.automatic, names)
            plan = replace(plan, input_hash={**plan.input_hash, "labels": spine.labels.content_hash()})
            await desk.open(replace(opened, plan=plan, automatic=automatic, spine=spine), unsaved=True)
            typed = {names.get(level, level): name for level, name in heard.items()}
            desk.names = {level: name for level, name in typed.items() if level != name}
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

    def _offer_recovery(self, opened: Opened) -> None:
        folder = self.desk.journal_folder
        if folder is None or not folder.is_dir():
            return
        found = unsaved_work(folder, opened.spine.labels.content_hash())
        self._found = found[0] if found else None
        with self.desk.state as state:
            state.recover = self._found.steps if self._found is not None else 0

    async def _run(self, make: Callable[[], Job], done: Callable[[Any], Awaitable[None]]) -> None:
        try:
            await self.jobs.run(make, done, self.desk.tell)
        finally:
            self.desk.refresh()
