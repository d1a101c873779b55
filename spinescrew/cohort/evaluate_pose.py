"""How well screws are found in two radiographs: many pairs whose screws are known, one score for each screw."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spinescrew.cohort.case import CaseInput, load_case
from spinescrew.errors import InputError, SpineScrewError
from spinescrew.evaluation.pose_compare import PoseTruth, missed, score_screws
from spinescrew.evaluation.pose_folder import FolderPairs, PoseImage, PoseSource
from spinescrew.evaluation.pose_pixels import HEAD, SHAFT, classes_of, noise, overlap
from spinescrew.evaluation.pose_score import AS_GIVEN, PixelScore, PoseScore
from spinescrew.exchange.pose_record import between_deg
from spinescrew.progress import Progress
from spinescrew.radiographs.c_arm import perturbed
from spinescrew.radiographs.regrid import same_part
from spinescrew.radiographs.screw_maps import ScrewMaps
from spinescrew.radiographs.view import View

if TYPE_CHECKING:
    from spinescrew.radiographs.pose import PoseResult

    Find = Callable[..., ScrewMaps]
    Solve = Callable[..., PoseResult]

PHANTOMS = "phantoms"
HELD_OUT = 60
ERRORS = ((0.0, 0.0), (1.0, 2.0))
"""Of the calibration that is given: degrees about the isocentre and mm of the source, of either view."""

_STREAM = 7004


@dataclass(frozen=True, eq=False)
class PoseEvaluation:
    """Scores of all screws and of all radiographs."""

    screws: tuple[PoseScore, ...]
    pixels: tuple[PixelScore, ...]


def sources_of(
    data: str,
    folder: Path,
    count: int,
    styles: Sequence[str],
    angles: Sequence[float] = (),
    case: CaseInput | None = None,
) -> list[PoseSource]:
    """``"phantoms"`` (held out), once for each style and angle between the views, or the pairs of a folder.

    Parameters
    ----------
    folder:
        Where phantoms are kept.
    angles:
        Between the views, beside the usual ones of an AP and a lateral.
    case:
        A CT and its vertebrae to project with screws put in, instead of phantoms.

    Raises
    ------
    InputError
        If the folder cannot be used, or something is asked of one that only phantoms have.
    """
    if data != PHANTOMS:
        if angles or case is not None:
            raise InputError(
                "radiographs of a folder are as they are; leave out --between, --ct and --labels, or --data"
            )
        return [FolderPairs(data)]
    from spinescrew.cohort.pose_phantoms import CtPairs, HeldOutPairs

    ways: list[tuple[float | None, str]] = [(angle, style) for angle in (None, *angles) for style in styles]
    if case is None:
        return [HeldOutPairs(folder, count, style, angle) for angle, style in ways]
    labels, ct = load_case(case)
    if ct is None:
        raise InputError("labels alone cannot be projected; give the CT they were made on with --ct")
    return [CtPairs(ct, labels, folder, count, style, angle) for angle, style in ways]


def score_pairs(
    source: PoseSource,
    errors: Sequence[tuple[float, float]] = (AS_GIVEN,),
    *,
    find: Find | None = None,
    solve: Solve | None = None,
    progress: Progress | None = None,
) -> PoseEvaluation:
    """Find the screws of every pair of a source and compare them with the true ones.

    The images are searched once; the poses are solved for each error of the calibration.

    Parameters
    ----------
    errors:
        By how many degrees and mm the calibration is made wrong, or :data:`AS_GIVEN`.
    find, solve:
        ``find(radiograph, view, progress=...)`` and ``solve(maps, progress=...)``; the shipped ones when left out. What
        they refuse becomes missed screws with the reason.
    """
    find, solve = find or _own_find(), solve or _own_solve()
    progress = progress or Progress()
    screws: list[PoseScore] = []
    pixels: list[PixelScore] = []
    for number in range(len(source)):
        part = progress.part(number / len(source), (number + 1) / len(source))
        part.update(0.0, f"pair {number + 1} of {len(source)}")
        image = source[number]
        own = _score_pair(image, errors, find, solve, part)
        screws += own.screws
        pixels += own.pixels
    return PoseEvaluation(tuple(screws), tuple(pixels))


def wrong_views(image: PoseImage, error: tuple[float, float]) -> tuple[View, View]:
    """The views as a calibration with this error gives them, in directions drawn from the pair's name."""
    if error == AS_GIVEN:
        return image.views
    if error == (0.0, 0.0):
        return image.true_views
    seed = [_STREAM, *str(image.name).encode()]
    random = np.random.default_rng(seed)
    ends = np.array([end for screw in image.screws for end in (screw.entry, screw.tip)])
    centre = (ends.min(axis=0) + ends.max(axis=0)) / 2
    first, second = (perturbed(view, *error, random, centre) for view in image.true_views)
    return first, second


