"""What a running stand-in writes down: windows that would have opened, errors in slots, downloads asked for."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any


@dataclass(frozen=True)
class Message:
    """A window that would have opened."""

    kind: str
    text: str
    title: str = ""
    details: str = ""


@dataclass
class Records:
    """Everything a test may read; ``answers`` and ``dialog`` are what it may set."""

    messages: list[Message] = field(default_factory=list)
    status: list[str] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)
    pip: list[Any] = field(default_factory=list)
    sample_data: list[dict[str, Any]] = field(default_factory=list)
    selected_modules: list[str] = field(default_factory=list)
    render_pauses: int = 0
    answers: dict[str, Any] = field(default_factory=dict)
    allow_pip: bool = False
    dialog: Any = None

    def ask(self, kind: str, text: str, title: str = "", details: str = "") -> Any:
        """Note a question and give the answer set for its kind: a value, a list used up in order, or a function."""
        self.messages.append(Message(kind, str(text), title or "", details or ""))
        if kind not in self.answers:
            raise LookupError(f"the test has no answer for '{kind}' ({text}); set answers['{kind}']")
        answer = self.answers[kind]
        if isinstance(answer, list):
            return answer.pop(0)
        return answer(text) if callable(answer) else answer

    def tell(self, kind: str, text: str, title: str = "", details: str = "") -> None:
        """Note a message that needs no answer."""
        self.messages.append(Message(kind, str(text), title or "", details or ""))

    def raise_errors(self) -> None:
        """Raise what was raised in slots, timers and observers since the last call."""
        found, self.errors[:] = list(self.errors), []
        if len(found) == 1:
            raise found[0]
        if found:
            raise BaseExceptionGroup("raised in slots", found)

    def on_exception(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """As ``sys.excepthook``: Qt and VTK hand exceptions of slots and observers to it and go on."""
        self.errors.append(error.with_traceback(trace))


_current: list[Records] = []


def records() -> Records:
    """Of the stand-in that runs now."""
    if not _current:
        raise RuntimeError("no stand-in is running; use running_slicer()")
    return _current[-1]


class Recording:
    """Context: new :class:`Records` that also take the exceptions of slots."""

    def __enter__(self) -> Records:
        if _current:
            raise RuntimeError("a stand-in is running already")
        _current.append(Records())
        self._hook, sys.excepthook = sys.excepthook, _current[-1].on_exception
        return _current[-1]

    def __exit__(self, *_unused: object) -> None:
        sys.excepthook = self._hook
        _current.pop()
