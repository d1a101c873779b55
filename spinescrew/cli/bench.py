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
    edits: Annotated[int | None, typer.Option(help="How many; 5000, or 1000 in a browser, if left out.", min=1)] = None,
    browser: Annotated[bool, typer.Option("--browser", help="In Chromium, from the mouse to the picture.")] = False,
) -> None:
    """Time a dragged handle until its grade is shown, drawn in a browser or not. Example: spinescrew bench drag"""
    from spinescrew.cohort import bench_drag as scene

    if browser:
        from spinescrew.cohort import bench_browser as page

        show_figures("drag --browser", lambda progress: page.browser_drag_figures(progress, edits or page.EDITS), json)
    else:
        show_figures("drag", lambda progress: scene.drag_figures(progress, edits or scene.EDITS), json)


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
