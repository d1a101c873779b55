"""What the commands show: progress, tables of screws and figures."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table

from spinescrew.progress import Progress

if TYPE_CHECKING:
    from spinescrew.planning.plan import Plan

# In a file or a pipe no line is cut off: a table that nobody sees has room.
OUT = Console(width=None if sys.stdout.isatty() else 200)
ERR = Console(stderr=True)
_COLOURS = {"A": "green", "B": "yellow", "C": "dark_orange", "D": "red", "E": "red"}


@contextmanager
def bar() -> Iterator[Progress]:
    """A progress bar on the terminal; Ctrl-C cancels at the next step."""
    columns = (TextColumn("{task.description:<34}"), BarColumn(), TimeElapsedColumn())
    with Bar(*columns, console=ERR, transient=True) as shown:
        task = shown.add_task("starting", total=1.0)
        yield Progress(lambda fraction, text: shown.update(task, completed=fraction, description=text[:34]))


def show_plan(plan: Plan, files: tuple[Path, ...]) -> None:
    """The table of screws, the files and the step times."""
    title = f"{len(plan.planned)} of {len(plan.screws)} screws planned (degrees, mm)"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in ("level", "side", "screw", "PTA", "PSA", "GR", "facet", "depth", "fill"):
        table.add_column(name, justify="left" if name in ("level", "side", "screw") else "right", no_wrap=True)
    notes = []
    for row in plan.screws:
        found = row.assessment
        if row.screw is None or found is None:
            table.add_row(row.level.label, row.side, "not planned" if row.screw is None else "not graded")
            notes.append(f"{row.level.label} {row.side}: {row.reason or '; '.join(row.notes)}")
            continue
        colour = _COLOURS.get(found.gertzbein_robbins, "default")
        out = found.breach_mm or 0.0
        mm = f" {out:.1f} {found.breach_direction}" if out > 0 else ""
        shape = row.screw.shape
        table.add_row(
            row.level.label,
            row.side,
            f"{shape.diameter_mm:g} x {shape.length_mm:g}",
            f"{found.pta_deg:.1f}",
            f"{round(found.psa_deg, 1) + 0.0:.1f}",
            f"[{colour}]{found.gertzbein_robbins}{mm}[/]",
            str(found.facet_grade) if isinstance(found.facet_grade, int) else "-",
            "-" if found.depth_percent is None else f"{found.depth_percent:.0f} %",
            "-" if found.fill_percent is None else f"{found.fill_percent:.0f} %",
        )
        notes.extend(f"{row.level.label} {row.side}: {note}" for note in row.notes)
    OUT.print(table)
    if any(row.assessment is not None and not isinstance(row.assessment.facet_grade, int) for row in plan.screws):
        OUT.print("facet -: the joint with the vertebra above is not in view", style="dim")
    for note in (*notes, *plan.parameters.get("input_notes", ())):
        OUT.print(note, highlight=False, soft_wrap=True)
    for path in files:
        OUT.print(str(path), highlight=False, soft_wrap=True)
    OUT.print("  ".join(f"{name} {seconds:.1f} s" for name, seconds in plan.timings_s.items()), style="dim")


def show_figures(title: str, measure: Callable[[Progress], dict[str, Any]], path: Path | None) -> None:
    """Measure, and show the figures; ``path`` gets them too."""
    from spinescrew.cohort.bench import write_figures

    with bar() as progress:
        figures = measure(progress)
    table = Table(title=f"bench {title}", title_justify="left")
    table.add_column("measure")
    table.add_column("figure", justify="right")
    for name, value in figures.items():
        table.add_row(name, f"{value:.3g}" if isinstance(value, float) else str(value))
    OUT.print(table)
    if path is not None:
        write_figures(figures, path)
