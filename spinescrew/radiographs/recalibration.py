"""A calibration that may be a little wrong: how it may move, and what that does to points seen."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spinescrew.geometry.vectors import rotation
from spinescrew.radiographs.match_table import crossing
from spinescrew.radiographs.view import View

Floats = NDArray[np.float64]

UNKNOWNS = 12
"""Turn and shift of view 2 (3 + 3), shift of the source of view 1 and of view 2 against their detectors (3 + 3)."""

TURN_DEG, SHIFT_MM, SOURCE_MM = 0.9, 1.0, 1.2
"""Standard deviations of each component, before anything was seen: about 1 degree and 2 mm in each view altogether."""

PRIOR = np.repeat([np.radians(TURN_DEG), SHIFT_MM, SOURCE_MM, SOURCE_MM], 3)


@dataclass(frozen=True)
class Refinement:
    """How far a calibration was refined.

    Attributes
    ----------
    refined:
        Whether it was; everything else is zero if not.
    turn_deg, shift_mm:
        Turn of view 2 against view 1 about the isocentre, and shift of the isocentre.
    source_mm:
        Shift of the source against its detector, of each view.
    words:
        The same in a sentence.
    """

    refined: bool
    turn_deg: float
    shift_mm: float
    source_mm: tuple[float, float]
    words: str


class Calibration:
    """The two views as unknowns; view 1 is the frame of reference and keeps its detector.

    Attributes
    ----------
    given:
        The views before.
    centre:
        (3,) RAS about which view 2 turns: where the centre rays come nearest to each other.
    """

    def __init__(self, given: tuple[View, View]) -> None:
        self.given = given
        self.centre, _, _ = crossing(given, given[0].centre_pixel, given[1].centre_pixel)

    def views(self, unknowns: Floats) -> tuple[View, View]:
        """The views for values (12,): radians and mm."""
        first, second = self.given
        turn, shift, source_1, source_2 = np.split(np.asarray(unknowns), 4)
        move = np.eye(4)
        if angle := float(np.linalg.norm(turn)):
            move[:3, :3] = rotation(turn, np.degrees(angle))
        move[:3, 3] = self.centre + shift - move[:3, :3] @ self.centre
        moved = second.moved(move)
        return replace(first, source=first.source + source_1), replace(moved, source=moved.source + source_2)

    def as_motion(self, index: int, view: View, points: Floats) -> Floats:
        """(n, 3, 12): the motion of points (n, 3) that would look the same in ``view`` as a change of each unknown."""
        motion = np.zeros((len(points), 3, UNKNOWNS))
        diagonal = np.arange(3)
        if index == 1:
            x, y, z = (points - self.centre).T
            motion[:, 0, 1], motion[:, 0, 2] = -z, y
            motion[:, 1, 0], motion[:, 1, 2] = z, -x
            motion[:, 2, 0], motion[:, 2, 1] = -y, x
            motion[:, diagonal, 3 + diagonal] = -1.0
        beyond = view.depth(points) / view.source_detector_mm - 1.0
        motion[:, diagonal, 6 + 3 * index + diagonal] = beyond[:, None]
        return motion


def told(unknowns: Floats, refined: bool) -> Refinement:
    """The values in words."""
    if not refined:
        return Refinement(False, 0.0, 0.0, (0.0, 0.0), "the calibration fits what is seen and was used as given")
    turn, shift, one, two = (float(np.linalg.norm(part)) for part in np.split(unknowns, 4))
    degrees = float(np.degrees(turn))
    words = (
        f"the calibration was refined: view 2 turned by {degrees:.1f} degrees and shifted by {shift:.1f} mm against "
        f"view 1, the sources by {one:.1f} and {two:.1f} mm against their detectors"
    )
    return Refinement(True, degrees, shift, (one, two), words)
