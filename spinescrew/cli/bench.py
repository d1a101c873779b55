"""Commands that measure speed."""

from __future__ import annotations

from typing import Annotated

import typer

from spinescrew.cli.app import bench_app
from spinescrew.cli.options import JsonOption
from spinescrew.cli.screen import show_figures


@bench_app.command("grading")
def bench_grading(json: JsonOption = None) -> None:
    """Time one assessment against the same points through VTK. Example: spinescrew bench grading"""
    from spinescrew.cohort.bench import grading_figures

    show_figures("grading", grading_figures, json)


@bench_app.command("planning")
def bench_planning(json: JsonOption = None) -> None:
    """Time the planning of a case and its memory. Example: spinescrew bench planning"""
    from spinescrew.cohort.bench import planning_figures

    show_figures("planning", planning_figures, json)


@bench_app.command("drag")
def bench_drag(
    json: JsonOption = None,
    edits: Annotated[int, typer.Option(help="How many events are timed.")] = 5000,
) -> None:
    """Time a dragged handle until its grade is shown, without drawing. Example: spinescrew bench drag"""
    from spinescrew.cohort.bench_drag import drag_figures

    show_figures("drag", lambda progress: drag_figures(progress, edits), json)


@bench_app.command("correction")
def bench_correction(json: JsonOption = None) -> None:
    """Time a corrected vertebra until its grades stand again. Example: spinescrew bench correction"""
    from spinescrew.cohort.bench_correction import correction_figures

    show_figures("correction", correction_figures, json)


@bench_app.command("segmentation")
def bench_segmentation(
    json: JsonOption = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    threads: Annotated[int, typer.Option(help="Threads on a CPU; 0 leaves it to torch.", min=0)] = 0,
) -> None:
    """Time the own networks on a CT of 512 x 512 x 200, and their memory. Example: spinescrew bench segmentation"""
    from spinescrew.cohort.bench_segmentation import segmentation_figures

    show_figures("segmentation", lambda progress: segmentation_figures(progress, device, threads), json)
