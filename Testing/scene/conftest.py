"""A planned case, and scenes that show it."""

from __future__ import annotations

import pytest
from scene_cases import planned_case

from spinescrew.planning.session import Session
from spinescrew.scene.host import DirectHost
from spinescrew.scene.plan_scene import PlanScene
from spinescrew.scene.standalone import full_scene


@pytest.fixture(scope="session")
def case():
    """See :func:`scene_cases.planned_case`."""
    return planned_case()


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
