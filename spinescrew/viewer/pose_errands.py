"""Long work of the pose tab: take files, solve them, and hand the case out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from spinescrew.anatomy.vertebra import Spine
from spinescrew.errors import InputError
from spinescrew.planning.plan import Plan
from spinescrew.viewer.downloads import Downloads
from spinescrew.viewer.errands import Workshop
from spinescrew.viewer.handed import checked_file
from spinescrew.viewer.jobs import Jobs
from spinescrew.viewer.opened import Posed, PoseTarget
from spinescrew.viewer.pose_desk import PoseDesk

GEOMETRY_ENDING = ".json"
PLACES = ("first", "second", "geometry")


class PoseErrands:
    """What the tab asks the workshop for.

    Parameters
    ----------
    target:
        Files that were named when the planner was started.
    planned:
        The plan that the planner has open, with its spine, if that has an image.
    """

    def __init__(
        self,
        desk: PoseDesk,
        workshop: Workshop,
        downloads: Downloads,
        jobs: Jobs,
        target: PoseTarget,
        planned: Callable[[], tuple[Plan, Spine] | None],
    ) -> None:
        self._planned = planned
        self.desk, self.workshop, self.downloads, self.jobs = desk, workshop, downloads, jobs
        named = zip(PLACES, (*target.images, *[None] * (2 - len(target.images)), target.geometry), strict=True)
        self._files: dict[str, Path | None] = dict(named)
        self._names = {place: path.name if path is not None else "" for place, path in self._files.items()}
        self._sizes = ", ".join(f"{diameter:g}x{length:g}" for diameter, length in target.sizes)
        self._taken = 0
        self._tell_files()

    def take(self, place: str, file: Any) -> None:
        """A file from the browser: for ``place``, or, where that is empty, for the first that wants one of its kind."""
        try:
            name, content = checked_file(file)
        except InputError as error:
            self.desk.tell(str(error), True)
            return
        if place not in PLACES:
            place = self._place_for(name)
        self._taken += 1
        path = self.downloads.folder / "radiographs" / f"{self._taken}{Path(name).suffix.lower()}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        self._files[place], self._names[place] = path, name
        self._tell_files()

    def swap(self) -> None:
        """First and second image the other way round; the geometry stays."""
        files, names = self._files, self._names
        files["first"], files["second"] = files["second"], files["first"]
        names["first"], names["second"] = names["second"], names["first"]
        self._tell_files()

    def forget(self) -> None:
        """No files: the built-in pair."""
        self._files, self._names = dict.fromkeys(PLACES), dict.fromkeys(PLACES, "")
        self._tell_files()

    def set_sizes(self, text: str) -> None:
        """Diameter x length of the screws, as typed."""
        self._sizes = str(text)
        self._tell_files()

    async def solve(self) -> None:
        """Find the screws, and show where each stands."""
        images = tuple(path for path in (self._files["first"], self._files["second"]) if path is not None)
        geometry, sizes, names = self._files["geometry"], self._sizes, dict(self._names)
        planned = self._planned() if self.desk.state.pose_compare else None

        async def done(posed: Posed) -> None:
            shown = [names[place] for place in PLACES[:2] if names[place]]
            await self.desk.show(replace(posed, name=", ".join(shown) or posed.name))

        await self.jobs.run(lambda: self.workshop.find_screws(images, geometry, sizes, planned), done, self.desk.tell)

    async def export(self) -> None:
        """Report, poses and everything as a zip, for download."""
        posed = self.desk.corrected()
        if posed is None:
            return
        folder, archive = self.downloads.folder / "screws", self.downloads.folder / "screws.zip"

        async def done(paths: tuple[Path, ...]) -> None:
            offers = dict(zip(("report", "plan", "archive"), paths, strict=True))
            self.desk.mark_saved(posed.result)
            with self.desk.state as state:
                state.exported = {name: self.downloads.offer(path, path.name) for name, path in offers.items()}

        await self.jobs.run(lambda: self.workshop.export_pose(posed, folder, archive), done, self.desk.tell)

    def _place_for(self, name: str) -> str:
        if name.lower().endswith(GEOMETRY_ENDING):
            return "geometry"
        return "first" if self._files["first"] is None else "second"

    def _tell_files(self) -> None:
        with self.desk.state as state:
            state.pose_files = {**self._names, "sizes": self._sizes}
