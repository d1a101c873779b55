"""A small analytic spine, so that reports are tested without segmentation, measuring or planning."""

from __future__ import annotations

import numpy as np
import pytest
from small_spine import make_mask_spine, make_plan

from spinescrew.anatomy.vertebra import Spine
from spinescrew.geometry.vectors import rotation
from spinescrew.geometry.volume import Volume
from spinescrew.planning.plan import Plan


@pytest.fixture(scope="session")
def mask_spine() -> Spine:
    """L1-L3 without a CT."""
    return make_mask_spine()


@pytest.fixture(scope="session")
def ct_spine(mask_spine: Spine) -> Spine:
    """The same with a CT on an oblique, left-handed, anisotropic grid."""
    affine = np.eye(4)
    affine[:3, :3] = rotation((0.2, 0.1, 1.0), 8.0) @ np.diag([-1.2, 1.2, 2.0])
    shape = np.array((110, 120, 90))
    affine[:3, 3] = np.array((0.0, -20.0, -37.0)) - affine[:3, :3] @ ((shape - 1) / 2)
    index = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1).reshape(-1, 3)
    points = index @ affine[:3, :3].T + affine[:3, 3]
    distance = np.min([v.bone.sample(points) for v in mask_spine.vertebrae.values()], axis=0)
    hu = np.where(distance < 0, np.where(distance > -1.6, 900.0, 220.0), 40.0)
    noise = np.random.default_rng(0).normal(0, 25, len(hu))
    ct = Volume((hu + noise).astype(np.int16).reshape(shape), affine)
    return Spine(mask_spine.vertebrae, mask_spine.labels, ct)


@pytest.fixture(scope="session")
def mask_plan(mask_spine: Spine) -> Plan:
    return make_plan(mask_spine)


@pytest.fixture(scope="session")
def ct_plan(ct_spine: Spine) -> Plan:
    return make_plan(ct_spine)
