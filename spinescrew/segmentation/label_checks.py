"""Whether labelled vertebrae can be those of a person who lies as the image says.

Rules of order and shape come from anatomy; limits were measured on the real cases and phantoms of the tests and stand
beside each rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from spinescrew.anatomy.levels import Level, cranial_to_caudal, position
from spinescrew.geometry.volume import Volume
from spinescrew.segmentation.bones import Bone, measure_bones
from spinescrew.segmentation.intake import METAL_HU
from spinescrew.segmentation.usual import RARE, usual_volume_mm3

_VOLUME_RANGE = (0.45, 1.7)
"""Share of the usual volume: a small woman's L1 to a tall man's."""

_NEIGHBOUR_RANGE = (0.6, 1.67)
_FRAGMENT_MM3, _FRAGMENT_SHARE = 1000.0, 0.05
_BONE_P95_HU = 180.0
_METAL_SHARE = 0.01
_LOW_PEDICLES_MM = -0.3
"""Medians of upright spines lie between +1 and +7 mm."""

_PEDICLE_ZONE = (0.46, 0.62)
"""How far behind the body's centre pedicles lie, in cube roots of the volume: 18 to 24 mm in L3."""


@dataclass(frozen=True)
class Finding:
    """Something odd, with the vertebra it is about (``None``: the spine as a whole)."""

    level: Level | None
    text: str


def check_segmentation(ct: Volume | None, labels: Volume) -> list[str]:
    """What is odd about labelled vertebrae, in sentences; empty where nothing is.

    Parameters
    ----------
    ct:
        Densities are checked where it lies on the labels' grid.
    labels:
        VerSe ids.
    """
    return [finding.text for finding in findings(measure_bones(labels, ct))]


def findings(bones: Sequence[Bone]) -> list[Finding]:
    """As :func:`check_segmentation`, from measured vertebrae in order from the head down, each with its vertebra."""
    if not bones:
        return [Finding(None, "no vertebra was found in the image; choose a series that shows the spine")]
    found = [*_order(bones), *_posture(bones), *_missing(bones)]
    for bone in bones:
        found += [Finding(bone.level, f"{bone.level.name} {text}") for text in _oddities(bone)]
    return found + _sizes(bones)


def _order(bones: Sequence[Bone]) -> list[Finding]:
    """Every vertebra below the one before; all of them the other way round is an image upside down."""
    wrong = [(a, b) for a, b in pairwise(bones) if a.centroid[2] <= b.centroid[2]]
    if wrong and len(wrong) == len(bones) - 1:
        lowest, highest = bones[-1].level.name, bones[0].level.name
        text = f"{lowest} lies above {highest}: the image is upside down, or its orientation is wrong; correct it"
        return [Finding(None, text)]
    return [Finding(b.level, f"{a.level.name} lies below {b.level.name}: names are exchanged") for a, b in wrong]


def _posture(bones: Sequence[Bone]) -> list[Finding]:
    """Arches lie behind bodies, and pedicles spring from their upper half.

    Either may be wrong because the image was turned, which exchanges left and right too, or because it was mirrored;
    bone does not tell which.
    """
    whole = [n for n, bone in enumerate(bones) if bone.whole]
    if not whole:
        return []
    found = []
    if np.median([bones[n].lean[1] for n in whole]) > 0:
        found.append("spinous processes point forwards: front and back are exchanged")
    if np.median([_pedicle_height_mm(bones, n) for n in whole]) < _LOW_PEDICLES_MM:
        found.append("pedicles spring from the lower half of their bodies: the image seems to be upside down")
    advice = "left and right may be wrong as well; correct the image's orientation before planning"
    return [Finding(None, f"{text}; {advice}") for text in found]


def _pedicle_height_mm(bones: Sequence[Bone], n: int) -> float:
    """How far the bone just behind the body lies above the body's centre, along the spine."""
    bone = bones[n]
    near = [other.body for other in bones[max(n - 1, 0) : n + 2]]
    along = near[0] - near[-1] if len(near) > 1 else np.array([0.0, 0.0, 1.0])
    along = along / np.linalg.norm(along) * (1.0 if along[2] >= 0 else -1.0)
    back = bone.lean - (bone.lean @ along) * along
    from_body = bone.points - bone.body
    behind = from_body @ back / np.linalg.norm(back) / bone.volume_mm3 ** (1 / 3)
    low, high = _PEDICLE_ZONE
    zone = (behind >= low) & (behind < high)
    return float((from_body[zone] @ along).mean()) if zone.any() else 0.0


def _missing(bones: Sequence[Bone]) -> list[Finding]:
    found = []
    for a, b in pairwise(bones):
        between = cranial_to_caudal()[position(a.level) + 1 : position(b.level)]
        for level in between:
            if level not in RARE:
                found.append(Finding(level, f"{level.name} is missing between {a.level.name} and {b.level.name}"))
    return found


def _oddities(bone: Bone) -> list[str]:
    """What is odd about one vertebra, as the rest of a sentence."""
    found = []
    if bone.cut and bone.level is not Level.S1:
        found.append("is cut by the edge of the image")
    apart = sum(bone.fragments_mm3)
    if apart > max(_FRAGMENT_MM3, _FRAGMENT_SHARE * bone.volume_mm3):
        found.append(f"is in {len(bone.fragments_mm3) + 1} pieces ({apart / 1000:.1f} cm3 lie apart)")
    if len(bone.hu):
        dense = float(np.percentile(bone.hu, 95))
        if dense < _BONE_P95_HU:
            found.append(f"is hardly denser than soft tissue (95 % of it is below {dense:.0f} HU)")
        metal = float((bone.hu > METAL_HU).mean())
        if metal > _METAL_SHARE:
            found.append(f"holds {100 * metal:.0f} % metal, its walls are uncertain")
    return found


def _sizes(bones: Sequence[Bone]) -> list[Finding]:
    """Volumes beside the usual ones of their level and beside those of their neighbours."""
    found = []
    shares = {bone.level: bone.volume_mm3 / usual_volume_mm3(bone.level) for bone in bones if bone.whole}
    volumes = {bone.level: bone.volume_mm3 / 1000.0 for bone in bones}
    low, high = _VOLUME_RANGE
    for level, share in shares.items():
        if not low <= share <= high:
            usual = usual_volume_mm3(level) / 1000.0
            text = f"{level.name} has {volumes[level]:.0f} cm3, {low * usual:.0f} to {high * usual:.0f} are usual"
            found.append(Finding(level, text))
    low, high = _NEIGHBOUR_RANGE
    for upper, lower in pairwise(shares):
        ratio = shares[lower] / shares[upper]
        if not low <= ratio <= high:
            text = f"{lower.name} ({volumes[lower]:.0f} cm3) does not match {upper.name} ({volumes[upper]:.0f} cm3)"
            found.append(Finding(lower, f"{text}: one of them is incomplete or holds its neighbour"))
    return found
