"""The HTML report of screws found in two radiographs: one file that holds everything, warnings first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from spinescrew import __version__
from spinescrew.geometry.atomic import atomic_path
from spinescrew.networks.card import PROVENANCE
from spinescrew.progress import Progress
from spinescrew.radiographs.pose_words import FAIR_PX, GOOD_PX, ROLL, summary
from spinescrew.radiographs.radiograph import Radiograph
from spinescrew.reports.document import Picture, grade_legend
from spinescrew.reports.html import data_uri, now, rendered, times
from spinescrew.reports.outcome_table import PlacedSection, placed_lines
from spinescrew.reports.pose_tables import ScrewLine, screw_lines
from spinescrew.reports.pose_views import (
    HEAD_COLOUR,
    SHAFT_COLOUR,
    close_view,
    found_view,
    image_view,
    room_view,
    solid_views,
)
from spinescrew.reports.render3d import rendering_problem
from spinescrew.reports.wording import number, short_hash

if TYPE_CHECKING:
    from spinescrew.radiographs.pose import PoseResult

NEVER_SAW = "The network never saw a real radiograph."
TITLE = "Where the screws are"


@dataclass(frozen=True)
class ImagePair:
    """One radiograph as data URIs, as its file shows it and with what was found."""

    name: str
    plain: str
    found: str


@dataclass(frozen=True)
class ScrewBlock:
    """One screw in words and as both images show it, as data URIs."""

    line: ScrewLine
    close: tuple[str, str]


def write_pose_report(
    result: PoseResult,
    radiographs: Sequence[Radiograph],
    path: str | Path,
    *,
    provenance: str = PROVENANCE,
    hashes: Mapping[str, str] | None = None,
    placed: Sequence[PlacedSection] = (),
    title: str = "",
    identity: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> Path:
    """Write a result as one HTML file without outside parts; nothing is left behind on failure.

    Parameters
    ----------
    radiographs:
        The two images, in the order of the result's views.
    path:
        The ``.html`` file to write; replaced if it exists.
    provenance:
        What the network was trained on, from its card.
    hashes:
        Names and content hashes of what was read.
    placed:
        The screws beside their plan; levels and sides are told by the first.
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
    watch.update(0.0, "report: images")
    images = tuple(_image(image, result, n) for n, image in enumerate(radiographs))
    blocks = []
    lines = screw_lines(result, _names(placed))
    for done, (posed, line) in enumerate(zip(result.screws, lines, strict=True)):
        watch.update(0.2 + 0.5 * done / len(result.screws), f"report: screw {posed.number}")
        close = [data_uri(close_view(image, result, posed, n)) for n, image in enumerate(radiographs)]
        blocks.append(ScrewBlock(line, (close[0], close[1])))
    watch.update(0.7, "report: 3D")
    solid = _solid(result)
    watch.update(0.95, "report: write")
    page = rendered(
        "pose.html.j2",
        title=title or TITLE,
        identity=dict(identity or {}),
        provenance=provenance,
        never_saw=NEVER_SAW if PROVENANCE in provenance else "",
        warnings=[*result.warnings, *(text for each in placed for text in each.outcome.warnings)],
        facts=_facts(result, radiographs, hashes or {}),
        summary=summary(result),
        calibration=calibration_words(result),
        roll=ROLL,
        sections=[(each, placed_lines(each.outcome), grade_legend(each.inclusive)) for each in placed],
        images=images,
        blocks=blocks,
        solid=solid,
        room=data_uri(room_view(result)),
        shaft_colour=SHAFT_COLOUR,
        head_colour=HEAD_COLOUR,
        good=f"{GOOD_PX:g}",
        fair=f"{FAIR_PX:g}",
        **times(result.seconds),
    )
    with atomic_path(Path(path)) as temporary:
        temporary.write_text(page, encoding="utf-8")
    watch.update(1.0, "report: done")
    return Path(path)


def calibration_words(result: PoseResult) -> str:
    """Whether and by how much the given calibration was refined."""
    words = result.calibration.words
    return f"{words[:1].upper()}{words[1:]}."


def _names(placed: Sequence[PlacedSection]) -> dict[int, str]:
    """Level and side of the screws that lie at a pedicle, by number."""
    screws = placed[0].outcome.screws if placed else ()
    return {screw.number: f"{screw.level.name} {screw.side}" for screw in screws if screw.number is not None}


def _facts(result: PoseResult, radiographs: Sequence[Radiograph], hashes: Mapping[str, str]) -> list[tuple[str, str]]:
    angle = result.views[0].angle_to(result.views[1])
    facts = [
        ("Report made", now()),
        ("Software", f"SpineScrew {__version__}"),
        ("Angle between the views", number(min(angle, 180 - angle), unit="°")),
        ("Coordinates", "RAS of the geometry, mm"),
    ]
    for n, (image, view) in enumerate(zip(radiographs, result.views, strict=True), start=1):
        rows, columns = image.shape
        step = number(float(view.pixel_mm.mean()), 3, "mm")
        facts.append((f"Image {n}", f"{rows} × {columns} pixels of {step} at the detector"))
    return [*facts, *((f"Hash of {name}", short_hash(value)) for name, value in hashes.items())]


def _image(image: Radiograph, result: PoseResult, index: int) -> ImagePair:
    view = result.given_views[index]
    name = f"View {index + 1}" + (f" ({view.name})" if view.name else "")
    return ImagePair(name, data_uri(image_view(image)), data_uri(found_view(image, result, index)))


def _solid(result: PoseResult) -> tuple[Picture, Picture]:
    problem = rendering_problem() if result.screws else "no screw was solved"
    if problem:
        return Picture(missing=problem), Picture(missing=problem)
    behind, left = solid_views(result)
    return Picture(data_uri(behind)), Picture(data_uri(left))
