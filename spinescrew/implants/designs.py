"""How a pedicle screw is designed: what its thread, its tip and its head look like, apart from its size.

Sizes follow six clinical threads (Weidling 2022: pitch 2-4 mm, core 0.56-0.72 of the outer diameter, all cores tapered)
and what is usual in the field for heads (12-14 mm wide, 14-18 mm high, rods of 4.75-6.35 mm). No maker's screw is
copied.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from spinescrew.errors import InputError

TIPS = ("blunt", "sharp", "fluted")
TULIPS = ("round", "flats", "tapered", "waisted")
SET_SCREWS = ("none", "hex", "star", "break-off")
CROSSLINKS = ("none", "plate", "hinged", "hook")

SADDLE_MM = 0.8
"""Metal between the ball of the screw and the rod."""

_TILT_DEG = 28.0
_THINNEST_SET_SCREW_MM = 1.5


@dataclass(frozen=True)
class ScrewDesign:
    """What a system's screw looks like.

    Attributes
    ----------
    family:
        Name of the system it stands for.
    pitch_mm, leads:
        Distance from crest to crest along the shaft; threads that run beside one another (one turn advances by
        ``leads`` x ``pitch_mm``).
    core_share, core_taper_share:
        Core diameter over the nominal outer diameter below the head and near the tip; equal for a cylindrical core.
    core_cone_mm:
        The core falls from the first to the second over this length below the head; 0: over the whole shaft.
    outer_taper_share:
        Outer diameter near the tip over the nominal one; 1 for a cylindrical thread.
    crest_share, leading_flank_share, trailing_flank_share:
        Parts of the pitch along the shaft that the crest, its flank towards the tip and its flank towards the head
        take; the rest is the root.
    dual_zone_mm, dual_zone_root:
        Over this length below the head a second thread runs between the first (0: none), over a root raised by this
        share of the depth.
    tip, tip_mm:
        "blunt" (rounded), "sharp" (a cone) or "fluted" (a cone with cutting flutes); how long it is.
    cannula_mm:
        Diameter of a bore along the axis (0: none); thin screws have a narrower one, the thinnest none.
    tulip, tulip_diameter_mm, tulip_height_mm:
        Outline: "round", "flats" (flat where the rod comes out), "tapered" (narrow at the top), "waisted" (a groove
        around); largest diameter; from its lower rim to its top, tabs not counted.
    slot_mm, rod_mm, set_screw, tabs_mm:
        Width of the rod's slot; the rod's diameter; "none", "hex", "star" or "break-off"; length of the extended tabs
        of minimally invasive systems, still in place (0: none or broken off).
    ball_mm, neck_mm:
        Diameters of the ball in the tulip and of the neck where the shaft leaves it.
    crosslink:
        What joins the two rods in this system: "none", "plate", "hinged" or "hook".

    Raises
    ------
    InputError
        If a word is not one of those, or the sizes do not fit one another.
    """

    family: str = "a screw"
    pitch_mm: float = 2.8
    leads: int = 1
    core_share: float = 0.72
    core_taper_share: float = 0.60
    core_cone_mm: float = 0.0
    outer_taper_share: float = 1.0
    crest_share: float = 0.10
    leading_flank_share: float = 0.16
    trailing_flank_share: float = 0.10
    dual_zone_mm: float = 0.0
    dual_zone_root: float = 0.4
    tip: str = "sharp"
    tip_mm: float = 6.0
    cannula_mm: float = 0.0
    tulip: str = "round"
    tulip_diameter_mm: float = 13.0
    tulip_height_mm: float = 15.5
    slot_mm: float = 5.7
    rod_mm: float = 5.5
    set_screw: str = "hex"
    tabs_mm: float = 0.0
    ball_mm: float = 7.5
    neck_mm: float = 4.4
    crosslink: str = "none"

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type in ("float", "int") and not (np.isfinite(value) and value >= 0):
                raise InputError(f"{field.name} of the screw design {self.family!r} must not be negative, got {value}")
        words = {"tip": TIPS, "tulip": TULIPS, "set_screw": SET_SCREWS, "crosslink": CROSSLINKS}
        for name, allowed in words.items():
            if getattr(self, name) not in allowed:
                raise InputError(
                    f"{name} of the screw design {self.family!r} is {getattr(self, name)!r}; it must be one of "
                    + ", ".join(allowed)
                )
        for holds, meaning in self._fits():
            if not holds:
                raise InputError(f"the sizes of the screw design {self.family!r} do not fit: {meaning}")

    def _fits(self) -> list[tuple[bool, str]]:
        """What must hold, and what is wrong where it does not."""
        flanks = self.crest_share + 2 * max(self.leading_flank_share, self.trailing_flank_share)
        wall = (self.tulip_diameter_mm - 2 * self.bore_radius_mm) / 2
        return [
            (self.pitch_mm > 0 and self.leads >= 1, "a thread needs a pitch and a lead"),
            (0 < self.core_share < 1 and 0 < self.core_taper_share < 1, "a core is thinner than its thread"),
            (self.core_taper_share < self.outer_taper_share <= 1, "the thread near the tip is thinner than the core"),
            (flanks <= (0.5 if self.dual_zone_mm else 0.9), "crest and flanks leave no root; make them narrower"),
            (self.dual_zone_root < 1, "the root of the second thread lies outside the crest"),
            (0 < self.neck_mm < self.ball_mm, "the neck must be thinner than the ball"),
            (self.slot_mm >= self.rod_mm > 0, "the rod does not go into the slot"),
            (wall >= 1.0, "the tulip is too narrow for its slot; widen it"),
            (
                self.set_screw_room_mm >= _THINNEST_SET_SCREW_MM,
                "the tulip is too low for rod and set screw; heighten it",
            ),
        ]

    @property
    def pivot_mm(self) -> float:
        """How far the centre of the ball lies above the beginning of the shaft."""
        return float(np.sqrt(self.ball_mm**2 - self.neck_mm**2)) / 2

    @property
    def rod_above_pivot_mm(self) -> float:
        """How far the axis of the seated rod lies above the centre of the ball."""
        return (self.ball_mm + self.rod_mm) / 2 + SADDLE_MM

    @property
    def bore_radius_mm(self) -> float:
        """Radius of the bore between the tulip's walls, which takes the set screw."""
        return self.slot_mm / 2 + 1.35

    @property
    def opening_radius_mm(self) -> float:
        """Radius of the opening at the tulip's lower end, through which the neck leaves."""
        turn = np.arcsin(self.neck_mm / self.ball_mm) + np.radians(_TILT_DEG)
        return float(self.ball_mm / 2 * np.sin(min(turn, np.radians(75.0))))

    @property
    def rim_below_pivot_mm(self) -> float:
        """How far the tulip's lower rim lies below the centre of the ball (towards the shaft)."""
        return float(np.sqrt((self.ball_mm / 2) ** 2 - self.opening_radius_mm**2))

    @property
    def top_above_pivot_mm(self) -> float:
        """How far the tulip's top, tabs not counted, lies above the centre of the ball."""
        return self.tulip_height_mm - self.rim_below_pivot_mm

    @property
    def set_screw_room_mm(self) -> float:
        """Height from the seated rod to the tulip's top."""
        return self.top_above_pivot_mm - self.rod_above_pivot_mm - self.rod_mm / 2

    @property
    def range_deg(self) -> float:
        """How far the tulip can tilt on the shaft before it touches the neck."""
        opening, neck = (np.arcsin(r / (self.ball_mm / 2)) for r in (self.opening_radius_mm, self.neck_mm / 2))
        return float(np.degrees(opening - neck))


