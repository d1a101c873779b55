"""Seven design families that stand in for the seven systems of Yao 2024, and some more that nobody is told of.

Nothing public gives the geometry of the real systems, so these are families and no maker's: they differ in what the
paper and the field name as telling (pitch and depth of the thread, cylindrical or conical core, leads, dual zone, tip,
outline of the tulip, set screw, crosslink or none). A, B and C agree in pitch, core and size of the tulip, and D comes
near them: measured by those alone they cannot be told apart.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from spinescrew.errors import InputError
from spinescrew.implants.designs import SET_SCREWS, TIPS, TULIPS, ScrewDesign, draw_design

_SHARE_TOLERANCE = 0.012
_PITCH_TOLERANCE = 0.015
_MM_TOLERANCE = {"tulip_diameter_mm": 0.2, "tulip_height_mm": 0.3, "tip_mm": 0.4, "dual_zone_mm": 1.0}
_OTHER_HEAD, _OTHER_THREAD, _OTHER_TIP = 0.65, 0.75, 0.3
"""How often a design near a family has another head, thread or tip."""

_HEAD = ("rod_mm", "slot_mm", "ball_mm", "neck_mm", "tulip_diameter_mm", "tulip_height_mm")

_SHARES = ("core_share", "core_taper_share", "crest_share", "leading_flank_share", "trailing_flank_share")


@dataclass(frozen=True)
class DesignFamily:
    """One system of screws.

    Attributes
    ----------
    design:
        Its typical screw; ``design.family`` is its name.
    diameters_mm, lengths_mm:
        What it is offered in: smallest, largest and step of each.
    tabs_share:
        How often its extended tabs are still in place on a radiograph (0 for open systems).
    known:
        Whether it is one of the seven; the others are for testing what is not known.
    """

    design: ScrewDesign
    diameters_mm: tuple[float, float, float] = (4.5, 8.5, 1.0)
    lengths_mm: tuple[float, float, float] = (25.0, 60.0, 5.0)
    tabs_share: float = 0.0
    known: bool = True

    @property
    def name(self) -> str:
        """Its name, never a maker's."""
        return self.design.family

    @cached_property
    def diameters(self) -> tuple[float, ...]:
        """Every diameter offered, mm."""
        return _steps(*self.diameters_mm)

    @cached_property
    def lengths(self) -> tuple[float, ...]:
        """Every length offered, mm."""
        return _steps(*self.lengths_mm)

    def size(self, diameter_mm: float, length_mm: float) -> tuple[float, float]:
        """The offered diameter and length nearest to what is wanted."""
        return min(self.diameters, key=lambda d: abs(d - diameter_mm)), min(
            self.lengths, key=lambda n: abs(n - length_mm)
        )

    def draw(self, random: np.random.Generator) -> ScrewDesign:
        """One patient's screws of this system: its design within tolerances and between its generations."""
        typical = self.design
        changes: dict[str, Any] = {"pitch_mm": typical.pitch_mm * (1 + random.uniform(-1, 1) * _PITCH_TOLERANCE)}
        for name in _SHARES:
            spread = _SHARE_TOLERANCE if name.startswith("core") else 0.1 * getattr(typical, name)
            changes[name] = getattr(typical, name) + random.uniform(-1, 1) * spread
        for name, spread in _MM_TOLERANCE.items():
            if getattr(typical, name):
                changes[name] = getattr(typical, name) + random.uniform(-1, 1) * spread
        if self.tabs_share and random.random() < self.tabs_share:
            changes["tabs_mm"] = random.uniform(50.0, 100.0)
        return replace(typical, **changes)

    def draw_size(self, random: np.random.Generator) -> tuple[float, float]:
        """A diameter and a length (mm) as lumbar screws of this system have them."""
        diameters = [d for d in self.diameters if 5.0 <= d <= 8.0]
        lengths = [n for n in self.lengths if 35.0 <= n <= 55.0]
        return float(random.choice(diameters)), float(random.choice(lengths))


def _steps(low: float, high: float, step: float) -> tuple[float, ...]:
    return tuple(float(low + step * k) for k in range(round((high - low) / step) + 1))


