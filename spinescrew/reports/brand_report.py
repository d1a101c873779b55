"""The HTML report of which system radiographs show: one file that holds everything, the answer and its limits first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from spinescrew import __version__
from spinescrew.brands.identify import BrandResult
from spinescrew.brands.models import KIND_WORDS, VIEWS, member_words
from spinescrew.brands.names import never_saw
from spinescrew.brands.reference import reference_picture
from spinescrew.geometry.atomic import atomic_path
from spinescrew.progress import Progress
from spinescrew.reports.brand_lines import (
    VIEW_WORDS,
    answer_colour,
    answer_words,
    headline,
    other_words,
    system_lines,
    vote_words,
)
from spinescrew.reports.brand_views import attention_view, crop_view, found_view, grey_png
from spinescrew.reports.html import data_uri, now, rendered, times
from spinescrew.reports.palette import screw_colour
from spinescrew.reports.wording import number, short_hash

TITLE = "Which system of pedicle screws"
_REFERENCES = 3


@dataclass(frozen=True)
class ScrewCrop:
    """One screw's crop and what it says."""

    number: int
    colour: str
    picture: str
    said: str


@dataclass(frozen=True)
class ViewBlock:
    """One radiograph: with its screws, its crops, and where each model looked in it."""

    name: str
    found: str
    crops: tuple[ScrewCrop, ...]
    looks: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Reference:
    """The picture of a system, empty where there is none."""

    name: str
    picture: str


def write_brand_report(
    result: BrandResult,
    path: str | Path,
    *,
    hashes: Mapping[str, str] | None = None,
    title: str = "",
    identity: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> Path:
    """Write an answer as one HTML file without outside parts; nothing is left behind on failure.

    Parameters
    ----------
    path:
        The ``.html`` file to write; replaced if it exists.
    hashes:
        Names and content hashes of what was read.
    title:
        Heading; a usual one if empty.
    identity:
        Names and values for the head of the page. Without it the report names nobody.

    Raises
    ------
    InputError
        If the file cannot be written there.
    Cancelled
        If a cancel was asked for.
    """
    watch = progress or Progress()
    blocks = []
    for done, view in enumerate(view for view in VIEWS if view in result.crops):
        watch.update(0.8 * done / len(result.crops), f"report: {KIND_WORDS[view]} image")
        blocks.append(_block(result, view))
    watch.update(0.85, "report: write")
    page = rendered(
        "brand.html.j2",
        title=title or TITLE,
        identity=dict(identity or {}),
        provenance=result.provenance,
        never_saw=never_saw(result.provenance),
        names=result.names_words,
        warnings=result.warnings,
        facts=_facts(result, hashes or {}),
        headline=headline(result),
        colour=answer_colour(result),
        said=answer_words(result),
        models=[member_words(member) for member in result.answers],
        lines=system_lines(result),
        other=other_words(result),
        blocks=blocks,
        references=_references(result),
        **times(dict(result.seconds or {})),
    )
    with atomic_path(Path(path)) as temporary:
        temporary.write_text(page, encoding="utf-8")
    watch.update(1.0, "report: done")
    return Path(path)


def _facts(result: BrandResult, hashes: Mapping[str, str]) -> list[tuple[str, str]]:
    facts = [("Report made", now()), ("Software", f"SpineScrew {__version__}")]
    for view in result.views:
        own = result.located[view]
        rows, columns = own.radiograph.shape
        scale = number(1.0 / own.px_per_mm, 2, "mm")
        facts.append((VIEW_WORDS[view], f"{rows} × {columns} pixels, about {scale} in the patient"))
        facts.append((f"Screws found, {KIND_WORDS[view]}", str(len(own.necks))))
    return [*facts, *((f"Hash of {name}", short_hash(value)) for name, value in hashes.items())]


def _block(result: BrandResult, view: str) -> ViewBlock:
    located, crops = result.located[view], result.crops[view]
    votes = {vote.screw: vote for vote in result.votes if vote.view == view}
    shown = tuple(
        ScrewCrop(
            window.screw + 1,
            screw_colour(window.screw + 1),
            data_uri(crop_view(crops, n)),
            vote_words(result, votes.get(window.screw)),
        )
        for n, window in enumerate(crops.windows)
    )
    looks = tuple(
        (KIND_WORDS[each.kind], data_uri(attention_view(located, crops, each)))
        for each in result.attention
        if each.view == view
    )
    return ViewBlock(VIEW_WORDS[view], data_uri(found_view(located, crops)), shown, looks)


def _references(result: BrandResult) -> tuple[Reference, ...]:
    """Pictures of the likeliest systems."""
    order = (-result.probabilities[: len(result.brands)]).argsort(kind="stable")[:_REFERENCES]
    found = []
    for n in order:
        picture = reference_picture(result.brands[n])
        found.append(Reference(result.name(result.brands[n]), "" if picture is None else data_uri(grey_png(picture))))
    return tuple(found)
