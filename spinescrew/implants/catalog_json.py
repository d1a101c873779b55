"""Screw catalogues in JSON (``Resources/ScrewCatalogs/catalog.schema.json``)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from spinescrew.anatomy.levels import Level
from spinescrew.errors import InputError
from spinescrew.implants.catalog_item import TULIP_MM, CatalogItem
from spinescrew.implants.resources import resource_path

Read = tuple[str, str, tuple[CatalogItem, ...], dict[Level, float]]


def read_catalog_json(path: Path) -> Read:
    """Name, source, items and usual maximum diameter (mm) by level; :class:`InputError` says what is wrong where."""
    document = _validated(path)
    items: list[CatalogItem] = []
    maximum: dict[Level, float] = {}
    for number, group in enumerate(document["groups"]):
        levels = frozenset(Level[name] for name in group["levels"])
        if "usual_maximum_mm" in group:
            maximum |= dict.fromkeys(levels, float(group["usual_maximum_mm"]))
        for item in _items(document["name"], levels, group):
            if item.problems:
                raise InputError(f"{path.name}: groups[{number}]: {'; '.join(item.problems)}")
            items.append(item)
    return document["name"], document["source"], tuple(items), maximum


def _items(name: str, levels: frozenset[Level], group: dict[str, Any]) -> list[CatalogItem]:
    tulip = (
        float(group.get("tulip_diameter_mm", TULIP_MM[0])),
        float(group.get("tulip_height_mm", TULIP_MM[1])),
    )
    return [
        CatalogItem(f"{name} {diameter:.1f} x {length:g}", float(diameter), float(length), levels, *tulip)
        for diameter in group["diameters_mm"]
        for length in group["lengths_mm"]
    ]


def _validated(path: Path) -> dict[str, Any]:
    import jsonschema

    schema = json.loads(resource_path("ScrewCatalogs", "catalog.schema.json").read_text(encoding="utf-8"))
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path.name} is not readable JSON ({error}); correct it or use another catalogue") from error
    problem = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(schema).iter_errors(document))
    if problem is not None:
        raise InputError(f"{path.name}: {problem.json_path}: {problem.message}; see catalog.schema.json")
    return document
