"""Which engines there are, and which of them can run here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from spinescrew.anatomy.levels import Level
from spinescrew.errors import InputError
from spinescrew.geometry.volume import Volume
from spinescrew.segmentation.engine import Engine
from spinescrew.segmentation.given import GivenLabels
from spinescrew.segmentation.monai_bundle import MonaiBundle
from spinescrew.segmentation.own import OwnEngine
from spinescrew.segmentation.total_segmentator import TotalSegmentatorEngine


@dataclass(frozen=True, eq=False)
class EngineOptions:
    """What engines may need to be told; each takes what is its own.

    Attributes
    ----------
    labels, numbering:
        Label map of the user, and its numbering.
    bundle:
        Folder of a MONAI bundle.
    fast:
        Quicker and coarser, where an engine has the choice.
    device:
        Where networks run: ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``.
    middle:
        Name of the vertebra nearest the middle of the image, where a person knows it.
    """

    labels: Volume | None = None
    numbering: str = "auto"
    bundle: Path | None = None
    fast: bool = False
    device: str = "auto"
    middle: Level | None = None


_MAKERS: tuple[Callable[[EngineOptions], Engine], ...] = (
    lambda options: OwnEngine(options.device, options.middle),
    lambda options: TotalSegmentatorEngine(fast=options.fast),
    lambda options: MonaiBundle(options.bundle),
    lambda options: GivenLabels(options.labels, options.numbering),
)


@dataclass(frozen=True)
class EngineState:
    """One line of the listing; ``reason`` is empty where the engine can run."""

    name: str
    title: str
    reason: str


def engines(options: EngineOptions | None = None) -> dict[str, Engine]:
    """All engines by name, whether they can run or not."""
    made = [make(options or EngineOptions()) for make in _MAKERS]
    return {engine.name: engine for engine in made}


def list_engines(options: EngineOptions | None = None) -> list[EngineState]:
    """All engines, each with the reason why it cannot run."""
    return [EngineState(name, engine.title, engine.unavailable()) for name, engine in engines(options).items()]


def get_engine(name: str, options: EngineOptions | None = None) -> Engine:
    """An engine by its name; raises :class:`InputError` naming those known."""
    known = engines(options)
    if name not in known:
        raise InputError(f"'{name}' is no segmentation engine; use {', '.join(known)}")
    return known[name]
