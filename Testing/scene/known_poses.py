"""Six screws in two views, solved without any network: images, maps and poses are those of the truth."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import numpy as np

from spinescrew.anatomy.levels import Level
from spinescrew.geometry.vectors import orthogonal_pair, unit
from spinescrew.implants.mesh import posed_mesh
from spinescrew.implants.screw import Screw, ScrewShape
from spinescrew.outcome.compare import Outcome, ScrewOutcome
from spinescrew.outcome.shift import Shift
from spinescrew.radiographs import Radiograph, from_c_arm, triangulate
from spinescrew.radiographs.metal import metal_path
from spinescrew.radiographs.pose import PosedScrew, PoseResult
from spinescrew.radiographs.recalibration import UNKNOWNS, told
from spinescrew.radiographs.screw_maps import ScrewMaps
from spinescrew.radiographs.seen import SeenScrew

PIXELS = 384
ANGLES = ((0.0, 0.0), (72.0, 4.0))
BINNED = 2
AS_GIVEN = told(np.zeros(UNKNOWNS), False)


def the_views(pixels=PIXELS):
    """AP, and an oblique lateral."""
    return tuple(from_c_arm(*angles, pixel_mm=297.0 / pixels, shape=(pixels, pixels)) for angles in ANGLES)


def the_screws():
    """Three levels, left before right, from the head down."""
    found = []
    for level in range(3):
        for side in (-1, 1):
            entry = np.array([side * (17.0 + level), -28.0 + 2.0 * level, 34.0 - 34.0 * level])
            direction = unit([-side * (0.22 + 0.06 * level), 1.0, 0.12 - 0.1 * level])
            found.append(Screw(entry, direction, ScrewShape(6.0 + 0.5 * level, 40.0 + 5.0 * (level == 1))))
    return tuple(found)


def _radiograph(view, screws):
    """Metal before a soft spine; metal is dark, as in fluoroscopy."""
    random = np.random.default_rng(3)
    rows, columns = view.shape
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    soft = 9.0 - 3.0 * x**2 + 2.2 * np.exp(-((x / 0.3) ** 2)) * (1 + 0.25 * np.cos(9.0 * y))
    metal = sum(metal_path(view, *posed_mesh(screw)) for screw in screws)
    signal = 4000 * np.exp(-0.25 * soft - 0.3 * metal) + 60
    return Radiograph((signal + random.normal(0, 6, view.shape)).astype(np.float32), bright_is_dense=False)


def _maps(view, screws):
    """The truth of each pixel on a coarser grid."""
    grid = view.binned(BINNED)
    shaft, head = np.zeros((2, *grid.shape), np.float32)
    for screw in screws:
        points, triangles = posed_mesh(screw, threaded=False)
        along = (points - screw.entry) @ screw.direction
        upper = (along[triangles] < -0.5).any(axis=1)
        whole = metal_path(grid, points, triangles) > 0.3
        columns = _filled(grid, points[np.unique(triangles[upper])])
        head[whole & columns] = 0.96
        shaft[whole & ~columns] = 0.94
    nothing = np.zeros(grid.shape, np.float32)
    arrows = np.zeros((2, *grid.shape), np.float32)
    return ScrewMaps(grid, shaft, head, nothing, nothing, arrows, arrows)


def _filled(grid, points):
    from matplotlib.path import Path
    from scipy.spatial import ConvexHull

    pixels = grid.project(points)
    y, x = np.mgrid[: grid.shape[0], : grid.shape[1]]
    inside = Path(pixels[ConvexHull(pixels).vertices]).contains_points(np.column_stack([x.ravel(), y.ravel()]))
    return inside.reshape(grid.shape)


def _seen(grid, screw):
    neck, tip = grid.project(np.stack([screw.entry, screw.tip]))
    head = grid.project(screw.entry - 8.0 * screw.direction)
    magnified = grid.magnification(screw.entry) / grid.pixel_mm[0]
    return SeenScrew(neck, tip, float(screw.shape.radius_mm * magnified), head, 0.93)


def _posed(number, screw, seen, notes=()):
    u, v = orthogonal_pair(screw.direction, (0.0, 0.0, 1.0))
    covariance = np.diag(np.array([0.21, 0.24, 0.5, 0.4, 0.45]) ** 2)
    frame = np.column_stack([u, v, screw.direction])
    return PosedScrew(
        number=number,
        side="left" if number % 2 else "right",
        level=(number + 1) // 2,
        screw=screw,
        covariance=covariance,
        frame=frame,
        roll_deg=None,
        tulip_axis=screw.direction,
        slot_deg=None,
        sizes_given=False,
        size_sd_mm=(0.15, 0.5),
        residual_px=0.6,
        seen=seen,
        notes=notes,
    )


@cache
def solved(pixels=PIXELS):
    """``radiographs``, ``result`` and ``screws``; the last screw of the right is matched to none."""
    views, screws = the_views(pixels), the_screws()
    maps = tuple(_maps(view, screws) for view in views)
    radiographs = tuple(_radiograph(view, screws) for view in views)
    seen = [tuple(_seen(one.view, screw) for one in maps) for screw in screws]
    posed = tuple(_posed(n, screw, pair) for n, (screw, pair) in enumerate(zip(screws[:5], seen[:5], strict=True), 1))
    posed = (*posed[:4], replace(posed[4], notes=("the shaft crosses that of screw 6 in view 2",)))
    unmatched = ((seen[5][0],), (seen[5][1],))
    result = PoseResult(
        views=views,
        given_views=views,
        screws=posed,
        unmatched=unmatched,
        calibration=AS_GIVEN,
        maps=maps,
        warnings=("one screw of each view has no partner",),
        seconds={"solve": 0.4},
    )
    return SimpleNamespace(radiographs=radiographs, result=result, screws=screws, views=views)


def with_match(result, pairs):
    """The poses of other pairs, by triangulating their ends."""
    posed = tuple(_solved_again(result, number, pair) for number, pair in enumerate(pairs, start=1))
    every = [[one.seen[n] for one in result.screws] + list(result.unmatched[n]) for n in range(2)]
    used = [{id(pair[n]) for pair in pairs} for n in range(2)]
    unmatched = tuple(tuple(seen for seen in every[n] if id(seen) not in used[n]) for n in range(2))
    return replace(result, screws=posed, unmatched=unmatched)


def with_axis(result, number, view_index, neck, tip):
    """The poses with one axis of one view replaced."""
    old = next(one for one in result.screws if one.number == number)
    seen = list(old.seen)
    seen[view_index] = replace(seen[view_index], neck=np.asarray(neck), tip=np.asarray(tip))
    new = _solved_again(result, number, tuple(seen))
    return replace(result, screws=tuple(new if one is old else one for one in result.screws))


def _solved_again(result, number, pair):
    grids = [one.view for one in result.maps]
    ends = np.stack([np.stack([seen.neck, seen.tip]) for seen in pair])
    points, gaps = triangulate(grids, ends)
    screw = Screw.between(points[0], points[1], 6.5)
    return replace(_posed(number, screw, pair), residual_px=float(gaps.max()))


def use_known_solver(monkeypatch):
    """Corrections are solved by triangulation alone."""
    from spinescrew.radiographs import pose

    monkeypatch.setattr(pose, "with_match", with_match)
    monkeypatch.setattr(pose, "with_axis", with_axis)


LEVELS = ((Level.L3, "left"), (Level.L3, "right"), (Level.L4, "left"), (Level.L4, "right"), (Level.L5, "left"))
"""Where the screws of :func:`solved` were planned, by number."""


class KnownPlan:
    """The plan of the screws: what was placed lies 2 mm more medial at its tip, its vertebrae where the CT has them."""

    words = "every vertebra is where the CT has it"

    def compare(self, result):
        vertebrae = {level: SimpleNamespace(pose=np.eye(4)) for level, _side in LEVELS}
        rows = tuple(_placed(posed) for posed in result.screws if posed.number <= len(LEVELS))
        return SimpleNamespace(found=Outcome(rows), vertebrae=vertebrae, words=self.words, inclusive=False)


def _placed(posed):
    level, side = LEVELS[posed.number - 1]
    planned = Screw.between(posed.screw.entry, posed.screw.tip + (2.0, 0.0, 0.0), posed.screw.shape.diameter_mm)
    entry, tip = Shift(0.0, 0.0, 0.0, 0.0), Shift(2.0, 2.0, 0.0, 0.0)
    return ScrewOutcome(
        level, side, posed.number, planned, posed.screw, entry, tip, tip, angle_deg=2.9, reason="not gradable: a test"
    )
