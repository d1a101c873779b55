"""Screw catalogues: which sizes exist at which level."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from spinescrew.anatomy.levels import Level
from spinescrew.errors import InputError
from spinescrew.implants.catalog_csv import read_catalog_csv
from spinescrew.implants.catalog_item import CatalogItem
from spinescrew.implants.catalog_json import read_catalog_json
from spinescrew.implants.resources import resource_path
from spinescrew.implants.screw import ScrewShape

_SAME_SIZE_MM = 0.01


@dataclass(frozen=True)
class Catalog:
    """Screws that can be taken, as a value.

    Attributes
    ----------
    name:
        Short name, kept with every plan.
    items:
        In the order of the file: where two items have the same sizes, the first is taken.
    usual_maximum_mm:
        Largest diameter usually taken, by level; where a file does not say, the generic catalogue's figure.
    source:
        Where the sizes come from.

    Examples
    --------
    >>> catalog = load_catalog()
    >>> catalog.diameters(Level.L3)
    (5.5, 6.0, 6.5, 7.0, 7.5)
    >>> catalog.snap(Level.L3, 6.6, 46.4).item
    'generic 6.5 x 45'
    """

    name: str
    items: tuple[CatalogItem, ...]
    usual_maximum_mm: Mapping[Level, float] = field(default_factory=dict)
    source: str = ""

    def diameters(self, level: Level) -> tuple[float, ...]:
        """Diameters in mm that exist for ``level``, ascending; :class:`InputError` if there are none."""
        return tuple(sorted({item.diameter_mm for item in self._at(level)}))

    def lengths(self, level: Level, diameter_mm: float) -> tuple[float, ...]:
        """Lengths in mm of this diameter, ascending; :class:`InputError` if the diameter does not exist."""
        found = {item.length_mm for item in self._at(level) if _same(item.diameter_mm, diameter_mm)}
        if not found:
            known = ", ".join(f"{value:g}" for value in self.diameters(level))
            raise InputError(
                f"the catalogue '{self.name}' has no {diameter_mm:g} mm screw for {level.label}; it has {known} mm"
            )
        return tuple(sorted(found))

    def max_diameter(self, level: Level) -> float:
        """The level's usual maximum in mm (science: generic conventions by region), a default that users override."""
        return self.usual_maximum_mm.get(level, self.diameters(level)[-1])

    def shape(self, level: Level, diameter_mm: float, length_mm: float) -> ScrewShape:
        """The screw of exactly these sizes; :class:`InputError` naming the lengths there are if it does not exist."""
        lengths = self.lengths(level, diameter_mm)
        for item in self._at(level):
            if _same(item.diameter_mm, diameter_mm) and _same(item.length_mm, length_mm):
                return item.shape
        known = ", ".join(f"{value:g}" for value in lengths)
        raise InputError(
            f"the catalogue '{self.name}' has no {diameter_mm:g} x {length_mm:g} mm screw for {level.label}; "
            f"{diameter_mm:g} mm comes in lengths {known} mm"
        )

    def snap(self, level: Level, diameter_mm: float, length_mm: float) -> ScrewShape:
        """The nearest screw there is: by diameter first, then by length, the smaller one of two equally near."""
        diameter = min(self.diameters(level), key=lambda value: abs(value - diameter_mm))
        length = min(self.lengths(level, diameter), key=lambda value: abs(value - length_mm))
        return self.shape(level, diameter, length)

    def _at(self, level: Level) -> list[CatalogItem]:
        found = [item for item in self.items if not item.levels or level in item.levels]
        if not found:
            raise InputError(f"the catalogue '{self.name}' has no screws for {level.label}")
        return found


def load_catalog(name_or_path: str | Path = "generic") -> Catalog:
    """A shipped catalogue by name (``"generic"``), or one of your own from a ``.json`` or ``.csv`` file.

    JSON files follow ``Resources/ScrewCatalogs/catalog.schema.json``; CSV files have one row per screw with the
    columns ``item, diameter_mm, length_mm`` and, where wanted, ``levels, tulip_diameter_mm, tulip_height_mm``.

    Raises
    ------
    InputError
        If there is no such catalogue, or the file cannot be used; bad CSV rows are named by their line.
    """
    path = Path(name_or_path)
    suffix = path.suffix.lower()
    if suffix not in (".json", ".csv"):
        path = _shipped(str(name_or_path))
    if not path.is_file():
        raise InputError(f"there is no catalogue file '{path}'; check the path")
    if suffix == ".csv":
        return Catalog(path.stem, read_catalog_csv(path), load_catalog().usual_maximum_mm, f"imported from {path.name}")
    name, source, items, maximum = read_catalog_json(path)
    if suffix == ".json":
        maximum = {**load_catalog().usual_maximum_mm, **maximum}
    return Catalog(name, items, maximum, source)


def _shipped(name: str) -> Path:
    folder = resource_path("ScrewCatalogs")
    shipped = sorted(path.stem for path in folder.glob("*.json") if not path.stem.endswith(".schema"))
    if name not in shipped:
        known = " or ".join(shipped)
        raise InputError(f"there is no catalogue '{name}'; use {known}, or the path of a .json or .csv file")
    return folder / f"{name}.json"


def _same(first_mm: float, second_mm: float) -> bool:
    return abs(first_mm - second_mm) <= _SAME_SIZE_MM
