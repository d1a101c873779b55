"""The HTML report of an assessment of C2: one file that holds everything, first what a reader has to know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spinescrew import __version__
from spinescrew.anatomy.frame import SIDES
from spinescrew.feasibility.assessment import C2Assessment, SideAssessment
from spinescrew.feasibility.measures import Corridor
from spinescrew.feasibility.wording import percent, percent_range
from spinescrew.geometry.atomic import atomic_path
from spinescrew.networks.card import PROVENANCE
from spinescrew.progress import Progress
from spinescrew.reports.c2_tables import SOURCES, Value, corridor_value, measure_rows
from spinescrew.reports.c2_views import ATTENTION_MAP, corridor_colour, side_views, way_view
from spinescrew.reports.html import data_uri, now, rendered, times
from spinescrew.reports.palette import GRADE_COLOURS, UNGRADED, ink_on
from spinescrew.reports.summary import Badge
from spinescrew.reports.wording import number, short_hash, spacing

NEVER_SAW = "The networks never saw a real neck CT."
VERDICT_COLOURS = {"feasible": GRADE_COLOURS["A"], "unsure": GRADE_COLOURS["C"], "not feasible": GRADE_COLOURS["D"]}
_VIEWS = (
    ("Axial along the corridor", "from the feet"),
    ("Across at the isthmus", "from behind"),
    ("Sagittal along the corridor", "from the left"),
)
_SHADES = 9


@dataclass(frozen=True)
class View:
    """A picture as data URIs, without attention and with it."""

    name: str
    seen: str
    plain: str
    attended: str


@dataclass(frozen=True)
class WayOut:
    """Another corridor, where the pedicle is not plainly feasible, in words; a picture along it as a data URI."""

    name: str
    screw: str
    longest: Value
    wall: str
    picture: str


@dataclass(frozen=True)
class SideBlock:
    """All that is said of one pedicle; probability and interval in percent, as figures and in words."""

    side: str
    percent: float
    low: float
    high: float
    chance: str
    interval: str
    verdict: Badge
    disagreement: str
    corridor: Value
    wall: str
    colour: str
    width: str
    views: tuple[View, ...]
    ways_out: tuple[WayOut, ...]
    feasible: bool
    notes: tuple[str, ...]


def write_c2_report(
    found: C2Assessment,
    path: str | Path,
    *,
    title: str = "",
    identity: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> Path:
    """Write an assessment as one HTML file without outside parts; nothing is left behind on failure.

    Parameters
    ----------
    path:
        The ``.html`` file to write; replaced if it exists.
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

    Examples
    --------
    >>> write_c2_report(assess_c2(ct), "out/report.html")  # doctest: +SKIP
    """
    watch = progress or Progress()
    blocks = []
    # The patient's right stands on the left, as in the axial pictures.
    for done, side in enumerate(reversed(SIDES)):
        watch.update(0.9 * done / len(SIDES), f"report: {side} pedicle")
        blocks.append(_block(found, found.sides[side]))
    watch.update(0.95, "report: write")
    page = _page(found, title or "Can the C2 pedicles take a screw?", identity or {}, tuple(blocks))
    with atomic_path(Path(path)) as temporary:
        temporary.write_text(page, encoding="utf-8")
    watch.update(1.0, "report: done")
    return Path(path)


def _page(found: C2Assessment, title: str, identity: Mapping[str, str], blocks: tuple[SideBlock, ...]) -> str:
    return rendered(
        "c2.html.j2",
        title=title,
        identity=dict(identity),
        facts=_facts(found),
        provenance=found.provenance,
        never_saw=NEVER_SAW if PROVENANCE in found.provenance else "",
        threshold=100.0 * found.threshold,
        screw=f"{found.screw_mm:g}",
        blocks=blocks,
        rows=measure_rows(found),
        sources=SOURCES,
        warnings=found.warnings,
        shades=_shades(),
        colours=GRADE_COLOURS,
        **times(found.seconds),
    )


def _facts(found: C2Assessment) -> list[tuple[str, str]]:
    return [
        ("Report made", now()),
        ("Software", f"SpineScrew {__version__}"),
        ("CT voxels", spacing(found.ct.spacing)),
        ("Hash of the CT", short_hash(found.ct.content_hash())),
    ]


def _block(found: C2Assessment, own: SideAssessment) -> SideBlock:
    corridor = own.measures.corridors[found.screw_mm]
    colour = VERDICT_COLOURS.get(own.verdict, UNGRADED)
    return SideBlock(
        side=own.side,
        percent=100.0 * own.probability,
        low=100.0 * own.low,
        high=100.0 * own.high,
        chance=percent(own.probability),
        interval=percent_range(own.low, own.high),
        verdict=Badge(own.verdict, colour, ink_on(colour)),
        disagreement=own.disagreement,
        corridor=corridor_value(corridor),
        wall=number(corridor.margin_mm, unit="mm"),
        colour=corridor_colour(corridor),
        width=number(own.measures.outer_width_mm, unit="mm"),
        views=_views(found, own),
        ways_out=tuple(_way(found, own, way) for way in own.ways_out),
        feasible=own.verdict == "feasible",
        notes=own.measures.notes,
    )


def _views(found: C2Assessment, own: SideAssessment) -> tuple[View, ...]:
    plain, attended = (side_views(found, own, attention=attention) for attention in (False, True))
    return tuple(
        View(name, seen, data_uri(one), data_uri(other))
        for (name, seen), one, other in zip(_VIEWS, plain, attended, strict=True)
    )


def _way(found: C2Assessment, own: SideAssessment, way: Corridor) -> WayOut:
    return WayOut(
        name=way.name,
        screw=f"{way.diameter_mm:g}\u00a0mm",
        longest=corridor_value(way),
        wall=number(way.margin_mm, unit="mm"),
        picture=data_uri(way_view(found, own, way)),
    )


def _shades() -> list[str]:
    """Colours of attention from 0 to 1."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    scale: Any = colormaps[ATTENTION_MAP]
    return [to_hex(scale(n / (_SHADES - 1))) for n in range(_SHADES)]
