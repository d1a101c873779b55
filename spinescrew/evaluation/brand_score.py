"""How the system of each patient was named: one row a patient, as a table that can be kept and read again."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from spinescrew.errors import InputError
from spinescrew.evaluation.score_table import case_name
from spinescrew.geometry.atomic import atomic_path
from spinescrew.images.rows import Row, read_rows

UNKNOWN = "unknown"
"""Part of the patients whose system no model was shown."""

COLUMNS = ("case", "part", "brand", "crosslink", "levels", "refused", "attention", "seconds")
_MARK, _KNOWN = "|", "fits"

_NAN = float("nan")


@dataclass(frozen=True)
class BrandScore:
    """One patient.

    Attributes
    ----------
    part:
        Of the evaluation: ``"held out"``, ``"external"``, ``"unknown"`` or ``"folder"``.
    brand:
        The system that is really there.
    crosslink, levels:
        Whether the rods are linked; how many levels have screws, 0 where it is not known.
    refused:
        Why there is no answer; empty where there is one.
    shares:
        Probabilities of all outputs, by model or ensemble (its members joined by ``+``).
    fits:
        Whether the likeliest system fits well enough to be named, by the same.
    attention:
        Share of the models' attention that lies on the implants grown by some millimetres.
    seconds:
        Of the answer.
    """

    case: int | str
    part: str
    brand: str
    crosslink: bool = False
    levels: int = 0
    refused: str = ""
    shares: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    fits: Mapping[str, bool] = field(default_factory=dict)
    attention: float = _NAN
    seconds: float = _NAN


def write_brand_scores(path: str | Path, scores: Sequence[BrandScore], outputs: Sequence[str]) -> Path:
    """Scores as CSV: a column for each model and output, and one for whether it fits."""
    path = Path(path)
    models = list(dict.fromkeys(name for score in scores for name in score.shares))
    names = [f"{model}{_MARK}{output}" for model in models for output in (*outputs, _KNOWN)]
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow([*COLUMNS, *names])
        for score in scores:
            own = [score.case, score.part, score.brand, _yes(score.crosslink), score.levels, score.refused]
            own += [_number(score.attention), _number(score.seconds)]
            for model in models:
                shares = score.shares.get(model)
                own += [""] * (len(outputs) + 1) if shares is None else [f"{p:.6g}" for p in shares]
                own += [] if shares is None else [_yes(score.fits[model])]
            table.writerow(own)
    return path


def read_brand_scores(path: str | Path) -> tuple[tuple[BrandScore, ...], tuple[str, ...]]:
    """What :func:`write_brand_scores` wrote: scores, and the outputs' names.

    Raises
    ------
    InputError
        If it is no such table.
    """
    rows = _rows(Path(path))
    names = [name for name in rows[0].cells if _MARK in name]
    outputs = tuple(dict.fromkeys(name.partition(_MARK)[2] for name in names if not name.endswith(_MARK + _KNOWN)))
    models = tuple(dict.fromkeys(name.partition(_MARK)[0] for name in names))
    if not outputs:
        raise InputError(f"'{path}' holds no probabilities of models; write it with `spinescrew evaluate brand --csv`")
    return tuple(_score(row, models, outputs) for row in rows), outputs


def _rows(path: Path) -> list[Row]:
    """The rows with their columns as they are written: names of systems keep their capitals."""
    read_rows(path, COLUMNS)  # says what is wrong with a table
    with path.open(newline="", encoding="utf-8-sig") as file:
        return [Row(path, line, dict(cells)) for line, cells in enumerate(csv.DictReader(file), 2)]


def _score(row: Row, models: Sequence[str], outputs: Sequence[str]) -> BrandScore:
    answered = [model for model in models if row.cells.get(f"{model}{_MARK}{outputs[0]}")]
    return BrandScore(
        case_name(row.text("case")),
        row.text("part"),
        row.cells["brand"],
        row.yes("crosslink"),
        int(row.number("levels")),
        row.cells["refused"],
        {model: tuple(row.number(f"{model}{_MARK}{output}") for output in outputs) for model in answered},
        {model: row.yes(f"{model}{_MARK}{_KNOWN}") for model in answered},
        row.number("attention"),
        row.number("seconds"),
    )


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _number(value: float) -> str:
    return "" if value != value else f"{value:.4g}"
