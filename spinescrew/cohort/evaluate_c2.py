"""How well C2 is assessed: many images whose truth is known, one score for each pedicle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spinescrew.anatomy.frame import SIDES, Side
from spinescrew.errors import InputError
from spinescrew.evaluation.pedicle_score import PedicleScore
from spinescrew.evaluation.segmentation import dice
from spinescrew.feasibility.pose import PediclePose
from spinescrew.geometry.sampling import trilinear
from spinescrew.geometry.sdf import SignedDistance
from spinescrew.geometry.volume import Volume
from spinescrew.phantoms.axis import PEDICLE_LABELS
from spinescrew.progress import Progress
from spinescrew.training.axis_cases import AxisImage, AxisPhantoms, AxisSource
from spinescrew.training.axis_folder import FolderAxisSource

if TYPE_CHECKING:
    from spinescrew.feasibility.assessment import C2Assessment, SideAssessment

    Assess = Callable[..., C2Assessment]

PHANTOMS = "phantoms"
HELD_OUT = 200
BORDER_SHARE = 0.6
"""Share of the held-out pedicles that are made about as wide as the screw needs."""

VIEW_MM = (90.0, 104.0, 80.0)
"""Field of view of the held-out phantoms: wide enough for the longest spinous process."""

SCREW_MM, WALL_MM = 3.5, 0.5
"""A corridor fits if a screw of this diameter leaves this much bone."""

PEDICLE_REACH_MM, PEDICLE_RADIUS_MM = 9.0, 6.0
"""The pedicle's surface lies this far along its axis on both sides of the isthmus, and this near the axis."""

_NEAR_MM = 0.5
_NAN = float("nan")


def held_out_axes(folder: Path, count: int = HELD_OUT, slice_mm: float | None = None, first: int = 0) -> AxisSource:
    """Phantoms with shapes and scanners that training never draws; the same patients at every slice thickness."""
    from spinescrew.phantoms.axis import generator_hash, make_axis_case

    make = partial(make_axis_case, held_out=True, border_share=BORDER_SHARE, slice_mm=slice_mm, crop=VIEW_MM)
    name = "any-slices" if slice_mm is None else f"{slice_mm:g}mm"
    return AxisPhantoms(make, Path(folder) / name, count, generator_hash(), first=first)


def sources_of(data: str, folder: Path, count: int, slices_mm: Sequence[float], first: int = 0) -> list[AxisSource]:
    """``"phantoms"``, once for each slice thickness (a scanner's own without any), or the cases of a folder.

    Raises
    ------
    InputError
        If the folder cannot be used, or a thickness or a first seed is asked of one.
    """
    if data == PHANTOMS:
        return [held_out_axes(folder, count, slice_mm, first) for slice_mm in slices_mm or (None,)]
    if slices_mm:
        raise InputError("a slice thickness can be chosen of phantoms only; leave out --slice-mm or --data")
    if first:
        raise InputError("a first seed can be chosen of phantoms only; leave out --first or --data")
    return [FolderAxisSource(data)]


def score_images(
    source: AxisSource, assess: Assess | None = None, progress: Progress | None = None
) -> list[PedicleScore]:
    """Assess every image of a source and compare both sides with what is known.

    Parameters
    ----------
    assess:
        ``assess(ct, progress=...)``; :func:`spinescrew.feasibility.assessment.assess_c2` when left out. What it
        refuses becomes a score with the reason for either side.
    """
    assess = assess or _own_assessment()
    progress = progress or Progress()
    names = _names(source)
    scores: list[PedicleScore] = []
    for number, name in enumerate(names):
        part = progress.part(number / len(names), (number + 1) / len(names))
        part.update(0.0, f"image {number + 1} of {len(names)}")
        image = source[number]
        known = {side: _known(name, side, image) for side in SIDES}
        try:
            found = assess(image.ct, progress=part)
        except InputError as error:
            scores += [PedicleScore(**known[side], refused=str(error)) for side in SIDES]
        else:
            scores += [PedicleScore(**known[side], **_said(found, image, side)) for side in SIDES]
    return scores


def _names(source: AxisSource) -> Sequence[int | str]:
    """Of cases as a folder lists them; seeds of phantoms."""
    if isinstance(source, FolderAxisSource):
        return source.names
    return source.seeds if isinstance(source, AxisPhantoms) else range(len(source))


def _own_assessment() -> Assess:
    from spinescrew.feasibility.assessment import assess_c2

    return assess_c2


def _known(name: int | str, side: Side, image: AxisImage) -> dict[str, Any]:
    """Columns of a score that do not depend on the assessment."""
    known = {"case": name, "side": side, "slice_mm": float(image.ct.spacing.max()), "feasible": None}
    if truth := image.truth.get(side):
        known |= {"feasible": truth.feasible, "true_probability": truth.probability, "true_mpd_mm": truth.mpd_mm}
    return known


def _said(found: C2Assessment, image: AxisImage, side: Side) -> dict[str, Any]:
    """Columns of a score that the assessment fills."""
    if side not in found.sides:
        return {"refused": f"the {side} side was not assessed"}
    own: SideAssessment = found.sides[side]
    margin = own.measures.corridors[SCREW_MM].margin_mm if SCREW_MM in own.measures.corridors else None
    return {
        "probability": own.probability,
        "low": own.low,
        "high": own.high,
        "network": own.network,
        "own_width_mm": own.measures.outer_width_mm,
        "corridor_fits": None if margin is None else margin >= WALL_MM,
        "corridor_margin_mm": _NAN if margin is None else margin,
        "dice": _dice(found.pedicles, image.pedicles, side),
        "wall_mm": _wall(found.bone, image, side),
    }


def _dice(found: Volume, true: Volume, side: Side) -> float:
    reference = true.array == PEDICLE_LABELS[side]
    return dice(found.array == PEDICLE_LABELS[side], reference) if reference.any() else _NAN


def _wall(bone: SignedDistance, image: AxisImage, side: Side) -> float:
    truth = image.truth.get(side)
    if truth is None or truth.depth is None:
        return _NAN
    return wall_error_mm(bone, truth.depth, image.poses[side])


def wall_error_mm(bone: SignedDistance, depth: Volume, pose: PediclePose) -> float:
    """Mean distance of the surface found from the true one around a pedicle; NaN where nothing was found there.

    Points of the surface found are taken, and the true ``depth`` (mm) is read there.
    """
    near = np.argwhere(np.abs(bone.volume.array) < _NEAR_MM)
    points = bone.volume.index_to_ras(near)
    arm = points - pose.isthmus
    along = arm @ pose.forwards
    off = np.linalg.norm(arm - along[:, None] * pose.forwards, axis=1)
    points = points[(np.abs(along) < PEDICLE_REACH_MM) & (off < PEDICLE_RADIUS_MM)]
    if not len(points):
        return _NAN
    points = points - bone.sample(points)[:, None] * bone.gradient(points)
    return float(np.abs(trilinear(depth, points)).mean())
