"""The planner as a program: a page, a desk behind each tab, and a closed door in front."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trame.app import get_server

from spinescrew.anatomy.vertebra import Spine
from spinescrew.geometry.volume import Volume
from spinescrew.planning.plan import Plan
from spinescrew.viewer.brand_controls import BrandControls
from spinescrew.viewer.brand_desk import LOOKS as BRAND_LOOKS
from spinescrew.viewer.brand_desk import BrandDesk
from spinescrew.viewer.brand_errands import BrandErrands
from spinescrew.viewer.c2_controls import C2Controls
from spinescrew.viewer.c2_desk import LOOKS, C2Desk
from spinescrew.viewer.c2_errands import C2Errands
from spinescrew.viewer.case_desk import CaseDesk
from spinescrew.viewer.controls import Controls
from spinescrew.viewer.door import Door
from spinescrew.viewer.errands import Errands, Workshop
from spinescrew.viewer.jobs import Jobs
from spinescrew.viewer.opened import BrandTarget, PoseTarget
from spinescrew.viewer.page import build_page
from spinescrew.viewer.places import BRAND, C2, PLANNER, POSE
from spinescrew.viewer.pose_controls import PoseControls
from spinescrew.viewer.pose_desk import LOOKS as POSE_LOOKS
from spinescrew.viewer.pose_desk import PoseDesk
from spinescrew.viewer.pose_errands import PoseErrands
from spinescrew.viewer.serving import Listening, run_until_terminated, serve_async
from spinescrew.viewer.tab import Tab
from spinescrew.viewer.widgets import Handlers

OPTIONS = ("aligned", "follow_image", "ghost", "snap", "bone", "c2_bone", "window", "theme")


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
    tab:
        Which tab is in front at first; its work begins at once.
    pose:
        The radiographs of the pose tab; the built-in pair when left out.
    brand:
        Those of the brand tab.

    Attributes
    ----------
    desk, c2_desk, pose_desk, brand_desk:
        What lies in each tab; ``None`` until the server listens, and until the tab is first in front.
    """

    def __init__(
        self,
        workshop: Workshop,
        journal_folder: Path | None = None,
        name: str = "spinescrew",
        tab: str = PLANNER,
        pose: PoseTarget | None = None,
        brand: BrandTarget | None = None,
    ) -> None:
        self.workshop, self.journal_folder, self._first = workshop, journal_folder, tab
        self._pose, self._brand = pose or PoseTarget(), brand or BrandTarget()
        self.server = get_server(name, client_type="vue3")
        self.door = Door()
        self.desk: CaseDesk | None = None
        self.c2_desk: C2Desk | None = None
        self.pose_desk: PoseDesk | None = None
        self.brand_desk: BrandDesk | None = None
        self._calls = Handlers()
        self._asked = False
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

    def show_tab(self, tab: str) -> None:
        """Put a tab in front; the planner opens its case when it is first there."""
        shows = {C2: self._show_c2, POSE: self._show_pose, BRAND: self._show_brand}
        shows.get(tab, self._show_planner)()

    def _show_planner(self) -> None:
        calls, desk = self._calls, self.desk
        assert desk is not None
        calls.desk = desk
        calls.hand = calls.controls = Controls(desk)
        calls.export = calls.errands.export
        self._to_front(desk, PLANNER)
        if not self._asked:
            self._asked = True
            calls.jobs.begin(calls.errands.open())

    def _show_c2(self) -> None:
        calls = self._calls
        if self.c2_desk is None:
            desk = self.c2_desk = calls.c2_desk = C2Desk(self.server.state)
            self._register(desk)
            calls.c2 = C2Errands(desk, self.workshop, self.door.downloads, calls.jobs, self._ct)
        calls.desk = self.c2_desk
        calls.hand = calls.controls = C2Controls(self.c2_desk)
        calls.export = calls.c2.export
        self._to_front(self.c2_desk, C2)

    def _show_pose(self) -> None:
        calls = self._calls
        if self.pose_desk is None:
            desk = self.pose_desk = PoseDesk(self.server.state)
            self._register(desk)
            calls.pose_controls = PoseControls(desk)
            calls.pose = PoseErrands(desk, self.workshop, self.door.downloads, calls.jobs, self._pose, self._planned)
        calls.hand, calls.export = calls.pose_controls, calls.pose.export
        with self.server.state as state:
            state.pose_can_compare = self._planned() is not None
        self._to_front(self.pose_desk, POSE)

    def _show_brand(self) -> None:
        calls = self._calls
        if self.brand_desk is None:
            desk = self.brand_desk = BrandDesk(self.server.state)
            self._register(desk)
            calls.brand_controls = BrandControls(desk)
            calls.brand = BrandErrands(desk, self.workshop, self.door.downloads, calls.jobs, self._brand)
        calls.hand, calls.export = calls.brand_controls, calls.brand.export
        self._to_front(self.brand_desk, BRAND)

    @property
    def tabs(self) -> list[Tab]:
        """What lies in the tabs that were in front."""
        return [tab for tab in (self.desk, self.c2_desk, self.pose_desk, self.brand_desk) if tab is not None]

    def _to_front(self, desk: Tab, tab: str) -> None:
        for other in self.tabs:
            other.front = other is desk
        self._calls.front = desk
        with self.server.state as state:
            state.tab = tab
            desk.announce()

    def _register(self, desk: Tab) -> None:
        for pane in desk.panes.all:
            self.server.controller.rc_area_register(pane.area)

    def _ct(self) -> Volume | None:
        """The CT that the planner has open."""
        session = self.desk.session if self.desk is not None else None
        return session.spine.ct if session is not None else None

    def _planned(self) -> tuple[Plan, Spine] | None:
        """The plan that the planner has open, where its image is there too."""
        session = self.desk.session if self.desk is not None else None
        if session is None or session.spine.ct is None or not session.plan.planned:
            return None
        return session.plan, session.spine

    async def _begin(self, **_: Any) -> None:
        """The desk, everything that the page can call, and the first tab's work on its way."""
        state, calls = self.server.state, self._calls
        desk = self.desk = calls.desk = CaseDesk(state, self.journal_folder)
        self._register(desk)
        calls.jobs = Jobs(state, lambda text, problem: calls.front.tell(text, problem))
        calls.errands = Errands(desk, self.workshop, self.door.downloads, calls.jobs)
        calls.show_tab = self.show_tab
        state.change(*OPTIONS)(lambda **_: calls.front.show_options())
        state.change(*LOOKS)(lambda **_: self._show_attention())
        state.change(*POSE_LOOKS)(lambda **_: self._show_looks())
        state.change(*BRAND_LOOKS)(lambda **_: self._show_brand_looks())
        self.show_tab(self._first)
        if self._first == C2:
            calls.jobs.begin(calls.c2.judge())
        elif self._first == POSE:
            calls.jobs.begin(calls.pose.solve())
        elif self._first == BRAND:
            calls.jobs.begin(calls.brand.identify())

    def _show_attention(self) -> None:
        if self.c2_desk is not None:
            self.c2_desk.show_attention()

    def _show_looks(self) -> None:
        if self.pose_desk is not None:
            self.pose_desk.show_looks()

    def _show_brand_looks(self) -> None:
        if self.brand_desk is not None:
            self.brand_desk.show_looks()

    async def _end(self) -> None:
        if self.desk is not None:
            self._calls.jobs.cancel()
            for tab in self.tabs:
                await tab.close()
            self.desk = self.c2_desk = self.pose_desk = self.brand_desk = None


def journal_folder() -> Path:
    """Where unsaved work of the planner is kept: with the user's other program state."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return base / "SpineScrew" / "unsaved"
