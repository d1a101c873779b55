"""Synthetic spines whose every true value is known."""

from spinescrew.phantoms.reference import reference_screws
from spinescrew.phantoms.spine import LevelTruth, PedicleTruth, SpinePhantom, make_spine_phantom

__all__ = ["LevelTruth", "PedicleTruth", "SpinePhantom", "make_spine_phantom", "reference_screws"]
