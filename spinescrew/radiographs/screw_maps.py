"""What the network says of the screws in one radiograph, pixel by pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spinescrew.errors import GeometryError
from spinescrew.radiographs.view import View

Map = NDArray[np.float32]

SIGMA_PX = 2.5
"""Width of the Gaussians at necks and tips."""


@dataclass(frozen=True, eq=False)
class ScrewMaps:
    """Maps of one view, each (rows, columns) float32.

    Attributes
    ----------
    view:
        Of the maps' own grid, which may be coarser than the image's.
    shaft, head:
        Probability that the pixel shows a shaft or a head (tulip, set screw, rod in it); a head hides a shaft.
    neck, tip:
        Heat, 1 at the points where a shaft begins below its head (``Screw.entry``) and where it ends, Gaussians of
        :data:`SIGMA_PX` pixels.
    to_tip, to_neck:
        (2, rows, columns), (columns, rows) in pixels: from a neck to its own tip, and from a tip to its own neck. They
        mean something near the peaks only.

    Raises
    ------
    GeometryError
        If a map has another size than the view.
    """

    view: View
    shaft: Map
    head: Map
    neck: Map
    tip: Map
    to_tip: Map
    to_neck: Map

    def __post_init__(self) -> None:
        for name in ("shaft", "head", "neck", "tip"):
            if getattr(self, name).shape != self.view.shape:
                raise GeometryError(f"the map '{name}' has another size than its view {self.view.shape}")
        for name in ("to_tip", "to_neck"):
            if getattr(self, name).shape != (2, *self.view.shape):
                raise GeometryError(f"the map '{name}' must be (2, rows, columns) of its view {self.view.shape}")

    @property
    def metal(self) -> Map:
        """Probability of any part of a screw."""
        return np.clip(self.shaft + self.head, 0.0, 1.0)
