"""Planned against actual from a CT after the operation: screws found by their metal, vertebrae by their bone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from spinescrew.anatomy.levels import Level
from spinescrew.anatomy.vertebra import Spine
from spinescrew.errors import InputError
from spinescrew.geometry.volume import Volume
from spinescrew.grading.options import GradingOptions
from spinescrew.implants.screw import Screw, ScrewShape
from spinescrew.outcome.compare import Outcome, VertebraFound, compare_plan, match_to_plan
from spinescrew.outcome.ct_registration import register_to_ct
from spinescrew.outcome.metal_lines import MetalLine, metal_lines, metal_threshold, saturation
from spinescrew.outcome.shaft_fit import FittedShaft, fit_shafts
from spinescrew.outcome.start import starts_from_screws
from spinescrew.planning.plan import Plan
from spinescrew.progress import Progress

_SHORTEST_MM = 15.0
_RADII_MM = (1.2, 5.5)
_MOST_UPRIGHT = 0.82
"""Cosine to the patient's long axis: what stands more upright is a rod."""

_LEAST_ANTERIOR = 0.1
_THREAD = (0.72, 1.08)
"""Smooth cylinders of as much metal are so much thinner than the thread's outer diameter, or a little thicker."""

_POOR_FIT_HU = 500.0


@dataclass(frozen=True, eq=False)
class FoundScrew:
    """A screw that a CT shows.

    Attributes
    ----------
    screw:
        ``entry`` is where the shaft begins below its head; ``diameter_mm`` that of a smooth cylinder of as much metal,
        less than the thread's outer diameter.
    residual_hu:
        How well its model fits.
    notes:
        Doubts, for people to read.
    """

    number: int
    screw: Screw
    residual_hu: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class PostopOutcome:
    """All of one comparison: what was found, where the vertebrae lie in the later CT, and the figures."""

    found: tuple[FoundScrew, ...]
    vertebrae: Mapping[Level, VertebraFound]
    outcome: Outcome


def find_screws(ct: Volume, progress: Progress | None = None) -> tuple[FoundScrew, ...]:
    """Every pedicle screw that a CT shows, from the head down, right to left.

    Straight metal of even thickness is followed; what runs along the spine is a rod, what ends in something wider
    behind and in tissue in front is a shaft. Axis, tip, neck and thickness are then fitted to the voxels, also where
    the scale is cut off (:mod:`spinescrew.outcome.shaft_fit`).

    Parameters
    ----------
    ct:
        HU, on an open scale or one that ends at 3071 or the like.

    Raises
    ------
    InputError
        If there is no metal in it.
    """
    progress = progress or Progress()
    threshold = metal_threshold(ct)
    if not (ct.array > threshold).any():
        raise InputError("this CT shows no metal; give the CT taken after the operation")
    shafts = [shaft for shaft in map(_as_shaft, metal_lines(ct, threshold)) if shaft is not None]
    progress.update(0.3, f"{len(shafts)} shafts seen")
    fitted = fit_shafts(ct, shafts, saturation(ct))
    progress.update(1.0, "shafts fitted")
    fitted.sort(key=lambda shaft: (-round(float(shaft.neck[2]) / 12.0), -float(shaft.neck[0])))
    return tuple(_found(number, shaft) for number, shaft in enumerate(fitted, start=1))


def compare_postop(
    plan: Plan,
    spine: Spine,
    later: Volume,
    *,
    later_labels: Volume | None = None,
    same_frame: bool = False,
    start: Any = None,
    options: GradingOptions | None = None,
    progress: Progress | None = None,
) -> PostopOutcome:
    """A plan made on one CT beside the screws of a later one.

    Parameters
    ----------
    plan, spine:
        Of the CT before the operation; ``spine.ct`` is needed unless both share one frame.
    later:
        The CT after it.
    later_labels:
        Its vertebrae (VerSe ids), where they are known: they tell where to start.
    same_frame:
        The plan lies in the frame of ``later`` already: nothing is registered.
    start:
        (4, 4) RAS of the plan's CT to RAS of ``later``, roughly.

    Raises
    ------
    InputError
        If there is no metal, no planned level in view, or no CT to register.
    """
    progress = progress or Progress()
    levels = [level for level in dict.fromkeys(row.level for row in plan.planned) if level in spine.vertebrae]
    if not levels:
        raise InputError("no level of the plan is in the label map; compare with the case the plan was made on")
    found = find_screws(later, progress.part(0.0, 0.4))
    if same_frame:
        vertebrae = {level: VertebraFound(np.eye(4)) for level in levels}
    elif spine.ct is None:
        raise InputError("vertebrae are found in the later CT by the CT of the plan, which is missing; give it")
    else:
        planned = [row.screw for row in plan.planned if row.screw is not None]
        seen = [each.screw for each in found]
        vertebrae = register_to_ct(
            spine.ct, spine.labels, later, levels, later_labels=later_labels, start=start,
            guesses=starts_from_screws(planned, seen) if seen else (), progress=progress.part(0.4, 0.9),
        )  # fmt: skip
    placed = _with_planned_threads(plan, {each.number: each.screw for each in found}, vertebrae)
    outcome = compare_plan(plan, placed, vertebrae, spine, options=options)
    progress.update(1.0, "compared")
    return PostopOutcome(found, vertebrae, outcome)


def _as_shaft(line: MetalLine) -> MetalLine | None:
    """The line from its head to its tip; ``None`` if it is no shaft."""
    if (line.start_free and not line.end_free) or (line.start_free and line.end_free and line.direction[1] < 0):
        line = line.turned()
    if not line.end_free or line.length_mm < _SHORTEST_MM or not _RADII_MM[0] <= line.radius_mm <= _RADII_MM[1]:
        return None
    _, anterior, superior = line.direction
    return line if abs(superior) < _MOST_UPRIGHT and anterior > _LEAST_ANTERIOR else None


def _found(number: int, shaft: FittedShaft) -> FoundScrew:
    length = float(np.linalg.norm(shaft.tip - shaft.neck))
    diameter = 2 * shaft.radius_mm
    notes = []
    if shaft.residual_hu > _POOR_FIT_HU:
        notes.append("the CT around it differs much from a straight shaft: look at it")
    if not 3.0 <= diameter <= 10.5 or not 18.0 <= length <= 130.0:
        notes.append(f"an unusual size ({diameter:.1f} x {length:.0f} mm)")
    shape = ScrewShape(diameter, length, tip_taper_mm=min(shaft.taper_mm, 0.5 * length))
    return FoundScrew(number, Screw(shaft.neck, shaft.tip - shaft.neck, shape), shaft.residual_hu, tuple(notes))


def _with_planned_threads(
    plan: Plan, placed: Mapping[int, Screw], vertebrae: Mapping[Level, VertebraFound]
) -> dict[int, Screw]:
    """Screws with the thread that was planned, where what is seen agrees with it: a CT shows less than the thread."""
    planned = {row.key: row.screw for row in plan.planned if row.screw is not None and row.level in vertebrae}
    changed = dict(placed)
    for key, number in match_to_plan(planned, placed, vertebrae).items():
        screw, thread = placed[number], planned[key].shape.diameter_mm
        if _THREAD[0] <= screw.shape.diameter_mm / thread <= _THREAD[1]:
            changed[number] = replace(screw, shape=replace(screw.shape, diameter_mm=thread))
    return changed
