"""Commands that train the models of systems, and measure how well systems are named."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
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
    from spinescrew.evaluation.brand_readers import BrandReaders
    from spinescrew.evaluation.brand_score import BrandScore
    from spinescrew.evaluation.brands import BrandFigures, BrandRates


class Part(StrEnum):
    """Sets of simulated patients."""

    HELD_OUT = "held-out"
    EXTERNAL = "external"
    UNKNOWN = "unknown"


def train_brand(
    runs: Path,
    models: Path,
    data: str,
    time: str | None,
    cycle: int | None,
    device: str,
    batch: int,
    workers: int,
    threads: int,
    learning_rate: float,
    network: str | None,
    resume: bool,
    extend: bool,
    cases: int,
) -> None:
    """What ``spinescrew train brand`` does with its options."""
    from spinescrew.brands.models import KINDS, model_name
    from spinescrew.training.brand_command import BATCH, CASES, train_brands
    from spinescrew.training.options import TrainingOptions, parse_time

    kinds = tuple(kind for kind in KINDS if model_name(kind) == network)
    if network is not None and not kinds:
        raise InputError(f"'{network}' is no brand model; use {' or '.join(model_name(kind) for kind in KINDS)}")
    options = TrainingOptions(
        time_s=None if time is None else parse_time(time),
        cycle=cycle,
        device=device,
        workers=workers,
        learning_rate=learning_rate,
        weight_decay=0.0,
    )
    with bar() as progress:
        cards = train_brands(
            runs,
            models,
            options,
            data=data,
            cases=CASES if cases == _USUAL_CASES else cases,
            kinds=kinds,
            batch_size=BATCH if batch == 1 else batch,
            threads=threads,
            resume=resume,
            extend=extend,
            progress=progress,
        )
    for card in cards:
        OUT.print(f"{models / card.name}: {card.task}; {card.trained_on}", highlight=False)


_USUAL_CASES = 400
"""What the option says for the other networks."""


@evaluate_app.command("brand")
def evaluate_brand(
    data: Annotated[str, typer.Option(help="phantoms (held out), or a folder of radiographs by system.")] = "phantoms",
    count: CountOption = 210,
    part: Annotated[list[Part] | None, typer.Option(help="Of phantoms; repeat for more; all if left out.")] = None,
    runs: RunsOption = Path("runs"),
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    ensemble: Annotated[str, typer.Option(help="Whose confusion and readers are shown; all models joined.")] = "",
    attention: Annotated[bool, typer.Option(help="Also measure where the models looked (phantoms).")] = True,
    scores: Annotated[Path | None, typer.Option(help="Rows written by --csv before; nothing is judged anew.")] = None,
    readers: Annotated[Path | None, typer.Option(help="CSV of people's answers: case, reader, brand, seconds.")] = None,
    csv: RowsOption = None,
    figure: Annotated[Path | None, typer.Option(help="Also draw confusion and ROC curves into this PNG file.")] = None,
) -> None:
    """Name the systems of many patients and compare with the truth: every model, every ensemble, readers.

    Example: spinescrew evaluate brand --count 210 --csv brand.csv --figure brand.png
    """
    from spinescrew.cohort.evaluate_brand import usual_ensemble
    from spinescrew.evaluation.brand_plots import write_brand_figure
    from spinescrew.evaluation.brand_readers import against_brand_readers, read_brand_readers
    from spinescrew.evaluation.brand_score import UNKNOWN, write_brand_scores

    readings = read_brand_readers(readers) if readers else ()
    figures = _kept(scores) if scores else _judged(data, count, part or [], runs, device, attention)
    if csv is not None:  # first of all: it took long
        OUT.print(str(write_brand_scores(csv, figures.scores, figures.outputs)), highlight=False, soft_wrap=True)
    chosen = ensemble.lower().replace(" ", "") or (usual_ensemble(figures.models) if figures.models else "")
    for name in figures.parts:
        if name != UNKNOWN:
            _show(name, figures.of(name), chosen)
    _show_unknown(figures)
    if readings:
        _show_readers(against_brand_readers(figures.of(figures.parts[0]), readings, chosen))
    if figure is not None:
        known = figures.of(next(name for name in figures.parts if name != UNKNOWN))
        OUT.print(str(write_brand_figure(figure, known)), highlight=False, soft_wrap=True)


def _kept(path: Path) -> BrandFigures:
    from spinescrew.evaluation.brand_score import read_brand_scores
    from spinescrew.evaluation.brands import BrandFigures
    from spinescrew.networks.brand_names import OTHER

    scores, outputs = read_brand_scores(path)
    return BrandFigures(scores, outputs, tuple(name for name in outputs if name != OTHER))


def _judged(data: str, count: int, parts: list[Part], runs: Path, device: str, attention: bool) -> BrandFigures:
    from functools import partial

    from spinescrew.brands.identify import identify
    from spinescrew.brands.models import load_models
    from spinescrew.cohort.evaluate_brand import score_patients, sources_of
    from spinescrew.evaluation.brands import BrandFigures

    models = load_models(device)
    asked = [each.value.replace("-", " ") for each in parts]
    sources = sources_of(data, runs / "brand-held-out", count, asked, models)
    judge = partial(identify, device=device)
    found: list[BrandScore] = []
    with bar() as progress:
        for number, source in enumerate(sources):
            own = progress.part(number / len(sources), (number + 1) / len(sources))
            found += score_patients(source, models, attention=attention, judge=judge, progress=own)
    for source in sources:
        OUT.print(source.describe(), highlight=False, soft_wrap=True)
    OUT.print(f"{models.provenance}.", highlight=False, soft_wrap=True)
    return BrandFigures(tuple(found), models.outputs, models.brands)


def _show(title: str, figures: BrandFigures, chosen: str) -> None:
    """All tables of one set of patients."""
    OUT.print(_models_table(title, figures), _against_table(title, figures))
    if chosen in figures.models:
        OUT.print(_brand_table(f"{title}, {chosen}, by system", figures.rates(chosen)))
        OUT.print(_confusion_table(f"{title}, {chosen}: truth in rows", figures.rates(chosen)))
        OUT.print(_crosslink_table(title, figures, chosen))
    if figures.attention.value == figures.attention.value:
        OUT.print(f"attention on the implants: {estimate_text(figures.attention)}", highlight=False)
    OUT.print(f"median time of an answer: {figures.seconds:.1f} s", highlight=False)
    for reason, count in Counter(score.refused for score in figures.refused).most_common():
        OUT.print(f"refused {count}: {reason}", highlight=False, soft_wrap=True)


def _models_table(title: str, figures: BrandFigures) -> Table:
    """A row for every model and ensemble."""
    names = ("patients", "accuracy", "kappa", "precision", "sensitivity", "F1", "macro AUC", "micro AUC")
    table = figure_table(f"{title}: macro averages", "model", *names)
    for model in figures.models:
        rates = figures.rates(model)
        macro = (plain(getattr(rates.macro, name)) for name in ("precision", "sensitivity", "f1"))
        areas = (estimate_text(rates.macro_auc), plain(rates.micro.auc))
        table.add_row(model, str(rates.count), share_text(rates.accuracy), estimate_text(rates.kappa), *macro, *areas)
    return table


def _against_table(title: str, figures: BrandFigures) -> Table:
    names = ("ensemble", "best member", "better by", "only ensemble", "only member", "p (McNemar)")
    table = figure_table(f"{title}: ensembles and their best members", *names)
    for model in figures.models:
        found = figures.against_best_member(model)
        if found is not None:
            best, test = found
            counts = (str(test.only_first), str(test.only_second), f"{test.p:.2g}")
            table.add_row(model, best, estimate_text(test.difference), *counts)
    return table


def _brand_table(title: str, rates: BrandRates) -> Table:
    table = figure_table(title, "system", "precision", "sensitivity", "F1", "AUC")
    rows = {**rates.by_brand, "macro": rates.macro, "micro": rates.micro}
    for name, own in rows.items():
        table.add_row(name, *(plain(getattr(own, key)) for key in ("precision", "sensitivity", "f1", "auc")))
    return table


def _confusion_table(title: str, rates: BrandRates) -> Table:
    names = list(rates.by_brand)
    table = figure_table(title, "true", *names, "no answer")
    for row, name in enumerate(names):
        table.add_row(name, *(str(value) for value in rates.confusion[row]))
    return table


def _crosslink_table(title: str, figures: BrandFigures, chosen: str) -> Table:
    table = figure_table(f"{title}, {chosen}, by crosslink", "crosslink", "patients", "accuracy", "kappa", "macro AUC")
    for linked in (True, False):
        rates = figures.where(lambda score, linked=linked: score.crosslink == linked).rates(chosen)  # type: ignore[misc]
        areas = (share_text(rates.accuracy), estimate_text(rates.kappa), estimate_text(rates.macro_auc))
        table.add_row("yes" if linked else "no", str(rates.count), *areas)
    return table


def _show_unknown(figures: BrandFigures) -> None:
    from spinescrew.evaluation.brand_score import UNKNOWN

    if UNKNOWN not in figures.parts:
        return
    held = figures.where(lambda score: score.part in (figures.parts[0], UNKNOWN))
    table = figure_table("systems that no model was shown", "model", "refused", "false refusals", "AUC known/unknown")
    for model in figures.models:
        shares = (share_text(held.unknown_refused(model)), share_text(held.false_refusals(model)))
        table.add_row(model, *shares, plain(held.unknown_auc(model)))
    OUT.print(table)


def _show_readers(found: BrandReaders) -> None:
    names = ("reader", "patients", "accuracy", "kappa", "kappa with the models", "models' accuracy", "seconds")
    table = figure_table("readers beside the models, same patients", *names)
    for reader in found.readers:
        cells = (share_text(reader.accuracy), estimate_text(reader.with_truth), plain(reader.with_model))
        seconds = "-" if reader.seconds != reader.seconds else f"{reader.seconds:.0f}"
        table.add_row(reader.reader, str(reader.count), *cells, share_text(reader.model), seconds)
    OUT.print(table)
    OUT.print(f"kappa between readers: {plain(found.between)}; readings of other patients: {found.unmatched}")
