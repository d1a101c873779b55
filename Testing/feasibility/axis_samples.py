"""Assessments of phantoms without any network: what a perfect one would say."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from spinescrew.anatomy.frame import SIDES
from spinescrew.anatomy.levels import Level
from spinescrew.feasibility.assessment import C2Assessment, put_together
from spinescrew.feasibility.find import FoundAxis
from spinescrew.feasibility.joint import Logit
from spinescrew.feasibility.judge import Judgement
from spinescrew.feasibility.pose import poses_of
from spinescrew.feasibility.scheme import BONE_MM, BONE_SHAPE
from spinescrew.geometry.volume import Volume
from spinescrew.phantoms.axis import make_axis_case
from spinescrew.segmentation.box import box_around
from spinescrew.training.axis_cases import AxisImage, image_of_case

PROVENANCE = "Trained on simulated images; for research"


@lru_cache(maxsize=2)
def axis_image(seed: int = 7, slice_mm: float = 1.0, variant: str | None = None) -> AxisImage:
    """A phantom with exact truth."""
    return image_of_case(make_axis_case(seed, slice_mm=slice_mm, variant=variant, crop=(76.0, 98.0, 64.0)))


@lru_cache(maxsize=2)
def perfect_assessment(
    seed: int = 7, slice_mm: float = 1.0, variant: str | None = None, join: Logit | None = None
) -> C2Assessment:
    """The phantom's own truth, put together as the networks' answers are."""
    image = axis_image(seed, slice_mm, variant)
    voxels = np.argwhere(image.labels.array == Level.C2)
    box = box_around(image.ct.index_to_ras(voxels.mean(axis=0)), BONE_SHAPE, BONE_MM)
    share = Volume(box.share_of(image.labels, Level.C2.value), box.affine)
    found = FoundAxis(share, poses_of({side: image.truth[side].points for side in SIDES}), 1.0, PROVENANCE)
    judgements, looked = {}, {}
    for value, side in enumerate(SIDES, start=1):
        truth, place = image.truth[side], found.poses[side].box()
        chance = float(np.clip(truth.probability, 0.02, 0.98))
        depth = Volume(place.cut(truth.depth, 1, -3.0), place.affine)
        part = Volume(place.share_of(image.pedicles, value), place.affine)
        judgements[side] = Judgement(
            pose=found.poses[side],
            probability=chance,
            low=max(chance - 0.1, 0.0),
            high=min(chance + 0.1, 1.0),
            share=truth.probability,
            width_mm=truth.mpd_mm,
            margin_mm=truth.margin_mm,
            depth=depth,
            part=part,
        )
        near = np.exp(-((depth.array / 2.0) ** 2)) * (part.array > 0.5)
        looked[side] = depth.with_array(near.astype(np.float32))
    return put_together(image.ct, found, judgements, looked, PROVENANCE, join=join)
