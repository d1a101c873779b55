"""Two radiographs and their geometry: read, checked, and searched for screws."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinescrew.errors import InputError
from spinescrew.exchange.pose_record import image_hash
from spinescrew.progress import Progress
from spinescrew.radiographs.calibration import read_geometry
from spinescrew.radiographs.checks import SWAPPED, seem_swapped, view_doubts
from spinescrew.radiographs.image import read_radiograph
from spinescrew.radiographs.radiograph import Radiograph
from spinescrew.radiographs.regrid import with_whole_views
from spinescrew.radiographs.screw_maps import ScrewMaps
from spinescrew.radiographs.view import View

if TYPE_CHECKING:
    from spinescrew.radiographs.pose import PoseResult

    Find = Callable[..., ScrewMaps]
    Solve = Callable[..., PoseResult]

Size = tuple[float, float]

ONE_VIEW = "one view does not tell depth; give two radiographs, taken from different sides, and the geometry of both"

_FAR_BETTER = 2.0
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
    """The poses of a pair, in views of the whole images, and its radiographs with their grey scale as it turned out."""

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
        (diameter, length) in mm of the screws, in any order: one for all, or as many as there are; each is given to the
        screw that it fits. Measured when left out.
    find, solve:
        :func:`spinescrew.radiographs.find.find_screws` and :func:`spinescrew.radiographs.pose.solve_poses` when left
        out.

    Raises
    ------
    InputError
        If an image shows no screws, none is the same in both, the images are swapped, or there are more sizes than
        screws.
    Cancelled
        If ``progress`` was asked to stop.
    """
    find, solve = find or _own_find(), solve or _own_solve()
    progress = progress or Progress()
    maps: list[ScrewMaps] = []
    images: list[Radiograph] = []
    told: list[str] = []
    with progress.step("run the network", 0.0, 0.6) as part:
        for n, (image, view) in enumerate(zip(pair.radiographs, pair.views, strict=True)):
            found, image, said = _found(find, image, view, n + 1, device, part.part(n / 2, (n + 1) / 2))
            maps.append(found)
            images.append(image)
            told += said
    result = solve((maps[0], maps[1]), sizes, progress=progress.part(0.6, 1.0))
    if swapped := next((text for text in result.warnings if text.startswith(SWAPPED)), ""):
        raise InputError(f"{swapped}; give them in the order of the geometry")
    result = with_whole_views(result, pair.views)
    warnings = (*pair.doubts, *told, *result.warnings, *_spare_sizes(result, sizes))
    return SolvedPair((images[0], images[1]), replace(result, warnings=warnings, seconds=dict(progress.timings_s)))


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


def _spare_sizes(result: PoseResult, sizes: Sequence[Size] | None) -> list[str]:
    """More sizes than screws: refused where no image shows as many, told where one does."""
    count, screws = len(sizes or ()), len(result.screws)
    shown = max(screws + len(alone) for alone in result.unmatched)
    if count <= max(screws, 1):
        return []
    if count > shown:
        raise InputError(
            f"{count} sizes were given and no image shows more than {shown} screws; give one size for all, one for "
            "each screw, or the sizes that were used"
        )
    return [f"{count} sizes were given and {screws} screws were solved: a size is left over"]


def _own_find() -> Any:
    from spinescrew.radiographs.find import find_screws

    return find_screws


def _own_solve() -> Any:
    from spinescrew.radiographs.pose import solve_poses

    return solve_poses
