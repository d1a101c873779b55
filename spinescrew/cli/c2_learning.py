"""The command that evaluates how C2 is assessed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from spinescrew.cli.app import evaluate_app
from spinescrew.cli.figures import estimate_text, figure_table, plain, share_text
from spinescrew.cli.options import CountOption, RowsOption, RunsOption
from spinescrew.cli.screen import OUT, bar

if TYPE_CHECKING:
    from spinescrew.evaluation.feasibility import FeasibilityResult
    from spinescrew.evaluation.pedicle_score import PedicleScore
    from spinescrew.evaluation.readers import ReaderAgreement

_RATES = {
    "accuracy": "accuracy",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "ppv": "PPV",
    "npv": "NPV",
}
_PLAIN = {
    "brier": "Brier score",
    "ece": "calibration error, feasible",
    "placed_ece": "calibration error, placed screws",
    "mean_dice": "Dice of the pedicle",
    "mean_wall_mm": "wall error mm",
}


@evaluate_app.command("c2")
def evaluate_c2(
    data: Annotated[str, typer.Option(help="phantoms (held out), or a folder with cases.csv.")] = "phantoms",
    count: CountOption = 200,
    first: Annotated[int, typer.Option(help="Seed of the first phantom.", min=0)] = 0,
    slice_mm: Annotated[list[float] | None, typer.Option(help="Slice thickness of phantoms; repeat for more.")] = None,
    runs: RunsOption = Path("runs"),
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    scores: Annotated[Path | None, typer.Option(help="Rows written by --csv before; nothing is assessed anew.")] = None,
    readers: Annotated[Path | None, typer.Option(help="CSV of readers' answers: case, side, reader, feasible.")] = None,
    csv: RowsOption = None,
    figure: Annotated[Path | None, typer.Option(help="Also draw the curves into this PNG file.")] = None,
) -> None:
    """Judge both C2 pedicles of many images and compare with the truth, the width rule, the corridor and readers.

    A folder holds cases.csv with the columns case, image, side (left or right), feasible (yes or no) and, where they
    are known, pedicles and labels: label maps on the image's grid.

    Example: spinescrew evaluate c2 --slice-mm 1 --slice-mm 2 --csv c2.csv --figure c2.png
    """
    from spinescrew.evaluation.feasibility import FeasibilityResult
    from spinescrew.evaluation.feasibility_plots import write_figure
    from spinescrew.evaluation.pedicle_score import read_scores, write_scores
    from spinescrew.evaluation.readers import against_readers, read_readers

    readings = read_readers(readers) if readers else ()
    if scores:
        found, said = read_scores(scores), f"answers of {scores}"
    else:
        found, said = _assess(data, count, first, slice_mm or [], runs, device)
    parts = _parts(FeasibilityResult(found))
    for title, part in parts.items():
        _show(title, part)
    if len(parts) > 1 or len(FeasibilityResult(found).by_slice()) > 1:
        OUT.print(_slices(FeasibilityResult(found)))
    if readings:
        _show_readers(against_readers(next(iter(parts.values())).scores, readings))
    OUT.print(said, highlight=False, soft_wrap=True)
    if csv is not None:
        OUT.print(str(write_scores(csv, found)), highlight=False, soft_wrap=True)
    if figure is not None:
        OUT.print(str(write_figure(figure, next(iter(parts.values())))), highlight=False, soft_wrap=True)


def _assess(
    data: str, count: int, first: int, slices_mm: list[float], runs: Path, device: str
) -> tuple[tuple[PedicleScore, ...], str]:
    """Scores, and what the models say of themselves."""
    from spinescrew.cohort.evaluate_c2 import score_images, sources_of
    from spinescrew.feasibility.assessment import assess_c2

    sources = sources_of(data, runs / "axis-held-out", count, slices_mm, first)
    told: dict[str, None] = {}

    def assess(*given: Any, **options: Any) -> Any:
        found = assess_c2(*given, device=device, **options)
        told[found.provenance] = None
        return found

    found: list[PedicleScore] = []
    with bar() as progress:
        for number, source in enumerate(sources):
            part = progress.part(number / len(sources), (number + 1) / len(sources))
            found += score_images(source, assess, part)
    return tuple(found), "; ".join(told) or "no image was assessed"


def _parts(result: FeasibilityResult) -> dict[str, FeasibilityResult]:
    """All pedicles together, or by thickness of the slices where the same ones were seen in several."""
    once = {(score.case, score.side) for score in result.scores}
    if len(once) == len(result.scores):
        return {"all": result}
    return {f"slices up to {step} mm": part for step, part in result.by_slice().items()}


def _show(title: str, result: FeasibilityResult) -> None:
    told = f"{title}: {len(result.judged)} pedicles judged, {len(result.refused)} refused"
    OUT.print(_figures(told, result), _rules(result), _widths(result), _calibration(result))
    for reason, count in Counter(score.refused for score in result.refused).most_common():
        OUT.print(f"refused {count}: {reason}", highlight=False)


def _figures(title: str, result: FeasibilityResult) -> Table:
    near = result.border()
    table = figure_table(title, "measure", "all", "near the cut-off")
    for name, text in _RATES.items():
        table.add_row(text, *(share_text(getattr(each.rates(), name)) for each in (result, near)))
    table.add_row("AUC", *(estimate_text(each.auc) for each in (result, near)))
    for name, text in _PLAIN.items():
        table.add_row(text, *(plain(getattr(each, name)) for each in (result, near)))
    return table


def _rules(result: FeasibilityResult) -> Table:
    from spinescrew.evaluation.feasibility import CUT_OFF_MM, corridor_rule, network_rule, width_rule
    from spinescrew.feasibility.assessment import WALL_MM

    rules = {
        f"width above {CUT_OFF_MM} mm": width_rule(),
        "corridor keeps 0.5 mm": corridor_rule(),
        f"corridor keeps {WALL_MM} mm": corridor_rule(WALL_MM),
        "network alone": network_rule(result.threshold),
    }
    names = ("rule", "pedicles", "its accuracy", "answer better by", "only answer", "only rule", "p (McNemar)")
    table = figure_table("the answer, and what it is joined from, on the same pedicles", *names)
    for name, rule in rules.items():
        test = result.against(rule)
        alone = (str(test.only_first), str(test.only_second), f"{test.p:.2g}")
        accuracy = share_text(result.rates_of(rule).accuracy)
        table.add_row(name, str(test.count), accuracy, estimate_text(test.difference), *alone)
    return table


def _widths(result: FeasibilityResult) -> Table:
    from spinescrew.evaluation.feasibility import CUT_OFF_MM, corridor_rule, width_rule
    from spinescrew.evaluation.feasibility_plots import band_name

    names = ("width mm", "pedicles", "refused", "feasible", "accuracy", "sensitivity", "specificity")
    table = figure_table("by pedicle width", *names, f"above {CUT_OFF_MM} mm", "corridor")
    for band, part in result.by_width().items():
        rates = part.rates()
        shares = [rates.accuracy, rates.sensitivity, rates.specificity]
        shares += [part.rates_of(rule).accuracy for rule in (width_rule(), corridor_rule())]
        counts = (str(len(part.judged)), str(len(part.refused)), str(int(part.truth.sum())))
        table.add_row(band_name(*band), *counts, *(plain(each.value) for each in shares))
    return table


def _calibration(result: FeasibilityResult) -> Table:
    table = figure_table("reliability", "predicted", "feasible", "placed screws in bone")
    placed = [f"{each.observed.value:.3f}" for each in result.placed_reliability()]
    for number, each in enumerate(result.reliability()):
        table.add_row(
            f"{each.predicted:.3f}", share_text(each.observed), placed[number] if number < len(placed) else "-"
        )
    return table


def _slices(result: FeasibilityResult) -> Table:
    names = ("up to mm", "pedicles", "refused", "accuracy", "sensitivity", "specificity", "AUC", "calibration error")
    table = figure_table("by slice thickness", *names, "confidence", "interval")
    confidence = result.confidence_by_slice()
    for step, part in result.by_slice().items():
        rates, sure = part.rates(), confidence[step]
        figures = (rates.sensitivity.value, rates.specificity.value, part.auc.value, part.ece, sure.mean, sure.interval)
        counts = (str(len(part.judged)), str(len(part.refused)))
        table.add_row(str(step), *counts, share_text(rates.accuracy), *(plain(value) for value in figures))
    return table


def _show_readers(found: ReaderAgreement) -> None:
    names = ("reader", "pedicles", *list(_RATES.values())[:3], "kappa with the truth", "kappa with the network")
    table = figure_table("readers", *names)
    for each in found.readers:
        shares = (share_text(getattr(each.rates, name)) for name in list(_RATES)[:3])
        table.add_row(
            each.reader, str(each.count), *shares, estimate_text(each.with_truth), estimate_text(each.with_model)
        )
    OUT.print(table)
    OUT.print(f"mean kappa between readers {found.between:.3f}; {found.unmatched} readings of other pedicles")
