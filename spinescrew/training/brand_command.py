"""What ``spinescrew train brand`` does: the four models of systems, and what joins them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spinescrew.brands.crop import cut, windows_of
from spinescrew.brands.models import AP, CONCAT, ENSEMBLE, KINDS, LAT, MERGE, VIEWS, model_name
from spinescrew.brands.names import is_family
from spinescrew.brands.reference import reference_file
from spinescrew.errors import InputError
from spinescrew.geometry.atomic import atomic_path
from spinescrew.networks.card import ModelCard
from spinescrew.progress import Progress
from spinescrew.training.brand_calibrate import CALIBRATION, calibrate_brands
from spinescrew.training.brand_cases import NONE, BrandPhantoms, Entry, split
from spinescrew.training.brand_folder import FolderBrandSource, Together
from spinescrew.training.brand_start import BrandStartTask
from spinescrew.training.brand_task import BrandTask
from spinescrew.training.checkpoint import FILE
from spinescrew.training.options import TrainingOptions

if TYPE_CHECKING:
    from spinescrew.training.trainer import Trainer

PHANTOMS = "phantoms"
FIRST_BRAND_SEED = 900_000
CASES = 2400
START_LAT, START_AP = "start-lat", "start-ap"
SHARES = {START_LAT: 0.25, START_AP: 0.2, LAT: 0.15, AP: 0.12, MERGE: 0.14, CONCAT: 0.14}
"""What is trained, in this order, with its share of the time or the steps; first lessons only from random weights."""

BEGIN_WITH = {
    START_AP: (START_LAT,),
    LAT: (START_LAT, START_AP),
    AP: (START_AP, START_LAT),
    MERGE: (LAT, AP),
    CONCAT: (MERGE, LAT, AP),
}
"""Whose weights each begins with: the first of these that was trained. Views from the side tell the most."""

BATCH = 16
_SET_ASIDE = 0.25
_BOLDER, _GENTLER = 2.0, 0.5
"""Times the learning rate: of a first lesson, and of installed models that are extended."""

_OWN_NUMBERS = 10_000_000


@dataclass(frozen=True)
class BrandData:
    """What is learned from, and what the models are made honest with afterwards.

    Attributes
    ----------
    source:
        Of both.
    brands:
        Systems, in the order of the outputs.
    other:
        Whether there are designs of no system among the patients.
    """

    source: Any
    training: Sequence[Entry]
    calibration_source: Any
    calibration: Sequence[Entry]
    brands: tuple[str, ...]
    other: bool


@dataclass(frozen=True, eq=False)
class _Begun:
    """What a training begins with, and what the card says of it."""

    net: Any
    told: str


def train_brands(
    runs: Path,
    models: Path,
    options: TrainingOptions,
    *,
    data: str = PHANTOMS,
    cases: int = CASES,
    kinds: Sequence[str] = (),
    batch_size: int = BATCH,
    threads: int = 0,
    resume: bool = False,
    extend: bool = False,
    progress: Progress | None = None,
) -> tuple[ModelCard, ...]:
    """Train the models one after the other, begin the later ones with the weights of the first, and join them.

    From random weights there are first lessons on strips (:mod:`spinescrew.training.brand_start`).

    Parameters
    ----------
    runs, models:
        Folder of checkpoints and prepared images; folder of the models.
    options:
        Its time, steps and cycle are those of all models together.
    data:
        ``"phantoms"``, or a folder of radiographs (:class:`spinescrew.training.brand_folder.FolderBrandSource`).
    kinds:
        Which of the models; those that the data allow when left out.
    extend:
        Begin with the installed models and keep their systems; the folder's are added. Where the installed models
        learned from simulated patients, those are shown again, so that nothing is forgotten.

    Raises
    ------
    InputError
        If the data cannot be used, or a checkpoint or a model does not fit.
    """
    from spinescrew.training.release import release

    progress = progress or Progress()
    if threads:
        import torch

        torch.set_num_threads(threads)
    with progress.step("prepare the images", 0.0, 0.1) as part:
        given = brand_data(data, Path(runs), cases, extend, part)
    chosen = tuple(kinds) or possible_kinds(given.training)
    plan = _plan(chosen, first_lessons=not extend and _from_random())
    trained = _all_trained(given, plan, Path(runs), options, batch_size, resume, extend, progress)
    nets = {kind: trained[kind].best.eval() for kind in KINDS if kind in trained}
    with progress.step("calibrate and join", 0.9, 1.0) as part:
        ensemble, figures = calibrate_brands(nets, given.calibration_source, given.calibration, part)
    cards = []
    for kind in nets:
        own = {"patients of the calibration": {name: figures[name] for name in ("patients", kind) if name in figures}}
        cards.append(release(trained[kind], given.source, Path(models) / model_name(kind), own))
    cards.append(_release_ensemble(ensemble, figures, cards[0], given, Path(models) / ENSEMBLE))
    _write_references(given, Path(models))
    return tuple(cards)


def brand_data(
    data: str, runs: Path, cases: int = CASES, extend: bool = False, progress: Progress | None = None
) -> BrandData:
    """Patients for training and for calibration: phantoms of other spines, of a folder a part stratified by system."""
    if data == PHANTOMS:
        source = BrandPhantoms(runs / "brand-cases", cases, FIRST_BRAND_SEED)
        unseen = source.after(CALIBRATION)
        return BrandData(source, source.entries, unseen, unseen.entries, source.families, True)
    folder = FolderBrandSource(data, runs / "brand-own", first=_OWN_NUMBERS, progress=progress)
    training, calibration = split(folder.entries, _SET_ASIDE)
    other = any(entry.brand == NONE for entry in training)
    if not extend:
        return BrandData(folder, training, folder, calibration, folder.brands, other)
    return _extended(folder, training, calibration, runs, cases, other)


def possible_kinds(entries: Sequence[Entry]) -> tuple[str, ...]:
    """Models for which there are images of the views they need."""
    known = {view for entry in entries for view in entry.views}
    both = any(set(entry.views) == set(VIEWS) for entry in entries)
    return tuple(kind for kind in KINDS if kind == MERGE or kind in known or (kind == CONCAT and both))


def _extended(
    folder: FolderBrandSource,
    training: Sequence[Entry],
    calibration: Sequence[Entry],
    runs: Path,
    cases: int,
    other: bool,
) -> BrandData:
    """The folder's patients beside those that the installed models learned from, where these were simulated."""
    from spinescrew.brands.models import load_models

    installed = load_models("cpu")
    brands = (*installed.brands, *(name for name in folder.brands if name not in installed.brands))
    if not installed.simulated:
        missing = set(installed.brands) - set(folder.brands)
        if missing:
            raise InputError(
                f"the folder holds no patient with {', '.join(sorted(missing))}, which the installed models know; give "
                "the images of all systems, so that none is forgotten"
            )
        return BrandData(folder, training, folder, calibration, brands, other)
    phantoms = BrandPhantoms(runs / "brand-cases", cases, FIRST_BRAND_SEED)
    unseen = phantoms.after(CALIBRATION)
    return BrandData(
        Together(phantoms, folder, [*phantoms.entries, *training]),
        [*phantoms.entries, *training],
        Together(unseen, folder, [*unseen.entries, *calibration]),
        [*unseen.entries, *calibration],
        brands,
        True,
    )


