"""How far two screws differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinescrew.anatomy.frame import Side, VertebralFrame, screw_angles
from spinescrew.geometry.vectors import angle_deg, orthogonal_pair
from spinescrew.implants.screw import Screw


@dataclass(frozen=True)
class ScrewDifference:
    """Differences of one screw from its reference: angles in degrees, lengths in mm, Dice in [0, 1].

    ``entry_mm`` and ``tip_mm`` are 3D distances, as in Scherer (2022), with the entry on the cortex as head point.
    """

    pta_deg: float
    psa_deg: float
    axis_deg: float
    entry_mm: float
    tip_mm: float
    length_mm: float
    diameter_mm: float
    dice: float


def compare(screw: Screw, reference: Screw, frame: VertebralFrame, side: Side) -> ScrewDifference:
    """Signed differences (screw less reference) of the sizes and angles, distances of the ends, Dice of the shafts."""
    mine = screw_angles(screw.direction, frame, side)
    theirs = screw_angles(reference.direction, frame, side)
    return ScrewDifference(
        pta_deg=mine.pta - theirs.pta,
        psa_deg=mine.psa - theirs.psa,
        axis_deg=angle_deg(screw.direction, reference.direction),
        entry_mm=float(np.linalg.norm(screw.entry - reference.entry)),
        tip_mm=float(np.linalg.norm(screw.tip - reference.tip)),
        length_mm=screw.shape.length_mm - reference.shape.length_mm,
        diameter_mm=screw.shape.diameter_mm - reference.shape.diameter_mm,
        dice=screw_dice(screw, reference),
    )


def screw_dice(first: Screw, second: Screw, step_mm: float = 0.25) -> float:
    """Dice of two shafts as solid cylinders.

    The overlap is summed over equal-area points of the first shaft's sections every ``step_mm``: unlike voxels of
    1 mm this is exact to about 0.01.
    """
    u, v = orthogonal_pair(first.direction, (1.0, 0.0, 0.0))
    radius, length = first.shape.radius_mm, first.shape.length_mm
    rings = 24
    r = radius * np.sqrt((np.arange(rings) + 0.5) / rings)
    angle = np.arange(48) * (2 * np.pi / 48)
    disc = (r[:, None, None] * (np.cos(angle)[:, None] * u + np.sin(angle)[:, None] * v)).reshape(-1, 3)
    steps = max(round(length / step_mm), 1)
    along = (np.arange(steps) + 0.5) * length / steps
    points = first.entry + along[:, None, None] * first.direction + disc
    arm = points - second.entry
    depth = arm @ second.direction
    sideways = np.linalg.norm(arm - depth[..., None] * second.direction, axis=-1)
    inside = (depth >= 0) & (depth <= second.shape.length_mm) & (sideways <= second.shape.radius_mm)
    volume = np.pi * radius**2 * length
    other = np.pi * second.shape.radius_mm**2 * second.shape.length_mm
    return float(2 * inside.mean() * volume / (volume + other))
