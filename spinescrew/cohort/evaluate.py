"""How good an engine is: many images with known vertebrae, one table."""

from __future__ import annotations

import csv
import time
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from spinescrew.anatomy.levels import Level
from spinescrew.errors import InputError
from spinescrew.evaluation.segmentation import LevelScore, LevelSummary, score_segmentation, summarise_levels
from spinescrew.geometry.atomic import atomic_path
from spinescrew.geometry.volume import Volume
from spinescrew.progress import Progress
from spinescrew.segmentation import Engine
from spinescrew.training.cases import FolderSource, LabelledImage, PhantomSource, Source

PHANTOMS = "phantoms"
HELD_OUT = 40
"""Held-out phantoms; their seeds begin at 0, those of training far above."""


@dataclass(frozen=True, eq=False)
class EngineEvaluation:
    """Scores of an engine.

    Attributes
    ----------
    scores:
        Every reference vertebra of every image, with the image's number.
    failures:
        Image number to what the engine refused it with; its vertebrae count as not found.
    seconds:
        Of each image.
    thick:
        Numbers of the images with slices above 2 mm.
    """

    engine: str
    provenance: str
    scores: tuple[tuple[int, LevelScore], ...]
    failures: dict[int, str] = field(default_factory=dict)
    seconds: tuple[float, ...] = ()
    thick: frozenset[int] = frozenset()

    @property
    def levels(self) -> tuple[LevelSummary, ...]:
        """By level, from the head down."""
        return summarise_levels(score for _, score in self.scores)

    def levels_of(self, *, thick: bool, cut: bool = False) -> tuple[LevelSummary, ...]:
        """The same of images with thick slices alone or without them, of vertebrae that are whole or cut."""
        chosen = (score for number, score in self.scores if (number in self.thick) is thick)
        return summarise_levels(score for score in chosen if score.cut is cut)


def held_out_phantoms(folder: Path, count: int = HELD_OUT, pathology: str | None = None) -> Source:
    """Phantoms with shapes and scanners that training never draws; all with one pathology if it is named."""
    from spinescrew.phantoms.training_case import generator_hash, make_training_case

    make = partial(make_training_case, held_out=True, pathology=pathology)
    return PhantomSource(make, folder / (pathology or "mixed"), count, generator_hash(), 0)


def images_of(data: str, folder: Path, count: int = HELD_OUT, pathology: str | None = None) -> Source:
    """``"phantoms"`` or a folder of images and labels.

    Raises
    ------
    InputError
        If a folder cannot be used, or a pathology is asked of one.
    """
    if data == PHANTOMS:
        return held_out_phantoms(folder, count, pathology)
    if pathology is not None:
        raise InputError("a pathology can be chosen of phantoms only; leave out --pathology or --data")
    return FolderSource(data)


def evaluate_engine(engine: Engine, source: Source, progress: Progress | None = None) -> EngineEvaluation:
    """Segment every image of a source and compare it with what is known.

    Raises
    ------
    InputError
        If the engine cannot run at all.
    """
    progress = progress or Progress()
    if problem := engine.unavailable():
        raise InputError(problem)
    scores: list[tuple[int, LevelScore]] = []
    failures, seconds, provenance, thick = {}, [], "", set()
    for number in range(len(source)):
        image = source[number]
        if image.thick:
            thick.add(number)
        part = progress.part(number / len(source), (number + 1) / len(source))
        started = time.perf_counter()
        try:
            found = engine.segment(image.ct, None, part)
            labels, provenance = found.labels, found.provenance
        except InputError as error:
            failures[number] = str(error)
            labels = image.labels.with_array(np.zeros_like(image.labels.array))
        seconds.append(time.perf_counter() - started)
        scores += [(number, score) for score in _scores(labels, image)]
    return EngineEvaluation(engine.name, provenance, tuple(scores), failures, tuple(seconds), frozenset(thick))


def write_scores(evaluation: EngineEvaluation, path: str | Path) -> Path:
    """Every vertebra of every image as one row of a CSV file."""
    path = Path(path)
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ("image", *LevelScore.__dataclass_fields__))
        writer.writeheader()
        for number, score in evaluation.scores:
            writer.writerow({"image": number, **_named(asdict(score))})
    return path


def _named(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value.name if isinstance(value, Level) else value for key, value in values.items()}


def _scores(labels: Volume, image: LabelledImage) -> tuple[LevelScore, ...]:
    centres: dict[Level, list[np.ndarray]] = {}
    for (level, _), (entry, end) in image.landmarks.items():
        # the isthmus of a pedicle lies about a third of the way from its entry to the far side of the body
        centres.setdefault(level, []).append(entry + (end - entry) / 3)
    return score_segmentation(labels, image.labels, centres)
