"""Where the network for radiographs takes its images from: simulated patients before many views, kept in a folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import SIDES, Side
from spinescrew.anatomy.levels import Level
from spinescrew.geometry.atomic import atomic_path
from spinescrew.implants.screw import Screw, ScrewShape
from spinescrew.phantoms.xray.construct import Construct, draw_construct
from spinescrew.phantoms.xray.hash import generator_hash, patients_hash
from spinescrew.phantoms.xray.patient import XrayPatient
from spinescrew.phantoms.xray.shot import Backdrop, Shot, backdrop, draw_view, shoot
from spinescrew.radiographs.exposure import Style, draw_exposure
from spinescrew.radiographs.find import screw_input
from spinescrew.radiographs.thickness import Thickness
from spinescrew.radiographs.view import View

KINDS = ("ap", "ap", "lateral", "lateral", "oblique", "film ap", "film lateral", "lateral")
"""Views of each patient."""

_VIEW_FIELDS = ("source", "detector_origin", "right", "down", "pixel_mm")
_STREAM = 7002
_CLEAN_SHARE, _EMPTY_SHARE = 0.3, 0.04
_HAND = 1.5
_TRIES = 6

Field = NDArray[np.float32]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LabelledXray:
    """A radiograph and what it shows.

    Attributes
    ----------
    pixels:
        float32 (rows, columns) as the network sees them.
    classes:
        uint8 (rows, columns): 0 background, 1 shaft, 2 head.
    necks, tips:
        (n, 2) (column, row) of each screw's beginning and end, in the same order; NaN where the image does not show
        it.
    """

    pixels: Field
    classes: NDArray[np.uint8]
    necks: Floats
    tips: Floats


class XraySource(Protocol):
    """Labelled radiographs without end."""

    def draw(self, random: np.random.Generator) -> LabelledXray:
        """One of them; the same generator gives the same."""
        ...

    def describe(self) -> str:
        """For the model card."""
        ...

    @property
    def generator(self) -> str:
        """Hash of what makes the images; empty where they are real."""
        ...


@dataclass(frozen=True, eq=False)
class XrayScene:
    """One patient before one view, and where a plan would put screws."""

    backdrop: Backdrop
    screws: dict[tuple[Level, Side], Screw]


class XrayPhantoms:
    """Patients of consecutive seeds, each before :data:`KINDS`, made when asked for first and kept in a folder.

    Parameters
    ----------
    make:
        ``make(seed)`` gives a :class:`spinescrew.phantoms.xray.XrayPatient`.
    folder:
        Where they are kept; every process of a training may use it at once.
    count:
        Patients; there are ``len(KINDS)`` scenes of each.
    """

    def __init__(self, make: Callable[[int], XrayPatient], folder: Path, count: int, first: int) -> None:
        self._make, self._count, self._first = make, count, first
        self._folder = Path(folder) / patients_hash().rpartition(":")[2][:12]
        self.generator = generator_hash()

    def __len__(self) -> int:
        return self._count * len(KINDS)

    def __getitem__(self, number: int) -> XrayScene:
        seed = self._first + number // len(KINDS) % self._count
        path = self._folder / f"{seed}.npz"
        if not path.is_file():
            write_scenes(path, self._make(seed))
        return read_scene(path, number % len(KINDS))

    def draw(self, random: np.random.Generator) -> LabelledXray:
        """A new construct in one of the scenes, by a new exposure; none at all now and then."""
        style: Style = "clean" if random.random() < _CLEAN_SHARE else "realistic"
        for _ in range(_TRIES):
            scene = self[int(random.integers(len(self)))]
            near = _in_view(scene)
            if len(near) < 2:
                continue
            empty = random.random() < _EMPTY_SHARE
            construct = Construct(()) if empty else draw_construct(near, random, hand=_HAND)
            break
        return labelled(shoot(scene.backdrop, construct, draw_exposure(random, style), random))

    def describe(self) -> str:
        """How many, and their seeds."""
        last = self._first + self._count - 1
        return f"{self._count} simulated trunks before {len(KINDS)} views each, seeds {self._first}-{last}"


def labelled(shot: Shot) -> LabelledXray:
    """A simulated radiograph as training sees it."""
    necks, tips = (np.where(shot.shows(points)[:, None], points, np.nan) for points in (shot.necks, shot.tips))
    return LabelledXray(screw_input(shot.radiograph.dense_bright()), shot.classes, necks, tips)


def write_scenes(path: Path, patient: XrayPatient) -> None:
    """Keep a patient before all views; written whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng([patient.seed, _STREAM])
    held: dict[str, Any] = _screw_table(patient.screws)
    pedicles = [pedicle for level in patient.spine.truth.values() for pedicle in level.pedicles.values()]
    for number, kind in enumerate(KINDS):
        centre = pedicles[int(random.integers(len(pedicles)))].isthmus * (0.0, 1.0, 1.0)
        found = backdrop(patient.ct, draw_view(kind, centre, random))
        held[f"soft{number}"] = found.thickness.soft.astype(np.float16)
        held[f"bone{number}"] = found.thickness.bone.astype(np.float16)
        for name in _VIEW_FIELDS:
            held[f"{name}{number}"] = getattr(found.view, name)
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **held)


def read_scene(path: Path, number: int) -> XrayScene:
    """What :func:`write_scenes` wrote of one view."""
    with np.load(path, allow_pickle=False) as held:
        soft, bone = (held[f"{name}{number}"].astype(np.float32) for name in ("soft", "bone"))
        view = View(**{name: held[f"{name}{number}"] for name in _VIEW_FIELDS}, shape=soft.shape)
        screws = {}
        for row in held["screws"]:
            key = (Level(int(row[0])), SIDES[int(row[1])])
            screws[key] = Screw(row[2:5], row[5:8], ScrewShape(float(row[8]), float(row[9])))
    return XrayScene(Backdrop(view, Thickness(view, soft, bone)), screws)


def _screw_table(screws: dict[tuple[Level, Side], Screw]) -> dict[str, Any]:
    rows = [
        (int(level), SIDES.index(side), *screw.entry, *screw.direction, screw.shape.diameter_mm, screw.shape.length_mm)
        for (level, side), screw in screws.items()
    ]
    return {"screws": np.array(rows, dtype=np.float64)}


def _in_view(scene: XrayScene) -> dict[tuple[Level, Side], Screw]:
    """The screws whose middle the view shows."""
    view = scene.backdrop.view
    found = {}
    for key, screw in scene.screws.items():
        column, row = view.project((screw.entry + screw.tip) / 2)
        if 0 < column < view.shape[1] and 0 < row < view.shape[0]:
            found[key] = screw
    return found
