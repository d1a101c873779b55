"""What the pose tab says of solved screws, as plain values."""

from __future__ import annotations

from typing import Any

from spinescrew.networks.card import PROVENANCE
from spinescrew.radiographs.pose_session import PoseSession
from spinescrew.radiographs.pose_words import ROLL, summary
from spinescrew.reports.outcome_table import PlacedLine, placed_lines
from spinescrew.reports.palette import ink_on
from spinescrew.reports.pose_report import calibration_words
from spinescrew.reports.pose_tables import ScrewLine, screw_lines
from spinescrew.scene.pose_wording import placed_cells, placed_names, remarks
from spinescrew.scene.radiograph_nodes import view_name
from spinescrew.viewer.places import POSE_PLACES

WARNING = f"{PROVENANCE}; never saw a real radiograph"
"""What stands in the tab at all times."""

NOBODY = ""
"""Stands for a screw that one view does not show."""

NOTHING: dict[str, Any] = {
    "screws": [],
    "hand": {},
    "summary": "",
    "calibration": "",
    "choices": [[], []],
    "first": NOBODY,
    "second": NOBODY,
    "titles": {},
    "placed": [],
    "placed_words": [],
}
"""Before anything was solved."""

FACTS = (("Entry", "entry"), ("Tip", "tip"), ("Direction", "direction"))


def answer(session: PoseSession, outcome: Any = None) -> dict[str, Any]:
    """Everything that the tab shows of a session, and of its poses beside a plan where there is one."""
    lines = screw_lines(session.result, placed_names(outcome.found) if outcome is not None else None)
    hand = next((line for line in lines if line.number == session.selected), None)
    chosen = str(session.selected) if session.selected is not None else NOBODY
    return {
        "screws": [_row(line, line is hand) for line in lines],
        "hand": _in_hand(hand) if hand is not None else {},
        "summary": f"{summary(session.result)}. {ROLL}",
        "calibration": calibration_words(session.result),
        "choices": [_choices(session, 0), [*_choices(session, 1), {"name": NOBODY, "title": "none"}]],
        "first": chosen,
        "second": chosen,
        "titles": {place.node: name for place, name in zip(POSE_PLACES, _titles(session), strict=False)},
        "placed": [_placed(line) for line in placed_lines(outcome.found)] if outcome is not None else [],
        "placed_words": [outcome.words, *outcome.found.warnings] if outcome is not None else [],
    }


def _placed(line: PlacedLine) -> dict[str, Any]:
    name, number, _grades, entry, tip, angle, words = placed_cells(line)
    placed, planned = ({"text": b.text, "colour": b.ground, "ink": b.ink} for b in (line.placed, line.planned))
    return {
        "name": name,
        "number": number,
        "placed": placed,
        "planned": planned,
        "entry": entry,
        "tip": tip,
        "angle": angle,
        "words": words,
    }


def _titles(session: PoseSession) -> list[str]:
    return [view_name(n, view) for n, view in enumerate(session.result.views)]


def _row(line: ScrewLine, selected: bool) -> dict[str, Any]:
    return {
        "number": line.number,
        "title": f"{line.number} {line.name}".strip(),
        "colour": line.colour,
        "ink": ink_on(line.colour),
        "size": line.size,
        "match": {"text": line.match.text, "colour": line.match.ground, "ink": line.match.ink},
        "residual": line.residual,
        "across": line.across,
        "along": line.along,
        "tilt": line.tilt,
        "selected": selected,
    }


def _in_hand(line: ScrewLine) -> dict[str, Any]:
    """The screw in hand in full."""
    facts = [{"name": name, "value": getattr(line, key)} for name, key in FACTS]
    facts.append({"name": "Seen with confidence", "value": line.seen})
    return {**_row(line, True), "facts": facts, "notes": remarks(line)}


def _choices(session: PoseSession, view_index: int) -> list[dict[str, str]]:
    """What one view shows, for the one to be chosen that belongs to the other's."""
    titles = {True: "screw {}", False: "{}, in this image only"}
    return [
        {"name": found.name, "title": titles[found.matched].format(found.name)} for found in session.seen(view_index)
    ]
