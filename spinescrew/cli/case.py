"""Commands on a case: plan, grade, segment, engines, demo, phantom."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from spinescrew.cli.app import app, phantom_app
from spinescrew.cli.options import (
    CtArgument,
    EngineOption,
    ForceOption,
    FoundLabelsOption,
    LabelsOption,
    Numbering,
    NumberingOption,
    OutOption,
    RiskOption,
    SeriesOption,
    StartingPoint,
    TitleOption,
    TrajectoryName,
)
from spinescrew.cli.screen import OUT, bar, show_plan


@app.command()
def plan(
    out: OutOption,
    ct: CtArgument = None,
    labels: FoundLabelsOption = None,
    engine: EngineOption = "auto",
    numbering: NumberingOption = Numbering.AUTO,
    levels: Annotated[str | None, typer.Option(help="For example L1-S1 or T12,L2-L4; all if left out.")] = None,
    trajectory: Annotated[TrajectoryName, typer.Option(help="Aim of the screws.")] = TrajectoryName.STRAIGHT_FORWARD,
    start: Annotated[StartingPoint, typer.Option(help="What the search of a screw starts from.")] = StartingPoint.AUTO,
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
    options = PlanningOptions(trajectory=trajectory.value, start=start.value, catalog=load_catalog(catalog))
    source = CaseInput(labels, ct, numbering.value, series, engine)
    with bar() as progress:
        result = plan_case(
            source, wanted, options, out, title=title, monte_carlo=monte_carlo, force=force, progress=progress
        )
    show_plan(result.plan, result.files)


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
    with bar() as progress:
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
    show_plan(result.plan, result.files)


@app.command()
def segment(
    ct: Annotated[Path, typer.Argument(help="CT: NIfTI, NRRD, MHA, or a DICOM folder.")],
    out: OutOption,
    engine: EngineOption = "auto",
    levels: Annotated[str | None, typer.Option(help="For example L1-S1; all in view if left out.")] = None,
    bundle: Annotated[Path | None, typer.Option(help="Folder of a MONAI bundle, for --engine monai.")] = None,
    middle: Annotated[str | None, typer.Option(help="Name of the vertebra in the middle, where you know it.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    fast: Annotated[bool, typer.Option("--fast", help="Quicker and coarser, where the engine can.")] = False,
    series: SeriesOption = None,
    force: ForceOption = False,
) -> None:
    """Find and name the vertebrae of a CT.

    A crop that shows neither sacrum nor ribs cannot be named from the image: --middle L3 names it.

    Example: spinescrew segment ct.nii.gz --levels L1-S1 --out vertebrae
    """
    from spinescrew.anatomy.levels import parse_level, parse_levels
    from spinescrew.cohort.segment import segment_case
    from spinescrew.segmentation import EngineOptions

    wanted = None if levels is None else parse_levels(levels)
    known = None if middle is None else parse_level(middle)
    options = EngineOptions(bundle=bundle, fast=fast, device=device, middle=known)
    with bar() as progress:
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


@app.command()
def demo(out: OutOption = Path("demo"), force: ForceOption = False) -> None:
    """Plan the built-in case (a synthetic lumbar spine). Example: spinescrew demo --out demo"""
    from spinescrew.cohort.demo import run_demo

    with bar() as progress:
        result = run_demo(out, force=force, progress=progress)
    show_plan(result.plan, result.files)
    OUT.print(f"Open it in a browser: {Path(sys.argv[0])} view {out}", highlight=False, soft_wrap=True)


@phantom_app.command("spine")
def phantom_spine(
    out: OutOption,
    seed: Annotated[int, typer.Option(help="The same seed gives the same spine.")] = 0,
    force: ForceOption = False,
) -> None:
    """Write a synthetic T12-S1 spine: CT, labels, true values. Example: spinescrew phantom spine --seed 7 --out p7"""
    from spinescrew.cohort.demo import write_phantom

    with bar() as progress:
        files = write_phantom(seed, out, force=force, progress=progress)
    for path in files:
        OUT.print(str(path), highlight=False)
