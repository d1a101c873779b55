"""The command that finds where the screws of two radiographs are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from spinescrew.cli.app import app
from spinescrew.cli.options import ForceOption, Numbering, NumberingOption, OutOption, TitleOption
from spinescrew.cli.screen import OUT, bar

if TYPE_CHECKING:
    from spinescrew.cohort.pose import PoseCase
    from spinescrew.radiographs.pose import PosedScrew

_COLOURS = {"good": "green", "fair": "yellow", "poor": "red"}
_COLUMNS = ("screw", "size mm", "entry RAS mm", "tip RAS mm", "direction", "± across", "± along", "± tilt", "match")


@app.command()
def pose(
    first: Annotated[Path, typer.Argument(help="One radiograph, such as AP: DICOM, PNG, JPEG or TIFF.")],
    geometry: Annotated[Path, typer.Option(help="Calibration file: where each image was taken, in their order.")],
    out: OutOption,
    second: Annotated[Path | None, typer.Argument(help="The other one, such as lateral.")] = None,
    size: Annotated[
        list[str] | None, typer.Option(help="Diameter x length such as 6.5x45: one for all screws, or each of them.")
    ] = None,
    plan: Annotated[Path | None, typer.Option(help="plan.json that the screws were to follow; needs --ct.")] = None,
    ct: Annotated[Path | None, typer.Option(help="CT that the plan was made on.")] = None,
    labels: Annotated[Path | None, typer.Option(help="Its named vertebrae; found if left out.")] = None,
    postop: Annotated[Path | None, typer.Option(help="CT with the screws in place, to compare as well.")] = None,
    numbering: NumberingOption = Numbering.AUTO,
    title: TitleOption = "",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    force: ForceOption = False,
) -> None:
    """Find where the screws of two radiographs are, and how far from their plan.

    Example: spinescrew pose AP.dcm LAT.dcm --geometry geometry.json --out poses

    Example: spinescrew pose AP.dcm LAT.dcm --geometry g.json --plan case/plan.json --ct ct.nii.gz --out poses
    """
    from spinescrew.cohort.pose import parse_size, solve_case

    images = [path for path in (first, second) if path is not None]
    sizes = [parse_size(text) for text in size] if size else None
    with bar() as progress:
        case = solve_case(
            images,
            geometry,
            out,
            sizes=sizes,
            plan=plan,
            ct=ct,
            labels=labels,
            postop=postop,
            numbering=numbering.value,
            title=title,
            device=device,
            force=force,
            progress=progress,
        )
    show_pose(case)


def show_pose(case: PoseCase) -> None:
    """What to doubt, the table of screws, the calibration, the files and the step times."""
    from spinescrew.radiographs.pose_words import ROLL, summary
    from spinescrew.reports.pose_report import calibration_words

    result = case.result
    for text in result.warnings:
        OUT.print(f"please check: {text}", highlight=False, soft_wrap=True, markup=False, style="yellow")
    table = Table(title=summary(result), title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in _COLUMNS:
        table.add_column(name, justify="right" if name.startswith("±") else "left", no_wrap=True)
    for posed in result.screws:
        table.add_row(*_cells(posed))
    OUT.print(table)
    for line in _lines(case):
        OUT.print(line, highlight=False, soft_wrap=True, markup=False)
    OUT.print(ROLL, calibration_words(result), highlight=False, soft_wrap=True, markup=False)
    for line in _outcome_lines(case):
        OUT.print(line, highlight=False, soft_wrap=True, markup=False)
    OUT.print(case.provenance, highlight=False, soft_wrap=True, markup=False)
    for path in case.files:
        OUT.print(str(path), highlight=False, soft_wrap=True, markup=False)
    OUT.print("  ".join(f"{name} {seconds:.1f} s" for name, seconds in result.seconds.items()), style="dim")


def _cells(posed: PosedScrew) -> tuple[str, ...]:
    from spinescrew.radiographs.pose_words import deviations, match_word

    screw, shape = posed.screw, posed.screw.shape
    across, along, tilt = deviations(posed)
    word = match_word(posed)
    return (
        str(posed.number),
        f"{shape.diameter_mm:.1f} x {shape.length_mm:.1f}",
        *(" ".join(f"{round(float(value), 1) + 0.0:.1f}" for value in point) for point in (screw.entry, screw.tip)),
        " ".join(f"{round(float(value), 3) + 0.0:.3f}" for value in screw.direction),
        f"{across:.2f}",
        f"{along:.2f}",
        f"{tilt:.2f}",
        f"[{_COLOURS[word]}]{word} {posed.residual_px:.1f} px[/]",
    )


def _lines(case: PoseCase) -> list[str]:
    from spinescrew.radiographs.pose_words import note_words, slot_words, tulip_words

    return [
        f"screw {posed.number}: tulip {tulip_words(posed)}, slot {slot_words(posed)}"
        + "".join(f"; {note}" for note in note_words(posed))
        for posed in case.result.screws
    ]


def _outcome_lines(case: PoseCase) -> list[str]:
    from spinescrew.outcome.wording import lines

    told = [each for each in (case.outcome, case.postop) if each is not None]
    return [line for each in told for line in (f"{each.title}:", *lines(each.found))]
