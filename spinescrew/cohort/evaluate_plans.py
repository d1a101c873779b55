"""How good landmarks and whole plans from images alone are: many phantoms with known screws."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from spinescrew.anatomy.build import build_spine
from spinescrew.anatomy.levels import Level, cranial_to_caudal
from spinescrew.cohort.case import plan_volumes
from spinescrew.cohort.segment import segment_volume
from spinescrew.errors import InputError
from spinescrew.evaluation.landmarks import LandmarkScore, LandmarkSummary, score_landmarks, summarise_landmarks
from spinescrew.evaluation.planned import PlannedScore, score_plan
from spinescrew.geometry.atomic import atomic_path
from spinescrew.planning.options import PlanningOptions
from spinescrew.progress import Progress
from spinescrew.segmentation.landmarks import find_landmarks
from spinescrew.training.cases import LabelledImage, Source


@dataclass(frozen=True, eq=False)
class LandmarkEvaluation:
    """Every reference pedicle, with its image's number, and what the network says about itself."""

    provenance: str
    scores: tuple[tuple[int, LandmarkScore], ...]
    thick: frozenset[int] = frozenset()

    def levels_of(self, *, thick: bool) -> tuple[LandmarkSummary, ...]:
        """By level, of the images with slices above 2 mm alone, or without them."""
        return summarise_landmarks(score for number, score in self.scores if (number in self.thick) is thick)


@dataclass(frozen=True, eq=False)
class PlanEvaluation:
    """Every reference screw, with its image's number; what images were refused with; doubts that were told."""

    scores: tuple[tuple[int, PlannedScore], ...]
    failures: dict[int, str]
    thick: frozenset[int] = frozenset()

    def of(self, *, thick: bool) -> tuple[PlannedScore, ...]:
        """Those of the images with slices above 2 mm alone, or without them."""
        return tuple(score for number, score in self.scores if (number in self.thick) is thick)


def evaluate_landmarks(source: Source, device: str = "auto", progress: Progress | None = None) -> LandmarkEvaluation:
    """Entry and exit in every image of a source, found on its true labels, beside the true ones.

    Raises
    ------
    InputError
        If the network cannot run, or no image has landmarks.
    """
    progress = progress or Progress()
    scores: list[tuple[int, LandmarkScore]] = []
    provenance, thick = "", set()
    for number, image in _images(source, progress):
        levels = sorted({level for level, _ in image.landmarks})
        if not levels:
            continue
        found = find_landmarks(image.ct, image.labels, levels, device)
        provenance = found.provenance
        ends = {key: (channel.entry, channel.exit) for key, channel in found.channels.items()}
        scores += [(number, score) for score in score_landmarks(ends, image.landmarks)]
        thick |= {number} if image.thick else set()
    if not scores:
        raise InputError("no image of this data has known entries and exits; evaluate on phantoms")
    return LandmarkEvaluation(provenance, tuple(scores), frozenset(thick))


def evaluate_plans(
    source: Source,
    engine: str,
    ways: Sequence[PlanningOptions] = (PlanningOptions(),),
    progress: Progress | None = None,
) -> tuple[PlanEvaluation, ...]:
    """Plan every image of a source from the image alone, and compare with its reference screws.

    Parameters
    ----------
    engine:
        What finds the vertebrae; ``"given"`` plans on the true labels.
    ways:
        Options to plan with; each gives an evaluation of its own, on the same vertebrae.

    Raises
    ------
    InputError
        If no image has reference screws.
    """
    progress = progress or Progress()
    scores: list[list[tuple[int, PlannedScore]]] = [[] for _ in ways]
    failures: dict[int, str] = {}
    thick = set()
    for number, image in _images(source, progress):
        if not image.screws:
            continue
        try:
            found = _plan(image, engine, ways)
        except InputError as error:
            failures[number] = str(error)
            found = [tuple(PlannedScore(*key, reason=str(error)) for key in image.screws)] * len(ways)
        for all_of_them, its in zip(scores, found, strict=True):
            all_of_them += [(number, score) for score in its]
        thick |= {number} if image.thick else set()
    if not scores[0]:
        raise InputError("no image of this data has reference screws; evaluate on phantoms")
    return tuple(PlanEvaluation(tuple(each), failures, frozenset(thick)) for each in scores)


def _plan(image: LabelledImage, engine: str, ways: Sequence[PlanningOptions]) -> list[tuple[PlannedScore, ...]]:
    levels = [level for level in cranial_to_caudal() if any(level is key[0] for key in image.screws)]
    labels = image.labels if engine == "given" else segment_volume(image.ct, levels, engine).found.labels
    truth = build_spine(image.labels, image.ct, levels)
    plans = [plan_volumes(labels, image.ct, levels, options).plan for options in ways]
    return [score_plan(plan, image.screws, truth) for plan in plans]


def _images(source: Source, progress: Progress) -> Iterable[tuple[int, LabelledImage]]:
    for number in range(len(source)):
        progress.update(number / len(source), f"image {number + 1} of {len(source)}")
        yield number, source[number]


def write_rows(scores: Iterable[tuple[int, LandmarkScore | PlannedScore]], path: str | Path) -> Path:
    """Every pedicle of every image as one row of a CSV file; nested values get columns of their own."""
    rows = [{"image": number, **_flat(asdict(score))} for number, score in scores]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    path = Path(path)
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path


def _flat(values: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat.update(value)
        elif key != "difference":
            flat[key] = value.name if isinstance(value, Level) else value
    return flat
