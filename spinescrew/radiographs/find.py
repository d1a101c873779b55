"""Screws found in one radiograph by the network."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from spinescrew.errors import InputError
from spinescrew.progress import Progress
from spinescrew.radiographs.radiograph import Radiograph
from spinescrew.radiographs.screw_maps import ScrewMaps
from spinescrew.radiographs.view import View

Field = NDArray[np.float32]

MODEL = "screw-pixels"
WORK_MM = 0.6
"""Step between pixels at the detector at which the network sees a C-arm's image."""

_LOW, _HIGH = 2.0, 98.0
_CLIP = 2.5
_TILE, _OVERLAP = 768, 160


def find_screws(
    radiograph: Radiograph, view: View, *, device: str = "auto", progress: Progress | None = None
) -> ScrewMaps:
    """What the shipped network says of every pixel of a radiograph.

    Parameters
    ----------
    view:
        Where the image was taken; its shape is the image's.

    Raises
    ------
    InputError
        If the view is of another size than the image, or the network is not installed.
    """
    from spinescrew.networks.weights import load_model

    if radiograph.shape != view.shape:
        raise InputError(
            f"the geometry is of an image of {view.shape[0]} x {view.shape[1]} pixels, this one has "
            f"{radiograph.shape[0]} x {radiograph.shape[1]}; give the geometry of this image"
        )
    progress = progress or Progress()
    model, _ = load_model(MODEL, device)
    progress.update(0.1, "network loaded")
    pixels, coarse = resampled(radiograph.dense_bright(), view, WORK_MM)
    return maps_of(model, pixels, coarse, progress.part(0.1, 1.0))


def maps_of(model: Any, pixels: Field, view: View, progress: Progress | None = None) -> ScrewMaps:
    """The maps of a network for an image (rows, columns), bone bright, on the grid of ``view``."""
    progress = progress or Progress()
    found = _tiled(model, screw_input(pixels), progress)
    from spinescrew.networks.screw_net import HEAD, NECK, OFFSET_PX, SHAFT, TIP, TO_NECK, TO_TIP

    shares = _softmax(found[:3])
    return ScrewMaps(
        view,
        shares[SHAFT],
        shares[HEAD],
        _sigmoid(found[NECK]),
        _sigmoid(found[TIP]),
        found[TO_TIP] * np.float32(OFFSET_PX),
        found[TO_NECK] * np.float32(OFFSET_PX),
    )


def screw_input(pixels: Field) -> Field:
    """Pixels as the network wants them: the middle 96 % of grey values from -1 to 1, bone and metal bright."""
    low, high = np.percentile(pixels, (_LOW, _HIGH))
    span = max(float(high - low), 1e-6)
    scaled = np.clip(2.0 * (pixels - low) / span - 1.0, -_CLIP, _CLIP)
    return np.asarray(scaled, dtype=np.float32)


def resampled(pixels: Field, view: View, step_mm: float) -> tuple[Field, View]:
    """An image and its view with pixels of ``step_mm`` at the detector: averaged where they grow, then interpolated."""
    factor = max(1, int(np.floor(step_mm / view.pixel_mm.max() + 1e-6)))
    if factor > 1:
        rows, columns = (n // factor * factor for n in view.shape)
        blocks = pixels[:rows, :columns].reshape(rows // factor, factor, columns // factor, factor)
        pixels, view = blocks.mean(axis=(1, 3), dtype=np.float32), view.binned(factor)
    across, along = step_mm / view.pixel_mm
    if abs(across - 1) < 1e-6 and abs(along - 1) < 1e-6:
        return pixels, view
    rows, columns = max(1, int(view.shape[0] / along)), max(1, int(view.shape[1] / across))
    at_row, at_column = (np.arange(rows) + 0.5) * along - 0.5, (np.arange(columns) + 0.5) * across - 0.5
    grid = np.meshgrid(at_row, at_column, indexing="ij")
    image = map_coordinates(pixels, grid, order=1, mode="nearest").astype(np.float32)
    corner = view.on_detector((at_column[0], at_row[0]))
    return image, View(view.source, corner, view.right, view.down, np.full(2, step_mm), (rows, columns))


def _tiled(model: Any, image: Field, progress: Progress) -> Field:
    """The network's outputs (9, rows, columns); large images in overlapping tiles, whose seams are blended."""
    rows, columns = image.shape
    if max(rows, columns) <= _TILE:
        return _run(model, image)
    total, weights = None, np.zeros(image.shape, np.float32)
    places = [(r, c) for r in _starts(rows) for c in _starts(columns)]
    for number, (r, c) in enumerate(places):
        progress.update(number / len(places), "screws sought")
        part = _run(model, image[r : r + _TILE, c : c + _TILE])
        ramp = np.minimum.outer(_ramp(part.shape[1]), _ramp(part.shape[2]))
        if total is None:
            total = np.zeros((part.shape[0], rows, columns), np.float32)
        total[:, r : r + _TILE, c : c + _TILE] += part * ramp
        weights[r : r + _TILE, c : c + _TILE] += ramp
    assert total is not None
    return np.asarray(total / weights, dtype=np.float32)


def _run(model: Any, image: Field) -> Field:
    import torch

    from spinescrew.networks.device import mixed_precision

    device = next(model.parameters()).device
    precision = mixed_precision(device)
    given = torch.from_numpy(np.ascontiguousarray(image))[None, None].to(device)
    with torch.inference_mode(), torch.autocast(device.type, dtype=precision, enabled=precision is not None):
        found: Field = model(given)[0].float().cpu().numpy()
    return found


def _starts(length: int) -> list[int]:
    if length <= _TILE:
        return [0]
    count = int(np.ceil((length - _OVERLAP) / (_TILE - _OVERLAP)))
    return [round(n * (length - _TILE) / (count - 1)) for n in range(count)]


def _ramp(length: int) -> Field:
    """Weights that fall towards both ends of a tile, never to nothing."""
    away = np.minimum(np.arange(length), np.arange(length)[::-1]) + 1.0
    return np.asarray(np.minimum(away / (_OVERLAP / 2), 1.0), dtype=np.float32)


def _softmax(logits: Field) -> Field:
    powers = np.exp(logits - logits.max(axis=0))
    return np.asarray(powers / powers.sum(axis=0), dtype=np.float32)


def _sigmoid(logits: Field) -> Field:
    return np.asarray(1.0 / (1.0 + np.exp(-logits)), dtype=np.float32)
