"""Vertebrae measured anew where a label map was corrected, and nowhere else."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.ndimage import find_objects

from spinescrew.anatomy.body import densest_point
from spinescrew.anatomy.build import find_surfaces, measure
from spinescrew.anatomy.levels import Level, cranial_to_caudal
from spinescrew.anatomy.vertebra import Spine
from spinescrew.errors import InputError
from spinescrew.geometry.sdf import SignedDistance
from spinescrew.geometry.volume import Volume


def changed_levels(before: Volume, after: Volume) -> frozenset[Level]:
    """Levels that differ in any voxel between two label maps (VerSe ids) on the same grid.

    Raises
    ------
    InputError
        If the grids differ: then nothing can be compared.
    """
    if not before.same_grid(after):
        raise InputError("the corrected labels lie on another grid than those that were planned on; plan again on them")
    differs = before.array != after.array
    box = find_objects(differs.astype(np.uint8))
    if not box:
        return frozenset()
    inside = differs[box[0]]
    values = np.union1d(before.array[box[0]][inside], after.array[box[0]][inside])
    return frozenset(level for level in cranial_to_caudal() if level.value in values)


def update_spine(spine: Spine, labels: Volume, changed: frozenset[Level]) -> Spine:
    """The spine as :func:`spinescrew.anatomy.build.build_spine` would measure it, at a fraction of the time.

    Only the changed vertebrae get new surfaces. Besides them those are measured again that depend on them: the next
    one below, for its facet joints, and both neighbours where the centre of a body moved, for their tangents.

    Parameters
    ----------
    spine:
        Before the correction.
    labels, changed:
        After it, and what differs (:func:`changed_levels`).

    Raises
    ------
    InputError
        If no vertebra is left.
    """
    values = {int(value) for value in np.unique(labels.array)}
    known = set(spine.vertebrae) | set(spine.skipped) | changed
    present = [level for level in cranial_to_caudal() if level in known and level.value in values]
    if not present:
        raise InputError("the corrected label map holds none of the vertebrae that were planned; undo the correction")
    same = [level for level in spine.vertebrae if level in present and level not in changed]
    skipped = {level: "not in the label map" for level in known if level not in present}
    bones = find_surfaces(labels, present, skipped, {level: spine.vertebrae[level].bone for level in same})
    again = _depending(spine, changed, bones)
    kept = {level: spine.vertebrae[level] for level in same if level not in again}
    vertebrae = measure(labels, spine.ct, list(bones), skipped, bones=bones, kept=kept)
    if not vertebrae:
        raise InputError(f"no vertebra can be measured after this correction: {next(iter(skipped.values()))}")
    return Spine(vertebrae, labels, spine.ct, skipped, dict(spine.metadata))


def _depending(spine: Spine, changed: frozenset[Level], bones: dict[Level, SignedDistance]) -> set[Level]:
    """Levels to be measured again though their own labels are the same."""
    before = {level: vertebra.bone for level, vertebra in spine.vertebrae.items()}
    found: set[Level] = set()
    for upper, lower in pairwise(level for level in cranial_to_caudal() if level in bones or level in before):
        if upper in changed:
            found.add(lower)
        for one, other in ((upper, lower), (lower, upper)):
            if one in changed and not (one in before and one in bones and _same_place(before[one], bones[one])):
                found.add(other)
    return found


def _same_place(one: SignedDistance, other: SignedDistance) -> bool:
    return bool(np.allclose(densest_point(one), densest_point(other), atol=1e-6))
