"""The command that asks whether the C2 pedicles of a CT take a screw."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from spinescrew.cli.app import app
from spinescrew.cli.options import ForceOption, OutOption, SeriesOption
from spinescrew.cli.screen import OUT, bar
from spinescrew.feasibility.wording import percent, percent_range

if TYPE_CHECKING:
    from spinescrew.feasibility.assessment import C2Assessment, SideAssessment

_COLOURS = {"feasible": "green", "unsure": "yellow", "not feasible": "red"}
_COLUMNS = ("side", "probability", "interval", "verdict", "network", "width mm", "wall mm", "artery", "geometry")


@app.command()
def c2(
    ct: Annotated[Path, typer.Argument(help="Neck CT: NIfTI, NRRD, MHA, or a DICOM folder.")],
    out: OutOption,
    series: SeriesOption = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    force: ForceOption = False,
) -> None:
    """Say of both C2 pedicles whether a 3.5 mm screw stays in bone, and why.

    A CT without a whole C2 is refused, with the reason.

    Example: spinescrew c2 neck.nii.gz --out c2-case
    """
    from spinescrew.cohort.c2 import assess_case

    with bar() as progress:
        case = assess_case(ct, out, series=series, device=device, force=force, progress=progress)
    show_c2(case.assessment, case.files)


def show_c2(found: C2Assessment, files: tuple[Path, ...]) -> None:
    """The table of both sides, what to look at, the files and the step times."""
    title = f"C2 pedicles, {found.screw_mm:g} mm screw, read at {100 * found.threshold:.0f} %"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in _COLUMNS:
        table.add_column(name, justify="right" if name.endswith("mm") else "left", no_wrap=True)
    for side, own in found.sides.items():
        table.add_row(side, *_cells(own, found.screw_mm))
    OUT.print(table)
    for line in _lines(found):
        OUT.print(line, highlight=False, soft_wrap=True, markup=False)
    for path in files:
        OUT.print(str(path), highlight=False, soft_wrap=True, markup=False)
    OUT.print("  ".join(f"{name} {seconds:.1f} s" for name, seconds in found.seconds.items()), style="dim")


def _cells(own: SideAssessment, screw_mm: float) -> tuple[str, ...]:
    return (
        f"{percent(own.probability)} %",
        f"{percent_range(own.low, own.high)} %",
        f"[{_COLOURS[own.verdict]}]{own.verdict}[/]",
        f"{percent(own.network)} %",
        f"{own.measures.outer_width_mm:.1f}",
        f"{own.measures.corridors[screw_mm].margin_mm:.1f}",
        "high-riding" if own.measures.high_riding else "-",
        "disagrees" if own.disagreement else "agrees",
    )


def _lines(found: C2Assessment) -> list[str]:
    lines = [f"{side}: {own.disagreement}" for side, own in found.sides.items() if own.disagreement]
    for side, own in found.sides.items():
        for way in own.ways_out:
            lines.append(
                f"{side}, way out through the {way.name}: {way.diameter_mm:g} mm, {way.length_mm:.0f} mm long, "
                f"wall {way.margin_mm:.1f} mm"
            )
    return [*lines, *found.warnings, found.provenance]
