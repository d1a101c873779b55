"""Pictures of a view on their way to the browser, each with a stamp that says which edits it contains."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from trame_rca.schedulers import RcaImageRenderScheduler
from trame_rca.view_adapter import RcaViewAdapter

ACTIVE_FPS, RESTING_FPS = 30.0, 4.0
RESTING_S = 0.12
"""How long a view waits in which no hand is, so that the one under the hand is drawn first."""

INTERACTIVE_QUALITY, STILL_QUALITY = 60, 92

_PATIENCE = 3
"""How often such a view waits once more while the hand moves."""

_UNKNOWN_TO_VTK = ("Tap", "LongTap")


@dataclass
class Stamp:
    """What every picture that is drawn from now on contains.

    Attributes
    ----------
    revision:
        Changes of the plan so far.
    events:
        Events of the hand so far whose effect is in the scene.
    """

    revision: int = 0
    events: int = 0
    received: int = 0
    handled: int = 0
    _last: float = -1.0

    def event(self, now: float) -> int:
        """An event of the hand came in; its number."""
        self.received += 1
        self._last = now
        return self.received

    def hand_moves(self, now: float) -> bool:
        """Whether the hand moved just now."""
        return now - self._last < RESTING_S

    def applied(self) -> None:
        """Everything that was handled is in the scene."""
        self.events = self.handled

    def edited(self) -> None:
        """The plan changed, and the scene with it."""
        self.revision += 1
        self.applied()


class StampedScheduler(RcaImageRenderScheduler):
    """Draws when asked to, at most at the target rate, and puts the stamp of that moment beside the picture."""

    def __init__(self, window: Any, stamp: Stamp, **options: Any) -> None:
        self._stamp = stamp
        self._loop = asyncio.get_running_loop()
        self._later: asyncio.TimerHandle | None = None
        self._waited = 0
        self.active = False
        super().__init__(window, target_fps=RESTING_FPS, **options)

    def set_active(self, active: bool) -> None:
        """Whether the hand is in this view."""
        self.active, self.target_fps = active, ACTIVE_FPS if active else RESTING_FPS

    def schedule_render(self) -> None:
        """A new picture: at once under the hand, a little later elsewhere."""
        if self.active:
            super().schedule_render()
        elif self._later is None:
            self._later = self._loop.call_later(RESTING_S, self._due)

    def _due(self) -> None:
        self._later = None
        if self._stamp.hand_moves(self._loop.time()) and self._waited < _PATIENCE:
            self._waited += 1
            self.schedule_render()
        else:
            self._waited = 0
            super().schedule_render()

    def _render_frame(self, quality: int) -> None:
        image, columns, rows = self._rca.img_cols_rows
        stamp = {"revision": self._stamp.revision, "events": self._stamp.events}
        # here and now: it takes a millisecond, and a picture from another thread would wait for the next drawing to end
        content, meta, _ = self._rca_encoder.encode(image, columns, rows, quality)
        if self._push_callback is not None:
            self._push_callback(content, {**meta, **stamp})


class HandledArea(RcaViewAdapter):
    """An area of the page that shows a view.

    Parameters
    ----------
    on_hand, settle:
        Called before and after each event of a hand. What the event touched is to be in the scene after ``settle``, or
        the view would be drawn twice: without it and with it.
    """

    def __init__(
        self,
        window: Any,
        name: str,
        stamp: Stamp,
        on_hand: Callable[[], None],
        settle: Callable[[], None],
        **options: Any,
    ) -> None:
        super().__init__(window, name, do_schedule_render_on_interaction=False, **options)
        self._stamp, self._on_hand, self._settle = stamp, on_hand, settle
        self._move: tuple[int, str, dict[str, Any]] | None = None

    def on_interaction(self, origin: str, event: dict[str, Any]) -> None:
        """An event of mouse, finger or pen, in pixels of the page from the lower left corner.

        Of moves that came while a picture was drawn only the last is gone after: a hand that is followed through all
        its old places is followed late.
        """
        kind = event["type"]
        if kind in _UNKNOWN_TO_VTK:
            return
        self._on_hand()
        loop = asyncio.get_running_loop()
        number = self._stamp.event(loop.time())
        if kind == "MouseMove":
            if self._move is None:
                loop.call_soon(self._follow)
            self._move = number, origin, event
            return
        self._follow()
        if kind == "LeftButtonPress":  # a finger comes without hovering, which is what wakes a handle
            super().on_interaction(origin, {**event, "type": "MouseMove"})
        self._handle(number, origin, event)

    def _follow(self) -> None:
        """To where the hand is now."""
        move, self._move = self._move, None
        if move is not None:
            self._handle(*move)

    def _handle(self, number: int, origin: str, event: dict[str, Any]) -> None:
        self._stamp.handled = number
        super().on_interaction(origin, event)
        self._settle()
