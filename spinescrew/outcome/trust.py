"""Whether the pose of a vertebra found in radiographs can be trusted, and how far it may be off."""

from __future__ import annotations

import numpy as np

from spinescrew.anatomy.levels import Level
from spinescrew.outcome.fit import Fitted

_LEVER_MM = 20.0
"""From the middle of a vertebra to its pedicles."""

_CALIBRATED = 0.45
"""Errors found on simulated cases over those the curvature alone tells, which takes pixels of a window as one."""

LARGEST_ERROR_MM = 0.9
LEAST_CORRELATION = 0.3
LEAST_PIXELS = 150.0
FARTHEST_MM, FARTHEST_DEG = 12.0, 12.0


def expected_error_mm(fitted: Fitted, independent: float) -> float:
    """Error to be expected at the pedicles (RMS), from what is left unexplained and how sharply it rises.

    Parameters
    ----------
    independent:
        Pixels that err together: those of one window.
    """
    count = max(sum(fitted.pixels) / max(independent, 1.0), 1.0)
    covariance = np.linalg.pinv(fitted.normal) * fitted.loss / count
    scale = np.repeat([_LEVER_MM, 1.0], 3)
    return _CALIBRATED * float(np.sqrt(np.trace(covariance * np.outer(scale, scale))))


def doubts_about(level: Level, fitted: Fitted, expected_mm: float, moved_mm: float, moved_deg: float) -> list[str]:
    """Why screws should not be graded with this pose, in words; empty if they may be."""
    doubts = []
    for number, (pixels, correlation) in enumerate(zip(fitted.pixels, fitted.correlations, strict=True), start=1):
        if pixels < LEAST_PIXELS:
            doubts.append(f"too little of {level.name} is seen in image {number}")
        elif correlation < LEAST_CORRELATION:
            doubts.append(f"image {number} does not look like {level.name} there (correlation {correlation:.2f})")
    if expected_mm > LARGEST_ERROR_MM:
        doubts.append(f"the images place {level.name} to {expected_mm:.1f} mm only")
    if moved_mm > FARTHEST_MM or moved_deg > FARTHEST_DEG:
        doubts.append(
            f"{level.name} would have moved {moved_mm:.0f} mm and {moved_deg:.0f} degrees against the other vertebrae"
        )
    return doubts
