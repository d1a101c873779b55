"""Reference screws of a phantom, from its analytic pedicle axes alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import Side, direction_from_angles
from spinescrew.anatomy.levels import Level
from spinescrew.geometry.vectors import orthogonal_pair, unit
from spinescrew.implants.catalog import Catalog, load_catalog
from spinescrew.implants.screw import Screw
from spinescrew.phantoms.spine import LevelTruth, PedicleTruth

Floats = NDArray[np.float64]

_STEP_MM = 0.1
_BRIDGE_MM = 3.0
_SHARE = 0.80
_MARGIN_MM = 0.5


class KnownSpine(Protocol):
    """Exact shapes, and the truth of the levels that are asked about."""

    @property
    def truth(self) -> Mapping[Level, LevelTruth]:
        """By level."""
        ...

    def distance(self, level: Level, points: Any) -> Floats:
        """The implicit function (n,) of one vertebra at RAS points (n, 3)."""
        ...


def reference_screws(
    phantom: KnownSpine,
    trajectory: str = "straight-forward",
    catalog: Catalog | None = None,
    noise_deg: float = 0.0,
    seed: int = 0,
) -> dict[tuple[Level, Side], Screw]:
    """The screw of every pedicle by the rules of design.md section 4, on the exact shapes.

    The line runs through the centre of the isthmus: along the pedicle axis (``"anatomic"``), or with its transverse
    angle and parallel to the superior endplate (``"straight-forward"``). Length is the longest of the catalogue within
    80 % of the channel, the diameter the largest within 80 % of the isthmus, its margins and the level's usual maximum.

    Parameters
    ----------
    noise_deg:
        Standard deviation of an operator's tilt about the isthmus, in each of two directions.

    Returns
    -------
    Screws by (level, side); a pedicle for which the catalogue has nothing is left out.
    """
    catalog = catalog or load_catalog()
    random = np.random.default_rng(seed)
    found: dict[tuple[Level, Side], Screw] = {}
    for level, truth in phantom.truth.items():
        for side, pedicle in truth.pedicles.items():
            psa = pedicle.psa_deg if trajectory == "anatomic" else 0.0
            direction = direction_from_angles(pedicle.pta_deg, psa, truth.frame, side)
            if noise_deg:
                u, v = orthogonal_pair(direction, truth.frame.right)
                tilt = np.tan(np.radians(noise_deg)) * random.normal(size=2)
                direction = unit(direction + tilt[0] * u + tilt[1] * v)
            screw = _screw(phantom, level, pedicle, direction, catalog)
            if screw is not None:
                found[level, side] = screw
    return found


def _screw(
    phantom: KnownSpine, level: Level, pedicle: PedicleTruth, direction: Floats, catalog: Catalog
) -> Screw | None:
    back = _leave(phantom, level, pedicle.isthmus, -direction, 45.0, 0.0)
    ahead = _leave(phantom, level, pedicle.isthmus, direction, 75.0, _BRIDGE_MM)
    narrow = min(pedicle.width_mm, pedicle.height_mm)
    most = min(_SHARE * narrow, narrow - 2 * _MARGIN_MM, catalog.max_diameter(level))
    diameters = [d for d in catalog.diameters(level) if d <= most + 1e-6]
    if not diameters:
        return None
    lengths = [length for length in catalog.lengths(level, diameters[-1]) if length <= _SHARE * (back + ahead) + 1e-6]
    if not lengths:
        return None
    return Screw(pedicle.isthmus - back * direction, direction, catalog.shape(level, diameters[-1], lengths[-1]))


def _leave(phantom: KnownSpine, level: Level, start: Floats, direction: Floats, reach: float, bridge: float) -> float:
    """Distance at which a line from inside leaves the exact shape for more than ``bridge`` mm."""
    t = np.arange(0.0, reach, _STEP_MM)
    inside = phantom.distance(level, start + t[:, None] * direction) <= 0
    last = 0.0
    for value, held in zip(t, inside, strict=True):
        if held:
            last = float(value)
        elif value - last > max(bridge, _STEP_MM):
            break
    return last + _STEP_MM / 2
