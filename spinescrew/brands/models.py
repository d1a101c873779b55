"""The four models of systems, asked about the crops of one patient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.brands.crop import Window, beside, channels, cut
from spinescrew.errors import InputError

Floats = NDArray[np.float64]
Field = NDArray[np.float32]

AP, LAT = VIEWS = ("ap", "lat")
CONCAT, MERGE = "concat", "merge"
KINDS = (AP, LAT, CONCAT, MERGE)
"""One model for views from the front, one for views from the side, one for both beside one another, one for either."""

KIND_WORDS = {AP: "AP", LAT: "Lat", CONCAT: "Concat", MERGE: "Merge"}
ENSEMBLE = "brand-ensemble"
_LEAST = 1e-30
NO_MODEL = "no model that knows systems is installed; train one with `spinescrew train brand`"
MOST_WINDOWS = 4
"""Screws of a view that are judged at most: more take time and say little that is new."""


def model_name(kind: str) -> str:
    """Of the installed model of a kind: ``"brand-ap"``."""
    return f"brand-{kind}"


@dataclass(frozen=True, eq=False)
class BrandModels:
    """The installed models, with their cards.

    Attributes
    ----------
    nets:
        By kind; some may be missing.
    ensemble:
        What joins them; ``None`` where there is none.
    """

    nets: Mapping[str, Any]
    cards: Mapping[str, Any]
    ensemble: Any = None

    @property
    def brands(self) -> tuple[str, ...]:
        """The systems they know, in the order of their outputs."""
        return tuple(self._first.brands)

    @property
    def outputs(self) -> tuple[str, ...]:
        """What each of their outputs means."""
        return tuple(self._first.outputs)

    @property
    def simulated(self) -> bool:
        """Whether any of them was trained on simulated images."""
        return any(card.generator_hash for card in self.cards.values())

    @property
    def provenance(self) -> str:
        """What the cards say of where they come from."""
        return "; ".join(dict.fromkeys(card.provenance for card in self.cards.values()))

    @property
    def known(self) -> int:
        """How many of the outputs are systems."""
        return len(self.brands)

    @property
    def _first(self) -> Any:
        return next(iter(self.nets.values()))

    def kinds_for(self, views: Sequence[str]) -> tuple[str, ...]:
        """Which of them can answer with these views."""
        both = set(views) == set(VIEWS)
        return tuple(kind for kind in KINDS if kind in self.nets and (kind in views or kind == MERGE or both))


@dataclass(frozen=True, eq=False)
class Crops:
    """Crops of one view: windows of the image, and float32 (n, 3, rows, columns) as the networks see them."""

    windows: tuple[Window, ...]
    images: Field


@dataclass(frozen=True, eq=False)
class Answer:
    """What one model says.

    Attributes
    ----------
    probabilities:
        (outputs,), calibrated, of all crops together.
    single:
        (n, outputs) of each crop, or pair of crops.
    screws:
        (view, number of the screw) of each crop; both views' for a pair.
    """

    kind: str
    probabilities: Floats
    single: Floats
    screws: tuple[tuple[tuple[str, int], ...], ...]


def load_models(device: str = "auto") -> BrandModels:
    """All installed models of systems.

    Raises
    ------
    InputError
        If none is installed, or they know different systems.
    """
    from spinescrew.networks.weights import list_models, load_model

    known = {entry.name for entry in list_models() if not entry.unavailable}
    found: dict[str, Any] = {kind: load_model(model_name(kind), device) for kind in KINDS if model_name(kind) in known}
    if not found:
        raise InputError(why_none())
    nets, cards = {kind: net for kind, (net, _) in found.items()}, {kind: card for kind, (_, card) in found.items()}
    ensemble: Any = load_model(ENSEMBLE, "cpu")[0] if ENSEMBLE in known else None
    systems = {tuple(net.outputs) for net in nets.values()}
    if len(systems) > 1 or (ensemble is not None and (*ensemble.brands,) != (*next(iter(nets.values())).brands,)):
        raise InputError(
            "the installed models know different systems; train them together with `spinescrew train brand`"
        )
    return BrandModels(nets, cards, ensemble)


def why_none() -> str:
    """Why no installed model can be asked, and what to do; nothing where one can. Only looks at files."""
    return about_installed()[0]


def about_installed() -> tuple[str, str]:
    """(:func:`why_none`, where the installed models come from as their cards say)."""
    from spinescrew.networks.weights import list_models

    names = [model_name(kind) for kind in KINDS]
    entries = [entry for entry in list_models() if entry.name in names]
    cards = [entry.card for entry in entries if entry.card is not None]
    provenance = "; ".join(dict.fromkeys(card.provenance for card in cards))
    if any(not entry.unavailable for entry in entries):
        return "", provenance
    told = f"the model '{entries[0].name}' cannot be used: {entries[0].unavailable}" if entries else NO_MODEL
    return told, provenance


def member_name(kind: str, views: Sequence[str]) -> str:
    """What ensembles call a model's answer: that of the merged model to one view is another than to both."""
    return f"{MERGE}-{views[0]}" if kind == MERGE and len(views) == 1 else kind


