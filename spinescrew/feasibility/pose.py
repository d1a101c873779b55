"""Where a C2 pedicle lies: the three points by which it is found, and the box along it that networks look into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import SIDES, Side, side_sign
from spinescrew.feasibility.scheme import AHEAD_MM, BEHIND_MM, PEDICLE_LOW_MM, PEDICLE_MM, PEDICLE_SHAPE
from spinescrew.geometry.vectors import unit
from spinescrew.segmentation.box import Box

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PediclePose:
    """A pedicle's isthmus (3,) RAS mm and its directions.

    Attributes
    ----------
    outwards, forwards, upwards:
        Unit vectors (3,): across the pedicle away from the midline, along it from posterior to anterior, and across
        it upwards. On the left they form a left-handed triple, so that both sides look alike in them.
    """

    side: Side
    isthmus: Floats
    outwards: Floats
    forwards: Floats
    upwards: Floats

    def box(self, mm: float = PEDICLE_MM) -> Box:
        """The grid along the pedicle: i outwards, j forwards, k upwards."""
        shape = np.round(np.array(PEDICLE_SHAPE) * PEDICLE_MM / mm).astype(int)
        turned = np.column_stack([self.outwards, self.forwards, self.upwards])
        affine = np.eye(4)
        affine[:3, :3] = turned * mm
        affine[:3, 3] = self.isthmus + turned @ np.array(PEDICLE_LOW_MM)
        return Box((int(shape[0]), int(shape[1]), int(shape[2])), affine)

    def moved(self, turn: Floats, shift: Floats) -> PediclePose:
        """Turned by a rotation (3, 3) and shifted by (3,) mm, both in its own directions."""
        own = np.column_stack([self.outwards, self.forwards, self.upwards])
        turned = own @ turn
        return PediclePose(self.side, self.isthmus + own @ shift, turned[:, 0], turned[:, 1], turned[:, 2])


def poses_of(points: dict[Side, Any]) -> dict[Side, PediclePose]:
    """Poses from both sides' points (3, 3): 9 mm behind the isthmus, the isthmus, 10 mm ahead of it, RAS mm.

    Upwards is at right angles to the pedicle and to the line that joins the isthmuses.
    """
    left, right = (np.asarray(points[side], dtype=float) for side in SIDES)
    across = unit(right[1] - left[1])
    poses: dict[Side, PediclePose] = {}
    for side, (behind, isthmus, ahead) in zip(SIDES, (left, right), strict=True):
        forwards = unit(ahead - behind)
        # The three of them tell where the isthmus is along the line better than it tells itself.
        middle = (behind + isthmus + ahead) / 3.0 + (BEHIND_MM - AHEAD_MM) / 3.0 * forwards
        upwards = unit(np.cross(across, forwards))
        outwards = side_sign(side) * np.cross(forwards, upwards)
        poses[side] = PediclePose(side, middle, outwards, forwards, upwards)
    return poses
