"""Two radiographs and their geometry: read, checked, and searched for screws."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spinescrew.errors import InputError
from spinescrew.exchange.pose_record import image_hash
from spinescrew.progress import Progress
from spinescrew.radiographs.calibration import read_geometry
from spinescrew.radiographs.checks import seem_swapped, view_doubts
from spinescrew.radiographs.image import read_radiograph
from spinescrew.radiographs.radiograph import Radiograph
from spinescrew.radiographs.regrid import same_part
from spinescrew.radiographs.screw_maps import ScrewMaps
from spinescrew.radiographs.view import View

if TYPE_CHECKING:
    from spinescrew.radiographs.pose import PoseResult
    from spinescrew.radiographs.seen import SeenScrew

    Find = Callable[..., ScrewMaps]
    Solve = Callable[..., PoseResult]

Size = tuple[float, float]

ONE_VIEW = "one view does not tell depth; give two radiographs, taken from different sides, and the geometry of both"

_DIAMETERS_MM, _LENGTHS_MM = (3.0, 10.5), (15.0, 115.0)
"""Of pedicle screws, from the neck to the ilium, with room for the error of a measurement."""

_METAL, _LEAST_MM2 = 0.5, 60.0
"""Share of a pixel, and area at the detector, that count as metal; a shaft covers some 800 square millimetres."""

_FAR_BETTER = 2.0
_DOUBTFUL = 0.5
"""Share of the screws that must fit both images well, else the images are tried the other way round."""

_HALF_PX = 2.0
_ASSUMED = "grey scale"
"""Stands in the note of a radiograph whose file does not tell it."""


@dataclass(frozen=True, eq=False)
class RadiographPair:
    """Two radiographs, where each was taken, and doubts about them in words."""

    radiographs: tuple[Radiograph, Radiograph]
    views: tuple[View, View]
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class SolvedPair:
    """The poses of a pair, and its radiographs with their grey scale as it turned out to be."""

    radiographs: tuple[Radiograph, Radiograph]
    result: PoseResult


def read_pair(images: Sequence[str | Path], geometry: str | Path) -> RadiographPair:
    """Two radiographs (DICOM or pictures) and the calibration file of both, in its order.

    Raises
    ------
    InputError
        If there is but one image or one view, both images are the same, they are swapped, one has another size than
        its view, or a file is no radiograph; one line says which and what to do.
    """
    if len(images) < 2:
        raise InputError(ONE_VIEW)
    views = read_geometry(geometry)
    if len(views) < 2:
        raise InputError(f"{Path(geometry).name} holds the geometry of one view; {ONE_VIEW}")
    if len(images) != 2 or len(views) != 2:
        raise InputError(
            f"{len(images)} images and {Path(geometry).name} with {len(views)} views; poses are solved from two: give "
            "two images, and a geometry that holds their views alone, in the same order"
        )
    read = [read_radiograph(path) for path in images]
    return checked_pair(read, views)


def checked_pair(radiographs: Sequence[Radiograph], views: Sequence[View]) -> RadiographPair:
    """The same of what is in memory already.

    Raises
    ------
    InputError
        If both images are the same, they are swapped, or one has another size than its view.
    """
    if len(radiographs) < 2 or len(views) < 2:
        raise InputError(ONE_VIEW)
    first, second = radiographs
    if image_hash(first) == image_hash(second):
        raise InputError(f"both images are the same; {ONE_VIEW}")
    doubts = view_doubts(views, radiographs)
    if swapped := seem_swapped(views, radiographs):
        raise InputError(swapped)
    told = [f"image {n}: {note}" for n, image in enumerate(radiographs, start=1) for note in image.notes]
    return RadiographPair((first, second), (views[0], views[1]), (*doubts, *told))


def solve_pair(
    pair: RadiographPair,
    sizes: Sequence[Size] | None = None,
    *,
    device: str = "auto",
    progress: Progress | None = None,
    find: Find | None = None,
    solve: Solve | None = None,
) -> SolvedPair:
    """Find the screws in both images, which is which, and where each stands.

    Parameters
    ----------
    sizes:
        (diameter, length) in mm of each screw, in the order of their numbers, or one for all; measured when left out.
    find, solve:
        :func:`spinescrew.radiographs.find.find_screws` and :func:`spinescrew.radiographs.pose.solve_poses` when left
        out.

    Raises
    ------
    InputError
        If an image shows no screws, none is the same in both, or there are more or fewer sizes than screws.
    Cancelled
        If ``progress`` was asked to stop.
    """
    find, solve = find or _own_find(), solve or _own_solve()
    progress = progress or Progress()
    maps: list[ScrewMaps] = []
    images: list[Radiograph] = []
    told: list[str] = []
    with progress.step("find the screws", 0.0, 0.6) as part:
        for n, (image, view) in enumerate(zip(pair.radiographs, pair.views, strict=True)):
            found, image, said = _found(find, image, view, n + 1, device, part.part(n / 2, (n + 1) / 2))
            maps.append(found)
            images.append(image)
            told += said
    with progress.step("solve the poses", 0.6, 1.0) as part:
        result = _solved(solve, (maps[0], maps[1]), pair.views, sizes, part)
    warnings = (*pair.doubts, *told, *result.warnings, *size_doubts(result), *other_metal(result))
    seconds = {**result.seconds, **progress.timings_s}
    return SolvedPair((images[0], images[1]), replace(result, warnings=warnings, seconds=seconds))


def size_doubts(result: PoseResult) -> list[str]:
    """Whether measured screws have sizes that no pedicle screw has: then lengths of the geometry are wrong."""
    measured = [posed.screw.shape for posed in result.screws if not posed.sizes_given]
    if not measured:
        return []
    diameter, length = (float(np.median([getattr(s, name) for s in measured])) for name in ("diameter_mm", "length_mm"))
    if _DIAMETERS_MM[0] <= diameter <= _DIAMETERS_MM[1] and _LENGTHS_MM[0] <= length <= _LENGTHS_MM[1]:
        return []
    return [
        f"the screws measure {diameter:.1f} x {length:.0f} mm, as pedicle screws do not: the spacing of the pixels (it "
        "must be given at the detector) or a distance in the geometry is wrong"
    ]


def other_metal(result: PoseResult) -> list[str]:
    """What looks like parts of screws and belongs to none: other implants, instruments, screws that are cut off."""
    from scipy.ndimage import label

    found = []
    for n, maps in enumerate(result.maps):
        parts, _ = label(maps.metal > _METAL)
        seen = [posed.seen[n] for posed in result.screws] + list(result.unmatched[n])
        known = {number for each in seen for number in _parts_along(parts, each)}
        area = np.bincount(parts.ravel()) * float(np.prod(maps.view.pixel_mm))
        count = sum(number not in known and mm2 > _LEAST_MM2 for number, mm2 in enumerate(area) if number)
        if count:
            what = "one thing looks" if count == 1 else f"{count} things look"
            found.append(
                f"image {n + 1}: {what} like metal of a screw and {'is' if count == 1 else 'are'} none that was found: "
                "other metal, or a screw that is cut off"
            )
    return found


def _parts_along(parts: Any, seen: SeenScrew) -> set[int]:
    """Numbers of the parts that a screw passes, from its neck to its tip and a little before it."""
    along = seen.neck + np.linspace(-0.3, 1.0, 40)[:, None] * (seen.tip - seen.neck)
    column, row = np.clip(np.rint(along).astype(int), 0, np.array(parts.shape[::-1]) - 1).T
    return set(parts[row, column].tolist())


def _found(
    find: Find, image: Radiograph, view: View, number: int, device: str, progress: Progress
) -> tuple[ScrewMaps, Radiograph, list[str]]:
    """Maps of one image, its grey scale turned over where metal is found only then, and a word about that."""
    maps = find(image, view, device=device, progress=progress.part(0.0, 0.6))
    strength = _strength(maps)
    assumed = any(_ASSUMED in note for note in image.notes)
    if strength and not assumed:
        return maps, image, []
    turned = replace(image, bright_is_dense=not image.bright_is_dense)
    other = find(turned, view, device=device, progress=progress.part(0.6, 1.0))
    if _strength(other) > _FAR_BETTER * strength:
        shade = "bright" if turned.bright_is_dense else "dark"
        return other, turned, [f"image {number}: metal is {shade}, other than {_told(assumed)}; it was read that way"]
    if not strength:
        raise InputError(
            f"image {number} shows no pedicle screw that the network finds; check that it is the right image, that the "
            "screws lie within it, and that the geometry gives its pixels at the detector"
        )
    return maps, image, []


def _told(assumed: bool) -> str:
    return "was taken for granted" if assumed else "the file says"


def _strength(maps: ScrewMaps) -> float:
    """How much of screws there is in an image: the sum of how sure each was seen."""
    from spinescrew.radiographs.seen import seen_screws

    return float(sum(seen.confidence for seen in seen_screws(maps)))


def _solved(
    solve: Solve,
    maps: tuple[ScrewMaps, ScrewMaps],
    views: tuple[View, View],
    sizes: Sequence[Size] | None,
    progress: Progress,
) -> PoseResult:
    result = solve(maps, sizes, progress=progress)
    fit = _fit(result)
    if fit < _DOUBTFUL * min(_seen(result)) and views[0].shape == views[1].shape:
        crossed = (_as_seen_by(maps[0], *views), _as_seen_by(maps[1], *views[::-1]))
        if _fit(other := solve(crossed, sizes)) > _FAR_BETTER * fit:
            raise InputError(
                f"the images seem to be swapped: as given {len(result.screws)} screws fit both, the other way round "
                f"{len(other.screws)}, and better; give them in the order of the geometry"
            )
    if not result.screws:
        raise InputError(
            f"of {_seen(result)[0]} screws in image 1 and {_seen(result)[1]} in image 2 none is the same in both; "
            "check that the geometry belongs to these images, and that nothing moved between them"
        )
    return result


def _fit(result: PoseResult) -> float:
    """Screws that both images show, each by how well it fits."""
    return float(sum(1.0 / (1.0 + (posed.residual_px / _HALF_PX) ** 2) for posed in result.screws))


def _seen(result: PoseResult) -> tuple[int, int]:
    first, second = (len(result.screws) + len(alone) for alone in result.unmatched)
    return first, second


def _as_seen_by(maps: ScrewMaps, own: View, other: View) -> ScrewMaps:
    """Maps of an image as if it had been taken where another was."""
    return replace(maps, view=same_part(maps.view, own, other))


def _own_find() -> Any:
    from spinescrew.radiographs.find import find_screws

    return find_screws


def _own_solve() -> Any:
    from spinescrew.radiographs.pose import solve_poses

    return solve_poses
