"""What an execution error does to a grade: Monte Carlo over displaced screws."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spinescrew.anatomy.frame import Side
from spinescrew.anatomy.levels import Level
from spinescrew.anatomy.vertebra import Spine
from spinescrew.errors import InputError
from spinescrew.grading.assessment import ExecutionRisk
from spinescrew.grading.options import GradingOptions
from spinescrew.grading.pedicle import survey_pedicle
from spinescrew.grading.scales import LETTERS, NOT_GRADABLE, gertzbein_robbins
from spinescrew.grading.setting import Setting, part_in_view, prepare
from spinescrew.grading.shaft import Shaft
from spinescrew.grading.zone import GRADABLE, graded_zone
from spinescrew.implants.screw import Screw

Floats = NDArray[np.float64]


def execution_risk(
    screw: Screw,
    spine: Spine,
    level: Level,
    side: Side,
    options: GradingOptions | None = None,
    draws: int = 500,
    entry_sd_mm: float = 1.0,
    angle_sd_deg: float = 2.0,
    seed: int = 0,
) -> ExecutionRisk:
    """Share of draws with each Gertzbein-Robbins letter when the screw is placed with a stated error.

    In each draw the entry is displaced along both directions across the axis, and the direction is turned about both
    of them (about the displaced entry), independently and normally distributed.

    Returns
    -------
    ExecutionRisk
        ``probabilities`` of A to E, and of ``"not gradable"`` where that occurs; they add up to 1. The same ``seed``
        gives the same draws.

    Raises
    ------
    InputError
        If the spine does not hold the level, or a figure of the error makes no sense.
    """
    if draws < 1 or not (0 <= entry_sd_mm <= 20 and 0 <= angle_sd_deg <= 30):
        raise InputError("an execution risk needs at least one draw, 0 to 20 mm and 0 to 30 degrees of error")
    options = options or GradingOptions()
    setting = prepare(screw, spine, level, side, options)
    counts = dict.fromkeys((*LETTERS, NOT_GRADABLE), 0)
    if setting.pedicle is None or setting.refusal:
        counts[NOT_GRADABLE] = draws
    else:
        random = np.random.default_rng(seed)
        turn = np.tan(np.radians(angle_sd_deg))
        spread = np.array([entry_sd_mm, entry_sd_mm, turn, turn])
        for margin in _margins(setting, random.normal(size=(draws, 4)) * spread, options):
            letter = NOT_GRADABLE if np.isnan(margin) else gertzbein_robbins(max(margin, 0.0), options.inclusive)
            counts[letter] += 1
    shares = {letter: count / draws for letter, count in counts.items() if letter in LETTERS or count}
    return ExecutionRisk(shares, draws, entry_sd_mm, angle_sd_deg, seed)


def _margins(setting: Setting, moves: Floats, options: GradingOptions) -> list[float]:
    """Margin in mm of each displaced screw; NaN where it cannot be graded."""
    out = np.empty(len(moves))
    _survey_draws(
        setting.field,
        setting.grid,
        setting.shaft,
        setting.neck,
        setting.circle,
        setting.medial,
        setting.superior,
        moves,
        options.step_mm,
        options.entry_exclusion_mm,
        options.view_margin_mm,
        out,
    )
    return out.tolist()


@njit(cache=True)
def _survey_draws(field, grid, shaft, neck, circle, medial, superior, moves, step, exclusion, margin, out):  # type: ignore[no-untyped-def]
    for n in range(moves.shape[0]):
        entry = shaft.entry + moves[n, 0] * shaft.u + moves[n, 1] * shaft.v
        direction = shaft.direction + moves[n, 2] * shaft.u + moves[n, 3] * shaft.v
        direction = direction / np.sqrt((direction * direction).sum())
        u = shaft.u - (shaft.u * direction).sum() * direction
        u = u / np.sqrt((u * u).sum())
        v = np.cross(direction, u)
        if (v * shaft.v).sum() < 0.0:
            v = -v
        moved = Shaft(entry, direction, u, v, shaft.length, shaft.radius, shaft.taper, shaft.tip_radius)
        zone = graded_zone(field, moved, neck, exclusion)
        out[n] = np.nan
        if zone.status != GRADABLE or not part_in_view(grid, moved, zone.start, zone.end, margin, circle):
            continue
        found = survey_pedicle(field, grid, moved, neck, zone, circle, medial, superior, step, exclusion, False)
        if not found.cut:
            out[n] = found.margin