def member_words(member: str) -> str:
    """``"Merge (AP)"``."""
    kind, _, view = member.partition("-")
    return f"{KIND_WORDS[kind]} ({KIND_WORDS[view]})" if view else KIND_WORDS[kind]


def crops_of(pixels: Field, windows: Sequence[Window]) -> Crops:
    """Crops of an image whose dense things are bright.

    Raises
    ------
    InputError
        If there is no window.
    """
    if not windows:
        raise InputError("no screw, no crop: there is nothing to judge")
    return Crops(tuple(windows), np.stack([channels(cut(pixels, window)) for window in windows]))


def ask(models: BrandModels, crops: Mapping[str, Crops], kinds: Sequence[str] | None = None) -> dict[str, Answer]:
    """What each model says of one patient's crops, by kind.

    Parameters
    ----------
    crops:
        By view, one or both.
    kinds:
        Of the models; all that can answer when left out.
    """
    kinds = models.kinds_for(tuple(crops)) if kinds is None else kinds
    return {kind: _answer(models.nets[kind], kind, crops) for kind in kinds}


def every_member(answers: Mapping[str, Answer]) -> dict[str, Floats]:
    """Probabilities (outputs,) of all members that answers hold: of both views, and of the merged model to each."""
    found = {member: own.probabilities for member, own in answers.items()}
    merged = answers.get(MERGE)
    if merged is None:
        return found
    for view in VIEWS:
        rows = [n for n, shown in enumerate(merged.screws) if shown[0][0] == view]
        if rows:
            logs = np.log(np.maximum(merged.single[rows], _LEAST))
            found[member_name(MERGE, (view,))] = softmax(together(logs))
    return found


def inputs_for(kind: str, crops: Mapping[str, Crops]) -> tuple[Field, list[tuple[tuple[str, int], ...]]]:
    """What a model of a kind is given, and which screws that shows."""
    if kind == CONCAT:
        return _pairs(crops)
    views = [kind] if kind in VIEWS else [view for view in VIEWS if view in crops]
    images = np.concatenate([crops[view].images for view in views])
    return images, [((view, window.screw),) for view in views for window in crops[view].windows]


def logits(net: Any, images: Field) -> Floats:
    """(n, outputs) of crops, not calibrated."""
    import torch

    from spinescrew.networks.device import mixed_precision

    device = next(net.parameters()).device
    # On a CPU this network is quicker in full precision than in half (Docs/decisions.md).
    precision = None if device.type == "cpu" else mixed_precision(device)
    with torch.inference_mode(), torch.autocast(device.type, dtype=precision, enabled=precision is not None):
        found: Floats = net(torch.from_numpy(images).to(device)).double().cpu().numpy()
    return found


def softmax(values: Floats) -> Floats:
    """Shares along the last axis."""
    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def together(values: Floats) -> Floats:
    """Logits of a patient from those of his crops (n, outputs): their mean, so that many crops do not shout."""
    return np.asarray(values.mean(axis=0))


def _answer(net: Any, kind: str, crops: Mapping[str, Crops]) -> Answer:
    images, screws = inputs_for(kind, crops)
    found = logits(net, images) / float(net.temperature)
    return Answer(kind, softmax(together(found)), softmax(found), tuple(screws))


def _pairs(crops: Mapping[str, Crops]) -> tuple[Field, list[tuple[tuple[str, int], ...]]]:
    """Each crop of the view with more of them beside one of the other, in order along the spine."""
    count = max(len(crops[view].windows) for view in VIEWS)
    images, screws = [], []
    for number in range(count):
        at = [number * len(crops[view].windows) // count for view in VIEWS]
        images.append(beside(*(crops[view].images[n] for view, n in zip(VIEWS, at, strict=True))))
        screws.append(tuple((view, crops[view].windows[n].screw) for view, n in zip(VIEWS, at, strict=True)))
    return np.stack(images), screws
