"""A maker's own list of screws, from a CSV file as spreadsheets write it."""

from __future__ import annotations

import codecs
import csv
import io
from pathlib import Path

from spinescrew.anatomy.levels import Level, parse_levels
from spinescrew.errors import InputError
from spinescrew.implants.catalog_item import TULIP_MM, CatalogItem

_REQUIRED = ("item", "diameter_mm", "length_mm")
_NAMED_PROBLEMS = 5
_TOO_MANY = "too many"


def read_catalog_csv(path: Path) -> tuple[CatalogItem, ...]:
    """Items of a CSV file with a header row.

    Columns ``item, diameter_mm, length_mm`` and, where wanted, ``levels`` (``T10-L2``), ``tulip_diameter_mm``,
    ``tulip_height_mm``; others are left alone. Columns may be separated by ``,`` or ``;``, in which case a decimal
    comma is read too; a byte-order mark is skipped.

    Raises
    ------
    InputError
        If a column is missing, or naming every bad row (the first five) by its line and what is wrong with it.
    """
    text = _decoded(path)
    header = text.splitlines()[0] if text.strip() else ""
    delimiter = ";" if header.count(";") >= header.count(",") and ";" in header else ","
    rows = csv.DictReader(io.StringIO(text), delimiter=delimiter, restkey=_TOO_MANY)
    rows.fieldnames = [name.strip().lower() for name in rows.fieldnames or ()]
    missing = [name for name in _REQUIRED if name not in rows.fieldnames]
    if missing:
        raise InputError(f"{path.name}: the header row lacks {', '.join(missing)}; it needs {', '.join(_REQUIRED)}")
    items: list[CatalogItem] = []
    problems: list[str] = []
    first_line: dict[str, int] = {}
    try:
        for row in rows:
            cells = {name: (value or "").strip() for name, value in row.items() if isinstance(value, str | None)}
            if not any(cells.values()):
                continue
            item, wrong = _item(cells, _TOO_MANY in row, delimiter)
            if item is not None and item.name in first_line:
                wrong.append(f"item '{item.name}' stands in line {first_line[item.name]} already")
            if wrong or item is None:
                problems.append(f"line {rows.line_num}: {', '.join(wrong)}")
            else:
                first_line[item.name] = rows.line_num
                items.append(item)
    except csv.Error as error:
        raise InputError(f"{path.name}: line {rows.line_num}: {error}; save the list as CSV again") from error
    if problems:
        more = len(problems) - _NAMED_PROBLEMS
        rest = f"; and {more} more rows" if more > 0 else ""
        raise InputError(f"{path.name}: {'; '.join(problems[:_NAMED_PROBLEMS])}{rest}")
    if not items:
        raise InputError(f"{path.name} lists no screws; write one row per screw below the header")
    return tuple(items)


def _decoded(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path.name} cannot be read: {error.strerror}; check the file") from error
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16", errors="replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def _item(cells: dict[str, str], too_many: bool, delimiter: str) -> tuple[CatalogItem | None, list[str]]:
    """The item of one row and what is wrong with the row."""
    if too_many:
        hint = "write decimals with a point" if delimiter == "," else "check the separators"
        return None, [f"more values than the header has names; {hint}"]
    wrong: list[str] = []
    sizes = {name: _number(cells, name, delimiter, wrong) for name in ("diameter_mm", "length_mm")}
    for name, usual in zip(("tulip_diameter_mm", "tulip_height_mm"), TULIP_MM, strict=True):
        sizes[name] = _number(cells, name, delimiter, wrong) if cells.get(name) else usual
    levels: frozenset[Level] = frozenset()
    if cells.get("levels"):
        try:
            levels = frozenset(parse_levels(cells["levels"]))
        except InputError as error:
            wrong.append(str(error))
    if not cells["item"]:
        wrong.append("the item has no name")
    if wrong:
        return None, wrong
    item = CatalogItem(cells["item"], levels=levels, **sizes)
    return item, item.problems


def _number(cells: dict[str, str], name: str, delimiter: str, wrong: list[str]) -> float:
    text = cells.get(name, "")
    if delimiter == ";":
        text = text.replace(",", ".")
    try:
        return float(text)
    except ValueError:
        wrong.append(f"{name} is empty" if not text else f"{name} '{text}' is not a number")
        return float("nan")
