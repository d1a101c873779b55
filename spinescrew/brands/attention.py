"""Where the models looked: Grad-CAM of each on the radiograph itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, map_coordinates

from spinescrew.brands.crop import SIZE, Window
from spinescrew.brands.models import CONCAT, VIEWS, BrandModels, Crops, inputs_for

Floats = NDArray[np.float64]
Field = NDArray[np.float32]

MOST_LOOKS = 2
"""Crops of a view that attention is asked of; each costs three times an answer."""

_STEP_CROP_PX = 4
"""Attention is as fine as this many pixels of a crop; the features it is read from are coarser."""


@dataclass(frozen=True, eq=False)
class Attention:
    """What spoke for an answer in one view of one model.

    Attributes
    ----------
    field:
        float32 (rows, columns) 0..1 on a grid of ``step_px`` pixels of the image.
    step_px:
        Pixel (r, c) of the field lies at (column, row) = (c, r) * step of the image.
    shape:
        (rows, columns) of the image.
    """

    kind: str
    view: str
    field: Field
    step_px: float
    shape: tuple[int, int]

    def on_image(self) -> Field:
        """The same for every pixel of the image."""
        row, column = np.indices(self.shape, dtype=np.float32) / np.float32(self.step_px)
        return np.asarray(map_coordinates(self.field, [row, column], order=1, mode="nearest"), dtype=np.float32)

    def share_inside(self, mask: NDArray[np.bool_], margin_px: float = 0.0) -> float:
        """Share of the attention on a part (rows, columns) of the image that is grown by some pixels; NaN of none."""
        rows, columns = self.field.shape
        at = np.rint(np.indices((rows, columns)) * self.step_px).astype(int)
        inside = mask[at[0].clip(0, self.shape[0] - 1), at[1].clip(0, self.shape[1] - 1)]
        if margin_px >= self.step_px:
            inside = binary_dilation(inside, iterations=round(margin_px / self.step_px))
        total = float(self.field.sum())
        return float(self.field[inside].sum()) / total if total > 0 else float("nan")


def attentions(
    models: BrandModels,
    crops: Mapping[str, Crops],
    shapes: Mapping[str, tuple[int, int]],
    output: int,
    kinds: Sequence[str] | None = None,
) -> tuple[Attention, ...]:
    """Grad-CAM (Selvaraju 2017) of each model that answers with these views, in each of them.

    Parameters
    ----------
    shapes:
        (rows, columns) of each view's image.
    output:
        Which output is asked for: that of the answer that was given.
    kinds:
        Of the models; all that can answer when left out.
    """
    found = []
    for kind in models.kinds_for(tuple(crops)) if kinds is None else kinds:
        few = {view: _few(own) for view, own in crops.items()}
        images, screws = inputs_for(kind, few)
        maps = _grad_cam(models.nets[kind], images, output)
        for view in VIEWS:
            if view not in few or (kind in VIEWS and kind != view):
                continue
            found.append(_on_image(kind, view, maps, screws, few[view], shapes[view]))
    return tuple(found)


def _few(crops: Crops) -> Crops:
    """The first crop, the middle one and so on, as many as attention is asked of."""
    count = min(MOST_LOOKS, len(crops.windows))
    chosen = [n * len(crops.windows) // count for n in range(count)]
    return Crops(tuple(crops.windows[n] for n in chosen), crops.images[chosen])


def _grad_cam(net: Any, images: Field, output: int) -> Field:
    """(n, rows, columns) of crops, coarse, each with a maximum of 1 or all 0.

    MONAI's own keeps the graph of every call alive through its hooks (100 MB a patient), and differentiates down to
    the image; here the gradient ends at the layer that is looked at.
    """
    import torch

    own = deepcopy(net)  # others may be asking the network meanwhile
    kept: list[Any] = []

    def keep(_layer: Any, _given: Any, features: Any) -> Any:
        kept.append(features.detach().requires_grad_(True))
        return kept[-1]

    hook = own.get_submodule(own.looked_at).register_forward_hook(keep)
    try:
        with torch.enable_grad():
            asked = own(torch.from_numpy(images).to(next(own.parameters()).device))[:, output].sum()
            (slopes,) = torch.autograd.grad(asked, kept[0])
    finally:
        hook.remove()
    found = torch.relu((slopes.mean(dim=(2, 3), keepdim=True) * kept[0].detach()).sum(dim=1))
    maps: Field = found.float().cpu().numpy()
    return maps / np.maximum(maps.max(axis=(1, 2), keepdims=True), 1e-12)


def _on_image(
    kind: str,
    view: str,
    maps: Field,
    screws: Sequence[tuple[tuple[str, int], ...]],
    crops: Crops,
    shape: tuple[int, int],
) -> Attention:
    """The maps of one view's crops laid on its image; the mean where crops overlap."""
    windows = {window.screw: window for window in crops.windows}
    step = max(crops.windows[0].side_px / SIZE * _STEP_CROP_PX, 1.0)
    size = tuple(int(np.ceil(count / step)) for count in shape)
    total, weight = np.zeros(size, np.float32), np.zeros(size, np.float32)
    for field, shown in zip(maps, screws, strict=True):
        for own, screw in shown:
            if own == view:
                part = _half(field, view) if kind == CONCAT else field
                _lay(part, windows[screw], step, total, weight)
    return Attention(kind, view, (total / np.maximum(weight, 1.0)).astype(np.float32), step, shape)


def _half(field: Field, view: str) -> Field:
    """The part of a map of two crops beside one another that shows one view."""
    middle = field.shape[1] // 2
    return field[:, :middle] if view == VIEWS[0] else field[:, middle:]


def _lay(field: Field, window: Window, step: float, total: Field, weight: Field) -> None:
    edge = SIZE - 1
    corners = window.to_image(np.array([(0, 0), (edge, 0), (0, edge), (edge, edge)])) / step
    low = np.clip(np.floor(corners.min(axis=0)).astype(int), 0, np.array(total.shape[::-1]))
    high = np.clip(np.ceil(corners.max(axis=0)).astype(int) + 1, 0, np.array(total.shape[::-1]))
    if (high <= low).any():
        return
    column, row = np.meshgrid(np.arange(low[0], high[0]), np.arange(low[1], high[1]))
    at = window.to_crop(np.stack([column, row], axis=-1) * step)
    inside = ((at >= -0.5) & (at <= SIZE - 0.5)).all(axis=-1)
    coarse = SIZE / field.shape[0]
    place = (at + 0.5) / coarse - 0.5
    found = map_coordinates(field, [place[..., 1], place[..., 0]], order=1, mode="nearest")
    part = (slice(low[1], high[1]), slice(low[0], high[0]))
    total[part] += np.where(inside, found, 0.0).astype(np.float32)
    weight[part] += inside