_THREADS = ((3.0, 0.61), (3.0, 0.64), (2.0, 0.70), (4.0, 0.64), (2.75, 0.65), (2.8, 0.69))
"""Pitch and core of the six clinical threads (Weidling 2022, table 2)."""


def draw_design(random: np.random.Generator, varied: bool = True) -> ScrewDesign:
    """A plausible design that belongs to no family.

    Parameters
    ----------
    random:
        What draws it.
    varied:
        Over the whole range of what is sold: two leads, dual zones, cannulas, extended tabs, other rods. Otherwise one
        of the six clinical threads with a plain head.
    """
    pitch, core = _THREADS[random.integers(len(_THREADS))]
    taper = random.uniform(0.02, 0.12)
    plain: dict[str, Any] = {
        "family": "drawn",
        "pitch_mm": pitch * random.uniform(0.95, 1.05),
        "core_share": core + taper,
        "core_taper_share": core - taper,
        "crest_share": random.uniform(0.06, 0.13),
        "leading_flank_share": random.uniform(0.10, 0.17),
        "trailing_flank_share": random.uniform(0.05, 0.15),
        "tip": str(random.choice(TIPS)),
        "tip_mm": random.uniform(4.0, 8.0),
        "tulip": str(random.choice(TULIPS)),
        "set_screw": str(random.choice(SET_SCREWS, p=(0.1, 0.3, 0.3, 0.3))),
        "crosslink": str(random.choice(CROSSLINKS)),
        **_drawn_head(random, 5.5),
    }
    if not varied:
        return ScrewDesign(**plain)
    rod = float(random.choice((4.75, 5.5, 6.0, 6.35), p=(0.15, 0.6, 0.15, 0.1)))
    changes: dict[str, Any] = {
        "pitch_mm": random.uniform(1.9, 4.1),
        "leads": 1 + int(random.random() < 0.35),
        "core_cone_mm": random.uniform(8, 20) if random.random() < 0.3 else 0.0,
        "outer_taper_share": random.uniform(0.82, 1.0) if random.random() < 0.4 else 1.0,
        "dual_zone_mm": random.uniform(10, 25) if random.random() < 0.2 else 0.0,
        "dual_zone_root": random.uniform(0.2, 0.6),
        "cannula_mm": random.uniform(1.4, 2.1) if random.random() < 0.2 else 0.0,
        "tabs_mm": random.uniform(40, 110) if random.random() < 0.1 else 0.0,
        **_drawn_head(random, rod),
    }
    return ScrewDesign(**{**plain, **changes})


def _drawn_head(random: np.random.Generator, rod: float) -> dict[str, float]:
    """Sizes of a tulip for a rod of this diameter, large enough to hold it."""
    ball = random.uniform(7.0, 8.0)
    lowest = max(14.0, ball + SADDLE_MM + rod + 3.0)
    slot = rod + random.uniform(0.1, 0.35)
    narrowest = max(12.0, slot + 2 * 1.35 + 3.2)
    return {
        "rod_mm": rod,
        "slot_mm": slot,
        "ball_mm": ball,
        "neck_mm": ball * random.uniform(0.54, 0.64),
        "tulip_diameter_mm": random.uniform(narrowest, 14.2),
        "tulip_height_mm": random.uniform(lowest, 18.5),
    }
