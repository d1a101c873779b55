"""What the networks for C2 are given and what they return; training and use agree on it here."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FIND, BONE, PEDICLE = "axis-find", "axis-bone", "axis-pedicle"
"""Names of the models: where C2 is, which voxels are C2 and where its pedicles lie, whether a pedicle takes a screw."""

JOIN = "axis-join"
"""Name of what joins the last one's probability with the measures."""

MODELS = (FIND, BONE, PEDICLE, JOIN)
"""Everything that an answer needs."""

FIND_MM, FIND_SHAPE = 2.5, (48, 48, 56)
BONE_MM, BONE_SHAPE = 1.0, (72, 80, 64)
OTHER, AXIS = 1, 2
CLASSES = 3
"""Background, other vertebrae, C2."""

BEHIND_MM, AHEAD_MM = 9.0, 10.0
POINTS = tuple((side, place) for side in ("left", "right") for place in ("behind", "isthmus", "ahead"))
"""Heat map n of the bone network, after its classes, shows point n of these."""

PEDICLE_MM, PEDICLE_SHAPE = 0.5, (48, 80, 56)
PEDICLE_LOW_MM = (-12.0, -25.0, -14.0)
"""The first voxel of a pedicle's box: outwards, forwards and upwards of its isthmus."""

DEEPEST_MM, FARTHEST_MM = 6.0, -3.0
"""Depths below the cortex that the pedicle network tells apart."""

DEPTH, PART = 0, 1
"""Channels of the pedicle network's maps: depth below the cortex in mm, and the logit of belonging to the pedicle."""

WIDTH, MARGIN = 0, 1
"""What it measures beside the probability: minimum diameter, and wall left along the best corridor; mm."""

_CENTRE_HU, _SCALE_HU = 300.0, 700.0
_LOWEST, _HIGHEST = -1.0, 2.5


def bone_input(hu: NDArray[np.float32]) -> NDArray[np.float32]:
    """HU as the pedicle network is given them: cortex is kept apart from what is denser still.

    Walls of a millimetre are dimmer the thinner they are; a window that ends at 900 HU would hide by how much.
    """
    scaled = (hu.astype(np.float32) - _CENTRE_HU) / _SCALE_HU
    return np.nan_to_num(np.clip(scaled, _LOWEST, _HIGHEST), nan=_LOWEST)
