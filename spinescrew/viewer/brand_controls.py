"""What buttons and keys of the brand tab do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from spinescrew.viewer.brand_desk import BrandDesk

KEYS: dict[str, tuple[str, Callable[[BrandDesk], None]]] = {
    "a": ("in the brand tab: attention on or off", lambda desk: desk.toggle_attention()),
}
"""What a key does: a word for the help, and the deed."""


class BrandControls:
    """Handlers of the page while the brand tab is in front."""

    def __init__(self, desk: BrandDesk) -> None:
        self.desk = desk

    def press(self, name: str) -> None:
        """A button of the bar: none means anything here."""

    def key(self, name: str) -> None:
        """A key; others than :data:`KEYS` do nothing."""
        if name in KEYS:
            KEYS[name][1](self.desk)

    def look_at(self, view: str, number: Any) -> None:
        """The view at one screw."""
        self.desk.look_at(str(view), int(number))

    def unlock(self, on: Any) -> None:
        """The names of the user's folder."""
        self.desk.unlock(bool(on))
