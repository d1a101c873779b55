"""What lies in a tab with planned screws: one session in four views, and what the page is told of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from spinescrew.errors import SpineScrewError
from spinescrew.planning import actions
from spinescrew.planning.plan import Key, Plan
from spinescrew.planning.session import Change, Session
from spinescrew.scene.add_screw import TwoClicks
from spinescrew.scene.aligned_slices import edge_letters
from spinescrew.scene.grips import grip_point
from spinescrew.scene.open_case import OpenCase
from spinescrew.scene.remove import remove_node
from spinescrew.scene.volumes import array_from_matrix
from spinescrew.viewer import shown
from spinescrew.viewer.opened import Opened
from spinescrew.viewer.panes import set_field
from spinescrew.viewer.places import PLACES
from spinescrew.viewer.start import WINDOWS
from spinescrew.viewer.tab import About, Tab

FIELD_MM = 110.0
_LIVE_S = 0.06


class Desk(Tab):
    """The open case of a tab, and its views; how it comes there and what is seen of its bone is each tab's own.

    The session is the only truth; :attr:`state` (trame's) is a copy of what the page shows. Made while the event loop
    runs.

    Parameters
    ----------
    state:
        trame's shared state.
    panes:
        What the areas of its views are called on the page.
    """

    field_mm, elevation_deg = FIELD_MM, 0.0

    def __init__(self, state: Any, panes: str) -> None:
        super().__init__(state, panes)
        self.case: OpenCase | None = None
        self.opened: Opened | None = None
        self.ct_node: Any = None
        self.clicks: TwoClicks | None = None
        self._loop = asyncio.get_running_loop()
        self._live: asyncio.TimerHandle | None = None
        self._saved: tuple[Any, ...] = ()
        self._centred: Key | None = None

    @property
    def session(self) -> Session | None:
        """The session under edit, if a case is open."""
        return self.case.session if self.case is not None else None

    @property
    def _selected(self) -> Key | None:
        row = actions.in_hand(self.case.session) if self.case is not None else None
        return row.key if row is not None else None

    def _take_up(self, case: OpenCase, unsaved: bool) -> None:
        """What happens to the case is told from now on."""
        case.shown.on_change.append(self._on_change)
        case.on_problem.append(lambda text: self.tell(text, True))
        self._saved = () if unsaved else _by_hand(case.session.plan)
        self.panes.reset_three_d(self.elevation_deg)
        self.announce()

    @property
    def about(self) -> About | None:
        """Of the case that is open, if one is."""
        opened = self.opened
        if opened is None:
            return None
        return About(opened.name, shown.caveats(opened.notes), opened.folder is not None)

    def close_case(self, keep_journal: bool = False) -> None:
        """Take the case off the desk; its nodes go too."""
        self.stop_adding()
        case, self.case = self.case, None
        if case is not None:
            case.close(remove_nodes=True, keep_journal=keep_journal)
        if self.ct_node is not None:
            remove_node(self.scene, self.ct_node)
        self.ct_node = self.opened = None
        super().close_case(keep_journal)

    def do(self, work: Callable[[Session], Any]) -> None:
        """``work(session)``, or the one line that says why not; the page shows what came of it."""
        if self.case is None:
            return
        with self.state:
            self.tell("")
            try:
                work(self.case.session)
            except SpineScrewError as error:
                self.tell(str(error), True)
            self.refresh()

    def start_adding(self) -> None:
        """Wait for two clicks in any view; asked again, wait no longer."""
        if self.case is None:
            return
        if self.clicks is not None:
            self.stop_adding()
            self.tell("")
        else:
            self.clicks = TwoClicks(self.scene, self.case.session, self._on_added)
            self.tell("Click the entry, then the tip, in any view; press Add again to stop.")
        with self.state:
            self.state.adding = self.clicks is not None

    def stop_adding(self) -> None:
        """No screw after all."""
        clicks, self.clicks = self.clicks, None
        if clicks is not None:
            clicks.cancel()

    def mark_saved(self, plan: Plan) -> None:
        """``plan`` was written; what was edited since is still unsaved."""
        self._saved = _by_hand(plan)
        if self.case is not None and _by_hand(self.case.session.plan) == self._saved:
            self.case.saved()
        self.refresh()

    def show_options(self) -> None:
        """What the page's menu says: how slices stand and move, the automatic plan, catalogue, window, bone, theme."""
        super().show_options()
        case, state = self.case, self.state
        if case is None:
            return
        case.session.snap = bool(state.snap)
        case.shown.show_ghost(bool(state.ghost))
        if bool(state.aligned) != (case.shown.slices is not None):
            case.shown.watch_slices(self.panes.aligned() if state.aligned else None)
            for view in self.panes.slices:
                set_field(view.get_view_node(), self.field_mm)
            self._centre()
        if case.shown.slices is not None:
            case.shown.slices.follow = "image" if state.follow_image else "screw"
        if self.ct_node is not None:
            self.ct_node.GetDisplayNode().SetWindowLevel(*WINDOWS[state.window])
        self._show_bone()
        self.panes.draw()
        with state:
            state.letters = self._letters()

    def reset_views(self) -> None:
        """Everything is seen: slices through the screw in hand, the scene from behind."""
        self.panes.reset_three_d(self.elevation_deg)
        if self.case is not None:
            for view in self.panes.slices:
                set_field(view.get_view_node(), self.field_mm)
            self.case.shown.align_slices()
            self._centre()
            self.panes.draw()

    def refresh(self) -> None:
        """Tell the page everything of the session."""
        session = self.session
        if session is None or not self.front:
            return
        with self.state as state:
            state.rows = shown.table_rows(session)
            state.summary = shown.summary_text(session)
            state.unsaved = _by_hand(session.plan) != self._saved
            self._refresh_hand(session)

    def _show_bone(self) -> None:
        """How much of the bone is seen in 3D, as the page says."""

    def _refresh_hand(self, session: Session) -> None:
        state = self.state
        state.hand, state.steps = shown.screw_in_hand(session), shown.steps(session)
        state.adding = self.clicks is not None
        state.letters = self._letters()

    def _letters(self) -> dict[str, list[str]]:
        """Patient's side at the left, right, upper and lower edge of each slice."""
        nodes = {place.node: view.get_view_node() for place, view in zip(PLACES, self.panes.slices, strict=False)}
        return {name: list(edge_letters(array_from_matrix(node.GetSliceToRAS()))) for name, node in nodes.items()}

    def _centre(self) -> None:
        """Slices of the patient go through the screw in hand; where someone scrolled to since is theirs."""
        session = self.session
        row = actions.in_hand(session) if session is not None else None
        self._centred = self._selected
        if row is not None and row.screw is not None and not self.state.aligned:
            self.panes.look_at(grip_point(row.screw))

    def _settle(self) -> None:
        """What the hand touched becomes an edit now."""
        if self.case is not None:
            self.case.shown.flush()

    def _on_change(self, change: Change) -> None:
        self.stamp.edited()
        if not change.live:
            if change.step:
                self.tell("")
            if change.step or self._centred != self._selected:
                self._centre()
            self.refresh()
        elif self._live is None:
            self._live = self._loop.call_later(_LIVE_S, self._on_live)

    def _on_live(self) -> None:
        self._live = None
        session = self.session
        if session is not None and self.front:
            with self.state as state:
                state.rows = shown.table_rows(session)
                self._refresh_hand(session)

    def _on_added(self, key: Any, problem: str) -> None:
        self.clicks = None
        self.tell(problem or f"{shown.key_text(key)} was added.", bool(problem))
        self.refresh()


def _by_hand(plan: Plan) -> tuple[Any, ...]:
    """What a person can change of a plan; equal where nothing was."""
    return tuple((row.key, id(row.screw), row.locked, row.reviewed) for row in plan.screws)
