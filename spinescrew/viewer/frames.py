"""Pictures of a view on their way to the browser, each with a stamp that says which edits it contains."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from trame_rca.schedulers import RcaImageRenderScheduler
from trame_rca.view_adapter import RcaViewAdapter

ACTIVE_FPS, RESTING_FPS = 30.0, 8.0
INTERACTIVE_QUALITY, STILL_QUALITY = 60, 92


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

    def event(self) -> None:
        """An event of the hand came in; its effect is in the scene after the next :meth:`applied`."""
        self.received += 1

    def applied(self) -> None:
        """Everything that came in is in the scene."""
        self.events = self.received

    def edited(self) -> None:
        """The plan changed, and the scene with it."""
        self.revision += 1
        self.applied()


class StampedScheduler(RcaImageRenderScheduler):
    """Draws when asked to, at most at the target rate, and puts the stamp of that moment beside the picture."""

    def __init__(self, window: Any, stamp: Stamp, **options: Any) -> None:
        self._stamp = stamp
        super().__init__(window, **options)

    def _render_frame(self, quality: int) -> None:
        image, columns, rows = self._rca.img_cols_rows
        stamp = {"revision": self._stamp.revision, "events": self._stamp.events}

        def encode() -> tuple[bytes, dict[str, Any], int]:
            content, meta, time_ms = self._rca_encoder.encode(image, columns, rows, quality)
            return content, {**meta, **stamp}, time_ms

        self._push_queue.put_nowait(asyncio.get_running_loop().run_in_executor(self._encode_pool, encode))


class HandledArea(RcaViewAdapter):
    """An area of the page that shows a view; says when a hand is on it."""

    def __init__(self, window: Any, name: str, on_hand: Callable[[], None], **options: Any) -> None:
        super().__init__(window, name, do_schedule_render_on_interaction=False, **options)
        self._on_hand = on_hand

    def on_interaction(self, origin: str, event: dict[str, Any]) -> None:
        """An event of mouse, finger or pen, in pixels of the page from the lower left corner."""
        self._on_hand()
        super().on_interaction(origin, event)
