"""A planned case, and scenes that show it."""

from __future__ import annotations

import pytest

from spinescrew.anatomy.levels import parse_levels
from spinescrew.cohort.case import plan_volumes
from spinescrew.phantoms import make_spine_phantom
from spinescrew.planning.session import Session
from spinescrew.scene.host import DirectHost
from spinescrew.scene.plan_scene import PlanScene
from spinescrew.scene.standalone import full_scene


@pytest.fixture(scope="session")
def case():
    """L2-L4 of a phantom, planned; never changed by a test."""
    phantom = make_spine_phantom(7, spacing=(1.2, 1.2, 1.2))
    low, high = box_of(phantom.labels, parse_levels("L1-L5"))
    labels, ct = phantom.labels.crop(low, high), phantom.ct.crop(low, high)
    return plan_volumes(labels, ct, parse_levels("L2-L4"))


def box_of(labels, levels):
    """(low, high) voxel box around these levels."""
    import numpy as np

    inside = np.isin(labels.array, [level.value for level in levels])
    used = [np.flatnonzero(inside.any(axis=tuple(a for a in range(3) if a != axis))) for axis in range(3)]
    return [u[0] - 6 for u in used], [u[-1] + 7 for u in used]


@pytest.fixture
def scene():
    """An empty scene with everything around it."""
    with full_scene() as made:
        yield made


@pytest.fixture
def host():
    """Frames are now, and what should come later waits."""
    return DirectHost()


@pytest.fixture
def shown(case, scene, host):
    """The case's plan in a scene."""
    made = PlanScene(scene, Session(case.plan, case.spine), host)
    yield made
    made.close()
