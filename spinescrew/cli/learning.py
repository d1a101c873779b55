"""Commands on networks: train them, and evaluate what they find."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from spinescrew.cli.app import app, evaluate_app
from spinescrew.cli.options import (
    CountOption,
    DataOption,
    PathologyOption,
    RowsOption,
    RunsOption,
    StartingPoint,
)
from spinescrew.cli.screen import OUT, bar


class TrainingKind(StrEnum):
    """Networks that can be trained."""

    SEGMENTATION = "segmentation"
    LANDMARKS = "landmarks"
    C2 = "c2"
    XRAY = "xray"
    BRAND = "brand"


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
    threads: Annotated[int, typer.Option(help="Threads on a CPU; 0 leaves it to torch.", min=0)] = 0,
    network: Annotated[str | None, typer.Option(help="One network alone, such as vertebrae-fine.")] = None,
    width: Annotated[int | None, typer.Option(help="Channels of the network's first level.", min=1)] = None,
    without_edges: Annotated[bool, typer.Option("--without-edges", help="Leave edge attention out.")] = False,
    from_model: Annotated[bool, typer.Option("--from-model", help="Begin with the installed model.")] = False,
    learning_rate: Annotated[float, typer.Option(help="Of AdamW; a run keeps the one it began with.")] = 1e-3,
    cycle: Annotated[
        int | None, typer.Option(help="Brands: steps of one cycle (rate up, then down) of all models, not --time.")
    ] = None,
    join: Annotated[
        list[Path] | None,
        typer.Option(help="C2: join network and geometry on rows of evaluate c2 --csv; repeat for more."),
    ] = None,
    extend: Annotated[bool, typer.Option("--extend", help="Brands: add --data to the installed ones.")] = False,
) -> None:
    """Train the networks of an engine; Ctrl-C stops and keeps what was learned.

    Example: spinescrew train segmentation --time 150m --resume

    Example: spinescrew train segmentation --network vertebrae-fine --from-model --time 2h

    Example: spinescrew train brand --data films --extend --cycle 800

    Example: spinescrew train c2 --join rows.csv --models runs/models
    """
    if join:
        _join(kind, join, models)
        return
    if kind is TrainingKind.BRAND:
        from spinescrew.cli.brand_learning import train_brand

        train_brand(
            runs, models, data, None if cycle else time, cycle, device, batch, workers, threads, learning_rate,
            network, resume, extend, cases,
        )  # fmt: skip
        return
    from spinescrew.training.command import NetworkChoice
    from spinescrew.training.command import train as train_networks
    from spinescrew.training.options import TrainingOptions, parse_time

    options = TrainingOptions(time_s=parse_time(time), device=device, workers=workers, learning_rate=learning_rate)
    choice = NetworkChoice(network, width, without_edges=without_edges, from_model=from_model)
    with bar() as progress:
        cards = train_networks(
            kind.value,
            runs,
            models,
            options,
            data=data,
            cases=cases,
            choice=choice,
            batch_size=batch,
            threads=threads,
            resume=resume,
            progress=progress,
        )
    for card in cards:
        OUT.print(f"{models / card.name}: {card.task}; {card.trained_on}", highlight=False, soft_wrap=True)


def _join(kind: TrainingKind, tables: list[Path], models: Path) -> None:
    from spinescrew.cohort.join_c2 import join_c2
    from spinescrew.errors import InputError

    if kind is not TrainingKind.C2:
        raise InputError(f"--join goes with c2; leave it out for {kind.value}")
    card = join_c2(tables, models)
    OUT.print(f"{models / card.name}: {card.task}; {card.trained_on}", highlight=False, soft_wrap=True)


@evaluate_app.command("segmentation")
def evaluate_segmentation(
    data: DataOption = "phantoms",
    engine: Annotated[str, typer.Option(help="Which engine; see spinescrew engines.")] = "spinescrew",
    count: CountOption = 40,
    pathology: PathologyOption = None,
    runs: RunsOption = Path("runs"),
    csv: RowsOption = None,
) -> None:
    """Compare an engine's vertebrae with known ones, by level; thick slices and cut vertebrae apart.

    Example: spinescrew evaluate segmentation --data phantoms --engine spinescrew
    """
    from spinescrew.cohort.evaluate import evaluate_engine, images_of, write_scores
    from spinescrew.segmentation import get_engine

    with bar() as progress:
        source = images_of(data, runs / "held-out", count, pathology)
        found = evaluate_engine(get_engine(engine), source, progress)
    for thick, cut in ((False, False), (True, False), (False, True), (True, True)):
        title = _slices(thick) + (", cut by the edge of the image" if cut else "")
        table = Table("level", "images", "Dice", "named right", "wall mm", "wall 95 % mm", title=title)
        for row in found.levels_of(thick=thick, cut=cut):
            walls = ("-" if value is None else f"{value:.2f}" for value in (row.wall_mean_mm, row.wall_p95_mm))
            table.add_row(row.level.label, str(row.images), f"{row.dice:.3f}", f"{row.named_right:.1%}", *walls)
        if table.row_count:
            OUT.print(table)
    OUT.print(found.provenance)
    for number, text in found.failures.items():
        OUT.print(f"image {number}: {text}", highlight=False)
    if csv is not None:
        OUT.print(str(write_scores(found, csv)), highlight=False)


@evaluate_app.command("landmarks")
def evaluate_landmarks(
    data: DataOption = "phantoms",
    count: CountOption = 40,
    pathology: PathologyOption = None,
    runs: RunsOption = Path("runs"),
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    csv: RowsOption = None,
) -> None:
    """Compare the landmark network's entries and exits with the true ones, by level; thick slices apart.

    Example: spinescrew evaluate landmarks --count 40
    """
    from spinescrew.cohort import evaluate_plans
    from spinescrew.cohort.evaluate import images_of

    with bar() as progress:
        source = images_of(data, runs / "held-out", count, pathology)
        found = evaluate_plans.evaluate_landmarks(source, device, progress)
    for thick in (False, True):
        names = ("level", "pedicles", "not found", "mean mm", "95 % mm", "entry mm", "exit mm")
        table = Table(*names, title=_slices(thick))
        for row in found.levels_of(thick=thick):
            lengths = (row.mean_mm, row.p95_mm, row.entry_mm, row.exit_mm)
            table.add_row(row.level.label, str(row.pedicles), str(row.missing), *(f"{mm:.2f}" for mm in lengths))
        if table.row_count:
            OUT.print(table)
    OUT.print(found.provenance)
    if csv is not None:
        OUT.print(str(evaluate_plans.write_rows(found.scores, csv)), highlight=False)


@evaluate_app.command("plan")
def evaluate_plan(
    data: DataOption = "phantoms",
    engine: Annotated[str, typer.Option(help="Which engine; 'given' plans on the true labels.")] = "spinescrew",
    start: Annotated[StartingPoint, typer.Option(help="What the search of a screw starts from.")] = StartingPoint.AUTO,
    count: CountOption = 40,
    pathology: PathologyOption = None,
    runs: RunsOption = Path("runs"),
    csv: RowsOption = None,
) -> None:
    """Plan from images alone and compare with reference screws and the true cortex; thick slices apart.

    Example: spinescrew evaluate plan --count 40
    """
    from spinescrew.cohort import evaluate_plans
    from spinescrew.cohort.evaluate import images_of
    from spinescrew.evaluation.planned import planned_by_level, summarise_planned
    from spinescrew.planning.options import PlanningOptions

    with bar() as progress:
        source = images_of(data, runs / "held-out", count, pathology)
        (found,) = evaluate_plans.evaluate_plans(source, engine, [PlanningOptions(start=start.value)], progress)
    for thick in (False, True):
        scores = found.of(thick=thick)
        rows = {level.label: row for level, row in planned_by_level(scores).items()} | {
            "all": summarise_planned(scores)
        }
        names = ("screws", "none", "astray", "PTA", "PSA", "entry mm", "tip mm", "Dice")
        table = Table("level", *names, "GR A", "GR A true", "facet 0", "facet 0 true", title=_slices(thick))
        for name, row in rows.items():
            measures = (row.means[key] for key in ("pta_deg", "psa_deg", "entry_mm", "tip_mm", "dice"))
            shares = (row.own_a, row.true_a, row.own_facet_0, row.true_facet_0)
            counts = (str(row.screws), str(row.unplanned), str(row.elsewhere))
            table.add_row(name, *counts, *(f"{x:.2f}" for x in measures), *(f"{x:.1%}" for x in shares))
        if scores:
            OUT.print(table)
    for number, text in found.failures.items():
        OUT.print(f"image {number}: {text}", highlight=False)
    if csv is not None:
        OUT.print(str(evaluate_plans.write_rows(found.scores, csv)), highlight=False)


def _slices(thick: bool) -> str:
    return "slices above 2 mm" if thick else "slices up to 2 mm"
