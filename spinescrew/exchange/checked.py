"""JSON documents of our own, checked when they are read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spinescrew.errors import InputError


@dataclass(frozen=True)
class Kind:
    """A kind of document: what it is called, what to do where one is damaged, its schema and newest version."""

    name: str
    file: str
    again: str
    schema: Path
    version: int


def checked_document(path: Path, kind: Kind) -> dict[str, Any]:
    """The values of a document of this version or an older one.

    Raises
    ------
    InputError
        If the file is missing, damaged, of another kind, in other coordinates than RAS, or from a newer version; one
        line names the file, the place and what is wrong.
    """
    values = _loaded(path, kind)
    version = values.get("schema_version")
    if isinstance(version, int) and version > kind.version:
        raise InputError(
            f"{path.name} has {kind.name} version {version}, this program knows up to {kind.version}; "
            "update SpineScrew to open it"
        )
    system = values.get("coordinate_system")
    if isinstance(system, str) and system != "RAS":
        raise InputError(f"{path.name} is in {system} coordinates; {kind.name}s are in RAS, export it again in RAS")
    _validate(path, values, kind)
    return values


def _loaded(path: Path, kind: Kind) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8-sig"), parse_constant=_no_number)
    except FileNotFoundError as error:
        raise InputError(f"there is no {kind.name} file '{path}'; check the path") from error
    except OSError as error:
        raise InputError(f"{path.name} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path.name} is not a readable JSON file ({error}); it is damaged, {kind.again}") from error
    if not isinstance(values, dict):
        raise InputError(f"{path.name} is no {kind.name}: it holds a {type(values).__name__}; choose a {kind.file}")
    return values


def _no_number(constant: str) -> float:
    raise ValueError(f"{constant} is no number JSON knows")


def _validate(path: Path, values: dict[str, Any], kind: Kind) -> None:
    import jsonschema

    schema = json.loads(kind.schema.read_text(encoding="utf-8"))
    problems = jsonschema.Draft202012Validator(schema).iter_errors(values)
    problem = jsonschema.exceptions.best_match(problems)
    if problem is not None:
        place = problem.json_path.removeprefix("$.")
        raise InputError(f"{path.name}: {place}: {problem.message[:200]}; correct the file or {kind.again}")
