"""Long work of the C2 tab: judge both pedicles, and hand the case out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from spinescrew.geometry.volume import Volume
from spinescrew.viewer.c2_desk import C2Desk
from spinescrew.viewer.downloads import Downloads
from spinescrew.viewer.errands import Workshop
from spinescrew.viewer.jobs import Jobs


class C2Errands:
    """What the tab asks the workshop for.

    Parameters
    ----------
    ct:
        The CT that the planner has open, if it has one.
    """

    def __init__(
        self, desk: C2Desk, workshop: Workshop, downloads: Downloads, jobs: Jobs, ct: Callable[[], Volume | None]
    ) -> None:
        self.desk, self.workshop, self.downloads, self.jobs, self._ct = desk, workshop, downloads, jobs, ct

    async def judge(self) -> None:
        """Run the networks, and show what they and the geometry say."""
        await self.jobs.run(lambda: self.workshop.judge(self._ct()), self.desk.show, self.desk.tell)

    async def export(self) -> None:
        """Report, screws and everything as a zip, for download."""
        desk = self.desk
        if desk.case is None or desk.found is None:
            return
        found, plan, spine = desk.found, desk.case.session.plan, desk.case.session.spine
        folder, archive = self.downloads.folder / "c2", self.downloads.folder / "c2.zip"

        async def done(paths: tuple[Path, ...]) -> None:
            offers = dict(zip(("report", "plan", "archive"), paths, strict=True))
            desk.mark_saved(plan)
            with desk.state as state:
                state.exported = {name: self.downloads.offer(path, path.name) for name, path in offers.items()}

        await self.jobs.run(lambda: self.workshop.export_c2(found, plan, spine, folder, archive), done, desk.tell)
