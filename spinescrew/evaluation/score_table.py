"""Scores as CSV files: one row each, a column for every field."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from spinescrew.geometry.atomic import atomic_path


def write_table(path: str | Path, kind: type, scores: Sequence[Any]) -> Path:
    """Scores of a dataclass ``kind`` as rows; yes and no for what is true or not, empty where there is nothing."""
    path = Path(path)
    names = columns_of(kind)
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(names)
        table.writerows([_text(getattr(score, name)) for name in names] for score in scores)
    return path


def columns_of(kind: type) -> list[str]:
    """The names of a dataclass's fields, in order."""
    return [field.name for field in fields(kind)]


def case_name(text: str) -> int | str:
    """Numbers as such; names that only look like them, as 007, as they are."""
    return int(text) if text.isdecimal() and str(int(text)) == text else text


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None or value != value else str(value)
