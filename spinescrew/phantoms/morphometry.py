"""Sizes of the vertebrae of one spine, drawn from published morphometry.

Level means are Panjabi (1991/1992) and Zindrick (1987) type values for bodies, canals and pedicles, Okutan (2003) for
S1; disc heights and segmental angles are those of recumbent spines. One size factor is shared by a spine, each feature
varies around it; everything is clipped at 2.5 standard deviations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinescrew.anatomy.levels import Level

LEVELS = (Level.T12, Level.L1, Level.L2, Level.L3, Level.L4, Level.L5, Level.S1)

SIZE_SD = 0.07
_CLIP = 2.5


@dataclass(frozen=True)
class VertebraSizes:
    """Sizes of one vertebra in mm and degrees.

    ``width``, ``depth``, ``height`` of the body; ``canal_width``, ``canal_depth``; outer ``pedicle_width`` and
    ``pedicle_height`` at the isthmus; ``pta``, ``psa`` of the pedicle axis in the vertebra's frame (both sides alike);
    ``process`` length of the transverse process, ``spinous`` of the spinous process; ``disc`` height and
    ``segment`` angle (lordosis) to the vertebra below.
    """

    width: float
    depth: float
    height: float
    canal_width: float
    canal_depth: float
    pedicle_width: float
    pedicle_height: float
    pta: float
    psa: float
    process: float
    spinous: float
    disc: float
    segment: float


MEANS = {
    Level.T12: VertebraSizes(40.0, 32.8, 22.7, 22.2, 18.1, 7.1, 15.8, -4, -6, 13, 26, 6.0, 1.0),
    Level.L1: VertebraSizes(42.0, 34.1, 23.8, 23.7, 19.0, 8.7, 15.4, 11, -3, 20, 30, 8.0, 3.0),
    Level.L2: VertebraSizes(44.0, 34.6, 24.3, 23.8, 18.2, 8.9, 15.0, 12, -2, 24, 31, 9.0, 5.0),
    Level.L3: VertebraSizes(46.0, 35.2, 23.8, 24.3, 17.5, 10.3, 14.9, 14, -1, 27, 31, 10.0, 8.0),
    Level.L4: VertebraSizes(48.0, 35.5, 24.1, 25.4, 18.6, 12.9, 14.8, 18, -1, 25, 29, 11.0, 12.0),
    Level.L5: VertebraSizes(49.0, 34.7, 22.9, 27.1, 19.7, 18.0, 14.0, 30, -2, 22, 25, 11.0, 17.0),
    Level.S1: VertebraSizes(50.0, 34.0, 28.0, 31.0, 20.0, 22.3, 15.0, 42, 0, 0, 12, 0.0, 0.0),
}

SHARE_SD = {
    "width": 0.05,
    "depth": 0.05,
    "height": 0.05,
    "canal_width": 0.06,
    "canal_depth": 0.06,
    "pedicle_width": 0.10,
    "pedicle_height": 0.07,
    "process": 0.10,
    "spinous": 0.08,
    "disc": 0.12,
}
DEGREES_SD = {"pta": 3.0, "psa": 2.0, "segment": 2.0}


def draw_sizes(random: np.random.Generator) -> dict[Level, VertebraSizes]:
    """Sizes of every level of one spine."""
    factor = 1.0 + SIZE_SD * clipped_normal(random)
    drawn = {}
    for level, mean in MEANS.items():
        values = {}
        for name in VertebraSizes.__dataclass_fields__:
            value = float(getattr(mean, name))
            if name in SHARE_SD:
                value *= factor * (1.0 + SHARE_SD[name] * clipped_normal(random))
            else:
                value += DEGREES_SD[name] * clipped_normal(random)
            values[name] = value
        drawn[level] = VertebraSizes(**values)
    return drawn


def clipped_normal(random: np.random.Generator) -> float:
    """A standard normal number, clipped at 2.5."""
    return float(np.clip(random.normal(), -_CLIP, _CLIP))
