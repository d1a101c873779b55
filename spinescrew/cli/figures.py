"""Figures of an evaluation as the console shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from spinescrew.evaluation.agreement import Estimate, Share


def figure_table(title: str, *columns: str) -> Table:
    """A table whose first column names what the others measure."""
    table = Table(title=title, title_justify="left")
    for number, name in enumerate(columns):
        table.add_column(name, justify="right" if number else "left")
    return table


def plain(value: float) -> str:
    """Three digits; a dash for NaN."""
    return "-" if value != value else f"{value:.3f}"


def share_text(found: Share) -> str:
    """A share with its interval."""
    return f"{found.value:.3f} ({found.low:.3f}-{found.high:.3f})" if found.count else "-"


def estimate_text(found: Estimate) -> str:
    """A figure with its interval."""
    return "-" if found.value != found.value else f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f})"
