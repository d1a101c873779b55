"""The views of a case, slices and the 3D scene, drawn by Slicer's own displayable managers."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from spinescrew.anatomy.frame import VertebralFrame
from spinescrew.implants.screw import Screw
from spinescrew.scene.aligned_slices import AlignedSlices
from spinescrew.scene.standalone import application_of, quiet
from spinescrew.scene.volumes import array_from_matrix
from spinescrew.viewer.frames import INTERACTIVE_QUALITY, STILL_QUALITY, HandledArea, Stamp, StampedScheduler
from spinescrew.viewer.places import PANES, PLACES, Place

if sys.platform == "linux":
    os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")  # before VTK looks for an X server

BACKGROUNDS = {"dark": ((28, 33, 40), (56, 64, 76)), "light": ((205, 211, 219), (243, 245, 248))}
"""Lower and upper colour behind the 3D scene."""


FOLLOW_S = 0.25


class CalmSlices(AlignedSlices):
    """Slices that follow a moving screw a few times a second: where they stand costs more than the edit itself."""

    def __init__(self, slice_nodes: Sequence[Any]) -> None:
        super().__init__(slice_nodes)
        self._loop = asyncio.get_running_loop()
        self._last: tuple[Screw, VertebralFrame] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def moved(self, screw: Screw, frame: VertebralFrame, live: bool) -> None:
        """The screw was moved: follow it now, or with the next few moves while the hand still moves."""
        if live:
            self._last = screw, frame
            self._timer = self._timer or self._loop.call_later(FOLLOW_S, self._follow)
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        super().moved(screw, frame, live)

    def stop(self) -> None:
        """Give the views back as they were."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        super().stop()

    def _follow(self) -> None:
        self._timer = None
        if self._last is not None:
            super().moved(*self._last, live=True)


class Pane:
    """One view with its area of the page."""

    def __init__(
        self,
        view: Any,
        window: Any,
        name: str,
        stamp: Stamp,
        on_hand: Callable[[Pane], None],
        settle: Callable[[], None],
    ) -> None:
        from trame_slicer.rca_view.rca_view_factory import RcaRenderStrategy

        self.view, self.name = view, name
        self.scheduler = StampedScheduler(
            window,
            stamp,
            rca_encoder="turbo-jpeg",
            interactive_quality=INTERACTIVE_QUALITY,
            still_quality=STILL_QUALITY,
        )
        self.area = HandledArea(window, name, stamp, lambda: on_hand(self), settle, scheduler=self.scheduler)
        view.set_scheduled_render(RcaRenderStrategy(self.scheduler))

    @property
    def three_d(self) -> bool:
        """Whether it shows the scene from a camera."""
        return not self.view.get_view_node().IsA("vtkMRMLSliceNode")

    def pixel_of(self, ras: np.ndarray) -> tuple[float, float]:
        """(x, y) of a RAS point (3,) in pixels of the picture, from its lower left corner."""
        node = self.view.get_view_node()
        if node.IsA("vtkMRMLSliceNode"):
            x, y = (np.linalg.inv(array_from_matrix(node.GetXYToRAS())) @ (*ras, 1.0))[:2]
        else:
            renderer = self.view.renderer()
            renderer.SetWorldPoint(*map(float, ras), 1.0)
            renderer.WorldToDisplay()
            x, y, _ = renderer.GetDisplayPoint()
        return float(x), float(y)


class Panes:
    """Views of a scene made by :func:`spinescrew.scene.standalone.a_full_scene`.

    Must be made while the event loop runs. ``settle`` is called after each event of a hand; the areas of the page are
    called ``name`` and their node, as in ``pane_Red``. The 3D view, where there is one, is the last of ``places``.
    """

    def __init__(
        self,
        state: Any,
        scene: Any,
        stamp: Stamp,
        settle: Callable[[], None],
        name: str = PANES,
        places: Sequence[Place] = PLACES,
    ) -> None:
        from trame_slicer.rca_view.rca_view_factory import RcaWindow
        from trame_slicer.views import SliceView, ThreeDView

        self.all: list[Pane] = []
        self._name = name
        logic = application_of(scene)
        for place in places:
            kind = ThreeDView if place.node == "1" else SliceView
            with quiet():
                view = kind(scene, logic, place.node)
            view.render_window().SetMultiSamples(0)  # software drivers lose translucent surfaces with samples
            if kind is ThreeDView:
                view.renderer().SetUseDepthPeeling(False)
                view.set_box_visible(False)
            else:
                # before any segmentation is drawn: what is added before the image would be drawn without blending
                view._render_manager._AddSliceActorToRendererIfNeeded()
                view.set_background_color([0, 0, 0])
                view.set_orientation(place.plain)
            cursor = f"cursor_{place.node}"
            state.setdefault(cursor, "default")
            window = RcaWindow(view.render_window(), state=state, active_view_cursor=cursor)
            self.all.append(Pane(view, window, f"{name}_{place.node}", stamp, self._on_hand, settle))
        self.hand = self.all[-1]
        self.hand.scheduler.set_active(True)

    def named(self, node: str) -> Pane:
        """The pane of a view node of :data:`spinescrew.viewer.places.PLACES`."""
        return next(pane for pane in self.all if pane.name == f"{self._name}_{node}")

    @property
    def slices(self) -> list[Any]:
        """The slice views."""
        return [pane.view for pane in self.all if not pane.three_d]

    @property
    def three_d(self) -> Any:
        """The 3D view, or ``None``."""
        return self.all[-1].view if self.all[-1].three_d else None

    def aligned(self) -> AlignedSlices:
        """Their slice nodes, to stand along a screw."""
        return CalmSlices([view.get_view_node() for view in self.slices])

    def show_volume(self, node: Any) -> None:
        """Show a CT in the slices, or nothing; whole."""
        for view in self.slices:
            view.set_background_volume_id(node.GetID() if node is not None else None)
            view.fit_view_to_content()

    def look_at(self, point: np.ndarray) -> None:
        """Slices through ``point`` (3,) RAS, with that in their middle."""
        for view in self.slices:
            view.get_view_node().JumpSliceByCentering(*map(float, point))

    def reset_three_d(self, elevation_deg: float = 0.0) -> None:
        """All that is visible, from behind and so much from above."""
        from trame_slicer.views import ViewDirection

        view = self.three_d
        view.reset_focal_point()
        view.rotate_to_view_direction(ViewDirection.POSTERIOR)
        view.renderer().GetActiveCamera().Elevation(elevation_deg)
        view.renderer().ResetCameraScreenSpace(0.95)
        view.schedule_render()

    def set_theme(self, theme: str) -> None:
        """``"dark"`` or ``"light"`` behind the 3D scene; slices stay black."""
        if self.three_d is None:
            return
        low, high = BACKGROUNDS[theme]
        self.three_d.set_background_gradient_color(list(low), list(high))
        self.three_d.schedule_render()

    def draw(self) -> None:
        """Draw all views anew when their turn comes."""
        for pane in self.all:
            pane.scheduler.schedule_render()

    async def close(self) -> None:
        """No more pictures; the windows are freed."""
        for pane in self.all:
            await pane.area.close()
            pane.view.finalize()

    def _on_hand(self, pane: Pane) -> None:
        if pane is not self.hand:
            self.hand.scheduler.set_active(False)
            pane.scheduler.set_active(True)
            self.hand = pane


def set_field(node: Any, height_mm: float) -> None:
    """Show ``height_mm`` from the top to the bottom of a slice view."""
    width, height, depth = node.GetFieldOfView()
    node.SetFieldOfView(width * height_mm / height, height_mm, depth)
