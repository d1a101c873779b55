"""Tables that people write: CSV files with a header row, as spreadsheets save them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from spinescrew.errors import InputError

_YES, _NO = ("yes", "1", "true"), ("no", "0", "false")


@dataclass(frozen=True)
class Row:
    """A row of a table: its cells by column, and where it stands."""

    path: Path
    line: int
    cells: dict[str, str]

    def text(self, column: str) -> str:
        """A cell that must not be empty."""
        return self.cells.get(column) or self.refuse(f"'{column}' is empty")

    def choice(self, column: str, choices: Sequence[str]) -> str:
        """A cell that holds one of some words, in lower case."""
        said = self.text(column).lower()
        return said if said in choices else self.refuse(f"'{column}' is '{said}'; write {' or '.join(choices)}")

    def yes(self, column: str) -> bool:
        """A cell that says yes or no (1 or 0, true or false)."""
        said = self.text(column).lower()
        return said in _YES or (said not in _NO and self.refuse(f"'{column}' is '{said}'; write yes or no"))

    def number(self, column: str) -> float:
        """A cell's number; NaN where it is empty."""
        said = self.cells.get(column) or "nan"
        try:
            return float(said)
        except ValueError:
            self.refuse(f"'{column}' is '{said}'; write a number with a decimal point")

    def refuse(self, what: str) -> NoReturn:
        """Raise an :class:`InputError` that names the file and the line."""
        raise InputError(f"'{self.path}', line {self.line}: {what}")


def read_rows(path: str | Path, columns: Sequence[str]) -> tuple[Row, ...]:
    """Rows of a CSV file with a header row; empty ones are left out.

    Cells may be separated by ``,`` or ``;``; a byte-order mark is skipped, names of columns are read in lower case.

    Raises
    ------
    InputError
        If the file cannot be read, lacks one of ``columns``, holds no rows, or a row has more cells than the header.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"'{path}' cannot be read ({error.strerror}); check the name of the file") from error
    except UnicodeDecodeError as error:
        raise InputError(f"'{path}' is not text in UTF-8; save the table as CSV (UTF-8) again") from error
    header = text.partition("\n")[0]
    table = csv.DictReader(io.StringIO(text, newline=""), delimiter=";" if ";" in header else ",")
    names = table.fieldnames = [name.strip().lower() for name in table.fieldnames or ()]
    if missing := [name for name in columns if name not in names]:
        raise InputError(f"'{path}' lacks the columns {', '.join(missing)}; its first row names {', '.join(columns)}")
    try:
        rows = tuple(_row(path, table.line_num, cells) for cells in table)
    except csv.Error as error:
        raise InputError(f"'{path}', line {table.line_num}: {error}; save the table as CSV again") from error
    filled = tuple(row for row in rows if any(row.cells.values()))
    if not filled:
        raise InputError(f"'{path}' holds no rows below its header; write one for each answer")
    return filled


def _row(path: Path, line: int, cells: dict[str | None, str | list[str] | None]) -> Row:
    row = Row(
        path, line, {name: (text or "").strip() for name, text in cells.items() if name and not isinstance(text, list)}
    )
    if None in cells:
        row.refuse("more cells than the header has names; check the separators")
    return row
