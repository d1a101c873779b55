"""Trained networks: a folder each, with ``weights.safetensors`` and ``card.json``.

They are shipped in ``Resources/Models/``; the environment variable ``SPINESCREW_MODELS`` names a folder of the user's
own, which is looked at first.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinescrew.errors import InputError
from spinescrew.geometry.atomic import atomic_path
from spinescrew.implants.resources import resource_path
from spinescrew.networks.card import Architecture, ModelCard, card_text, read_card
from spinescrew.networks.device import choose_device, missing_packages, require_packages

if TYPE_CHECKING:
    import torch
    from torch import nn

ARCHITECTURES = {
    "BrandEnsemble": "spinescrew.networks.brand_net",
    "BrandNet": "spinescrew.networks.brand_net",
    "EdgeAttentionUNet": "spinescrew.networks.edge_unet",
    "StackedHourglass": "spinescrew.networks.hourglass",
    "PedicleJoin": "spinescrew.networks.pedicle_join",
    "PedicleNet": "spinescrew.networks.pedicle_net",
    "ScrewNet": "spinescrew.networks.screw_net",
}
MOST_BYTES = 15_000_000
USER_FOLDER = "SPINESCREW_MODELS"

_CARD, _WEIGHTS = "card.json", "weights.safetensors"


@dataclass(frozen=True)
class ModelEntry:
    """A model that is installed; ``unavailable`` says why it cannot be used, and is empty if it can."""

    name: str
    folder: Path
    card: ModelCard | None
    unavailable: str


def save_model(folder: str | Path, model: nn.Module, card: ModelCard) -> ModelCard:
    """Write a network's weights, in float16, and its card into ``folder``, both or neither.

    Parameters
    ----------
    model:
        One of ``ARCHITECTURES``.
    card:
        Its architecture and checksum are filled in here.

    Returns
    -------
    ModelCard
        The card as written.

    Raises
    ------
    InputError
        If weights are not finite in float16, the file would be larger than 15 MB, the card does not follow its schema,
        or the folder cannot be written to.
    """
    require_packages()
    from safetensors.torch import save

    folder = Path(folder)
    content = save(_half(model, folder))
    if len(content) > MOST_BYTES:
        size = len(content) / 1e6
        raise InputError(
            f"'{folder / _WEIGHTS}' would have {size:.1f} MB, 15 MB are the most; train a narrower network"
        )
    card = replace(card, architecture=_architecture(model), sha256=sha256(content).hexdigest())
    text = card_text(card)
    with atomic_path(folder / _CARD) as card_file, atomic_path(folder / _WEIGHTS) as weight_file:
        weight_file.write_bytes(content)
        card_file.write_text(text, encoding="utf-8")
    return card


def load_model(name_or_folder: str | Path, device: torch.device | str = "auto") -> tuple[nn.Module, ModelCard]:
    """A trained network in evaluation mode, float32, on ``device``, and its card.

    Parameters
    ----------
    name_or_folder:
        Name of an installed model (:func:`list_models`), or the folder of any.
    device:
        A torch device, or a name for :func:`choose_device`.

    Raises
    ------
    InputError
        If there is no such model, a package is missing, or a file of it is missing or damaged; the message names it.
    """
    require_packages()
    place = choose_device(device) if isinstance(device, str) else device
    folder = _folder_of(name_or_folder)
    card = read_card(folder / _CARD)
    content = _checked_weights(folder, card)
    model = _built(card, folder)
    _fill(model, content, folder / _WEIGHTS)
    return model.to(place).eval(), card


def update_card(folder: str | Path, figures: dict[str, Any], failures: Sequence[str]) -> ModelCard:
    """Put measured figures and known failures on the card of a model; its weights stay as they are.

    Raises
    ------
    InputError
        If the model is damaged, or the figures are none that JSON can hold.
    """
    folder = Path(folder)
    card = read_card(folder / _CARD)
    _checked_weights(folder, card)
    card = replace(card, figures=figures, failures=tuple(failures))
    text = card_text(card)
    with atomic_path(folder / _CARD) as path:
        path.write_text(text, encoding="utf-8")
    return card


def list_models() -> list[ModelEntry]:
    """The installed models, those of the user first; of two with one name only the first counts."""
    entries: dict[str, ModelEntry] = {}
    for folder in _model_folders():
        entries.setdefault(folder.name, _entry(folder))
    return list(entries.values())


def _model_folders() -> Iterator[Path]:
    for root in _roots():
        yield from sorted(filter(_holds_model, root.glob("*")))


def _holds_model(folder: Path) -> bool:
    return (folder / _CARD).is_file() or (folder / _WEIGHTS).is_file()


def _roots() -> Iterator[Path]:
    own = os.environ.get(USER_FOLDER)
    if own:
        yield Path(own)
    try:
        yield resource_path("Models")
    except InputError:
        return


def _entry(folder: Path) -> ModelEntry:
    card = None
    try:
        card = read_card(folder / _CARD)
        _check_architecture(card, folder)
        _checked_weights(folder, card)
    except InputError as error:
        return ModelEntry(folder.name, folder, card, str(error))
    missing = missing_packages()
    return ModelEntry(folder.name, folder, card, f"{', '.join(missing)} not installed" if missing else "")


def _folder_of(name_or_folder: str | Path) -> Path:
    folders = {folder.name: folder for folder in reversed(list(_model_folders()))}
    found = folders.get(str(name_or_folder), Path(name_or_folder))
    if not _holds_model(found):
        known = ", ".join(sorted(folders)) or "none"
        raise InputError(f"there is no model '{name_or_folder}'; installed: {known}")
    return found


def _checked_weights(folder: Path, card: ModelCard) -> bytes:
    path = folder / _WEIGHTS
    try:
        content = path.read_bytes()
    except OSError as error:
        cause = error.strerror or str(error)
        raise InputError(f"'{path}' cannot be read ({cause}); install the model again") from error
    if sha256(content).hexdigest() != card.sha256:
        raise InputError(f"'{path}' is damaged or was changed: its checksum is not the card's; install the model again")
    return content


def _check_architecture(card: ModelCard, folder: Path) -> None:
    name = card.architecture.name
    if name not in ARCHITECTURES:
        raise InputError(f"'{folder / _CARD}' asks for the architecture '{name}', unknown here; update SpineScrew")


def _built(card: ModelCard, folder: Path) -> nn.Module:
    _check_architecture(card, folder)
    name = card.architecture.name
    try:
        model: nn.Module = getattr(import_module(ARCHITECTURES[name]), name)(**card.architecture.arguments)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"'{folder / _CARD}': {name} cannot be built ({error}); update SpineScrew") from error
    return model


def _fill(model: nn.Module, content: bytes, path: Path) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        model.load_state_dict(load(content))
    except (SafetensorError, RuntimeError) as error:
        cause = " ".join(str(error).split())[:200]
        raise InputError(f"'{path}' does not fit its card ({cause}); install the model again") from error


def _half(model: nn.Module, folder: Path) -> dict[str, torch.Tensor]:
    """The network's weights on the CPU in float16; whole numbers stay as they are."""
    import torch

    halves = {}
    for name, value in model.state_dict().items():
        half = value.detach().cpu().to(torch.float16 if value.is_floating_point() else value.dtype).contiguous()
        if not torch.isfinite(half).all():
            raise InputError(
                f"'{folder / _WEIGHTS}' not written: '{name}' is not finite in float16; train again, slower"
            )
        halves[name] = half
    return halves


def _architecture(model: nn.Module) -> Architecture:
    name = type(model).__name__
    if name not in ARCHITECTURES:
        raise InputError(f"{name} is not an architecture that can be loaded again; use {', '.join(ARCHITECTURES)}")
    return Architecture(name, dict(model.arguments))  # type: ignore[arg-type]
