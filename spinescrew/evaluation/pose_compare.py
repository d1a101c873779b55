"""Screws found in two radiographs beside the true ones: which is which, and how far they are from each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.evaluation.pose_score import PoseScore
from spinescrew.geometry.vectors import angle_deg
from spinescrew.implants.screw import Screw
from spinescrew.radiographs.regrid import same_part
from spinescrew.radiographs.view import View

if TYPE_CHECKING:
    from spinescrew.radiographs.pose import PosedScrew, PoseResult
    from spinescrew.radiographs.seen import SeenScrew

Floats = NDArray[np.float64]

OWN_MM = 8.0
"""A part seen in one image belongs to the true screw whose ends lie nearest, if they do within this, in the patient."""

_ONE_PLACE_MM = 1.0
"""Screws of both sides often lie on one another in a lateral view: where another true screw is less than this nearer to
a part, the part may be either's."""

_NEAR_PX = 4


@dataclass(frozen=True, eq=False)
class PoseTruth:
    """What two radiographs truly show.

    Attributes
    ----------
    screws:
        RAS mm of ``views``; ``entry`` is where the shaft begins below the head.
    views:
        Where the images were really taken, on the grids of the maps in which screws were sought.
    whole:
        The same of the whole images: a screw counts if both show it from end to end.
    labels:
        Of the whole images, not 0 where they show metal; a screw whose end a collimator hides does not count either.
    """

    screws: tuple[Screw, ...]
    views: tuple[View, View]
    whole: tuple[View, View]
    labels: tuple[NDArray[np.uint8] | None, NDArray[np.uint8] | None] = (None, None)

    @property
    def counted(self) -> tuple[bool, ...]:
        """Of each screw, whether both images show its ends."""
        rows = tuple(zip(self.whole, self.labels, strict=True))
        return tuple(all(_shown(view, labels, screw) for view, labels in rows) for screw in self.screws)


def score_screws(result: PoseResult, truth: PoseTruth, known: Mapping[str, Any]) -> list[PoseScore]:
    """One score for every true screw that both images show, and one for each that was found and is none.

    Parameters
    ----------
    known:
        The fields of a score that are the same for all screws of the pair.
    """
    found: dict[int, PosedScrew] = {}
    extra: list[PosedScrew] = []
    for posed in result.screws:
        own = _own(posed, truth)
        own = _nearest(posed, result, truth) if own is None else own
        if own is None or (own in found and not _wrong(found[own], truth)):
            extra.append(posed)
            continue
        extra += [found[own]] if own in found else []
        found[own] = posed
    scores = [PoseScore(**known, number=0, state="extra", residual_px=float(each.residual_px)) for each in extra]
    counted = truth.counted
    for number, screw in enumerate(truth.screws):
        if not counted[number]:
            continue
        if number not in found:
            scores.append(PoseScore(**known, number=number + 1, state="missed"))
            continue
        posed = found[number]
        differences: dict[str, Any] = compare_poses(posed, _used(result), screw, truth.views[0])
        state: Any = "wrong" if _wrong(posed, truth) else "right"
        scores.append(PoseScore(**known, number=number + 1, state=state, **differences))
    return scores


def missed(truth: PoseTruth, known: Mapping[str, Any], refused: str) -> list[PoseScore]:
    """The scores of a pair that was refused, with the reason."""
    return [
        PoseScore(**known, number=number + 1, state="missed", refused=refused)
        for number, counts in enumerate(truth.counted)
        if counts
    ]


def compare_poses(posed: PosedScrew, view: View, true: Screw, true_view: View) -> dict[str, float]:
    """The fields of a :class:`PoseScore` that tell a found screw from the true one, each in the frame of its own view.

    Both views are of one detector, pixel by pixel; it is the frame (:func:`in_frame`), whatever is said of the source.
    """
    found = posed.screw
    mine = in_frame(view, np.stack([found.entry, (found.entry + found.tip) / 2, found.tip]))
    its = in_frame(true_view, np.stack([true.entry, (true.entry + true.tip) / 2, true.tip]))
    neck, middle, tip = np.linalg.norm(mine - its, axis=1)
    return {
        "angle_deg": angle_deg(mine[2] - mine[0], its[2] - its[0]),
        "mid_mm": float(middle),
        "neck_mm": float(neck),
        "tip_mm": float(tip),
        "diameter_mm": found.shape.diameter_mm - true.shape.diameter_mm,
        "length_mm": found.shape.length_mm - true.shape.length_mm,
        "residual_px": float(posed.residual_px),
        "spread": _spread(posed, view, its),
    }


