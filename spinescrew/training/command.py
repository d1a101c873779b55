"""What ``spinescrew train`` does: one command from images to a model that can be used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinescrew.errors import InputError
from spinescrew.feasibility.scheme import BONE, FIND, PEDICLE
from spinescrew.networks.card import ModelCard
from spinescrew.progress import Progress
from spinescrew.radiographs.find import MODEL as SCREWS
from spinescrew.segmentation.scheme import COARSE, FINE, LANDMARKS
from spinescrew.training.cases import FolderSource, PhantomSource, Source
from spinescrew.training.checkpoint import FILE
from spinescrew.training.options import TrainingOptions

if TYPE_CHECKING:
    from spinescrew.training.axis_cases import AxisSource
    from spinescrew.training.trainer import Trainer

PHANTOMS, AXIS_PHANTOMS, XRAY_PHANTOMS = "phantoms", "axis", "xray"
CASES = 400
FIRST_SEED = 100_000
"""Seeds of training phantoms begin here; held-out ones lie below."""

FIRST_AXIS_SEED = 500_000
FIRST_XRAY_SEED = 700_000
BORDER_SHARE = 0.6
"""Of the C2 pedicles that are made about as wide as the screw needs; chance adds some."""

SHARES = {
    "segmentation": {COARSE: 0.35, FINE: 0.65},
    "landmarks": {LANDMARKS: 1.0},
    "c2": {FIND: 0.1, BONE: 0.3, PEDICLE: 0.6},
    "xray": {SCREWS: 1.0},
}
"""Networks of each kind, with their share of the time."""

WITHOUT_EDGES = "-without-edges"
_BUILT_BY = ("width", "edge_attention", "stacks")


@dataclass(frozen=True)
class NetworkChoice:
    """Which networks of a kind are trained, how they are built, and what they begin with.

    Attributes
    ----------
    name:
        Of one network (:data:`SHARES`), which then has all of the time; ``None`` for all of the kind.
    width, shape:
        Channels of the first level, and voxels of the boxes that are shown; those of each task when left out.
    without_edges:
        Leave the edge attention of the segmentation networks out, to see what it is worth. The models are then called
        ``<name>-without-edges`` and never take the place of the real ones.
    from_model:
        A run without a checkpoint begins with the installed model of the same name and counts on from its steps and
        hours. The model's width and edge attention then go before those given here. Its weights are float16 and the
        optimizer starts anew: this is not the exact resume that a checkpoint gives.
    """

    name: str | None = None
    width: int | None = None
    shape: tuple[int, int, int] | None = None
    without_edges: bool = False
    from_model: bool = False


def train(
    kind: str,
    runs: str | Path,
    models: str | Path,
    options: TrainingOptions,
    *,
    data: str = PHANTOMS,
    cases: int = CASES,
    choice: NetworkChoice | None = None,
    batch_size: int = 1,
    threads: int = 0,
    resume: bool = False,
    progress: Progress | None = None,
) -> tuple[ModelCard, ...]:
    """Train the networks of a kind one after the other, and write each as a model.

    Parameters
    ----------
    kind:
        ``"segmentation"``, ``"landmarks"``, ``"c2"`` or ``"xray"``.
    runs:
        Folder of checkpoints and phantoms.
    models:
        Folder of the models; one folder each.
    data:
        ``"phantoms"``, or a folder of images and labels (:class:`spinescrew.training.cases.FolderSource`).
    options:
        Its time and steps are those of all networks together.
    threads:
        Of torch, on a CPU; 0 leaves their number as it is.
    resume:
        Go on from a checkpoint where there is one; it goes before ``choice.from_model``.

    Raises
    ------
    InputError
        If there is no such network, the data cannot be used, or a checkpoint or a model does not fit.
    """
    from spinescrew.training.calibrate import calibrate, unseen
    from spinescrew.training.release import release

    choice = choice or NetworkChoice()
    shares = _shares(kind, choice)
    progress, runs = progress or Progress(), Path(runs)
    folder, make_source = _SOURCES.get(kind, (PHANTOMS, _source))
    source: Any = make_source(data, runs / folder, cases)
    if threads:
        import torch

        torch.set_num_threads(threads)
    cards, done = [], 0.0
    for name, share in shares.items():
        task = _task(name, source, batch_size, choice)
        held = resume and (runs / task.name / FILE).is_file()
        trainer = _trainer(task, runs / task.name, _part_of(options, share), choice.from_model and not held)
        with progress.step(f"train {task.name}", done, done + share) as part:
            trainer.run(resume=resume, progress=part)
        if name == PEDICLE:
            calibrate(trainer.best, unseen(source), progress=progress.part(done + share, done + share))
        cards.append(release(trainer, source, Path(models) / task.name))
        done += share
    return tuple(cards)


def _shares(kind: str, choice: NetworkChoice) -> dict[str, float]:
    """The networks to train, with their share of the time."""
    if kind not in SHARES:
        raise InputError(f"'{kind}' is not trained; use {' or '.join(SHARES)}")
    if choice.without_edges and kind != "segmentation":
        raise InputError(f"the network of {kind} has no edge attention; only those of segmentation are trained without")
    if choice.name is None:
        return SHARES[kind]
    if choice.name not in SHARES[kind]:
        raise InputError(f"'{choice.name}' is no network of {kind}; use {' or '.join(SHARES[kind])}")
    return {choice.name: 1.0}


def _source(data: str, folder: Path, cases: int) -> Source:
    if data != PHANTOMS:
        return FolderSource(data)
    from spinescrew.phantoms.training_case import generator_hash, make_training_case

    return PhantomSource(make_training_case, folder, cases, generator_hash(), FIRST_SEED)


def _axis_source(data: str, folder: Path, cases: int) -> AxisSource:
    from spinescrew.training.axis_cases import AxisPhantoms
    from spinescrew.training.axis_folder import FolderAxisSource

    if data != PHANTOMS:
        return FolderAxisSource(data, complete=True)
    from spinescrew.phantoms.axis import generator_hash, make_axis_case

    make = partial(make_axis_case, border_share=BORDER_SHARE)
    return AxisPhantoms(make, folder, cases, generator_hash(), FIRST_AXIS_SEED)


def _xray_source(data: str, folder: Path, cases: int) -> Any:
    from spinescrew.training.xray_cases import XrayPhantoms
    from spinescrew.training.xray_folder import FolderXraySource

    if data != PHANTOMS:
        return FolderXraySource(data)
    from spinescrew.phantoms.xray import make_patient

    return XrayPhantoms(make_patient, folder, cases, FIRST_XRAY_SEED)


_SOURCES: dict[str, tuple[str, Callable[[str, Path, int], Any]]] = {
    "c2": (AXIS_PHANTOMS, _axis_source),
    "xray": (XRAY_PHANTOMS, _xray_source),
}
"""Folder and source of images where they are not those of :func:`_source`."""


def _task(name: str, source: Any, batch_size: int, choice: NetworkChoice) -> Any:
    from spinescrew.training.axis_tasks import BoneTask, FindTask, PedicleTask
    from spinescrew.training.landmark_task import LandmarkTask
    from spinescrew.training.segmentation_tasks import CoarseTask, FineTask
    from spinescrew.training.xray_task import ScrewTask

    makers: dict[str, Callable[..., Any]] = {
        COARSE: CoarseTask,
        FINE: FineTask,
        LANDMARKS: LandmarkTask,
        FIND: FindTask,
        BONE: BoneTask,
        PEDICLE: PedicleTask,
        SCREWS: ScrewTask,
    }
    sizes = {"width": choice.width, "shape": choice.shape}
    task = makers[name](source, batch_size=batch_size, **{key: size for key, size in sizes.items() if size is not None})
    return replace(task, edge_attention=False, name=name + WITHOUT_EDGES) if choice.without_edges else task


def _trainer(task: Any, folder: Path, options: TrainingOptions, from_model: bool) -> Trainer:
    """A trainer that begins with random weights, or as wide, as deep and as far as the installed model is."""
    from spinescrew.networks.weights import load_model
    from spinescrew.training.trainer import Trainer

    if not from_model:
        return Trainer(task, folder, options)
    model, card = load_model(task.name, "cpu")
    built = {
        key: value for key, value in card.architecture.arguments.items() if key in _BUILT_BY and hasattr(task, key)
    }
    trainer = Trainer(replace(task, **built), folder, options)
    trainer.go_on_from(model, card)
    return trainer


def _part_of(options: TrainingOptions, share: float) -> TrainingOptions:
    time_s = None if options.time_s is None else options.time_s * share
    steps = None if options.steps is None else max(round(options.steps * share), 1)
    return replace(options, time_s=time_s, steps=steps)
