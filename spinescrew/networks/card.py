"""The card of a model: what it is, on what and how long it was trained, how good it is and where it fails."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from spinescrew.errors import InputError

PROVENANCE = "Trained on simulated images; for research"

_TEXT = {"type": "string", "minLength": 1}
SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Model card",
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "task", "architecture", "version", "created", "trained_on", "licence", "provenance", "sha256"],
    "properties": {
        "name": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]*$"},
        "task": _TEXT,
        "architecture": {
            "type": "object",
            "additionalProperties": False,
            "required": ["name", "arguments"],
            "properties": {"name": _TEXT, "arguments": {"type": "object"}},
        },
        "version": _TEXT,
        "created": {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}"},
        "trained_on": _TEXT,
        "steps": {"type": "integer", "minimum": 0},
        "hours": {"type": "number", "minimum": 0},
        "device": {"type": "string"},
        "generator_hash": {"type": "string"},
        "licence": _TEXT,
        "provenance": _TEXT,
        "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "figures": {"type": "object"},
        "failures": {"type": "array", "items": _TEXT},
    },
}


@dataclass(frozen=True)
class Architecture:
    """Name of a network's class and the arguments it is made with."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """What stands in ``card.json`` beside a model's weights.

    Attributes
    ----------
    name, version, task:
        Such as ``"spine-coarse"``, ``"1.0"``, ``"segmentation"``.
    architecture:
        How to build the network; :func:`save_model` fills it in.
    created, trained_on, steps, hours, device, generator_hash:
        ISO date; the data in words; steps and hours of training in all and on what; hash of the phantoms' generator,
        empty if none.
    licence, provenance:
        Shown wherever the model speaks.
    sha256:
        Of the weight file; :func:`save_model` fills it in.
    figures, failures:
        Measured values, nested as one likes; known failures in words.
    """

    name: str
    task: str
    version: str
    created: str
    trained_on: str
    steps: int = 0
    hours: float = 0.0
    device: str = ""
    generator_hash: str = ""
    licence: str = "Apache-2.0"
    provenance: str = PROVENANCE
    architecture: Architecture = Architecture("")
    sha256: str = ""
    figures: dict[str, Any] = field(default_factory=dict)
    failures: tuple[str, ...] = ()


def card_text(card: ModelCard) -> str:
    """The card as JSON text; :class:`InputError` if it does not follow the schema."""
    document = json.loads(json.dumps(asdict(card), allow_nan=False))
    _validate(document, f"the card of '{card.name}'")
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def read_card(path: Path) -> ModelCard:
    """The card in a file.

    Raises
    ------
    InputError
        If the file is missing, damaged or does not follow the schema; the message names it and the place in it.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"'{path}' is not a readable model card ({error}); install the model again") from error
    _validate(document, f"'{path}'")
    architecture = Architecture(**document.pop("architecture"))
    failures = tuple(document.pop("failures", ()))
    return ModelCard(**document, architecture=architecture, failures=failures)


def _validate(document: Any, where: str) -> None:
    import jsonschema

    problem = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(SCHEMA).iter_errors(document))
    if problem is not None:
        raise InputError(f"{where} is not a model card: {problem.json_path}: {problem.message}")
