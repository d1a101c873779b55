"""Probabilities in words, wherever they are shown."""

from __future__ import annotations


def percent(share: float, brief: bool = False) -> str:
    """A probability (0..1) in whole percent, without the sign; nothing is certain, so 0 and 100 are never written."""
    rounded = round(100 * share)
    if rounded <= 0:
        return "<\u202f1" if brief else "under 1"
    if rounded >= 100:
        return ">\u202f99" if brief else "over 99"
    return str(rounded)


def percent_range(low: float, high: float, brief: bool = False) -> str:
    """Both ends of an interval of probabilities, without the sign; one of them where they read alike."""
    ends = percent(low, brief), percent(high, brief)
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)