def _from_random() -> bool:
    from spinescrew.networks.brand_net import imagenet_file

    return imagenet_file() is None


def _plan(kinds: Sequence[str], first_lessons: bool) -> dict[str, float]:
    """What is trained in order, and its share of all."""
    lessons = [name for name in (START_LAT, START_AP) if first_lessons and name.removeprefix("start-") in kinds]
    shares = {name: share for name, share in SHARES.items() if name in kinds or name in lessons}
    return {name: share / sum(shares.values()) for name, share in shares.items()}


def _all_trained(
    given: BrandData,
    plan: dict[str, float],
    runs: Path,
    options: TrainingOptions,
    batch_size: int,
    resume: bool,
    extend: bool,
    progress: Progress,
) -> dict[str, Trainer]:
    """Trainers of first lessons and models, by name, in the order of the plan."""
    trained: dict[str, Trainer] = {}
    done = 0.1
    for name, share in plan.items():
        before = next((trained[other] for other in BEGIN_WITH.get(name, ()) if other in trained), None)
        begun = None if before is None else _Begun(_net(before.best), f"{before.task.name}, {before.step} steps")
        own = _part_of(options, share)
        with progress.step(f"train brand-{name}", done, min(done + 0.8 * share, 0.9)) as part:
            if name in (START_LAT, START_AP):
                kind = name.removeprefix("start-")
                crops = BrandTask(given.source, kind, given.brands, given.training, given.other, 2 * batch_size)
                trained[name] = _started(BrandStartTask(crops), runs, own, begun, resume, part)
            else:
                task = BrandTask(given.source, name, given.brands, given.training, given.other, batch_size)
                trained[name] = _trained(task, runs, own, begun, resume, extend, part)
        done += 0.8 * share
    return trained


