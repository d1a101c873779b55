"""People who judged the same C2 pedicles: how often they are right, and how far they agree, also with the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import cast

import numpy as np

from spinescrew.anatomy.frame import SIDES, Side
from spinescrew.errors import InputError
from spinescrew.evaluation.agreement import Estimate, Rates, kappa, kappa_by_patient
from spinescrew.evaluation.pedicle_score import PedicleScore
from spinescrew.images.rows import read_rows

COLUMNS = ("case", "side", "reader", "feasible")

Key = tuple[str, Side]


@dataclass(frozen=True)
class Reading:
    """What a reader says of one pedicle."""

    case: str
    side: Side
    reader: str
    feasible: bool


@dataclass(frozen=True)
class ReaderResult:
    """One reader.

    Attributes
    ----------
    count:
        Pedicles read that the network answered too.
    rates, with_truth:
        Against the truth, of those where it is known; kappa.
    with_model:
        Kappa with the network's answers.
    """

    reader: str
    count: int
    rates: Rates
    with_truth: Estimate
    with_model: Estimate


@dataclass(frozen=True)
class ReaderAgreement:
    """All readers; ``between`` is the mean kappa of pairs of them (NaN for one), ``unmatched`` counts readings of
    pedicles that the network gave no answer to."""

    readers: tuple[ReaderResult, ...]
    between: float
    unmatched: int


def read_readers(path: str | Path) -> tuple[Reading, ...]:
    """Readings from a CSV file with the columns case, side (left, right), reader, feasible (yes or no, 1 or 0).

    Raises
    ------
    InputError
        Naming the file, the line and what is wrong with it; also if a reader judges a pedicle twice.
    """
    found: dict[tuple[str, str, str], Reading] = {}
    lines: dict[tuple[str, str, str], int] = {}
    for row in read_rows(path, COLUMNS):
        side = cast(Side, row.choice("side", SIDES))
        reading = Reading(row.text("case"), side, row.text("reader"), row.yes("feasible"))
        key = reading.case, reading.side, reading.reader
        if key in found:
            row.refuse(f"{reading.reader} judged case {reading.case} {side} in line {lines[key]} already; keep one")
        found[key], lines[key] = reading, row.line
    return tuple(found.values())


def against_readers(
    scores: Sequence[PedicleScore], readings: Sequence[Reading], threshold: float = 0.5
) -> ReaderAgreement:
    """Readers against the truth, the network and each other.

    Raises
    ------
    InputError
        If they judged none of the pedicles; also if the scores hold a pedicle twice, as they do where images of
        several slice thicknesses are mixed.
    """
    answered = {(str(score.case), score.side): score for score in scores if not score.refused}
    if len(answered) < sum(not score.refused for score in scores):
        raise InputError("the scores hold a pedicle more than once; compare readers with one slice thickness at a time")
    by_reader: dict[str, dict[Key, bool]] = {}
    for reading in readings:
        if (reading.case, reading.side) in answered:
            by_reader.setdefault(reading.reader, {})[reading.case, reading.side] = reading.feasible
    if not by_reader:
        raise InputError("the readers judged none of these cases; write their names as the scores have them")
    results = tuple(_result(reader, said, answered, threshold) for reader, said in by_reader.items())
    return ReaderAgreement(results, _between(by_reader), len(readings) - sum(result.count for result in results))


def _result(reader: str, said: dict[Key, bool], answered: dict[Key, PedicleScore], threshold: float) -> ReaderResult:
    model = [answered[key].probability >= threshold for key in said]
    known = {key: bool(answered[key].feasible) for key in said if answered[key].feasible is not None}
    own = [said[key] for key in known]
    truth = list(known.values())
    return ReaderResult(
        reader,
        len(said),
        Rates.of(truth, own),
        kappa_by_patient(own, truth, [case for case, _ in known]),
        kappa_by_patient(list(said.values()), model, [case for case, _ in said]),
    )


def _between(by_reader: dict[str, dict[Key, bool]]) -> float:
    """Mean kappa of the pairs of readers, over the pedicles both judged."""
    found = []
    for one, other in combinations(by_reader.values(), 2):
        both = [key for key in one if key in other]
        found.append(kappa([one[key] for key in both], [other[key] for key in both]))
    known = [value for value in found if np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")
