"""A workshop whose answer for C2 is a phantom's own truth, so that the page can be tried without any network."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace

from axis_samples import perfect_assessment

from spinescrew.cohort.workshop import CaseWorkshop
from spinescrew.errors import InputError
from spinescrew.progress import Cancelled
from spinescrew.viewer.opened import Judged, Target

VARIANT = "asymmetric"
"""A wide left pedicle, a narrow right one."""


class Known:
    """A job that is asked ``polls`` times how far it is, and then has its result."""

    def __init__(self, make, polls: int) -> None:
        self.make, self.polls, self.asked, self.cancelled = make, polls, 0, False

    def start(self):
        return self

    def poll(self):
        self.asked += 1
        done = self.cancelled or self.asked > self.polls
        return SimpleNamespace(fraction=min(self.asked / self.polls, 1.0), text="judge both pedicles", finished=done)

    def result(self):
        if self.cancelled:
            raise Cancelled("cancelled")
        return self.make()

    def cancel(self):
        self.cancelled = True


@dataclass(frozen=True)
class KnownAnswer(CaseWorkshop):
    """Judges nothing: gives the answer of a phantom, or ``refusal`` where there is one in the list."""

    target: Target = field(default_factory=Target)
    variant: str = VARIANT
    polls: int = 6
    refusals: list[str] = field(default_factory=list)

    def judge(self, ct):
        return Known(self._answer, self.polls)

    def _answer(self):
        if self.refusals:
            raise InputError(self.refusals.pop())
        return Judged(perfect_assessment(7, 1.0, self.variant), "neck")
