"""The shape of a screw, and a screw that stands somewhere in the patient."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.errors import InputError
from spinescrew.geometry.vectors import unit

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ScrewShape:
    """Sizes of a pedicle screw in mm.

    ``diameter_mm`` is the outer (major) thread diameter, ``length_mm`` the shaft below the head (tulip not
    counted). Over the last ``tip_taper_mm`` the radius falls linearly to ``tip_radius_mm``. The tulip is a cylinder
    that ends where the shaft begins.

    Raises
    ------
    InputError
        If a size is not positive, or the taper is longer than the shaft.
    """

    diameter_mm: float
    length_mm: float
    tip_taper_mm: float = 5.0
    tip_radius_mm: float = 0.5
    tulip_diameter_mm: float = 13.0
    tulip_height_mm: float = 15.0
    item: str = "custom"

    def __post_init__(self) -> None:
        for name in ("diameter_mm", "length_mm"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise InputError(f"a screw needs a positive {name}, got {value}")
        if not 0 <= self.tip_taper_mm <= self.length_mm:
            raise InputError(f"the tip taper ({self.tip_taper_mm} mm) must lie within the shaft ({self.length_mm} mm)")

    @property
    def radius_mm(self) -> float:
        """Half the outer thread diameter."""
        return self.diameter_mm / 2.0

    def radius_at(self, depth_mm: Any) -> Floats:
        """Outer radius (same shape as ``depth_mm``) at this distance from the head-shaft junction."""
        depth = np.asarray(depth_mm, dtype=np.float64)
        if self.tip_taper_mm == 0:
            return np.full_like(depth, self.radius_mm)
        into_tip = np.clip((depth - (self.length_mm - self.tip_taper_mm)) / self.tip_taper_mm, 0.0, 1.0)
        tip_radius = min(self.tip_radius_mm, self.radius_mm)
        return self.radius_mm + (tip_radius - self.radius_mm) * into_tip


@dataclass(frozen=True, eq=False)
class Screw:
    """A screw in the patient.

    Attributes
    ----------
    entry:
        (3,) RAS, where the shaft begins below the head: on the cortex for a fully seated screw.
    direction:
        (3,) unit RAS, from entry to tip.
    shape:
        Its sizes.
    """

    entry: Floats
    direction: Floats
    shape: ScrewShape
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        entry = np.array(self.entry, dtype=np.float64)
        direction = np.array(self.direction, dtype=np.float64)
        if entry.shape != (3,) or direction.shape != (3,) or not np.isfinite([entry, direction]).all():
            raise InputError("a screw needs a finite entry point and a finite direction, three numbers each")
        if np.linalg.norm(direction) < 1e-9:
            raise InputError("a screw's entry and tip coincide; move one of them")
        direction = unit(direction)
        entry.setflags(write=False)
        direction.setflags(write=False)
        object.__setattr__(self, "entry", entry)
        object.__setattr__(self, "direction", direction)

    @property
    def tip(self) -> Floats:
        """(3,) RAS end of the shaft."""
        return self.entry + self.shape.length_mm * self.direction

    @staticmethod
    def between(entry: Any, tip: Any, diameter_mm: float, **sizes: Any) -> Screw:
        """A screw from ``entry`` to ``tip`` (RAS); its length is their distance."""
        start, end = np.asarray(entry, dtype=np.float64), np.asarray(tip, dtype=np.float64)
        length = float(np.linalg.norm(end - start))
        taper = min(5.0, length)
        shape = ScrewShape(diameter_mm=diameter_mm, length_mm=length, **{"tip_taper_mm": taper, **sizes})
        return Screw(start, end - start, shape)
