"""What lies behind a tab of the page, whatever it is: one scene, its views, and what the page is told of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from spinescrew.scene.standalone import a_full_scene, close_scene
from spinescrew.viewer.frames import Stamp
from spinescrew.viewer.panes import Panes
from spinescrew.viewer.places import PLACES, Place


class About(NamedTuple):
    """What the page says of the case of a tab: its name, what to doubt, and whether it can be saved where it is."""

    name: str
    notes: list[str]
    can_save: bool = False


class Tab:
    """A scene with its views. Made while the event loop runs.

    Parameters
    ----------
    state:
        trame's shared state, a copy of what the page shows.
    panes:
        What the areas of its views are called on the page.
    places:
        Which views there are.

    Attributes
    ----------
    front:
        Whether this tab is in front: the page is told of no other.
    """

    def __init__(self, state: Any, panes: str, places: Sequence[Place] = PLACES) -> None:
        self.state = state
        self.front = False
        self.scene = a_full_scene()
        self.stamp = Stamp()
        self.panes = Panes(state, self.scene, self.stamp, self._settle, panes, places)
        self.panes.set_theme(state.theme)
        self._told = "", False

    @property
    def about(self) -> About | None:
        """Of the case that is open, if one is."""
        raise NotImplementedError

    def announce(self) -> None:
        """Tell the page everything, if this tab is in front."""
        if not self.front:
            return
        about = self.about
        with self.state as state:
            state.opened = about is not None
            state.case_name = about.name if about is not None else ""
            state.notes = about.notes if about is not None else []
            state.can_save = about is not None and about.can_save
            self.tell(*self._told)
            self.show_options()
            self.refresh()

    def tell(self, text: str, problem: bool = False) -> None:
        """One line to the person; said again when this tab comes to the front."""
        self._told = text, problem
        if self.front:
            with self.state:
                self.state.message, self.state.problem = text, problem

    def show_options(self) -> None:
        """What the page's menu says."""
        self.panes.set_theme(self.state.theme)

    def reset_views(self) -> None:
        """Everything is seen."""
        raise NotImplementedError

    def refresh(self) -> None:
        """Tell the page everything that changes while a case is open."""
        raise NotImplementedError

    def close_case(self, keep_journal: bool = False) -> None:
        """Take the case off; its nodes go too."""
        if self.front:
            self.state.opened = False

    async def close(self) -> None:
        """Everything ends; unsaved work is kept for the next time."""
        self.close_case(keep_journal=True)
        await self.panes.close()
        close_scene(self.scene)

    def _settle(self) -> None:
        """What the hand touched is to be in the scene now."""
