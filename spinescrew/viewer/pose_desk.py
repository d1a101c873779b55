"""The pose tab: two radiographs with the screws found in them, in 3D too, corrected by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from spinescrew.errors import SpineScrewError
from spinescrew.radiographs.pose_session import Correction, PoseSession
from spinescrew.scene.aligned_slices import edge_letters
from spinescrew.scene.image_layout import look_at_box
from spinescrew.scene.look import Look
from spinescrew.scene.pose_planned import planned_in_views
from spinescrew.scene.pose_scene import PoseScene
from spinescrew.scene.standalone import quiet
from spinescrew.scene.volumes import array_from_matrix
from spinescrew.viewer import pose_shown
from spinescrew.viewer.host import LoopHost
from spinescrew.viewer.opened import Posed
from spinescrew.viewer.places import POSE_PANES, POSE_PLACES
from spinescrew.viewer.tab import About, Tab

SOLVING = "Solving ..."
LOOKS = ("pose_overlay", "pose_outlines", "pose_beams", "pose_detectors", "pose_planned")


class PoseDesk(Tab):
    """Solved screws, their images, and what is done to them. Made while the event loop runs."""

    def __init__(self, state: Any) -> None:
        super().__init__(state, POSE_PANES, POSE_PLACES)
        self.posed: Posed | None = None
        self.session: PoseSession | None = None
        self.picture: PoseScene | None = None
        self.outcome: Any = None
        self._compared: Any = None
        self._saved: Any = None
        self._solving: asyncio.Task[None] | None = None
        with quiet():  # VTK would rather have another event, which comes before the window has its size
            for view in self.panes.slices:
                view.interactor().AddObserver("WindowResizeEvent", lambda *_: self._on_resize())

    @property
    def about(self) -> About | None:
        """Of the pair that is open, if one is."""
        if self.posed is None or self.session is None:
            return None
        return About(self.posed.name, list(self.session.result.warnings))

    async def show(self, posed: Posed) -> None:
        """Put solved screws here in place of those that are."""
        self.close_case()
        await asyncio.sleep(0)
        self.posed, self.session = posed, PoseSession(posed.result)
        self._saved = posed.result
        look = Look(brief=True, light=True)
        self.picture = PoseScene(self.scene, self.session, posed.radiographs, LoopHost(), look)
        self.picture.put_into([view.get_view_node() for view in self.panes.slices])
        self.picture.correct_by = self.correct
        self.session.on_change.append(self._on_change)
        await asyncio.sleep(0)
        self._compare()
        self.announce()
        self.reset_views()

    def close_case(self, keep_journal: bool = False) -> None:
        """Take the screws off; their nodes go too."""
        picture, self.picture, self.session, self.posed = self.picture, None, None, None
        self.outcome = self._compared = None
        if picture is not None:
            picture.close()
        super().close_case(keep_journal)

    def corrected(self) -> Posed | None:
        """The poses as they stand, to be handed out."""
        if self.posed is None or self.session is None:
            return None
        return replace(self.posed, result=self.session.result)

    def mark_saved(self, result: Any) -> None:
        """These poses were handed out."""
        self._saved = result
        self.refresh()

    def do(self, work: Callable[[PoseSession], Any]) -> None:
        """``work(session)``, or the one line that says why not; the page shows what came of it."""
        if self.session is None:
            return
        with self.state:
            self.tell("")
            try:
                work(self.session)
            except SpineScrewError as error:
                self.tell(str(error), True)
            self.refresh()

    def correct(self, correction: Correction | None) -> None:
        """Solve a correction beside everything else, which takes a second, and show it."""
        if correction is None:
            return
        if self._solving is not None:
            self.tell("Wait for the present correction to be solved.", True)
            self._put_back()
            return
        self.tell(SOLVING)
        self._solving = asyncio.get_running_loop().create_task(self._correct(correction))

    async def _correct(self, correction: Correction) -> None:
        text, session = "", self.session
        try:
            result = await asyncio.get_running_loop().run_in_executor(None, correction.solve)
            if session is self.session and session is not None:
                session.apply(correction, result)
        except SpineScrewError as error:
            text = str(error)
        finally:
            self._solving = None
        if session is self.session:
            self.tell(text, bool(text))
            if text:
                self._put_back()

    def _put_back(self) -> None:
        """Handles go back to where the poses have them."""
        if self.picture is not None:
            self.picture.refresh()
        self.refresh()
        self.panes.draw()

    def show_options(self) -> None:
        """Theme, and what is seen of the poses."""
        super().show_options()
        self.show_looks()

    def show_looks(self) -> None:
        """As the page's switches and its slider say."""
        if self.picture is not None:
            values = {name.removeprefix("pose_"): getattr(self.state, name) for name in LOOKS}
            self.picture.look(**{**values, "overlay": float(values["overlay"])})
            self.panes.draw()

    def toggle_overlay(self) -> None:
        """Outlines on where they are off: the bare images."""
        with self.state as state:
            state.pose_outlines = not state.pose_outlines

    def reset_views(self) -> None:
        """Whole images, and the 3D view at the screws."""
        if self.picture is not None:
            self.picture.look_at_images()
        self.look_at(everything=False)

    def look_at(self, everything: bool) -> None:
        """The 3D view at the screws, or at sources and detectors too."""
        if self.picture is not None:
            width, height = self.panes.three_d.render_window().GetSize()
            look_at_box(self.scene, self.picture.box(everything), width / max(height, 1))
            self.panes.draw()

    def refresh(self) -> None:
        """Tell the page everything of the session."""
        session = self.session
        if session is None or not self.front:
            return
        with self.state as state:
            state.pose = pose_shown.answer(session, self.outcome)
            state.notes = list(session.result.warnings)
            state.steps = {"undo": session.history.undo_name, "redo": session.history.redo_name}
            state.unsaved = session.result is not self._saved
            state.letters = {**state.letters, **self._letters()}

    def _letters(self) -> dict[str, list[str]]:
        """Patient's side at the left, right, upper and lower edge of each image."""
        nodes = [view.get_view_node() for view in self.panes.slices]
        return {node.GetLayoutName(): list(edge_letters(array_from_matrix(node.GetSliceToRAS()))) for node in nodes}

    def _compare(self) -> None:
        """With the plan, anew where the poses were corrected; selecting a screw changes nothing."""
        result = self.session.result if self.session is not None else None
        if self.posed is None or self.posed.planned is None or result is None or result is self._compared:
            return
        self._compared, self.outcome = result, self.posed.planned.compare(result)
        if self.picture is not None:
            self.picture.show_planned(planned_in_views(self.outcome))

    def _on_change(self) -> None:
        self.stamp.edited()
        self._compare()
        self.refresh()
        self.panes.draw()

    def _on_resize(self) -> None:
        if self.picture is not None:
            self.picture.look_at_images()

    def _settle(self) -> None:
        """The axis under the hand follows it."""
        if self.picture is not None:
            self.picture.flush()
