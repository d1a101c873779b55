"""Pairs of simulated radiographs to evaluate on, made when asked for first and kept in a folder."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spinescrew.anatomy.frame import Side
from spinescrew.anatomy.levels import Level
from spinescrew.errors import InputError
from spinescrew.evaluation.pose_folder import PoseImage
from spinescrew.evaluation.pose_score import USUAL
from spinescrew.geometry.atomic import atomic_path
from spinescrew.geometry.volume import Volume
from spinescrew.implants.screw import Screw, ScrewShape
from spinescrew.radiographs.radiograph import Radiograph
from spinescrew.radiographs.view import View

if TYPE_CHECKING:
    from spinescrew.phantoms.xray.pair import XrayPair

_VIEW_FIELDS = ("source", "detector_origin", "right", "down", "pixel_mm")


class _KeptPairs:
    """Pairs of seeds from 0, made when asked for first; several processes may use the folder at once."""

    def __init__(self, folder: Path, count: int, style: str, between_deg: float | None) -> None:
        from spinescrew.phantoms.xray import generator_hash

        self._count, self._style, self._between = count, style, between_deg
        angle = USUAL if between_deg is None else f"{between_deg:g}"
        self._folder = Path(folder) / generator_hash().rpartition(":")[2][:12] / f"{style}-{angle}"

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> PoseImage:
        path = self._folder / f"{number}.npz"
        if not path.is_file():
            _write(path, self._make(number))
        setup = USUAL if self._between is None else f"{self._between:g}"
        return replace(_read(path), setup=setup)

    def _make(self, seed: int) -> PoseImage:
        raise NotImplementedError

    def _told(self) -> str:
        angle = "" if self._between is None else f", {self._between:g}° apart"
        return f"{self._style}{angle}, seeds 0-{self._count - 1}"


class HeldOutPairs(_KeptPairs):
    """Held-out simulated patients; the calibration is true.

    Parameters
    ----------
    folder:
        Where they are kept.
    count:
        How many.
    style:
        ``"clean"`` or ``"realistic"``.
    between_deg:
        Angle between the views; that of a usual AP and lateral when left out.
    """

    def __init__(self, folder: Path, count: int, style: str, between_deg: float | None = None) -> None:
        super().__init__(folder, count, style, between_deg)

    def _make(self, seed: int) -> PoseImage:
        return _made(seed, self._style, self._between)

    def describe(self) -> str:
        """See :class:`spinescrew.evaluation.pose_folder.PoseSource`."""
        return f"{self._count} held-out simulated pairs, {self._told()}"


class CtPairs(_KeptPairs):
    """Projections of one CT into which a hand puts screws about where a plan has them; the calibration is true.

    Parameters
    ----------
    ct, labels:
        HU, and the named vertebrae (VerSe ids) that are planned on.
    folder, count, style, between_deg:
        As :class:`HeldOutPairs`.
    """

    def __init__(
        self, ct: Volume, labels: Volume, folder: Path, count: int, style: str, between_deg: float | None = None
    ) -> None:
        super().__init__(Path(folder) / ct.content_hash().rpartition(":")[2][:12], count, style, between_deg)
        self._ct, self._labels = ct, labels

    @cached_property
    def _screws(self) -> dict[tuple[Level, Side], Screw]:
        from spinescrew.cohort.case import plan_volumes

        planned = plan_volumes(self._labels, self._ct).plan.planned
        return {row.key: row.screw for row in planned if row.screw is not None}

    def _make(self, seed: int) -> PoseImage:
        from spinescrew.phantoms.xray.pair import pair_of

        screws = self._screws
        if len(screws) < 2:
            raise InputError("fewer than two screws can be planned in this CT; give one that shows more vertebrae")
        pair = pair_of(self._ct, screws, seed, self._style, between_deg=self._between, labels=self._labels, cut=True)
        return _of_pair(pair, seed, f"{self._style}, CT")

    def describe(self) -> str:
        """See :class:`spinescrew.evaluation.pose_folder.PoseSource`."""
        return f"{self._count} pairs projected from a CT with screws put in, {self._told()}"


def _made(seed: int, style: str, between_deg: float | None) -> PoseImage:
    from spinescrew.phantoms.xray.pair import held_out_pair

    return _of_pair(held_out_pair(seed, style, between_deg=between_deg), seed, style)


def _of_pair(pair: XrayPair, seed: int, style: str) -> PoseImage:
    labels = (pair.shots[0].classes, pair.shots[1].classes)
    return PoseImage(seed, style, pair.radiographs, pair.true_views, pair.true_views, pair.screws, labels)


def _write(path: Path, image: PoseImage) -> None:
    held: dict[str, Any] = {"name": image.name, "style": image.style}
    for n, (radiograph, view, labels) in enumerate(zip(image.radiographs, image.views, image.labels, strict=True)):
        held[f"pixels{n}"], held[f"dense{n}"] = radiograph.pixels, radiograph.bright_is_dense
        held[f"labels{n}"] = labels
        for name in _VIEW_FIELDS:
            held[f"{name}{n}"] = getattr(view, name)
    rows = [(*s.entry, *s.direction, s.shape.diameter_mm, s.shape.length_mm) for s in image.screws]
    held["screws"] = np.array(rows, dtype=np.float64).reshape(-1, 8)
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **held)


def _read(path: Path) -> PoseImage:
    with np.load(path, allow_pickle=False) as held:
        pixels = [held[f"pixels{n}"] for n in range(2)]
        views = [_view(held, n, pixels[n].shape) for n in range(2)]
        images = [Radiograph(pixels[n], bool(held[f"dense{n}"]), views[n].pixel_mm.copy()) for n in range(2)]
        shapes = [(row, ScrewShape(float(row[6]), float(row[7]))) for row in held["screws"]]
        screws = tuple(Screw(row[:3], row[3:6], shape) for row, shape in shapes)
        labels = (held["labels0"], held["labels1"])
        name, style = int(held["name"]), str(held["style"])
    first, second = (replace(image, spacing_kind="detector") for image in images)
    return PoseImage(name, style, (first, second), (views[0], views[1]), (views[0], views[1]), screws, labels)


def _view(held: Any, number: int, shape: tuple[int, int]) -> View:
    source, corner, right, down, steps = (held[f"{name}{number}"] for name in _VIEW_FIELDS)
    return View(source, corner, right, down, steps, shape)
