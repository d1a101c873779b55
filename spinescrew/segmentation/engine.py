"""What every way of turning a CT into named vertebrae has in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from spinescrew.anatomy.levels import Level, cranial_to_caudal
from spinescrew.geometry.volume import Volume
from spinescrew.progress import Progress


@dataclass(frozen=True, eq=False)
class Segmentation:
    """Named vertebrae of one CT.

    Attributes
    ----------
    labels:
        VerSe ids, int16, on the CT's own grid.
    confidence:
        By level in [0, 1], how sure it is that this vertebra carries the right name.
    check:
        By level, a sentence "please check ..." where the confidence is low, the geometry odd, or a level that was
        asked for is missing.
    engine, provenance:
        The engine's name, and in one line what made the labels (software, version, weights, what they were trained on).
    timings_s:
        Seconds by step.
    """

    labels: Volume
    confidence: Mapping[Level, float]
    check: Mapping[Level, str]
    engine: str
    provenance: str
    timings_s: Mapping[str, float] = field(default_factory=dict)

    @property
    def levels(self) -> tuple[Level, ...]:
        """The levels found, from the head down."""
        return tuple(level for level in cranial_to_caudal() if level in self.confidence)


class Engine(Protocol):
    """One way of segmenting; making one costs nothing and imports nothing heavy.

    Attributes
    ----------
    name:
        How it is asked for, such as ``"totalsegmentator"``.
    title:
        One line for people.
    """

    @property
    def name(self) -> str:
        """How it is asked for."""
        ...

    @property
    def title(self) -> str:
        """One line for people."""
        ...

    def unavailable(self) -> str:
        """Empty when it can run, else one line: why not, and what to do about it."""
        ...

    def segment(self, ct: Volume, levels: Sequence[Level] | None, progress: Progress) -> Segmentation:
        """Segment ``levels`` (all in view when ``None``); neighbours may come with them, facet grades need them.

        Raises
        ------
        InputError
            If it is unavailable or fails; one line says why and what to do.
        Cancelled
            If a cancel was asked for; nothing is left running or on disk.
        """
        ...