def _started(
    task: Any, runs: Path, options: TrainingOptions, begun: _Begun | None, resume: bool, progress: Progress
) -> Trainer:
    """A first lesson, at a rate that does not fall: what follows is a cycle of its own."""
    from spinescrew.training.trainer import Trainer

    steps = options.steps if options.cycle is None else options.cycle
    steady = replace(options, cycle=None, steps=steps, learning_rate=_BOLDER * options.learning_rate)
    trainer = Trainer(task, runs / task.name, steady)
    _run(trainer, begun, resume, progress)
    return trainer


def _trained(
    task: Any,
    runs: Path,
    options: TrainingOptions,
    begun: _Begun | None,
    resume: bool,
    extend: bool,
    progress: Progress,
) -> Trainer:
    """One model, from what it may begin with to the end of its share."""
    from spinescrew.training.trainer import Trainer

    start = (_installed(task) if extend else None) or begun
    if extend and start is not None:
        options = replace(options, learning_rate=_GENTLER * options.learning_rate)
        task = replace(task, new=tuple(brand for brand in task.brands if brand not in start.net.brands))
    trainer = Trainer(task, runs / (f"{task.name}-extended" if extend else task.name), options)
    _run(trainer, start, resume, progress)
    return trainer


def _run(trainer: Trainer, begun: _Begun | None, resume: bool, progress: Progress) -> None:
    """From the checkpoint where there is one, else from what it begins with."""
    held = resume and (trainer.folder / FILE).is_file()
    if begun is not None and not held:
        _net(trainer.model).take_over(begun.net)
        trainer.average.module.load_state_dict(trainer.model.state_dict())
        trainer.before = begun.told
    trainer.run(resume=resume, progress=progress)


def _net(model: Any) -> Any:
    """A network of systems itself, without the judges of a first lesson."""
    return getattr(model, "net", model)


def _installed(task: Any) -> _Begun | None:
    """The installed network of the same kind, or nothing."""
    from spinescrew.networks.weights import list_models, load_model

    if not any(entry.name == task.name and not entry.unavailable for entry in list_models()):
        return None
    net, card = load_model(task.name, "cpu")
    return _Begun(net, card.trained_on)


def _part_of(options: TrainingOptions, share: float) -> TrainingOptions:
    time_s = None if options.time_s is None else options.time_s * share
    steps = None if options.steps is None else max(round(options.steps * share), 1)
    cycle = None if options.cycle is None else max(round(options.cycle * share), 1)
    return replace(options, time_s=time_s, steps=steps, cycle=cycle)


def _release_ensemble(
    ensemble: Any, figures: dict[str, Any], like: ModelCard, given: BrandData, folder: Path
) -> ModelCard:
    from spinescrew.networks.weights import save_model

    card = replace(
        like,
        name=ENSEMBLE,
        task="joins the models of systems by logistic regression, and tells what none of them knows",
        trained_on=f"{len(given.calibration)} patients unseen by the models: {given.calibration_source.describe()}",
        steps=0,
        hours=0.0,
        figures={"patients of the calibration": figures},
    )
    return save_model(folder, ensemble, card)


def _write_references(given: BrandData, models: Path) -> None:
    """A crop of each of the user's own systems, as the picture that stands beside an answer."""
    from PIL import Image

    for brand in given.brands:
        entries = [entry for entry in given.training if entry.brand == brand]
        if is_family(brand) or not entries:
            continue
        images = given.source[entries[0].number].images
        image = images.get(LAT) or images[AP]
        window = windows_of(image.necks, image.tips, image.px_per_mm)[0]
        path = reference_file(brand, models)
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(path) as temporary:
            Image.fromarray(cut(image.pixels.astype(np.float32), window).astype(np.uint8)).save(temporary, "PNG")
