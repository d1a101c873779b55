"""A running Slicer with the module's panel, and a planned case in it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import slicer
from scene_cases import planned_case
from slicer_stand_in import open_module, register_module, running_slicer

MODULE = Path(__file__).resolve().parents[2] / "SpinePlanner"


@pytest.fixture(scope="session")
def case():
    """See :func:`scene_cases.planned_case`."""
    return planned_case()


@pytest.fixture
def running():
    """Slicer with an empty scene; what it would have shown is written down."""
    with running_slicer(MODULE) as records:
        register_module("SpinePlanner", MODULE)
        yield records


@pytest.fixture
def opened(running):
    """The module, open and entered."""
    made = open_module("SpinePlanner")
    yield made
    made.close()


@pytest.fixture
def panel(opened):
    """Its panel."""
    return opened.widget.panel


@pytest.fixture
def chosen(panel, case):
    """The panel with the case's CT and vertebrae chosen."""
    from spinescrew.scene.volumes import add_segmentation, add_volume

    panel.ui.volumeSelector.setCurrentNode(add_volume(slicer.mrmlScene, case.spine.ct, "CT"))
    panel.ui.labelSelector.setCurrentNode(add_segmentation(slicer.mrmlScene, case.spine.labels, "Vertebrae"))
    return panel


@pytest.fixture
def planned(chosen, case):
    """The panel with the case under edit."""
    chosen.open(chosen.readInputs(), case.plan, case.spine)
    return chosen


@pytest.fixture
def settle(running):
    """``settle(seconds)``: the event loop runs; ``settle(until=...)``: until that is so."""
    return wait


@pytest.fixture
def settle_anywhere():
    """:func:`settle` for a test that runs its own Slicer."""
    return wait


def wait(seconds=0.05, until=None, limit=90.0):
    """Let the event loop run for a time, or until something is so."""
    end = time.monotonic() + (limit if until is not None else seconds)
    while time.monotonic() < end:
        slicer.app.processEvents()
        if until is not None and until():
            return
        time.sleep(0.005)
    assert until is None, "it did not come about"