_SEVEN = (
    # Three that agree in pitch, mean core, depth and size of the tulip.
    DesignFamily(
        ScrewDesign(
            family="family A",
            pitch_mm=2.8,
            core_share=0.66,
            core_taper_share=0.66,
            tip="blunt",
            tip_mm=4.0,
            tulip="round",
            tulip_diameter_mm=13.0,
            tulip_height_mm=15.5,
            set_screw="break-off",
            crosslink="plate",
        ),
    ),
    DesignFamily(
        ScrewDesign(
            family="family B",
            pitch_mm=2.8,
            leads=2,
            core_share=0.76,
            core_taper_share=0.54,
            tip="fluted",
            tip_mm=6.5,
            tulip="flats",
            tulip_diameter_mm=13.1,
            tulip_height_mm=15.6,
            set_screw="star",
            crosslink="hinged",
        ),
        lengths_mm=(25.0, 60.0, 5.0),
    ),
    DesignFamily(
        ScrewDesign(
            family="family C",
            pitch_mm=2.8,
            core_share=0.70,
            core_taper_share=0.62,
            dual_zone_mm=18.0,
            dual_zone_root=0.45,
            leading_flank_share=0.14,
            tip="sharp",
            tip_mm=7.0,
            tulip="waisted",
            tulip_diameter_mm=13.0,
            tulip_height_mm=15.5,
            set_screw="hex",
            crosslink="hook",
        ),
    ),
    # Near them: a thread that is itself a cone.
    DesignFamily(
        ScrewDesign(
            family="family D",
            pitch_mm=2.75,
            core_share=0.74,
            core_taper_share=0.54,
            outer_taper_share=0.80,
            leading_flank_share=0.06,
            trailing_flank_share=0.18,
            tip="sharp",
            tip_mm=9.0,
            tulip="tapered",
            tulip_diameter_mm=13.1,
            tulip_height_mm=16.0,
            set_screw="hex",
            crosslink="plate",
        ),
        diameters_mm=(4.0, 8.5, 0.5),
    ),
    # Coarse, deep and twofold, on a thicker rod.
    DesignFamily(
        ScrewDesign(
            family="family E",
            pitch_mm=4.0,
            leads=2,
            core_share=0.64,
            core_taper_share=0.56,
            crest_share=0.06,
            leading_flank_share=0.14,
            tip="sharp",
            tulip="waisted",
            tulip_diameter_mm=13.9,
            tulip_height_mm=17.0,
            rod_mm=6.0,
            slot_mm=6.25,
            set_screw="star",
            crosslink="hook",
        ),
        diameters_mm=(5.0, 9.0, 0.5),
        lengths_mm=(30.0, 60.0, 5.0),
    ),
    # Fine and shallow, with a low boxy head.
    DesignFamily(
        ScrewDesign(
            family="family F",
            pitch_mm=2.0,
            core_share=0.74,
            core_taper_share=0.68,
            core_cone_mm=15.0,
            tip="blunt",
            tip_mm=5.0,
            tulip="flats",
            tulip_diameter_mm=12.3,
            tulip_height_mm=14.3,
            ball_mm=7.1,
            neck_mm=4.3,
            set_screw="hex",
            crosslink="hinged",
        ),
        diameters_mm=(4.5, 7.5, 0.5),
    ),
    # Minimally invasive: bored, tall, tabs, no crosslink.
    DesignFamily(
        ScrewDesign(
            family="family G",
            pitch_mm=3.2,
            leads=2,
            core_share=0.66,
            core_taper_share=0.60,
            crest_share=0.13,
            tip="fluted",
            tip_mm=5.0,
            cannula_mm=1.8,
            tulip="tapered",
            tulip_diameter_mm=12.7,
            tulip_height_mm=17.8,
            set_screw="break-off",
            crosslink="none",
        ),
        diameters_mm=(5.5, 8.5, 1.0),
        lengths_mm=(30.0, 60.0, 5.0),
        tabs_share=0.1,
    ),
)


_OTHERS = (
    DesignFamily(
        ScrewDesign(
            family="unknown family 1",
            pitch_mm=3.4,
            core_share=0.74,
            core_taper_share=0.60,
            crest_share=0.16,
            tip="blunt",
            tulip="waisted",
            tulip_diameter_mm=12.5,
            tulip_height_mm=15.0,
            set_screw="star",
            crosslink="none",
        ),
        known=False,
    ),
    DesignFamily(
        ScrewDesign(
            family="unknown family 2",
            pitch_mm=2.4,
            leads=2,
            core_share=0.70,
            core_taper_share=0.58,
            dual_zone_mm=25.0,
            dual_zone_root=0.3,
            tip="fluted",
            tulip="tapered",
            tulip_diameter_mm=13.8,
            tulip_height_mm=16.5,
            set_screw="hex",
            crosslink="hinged",
        ),
        known=False,
    ),
    DesignFamily(
        ScrewDesign(
            family="unknown family 3",
            pitch_mm=3.0,
            core_share=0.57,
            core_taper_share=0.57,
            crest_share=0.07,
            tip="fluted",
            tip_mm=8.0,
            tulip="round",
            tulip_diameter_mm=12.0,
            tulip_height_mm=14.2,
            ball_mm=7.0,
            neck_mm=4.2,
            set_screw="star",
            crosslink="plate",
        ),
        known=False,
    ),
    # As near to A, B and C as they are to one another.
    DesignFamily(
        ScrewDesign(
            family="unknown family 4",
            pitch_mm=2.8,
            core_share=0.70,
            core_taper_share=0.60,
            core_cone_mm=12.0,
            outer_taper_share=0.86,
            tip="sharp",
            tip_mm=10.0,
            tulip="round",
            tulip_diameter_mm=13.0,
            tulip_height_mm=15.5,
            set_screw="star",
            crosslink="hook",
        ),
        known=False,
    ),
    DesignFamily(
        ScrewDesign(
            family="unknown family 5",
            pitch_mm=3.6,
            leads=2,
            core_share=0.68,
            core_taper_share=0.56,
            leading_flank_share=0.05,
            trailing_flank_share=0.22,
            tip="sharp",
            cannula_mm=1.6,
            tulip="flats",
            tulip_diameter_mm=14.0,
            tulip_height_mm=18.3,
            rod_mm=6.35,
            slot_mm=6.6,
            set_screw="break-off",
            crosslink="none",
        ),
        known=False,
        tabs_share=0.1,
    ),
)

