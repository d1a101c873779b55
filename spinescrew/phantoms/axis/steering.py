"""Which patient a seed is, and pedicles made about as wide as the screw needs."""

from __future__ import annotations

import numpy as np

from spinescrew.anatomy.frame import SIDES, Side
from spinescrew.phantoms.axis.morphometry import AXIS_HELD_OUT, AXIS_TRAINING, AxisPatient, Variant, draw_axis_patient
from spinescrew.phantoms.axis.solid import AxisSolids, Setting, build_axis, draw_setting
from spinescrew.phantoms.axis.truth import Hand, depth_field, designed_axis, diameter

BORDER_MM = 1.0
"""A pedicle is a border case if its minimum diameter lies this near the published cut-off (4.78 mm; JOSR 2023)."""

CUT_OFF_MM = 4.78

_TRIES = 4
_NEAR_MM = 0.12
_STREAM = 6001


def axis_solids(
    seed: int,
    *,
    held_out: bool = False,
    border_share: float = 0.5,
    variant: Variant | None = None,
    hand: Hand | None = None,
) -> AxisSolids:
    """The exact shapes that :func:`make_axis_case` paints for the same arguments."""
    who, shape, *_ = streams(seed, held_out)
    manner = AXIS_HELD_OUT if held_out else AXIS_TRAINING
    patient = draw_axis_patient(who, manner, variant)
    setting = draw_setting(shape, manner)
    if variant is not None:
        return build_axis(patient, setting)
    for side in SIDES:
        chosen, goal = who.random() < border_share, CUT_OFF_MM + float(who.uniform(-BORDER_MM, BORDER_MM))
        if chosen:
            patient = _steered(patient, setting, side, goal, hand or Hand())
    return build_axis(patient, setting)


def streams(seed: int, held_out: bool) -> list[np.random.Generator]:
    """Of the patient, its shape, its surroundings, the scanner, and the operator."""
    return [np.random.default_rng(stream) for stream in np.random.SeedSequence([seed, _STREAM, held_out]).spawn(5)]


def _steered(patient: AxisPatient, setting: Setting, side: Side, goal: float, hand: Hand) -> AxisPatient:
    """The patient with a pedicle whose minimum diameter is about ``goal`` mm, deformation and artery included.

    For another screw than the usual one the border lies where that one just fits.
    """
    goal = goal + hand.diameter_mm - Hand().diameter_mm
    width = goal
    patient = patient.resized(side, width=width, height=max(patient.pedicles[side].height, width + 1.0))
    for _ in range(_TRIES):
        field = depth_field(solids := build_axis(patient, setting), side)
        off = goal - diameter(field, *designed_axis(solids, side))
        if abs(off) < _NEAR_MM:
            break
        width = float(np.clip(width + np.clip(off, -1.5, 1.5), 1.0, 11.0))
        patient = patient.resized(side, width=width)
    return patient
