"""The brand tab: one or two films with the screws that were judged, where models looked, and the answer."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from spinescrew.reports.brand_lines import installed_words
from spinescrew.scene.brand_scene import NO_MODEL, BrandScene, attention_models
from spinescrew.scene.standalone import quiet
from spinescrew.viewer import brand_shown
from spinescrew.viewer.opened import Identified
from spinescrew.viewer.places import BRAND_PANES, BRAND_PLACES
from spinescrew.viewer.tab import About, Tab

_SETTLED_S = 0.15

LOOKS = ("brand_model", "brand_opacity", "brand_outlines")


class BrandDesk(Tab):
    """An answer and its films. Made while the event loop runs."""

    def __init__(self, state: Any) -> None:
        super().__init__(state, BRAND_PANES, BRAND_PLACES)
        self.found: Identified | None = None
        self.picture: BrandScene | None = None
        self._fitting: asyncio.TimerHandle | None = None
        self.look_for_models()
        with quiet():  # VTK would rather have another event, which comes before the window has its size
            for view in self.panes.slices:
                view.interactor().AddObserver("WindowResizeEvent", lambda *_: self._on_resize())

    @property
    def about(self) -> About | None:
        """Of the films that are open, if any are."""
        if self.found is None:
            return None
        return About(self.found.name, list(self.found.result.warnings))

    def look_for_models(self) -> None:
        """What is installed, or which command trains it: said before there is an answer."""
        with self.state as state:
            state.brand_installed = installed_words()

    async def show(self, found: Identified) -> None:
        """Put an answer here in place of the one that is."""
        self.close_case()
        await asyncio.sleep(0)
        self.found = found
        self.picture = BrandScene(self.scene, found.result)
        self.picture.put_into([view.get_view_node() for view in self.panes.slices])
        models = attention_models(found.result)
        with self.state as state:
            state.brand_system, state.brand_crop = found.result.best, ""
            if state.brand_model not in models:
                state.brand_model = models[-1] if models else NO_MODEL
        await asyncio.sleep(0)
        self.announce()
        self.reset_views()

    def close_case(self, keep_journal: bool = False) -> None:
        """Take the films off; their nodes go too."""
        picture, self.picture, self.found = self.picture, None, None
        if self._fitting is not None:
            self._fitting.cancel()
            self._fitting = None
        if picture is not None:
            picture.close()
        super().close_case(keep_journal)

    def unlock(self, on: bool) -> None:
        """Names of the user's own folder shown, by someone who knows what they are worth, or withheld again."""
        if self.found is not None:
            self.found = replace(self.found, result=replace(self.found.result, unlocked=on))
            self.refresh()

    def show_options(self) -> None:
        """Theme, and what is seen on the films."""
        super().show_options()
        self.show_looks()

    def show_looks(self) -> None:
        """As the page's choice, slider and switch say."""
        if self.picture is not None:
            state = self.state
            self.picture.look(
                model=str(state.brand_model),
                opacity=float(state.brand_opacity),
                outlines=bool(state.brand_outlines),
            )
            self.panes.draw()

    def toggle_attention(self) -> None:
        """Attention off where it is on: the bare films."""
        if self.found is None:
            return
        models = attention_models(self.found.result)
        with self.state as state:
            state.brand_model = NO_MODEL if state.brand_model or not models else models[-1]

    def look_at(self, view: str, number: int) -> None:
        """One screw fills its view."""
        if self.picture is not None:
            self.picture.look_at(view, number)
            with self.state as state:
                state.brand_crop = f"{view} {number}"
            self.panes.draw()

    def reset_views(self) -> None:
        """Whole films."""
        if self.picture is not None:
            self.picture.look_at_images()
            with self.state as state:
                state.brand_crop = ""
            self.panes.draw()

    def refresh(self) -> None:
        """Tell the page everything of the answer."""
        if not self.front:
            return
        with self.state as state:
            state.steps, state.unsaved = {"undo": "", "redo": ""}, False
            state.brand = brand_shown.answer(self.found) if self.found is not None else brand_shown.NOTHING

    def _on_resize(self) -> None:
        """The node of a view hears of its new size later than this."""
        if self._fitting is None:
            self._fitting = asyncio.get_running_loop().call_later(_SETTLED_S, self._fit)

    def _fit(self) -> None:
        """What was looked at fills the views again."""
        self._fitting = None
        if self.picture is None:
            return
        self.picture.look_at_images()
        view, _, number = str(self.state.brand_crop).partition(" ")
        if number:
            self.picture.look_at(view, int(number))
        self.panes.draw()
