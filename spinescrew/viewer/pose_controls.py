"""What buttons and keys of the pose tab do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from spinescrew.radiographs.pose_session import PoseSession
from spinescrew.viewer.pose_desk import PoseDesk

Deed = Callable[[PoseSession], Any]

DEEDS: dict[str, Deed] = {
    "]": lambda session: session.select_next(1),
    "[": lambda session: session.select_next(-1),
    "Ctrl+z": lambda session: session.undo(),
    "Ctrl+Shift+z": lambda session: session.redo(),
    "Ctrl+y": lambda session: session.redo(),
}
"""Keys that mean the same as in the planner."""

KEYS: dict[str, tuple[str, Callable[[PoseDesk], None]]] = {
    "a": ("in the pose tab: outlines on or off", lambda desk: desk.toggle_overlay()),
}
"""What a key does beside those: a word for the help, and the deed."""

BUTTONS: dict[str, Deed] = {
    "undo": lambda session: session.undo(),
    "redo": lambda session: session.redo(),
}


class PoseControls:
    """Handlers of the page while the pose tab is in front."""

    def __init__(self, desk: PoseDesk) -> None:
        self.desk = desk

    def press(self, name: str) -> None:
        """A button of the bar; others than :data:`BUTTONS` mean nothing here."""
        if name in BUTTONS:
            self.desk.do(BUTTONS[name])

    def key(self, name: str) -> None:
        """A key; others than :data:`DEEDS` and :data:`KEYS` do nothing."""
        if name in KEYS:
            KEYS[name][1](self.desk)
        elif name in DEEDS:
            self.desk.do(DEEDS[name])

    def select(self, number: Any) -> None:
        """Another screw, by its number."""
        self.desk.do(lambda session: session.select(int(number)))

    def choose_first(self, name: str) -> None:
        """What the first image shows: its screw is taken in hand; what belongs to none waits for its partner."""
        if str(name).isdigit():
            self.select(name)
            return
        with self.desk.state as state:
            state.pose = {**state.pose, "first": str(name), "second": ""}

    def choose_second(self, name: str) -> None:
        """What the second image shows is the same screw."""
        first = str(self.desk.state.pose["first"])
        self.desk.do(lambda session: self.desk.correct(session.match_correction(first, str(name))))

    def look_at(self, everything: bool) -> None:
        """The 3D view at the screws, or at sources and detectors too."""
        self.desk.look_at(everything)
