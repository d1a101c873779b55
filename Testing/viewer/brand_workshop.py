"""A workshop whose answers the library gave to drawn films, so that the brand tab can be tried without any training."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from browsed import Browsed
from c2_workshop import Known
from known_brand import identified
from pose_workshop import Held

from spinescrew.cohort.workshop import CaseWorkshop
from spinescrew.errors import InputError
from spinescrew.viewer.opened import Target
from spinescrew.viewer.places import BRAND


@dataclass(frozen=True)
class KnownBrands(CaseWorkshop):
    """Judges nothing: gives known answers, or ``refusals`` while there are some; writes down what it was asked.

    ``kinds`` holds arguments of :func:`known_brand.identified`; while anything is in ``held`` jobs do not end.
    """

    target: Target = field(default_factory=Target)
    polls: int = 3
    refusals: list[str] = field(default_factory=list)
    kinds: dict = field(default_factory=dict)
    held: list = field(default_factory=list)
    asked: list = field(default_factory=list)

    def identify(self, images):
        self.asked.append(images)
        return Held(self._identified, self.polls, self.held)

    def export_brand(self, found, folder, archive):
        self.asked.append(found)
        return Known(lambda: _written(folder, archive), 1)

    def _identified(self):
        if self.refusals:
            raise InputError(self.refusals.pop())
        return identified(**self.kinds)


class BrandBrowsed(Browsed):
    """A page on its brand tab."""

    def __init__(self, workshop, journals=None, **page):
        super().__init__(Target(), journals, workshop, tab=BRAND, **page)

    @property
    def desk(self):
        """What lies in the tab that is in front."""
        return self.planner.brand_desk if self.planner.server.state.tab == BRAND else super().desk


def _written(folder: Path, archive: Path):
    folder.mkdir(exist_ok=True)
    paths = folder / "report.html", folder / "brand.json", archive
    for path in paths:
        path.write_text("written")
    return paths
