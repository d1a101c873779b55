"""A whole synthetic spine: vertebrae in their places, labels, CT and the truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import SIDES, Side, VertebralFrame
from spinescrew.anatomy.levels import Level
from spinescrew.geometry.vectors import rotation
from spinescrew.geometry.volume import Volume
from spinescrew.phantoms.morphometry import LEVELS, VertebraSizes, draw_sizes
from spinescrew.phantoms.raster import paint_ct, paint_labels
from spinescrew.phantoms.shapes import blend
from spinescrew.phantoms.vertebra import VertebraShape
from spinescrew.progress import Progress

Floats = NDArray[np.float64]

JOINT_GAP_MM = 2.0


@dataclass(frozen=True, eq=False)
class PedicleTruth:
    """One pedicle as built: RAS mm, degrees in the vertebra's frame."""

    isthmus: Floats
    axis: Floats
    width_mm: float
    height_mm: float
    pta_deg: float
    psa_deg: float


@dataclass(frozen=True, eq=False)
class LevelTruth:
    """One vertebra as built."""

    frame: VertebralFrame
    pedicles: dict[Side, PedicleTruth]
    sizes: VertebraSizes


@dataclass(frozen=True, eq=False)
class SpinePhantom:
    """A synthetic spine.

    Attributes
    ----------
    labels:
        VerSe ids (T12 = 19 ... S1 = 26, a whole sacrum).
    ct:
        int16 HU on the same grid, or ``None``.
    truth:
        By level.
    """

    seed: int
    labels: Volume
    ct: Volume | None
    truth: dict[Level, LevelTruth]
    solids: _Solids

    def distance(self, level: Level, points: Any) -> Floats:
        """The implicit function (n,) of one vertebra at RAS points (n, 3): negative inside, about mm outside."""
        return self.solids.distance(level, np.asarray(points, dtype=float)).astype(float)


@dataclass(frozen=True, eq=False)
class _Solids:
    """Shapes in their places; every vertebra leaves a joint's width to the one below."""

    shapes: dict[Level, VertebraShape]
    frames: dict[Level, VertebralFrame]

    def below(self, level: Level) -> Level | None:
        """The next level down, if any."""
        rank = LEVELS.index(level) + 1
        return LEVELS[rank] if rank < len(LEVELS) else None

    def distance(self, level: Level, points: Floats) -> NDArray[np.float32]:
        """Distance with the inferior processes added and the joint gap taken away."""
        own = self._raw(level, points)
        lower = self.below(level)
        if lower is None:
            return own
        near = own < JOINT_GAP_MM + 0.5
        if near.any():
            own = own.copy()
            own[near] = np.maximum(own[near], JOINT_GAP_MM - self._raw(lower, points[near]))
        return own

    def _raw(self, level: Level, points: Floats) -> NDArray[np.float32]:
        shape, frame = self.shapes[level], self.frames[level]
        local = frame.to_local(points).astype(np.float32)
        solid = shape.distance(local)
        lower = self.below(level)
        if lower is None:
            return solid
        for side in SIDES:
            target = frame.to_local(self.frames[lower].to_ras(self.shapes[lower].facet_target(side)))
            z = shape.sizes
            start = np.array([0.8 * target[0], -0.5 * z.depth - z.canal_depth - 4.0, -0.35 * z.height])
            solid = blend(solid, shape.inferior_process(local, start, target), 2.5)
        return solid


def make_spine_phantom(
    seed: int,
    *,
    spacing: tuple[float, float, float] = (0.8, 0.8, 1.0),
    with_ct: bool = True,
    progress: Progress | None = None,
) -> SpinePhantom:
    """A T12-S1 spine from published morphometry; the same seed gives the same spine.

    Parameters
    ----------
    spacing:
        Voxel size in mm along right-left, anterior-posterior and superior-inferior.

    Examples
    --------
    >>> phantom = make_spine_phantom(7)  # doctest: +SKIP
    >>> phantom.truth[Level.L3].pedicles["left"].width_mm  # doctest: +SKIP
    """
    progress = progress or Progress()
    random = np.random.default_rng(seed)
    sizes = draw_sizes(random)
    shapes = {level: VertebraShape(level, sizes[level]) for level in LEVELS}
    frames = _stack(sizes, random)
    solids = _Solids(shapes, frames)
    labels, fields = paint_labels(solids, spacing, progress.part(0.0, 0.8))
    ct = paint_ct(labels, fields, frames, sizes, random) if with_ct else None
    progress.update(1.0, "phantom made")
    truth = {
        level: LevelTruth(frames[level], _pedicles(shapes[level], frames[level]), sizes[level]) for level in LEVELS
    }
    return SpinePhantom(seed, labels, ct, truth, solids)


def _stack(sizes: dict[Level, VertebraSizes], random: np.random.Generator) -> dict[Level, VertebralFrame]:
    """Frames from the sacrum up, along a recumbent lordosis, each vertebra slightly turned and tilted."""
    slope = 36.0 + 5.0 * float(np.clip(random.normal(), -2, 2))
    axes = rotation((1, 0, 0), -slope)
    origin = np.zeros(3)
    frames = {Level.S1: VertebralFrame(origin, axes[:, 0], axes[:, 1], axes[:, 2])}
    below = Level.S1
    for level in reversed(LEVELS[:-1]):
        z = sizes[level]
        under = frames[below]
        tilted = rotation(under.right, z.segment) @ under.axes
        turn = 1.5 * np.clip(random.normal(size=2), -2.5, 2.5)
        axes = rotation(tilted[:, 2], turn[0]) @ rotation(tilted[:, 1], turn[1]) @ tilted
        half_disc = 0.5 * z.disc
        top = under.origin + (0.5 * sizes[below].height + half_disc) * under.superior
        origin = top + (half_disc + 0.5 * z.height) * axes[:, 2]
        frames[level] = VertebralFrame(origin, axes[:, 0], axes[:, 1], axes[:, 2])
        below = level
    return frames


def _pedicles(shape: VertebraShape, frame: VertebralFrame) -> dict[Side, PedicleTruth]:
    z = shape.sizes
    return {
        side: PedicleTruth(
            isthmus=frame.to_ras(shape.isthmus(side)),
            axis=frame.axes @ shape.axis(side),
            width_mm=z.pedicle_width,
            height_mm=z.pedicle_height,
            pta_deg=z.pta,
            psa_deg=z.psa,
        )
        for side in SIDES
    }
