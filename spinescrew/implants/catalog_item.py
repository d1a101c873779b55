"""One line of a screw catalogue."""

from __future__ import annotations

from dataclasses import dataclass

from spinescrew.anatomy.levels import Level
from spinescrew.implants.screw import ScrewShape
from spinescrew.implants.sizes import size_problem

TULIP_MM = (13.0, 15.0)
"""Usual diameter and height of a tulip, where a list does not give them."""


@dataclass(frozen=True)
class CatalogItem:
    """A screw one can take: its name, its sizes in mm and the levels it is for (none named: for all)."""

    name: str
    diameter_mm: float
    length_mm: float
    levels: frozenset[Level] = frozenset()
    tulip_diameter_mm: float = TULIP_MM[0]
    tulip_height_mm: float = TULIP_MM[1]

    @property
    def problems(self) -> list[str]:
        """What is not believable about its sizes."""
        found = (
            size_problem("diameter", self.diameter_mm),
            size_problem("length", self.length_mm),
            size_problem("tulip diameter", self.tulip_diameter_mm),
            size_problem("tulip height", self.tulip_height_mm),
        )
        return [text for text in found if text]

    @property
    def shape(self) -> ScrewShape:
        """Its shape, under its own name."""
        return ScrewShape(
            diameter_mm=self.diameter_mm,
            length_mm=self.length_mm,
            tulip_diameter_mm=self.tulip_diameter_mm,
            tulip_height_mm=self.tulip_height_mm,
            item=self.name,
        )
