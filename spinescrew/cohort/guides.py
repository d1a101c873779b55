"""What planning starts from: the landmark network's channels, where it may speak."""

from __future__ import annotations

from collections.abc import Sequence

from spinescrew.anatomy.levels import Level
from spinescrew.errors import InputError
from spinescrew.geometry.volume import Volume
from spinescrew.planning.guides import Guide
from spinescrew.planning.options import PlanningOptions
from spinescrew.planning.plan import Key
from spinescrew.progress import Progress
from spinescrew.segmentation.landmarks import Landmarks, find_landmarks, landmarks_unavailable, measured_mm

GOOD_ENOUGH_MM = 1.5
"""Mean error of entry and exit on held-out images below which the network may lead."""


def guides_for(
    labels: Volume,
    ct: Volume | None,
    levels: Sequence[Level],
    options: PlanningOptions,
    progress: Progress | None = None,
) -> tuple[dict[Key, Guide], str]:
    """Channels by pedicle as ``options.start`` wants them, and a note for people; both empty for geometry alone.

    ``"auto"`` asks the network where an engine found the labels (``metadata["found_by"]``), it is installed, and its
    card says that it is as near on held-out images as geometry is: ``GOOD_ENOUGH_MM``.

    Raises
    ------
    InputError
        If the network is asked for and cannot run.
    """
    asked = options.start == "network"
    if options.start == "geometry" or not (asked or labels.metadata.get("found_by")):
        return {}, ""
    problem = landmarks_unavailable() if ct is not None else "the landmark network needs a CT"
    if ct is None or problem:
        if asked:
            raise InputError(f"{problem}; or start from geometry")
        return {}, f"entry and exit from geometry alone: {problem}"
    if not asked and (error := measured_mm()) > GOOD_ENOUGH_MM:
        return {}, f"entry and exit from geometry alone: {_too_far(error)}"
    found = find_landmarks(ct, labels, levels, progress=progress)
    return as_guides(found), f"entry and exit: {found.provenance}"


def _too_far(error_mm: float) -> str:
    if error_mm == float("inf"):
        return "the landmark network was not measured on held-out images"
    return f"the landmark network is {error_mm:.1f} mm off on held-out images, {GOOD_ENOUGH_MM:g} mm would be enough"


def as_guides(found: Landmarks) -> dict[Key, Guide]:
    """Each channel as planning takes it; it is as unsure as the less sure of its ends."""
    return {
        key: Guide(channel.entry, channel.exit, max(channel.entry_spread_mm, channel.exit_spread_mm))
        for key, channel in found.channels.items()
    }
