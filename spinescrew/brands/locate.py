"""Pedicle screws in one radiograph whose geometry nobody gave: where they are, how large, and from which side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from spinescrew.brands.crop import LONG_MM, MAGNIFICATION, lies_down
from spinescrew.brands.models import AP, LAT
from spinescrew.errors import InputError
from spinescrew.progress import Progress
from spinescrew.radiographs.c_arm import from_c_arm
from spinescrew.radiographs.radiograph import Radiograph
from spinescrew.radiographs.regrid import between
from spinescrew.radiographs.screw_maps import ScrewMaps
from spinescrew.radiographs.view import View

Floats = NDArray[np.float64]

SIDES_MM = (300.0, 200.0, 430.0)
"""Long side of an image whose pixels nobody tells: tried in this order until screws are found plainly."""

DIAMETER_MM = 6.5
"""Usual screw: what the size of an image is told by where nothing else tells it."""

_DISTANCE_MM = 1100.0
_THICKEST_MM = 9.8
"""Thicker ones are magnified more than on films, as a C-arm does; thinner ones are thin, or half hidden."""

_MOST_OFF = 1.5
_PLAIN = 0.9
_FAR_BETTER = 2.0
_SHORT_MM = 20.0
_HEAD_MM, _HEAD_SHARE = 7.0, 0.25
_EVENED_MM = (10.0, 20.0)
_LEAST_SPREAD, _NOT_NOUGHT = 1e-3, 1e-12
_EVENED_RANGE = (0.2, 99.9)
_NO_SIZE = "its pixels have no size"
_ASSUMED = "grey scale"
"""Stands in the note of a radiograph whose file does not tell it."""

NO_SCREW = (
    "shows no pedicle screw that the network finds; check that it is the right image and that at least one screw lies "
    "within it with its head"
)
PLATE = (
    "shows metal that has no heads as pedicle screws have (a plate with short screws?); only systems of pedicle screws "
    "are told apart"
)


@dataclass(frozen=True, eq=False)
class Located:
    """Screws of one radiograph.

    Attributes
    ----------
    radiograph:
        With its grey scale as it turned out to be.
    necks, tips, confidence:
        (n, 2) (column, row) of the image where shafts begin below their heads and end; (n,) 0 to 1.
    px_per_mm:
        Pixels for a millimetre in the patient.
    view:
        ``"ap"`` or ``"lat"``, by how long the shafts are seen.
    maps:
        What the network said of each pixel.
    notes:
        What had to be assumed, in words, apart from its size.
    doubt:
        Why its size was taken from the thickness of its screws; empty where the file tells it.
    thick_mm:
        How thick they were then taken to be.
    """

    radiograph: Radiograph
    necks: Floats
    tips: Floats
    confidence: Floats
    px_per_mm: float
    view: str
    maps: ScrewMaps
    notes: tuple[str, ...] = ()
    doubt: str = ""
    thick_mm: float = DIAMETER_MM

    @property
    def assumed(self) -> tuple[str, ...]:
        """All that had to be assumed, in words."""
        if not self.doubt:
            return self.notes
        return (*self.notes, f"{self.doubt}; it was taken to show screws of {self.thick_mm:.1f} mm")

    def with_screws_of(self, thick_mm: float) -> Located:
        """The same in another size, if its own had to be guessed."""
        if not self.doubt:
            return self
        return replace(self, px_per_mm=self.px_per_mm * self.thick_mm / thick_mm, thick_mm=thick_mm)

    @property
    def lying(self) -> bool:
        """Whether the image shows the patient lying."""
        return lies_down(self.necks, self.tips)


@dataclass(frozen=True, eq=False)
class _Try:
    """What was found with one size of the pixels and one grey scale."""

    radiograph: Radiograph
    view: View
    maps: ScrewMaps
    seen: tuple[Any, ...]

    @property
    def strength(self) -> float:
        return float(sum(each.confidence for each in self.seen))

    @cached_property
    def whole(self) -> list[Any]:
        """The screws that are seen with a head."""
        return [each for each in self.seen if _has_head(self.maps, each)]


def locate(
    radiograph: Radiograph,
    name: str = "the image",
    *,
    device: str = "auto",
    find: Callable[..., ScrewMaps] | None = None,
    progress: Progress | None = None,
) -> Located:
    """Find the screws of a radiograph; of pictures without a size of pixels or a grey scale several are tried.

    Parameters
    ----------
    name:
        What messages call the image.
    find:
        :func:`spinescrew.radiographs.find.find_screws` when left out.

    Raises
    ------
    InputError
        If there is no screw, or what there is has no heads.
    """
    find = find or _own_find()
    best = _searched(radiograph, find, device, progress or Progress())
    notes = []
    if not best.whole and (second := _evened(best, find, device)) is not None:
        best = second
        notes.append(f"{name} shows its screws faintly; they were found after its contrast was evened out")
    if not best.seen:
        raise InputError(f"{name} {NO_SCREW}")
    if best.radiograph.bright_is_dense != radiograph.bright_is_dense:
        shade = "bright" if best.radiograph.bright_is_dense else "dark"
        notes.append(f"metal is {shade} in {name}, other than was taken for granted; it was read that way")
    kept = best.whole
    if not kept:
        raise InputError(f"{name} {PLATE}")
    px_per_mm, doubt, thick_mm = _scale(radiograph, best, kept)
    necks, tips = (
        between(best.maps.view, best.view, np.array([getattr(each, end) for each in kept])) for end in ("neck", "tip")
    )
    length_mm = float(np.median(np.hypot(*(tips - necks).T))) / px_per_mm
    view = LAT if length_mm >= LONG_MM else AP
    if view == LAT and np.hypot(*(tips - necks).T).max() < _SHORT_MM * px_per_mm:
        raise InputError(f"{name} {PLATE}")
    if lies_down(necks, tips):
        notes.append(f"{name} shows the spine lying; it was turned by a quarter for the models")
    confidence = np.array([each.confidence for each in kept])
    doubt = f"{name}: {doubt}" if doubt else ""
    return Located(best.radiograph, necks, tips, confidence, px_per_mm, view, best.maps, tuple(notes), doubt, thick_mm)


def _searched(radiograph: Radiograph, find: Callable[..., ScrewMaps], device: str, progress: Progress) -> _Try:
    """The best of the sizes and grey scales that may be."""
    known = radiograph.pixel_mm is not None and radiograph.spacing_kind != "unknown"
    longest = max(radiograph.shape)
    steps = [float(np.mean(radiograph.pixel_mm))] if known else [side / longest for side in SIDES_MM]  # type: ignore[arg-type]
    assumed = any(_ASSUMED in note for note in radiograph.notes)
    best: _Try | None = None
    turned = replace(radiograph, bright_is_dense=not radiograph.bright_is_dense)
    for number, step in enumerate(steps):
        progress.update(number / len(steps), "screws sought")
        ways = [radiograph] if best is None or not assumed else [best.radiograph]
        found = _tried(ways[0], step, find, device)
        if best is None and (assumed or not found.seen):
            other = _tried(turned, step, find, device)
            found = other if other.strength > _FAR_BETTER * found.strength else found
        if best is None or found.strength > best.strength:
            best = found
        if best.strength >= _PLAIN:
            break
    assert best is not None
    return best


def _evened(first: _Try, find: Callable[..., ScrewMaps], device: str) -> _Try | None:
    """A second look at a film on which metal hardly stands out; nothing where no head is seen then, either."""
    step = float(first.view.pixel_mm.mean())
    for around_mm in _EVENED_MM:
        found = _tried(even_contrast(first.radiograph, around_mm / step), step, find, device)
        if found.whole:
            return replace(found, radiograph=first.radiograph)
    return None


def even_contrast(radiograph: Radiograph, around_px: float) -> Radiograph:
    """The same with its contrast about as strong everywhere: each pixel against what lies about it, over its spread."""
    pixels = radiograph.dense_bright().astype(np.float32)
    fine = pixels - gaussian_filter(pixels, around_px)
    spread = np.sqrt(gaussian_filter(fine**2, around_px) + _LEAST_SPREAD * float(np.var(fine)) + _NOT_NOUGHT)
    even = gaussian_filter(fine / spread, 1.0)
    low, high = np.percentile(even, _EVENED_RANGE)
    even = np.clip((even - low) / max(float(high - low), _NOT_NOUGHT), 0.0, 1.0)
    return replace(radiograph, pixels=even.astype(np.float32), bright_is_dense=True)


def _tried(radiograph: Radiograph, step_mm: float, find: Callable[..., ScrewMaps], device: str) -> _Try:
    from spinescrew.radiographs.seen import seen_screws

    view = from_c_arm(
        0.0, 0.0, sdd_mm=_DISTANCE_MM, sid_mm=_DISTANCE_MM / MAGNIFICATION, pixel_mm=step_mm, shape=radiograph.shape
    )
    maps = find(radiograph, view, device=device)
    return _Try(radiograph, view, maps, seen_screws(maps))


def _scale(radiograph: Radiograph, found: _Try, seen: Sequence[Any]) -> tuple[float, str, float]:
    """Pixels for a millimetre in the patient, why that had to be guessed, and how thick the screws then are (mm)."""
    step = float(found.view.pixel_mm.mean())
    magnification = radiograph.magnification or MAGNIFICATION
    known = radiograph.pixel_mm is not None and radiograph.spacing_kind != "unknown"
    radii = np.array([each.radius_px for each in seen], float)
    radii = radii[np.isfinite(radii)]
    scale = magnification / step
    if not len(radii):
        return scale, "" if known else _NO_SIZE, DIAMETER_MM
    diameter = 2 * float(np.median(radii)) * float(found.maps.view.pixel_mm.mean()) / magnification
    if known and diameter <= _THICKEST_MM:
        return scale, "", diameter
    share = float(np.clip(diameter / DIAMETER_MM, 1 / _MOST_OFF, _MOST_OFF))
    why = f"its screws would be {diameter:.1f} mm thick as its pixels are told" if known else _NO_SIZE
    return scale * share, why, diameter / share


def _has_head(maps: ScrewMaps, seen: Any) -> bool:
    """Whether pixels about the beginning of a shaft show a head."""
    radius = _HEAD_MM * MAGNIFICATION / float(maps.view.pixel_mm.mean())
    rows, columns = maps.view.shape
    row, column = np.ogrid[:rows, :columns]
    near = (column - seen.neck[0]) ** 2 + (row - seen.neck[1]) ** 2 <= radius**2
    return bool(near.any() and maps.head[near].mean() > _HEAD_SHARE)


def _own_find() -> Any:
    from spinescrew.radiographs.find import find_screws

    return find_screws
