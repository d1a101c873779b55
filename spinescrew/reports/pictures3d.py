"""The 3D pictures of a report: all vertebrae with their screws, and one vertebra with one screw."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.frame import side_sign
from spinescrew.anatomy.levels import Level
from spinescrew.anatomy.vertebra import Spine, Vertebra
from spinescrew.geometry.sdf import SignedDistance
from spinescrew.geometry.vectors import orthogonal_pair, unit
from spinescrew.implants.screw import Screw
from spinescrew.planning.plan import Plan, PlannedScrew
from spinescrew.reports.drawing import DPI, MM_PER_INCH, corner_words, finish, scale_bar, view_figure, write
from spinescrew.reports.palette import BONE, grade_colour
from spinescrew.reports.render3d import BonePart, ScrewPart, render
from spinescrew.reports.slices import ViewPlane

Floats = NDArray[np.float64]
PALE_BONE = "#F3EFE8"
RIGHT, ANTERIOR, SUPERIOR = np.eye(3)
ON_PAPER_MM = (90.0, 106.0)
NAME_ROOM_MM = 16.0
EDGE_ROOM_MM = 12.0
NAME_BAND_MM = 8.0


def overview_pictures(plan: Plan, spine: Spine) -> tuple[bytes, bytes]:
    """PNGs of all vertebrae with the plan's screws, from behind and from the patient's left, at one scale."""
    corners = np.concatenate([_surface_points(vertebra.bone) for vertebra in spine.vertebrae.values()])
    views = ((RIGHT, ("left", "right")), (-ANTERIOR, ("anterior", "posterior")))
    width = max(float(np.ptp(corners @ right)) for right, _ in views) + 2 * NAME_ROOM_MM
    height = float(np.ptp(corners @ SUPERIOR)) + 2 * EDGE_ROOM_MM
    paper = ON_PAPER_MM[0] / ON_PAPER_MM[1]
    width, height = max(width, height * paper), max(height, width / paper)
    middle = (corners.min(axis=0) + corners.max(axis=0)) / 2
    posterior, lateral = (
        _overview(
            plan,
            spine,
            ViewPlane(middle, right, SUPERIOR, width, height, height * MM_PER_INCH / (DPI * ON_PAPER_MM[1])),
            words,
        )
        for right, words in views
    )
    return posterior, lateral


def _overview(plan: Plan, spine: Spine, plane: ViewPlane, words: tuple[str, str]) -> bytes:
    used = {row.level for row in plan.screws}
    bones = [BonePart(v.bone, BONE if v.level in used else PALE_BONE, spine.labels) for v in spine.vertebrae.values()]
    screws = [ScrewPart(row.screw, _colour(row)) for row in plan.screws if row.screw is not None]
    figure, axes = view_figure(plane, ON_PAPER_MM[0] / plane.width_mm)
    axes.imshow(render(bones, screws, plane), extent=plane.extent)
    for level, vertebra in spine.vertebrae.items():
        _level_name(axes, level, vertebra, plane)
    corner_words(axes, plane, words)
    scale_bar(axes, plane, 50.0, dark=False)
    return finish(figure)


def _level_name(axes: object, level: Level, vertebra: Vertebra, plane: ViewPlane) -> None:
    """The level's name beside the bone, on the picture's left."""
    points = plane.project(_surface_points(vertebra.bone))
    height = float(plane.project(vertebra.frame.origin)[1])
    near = points[np.abs(points[:, 1] - height) < NAME_BAND_MM]
    edge = float((near if len(near) else points)[:, 0].min())
    write(axes, edge - 3.0, height, level.name, dark=False, ha="right", bold=True)  # type: ignore[arg-type]


def vertebra_picture(row: PlannedScrew, screw: Screw, spine: Spine, vertebra: Vertebra, size_mm: float = 60.0) -> bytes:
    """PNG of one vertebra and its screw, seen from behind, above and the screw's side."""
    frame = vertebra.frame
    towards = unit(-frame.anterior + 0.55 * side_sign(row.side) * frame.right + 0.75 * frame.superior)
    up, _ = orthogonal_pair(towards, frame.superior)
    right = np.cross(up, towards)
    points = np.concatenate([_surface_points(vertebra.bone), [screw.entry, screw.tip]])
    across, upward = points @ right, points @ up
    reach = max(np.ptp(across), np.ptp(upward)) * 1.08
    middle = points.mean(axis=0)
    middle = middle + ((across.max() + across.min()) / 2 - middle @ right) * right
    middle = middle + ((upward.max() + upward.min()) / 2 - middle @ up) * up
    plane = ViewPlane(middle, right, up, reach, reach, reach * MM_PER_INCH / (DPI * size_mm))
    picture = render(
        [BonePart(vertebra.bone, BONE, spine.labels)], [ScrewPart(screw, _colour(row), frame.superior)], plane
    )
    figure, axes = view_figure(plane, size_mm / reach)
    axes.imshow(picture, extent=plane.extent)
    scale_bar(axes, plane, 20.0, dark=False)
    return finish(figure)


def _colour(row: PlannedScrew) -> str:
    return grade_colour(row.assessment.gertzbein_robbins if row.assessment else None)


def _surface_points(bone: SignedDistance, most: int = 4000) -> Floats:
    """Some RAS points (n, 3) inside a bone, enough to know how far it reaches."""
    index = np.argwhere(bone.volume.array < 0)
    return bone.volume.index_to_ras(index[:: max(1, len(index) // most)])
