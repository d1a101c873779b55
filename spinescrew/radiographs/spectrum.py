"""X-ray beams of a few energies, and what tissue and metal leave of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from spinescrew.errors import InputError
from spinescrew.radiographs.materials import SOFT_G_CM3

Map = NDArray[np.float32]
Floats = NDArray[np.float64]
Metal = Literal["titanium", "steel", "cobalt-chrome"]

METALS: tuple[Metal, ...] = get_args(Metal)
LOWEST_KV, HIGHEST_KV = 40.0, 130.0

METAL_G_CM3 = {"titanium": 4.43, "steel": 7.95, "cobalt-chrome": 8.3}
"""Ti-6Al-4V, 316L and CoCrMo."""

_KEV = np.array([20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 100.0, 150.0])
_PER_MASS = {
    "soft": (0.823, 0.379, 0.269, 0.226, 0.205, 0.192, 0.182, 0.169, 0.149),
    "bone": (4.00, 1.331, 0.666, 0.424, 0.315, 0.262, 0.223, 0.186, 0.148),
    "titanium": (15.85, 4.97, 2.21, 1.21, 0.766, 0.545, 0.405, 0.272, 0.165),
    "steel": (25.9, 8.27, 3.66, 1.98, 1.22, 0.826, 0.602, 0.374, 0.197),
    "cobalt-chrome": (27.0, 8.90, 3.98, 2.17, 1.34, 0.905, 0.657, 0.406, 0.206),
    "aluminium": (3.441, 1.128, 0.5685, 0.3681, 0.2778, 0.2310, 0.2018, 0.1704, 0.1378),
}
"""Mass attenuation in cm2/g at these energies (after the tables of NIST); alloys from their elements."""

_FILTER_G_CM2 = 2.7 * 0.55
"""Aluminium of the tube and the filters: 5.5 mm, with which the beam is that of DeepDRR's spectra within a few %."""

_PARTS = 4
_TYPICAL_G_CM2 = 16.0
"""Energies are grouped so that their groups matter alike behind so much soft tissue."""


@dataclass(frozen=True, eq=False)
class Beam:
    """Energy groups of one tube voltage.

    Attributes
    ----------
    share:
        (n,) of the detected energy without anything in the beam; their sum is 1.
    per_mass:
        Mass attenuation (n,) in cm2/g of every material.
    """

    share: Floats
    per_mass: dict[str, Floats]


@lru_cache(maxsize=128)
def beam(kilovolts: float) -> Beam:
    """The beam of a tube voltage: Kramers' spectrum behind the filter, seen by a detector that adds up energy.

    Raises
    ------
    InputError
        If no C-arm works at this voltage.
    """
    if not LOWEST_KV <= kilovolts <= HIGHEST_KV:
        raise InputError(f"a tube voltage lies between {LOWEST_KV:g} and {HIGHEST_KV:g} kV, got {kilovolts:g}")
    kev = np.arange(15.0, kilovolts, 0.5)
    fine = {name: _at(kev, values) for name, values in _PER_MASS.items()}
    energy = (kilovolts - kev) * np.exp(-fine["aluminium"] * _FILTER_G_CM2)
    energy /= energy.sum()
    behind = energy * np.exp(-fine["soft"] * _TYPICAL_G_CM2)
    part = np.minimum((np.cumsum(behind) / behind.sum() * _PARTS).astype(int), _PARTS - 1)
    groups = [part == n for n in range(_PARTS)]
    middle = [float((behind * kev)[group].sum() / behind[group].sum()) for group in groups]
    per_mass = {name: _at(np.array(middle), values) for name, values in _PER_MASS.items()}
    # The share of a group is what it must be for the group to be right behind the typical tissue.
    share = np.array([behind[group].sum() for group in groups]) * np.exp(per_mass["soft"] * _TYPICAL_G_CM2)
    soft = 1.0 - share.sum()
    # What is left never reaches the detector through a patient: soft rays, stopped by a few centimetres.
    share = np.append(share, max(soft, 0.0))
    lost = {name: _at(np.array([_lost_kev(kev, energy, groups[0])]), values) for name, values in _PER_MASS.items()}
    return Beam(share / share.sum(), {name: np.append(per_mass[name], lost[name]) for name in per_mass})


def _lost_kev(kev: Floats, energy: Floats, lowest: NDArray[np.bool_]) -> float:
    """Mean energy of the softer half of the lowest group."""
    part = energy[lowest]
    soft = np.cumsum(part) < 0.5 * part.sum()
    return float((kev[lowest] * part)[soft].sum() / part[soft].sum())


def _at(kev: Floats, values: tuple[float, ...]) -> Floats:
    return np.asarray(np.exp(np.interp(np.log(kev), np.log(_KEV), np.log(values))))


def transmission(
    soft: Any, bone: Any, metal_mm: Any = 0.0, *, kilovolts: float, metal: Metal = "titanium"
) -> NDArray[np.float32]:
    """Share 0-1 of the open beam's energy that reaches the detector straight, float32 of the common shape.

    Parameters
    ----------
    soft, bone:
        Mass per area in g/cm2.
    metal_mm:
        Length in metal.

    Raises
    ------
    InputError
        If the metal or the voltage is none.
    """
    if metal not in METALS:
        raise InputError(f"no metal '{metal}'; choose one of {', '.join(METALS)}")
    each = beam(float(kilovolts))
    soft, bone, path = (np.asarray(x, dtype=np.float32) for x in (soft, bone, metal_mm))
    heavy = path * np.float32(0.1 * METAL_G_CM3[metal])
    out = np.zeros(np.broadcast_shapes(soft.shape, bone.shape, heavy.shape), np.float32)
    for n, share in enumerate(each.share):
        depth = soft * np.float32(each.per_mass["soft"][n])
        depth = depth + bone * np.float32(each.per_mass["bone"][n])
        depth = depth + heavy * np.float32(each.per_mass[metal][n])
        out += np.float32(share) * np.exp(-depth)
    return out


def displaced(soft: Map, metal_mm: Map) -> Map:
    """Soft tissue (g/cm2) with what the metal has taken the place of removed, as far as there is any."""
    return np.maximum(soft - metal_mm * np.float32(0.1 * SOFT_G_CM3), np.float32(0.0))
