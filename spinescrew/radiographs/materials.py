"""What a CT says about tissue: mass densities, split into soft tissue and bone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SOFT_G_CM3 = 1.06
CORTEX_G_CM3 = 1.92
"""Densities of muscle and of cortical bone."""

_AT_WATER = 1.03
_BELOW = 0.001029
_ABOVE = 0.0005886
"""g/cm3 at 0 HU, and per HU below and above it (DeepDRR, Unberath 2018)."""

BONE_BEGINS_HU = 150.0
ALL_BONE_HU = 350.0
"""Between these the share that counts as bone rises smoothly, so that neither noise nor partial volume flips it."""


@njit(cache=True, inline="always", fastmath=True)
def masses_at(hu):  # type: ignore[no-untyped-def]
    """(density in g/cm3, what of it is bone) of one float32 HU."""
    density = max(min(np.float32(_BELOW) * hu, np.float32(_ABOVE) * hu) + np.float32(_AT_WATER), np.float32(0.0))
    share = (hu - np.float32(BONE_BEGINS_HU)) * np.float32(1.0 / (ALL_BONE_HU - BONE_BEGINS_HU))
    share = min(max(share, np.float32(0.0)), np.float32(1.0))
    return density, density * share * share * (np.float32(3.0) - np.float32(2.0) * share)


def densities(hu: Any) -> tuple[Floats, Floats]:
    """Soft tissue and bone (same shape as ``hu``) in g/cm3; their sum is the mass density.

    Metal in a CT is no material of its own here: it counts as very dense bone. Take screws out of a CT, or use one
    without them, and add metal as paths.

    Examples
    --------
    >>> soft, bone = densities([-1000.0, 0.0, 1000.0])
    >>> soft.round(3).tolist(), bone.round(3).tolist()
    ([0.001, 1.03, 0.0], [0.0, 0.0, 1.619])
    """
    values = np.asarray(hu, dtype=np.float64)
    whole = np.maximum(np.minimum(_BELOW * values, _ABOVE * values) + _AT_WATER, 0.0)
    share = np.clip((values - BONE_BEGINS_HU) / (ALL_BONE_HU - BONE_BEGINS_HU), 0.0, 1.0)
    bone = whole * share * share * (3.0 - 2.0 * share)
    return whole - bone, bone
