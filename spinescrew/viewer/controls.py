"""What buttons, fields and keys do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from spinescrew.errors import InputError
from spinescrew.planning import actions
from spinescrew.planning.session import Session
from spinescrew.viewer.desk import Desk
from spinescrew.viewer.shown import FIGURES, key_from_text

NUDGE_MM, TURN_DEG = 0.5, 0.5

Deed = Callable[[Session], Any]

KEYS: dict[str, tuple[str, Deed]] = {
    "]": ("next screw", lambda session: session.select_next(1)),
    "[": ("previous screw", lambda session: session.select_next(-1)),
    "ArrowLeft": ("nudge to the patient's left", lambda session: actions.nudge(session, left_mm=NUDGE_MM)),
    "ArrowRight": ("nudge to the patient's right", lambda session: actions.nudge(session, left_mm=-NUDGE_MM)),
    "ArrowUp": ("nudge towards the head", lambda session: actions.nudge(session, cranial_mm=NUDGE_MM)),
    "ArrowDown": ("nudge towards the feet", lambda session: actions.nudge(session, cranial_mm=-NUDGE_MM)),
    "PageUp": ("deeper", lambda session: actions.nudge(session, forward_mm=NUDGE_MM)),
    "PageDown": ("less deep", lambda session: actions.nudge(session, forward_mm=-NUDGE_MM)),
    "Shift+ArrowLeft": ("PTA less", lambda session: actions.turn(session, pta_deg=-TURN_DEG)),
    "Shift+ArrowRight": ("PTA more", lambda session: actions.turn(session, pta_deg=TURN_DEG)),
    "Shift+ArrowUp": ("PSA more", lambda session: actions.turn(session, psa_deg=TURN_DEG)),
    "Shift+ArrowDown": ("PSA less", lambda session: actions.turn(session, psa_deg=-TURN_DEG)),
    "+": ("thicker", lambda session: actions.step_size(session, "diameter_mm", 1)),
    "-": ("thinner", lambda session: actions.step_size(session, "diameter_mm", -1)),
    ".": ("longer", lambda session: actions.step_size(session, "length_mm", 1)),
    ",": ("shorter", lambda session: actions.step_size(session, "length_mm", -1)),
    "m": ("mirror to the other side", actions.mirror),
    "r": ("back to automatic", actions.restore),
    "l": ("lock or unlock", lambda session: actions.set_locked(session, not _row(session).locked)),
    "v": ("mark as reviewed", lambda session: actions.set_reviewed(session, not _row(session).reviewed)),
    "Delete": ("delete the screw", actions.delete),
    "Ctrl+z": ("undo", lambda session: session.undo()),
    "Ctrl+Shift+z": ("redo", lambda session: session.redo()),
    "Ctrl+y": ("redo", lambda session: session.redo()),
}
"""What a key does: a word for the help, and the deed."""

BUTTONS: dict[str, Deed] = {
    "next": lambda session: session.select_next(1),
    "previous": lambda session: session.select_next(-1),
    "mirror": actions.mirror,
    "copy": actions.copy_to_next,
    "delete": actions.delete,
    "restore": actions.restore,
    "undo": lambda session: session.undo(),
    "redo": lambda session: session.redo(),
}


class Controls:
    """Handlers of the page; each is one call of the session."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def press(self, name: str) -> None:
        """A button."""
        self.desk.do(BUTTONS[name])

    def key(self, name: str) -> None:
        """A key, as ``Shift+ArrowUp``; others than :data:`KEYS` do nothing."""
        if name in KEYS:
            self.desk.do(KEYS[name][1])

    def select(self, text: str) -> None:
        """Another screw, as ``L3 left``."""
        self.desk.do(lambda session: session.select(key_from_text(text)))

    def set_figure(self, figure: str, value: Any) -> None:
        """A figure was slid or typed."""

        def deed(session: Session) -> None:
            if figure not in FIGURES:
                raise InputError(f"'{figure}' is no figure of a screw")
            number = _number(value, FIGURES[figure].name)
            now = actions.read(session)
            if now is None or abs((getattr(now, figure) or 0.0) - number) > 0.005:
                actions.set_figure(session, figure, number, self.desk.state.pivot)

        self.desk.do(deed)

    def set_locked(self, locked: bool) -> None:
        """The lock of the screw in hand."""
        self.desk.do(lambda session: actions.set_locked(session, bool(locked)))

    def set_reviewed(self, reviewed: bool) -> None:
        """The mark of the screw in hand."""
        self.desk.do(lambda session: actions.set_reviewed(session, bool(reviewed)))


def key_help(*more: Mapping[str, tuple[str, Any]]) -> list[dict[str, str]]:
    """The keys and what they do, those of a screw first, then those of single tabs."""
    every = [item for keys in (KEYS, *more) for item in keys.items()]
    return [{"keys": _as_printed(name), "does": does} for name, (does, _) in every]


def _as_printed(key: str) -> str:
    """As it stands on a keyboard."""
    for name, sign in (("Left", "\u2190"), ("Right", "\u2192"), ("Up", "\u2191"), ("Down", "\u2193")):
        key = key.replace(f"Arrow{name}", sign).replace(f"Page{name}", f"Page {sign}")
    parts = key.split("+") if key != "+" else [key]
    return " ".join(part.upper() if len(part) == 1 else part for part in parts)


def _number(value: Any, name: str) -> float:
    try:
        number = float(str(value).strip().replace(",", ".").replace("\u2212", "-"))
    except ValueError as error:
        raise InputError(f"'{value}' is no number; type {name} in figures") from error
    if not abs(number) < 1e4:
        raise InputError(f"{name} cannot be {value}")
    return number


def _row(session: Session) -> Any:
    row = actions.in_hand(session)
    if row is None:
        raise InputError("no screw is selected; select one in the list or grab its handle")
    return row
