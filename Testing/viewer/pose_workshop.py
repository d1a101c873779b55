"""A workshop whose poses are a construct's own truth, so that the pose tab can be tried without any network."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from browsed import Browsed
from c2_workshop import Known
from known_poses import KnownPlan, solved

from spinescrew.cohort.workshop import CaseWorkshop
from spinescrew.errors import InputError
from spinescrew.viewer.opened import Posed, Target
from spinescrew.viewer.places import POSE

NAME = "Simulated radiographs"


class Held(Known):
    """A job that goes on while anything is in ``held``."""

    def __init__(self, make, polls, held):
        super().__init__(make, polls)
        self.held = held

    def poll(self):
        told = super().poll()
        told.finished = self.cancelled or (told.finished and not self.held)
        return told


@dataclass(frozen=True)
class KnownPoses(CaseWorkshop):
    """Solves nothing: gives known poses, or ``refusals`` while there are some; writes down what it was asked.

    While anything is in ``held`` its jobs do not end.
    """

    target: Target = field(default_factory=Target)
    polls: int = 3
    pixels: int = 384
    refusals: list[str] = field(default_factory=list)
    held: list = field(default_factory=list)
    asked: list = field(default_factory=list)

    def find_screws(self, images, geometry, sizes, planned):
        self.asked.append((images, geometry, sizes, planned))
        return Held(self._posed, self.polls, self.held)

    def export_pose(self, posed, folder, archive):
        self.asked.append(posed)
        return Known(lambda: _written(folder, archive), 1)

    def _posed(self):
        if self.refusals:
            raise InputError(self.refusals.pop())
        known = solved(self.pixels)
        return Posed(known.result, known.radiographs, NAME, KnownPlan())


class PoseBrowsed(Browsed):
    """A page on its pose tab."""

    def __init__(self, workshop, journals=None, **page):
        super().__init__(Target(), journals, workshop, tab=POSE, **page)

    @property
    def desk(self):
        """What lies in the tab that is in front."""
        return self.planner.pose_desk if self.planner.server.state.tab == POSE else super().desk


def _written(folder: Path, archive: Path):
    folder.mkdir(exist_ok=True)
    paths = folder / "report.html", folder / "pose.json", archive
    for path in paths:
        path.write_text("written")
    return paths
