"""The picture of a system that stands beside an answer: how its screw looks from the side and from above."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from spinescrew.brands.models import ENSEMBLE
from spinescrew.errors import InputError
from spinescrew.implants.design_mesh import head_mesh, set_screw_mesh, shaft_mesh
from spinescrew.implants.designs import ScrewDesign
from spinescrew.implants.families import family
from spinescrew.radiographs.metal import metal_path
from spinescrew.radiographs.view import View

Field = NDArray[np.float32]

FOLDER = "references"
_SIZE_MM = (6.5, 45.0)
_PIXEL_MM, _FAR_MM = 0.15, 100_000.0
_AROUND_MM = 3.0
_BLUR_PX = 1.2
_DARKEST = 9.0


def reference_picture(brand: str) -> Field | None:
    """float32 (rows, columns) 0..1, metal bright: of a design family drawn, of one's own system a crop; or none."""
    own = _own_picture(brand)
    if own is not None:
        return own
    try:
        design = family(brand).design
    except InputError:
        return None
    return design_picture(design)


def design_picture(design: ScrewDesign) -> Field:
    """A screw of a design as X-rays show it: from the side on the left, the head from above on the right."""
    side, above = _seen(design, (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)), _seen(design, (0.0, 0.0, 1.0), (0.0, 1.0, 0.0))
    rows = max(side.shape[0], above.shape[0])
    parts = [np.pad(part, ((0, rows - part.shape[0]), (0, 0))) for part in (side, above)]
    metal = gaussian_filter(np.concatenate(parts, axis=1), _BLUR_PX)
    return np.asarray(1.0 - np.exp(-metal / (0.4 * _DARKEST)), dtype=np.float32)


def reference_file(brand: str, folder: Path) -> Path:
    """Where the crop of a user's own system is kept in a folder of models."""
    safe = "".join(letter if letter.isalnum() else "_" for letter in brand)
    return folder / ENSEMBLE / FOLDER / f"{safe}.png"


def _seen(design: ScrewDesign, beam: tuple[float, float, float], down: tuple[float, float, float]) -> Field:
    """Metal in mm along parallel rays; shaft downwards."""
    shaft, length = shaft_mesh(design, *_SIZE_MM), _SIZE_MM[1]
    parts = [(shaft[0] + (0.0, 0.0, design.pivot_mm), shaft[1]), head_mesh(design, _SIZE_MM[0])]
    if design.set_screw != "none":
        parts.append(set_screw_mesh(design))
    points = np.concatenate([part[0] for part in parts])
    way, drop = np.asarray(beam), np.asarray(down)
    right = np.cross(drop, way)
    low = np.array([(points @ right).min(), (points @ drop).min()]) - _AROUND_MM
    high = np.array([(points @ right).max(), (points @ drop).max()]) + _AROUND_MM
    columns, rows = np.ceil((high - low) / _PIXEL_MM).astype(int)
    corner = low[0] * right + low[1] * drop + (length + 50.0) * way
    middle = (low + high) / 2
    source = middle[0] * right + middle[1] * drop - _FAR_MM * way
    view = View(source, corner, right, drop, np.full(2, _PIXEL_MM), (int(rows), int(columns)))
    return np.asarray(sum(metal_path(view, *part) for part in parts), dtype=np.float32)


def _own_picture(brand: str) -> Field | None:
    from spinescrew.networks.weights import list_models

    for entry in list_models():
        if entry.name == ENSEMBLE:
            path = reference_file(brand, entry.folder.parent)
            if path.is_file():
                from PIL import Image

                return np.asarray(Image.open(path).convert("L"), dtype=np.float32) / np.float32(255.0)
    return None
