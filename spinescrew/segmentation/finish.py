"""From an engine's labels to what it hands on: how sure each name is, and what a person should look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from spinescrew.anatomy.levels import Level, position
from spinescrew.errors import InputError
from spinescrew.geometry.volume import Volume
from spinescrew.progress import Progress
from spinescrew.segmentation.bones import Bone, measure_bones
from spinescrew.segmentation.engine import Segmentation
from spinescrew.segmentation.label_checks import findings
from spinescrew.segmentation.naming import LEVELS, Candidate, name_vertebrae

GIVEN = "given"
"""The engine that hands on labels made elsewhere: nothing found them here."""

LOW_CONFIDENCE = 0.75
"""Below this a person is asked to check the name."""

_SCORE_OF_A_LABEL = 0.9
"""What a label without a probability counts as; the rest is spread over the other levels."""


def finish(
    ct: Volume,
    labels: Volume,
    engine: str,
    provenance: str,
    *,
    wanted: Sequence[Level] | None = None,
    confidence: Mapping[Level, float] | None = None,
    progress: Progress | None = None,
) -> Segmentation:
    """Check labels on the CT's grid and put everything together.

    Parameters
    ----------
    confidence:
        By level where the engine knows it; otherwise it comes from order, spacing and size alone.

    Raises
    ------
    InputError
        If there is no vertebra.
    """
    progress = progress or Progress()
    with progress.step("check the vertebrae"):
        bones = measure_bones(labels, ct)
        if not bones:
            raise InputError(f"{engine} found no vertebra in this image; choose a series of the spine")
        present = [bone.level for bone in bones]
        sure = dict(confidence) if confidence is not None else confidence_of_bones(bones)
        check = _sentences(bones, sure, [level for level in wanted or () if level not in present])
    if engine != GIVEN:
        labels = Volume(labels.array, labels.affine, {**labels.metadata, "found_by": engine})
    return Segmentation(labels, sure, check, engine, provenance, dict(progress.timings_s))


def confidence_of_bones(bones: Sequence[Bone]) -> dict[Level, float]:
    """How well the name of each labelled vertebra fits order, spacing and size, in [0, 1]."""
    naming = name_vertebrae([_candidate(bone) for bone in bones])
    pairs = zip(bones, naming.levels, naming.confidence, strict=True)
    return {bone.level: sure if named is bone.level else 1.0 - sure for bone, named, sure in pairs}


def _candidate(bone: Bone) -> Candidate:
    """A labelled vertebra as naming sees it; one cut by the edge of the image says nothing by its size."""
    scores = np.full(len(LEVELS), (1.0 - _SCORE_OF_A_LABEL) / (len(LEVELS) - 1))
    scores[position(bone.level)] = _SCORE_OF_A_LABEL
    return Candidate(bone.centroid, np.nan if bone.cut else bone.volume_mm3, scores)


def _sentences(bones: Sequence[Bone], confidence: Mapping[Level, float], absent: Sequence[Level]) -> dict[Level, str]:
    """By level "please check ..."; what concerns the whole spine stands at every level."""
    odd = findings(bones)
    everywhere = [finding.text for finding in odd if finding.level is None]
    reasons: dict[Level, list[str]] = {level: list(everywhere) for level in confidence}
    for finding in odd:
        if finding.level is not None:
            reasons.setdefault(finding.level, []).append(finding.text)
    for level, sure in confidence.items():
        if sure < LOW_CONFIDENCE:
            reasons[level].insert(0, f"its name is only {100 * sure:.0f} % sure")
    for level in absent:
        reasons.setdefault(level, []).append("it was asked for and not found")
    return {level: f"please check {level.label}: {'; '.join(told)}" for level, told in reasons.items() if told}
