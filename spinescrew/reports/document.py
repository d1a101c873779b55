"""The HTML report of a plan: one file that holds everything and prints one page per screw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from spinescrew import __version__
from spinescrew.anatomy.vertebra import Spine
from spinescrew.geometry.atomic import atomic_path
from spinescrew.grading.options import GRADED_ZONE
from spinescrew.grading.scales import LETTERS
from spinescrew.planning.plan import Plan, PlannedScrew
from spinescrew.progress import Progress
from spinescrew.reports.html import data_uri, now, rendered, times
from spinescrew.reports.measures import MeasureGroup, measure_groups
from spinescrew.reports.palette import GRADE_COLOURS, ink_on
from spinescrew.reports.pictures3d import overview_pictures, vertebra_picture
from spinescrew.reports.render3d import rendering_problem
from spinescrew.reports.screw_views import axial_view, isthmus_view, sagittal_view
from spinescrew.reports.strips import Strip, heat_strips
from spinescrew.reports.summary import Badge, Summary, SummaryRow, lacking, summarise
from spinescrew.reports.wording import DASH, short_hash, spacing

HALF_OPEN_LIMITS = ("no breach", "below 2 mm", "2 to below 4 mm", "4 to below 6 mm", "6 mm or more")
INCLUSIVE_LIMITS = ("no breach", "up to 2 mm", "over 2 to 4 mm", "over 4 to 6 mm", "over 6 mm")


@dataclass(frozen=True)
class Picture:
    """A picture ready for HTML: a data URI, or in its place the reason why there is none."""

    uri: str = ""
    missing: str = ""


@dataclass(frozen=True)
class ScrewBlock:
    """The page of one screw."""

    summary: SummaryRow
    axial: Picture
    sagittal: Picture
    isthmus: Picture
    solid: Picture
    groups: tuple[MeasureGroup, ...]
    strips: tuple[Strip, ...]
    blanks: dict[str, str]
    notes: tuple[str, ...]


def write_report(
    plan: Plan,
    spine: Spine,
    path: str | Path,
    *,
    title: str = "",
    identity: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> Path:
    """Write the report of ``plan`` as one HTML file without outside parts; nothing is left behind on failure.

    Parameters
    ----------
    plan, spine:
        A graded plan and the spine it was made on. Views come from ``spine.ct``, or from the bones' shapes where
        there is none.
    path:
        The ``.html`` file to write; replaced if it exists.
    title:
        Heading; ``"Pedicle screw plan"`` if empty.
    identity:
        Names and values for the head of the first page, such as ``{"Patient": "..."}``. Without it the report names
        nobody.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    InputError
        If the file cannot be written there.
    Cancelled
        If a cancel was asked for.

    Examples
    --------
    >>> write_report(plan, spine, "out/report.html", title="Training case 3")  # doctest: +SKIP
    """
    watch = progress or Progress()
    watch.update(0.0, "report: overview")
    problem = rendering_problem()
    overview = _overview(plan, spine, problem)
    summary = summarise(plan, spine)
    blocks = []
    for done, (row, line) in enumerate(zip(plan.screws, summary.rows, strict=True)):
        watch.update(0.1 + 0.85 * done / len(plan.screws), f"report: {line.name}")
        if row.screw is not None:
            blocks.append(_block(row, line, spine, problem, lacking(line, summary.notes)))
    page = _page(plan, spine, title or "Pedicle screw plan", identity or {}, overview, summary, blocks)
    watch.update(0.97, "report: write")
    with atomic_path(Path(path)) as temporary:
        temporary.write_text(page, encoding="utf-8")
    watch.update(1.0, "report: done")
    return Path(path)


def _page(
    plan: Plan,
    spine: Spine,
    title: str,
    identity: Mapping[str, str],
    overview: tuple[Picture, Picture],
    summary: Summary,
    blocks: list[ScrewBlock],
) -> str:
    return rendered(
        "report.html.j2",
        title=title,
        identity=dict(identity),
        facts=_facts(plan, spine),
        overview=overview,
        input_notes=list(plan.parameters.get("input_notes", [])),
        summary=summary,
        blocks=blocks,
        planned=len(blocks),
        legend=grade_legend(_inclusive(plan)),
        label_spacing=spacing(spine.labels.spacing),
        ground="the CT, window 150 / 1500 HU" if spine.ct is not None else "the label map, no CT",
        **times(plan.timings_s),
        dash=DASH,
        zone_rule=GRADED_ZONE,
    )


def _facts(plan: Plan, spine: Spine) -> list[tuple[str, str]]:
    return [
        ("Planned", _moment(plan.created)),
        ("Report made", now()),
        ("Software, engine", f"SpineScrew {__version__}, {plan.engine}"),
        ("Trajectory", str(plan.parameters.get("trajectory", DASH))),
        ("Coordinates", "RAS, mm"),
        ("Label voxels", spacing(spine.labels.spacing)),
        ("CT voxels", spacing(spine.ct.spacing) if spine.ct is not None else f"{DASH} (label map only)"),
        ("Hash of labels / CT", " / ".join(short_hash(plan.input_hash.get(name)) for name in ("labels", "ct"))),
    ]


def grade_legend(inclusive: bool = False) -> list[tuple[Badge, str]]:
    """The letters with their limits, half-open or inclusive as was graded."""
    badges = [Badge(letter, GRADE_COLOURS[letter], ink_on(GRADE_COLOURS[letter])) for letter in LETTERS]
    return list(zip(badges, INCLUSIVE_LIMITS if inclusive else HALF_OPEN_LIMITS, strict=True))


def _inclusive(plan: Plan) -> bool:
    grading = plan.parameters.get("grading")
    return isinstance(grading, Mapping) and bool(grading.get("inclusive"))


def _moment(iso: str) -> str:
    """``2026-11-20T10:15:00+00:00`` to ``2026-11-20 10:15 UTC``; anything that is not a time as it is."""
    try:
        moment = datetime.fromisoformat(iso)
    except ValueError:
        return iso or DASH
    zone = f" {moment.tzname()}" if moment.tzinfo is not None else ""
    return f"{moment:%Y-%m-%d %H:%M}{zone}"


def _uri(png: bytes) -> Picture:
    return Picture(uri=data_uri(png))


def _overview(plan: Plan, spine: Spine, problem: str) -> tuple[Picture, Picture]:
    if problem or not spine.vertebrae:
        nothing = Picture(missing=problem or "no vertebra could be measured")
        return nothing, nothing
    posterior, lateral = overview_pictures(plan, spine)
    return _uri(posterior), _uri(lateral)


def _block(row: PlannedScrew, line: SummaryRow, spine: Spine, problem: str, blanks: dict[str, str]) -> ScrewBlock:
    screw, vertebra, a = row.screw, spine.vertebrae.get(row.level), row.assessment
    assert screw is not None
    groups, strips = measure_groups(row, spine), heat_strips(a) if a is not None else ()
    notes = (*row.notes, *screw.notes, *(a.notes if a is not None else ()))
    if vertebra is None:
        nothing = Picture(missing=spine.skipped.get(row.level, "this vertebra is not in the image"))
        return ScrewBlock(line, nothing, nothing, nothing, nothing, groups, strips, blanks, notes)
    across = isthmus_view(row, screw, spine, vertebra)
    why = vertebra.missing.get(row.side, "no isthmus was measured")
    return ScrewBlock(
        line,
        _uri(axial_view(row, screw, spine, vertebra)),
        _uri(sagittal_view(row, screw, spine, vertebra)),
        Picture(missing=why) if across is None else _uri(across),
        Picture(missing=problem) if problem else _uri(vertebra_picture(row, screw, spine, vertebra)),
        groups,
        strips,
        blanks,
        notes,
    )
