"""What keys and switches of the C2 tab do beside those of a screw."""

from __future__ import annotations

from collections.abc import Callable

from spinescrew.viewer.c2_desk import C2Desk
from spinescrew.viewer.controls import Controls

KEYS: dict[str, tuple[str, Callable[[C2Desk], None]]] = {
    "a": ("in the C2 tab: attention on or off", C2Desk.toggle_attention),
}
"""What a key does: a word for the help, and the deed."""


class C2Controls(Controls):
    """Handlers of the page while the C2 tab is in front."""

    def __init__(self, desk: C2Desk) -> None:
        super().__init__(desk)
        self.c2 = desk

    def key(self, name: str) -> None:
        """A key of this tab, or of a screw."""
        if name in KEYS:
            KEYS[name][1](self.c2)
        else:
            super().key(name)
