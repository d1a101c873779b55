"""The command that evaluates how well screws are found in two radiographs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from spinescrew.cli.app import evaluate_app
from spinescrew.cli.figures import estimate_text, figure_table, plain, share_text
from spinescrew.cli.options import CountOption, RowsOption, RunsOption
from spinescrew.cli.screen import OUT, bar
from spinescrew.errors import InputError

if TYPE_CHECKING:
    from spinescrew.evaluation.pose import PoseFigures
    from spinescrew.evaluation.pose_folder import PoseSource
    from spinescrew.evaluation.pose_score import PixelScore, PoseScore


class Style(StrEnum):
    """How radiographs are simulated."""

    CLEAN = "clean"
    REALISTIC = "realistic"


_ERRORS = {
    "angle_deg": "angle °",
    "mid_mm": "mid-shaft mm",
    "neck_mm": "neck mm",
    "tip_mm": "tip mm",
    "diameter_mm": "diameter mm",
    "length_mm": "length mm",
}
_PIXELS = {
    "shaft_dice": "shaft Dice",
    "shaft_precision": "shaft precision",
    "shaft_recall": "shaft recall",
    "head_dice": "head Dice",
    "head_precision": "head precision",
    "head_recall": "head recall",
}


@evaluate_app.command("pose")
def evaluate_pose(
    data: Annotated[str, typer.Option(help="phantoms (held out), or a folder with cases.csv.")] = "phantoms",
    count: CountOption = 60,
    style: Annotated[list[Style] | None, typer.Option(help="Of phantoms; repeat for more; both if left out.")] = None,
    error: Annotated[
        list[str] | None, typer.Option(help="Of the calibration, as degrees,mm; repeat for more; 0,0 and 1,2.")
    ] = None,
    between: Annotated[
        list[float] | None, typer.Option(help="Also views this many degrees apart; repeat for more.")
    ] = None,
    ct: Annotated[Path | None, typer.Option(help="Project this CT with screws put in, instead of phantoms.")] = None,
    labels: Annotated[Path | None, typer.Option(help="Its named vertebrae; found if left out.")] = None,
    runs: RunsOption = Path("runs"),
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    scores: Annotated[Path | None, typer.Option(help="Rows written by --csv before; nothing is solved anew.")] = None,
    csv: RowsOption = None,
    figure: Annotated[Path | None, typer.Option(help="Also draw the curves into this PNG file.")] = None,
) -> None:
    """Find the screws of many pairs of radiographs and compare them with the true ones.

    Errors are those of the axis and of mid-shaft, neck and tip, in the frame of the first view.

    Example: spinescrew evaluate pose --count 60 --between 30 --between 60 --csv pose.csv --figure pose.png
    """
    from spinescrew.evaluation.pose import PoseFigures
    from spinescrew.evaluation.pose_plots import write_pose_figure
    from spinescrew.evaluation.pose_score import read_pose_scores, write_pose_scores

    if scores:
        figures = PoseFigures(*read_pose_scores(scores))
    else:
        sources = _sources(data, count, style or list(Style), between or [], ct, labels, runs)
        asked = [parse_error(text) for text in error or []]
        figures = _solve(sources, asked, data, device)
    for own in figures.by_style().values():
        _show(own)
    if csv is not None:
        for path in write_pose_scores(csv, figures.screws, figures.pixels):
            OUT.print(str(path), highlight=False, soft_wrap=True)
    if figure is not None:
        OUT.print(str(write_pose_figure(figure, figures)), highlight=False, soft_wrap=True)


def parse_error(text: str) -> tuple[float, float]:
    """``"1,2"`` to (1.0, 2.0): degrees and mm.

    Raises
    ------
    InputError
        If it is no such pair.
    """
    try:
        degrees, mm = (float(part) for part in text.split(","))
    except ValueError as failed:
        raise InputError(f"'{text}' is no error of a calibration; write degrees,mm such as 1,2") from failed
    if degrees < 0 or mm < 0:
        raise InputError(f"'{text}' is no error of a calibration; degrees and mm are not negative")
    return degrees, mm


def _sources(
    data: str,
    count: int,
    styles: Sequence[Style],
    angles: Sequence[float],
    ct: Path | None,
    labels: Path | None,
    runs: Path,
) -> list[PoseSource]:
    from spinescrew.cohort.case import CaseInput
    from spinescrew.cohort.evaluate_pose import sources_of

    case = CaseInput(labels, ct) if ct is not None or labels is not None else None
    return sources_of(data, runs / "pose-held-out", count, [style.value for style in styles], angles, case)


def _solve(sources: Sequence[PoseSource], errors: Sequence[tuple[float, float]], data: str, device: str) -> PoseFigures:
    from spinescrew.cohort.evaluate_pose import ERRORS, PHANTOMS, score_pairs
    from spinescrew.evaluation.pose import PoseFigures
    from spinescrew.evaluation.pose_score import AS_GIVEN
    from spinescrew.radiographs.find import find_screws

    asked = errors or (ERRORS if data == PHANTOMS else (AS_GIVEN,))
    screws: list[PoseScore] = []
    pixels: list[PixelScore] = []
    with bar() as progress:
        for number, source in enumerate(sources):
            part = progress.part(number / len(sources), (number + 1) / len(sources))
            found = score_pairs(source, asked, find=partial(find_screws, device=device), progress=part)
            screws += found.screws
            pixels += found.pixels
    for source in sources:
        OUT.print(source.describe(), highlight=False, soft_wrap=True)
    return PoseFigures(tuple(screws), tuple(pixels))


def _show(figures: PoseFigures) -> None:
    """All tables of one style: what was found, by error of the calibration, and by what makes it hard."""
    (style,) = figures.by_style()
    usual = figures.usual()
    OUT.print(_pixel_table(style, usual), _error_table(style, usual))
    OUT.print(_part_table(f"{style}, by angle between the views", figures.by_angle()))
    OUT.print(_part_table(f"{style}, by screws in view", usual.by_count()))
    OUT.print(_part_table(f"{style}, by noise over contrast", usual.by_noise()))
    for reason, count in figures.refused.items():
        OUT.print(f"refused {count}: {reason}", highlight=False)


def _pixel_table(style: str, figures: PoseFigures) -> Table:
    table = figure_table(f"{style}: pixels of {len(figures.pixels)} radiographs", "measure", "mean (95 %)")
    for name, words in _PIXELS.items():
        table.add_row(words, estimate_text(figures.pixel_mean(name)))
    return table


def _error_table(style: str, figures: PoseFigures) -> Table:
    """A column for each error of the calibration."""
    from spinescrew.evaluation.pose_plots import kind_words

    parts = figures.by_error()
    table = figure_table(f"{style}: {figures.pairs} pairs", "measure", *(kind_words(error) for error in parts))
    rows: dict[str, Callable[[PoseFigures], str]] = {
        "screws": lambda part: f"{len(part.true)}, {part.missed} missed, {part.extra} extra",
        "matched right": lambda part: share_text(part.matched),
        "matched right, of those found": lambda part: share_text(part.matched_of_found),
        "within 2 mm and 2°": lambda part: share_text(part.well),
        **{words: partial(_mean, name=name) for name, words in _ERRORS.items()},
        "diameter mm, with its sign": lambda part: plain(part.bias("diameter_mm")),
        "length mm, with its sign": lambda part: plain(part.bias("length_mm")),
        "angle °, 95 % up to": lambda part: plain(part.highest("angle_deg")),
        "mid-shaft mm, 95 % up to": lambda part: plain(part.highest("mid_mm")),
        "error within the 95 % told": lambda part: share_text(part.honest),
        "seconds of a pair": lambda part: plain(part.seconds),
    }
    for words, cell in rows.items():
        table.add_row(words, *(cell(part) for part in parts.values()))
    return table


def _part_table(title: str, parts: dict[tuple[float, float], PoseFigures]) -> Table:
    from spinescrew.evaluation.pose_plots import kind_words

    names = ("from-to", "calibration", "screws", "matched right", "angle °", "mid-shaft mm", "shaft Dice")
    table = figure_table(title, *names)
    for (low, high), band in parts.items():
        words = f"{low:g}+" if high == float("inf") else f"{low:g}-{high:g}"
        for error, part in band.by_error().items():
            counts = (kind_words(error), str(len(part.true)), share_text(part.matched))
            errors = (estimate_text(part.mean(name)) for name in ("angle_deg", "mid_mm"))
            table.add_row(words, *counts, *errors, plain(part.pixel_mean("shaft_dice").value))
    return table


def _mean(figures: PoseFigures, name: str) -> str:
    return estimate_text(figures.mean(name))
