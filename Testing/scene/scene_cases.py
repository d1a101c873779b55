"""A planned case that tests of scenes and panels share."""

from __future__ import annotations

from functools import cache

import numpy as np

from spinescrew.anatomy.levels import parse_levels
from spinescrew.cohort.case import plan_volumes
from spinescrew.phantoms import make_spine_phantom


@cache
def planned_case():
    """L2-L4 of a phantom, planned; never changed by a test."""
    phantom = make_spine_phantom(7, spacing=(1.2, 1.2, 1.2))
    low, high = box_of(phantom.labels, parse_levels("L1-L5"))
    labels, ct = phantom.labels.crop(low, high), phantom.ct.crop(low, high)
    return plan_volumes(labels, ct, parse_levels("L2-L4"))


def box_of(labels, levels):
    """(low, high) voxel box around these levels."""
    inside = np.isin(labels.array, [level.value for level in levels])
    used = [np.flatnonzero(inside.any(axis=tuple(a for a in range(3) if a != axis))) for axis in range(3)]
    return [u[0] - 6 for u in used], [u[-1] + 7 for u in used]
