"""What ``spinescrew train`` does: one command from images to a model that can be used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from spinescrew.errors import InputError
from spinescrew.networks.card import ModelCard
from spinescrew.progress import Progress
from spinescrew.segmentation.scheme import COARSE, FINE, LANDMARKS
from spinescrew.training.cases import FolderSource, PhantomSource, Source
from spinescrew.training.options import TrainingOptions
from spinescrew.training.task import Task

PHANTOMS = "phantoms"
CASES = 400
FIRST_SEED = 100_000
"""Seeds of training phantoms begin here; held-out ones lie below."""

SHARES = {"segmentation": {COARSE: 0.35, FINE: 0.65}, "landmarks": {LANDMARKS: 1.0}}
"""Networks of each kind, with their share of the time."""


def train(
    kind: str,
    runs: str | Path,
    models: str | Path,
    options: TrainingOptions,
    *,
    data: str = PHANTOMS,
    cases: int = CASES,
    width: int | None = None,
    shape: tuple[int, int, int] | None = None,
    batch_size: int = 1,
    resume: bool = False,
    progress: Progress | None = None,
) -> tuple[ModelCard, ...]:
    """Train the networks of a kind one after the other, and write each as a model.

    Parameters
    ----------
    kind:
        ``"segmentation"`` or ``"landmarks"``.
    runs:
        Folder of checkpoints and phantoms.
    models:
        Folder of the models; one folder each.
    data:
        ``"phantoms"``, or a folder of images and labels (:class:`spinescrew.training.cases.FolderSource`).
    width, shape:
        Channels of the first level, and voxels of the boxes that are shown; those of each task when left out.
    options:
        Its time and steps are those of all networks together.

    Raises
    ------
    InputError
        If the data cannot be used, or a checkpoint does not fit.
    """
    from spinescrew.training.release import release
    from spinescrew.training.trainer import Trainer

    if kind not in SHARES:
        raise InputError(f"'{kind}' is not trained; use {' or '.join(SHARES)}")
    progress, runs = progress or Progress(), Path(runs)
    source = _source(data, runs / PHANTOMS, cases)
    cards, done = [], 0.0
    for name, share in SHARES[kind].items():
        trainer = Trainer(
            _task(name, source, batch_size, width=width, shape=shape), runs / name, _part_of(options, share)
        )
        with progress.step(f"train {name}", done, done + share) as part:
            trainer.run(resume=resume, progress=part)
        cards.append(release(trainer, source, Path(models) / name))
        done += share
    return tuple(cards)


def _source(data: str, folder: Path, cases: int) -> Source:
    if data != PHANTOMS:
        return FolderSource(data)
    from spinescrew.phantoms.training_case import generator_hash, make_training_case

    return PhantomSource(make_training_case, folder, cases, generator_hash(), FIRST_SEED)


def _task(name: str, source: Source, batch_size: int, **others: Any) -> Task:
    from spinescrew.training.landmark_task import LandmarkTask
    from spinescrew.training.segmentation_tasks import CoarseTask, FineTask

    makers: dict[str, Callable[..., Any]] = {COARSE: CoarseTask, FINE: FineTask, LANDMARKS: LandmarkTask}
    given = {key: value for key, value in others.items() if value is not None}
    task: Task = makers[name](source, batch_size=batch_size, **given)
    return task


def _part_of(options: TrainingOptions, share: float) -> TrainingOptions:
    from dataclasses import replace

    time_s = None if options.time_s is None else options.time_s * share
    steps = None if options.steps is None else max(round(options.steps * share), 1)
    return replace(options, time_s=time_s, steps=steps)