def _spread(posed: PosedScrew, view: View, its: Floats) -> float:
    """Squared error in standard deviations, of the true ends ``its`` (3, 3) in the view's frame."""
    true = its @ _axes(view) + view.detector_origin
    off = (true[1] - (posed.screw.entry + posed.screw.tip) / 2) @ posed.frame
    direction = (true[2] - true[0]) / np.linalg.norm(true[2] - true[0]) @ posed.frame
    tilt = np.degrees(np.arctan2(direction[:2], direction[2]))
    error = np.concatenate([off, tilt])
    try:
        return float(error @ np.linalg.solve(posed.covariance, error))
    except np.linalg.LinAlgError:
        return float("nan")


def in_frame(view: View, points: Floats) -> Floats:
    """RAS points (n, 3) in the frame of the detector: from the centre of its first pixel along columns, along rows,
    and away from the source."""
    return np.asarray((points - view.detector_origin) @ _axes(view).T)


def _axes(view: View) -> Floats:
    return np.array([view.right, view.down, view.normal])


def _used(result: PoseResult) -> View:
    """The first view as it was refined, on the grid of its maps."""
    return same_part(result.maps[0].view, result.given_views[0], result.views[0])


def _own(posed: PosedScrew, truth: PoseTruth) -> int | None:
    """Which true screw both parts of a found one are; ``None`` where they belong to different ones or to none."""
    away = [_away(seen, truth, n) for n, seen in enumerate(posed.seen)]
    near = [(each <= OWN_MM) & (each <= each.min(initial=np.inf) + _ONE_PLACE_MM) for each in away]
    both = np.flatnonzero(near[0] & near[1])
    return int(both[np.argmin(away[0][both] + away[1][both])]) if len(both) else None


def _away(seen: SeenScrew, truth: PoseTruth, index: int) -> Floats:
    """(screws,) how far the ends of a part seen in one image are from those of each true screw, mm in the patient."""
    view = truth.views[index]
    away = []
    for screw in truth.screws:
        ends = view.project(np.stack([screw.entry, screw.tip]))
        step = view.pixel_mm / view.magnification((screw.entry + screw.tip) / 2)
        off = (np.stack([seen.neck, seen.tip]) - ends) * step
        away.append(float(np.linalg.norm(off, axis=1).mean()))
    return np.array(away)


def _nearest(posed: PosedScrew, result: PoseResult, truth: PoseTruth) -> int | None:
    """The true screw at mid-shaft nearest to one whose parts belong to different screws."""
    screw = posed.screw
    own = in_frame(_used(result), (screw.entry + screw.tip)[None] / 2)[0]
    away = [
        float(np.linalg.norm(in_frame(truth.views[0], (each.entry + each.tip)[None] / 2)[0] - own))
        for each in truth.screws
    ]
    return _least(away, 3 * OWN_MM)


def _wrong(posed: PosedScrew, truth: PoseTruth) -> bool:
    return _own(posed, truth) is None


def _least(away: Sequence[float], most: float) -> int | None:
    best = int(np.argmin(away)) if len(away) else -1
    return best if best >= 0 and away[best] <= most else None


def _shown(view: View, labels: NDArray[np.uint8] | None, screw: Screw) -> bool:
    ends = view.project(np.stack([screw.entry, screw.tip]))
    if not (ends >= 0).all() or (ends > np.array(view.shape[::-1]) - 1).any():
        return False
    if labels is None:
        return True
    reach = _NEAR_PX
    boxes = [
        labels[max(r - reach, 0) : r + reach + 1, max(c - reach, 0) : c + reach + 1]
        for c, r in ends.round().astype(int)
    ]
    return all(bool(box.any()) for box in boxes)
