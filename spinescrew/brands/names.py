"""What a system may be called: a maker's name is a finding only where the models learned it from real images."""

from __future__ import annotations

from spinescrew.implants.families import FAMILIES, UNKNOWN_FAMILIES
from spinescrew.networks.card import PROVENANCE

UNKNOWN = "none of the known systems"
WITHHELD = "system {number} of your folder"
SIMULATED = "Simulated design families stand in for real systems; their names are no maker's."
LOCKED = (
    "These models learned from simulated images, too: names from your folder are withheld until you unlock them, "
    "knowing that they are no finding on a real patient."
)
UNLOCKED = "Names were unlocked knowingly: these models learned from simulated images, and no name is a finding."


def is_family(brand: str) -> bool:
    """Whether it is the name of a simulated design family, which no maker bears."""
    return brand in FAMILIES or brand in UNKNOWN_FAMILIES


def shown_name(brand: str, brands: tuple[str, ...], simulated: bool, unlocked: bool = False) -> str:
    """The name under which a system is shown.

    Parameters
    ----------
    brands:
        All that the models know.
    simulated:
        Whether any of the models learned from simulated images.
    unlocked:
        Whether the user asked for the names of the folder knowingly.
    """
    if not simulated or unlocked or is_family(brand) or brand not in brands:
        return brand
    return WITHHELD.format(number=[name for name in brands if not is_family(name)].index(brand) + 1)


def name_words(brands: tuple[str, ...], simulated: bool, unlocked: bool) -> str:
    """What has to be said of the names beside an answer; nothing where all is real."""
    if not simulated:
        return ""
    if all(is_family(brand) for brand in brands):
        return SIMULATED
    return UNLOCKED if unlocked else LOCKED


def never_saw(provenance: str) -> str:
    """Where no model saw a real radiograph, that."""
    return "The models never saw a real radiograph." if PROVENANCE in provenance else ""
