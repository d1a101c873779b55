"""The command ``spinescrew``: plan, grade, phantom, bench, demo."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table

from spinescrew import __version__
from spinescrew.errors import SpineScrewError
from spinescrew.progress import Cancelled, Progress

app = typer.Typer(
    help="Plan and grade pedicle screws. Example: spinescrew plan ct.nii.gz --labels vertebrae.nii.gz --out case",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
)
phantom_app = typer.Typer(help="Make synthetic cases whose true values are known.", no_args_is_help=True)
bench_app = typer.Typer(help="Measure speed, as ratios to a reference in the same run.", no_args_is_help=True)
app.add_typer(phantom_app, name="phantom")
app.add_typer(bench_app, name="bench")
evaluate_app = typer.Typer(no_args_is_help=True, help="Measure against known answers.")
app.add_typer(evaluate_app, name="evaluate")

OUT = Console()
ERR = Console(stderr=True)


class Numbering(StrEnum):
    """How the numbers of a label map are read."""

    AUTO = "auto"
    VERSE = "verse"
    TOTALSEGMENTATOR = "totalsegmentator"
    TOTALSEGMENTATOR_V1 = "totalsegmentator-v1"
    TOTALSEGMENTATOR_V2 = "totalsegmentator-v2"


class TrajectoryName(StrEnum):
    """Which way a screw is aimed."""

    STRAIGHT_FORWARD = "straight-forward"
    ANATOMIC = "anatomic"


CtArgument = Annotated[Path | None, typer.Argument(help="CT file or DICOM folder; without it a mask alone is planned.")]
LabelsOption = Annotated[Path, typer.Option(help="Label map of named vertebrae.")]
FoundLabelsOption = Annotated[Path | None, typer.Option(help="Label map of named vertebrae; found if left out.")]
EngineOption = Annotated[str, typer.Option(help="What finds the vertebrae without --labels; see spinescrew engines.")]
NumberingOption = Annotated[Numbering, typer.Option(help="How its numbers are read; asks where they are ambiguous.")]
OutOption = Annotated[Path, typer.Option(help="Folder for the results; complete or untouched.")]
SeriesOption = Annotated[str | None, typer.Option(help="Which DICOM series (number or UID), where there are several.")]
TitleOption = Annotated[str, typer.Option(help="Heading of the report. No identity is written unless given here.")]
RiskOption = Annotated[bool, typer.Option("--monte-carlo", help="Also estimate grades under 1 mm, 2 degrees of error.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace an --out folder that holds other files.")]


@app.callback(invoke_without_command=True)
def _main(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    if version:
        OUT.print(__version__, highlight=False)
        raise typer.Exit
    logging.basicConfig(level=logging.DEBUG if debug else logging.ERROR, stream=sys.stderr)


@app.command()
def plan(
    out: OutOption,
    ct: CtArgument = None,
    labels: FoundLabelsOption = None,
    engine: EngineOption = "auto",
    numbering: NumberingOption = Numbering.AUTO,
    levels: Annotated[str | None, typer.Option(help="For example L1-S1 or T12,L2-L4; all if left out.")] = None,
    trajectory: Annotated[TrajectoryName, typer.Option(help="Aim of the screws.")] = TrajectoryName.STRAIGHT_FORWARD,
    catalog: Annotated[str, typer.Option(help="Name of a shipped catalogue, or your own .csv or .json.")] = "generic",
    series: SeriesOption = None,
    title: TitleOption = "",
    monte_carlo: RiskOption = False,
    force: ForceOption = False,
) -> None:
    """Plan a screw on both sides of every level.

    Without --labels an engine finds the vertebrae (spinescrew engines lists them).

    Example: spinescrew plan ct.nii.gz --labels vertebrae.nii.gz --levels L1-S1 --out case
    """
    from spinescrew.anatomy.levels import parse_levels
    from spinescrew.cohort.case import CaseInput, plan_case
    from spinescrew.implants.catalog import load_catalog
    from spinescrew.planning.options import PlanningOptions

    wanted = None if levels is None else parse_levels(levels)
    options = PlanningOptions(trajectory=trajectory.value, catalog=load_catalog(catalog))
    source = CaseInput(labels, ct, numbering.value, series, engine)
    with _bar() as progress:
        result = plan_case(
            source, wanted, options, out, title=title, monte_carlo=monte_carlo, force=force, progress=progress
        )
    _show(result.plan, result.files)


@app.command()
def grade(
    labels: LabelsOption,
    plan: Annotated[Path, typer.Option(help="plan.json with the screws.")],
    out: OutOption,
    ct: CtArgument = None,
    numbering: NumberingOption = Numbering.AUTO,
    series: SeriesOption = None,
    title: TitleOption = "",
    monte_carlo: RiskOption = False,
    confirmed: Annotated[bool, typer.Option("--other-image", help="Accept another image than the plan's.")] = False,
    force: ForceOption = False,
) -> None:
    """Grade the screws of a plan against a label map.

    Example: spinescrew grade --labels vertebrae.nii.gz --plan case/plan.json --out graded
    """
    from spinescrew.cohort.case import CaseInput, grade_case

    source = CaseInput(labels, ct, numbering.value, series)
    with _bar() as progress:
        result = grade_case(
            source,
            plan,
            out,
            title=title,
            monte_carlo=monte_carlo,
            confirmed=confirmed,
            force=force,
            progress=progress,
        )
    _show(result.plan, result.files)


@app.command()
def segment(
    ct: Annotated[Path, typer.Argument(help="CT: NIfTI, NRRD, MHA, or a DICOM folder.")],
    out: OutOption,
    engine: EngineOption = "auto",
    levels: Annotated[str | None, typer.Option(help="For example L1-S1; all in view if left out.")] = None,
    bundle: Annotated[Path | None, typer.Option(help="Folder of a MONAI bundle, for --engine monai.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    fast: Annotated[bool, typer.Option("--fast", help="Quicker and coarser, where the engine can.")] = False,
    series: SeriesOption = None,
    force: ForceOption = False,
) -> None:
    """Find and name the vertebrae of a CT.

    Example: spinescrew segment ct.nii.gz --levels L1-S1 --out vertebrae
    """
    from spinescrew.anatomy.levels import parse_levels
    from spinescrew.cohort.segment import segment_case
    from spinescrew.segmentation import EngineOptions

    wanted = None if levels is None else parse_levels(levels)
    options = EngineOptions(bundle=bundle, fast=fast, device=device)
    with _bar() as progress:
        case = segment_case(ct, out, wanted, engine, options, series=series, force=force, progress=progress)
    table = Table("level", "confidence", "please check", title=case.notes[0], title_justify="left")
    for level, share in case.found.confidence.items():
        table.add_row(level.label, f"{share:.2f}", case.found.check.get(level, ""))
    OUT.print(table)
    for text in (*case.warnings, *map(str, case.files)):
        OUT.print(text, highlight=False)


@app.command()
def engines() -> None:
    """List the segmentation engines, and why one cannot run. Example: spinescrew engines"""
    from spinescrew.segmentation import list_engines

    table = Table("engine", "what it is", "can it run")
    for state in list_engines():
        table.add_row(state.name, state.title, state.reason or "yes")
    OUT.print(table)


class TrainingKind(StrEnum):
    """Networks that can be trained."""

    SEGMENTATION = "segmentation"
    LANDMARKS = "landmarks"


@app.command()
def train(
    kind: Annotated[TrainingKind, typer.Argument(help="Which networks.")],
    data: Annotated[str, typer.Option(help="phantoms, or a folder of images and labels.")] = "phantoms",
    time: Annotated[str, typer.Option(help="How long, such as 150m or 2h.")] = "60m",
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    runs: Annotated[Path, typer.Option(help="Folder of checkpoints and phantoms.")] = Path("runs"),
    models: Annotated[Path, typer.Option(help="Folder the trained models are written to.")] = Path("runs/models"),
    cases: Annotated[int, typer.Option(help="How many phantoms.")] = 400,
    batch: Annotated[int, typer.Option(help="Images per step.")] = 1,
    workers: Annotated[int, typer.Option(help="Processes that prepare images.")] = 0,
) -> None:
    """Train the networks of an engine; Ctrl-C stops and keeps what was learned.

    Example: spinescrew train segmentation --time 150m --resume
    """
    from spinescrew.training.command import train as train_networks
    from spinescrew.training.options import TrainingOptions, parse_time

    options = TrainingOptions(time_s=parse_time(time), device=device, workers=workers)
    with _bar() as progress:
        cards = train_networks(
            kind.value,
            runs,
            models,
            options,
            data=data,
            cases=cases,
            batch_size=batch,
            resume=resume,
            progress=progress,
        )
    for card in cards:
        OUT.print(f"{models / card.name}: {card.task}; {card.trained_on}", highlight=False)


@evaluate_app.command("segmentation")
def evaluate_segmentation(
    data: Annotated[str, typer.Option(help="phantoms (held out), or a folder of images and labels.")] = "phantoms",
    engine: Annotated[str, typer.Option(help="Which engine; see spinescrew engines.")] = "spinescrew",
    count: Annotated[int, typer.Option(help="How many phantoms.")] = 40,
    runs: Annotated[Path, typer.Option(help="Folder in which phantoms are kept.")] = Path("runs"),
    csv: Annotated[Path | None, typer.Option(help="Also write every vertebra to this file.")] = None,
) -> None:
    """Compare an engine's vertebrae with known ones, by level.

    Example: spinescrew evaluate segmentation --data phantoms --engine spinescrew
    """
    from spinescrew.cohort.evaluate import evaluate_engine, images_of, write_scores
    from spinescrew.segmentation import get_engine

    with _bar() as progress:
        found = evaluate_engine(get_engine(engine), images_of(data, runs / "held-out", count), progress)
    table = Table("level", "images", "Dice", "named right", "wall mm", "wall 95 % mm", title=found.provenance)
    for row in found.levels:
        walls = ("-" if value is None else f"{value:.2f}" for value in (row.wall_mean_mm, row.wall_p95_mm))
        table.add_row(row.level.label, str(row.images), f"{row.dice:.3f}", f"{row.named_right:.0%}", *walls)
    OUT.print(table)
    for number, text in found.failures.items():
        OUT.print(f"image {number}: {text}", highlight=False)
    if csv is not None:
        OUT.print(str(write_scores(found, csv)), highlight=False)


@app.command()
def demo(out: OutOption = Path("demo"), force: ForceOption = False) -> None:
    """Plan the built-in case (a synthetic lumbar spine). Example: spinescrew demo --out demo"""
    from spinescrew.cohort.demo import run_demo

    with _bar() as progress:
        result = run_demo(out, force=force, progress=progress)
    _show(result.plan, result.files)


@phantom_app.command("spine")
def phantom_spine(
    out: OutOption,
    seed: Annotated[int, typer.Option(help="The same seed gives the same spine.")] = 0,
    force: ForceOption = False,
) -> None:
    """Write a synthetic T12-S1 spine: CT, labels, true values. Example: spinescrew phantom spine --seed 7 --out p7"""
    from spinescrew.cohort.demo import write_phantom

    with _bar() as progress:
        files = write_phantom(seed, out, force=force, progress=progress)
    for path in files:
        OUT.print(str(path), highlight=False)


JsonOption = Annotated[Path | None, typer.Option("--json", help="Also write the figures to this file.")]


@bench_app.command("grading")
def bench_grading(json: JsonOption = None) -> None:
    """Time one assessment against the same points through VTK. Example: spinescrew bench grading"""
    from spinescrew.cohort.bench import grading_figures

    _figures("grading", grading_figures, json)


@bench_app.command("planning")
def bench_planning(json: JsonOption = None) -> None:
    """Time the planning of a case and its memory. Example: spinescrew bench planning"""
    from spinescrew.cohort.bench import planning_figures

    _figures("planning", planning_figures, json)


@bench_app.command("drag")
def bench_drag(
    json: JsonOption = None,
    edits: Annotated[int, typer.Option(help="How many events are timed.")] = 5000,
) -> None:
    """Time a dragged handle until its grade is shown, without drawing. Example: spinescrew bench drag"""
    from spinescrew.cohort.bench_drag import drag_figures

    _figures("drag", lambda progress: drag_figures(progress, edits), json)


@bench_app.command("correction")
def bench_correction(json: JsonOption = None) -> None:
    """Time a corrected vertebra until its grades stand again. Example: spinescrew bench correction"""
    from spinescrew.cohort.bench_correction import correction_figures

    _figures("correction", correction_figures, json)


def _figures(title: str, measure: object, path: Path | None) -> None:
    from spinescrew.cohort.bench import write_figures

    with _bar() as progress:
        figures = measure(progress)  # type: ignore[operator]
    table = Table(title=f"bench {title}", title_justify="left")
    table.add_column("measure")
    table.add_column("figure", justify="right")
    for name, value in figures.items():
        table.add_row(name, f"{value:.3g}" if isinstance(value, float) else str(value))
    OUT.print(table)
    if path is not None:
        write_figures(figures, path)


@contextmanager
def _bar() -> Iterator[Progress]:
    """A progress bar on the terminal; Ctrl-C cancels at the next step."""
    columns = (TextColumn("{task.description:<34}"), BarColumn(), TimeElapsedColumn())
    with Bar(*columns, console=ERR, transient=True) as bar:
        task = bar.add_task("starting", total=1.0)
        yield Progress(lambda fraction, text: bar.update(task, completed=fraction, description=text[:34]))


_COLOURS = {"A": "green", "B": "yellow", "C": "dark_orange", "D": "red", "E": "red"}


def _show(plan: object, files: tuple[Path, ...]) -> None:
    """The table of screws, the files and the step times."""
    from spinescrew.planning.plan import Plan

    assert isinstance(plan, Plan)
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


def main() -> None:
    """Entry point: errors become one readable line and a non-zero status."""
    try:
        app()
    except SpineScrewError as error:
        _fail(str(error))
    except (Cancelled, KeyboardInterrupt):
        _fail("cancelled; nothing was written", status=130)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        _fail(f"{error.strerror or error}{where}")
    except Exception as error:
        if "--debug" in sys.argv:
            raise
        _fail(f"unexpected {type(error).__name__}: {error}; run again as `spinescrew --debug ...` for the traceback")


def _fail(message: str, status: int = 1) -> None:
    sys.stderr.write("error: " + " ".join(message.split()) + "\n")
    sys.exit(status)


if __name__ == "__main__":
    main()
