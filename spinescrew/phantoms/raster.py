"""Solids to voxels: the label map, and a CT with cortex, marrow, discs, soft tissue, blur and noise."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from spinescrew.anatomy.frame import VertebralFrame
from spinescrew.anatomy.levels import Level
from spinescrew.geometry.volume import Volume
from spinescrew.phantoms.morphometry import LEVELS, VertebraSizes
from spinescrew.progress import Progress

Floats = NDArray[np.float64]
Box = tuple[slice, slice, slice]

_REACH_MM = np.array([62.0, 75.0, 52.0])
_SACRAL_REACH_MM = np.array([64.0, 70.0, 95.0])
_MARGIN_MM = 10.0

MUSCLE_HU, DISC_HU, CORTEX_HU = 52.0, 85.0, 950.0
_CORTEX_MM = 1.1


class Solids(Protocol):
    """What is painted: frames and a distance for every level."""

    @property
    def frames(self) -> dict[Level, VertebralFrame]:
        """Frame of every level."""
        ...

    def distance(self, level: Level, points: Floats) -> NDArray[np.float32]:
        """Signed distance (n,) at RAS points (n, 3)."""
        ...


def paint_labels(
    solids: Solids, spacing: tuple[float, float, float], progress: Progress
) -> tuple[Volume, dict[Level, tuple[Box, NDArray[np.float32]]]]:
    """Label map with VerSe ids, and every vertebra's distances on its own box of the grid."""
    grid = _grid(solids.frames, spacing)
    array = np.zeros(grid.shape, np.int16)
    fields = {}
    for n, level in enumerate(LEVELS):
        progress.update(n / len(LEVELS), f"shape of {level.label}")
        box, field = _field(solids, level, grid)
        array[box][field < 0] = level.value
        fields[level] = box, field
    return Volume(array, grid.affine, {"modality": "labels", "corrections": [], "numbering": "verse, built in"}), fields


def _grid(frames: dict[Level, VertebralFrame], spacing: tuple[float, float, float]) -> Volume:
    """A box around the spine; its first axes run to the right and forward, the third upwards."""
    origins = np.array([frame.origin for frame in frames.values()])
    low = origins.min(axis=0) - np.array([66.0, 82.0, 84.0])
    high = origins.max(axis=0) + np.array([66.0, 40.0, 40.0])
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = low
    shape = tuple(int(np.ceil(size)) for size in (high - low) / spacing)
    return Volume(np.empty(shape, np.uint8), affine)


def _field(solids: Solids, level: Level, grid: Volume) -> tuple[Box, NDArray[np.float32]]:
    reach = _SACRAL_REACH_MM if level is Level.S1 else _REACH_MM
    middle = grid.ras_to_index(solids.frames[level].origin - (0.0, 22.0, 8.0 if level is not Level.S1 else 20.0))
    half = reach / grid.spacing
    low = np.clip(np.floor(middle - half), 0, grid.shape).astype(int)
    high = np.clip(np.ceil(middle + half), 0, grid.shape).astype(int)
    field = np.empty(tuple(high - low), np.float32)
    jk = np.stack(np.meshgrid(np.arange(low[1], high[1]), np.arange(low[2], high[2]), indexing="ij"), axis=-1).reshape(
        -1, 2
    )
    for i in range(low[0], high[0]):
        index = np.column_stack([np.full(len(jk), i), jk])
        field[i - low[0]] = solids.distance(level, grid.index_to_ras(index)).reshape(field.shape[1:])
    box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    return (box[0], box[1], box[2]), field


def paint_ct(
    labels: Volume,
    fields: dict[Level, tuple[Box, NDArray[np.float32]]],
    frames: dict[Level, VertebralFrame],
    sizes: dict[Level, VertebraSizes],
    random: np.random.Generator,
) -> Volume:
    """HU on the grid of ``labels``: muscle, discs, cortex of about 1 mm around marrow, point spread and noise."""
    hu = MUSCLE_HU + 12.0 * _texture(labels.shape, labels.spacing, 6.0, random)
    _paint_discs(hu, labels, frames, sizes)
    marrow = float(random.uniform(90.0, 210.0))
    texture = 35.0 * _texture(labels.shape, labels.spacing, 1.2, random)
    soft = float(labels.spacing.mean())
    for box, field in fields.values():
        fraction = np.clip(0.5 - field / soft, 0.0, 1.0)
        depth = np.clip((-field - _CORTEX_MM) / soft + 0.5, 0.0, 1.0)
        bone = CORTEX_HU * (1 - depth) + (marrow + texture[box]) * depth
        hu[box] = hu[box] * (1 - fraction) + bone * fraction
    hu = gaussian_filter(hu, 0.35 / labels.spacing)
    hu += random.normal(0.0, 18.0, hu.shape).astype(np.float32)
    return Volume(np.round(hu).astype(np.int16), labels.affine, {"modality": "CT", "corrections": [], "notes": []})


def _texture(
    shape: tuple[int, int, int], spacing: Floats, size_mm: float, random: np.random.Generator
) -> NDArray[np.float32]:
    """Smooth random field with unit variance and structures of ``size_mm``."""
    field = gaussian_filter(random.normal(size=shape).astype(np.float32), size_mm / 2 / spacing)
    return (field / max(float(field.std()), 1e-6)).astype(np.float32)


def _paint_discs(
    hu: NDArray[np.float32], labels: Volume, frames: dict[Level, VertebralFrame], sizes: dict[Level, VertebraSizes]
) -> None:
    for level in LEVELS[:-1]:
        frame, z = frames[level], sizes[level]
        centre = frame.origin - (0.5 * z.height + 0.5 * z.disc) * frame.superior
        half = (0.5 * z.width + z.disc) / labels.spacing
        at = labels.ras_to_index(centre)
        low = np.clip(np.floor(at - half), 0, labels.shape).astype(int)
        high = np.clip(np.ceil(at + half), 0, labels.shape).astype(int)
        box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
        index = np.stack(
            np.meshgrid(*[np.arange(a, b) for a, b in zip(low, high, strict=True)], indexing="ij"), axis=-1
        )
        local = (labels.index_to_ras(index) - centre) @ frame.axes
        inside = ((local[..., 0] / (0.5 * z.width)) ** 2 + (local[..., 1] / (0.5 * z.depth)) ** 2 < 1.0) & (
            np.abs(local[..., 2]) < 0.5 * z.disc + 2.0
        )
        hu[box][inside] = DISC_HU
