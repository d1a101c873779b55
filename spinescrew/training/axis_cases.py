"""Where the networks for C2 take their images from: phantoms made on demand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import SIDES, Side
from spinescrew.feasibility.pose import PediclePose, poses_of
from spinescrew.feasibility.scheme import AHEAD_MM, BEHIND_MM
from spinescrew.geometry.atomic import atomic_path
from spinescrew.geometry.volume import Volume

Floats = NDArray[np.float64]

_FIGURES = ("mpd_mm", "margin_mm", "probability", "isthmus_height_mm", "internal_height_mm", "high_riding", "feasible")
_ROOM_MM = 5.0


@dataclass(frozen=True, eq=False)
class PedicleTruth:
    """What is known of one C2 pedicle; NaN where it is not.

    Attributes
    ----------
    points:
        (3, 3) RAS mm: behind the isthmus, the isthmus, ahead of it (:data:`spinescrew.feasibility.scheme.POINTS`).
    depth:
        mm below the cortex on a grid along the pedicle, negative outside; ``None`` where only voxels are known.
    """

    points: Floats
    depth: Volume | None
    feasible: bool
    probability: float
    mpd_mm: float
    margin_mm: float
    isthmus_height_mm: float
    internal_height_mm: float
    high_riding: bool


@dataclass(frozen=True, eq=False)
class AxisImage:
    """A neck CT (HU), its vertebrae (VerSe ids), the pedicles of C2 (left 1, right 2) and the truth by side."""

    ct: Volume
    labels: Volume
    pedicles: Volume
    truth: dict[Side, PedicleTruth]
    traits: tuple[str, ...] = ()

    @property
    def poses(self) -> dict[Side, PediclePose]:
        """True poses of the pedicles."""
        return poses_of({side: truth.points for side, truth in self.truth.items()})


class AxisSource(Protocol):
    """Numbered images of C2."""

    def __len__(self) -> int: ...

    def __getitem__(self, number: int) -> AxisImage: ...

    def describe(self) -> str:
        """For the model card."""
        ...

    @property
    def generator(self) -> str:
        """Hash of what makes the images; empty where they are real."""
        ...


class AxisPhantoms:
    """Phantoms of consecutive seeds, made when they are asked for first and kept in a folder.

    Parameters
    ----------
    make:
        ``make(seed)`` gives a :class:`spinescrew.phantoms.axis.AxisCase`.
    folder:
        Where they are kept; every process of a training may use it at once.
    """

    def __init__(self, make: Callable[[int], Any], folder: Path, count: int, generator: str, first: int = 0) -> None:
        self._make, self._count, self._first = make, count, first
        self._folder = Path(folder) / generator.rpartition(":")[2][:12]
        self.generator = generator

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> AxisImage:
        seed = self._first + number % self._count
        path = self._folder / f"{seed}.npz"
        if not path.is_file():
            write_axis_image(path, image_of_case(self._make(seed)))
        return read_axis_image(path)

    @property
    def seeds(self) -> range:
        """Theirs."""
        return range(self._first, self._first + self._count)

    def after(self, count: int) -> AxisPhantoms:
        """The ``count`` phantoms that follow these."""
        return AxisPhantoms(self._make, self._folder.parent, count, self.generator, self._first + self._count)

    def describe(self) -> str:
        """How many, and their seeds."""
        return f"{self._count} simulated neck CTs, seeds {self._first}-{self._first + self._count - 1}"


def image_of_case(case: Any) -> AxisImage:
    """A phantom as training sees it."""
    from spinescrew.phantoms.axis.depth import signed_depth

    truth = {}
    points = {
        side: case.solids.to_patient([case.solids.pedicle(side).at(mm) for mm in (-BEHIND_MM, 0.0, AHEAD_MM)])
        for side in SIDES
    }
    poses = poses_of(points)
    for side in SIDES:
        known = case.truth[side]
        truth[side] = PedicleTruth(
            points=points[side],
            depth=signed_depth(case.solids, _roomy(poses[side])),
            margin_mm=known.corridor.margin_mm,
            **{name: getattr(known, name) for name in _FIGURES if name != "margin_mm"},
        )
    return AxisImage(case.ct, case.labels, case.pedicles, truth, case.traits)


def _roomy(pose: PediclePose) -> Volume:
    """The box of a pedicle with room around it for shifts and turns."""
    box = pose.box()
    extra = round(_ROOM_MM / float(np.linalg.norm(box.affine[:3, 0])))
    affine = box.affine.copy()
    affine[:3, 3] = box.to_ras(np.full(3, -float(extra)))
    shape = tuple(n + 2 * extra for n in box.shape)
    return Volume(np.zeros(shape, np.uint8), affine)


def write_axis_image(path: Path, image: AxisImage) -> None:
    """Keep an image in a compressed file; written whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    held: dict[str, Any] = {
        "ct": image.ct.array.astype(np.int16),
        "labels": image.labels.array.astype(np.uint8),
        "pedicles": image.pedicles.array.astype(np.uint8),
        "affine": image.ct.affine,
        "traits": np.array(image.traits, str),
    }
    for side, truth in image.truth.items():
        held[f"{side}_points"] = truth.points
        held[f"{side}_figures"] = np.array([float(getattr(truth, name)) for name in _FIGURES])
        if truth.depth is not None:
            held[f"{side}_depth"] = truth.depth.array.astype(np.float16)
            held[f"{side}_grid"] = truth.depth.affine
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **held)


def read_axis_image(path: Path) -> AxisImage:
    """What :func:`write_axis_image` wrote."""
    with np.load(path, allow_pickle=False) as held:
        affine = held["affine"]
        truth: dict[Side, PedicleTruth] = {}
        for side in SIDES:
            figures: dict[str, Any] = dict(zip(_FIGURES, held[f"{side}_figures"].tolist(), strict=True))
            for name in ("high_riding", "feasible"):
                figures[name] = bool(figures[name])
            depth = None
            if f"{side}_depth" in held:
                depth = Volume(held[f"{side}_depth"].astype(np.float32), held[f"{side}_grid"])
            truth[side] = PedicleTruth(points=held[f"{side}_points"], depth=depth, **figures)
        return AxisImage(
            Volume(held["ct"], affine, {"modality": "CT", "corrections": [], "notes": []}),
            Volume(held["labels"].astype(np.int16), affine, {"numbering": "verse"}),
            Volume(held["pedicles"], affine),
            truth,
            tuple(held["traits"].tolist()),
        )
