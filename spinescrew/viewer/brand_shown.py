"""What the brand tab says of an answer, as plain values."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.brands.models import KIND_WORDS, member_words
from spinescrew.brands.names import LOCKED, UNLOCKED
from spinescrew.reports.brand_lines import (
    VIEW_WORDS,
    ScrewLine,
    SystemLine,
    answer_colour,
    answer_words,
    banner_words,
    headline,
    other_words,
    screw_lines,
    short_words,
    system_lines,
    view_words,
)
from spinescrew.reports.brand_views import crop_picture, grey_png
from spinescrew.reports.palette import ink_on
from spinescrew.scene.brand_scene import NO_MODEL, attention_models
from spinescrew.viewer.opened import Identified
from spinescrew.viewer.places import BRAND_PLACES

NOTHING: dict[str, Any] = {
    "headline": "",
    "colour": "",
    "ink": "",
    "said": "",
    "views": [],
    "banner": "",
    "columns": [],
    "systems": [],
    "other": "",
    "crops": [],
    "models": [],
    "titles": {},
    "count": 0,
    "lockable": False,
    "unlocked": False,
}
"""Before anything was asked."""


def answer(found: Identified) -> dict[str, Any]:
    """Everything that the tab shows of an answer."""
    result = found.result
    colour, lines = answer_colour(result), system_lines(result)
    views = [view for view in VIEW_WORDS if view in result.located]
    return {
        "headline": headline(result),
        "colour": colour,
        "ink": ink_on(colour),
        "said": answer_words(result),
        "views": [{"name": name, "said": said} for name, said in view_words(result)],
        "banner": banner_words(result),
        "columns": [member_words(member) for member in result.answers],
        "systems": [_system(found, line) for line in lines],
        "other": other_words(result),
        "crops": [_crop(found, line) for line in screw_lines(result)],
        "models": [
            {"name": NO_MODEL, "title": "none"},
            *({"name": model, "title": KIND_WORDS[model]} for model in attention_models(result)),
        ],
        "titles": {place.node: VIEW_WORDS[view] for place, view in zip(BRAND_PLACES, views, strict=False)},
        "count": len(views),
        "lockable": result.names_words in (LOCKED, UNLOCKED),
        "unlocked": result.unlocked,
    }


def _system(found: Identified, line: SystemLine) -> dict[str, Any]:
    picture = found.references.get(line.number)
    return {
        "number": line.number,
        "name": line.name,
        "chance": short_words(line.chance),
        "width": round(line.width, 1),
        "colour": line.colour,
        "models": [short_words(share) for share in line.models],
        "picture": _uri(np.rot90(picture).astype(np.float32) / np.float32(255.0)) if picture is not None else "",
    }


def _crop(found: Identified, line: ScrewLine) -> dict[str, Any]:
    crops = found.result.crops[line.view]
    place = [window.screw + 1 for window in crops.windows].index(line.number)
    return {
        "key": f"{line.view} {line.number}",
        "view": line.view,
        "number": line.number,
        "title": f"{KIND_WORDS[line.view]} {line.number}",
        "colour": line.colour,
        "ink": ink_on(line.colour),
        "said": line.said or "judged with the other view",
        "agrees": line.agrees,
        "picture": _uri(crop_picture(crops, place)),
    }


def _uri(picture: NDArray[np.float32]) -> str:
    """A picture from 0 to 1 (shafts of a reference point to the right) as the page can show it."""
    return "data:image/png;base64," + base64.b64encode(grey_png(picture)).decode("ascii")
