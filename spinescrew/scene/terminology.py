"""Names and colours of vertebrae as Slicer's terminologies hold them."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from spinescrew.anatomy.levels import Level
from spinescrew.implants.resources import resource_path

FILE = "SpineScrew.term.json"
_TONES = ((0.894, 0.855, 0.792), (0.808, 0.737, 0.627))
_RARE_TONE = (0.878, 0.792, 0.573)
Colour = tuple[float, float, float]


def terminology_entry(level: Level) -> str:
    """The value of a segment's terminology tag for this vertebra; empty for T13 and L6, which have no code.

    Written as Slicer serialises it: context, category, type and modifier, each as scheme^code^meaning.
    """
    found = _types().get(_meaning(level))
    if found is None:
        return ""
    category = "SCT^123037004^Anatomical Structure"
    code = f"{found['CodingSchemeDesignator']}^{found['CodeValue']}^{found['CodeMeaning']}"
    return f"{_document()['SegmentationCategoryTypeContextName']}~{category}~{code}~^^~~^^~^^"


def colour(level: Level) -> Colour:
    """RGB in 0..1; neighbours differ, so that the joints between them can be seen."""
    found = _types().get(_meaning(level))
    if found is None:
        return _RARE_TONE if level in (Level.T13, Level.L6) else _TONES[level.value % 2]
    red, green, blue = (channel / 255 for channel in found["recommendedDisplayRGBValue"])
    return red, green, blue


def _meaning(level: Level) -> str:
    return "Sacrum" if level is Level.S1 else f"{level.name} vertebra"


@lru_cache(maxsize=1)
def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((resource_path("Terminologies") / FILE).read_text(encoding="utf-8"))
    return document


@lru_cache(maxsize=1)
def _types() -> dict[str, dict[str, Any]]:
    category = _document()["SegmentationCodes"]["Category"][0]
    return {entry["CodeMeaning"]: entry for entry in category["Type"]}
