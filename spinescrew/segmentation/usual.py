"""Usual distances and sizes of vertebrae: what names and labels are held against; never a substitute for measuring.

From T9 down they were held against the real labelled spines of the tests (volumes 0.7 to 1.4 times these, distances 0.8
to 1.2 times); further up they are estimates, and nothing but naming and doubts rests on them.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from spinescrew.anatomy.levels import Level, cranial_to_caudal, position

RARE = (Level.T13, Level.L6)
"""Vertebrae that most spines do not have."""


def usual_step_mm(upper: Level, lower: Level) -> float:
    """Usual distance between the centroids of two vertebrae, added up over those between them (T13, L6 if named)."""
    named = (upper, lower)
    between = [x for x in cranial_to_caudal()[position(upper) : position(lower) + 1] if x in named or x not in RARE]
    return sum(0.5 * (_pitch_mm(a) + _pitch_mm(b)) for a, b in pairwise(between))


def usual_volume_mm3(level: Level) -> float:
    """Usual volume of a whole vertebra; NaN for the sacrum, of which labels hold very different parts."""
    if level is Level.S1:
        return float("nan")
    known = [Level.C1, Level.C3, Level.C7, Level.T5, Level.T9, Level.T12, Level.L2, Level.L4, Level.L6]
    litres = [13.0, 10.5, 14.5, 20.0, 28.0, 43.0, 56.0, 62.0, 60.0]
    return 1000.0 * float(np.interp(position(level), [position(at) for at in known], litres))


def _pitch_mm(level: Level) -> float:
    """Height of a vertebra with its disc."""
    if level.region == "thoracic":
        return 18.0 + 0.95 * (position(level) - position(Level.T1))
    return {"cervical": 17.0, "lumbar": 34.0, "sacral": 50.0}[level.region]
