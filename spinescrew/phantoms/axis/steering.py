"""Which patient a seed is, and pedicles made about as wide as the screw needs."""

from __future__ import annotations

import numpy as np

from spinescrew.anatomy.frame import SIDES, Side
from spinescrew.phantoms.axis.morphometry import AXIS_HELD_OUT, AXIS_TRAINING, AxisPatient, Variant, draw_axis_patient
from spinescrew.phantoms.axis.solid import AxisSolids, Setting, build_axis, draw_setting
from spinescrew.phantoms.axis.truth import Hand, measure_side

BORDER = (0.2, 0.8)
"""Probabilities between which a pedicle is a border case."""

_GOALS = (0.26, 0.74)
_TRIES = 5
# Over 80 sides the probability was 1 / (1 + exp(-(margin - 0.643) / 0.106)), margin and wall of 0.5 mm included.
_HALF_BEYOND_WALL_MM, _SLOPE_MM = 0.143, 0.106
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
        chosen, goal = who.random() < border_share, float(who.uniform(*_GOALS))
        if chosen:
            patient = _steered(patient, setting, side, goal, hand or Hand(), seed)
    return build_axis(patient, setting)


def streams(seed: int, held_out: bool) -> list[np.random.Generator]:
    """Of the patient, its shape, its surroundings, the scanner, and the operator."""
    return [np.random.default_rng(stream) for stream in np.random.SeedSequence([seed, _STREAM, held_out]).spawn(5)]


def _steered(patient: AxisPatient, setting: Setting, side: Side, goal: float, hand: Hand, seed: int) -> AxisPatient:
    """The patient with a pedicle that about ``goal`` of the screws fit, deformation and artery included."""
    wanted = hand.wall_mm + _HALF_BEYOND_WALL_MM + _SLOPE_MM * float(np.log(goal / (1.0 - goal)))
    width = 2.0 * wanted + hand.diameter_mm
    patient = patient.resized(side, width=width, height=max(patient.pedicles[side].height, width + 1.0))
    for _ in range(_TRIES):
        found = measure_side(build_axis(patient, setting), side, seed, hand)
        if BORDER[0] < found.probability < BORDER[1]:
            break
        # At least a little: the margin at the line alone does not say everything of the placements around it.
        step = 2.0 * (wanted - found.corridor.margin_mm)
        least = 0.1 if found.probability < goal else -0.1
        step = max(step, least) if least > 0 else min(step, least)
        width = float(np.clip(patient.pedicles[side].width + np.clip(step, -1.5, 1.5), 1.0, 11.0))
        patient = patient.resized(side, width=width)
    return patient
