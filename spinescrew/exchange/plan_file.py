"""Plan files: written whole or not at all, checked when read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from spinescrew.anatomy.vertebra import Spine
from spinescrew.errors import InputError, OtherImageError
from spinescrew.exchange import document
from spinescrew.geometry.atomic import atomic_path
from spinescrew.planning.plan import Plan

_SCHEMA = Path(__file__).with_name("plan.schema.json")


def write_plan(plan: Plan, path: str | Path, *, spine: Spine | None = None) -> Path:
    """The plan as one JSON file (``plan.schema.json``); a file that stands there is replaced only when all is written.

    Parameters
    ----------
    spine:
        Adds the image's hash where the plan has none, its voxel spacing, and angles and fill of ungraded screws.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    path = Path(path)
    text = json.dumps(document.plan_to_document(plan, spine), indent=2, ensure_ascii=False, allow_nan=False)
    with atomic_path(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
    return path


def read_plan(path: str | Path) -> Plan:
    """The plan in a file of this version or an older one, assessments included; coordinates within 1e-6 mm.

    Raises
    ------
    InputError
        If the file is missing, damaged, not a plan, in other coordinates than RAS, from a newer version, or holds a
        screw that makes no sense; one line names the file, the place and what is wrong.
    """
    path = Path(path)
    values = _loaded(path)
    version = values.get("schema_version")
    if isinstance(version, int) and version > document.SCHEMA_VERSION:
        raise InputError(
            f"{path.name} has plan version {version}, this program knows up to {document.SCHEMA_VERSION}; "
            "update SpineScrew to open it"
        )
    system = values.get("coordinate_system")
    if isinstance(system, str) and system != "RAS":
        raise InputError(f"{path.name} is in {system} coordinates; plans are in RAS, export it again in RAS")
    _validate(path, values)
    try:
        return document.plan_from_document(values)
    except InputError as error:
        raise InputError(f"{path.name}: {error}") from error


def check_plan_matches(plan: Plan, spine: Spine, *, confirmed: bool = False) -> tuple[str, ...]:
    """Whether the plan was made on this image and these labels, by their content hashes.

    Returns
    -------
    What does not match, one line each; empty where all does. A CT that only one of both has is no mismatch.

    Raises
    ------
    OtherImageError
        If anything does not match, or the plan does not say what it was made on, unless ``confirmed``.
    """
    found: list[str] = []
    if not plan.input_hash.get("labels"):
        found.append("the plan does not say which labels it was made on")
    for name, volume, words in (("labels", spine.labels, "other labels"), ("ct", spine.ct, "another CT")):
        expected = plan.input_hash.get(name)
        if expected and volume is not None and volume.content_hash() != expected:
            found.append(f"the plan was made on {words}")
    if found and not confirmed:
        raise OtherImageError(f"{' and '.join(found)}; open its own image, or confirm that it belongs to this one")
    return tuple(found)


def _loaded(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8-sig"), parse_constant=_no_number)
    except FileNotFoundError as error:
        raise InputError(f"there is no plan file '{path}'; check the path") from error
    except OSError as error:
        raise InputError(f"{path.name} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path.name} is not a readable JSON file ({error}); it is damaged, plan again") from error
    if not isinstance(values, dict):
        raise InputError(f"{path.name} is no plan: it holds a {type(values).__name__}; choose a plan.json")
    return values


def _no_number(constant: str) -> float:
    raise ValueError(f"{constant} is no number JSON knows")


def _validate(path: Path, values: dict[str, Any]) -> None:
    import jsonschema

    schema = json.loads(_SCHEMA.read_text(encoding="utf-8"))
    problems = jsonschema.Draft202012Validator(schema).iter_errors(values)
    problem = jsonschema.exceptions.best_match(problems)
    if problem is not None:
        place = problem.json_path.removeprefix("$.")
        raise InputError(f"{path.name}: {place}: {problem.message[:200]}; correct the file or plan again")
