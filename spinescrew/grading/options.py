"""What a user can tell the grading."""

from __future__ import annotations

from dataclasses import dataclass

from spinescrew.errors import InputError

GRADED_ZONE = (
    "Gertzbein-Robbins is graded from entry_exclusion_mm past the point where the screw's axis enters the bone of its "
    "vertebra to the plane of the pedicle-body junction. Where the axis enters no bone before that plane, the zone is "
    "projected from the pedicle's own axis. A thread line that first meets bone within one radius past the start of "
    "the zone belongs to the opening of the entry until then. A breach is measured to the wall of the pedicle that "
    "was crossed, perpendicular to that wall; bone left is looked at from entry_exclusion_mm past each opening on."
)
"""The rule of the graded zone in words, for plan files and reports."""


@dataclass(frozen=True)
class GradingOptions:
    """Rules and sampling of the grading.

    Attributes
    ----------
    angles, step_mm:
        The shaft's surface is sampled at this many angles, at stations at most ``step_mm`` apart.
    entry_exclusion_mm:
        The graded zone starts this far past the point where the axis enters bone (design.md section 4).
    inclusive:
        Gertzbein-Robbins with B <= 2, C <= 4, D <= 6 mm instead of the half-open limits.
    facet_bone_mm:
        A shaft this near to a facet joint, but not in it, lies in the facet's bone (Babu grade 1).
    view_margin_mm:
        Room that must be in the image around the graded part of the shaft.
    bridge_mm:
        Holes along the axis up to this long do not end the bone-screw channel.
    tip_region_mm:
        The last part of the shaft, which Heary's class 3 looks at.
    depth_bins, angle_bins:
        Number of bins of the contact and density figures along and around the shaft.

    Raises
    ------
    InputError
        If a figure lies outside what makes sense.
    """

    angles: int = 72
    step_mm: float = 0.5
    entry_exclusion_mm: float = 3.0
    inclusive: bool = False
    facet_bone_mm: float = 1.0
    view_margin_mm: float = 1.0
    bridge_mm: float = 2.0
    tip_region_mm: float = 5.0
    depth_bins: int = 10
    angle_bins: int = 12

    def __post_init__(self) -> None:
        limits = {
            "angles": (12, 720),
            "step_mm": (0.05, 2.0),
            "entry_exclusion_mm": (0.0, 15.0),
            "facet_bone_mm": (0.0, 5.0),
            "view_margin_mm": (0.0, 10.0),
            "bridge_mm": (0.0, 10.0),
            "tip_region_mm": (0.0, 20.0),
            "depth_bins": (1, 100),
            "angle_bins": (1, self.angles),
        }
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(f"{name} of the grading must lie between {low:g} and {high:g}, got {value}")