FAMILIES: dict[str, DesignFamily] = {family.name: family for family in _SEVEN}
"""The seven, by name: "family A" to "family G"."""

UNKNOWN_FAMILIES: dict[str, DesignFamily] = {family.name: family for family in _OTHERS}
"""Families that no model is trained on."""


def family(name: str) -> DesignFamily:
    """The family of this name, known or unknown.

    Raises
    ------
    InputError
        If there is none.
    """
    found = FAMILIES.get(name) or UNKNOWN_FAMILIES.get(name)
    if found is None:
        raise InputError(f"there is no design family {name!r}; choose one of " + ", ".join(FAMILIES | UNKNOWN_FAMILIES))
    return found


def draw_near(random: np.random.Generator) -> ScrewDesign:
    """A design of no family that is one of the seven in all but its head, or one or two things of its thread.

    Nothing teaches better what a family is than what it is not.
    """
    own = tuple(FAMILIES.values())[int(random.integers(len(FAMILIES)))].draw(random)
    head, thread = random.random() < _OTHER_HEAD, random.random() < _OTHER_THREAD
    changes: dict[str, Any] = {"family": "near a family"}
    if head or not thread:
        other = draw_design(random)
        changes |= {name: getattr(other, name) for name in _HEAD}
        changes["tulip"] = _another(TULIPS, own.tulip, random)
        changes["set_screw"] = _another(SET_SCREWS[1:], own.set_screw, random)
    if thread:
        for change in random.choice(len(_THREAD_CHANGES), 1 + int(random.random() < 0.4), replace=False):
            changes |= _THREAD_CHANGES[change](own, random)
    if random.random() < _OTHER_TIP:
        changes |= {"tip": _another(TIPS, own.tip, random), "tip_mm": random.uniform(4.0, 8.0)}
    return replace(own, **changes)


def _other_pitch(own: ScrewDesign, random: np.random.Generator) -> dict[str, Any]:
    share = random.uniform(0.09, 0.25)
    return {"pitch_mm": own.pitch_mm * (1 + share if random.random() < 0.5 else 1 / (1 + share))}


def _other_thread(own: ScrewDesign, random: np.random.Generator) -> dict[str, Any]:
    """Conical where it was cylindrical, and the reverse."""
    return {"outer_taper_share": random.uniform(0.80, 0.90) if own.outer_taper_share == 1 else 1.0}


def _other_core(own: ScrewDesign, random: np.random.Generator) -> dict[str, Any]:
    """Thinner or thicker, and more or less of a cone."""
    middle = (own.core_share + own.core_taper_share) / 2
    middle += random.uniform(0.05, 0.09) * (1 if middle < 0.62 else -1 if middle > 0.70 else random.choice((-1, 1)))
    half = random.uniform(0.0, 0.10)
    near_tip = min(middle - half, own.outer_taper_share - 0.12)
    return {"core_share": max(middle + half, near_tip), "core_taper_share": near_tip}


def _other_leads(own: ScrewDesign, random: np.random.Generator) -> dict[str, Any]:
    return {"leads": 3 - own.leads}


def _other_zone(own: ScrewDesign, random: np.random.Generator) -> dict[str, Any]:
    """With a second thread below the head, or without one."""
    if own.dual_zone_mm:
        return {"dual_zone_mm": 0.0}
    narrow = {name: min(getattr(own, name), 0.15) for name in ("leading_flank_share", "trailing_flank_share")}
    return {
        "dual_zone_mm": random.uniform(12.0, 25.0), "dual_zone_root": random.uniform(0.3, 0.5),
        "crest_share": min(own.crest_share, 0.12), **narrow,
    }  # fmt: skip


_THREAD_CHANGES = (_other_pitch, _other_thread, _other_core, _other_leads, _other_zone)


def _another(words: tuple[str, ...], own: str, random: np.random.Generator) -> str:
    return str(random.choice([word for word in words if word != own]))
