"""Squares of a radiograph around single screws, as the networks that know systems are given them.

Yao 2024 crops the screws out of the film before it is judged. Here each screw has a square of its own, always as large
in the patient, so that threads keep their size, and turned alike, so that the networks need not learn every turn: along
the shaft where its side is seen, upright otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

Floats = NDArray[np.float64]
Field = NDArray[np.float32]

SIZE = 256
"""Pixels of a crop's side (Yao 2024)."""

SIDE_MM = 80.0
"""Of a crop in the patient: a long screw with its head, or both heads of a level."""

MAGNIFICATION = 1.15
"""Of plain films at the spine (1.1 to 1.22), where nothing tells it."""

AHEAD = 0.32
"""A crop's middle lies this share of the shaft beyond its beginning: the head needs room, too."""

LONG_MM = 28.0
"""A shaft that is seen this long in the patient shows its side; a shorter one points to the tube."""

OVERALL, METAL, DETAIL = range(3)
"""What the three channels show: the whole range of grey, the range of metal, and fine detail (threads, edges)."""

_OVERALL, _METAL = (2.0, 98.0), (70.0, 99.7)
_CLIP = 2.5
_FINE_PX, _COARSE_PX = 0.6, 3.0


@dataclass(frozen=True, eq=False)
class Window:
    """A square of an image around one screw.

    Attributes
    ----------
    screw:
        Number of the screw, from 0.
    centre:
        (2,) (column, row) of the image.
    side_px:
        Its side in the image's pixels.
    turn_deg:
        Where its columns run in the image: 0 to the right, 90 downwards.
    """

    screw: int
    centre: Floats
    side_px: float
    turn_deg: float

    @property
    def axes(self) -> Floats:
        """(2, 2), columns: the steps in the image from column to column and from row to row of a crop."""
        turn = np.radians(self.turn_deg)
        step = self.side_px / SIZE
        return step * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])

    def to_image(self, pixels: NDArray[np.generic] | Sequence[float]) -> Floats:
        """(column, row) (..., 2) of the crop in the image."""
        return (np.asarray(pixels, dtype=np.float64) - (SIZE - 1) / 2) @ self.axes.T + self.centre

    def to_crop(self, pixels: NDArray[np.generic] | Sequence[float]) -> Floats:
        """(column, row) (..., 2) of the image in the crop."""
        away = np.asarray(pixels, dtype=np.float64) - self.centre
        return away @ np.linalg.inv(self.axes).T + (SIZE - 1) / 2


def windows_of(necks: Floats, tips: Floats, px_per_mm: float) -> tuple[Window, ...]:
    """A window for each screw of one image.

    Parameters
    ----------
    necks, tips:
        (n, 2) (column, row) where shafts begin below their heads and where they end.
    px_per_mm:
        Pixels of the image for a millimetre in the patient.
    """
    necks, tips = (np.asarray(points, dtype=np.float64).reshape(-1, 2) for points in (necks, tips))
    lying = lies_down(necks, tips)
    found = []
    for number, (neck, tip) in enumerate(zip(necks, tips, strict=True)):
        way = tip - neck
        if np.hypot(*way) >= LONG_MM * px_per_mm:
            turn = float(np.degrees(np.arctan2(way[1], way[0])))
        else:
            turn = (90.0 if way[1] >= 0 else -90.0) if lying else (0.0 if way[0] >= 0 else 180.0)
        found.append(Window(number, neck + AHEAD * way, SIDE_MM * px_per_mm, turn))
    return tuple(found)


def lies_down(necks: Floats, tips: Floats) -> bool:
    """Whether an image shows the spine lying: shafts run across it, from the front and from the side."""
    way = np.asarray(tips, dtype=np.float64) - np.asarray(necks, dtype=np.float64)
    return bool((way[:, 0] ** 2 - way[:, 1] ** 2).sum() < 0)


def spread_out(windows: Sequence[Window], confidence: Sequence[float], most: int) -> tuple[Window, ...]:
    """The surest windows that have little in common, at most so many, in their own order."""
    left = sorted(range(len(windows)), key=lambda n: -confidence[n])
    kept: list[int] = []
    for apart in (0.12, 0.0):
        for n in left:
            away = [np.hypot(*(windows[n].centre - windows[k].centre)) / windows[n].side_px for k in kept]
            if len(kept) < most and n not in kept and min(away, default=1.0) > apart:
                kept.append(n)
    return tuple(windows[n] for n in sorted(kept))


def cut(pixels: Field, window: Window) -> Field:
    """A crop (SIZE, SIZE) of an image, averaged where its pixels are larger; the image's edge goes on outside."""
    rows, columns = pixels.shape
    factor = max(1, int(window.side_px / SIZE + 1e-6))
    corner = np.array([[0, 0], [SIZE - 1, 0], [0, SIZE - 1], [SIZE - 1, SIZE - 1]])
    at = window.to_image(corner)
    low = np.floor(at.min(axis=0)).astype(int) - 2 * factor
    high = np.ceil(at.max(axis=0)).astype(int) + 2 * factor + 1
    low = np.clip(low, 0, [max(columns - factor, 0), max(rows - factor, 0)])
    high = np.clip(high, low + factor, [columns, rows])
    part = pixels[low[1] : high[1], low[0] : high[0]].astype(np.float32)
    if factor > 1:
        part = _binned(part, factor)
    column, row = np.meshgrid(np.arange(SIZE), np.arange(SIZE))
    place = window.to_image(np.stack([column, row], axis=-1)) - low
    place = (place + 0.5) / factor - 0.5
    return np.asarray(map_coordinates(part, [place[..., 1], place[..., 0]], order=1, mode="nearest"))


def channels(crop: Field) -> Field:
    """float32 (3, rows, columns) as the networks see a crop; see :data:`OVERALL`."""
    fine = gaussian_filter(crop, _FINE_PX) - gaussian_filter(crop, _COARSE_PX)
    fine /= max(2.0 * float(np.sqrt(np.mean(fine**2))), 1e-6)
    shown = [_windowed(crop, *_OVERALL), _windowed(crop, *_METAL), np.clip(fine, -_CLIP, _CLIP)]
    return np.stack(shown).astype(np.float32)


def beside(first: Field, second: Field) -> Field:
    """Two crops (3, rows, columns) as one image, the first on the left."""
    return np.concatenate([first, second], axis=-1)


def _windowed(crop: Field, low_percent: float, high_percent: float) -> Field:
    """The values between two percentiles from -1 to 1, with some room on both sides."""
    low, high = np.percentile(crop, (low_percent, high_percent))
    scaled = 2.0 * (crop - low) / max(float(high - low), 1e-6) - 1.0
    return np.asarray(np.clip(scaled, -_CLIP, _CLIP))


def _binned(pixels: Field, factor: int) -> Field:
    rows, columns = (n // factor for n in pixels.shape)
    blocks = pixels[: rows * factor, : columns * factor].reshape(rows, factor, columns, factor)
    return np.asarray(blocks.mean(axis=(1, 3), dtype=np.float32))
