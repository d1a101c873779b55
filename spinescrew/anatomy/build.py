"""From a label map to measured vertebrae."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from spinescrew.anatomy.body import Body, densest_point, fit_body, sacral_centre
from spinescrew.anatomy.canal import find_canal
from spinescrew.anatomy.cortex import inner_sizes
from spinescrew.anatomy.facets import find_facet
from spinescrew.anatomy.frame import SIDES, Side
from spinescrew.anatomy.levels import Level, cranial_to_caudal, position
from spinescrew.anatomy.morphometry import usual_pedicle
from spinescrew.anatomy.pedicle import find_pedicle, find_sacral_pedicle
from spinescrew.anatomy.vertebra import Canal, FacetJoint, Pedicle, Spine, Vertebra
from spinescrew.errors import GeometryError, InputError
from spinescrew.geometry.sdf import SignedDistance
from spinescrew.geometry.volume import Volume
from spinescrew.progress import Progress

Floats = NDArray[np.float64]

_SACRUM_KEPT_MM = 75.0
_FRAGMENT_MM3 = 1500.0


def build_spine(
    labels: Volume, ct: Volume | None = None, levels: Sequence[Level] | None = None, progress: Progress | None = None
) -> Spine:
    """Measure the vertebrae of a label map.

    Parameters
    ----------
    labels:
        VerSe ids (:func:`spinescrew.anatomy.numbering.to_verse` gives them), any grid.
    ct:
        The CT, on any grid in the same patient space; used for densities and inner cortices only.
    levels:
        Those wanted; their neighbours are measured too, as far as they are in view. All when left out.

    Returns
    -------
    Spine
        What could not be measured stands in ``skipped`` or in a vertebra's ``missing``, with the reason.

    Raises
    ------
    InputError
        If none of the wanted levels is in the label map.
    """
    progress = progress or Progress()
    present = [level for level in cranial_to_caudal() if (labels.array == level.value).any()]
    wanted = present if levels is None else [level for level in levels if level in present]
    if not wanted:
        asked = "any vertebra" if levels is None else ", ".join(level.label for level in levels)
        held = ", ".join(level.label for level in present) or "no vertebra at all"
        raise InputError(f"the label map does not hold {asked}; it holds {held}")
    taken = _with_neighbours(wanted, present)
    skipped = {level: "not in the label map" for level in (levels or ()) if level not in present}
    vertebrae = measure(labels, ct, taken, skipped, progress=progress)
    return Spine(vertebrae, labels, ct, skipped, dict(labels.metadata))


def measure(
    labels: Volume,
    ct: Volume | None,
    levels: Sequence[Level],
    skipped: dict[Level, str],
    *,
    bones: Mapping[Level, SignedDistance] | None = None,
    kept: Mapping[Level, Vertebra] | None = None,
    progress: Progress | None = None,
) -> dict[Level, Vertebra]:
    """Measure ``levels`` (from the head down); the reason why one could not be is added to ``skipped``.

    Parameters
    ----------
    bones:
        Surfaces that are known already and are not made again.
    kept:
        Vertebrae that hold as they are; their surfaces are taken from them.
    """
    progress, kept = progress or Progress(), kept or {}
    known = {**(bones or {}), **{level: vertebra.bone for level, vertebra in kept.items()}}
    surfaces = find_surfaces(labels, levels, skipped, known, progress.part(0.0, 0.7))
    again = [level for level in surfaces if level not in kept]
    bodies = _bodies(surfaces, labels, again, skipped)
    found = dict(kept)
    for n, level in enumerate(bodies):
        progress.update(0.7 + 0.3 * n / len(bodies), f"parts of {level.label}")
        upper = _adjacent_above(level, surfaces)
        found[level] = _vertebra(level, surfaces[level], bodies[level], upper, labels, ct)
    progress.update(1.0, "vertebrae measured")
    return {level: found[level] for level in surfaces if level in found}


def find_surfaces(
    labels: Volume,
    levels: Sequence[Level],
    skipped: dict[Level, str],
    known: Mapping[Level, SignedDistance] | None = None,
    progress: Progress | None = None,
) -> dict[Level, SignedDistance]:
    """Signed distance of each of ``levels`` (from the head down) that is not ``known`` already."""
    progress, known = progress or Progress(), known or {}
    surfaces: dict[Level, SignedDistance] = {}
    for n, level in enumerate(levels):
        progress.update(n / len(levels), f"surface of {level.label}")
        try:
            surfaces[level] = known[level] if level in known else _surface(labels, level, surfaces)
        except GeometryError as error:
            skipped[level] = str(error)
    return surfaces


def _with_neighbours(wanted: Sequence[Level], present: Sequence[Level]) -> list[Level]:
    ranks = {present.index(level) for level in wanted}
    around = {rank + step for rank in ranks for step in (-1, 0, 1)}
    return [present[rank] for rank in sorted(around) if 0 <= rank < len(present)]


def _surface(labels: Volume, level: Level, above: dict[Level, SignedDistance]) -> SignedDistance:
    """Signed distance of one label; of a whole sacrum only the upper part, which S1 and its alae fill."""
    mask = labels.with_array(labels.array == level.value)
    used = [np.flatnonzero(mask.array.any(axis=tuple(a for a in range(3) if a != axis))) for axis in range(3)]
    low, high = np.array([u[0] for u in used]), np.array([u[-1] + 1 for u in used])
    volume_mm3 = float(mask.array.sum()) * abs(float(np.linalg.det(mask.affine[:3, :3])))
    if volume_mm3 < _FRAGMENT_MM3:
        raise GeometryError(f"only a fragment of {level.label} is in the label map ({volume_mm3 / 1000:.1f} cm3)")
    pad = np.ceil(12.0 / mask.spacing).astype(int)
    mask = mask.crop(low - pad, high + pad)
    if level is Level.S1:
        mask = _upper_sacrum(mask, above)
    return SignedDistance.from_mask(mask)


def _upper_sacrum(mask: Volume, above: dict[Level, SignedDistance]) -> Volume:
    """The sacrum cut off ``_SACRUM_KEPT_MM`` below its top, along the volume axis nearest to the spine."""
    inside = np.argwhere(mask.array)
    centre = mask.index_to_ras(inside.mean(axis=0))
    lumbar = [densest_point(bone) for bone in above.values()]
    up = lumbar[-1] - centre if lumbar else np.array([0.0, 0.0, 1.0])
    step = mask.affine[:3, :3].T @ up / mask.spacing
    axis = int(np.abs(step).argmax())
    keep = int(np.ceil(_SACRUM_KEPT_MM / mask.spacing[axis]))
    low, high = np.zeros(3, int), np.array(mask.shape)
    if step[axis] > 0:
        low[axis] = max(inside[:, axis].max() + 1 - keep, 0)
    else:
        high[axis] = min(inside[:, axis].min() + keep, mask.shape[axis])
    return mask.crop(low, high)


def _bodies(
    bones: dict[Level, SignedDistance], view: Volume, wanted: Sequence[Level], skipped: dict[Level, str]
) -> dict[Level, Body]:
    """Body and frame of each wanted vertebra, from the head down; tangents come from the neighbours."""
    centres: dict[Level, Floats] = {
        level: densest_point(bone) for level, bone in bones.items() if level is not Level.S1
    }
    order = list(centres)

    def presacral(level: Level) -> Body:
        n = order.index(level)
        high, low = centres[order[max(n - 1, 0)]], centres[order[min(n + 1, len(order) - 1)]]
        tangent = high - low if len(order) > 1 else np.array([0.0, 0.0, 1.0])
        return fit_body(bones[level], centres[level], tangent, view)

    found: dict[Level, Body] = {}
    for level in wanted:
        try:
            if level is Level.S1:
                above = next((other for other in reversed(order) if position(other) >= position(Level.L4)), None)
                upper = None if above is None else found.get(above) or presacral(above)
                start = None if upper is None else sacral_centre(bones[level], upper)
                if start is None:
                    raise GeometryError("the endplate of S1 is found from the vertebra above it, which is not in view")
                found[level] = fit_body(bones[level], start[0], start[1], view, sacral=True)
            else:
                found[level] = presacral(level)
        except GeometryError as error:
            skipped[level] = str(error)
    return found


def _adjacent_above(level: Level, bones: dict[Level, SignedDistance]) -> SignedDistance | None:
    rank = position(level)
    above = [other for other in bones if position(other) < rank]
    rare = {Level.T13, Level.L6}
    if not above:
        return None
    between = cranial_to_caudal()[position(above[-1]) + 1 : rank]
    return bones[above[-1]] if all(other in rare for other in between) else None


def _vertebra(
    level: Level, bone: SignedDistance, body: Body, upper: SignedDistance | None, labels: Volume, ct: Volume | None
) -> Vertebra:
    missing: dict[str, str] = {}
    pedicles = _pedicles(level, bone, body, ct, missing)
    canal: Canal | None = None
    try:
        canal = find_canal(bone, body, list(pedicles.values()))
    except GeometryError as error:
        missing["canal"] = str(error)
    facets: dict[Side, FacetJoint] = {}
    for side in SIDES:
        if upper is None:
            missing[f"facet {side}"] = "the vertebra above is not in view"
            continue
        try:
            facets[side] = find_facet(bone, upper, body, side)
        except GeometryError as error:
            missing[f"facet {side}"] = str(error)
    return Vertebra(
        level=level,
        bone=bone,
        frame=body.frame,
        pedicles=pedicles,
        canal=canal,
        facets=facets,
        missing=missing,
        cut=_cut_sides(level, body, labels),
        interpedicular_mm=_interpedicular(pedicles),
    )


def _pedicles(
    level: Level, bone: SignedDistance, body: Body, ct: Volume | None, missing: dict[str, str]
) -> dict[Side, Pedicle]:
    usual = usual_pedicle(level)
    found: dict[Side, Pedicle] = {}
    for side in SIDES:
        if usual is None:
            missing[side] = f"pedicles of {level.label} are not measured by this version (T1 to S1 are)"
            continue
        try:
            find = find_sacral_pedicle if level is Level.S1 else find_pedicle
            pedicle = find(bone, body, side, usual)
        except GeometryError as error:
            missing[side] = str(error)
            continue
        if ct is not None:
            sizes = inner_sizes(ct, bone, pedicle)
            if sizes is not None:
                pedicle = replace(pedicle, inner_width_mm=sizes[0], inner_height_mm=sizes[1], inner_source="ct")
        found[side] = pedicle
    return found


def _interpedicular(pedicles: dict[Side, Pedicle]) -> float:
    """Distance between the medial walls at the isthmus."""
    if len(pedicles) < 2:
        return float("nan")
    walls = [p.isthmus + p.medial * p.width_mm / 2 for p in pedicles.values()]
    return float(np.linalg.norm(walls[0] - walls[1]))


def _cut_sides(level: Level, body: Body, labels: Volume) -> tuple[str, ...]:
    """Patient sides on which the edge of the image cuts body or pedicles (a cut spinous process does not count)."""
    frame, names = body.frame, []
    for axis in range(3):
        for end in (0, labels.shape[axis] - 1):
            face = np.take(labels.array, end, axis=axis) == level.value
            if not face.any():
                continue
            index = np.insert(np.argwhere(face), axis, end, axis=1)
            local = frame.to_local(labels.index_to_ras(index))
            # A cut spinous process or lower sacrum takes nothing from a pedicle screw.
            near = (local[:, 1] > -body.half_depth_mm - 22.0) & (np.abs(local[:, 2]) < body.half_height_mm + 15.0)
            if near.sum() < 4:
                continue
            outward = labels.affine[:3, axis] * (1.0 if end else -1.0)
            main = int(np.abs(outward).argmax())
            pair = (("left", "right"), ("posterior", "anterior"), ("inferior", "superior"))[main]
            names.append(pair[int(outward[main] > 0)])
    return tuple(dict.fromkeys(names))
