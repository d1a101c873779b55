"""How much a scene shows, where drawing is dear or a window tells things elsewhere."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Look:
    """What views show of a plan.

    Attributes
    ----------
    brief:
        A short label beside the screw in hand too.
    light:
        Screws with a quarter of their triangles, and an axis line only in the one in hand: without a graphics card the
        rest is slow to draw, and hardly seen.
    """

    brief: bool = False
    light: bool = False


PLAIN = Look()
"""Everything, as in Slicer."""
