"""Plan files: written whole or not at all, checked when read."""

from __future__ import annotations

import json
from pathlib import Path

from spinescrew.anatomy.vertebra import Spine
from spinescrew.errors import InputError, OtherImageError
from spinescrew.exchange import document
from spinescrew.exchange.checked import Kind, checked_document
from spinescrew.geometry.atomic import atomic_path
from spinescrew.planning.plan import Plan

_SCHEMA = Path(__file__).with_name("plan.schema.json")
_KIND = Kind("plan", "plan.json", "plan again", _SCHEMA, document.SCHEMA_VERSION)


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
    values = checked_document(path, _KIND)
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
