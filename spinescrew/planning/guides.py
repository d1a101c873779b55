"""Where something other than geometry saw a pedicle's channel, and whether planning may start from it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import Side, screw_angles
from spinescrew.anatomy.vertebra import Vertebra
from spinescrew.geometry.vectors import unit

Floats = NDArray[np.float64]
Leader = Literal["geometry", "network"]

MOST_SPREAD_MM = 3.5
_SHORTEST_MM = 20.0
_MOST_TURN_DEG = 20.0
_MOST_TILT_DEG = 12.0
_SHARE_OF_ISTHMUS = 0.35
_ASIDE = "the network's channel is not used: "


@dataclass(frozen=True, eq=False)
class Guide:
    """The straight-forward channel of one pedicle as a network saw it.

    Attributes
    ----------
    entry, exit:
        (3,) RAS mm: on the dorsal cortex, and where the line leaves the body.
    spread_mm:
        Standard deviation of the less sure of both.
    """

    entry: Floats
    exit: Floats
    spread_mm: float

    @property
    def direction(self) -> Floats:
        """(3,) unit vector from posterior to anterior."""
        return unit(np.asarray(self.exit, float) - np.asarray(self.entry, float))


@dataclass(frozen=True, eq=False)
class Start:
    """What the search of a screw starts from.

    Attributes
    ----------
    through:
        (3,) RAS mm: the point in the plane of the isthmus from which lines are shifted.
    pta_deg, psa_deg:
        Angles of the pedicle's channel.
    led_by:
        What they come from.
    notes:
        Why a guide was left aside, and doubts that it raises.
    """

    through: Floats
    pta_deg: float
    psa_deg: float
    led_by: Leader = "geometry"
    notes: tuple[str, ...] = ()


def starting_point(vertebra: Vertebra, side: Side, guide: Guide | None = None) -> Start:
    """The pedicle as it was measured, or as ``guide`` has it where both tell of the same pedicle.

    A guide is left aside where it is unsure, too short for a channel, passes beside the isthmus that was measured, or
    points elsewhere by more than 20 degrees in the transverse plane: then one of both is wrong, and the measured
    cortex is what a person can check. The sagittal angle is always the measured one, as the endplate is.
    """
    pedicle = vertebra.pedicles[side]
    measured = Start(pedicle.isthmus, pedicle.pta_deg, pedicle.psa_deg)
    if guide is None:
        return measured
    if reason := _doubt(guide):
        return replace(measured, notes=(_ASIDE + reason,))
    through = _crossing(guide, pedicle.isthmus, pedicle.axis)
    angles = screw_angles(guide.direction, vertebra.frame, side)
    if reason := _disagreement(through, angles.pta, vertebra, side):
        return replace(measured, notes=(_ASIDE + reason,))
    # every true channel runs parallel to the superior endplate
    tilted = abs(angles.psa) > _MOST_TILT_DEG
    notes = (f"please check the endplate: the network sees it tilted by {abs(angles.psa):.0f} degrees more",) * tilted
    return Start(through, angles.pta, pedicle.psa_deg, "network", notes)


def _doubt(guide: Guide) -> str:
    length = float(np.linalg.norm(np.asarray(guide.exit, float) - guide.entry))
    if not np.isfinite(length) or length < _SHORTEST_MM:
        return "its entry and exit lie together"
    return f"it is unsure by {guide.spread_mm:.1f} mm" if guide.spread_mm > MOST_SPREAD_MM else ""


def _crossing(guide: Guide, isthmus: Floats, axis: Floats) -> Floats:
    """Where the guide's line meets the plane of the isthmus; NaN where it runs along it."""
    slope = float(guide.direction @ axis)
    if abs(slope) < 0.3:
        return np.full(3, np.nan)
    return np.asarray(guide.entry + (isthmus - guide.entry) @ axis / slope * guide.direction)


def _disagreement(through: Floats, pta: float, vertebra: Vertebra, side: Side) -> str:
    pedicle = vertebra.pedicles[side]
    away = float(np.linalg.norm(through - pedicle.isthmus))
    if not away <= max(_SHARE_OF_ISTHMUS * max(pedicle.width_mm, pedicle.height_mm), 3.0):
        return "it does not pass through the isthmus that was measured"
    if not abs(pta - pedicle.pta_deg) <= _MOST_TURN_DEG:
        return f"its transverse angle is {abs(pta - pedicle.pta_deg):.0f} degrees from the one that was measured"
    return ""