def _score_pair(
    image: PoseImage, errors: Sequence[tuple[float, float]], find: Find, solve: Solve, progress: Progress
) -> PoseEvaluation:
    known = _known(image)
    began = time.perf_counter()
    try:
        maps = [
            find(radiograph, view, progress=progress.part(n / 4, (n + 1) / 4))
            for n, (radiograph, view) in enumerate(zip(image.radiographs, image.true_views, strict=True))
        ]
    except InputError as refusal:
        truth = PoseTruth(image.screws, image.true_views, image.true_views, image.labels)
        lost = [missed(truth, {**known, **_error(each)}, str(refusal)) for each in errors]
        return PoseEvaluation(tuple(score for scores in lost for score in scores), ())
    seconds = time.perf_counter() - began
    first, second = (each.view for each in maps)
    truth = PoseTruth(image.screws, (first, second), image.true_views, image.labels)
    screws: list[PoseScore] = []
    for n, error in enumerate(errors):
        part = progress.part(0.5 + 0.5 * n / len(errors), 0.5 + 0.5 * (n + 1) / len(errors))
        screws += _solved(image, maps, truth, error, solve, {**known, "seconds": seconds}, part)
    return PoseEvaluation(tuple(screws), tuple(_pixels(image, maps, known)))


def _solved(
    image: PoseImage,
    maps: Sequence[ScrewMaps],
    truth: PoseTruth,
    error: tuple[float, float],
    solve: Solve,
    known: dict[str, Any],
    progress: Progress,
) -> list[PoseScore]:
    given = wrong_views(image, error)
    moved = [
        replace(each, view=same_part(each.view, true, view))
        for each, true, view in zip(maps, image.true_views, given, strict=True)
    ]
    known = {**known, **_error(error)}
    began = time.perf_counter()
    try:
        result = solve((moved[0], moved[1]), progress=progress)
    except SpineScrewError as refusal:
        return missed(truth, known, str(refusal))
    known["seconds"] += time.perf_counter() - began
    return score_screws(result, truth, known)


def _known(image: PoseImage) -> dict[str, Any]:
    """Columns of a score that do not depend on what was found."""
    grain = [
        float("nan") if labels is None else noise(radiograph, labels)
        for radiograph, labels in zip(image.radiographs, image.labels, strict=True)
    ]
    return {
        "case": image.name,
        "style": image.style,
        "setup": image.setup,
        "between_deg": round(between_deg(image.true_views), 2),
        "screws": sum(PoseTruth(image.screws, image.true_views, image.true_views, image.labels).counted),
        "noise": max(grain),
    }


def _error(error: tuple[float, float]) -> dict[str, float]:
    return {"error_deg": error[0], "error_mm": error[1]}


def _pixels(image: PoseImage, maps: Sequence[ScrewMaps], known: dict[str, Any]) -> list[PixelScore]:
    scores = []
    rows = zip(image.labels, image.radiographs, maps, image.true_views, strict=True)
    for n, (labels, radiograph, own, view) in enumerate(rows, start=1):
        if labels is None:
            continue
        found = classes_of(own, view)
        shaft, head = overlap(found, labels, SHAFT), overlap(found, labels, HEAD)
        same = {name: known[name] for name in ("case", "style", "setup", "between_deg")}
        of_shaft = {f"shaft_{name}": value for name, value in asdict(shaft).items()}
        of_head = {f"head_{name}": value for name, value in asdict(head).items()}
        scores.append(PixelScore(**same, view=n, noise=noise(radiograph, labels), **of_shaft, **of_head))
    return scores


def _own_find() -> Any:
    from spinescrew.radiographs.find import find_screws

    return find_screws


def _own_solve() -> Any:
    from spinescrew.radiographs.pose import solve_poses

    return solve_poses
