"""People who named the same systems: how often they are right, and how far they agree with the models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from spinescrew.errors import InputError
from spinescrew.evaluation.agreement import Estimate, Share, by_patient, share
from spinescrew.evaluation.brands import BrandFigures, cohen_kappa
from spinescrew.images.rows import read_rows

COLUMNS = ("case", "reader", "brand")

_NAN = float("nan")


@dataclass(frozen=True)
class BrandReading:
    """What a reader says of one patient; ``seconds`` it took, NaN where nobody looked at the clock."""

    case: str
    reader: str
    brand: str
    seconds: float = _NAN


@dataclass(frozen=True)
class BrandReader:
    """One reader.

    Attributes
    ----------
    accuracy, with_truth:
        Of the patients whose system is known; kappa.
    with_model:
        Kappa with the model's answers.
    model:
        The model's accuracy on the same patients.
    seconds:
        Of all readings together; NaN where not given.
    """

    reader: str
    count: int
    accuracy: Share
    with_truth: Estimate
    with_model: float
    model: Share
    seconds: float


@dataclass(frozen=True)
class BrandReaders:
    """All readers; ``between`` is the mean kappa of pairs of them, ``unmatched`` counts readings of other patients."""

    readers: tuple[BrandReader, ...]
    between: float
    unmatched: int


def read_brand_readers(path: str | Path) -> tuple[BrandReading, ...]:
    """Readings from a CSV file with the columns case, reader, brand and, if known, seconds.

    Raises
    ------
    InputError
        Naming the file, the line and what is wrong with it; also if a reader names a patient's system twice.
    """
    found: dict[tuple[str, str], BrandReading] = {}
    for row in read_rows(path, COLUMNS):
        seconds = row.number("seconds") if row.cells.get("seconds") else _NAN
        reading = BrandReading(row.text("case"), row.text("reader"), row.text("brand"), seconds)
        key = reading.case, reading.reader
        if key in found:
            row.refuse(f"{reading.reader} judged case {reading.case} before; keep one")
        found[key] = reading
    return tuple(found.values())


def against_brand_readers(figures: BrandFigures, readings: Sequence[BrandReading], model: str) -> BrandReaders:
    """Readings against the truth, one model and each other.

    Raises
    ------
    InputError
        If they judged none of the patients, or two patients have one name.
    """
    truth = {str(score.case): score.brand for score in figures.scores if score.brand in figures.brands}
    names = [str(score.case) for score in figures.scores if score.brand in figures.brands]
    if len(set(names)) < len(names):
        raise InputError("two patients have the same name; compare readers with one part of the patients at a time")
    answers = {str(case): brand for case, brand in figures.answers(model).items()}
    by_reader: dict[str, dict[str, BrandReading]] = {}
    for reading in readings:
        if reading.case in truth:
            by_reader.setdefault(reading.reader, {})[reading.case] = reading
    if not by_reader:
        raise InputError("the readers judged none of these patients; write their names as the scores have them")
    results = tuple(_result(reader, own, truth, answers) for reader, own in by_reader.items())
    return BrandReaders(results, _between(by_reader), len(readings) - sum(result.count for result in results))


def _result(reader: str, own: dict[str, BrandReading], truth: dict[str, str], answers: dict[str, str]) -> BrandReader:
    said = np.array([reading.brand for reading in own.values()])
    true = np.array([truth[case] for case in own])
    by_model = np.array([answers.get(case, "") for case in own])
    cases = list(own)
    return BrandReader(
        reader,
        len(own),
        share(int((said == true).sum()), len(own)),
        by_patient(lambda at: cohen_kappa(true[at], said[at]), cases, resamples=500),
        cohen_kappa(by_model, said),
        share(int((by_model == true).sum()), len(own)),
        float(np.sum([reading.seconds for reading in own.values()])),
    )


def _between(by_reader: dict[str, dict[str, BrandReading]]) -> float:
    found = []
    for one, other in combinations(by_reader.values(), 2):
        both = [case for case in one if case in other]
        found.append(cohen_kappa(*(np.array([each[case].brand for case in both]) for each in (one, other))))
    known = [value for value in found if np.isfinite(value)]
    return float(np.mean(known)) if known else _NAN
