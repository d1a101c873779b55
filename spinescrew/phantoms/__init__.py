"""Synthetic spines whose every true value is known."""

from spinescrew.phantoms.reference import reference_screws
from spinescrew.phantoms.spine import LevelTruth, PedicleTruth, SpinePhantom, make_spine_phantom
from spinescrew.phantoms.training_case import TrainingCase, generator_hash, make_training_case

__all__ = [
    "LevelTruth",
    "PedicleTruth",
    "SpinePhantom",
    "TrainingCase",
    "generator_hash",
    "make_spine_phantom",
    "make_training_case",
    "reference_screws",
]
