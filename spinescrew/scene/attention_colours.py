"""Colours of attention: one evenly perceived scale for slices, and the same over the colour of bone for surfaces."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import slicer
from numpy.typing import NDArray

from spinescrew.anatomy.levels import Level
from spinescrew.reports.c2_views import ATTENTION_MAP
from spinescrew.scene.terminology import colour

STEPS = 256
_CUT = (0.18, 0.98)
"""The scale's black end would be lost in a CT and its white end on bone."""


@lru_cache(maxsize=1)
def attention_colours() -> NDArray[np.float64]:
    """(256, 3) RGB in 0..1 for attention 0..1; lightness rises evenly, also for the colour-blind."""
    from matplotlib import colormaps

    return np.asarray(colormaps[ATTENTION_MAP](np.linspace(*_CUT, STEPS)))[:, :3]


def colours_on_bone(threshold: float, opacity: float) -> NDArray[np.float64]:
    """The scale as it shines on bone: bone below the threshold, mixed with it by ``opacity`` above."""
    bone = np.array(colour(Level.C2))
    seen = np.linspace(0.0, 1.0, STEPS) >= threshold
    return np.where(seen[:, None], (1.0 - opacity) * bone + opacity * attention_colours(), bone)


def add_colour_table(scene: Any, name: str) -> Any:
    """A colour table node of one's own, to be filled by :func:`fill`."""
    node = slicer.vtkMRMLColorTableNode()
    node.SetTypeToUser()
    node.SetNumberOfColors(STEPS)
    node.SetName(name)
    node.SetNamesFromColors()
    scene.AddNode(node)
    return node


def fill(node: Any, colours: NDArray[np.float64]) -> None:
    """Put (256, 3) RGB into a colour table node."""
    for n, (red, green, blue) in enumerate(colours):
        node.SetColor(n, float(red), float(green), float(blue), 1.0)
    node.GetLookupTable().SetTableRange(0.0, 1.0)
