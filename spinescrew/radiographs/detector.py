"""What happens to light between the patient and the picture: scatter, glare, blur, quanta, shutters, vignetting."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Map = NDArray[np.float32]
Floats = NDArray[np.float64]

_COARSE = 4.0
"""Wide Gaussians are made on a grid with so many steps in a standard deviation."""

_LEAST_SIGMA_PX = 0.2


@dataclass(frozen=True)
class Shutter:
    """The part of the picture that is exposed.

    Attributes
    ----------
    shape:
        ``"rectangle"``, ``"round"`` (of an image intensifier) or ``"iris"`` (eight leaves).
    centre, half:
        (across, down), in halves of the picture's width: 0, 0 is its middle.
    tilt_deg:
        By which it is turned.
    leaves:
        ``"lead"``: leaves in the beam, behind which some scatter is seen; ``"dense"``, ``"bare"`` or ``"grey"``: the
        picture is blanked with the value of dense things, of the open beam or of the middle.
    """

    shape: Literal["rectangle", "round", "iris"] = "round"
    centre: tuple[float, float] = (0.0, 0.0)
    half: tuple[float, float] = (1.0, 1.0)
    tilt_deg: float = 0.0
    leaves: Literal["lead", "dense", "bare", "grey"] = "lead"


def opened(shape: tuple[int, int], shutter: Shutter | None, edge_px: float = 1.5) -> Map:
    """Share 0-1 of each pixel that a shutter leaves open, with an edge so many pixels wide."""
    if shutter is None:
        return np.ones(shape, np.float32)
    rows, columns = shape
    size = np.float32(0.5 * columns)
    x = (np.arange(columns, dtype=np.float32) - np.float32((columns - 1) / 2)) / size - np.float32(shutter.centre[0])
    y = (np.arange(rows, dtype=np.float32) - np.float32((rows - 1) / 2)) / size - np.float32(shutter.centre[1])
    turn = np.radians(shutter.tilt_deg)
    c, s = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    u, v = c * x[None] + s * y[:, None], c * y[:, None] - s * x[None]
    wide, high = (np.float32(half) for half in shutter.half)
    if shutter.shape == "rectangle":
        inside = np.minimum(wide - np.abs(u), high - np.abs(v))
    elif shutter.shape == "round":
        inside = (np.float32(1.0) - np.sqrt((u / wide) ** 2 + (v / high) ** 2)) * min(wide, high)
    else:
        a, b = np.abs(u) / wide, np.abs(v) / high
        inside = (np.float32(1.0) - np.maximum(np.maximum(a, b), (a + b) * np.float32(np.sqrt(0.5)))) * min(wide, high)
    return np.clip(np.float32(0.5) + inside * np.float32(size / edge_px), 0.0, 1.0, dtype=np.float32)


def blurred(values: Map, sigma_px: float) -> Map:
    """A Gaussian blur; a wide one is made on a coarse grid. Beyond the edge the outermost value goes on."""
    if sigma_px < _LEAST_SIGMA_PX:
        return values
    factor = int(sigma_px / _COARSE)
    if factor < 2:
        return np.asarray(gaussian_filter(values, sigma_px, mode="nearest", truncate=3.0))
    rows, columns = values.shape
    padded = np.pad(values, ((0, -rows % factor), (0, -columns % factor)), mode="edge")
    blocks = padded.reshape(padded.shape[0] // factor, factor, padded.shape[1] // factor, factor)
    coarse = gaussian_filter(blocks.mean(axis=(1, 3)), sigma_px / factor, mode="nearest", truncate=3.0)
    return np.asarray(_finer(rows, factor) @ coarse @ _finer(columns, factor).T)


@lru_cache(maxsize=64)
def _finer(count: int, factor: int) -> Map:
    """(count, blocks) weights of linear interpolation between the middles of blocks."""
    blocks = -(-count // factor)
    place = np.clip((np.arange(count) + 0.5) / factor - 0.5, 0, blocks - 1)
    return np.maximum(1.0 - np.abs(place[:, None] - np.arange(blocks)[None]), 0.0).astype(np.float32)


def scattered(primary: Map, tissue: Map, sigma_px: float) -> Map:
    """Scatter with the pattern of a broad Gaussian of the primary, without a scale.

    Rays through little tissue (``tissue`` g/cm2) meet nothing that would scatter them: the open beam beside the patient
    lends its brightness to no one.
    """
    return blurred(primary * (np.float32(1.0) - np.exp(tissue * np.float32(-0.15))), sigma_px)


def lost_at_the_edge(shape: tuple[int, int], vignetting: float, heel: tuple[float, float]) -> Map:
    """Factor: falls by ``vignetting`` from the middle to the corners, and by ``heel`` across and down the picture."""
    rows, columns = shape
    y, x = np.linspace(-1, 1, rows, dtype=np.float32)[:, None], np.linspace(-1, 1, columns, dtype=np.float32)[None]
    fall = np.float32(0.5 * vignetting) * (x**2 + y**2)
    return np.maximum((1 - fall) * (1 + np.float32(heel[0]) * x + np.float32(heel[1]) * y), np.float32(0.05))


def quantum_noise(light: Map, photons: float, random: np.random.Generator) -> Map:
    """``light`` with the noise of ``photons`` in a pixel of light 1 (Gaussian: nothing here counts single ones)."""
    wave = random.standard_normal(light.shape, dtype=np.float32)
    return light + np.sqrt(light * np.float32(1.0 / photons)) * wave


def metered(shape: tuple[int, int], open_part: Map) -> tuple[slice, slice]:
    """The field that automatic exposure looks at: the middle half of what is open."""
    sides = []
    for axis, count in enumerate(shape):
        found = np.flatnonzero(open_part.max(axis=1 - axis) > 0.5)
        first, last = (int(found[0]), int(found[-1])) if found.size else (0, count - 1)
        quarter = (last - first) // 4
        sides.append(slice(first + quarter, max(last - quarter, first + quarter) + 1))
    return sides[0], sides[1]
