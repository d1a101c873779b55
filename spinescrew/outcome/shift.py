"""How far two screws differ at one place, in the directions of their vertebra."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from spinescrew.anatomy.frame import Side, VertebralFrame, side_sign


@dataclass(frozen=True)
class Shift:
    """A displacement in mm.

    Attributes
    ----------
    distance_mm:
        Its length.
    medial_mm:
        Positive towards the midline, negative lateral, on both sides.
    cranial_mm:
        Positive towards the head along the vertebra's ``superior``, negative caudal.
    deeper_mm:
        Positive towards the vertebra's ``anterior``, negative where less deep.
    """

    distance_mm: float
    medial_mm: float
    cranial_mm: float
    deeper_mm: float

    @staticmethod
    def between(planned: Any, placed: Any, frame: VertebralFrame, side: Side) -> Shift:
        """From a planned to a placed point, both (3,) RAS mm."""
        way = np.asarray(placed, dtype=np.float64) - np.asarray(planned, dtype=np.float64)
        right, anterior, superior = way @ frame.axes
        medial = -side_sign(side) * right
        return Shift(float(np.linalg.norm(way)), float(medial), float(superior), float(anterior))
