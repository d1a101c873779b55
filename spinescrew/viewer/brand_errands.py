"""Long work of the brand tab: take films, ask which system they show, and hand the answer out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from spinescrew.errors import InputError
from spinescrew.viewer.brand_desk import BrandDesk
from spinescrew.viewer.downloads import Downloads
from spinescrew.viewer.errands import Workshop
from spinescrew.viewer.handed import checked_file
from spinescrew.viewer.jobs import Jobs
from spinescrew.viewer.opened import BrandTarget, Identified

PLACES = ("first", "second")


class BrandErrands:
    """What the tab asks the workshop for.

    Parameters
    ----------
    target:
        Films that were named when the planner was started.
    """

    def __init__(
        self, desk: BrandDesk, workshop: Workshop, downloads: Downloads, jobs: Jobs, target: BrandTarget
    ) -> None:
        self.desk, self.workshop, self.downloads, self.jobs = desk, workshop, downloads, jobs
        images = (*target.images, None, None)
        self._files: dict[str, Path | None] = dict(zip(PLACES, images, strict=False))
        self._names = {place: path.name if path is not None else "" for place, path in self._files.items()}
        self._taken = 0
        self._tell_files()

    def take(self, place: str, file: Any) -> None:
        """A film from the browser: for ``place``, or, where that is empty, for the first that has none."""
        try:
            name, content = checked_file(file)
        except InputError as error:
            self.desk.tell(str(error), True)
            return
        if place not in PLACES:
            place = PLACES[0] if self._files[PLACES[0]] is None else PLACES[1]
        self._taken += 1
        path = self.downloads.folder / "films" / f"{self._taken}{Path(name).suffix.lower()}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        self._files[place], self._names[place] = path, name
        self._tell_files()

    def drop(self, place: str) -> None:
        """One film less."""
        if place in PLACES:
            self._files[place], self._names[place] = None, ""
            self._tell_files()

    def forget(self) -> None:
        """No films: the built-in pair."""
        self._files, self._names = dict.fromkeys(PLACES), dict.fromkeys(PLACES, "")
        self._tell_files()

    async def identify(self) -> None:
        """Ask which system the films show."""
        images = tuple(path for path in self._files.values() if path is not None)
        shown = [name for name in self._names.values() if name]
        self.desk.look_for_models()

        async def done(found: Identified) -> None:
            await self.desk.show(replace(found, name=", ".join(shown) or found.name))

        await self.jobs.run(lambda: self.workshop.identify(images), done, self.desk.tell)

    async def export(self) -> None:
        """Report, answer and everything as a zip, for download."""
        found = self.desk.found
        if found is None:
            return
        folder, archive = self.downloads.folder / "brand", self.downloads.folder / "brand.zip"

        async def done(paths: tuple[Path, ...]) -> None:
            offers = dict(zip(("report", "plan", "archive"), paths, strict=True))
            with self.desk.state as state:
                state.exported = {name: self.downloads.offer(path, path.name) for name, path in offers.items()}

        await self.jobs.run(lambda: self.workshop.export_brand(found, folder, archive), done, self.desk.tell)

    def _tell_files(self) -> None:
        with self.desk.state as state:
            state.brand_files = dict(self._names)
