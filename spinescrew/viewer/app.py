"""The planner as a program: a page, a desk behind it, and a closed door in front."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trame.app import get_server

from spinescrew.viewer.controls import Controls
from spinescrew.viewer.desk import Desk
from spinescrew.viewer.door import Door
from spinescrew.viewer.errands import Errands, Workshop
from spinescrew.viewer.page import build_page
from spinescrew.viewer.serving import Listening, run_until_terminated, serve_async
from spinescrew.viewer.widgets import Handlers

OPTIONS = ("aligned", "follow_image", "ghost", "snap", "bone", "window", "theme")


class Planner:
    """One page for one person.

    Parameters
    ----------
    workshop:
        Opens the case, and does the other long work.
    journal_folder:
        Where unsaved work is kept; nowhere when left out.
    name:
        Of trame's server; another one for each planner of a process.

    Attributes
    ----------
    desk:
        The open case; ``None`` until the server listens.
    """

    def __init__(self, workshop: Workshop, journal_folder: Path | None = None, name: str = "spinescrew") -> None:
        self.workshop, self.journal_folder = workshop, journal_folder
        self.server = get_server(name, client_type="vue3")
        self.door = Door()
        self.desk: Desk | None = None
        self._calls = Handlers()
        build_page(self.server, self._calls)
        self.server.controller.on_server_ready.add_task(self._begin)

    async def serve(self, listening: Listening, on_ready: Callable[[str], None]) -> None:
        """Until cancelled; unsaved work is kept. :class:`InputError` if it cannot listen there."""
        try:
            await serve_async(self.server, self.door, listening, on_ready)
        finally:
            await self._end()

    def run(self, listening: Listening, on_ready: Callable[[str], None]) -> None:
        """Until interrupted or terminated; unsaved work is kept. :class:`InputError` if it cannot listen there."""
        run_until_terminated(self.serve(listening, on_ready))

    async def _begin(self, **_: Any) -> None:
        """The desk, everything that the page can call, and the case on its way."""
        state = self.server.state
        desk = self.desk = Desk(state, self.journal_folder)
        for pane in desk.panes.all:
            self.server.controller.rc_area_register(pane.area)
        self._calls.controls = Controls(desk)
        self._calls.errands = Errands(desk, self.workshop, self.door.downloads)
        self._calls.add, self._calls.reset_views = desk.start_adding, desk.reset_views
        state.change(*OPTIONS)(lambda **_: desk.show_options())
        self._calls.errands.begin(self._calls.errands.open())

    async def _end(self) -> None:
        if self.desk is not None:
            self._calls.errands.cancel()
            await self.desk.close()
            self.desk = None


def journal_folder() -> Path:
    """Where unsaved work of the planner is kept: with the user's other program state."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return base / "SpineScrew" / "unsaved"
