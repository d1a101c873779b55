"""What a page did while a hand moved on it, and how long each move took to be seen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Seen(NamedTuple):
    """One line of a page's log, in the order in which it happened.

    Attributes
    ----------
    kind:
        ``"move"`` of the mouse, ``"call"`` that tells the server of all moves so far, or ``"picture"`` that is ready
        to be seen.
    ms:
        When, on the page's clock.
    area:
        The view of a call or picture.
    revision:
        Changes of the plan that a picture contains.
    events:
        Number of a call, or of the last call whose effect a picture contains.
    """

    kind: str
    ms: float
    area: str = ""
    revision: int = 0
    events: int = 0


def single_ms(log: Iterable[Seen], area: str, revision: int) -> list[float]:
    """From each move to the first picture of ``area`` with an edit that was in none before; NaN if none came.

    Parameters
    ----------
    revision:
        Changes of the plan before the first move.
    """
    found: list[float] = []
    waiting: float | None = None
    for seen in log:
        if seen.kind == "move":
            if waiting is not None:
                found.append(float("nan"))
            waiting = seen.ms
        elif seen.kind == "picture" and seen.area == area and seen.revision > revision:
            revision = seen.revision
            if waiting is not None:
                found.append(seen.ms - waiting)
            waiting = None
    return found if waiting is None else [*found, float("nan")]


def sweep_ms(log: Iterable[Seen], area: str, ahead: int) -> list[float]:
    """From each move to the first picture of ``area`` that contains it; NaN if none came.

    Parameters
    ----------
    ahead:
        By how much the server's count of events is ahead of the page's count of calls.
    """
    found: list[float] = []
    unsent: list[float] = []
    sent: list[tuple[int, float]] = []
    for seen in log:
        if seen.kind == "move":
            unsent.append(seen.ms)
        elif seen.kind == "call":
            sent.extend((seen.events + ahead, ms) for ms in unsent)
            unsent = []
        elif seen.area == area:
            found.extend(seen.ms - ms for event, ms in sent if event <= seen.events)
            sent = [(event, ms) for event, ms in sent if event > seen.events]
    return found + [float("nan")] * (len(sent) + len(unsent))


def pictures_per_s(log: Iterable[Seen], area: str) -> float:
    """How many pictures of ``area`` came a second, each with an edit that was in none before; 0 of fewer than two."""
    times, revision = [], -1
    for seen in log:
        if seen.kind == "picture" and seen.area == area and seen.revision > revision:
            times.append(seen.ms)
            revision = seen.revision
    return 1000 * (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 0.0
