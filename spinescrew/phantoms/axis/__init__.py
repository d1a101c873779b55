"""Synthetic axes (C2) with the true probability that a screw fits each pedicle."""

from spinescrew.phantoms.axis.case import (
    PEDICLE_LABELS,
    AxisCase,
    generator_hash,
    make_axis_case,
)
from spinescrew.phantoms.axis.steering import BORDER_MM, CUT_OFF_MM, axis_solids
from spinescrew.phantoms.axis.truth import Corridor, Hand, PedicleFeasibility, measure_side

__all__ = [
    "BORDER_MM",
    "CUT_OFF_MM",
    "PEDICLE_LABELS",
    "AxisCase",
    "Corridor",
    "Hand",
    "PedicleFeasibility",
    "axis_solids",
    "generator_hash",
    "make_axis_case",
    "measure_side",
]
