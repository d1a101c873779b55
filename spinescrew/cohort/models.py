"""Which networks spoke, for the files that tell it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from spinescrew.networks.weights import ModelEntry


def told_models(names: Iterable[str], installed: Sequence[ModelEntry]) -> list[dict[str, str]]:
    """Name, version, checksum and provenance of each of ``names`` that is installed, from its card."""
    cards = {entry.name: entry.card for entry in installed}
    used = (cards.get(name) for name in names)
    return [
        {"name": card.name, "version": card.version, "sha256": card.sha256, "provenance": card.provenance}
        for card in used
        if card is not None
    ]
