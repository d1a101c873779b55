"""A running Slicer with the module's panel, and a neck that was judged."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import slicer
from axis_samples import perfect_assessment
from slicer_stand_in import open_module, register_module, running_slicer

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "C2Feasibility"


@pytest.fixture(scope="session")
def found():
    """A phantom with one wide and one narrow pedicle, judged without any network."""
    return perfect_assessment(7, 1.0, "asymmetric")


@pytest.fixture
def running():
    """Slicer with an empty scene; what it would have shown is written down."""
    with running_slicer(MODULE, ROOT / "SpinePlanner") as records:
        register_module("C2Feasibility", MODULE)
        yield records


@pytest.fixture
def opened(running):
    """The module, open and entered."""
    made = open_module("C2Feasibility")
    yield made
    made.close()


@pytest.fixture
def panel(opened):
    """Its panel."""
    return opened.widget.panel


@pytest.fixture
def chosen(panel, found):
    """The panel with the neck's CT chosen."""
    from spinescrew.scene.volumes import add_volume

    panel.ui.volumeSelector.setCurrentNode(add_volume(slicer.mrmlScene, found.ct, "CT"))
    return panel


@pytest.fixture
def judged(chosen, found):
    """The panel with the answer shown."""
    chosen.open(found, chosen.ui.volumeSelector.currentNode())
    return chosen


@pytest.fixture
def settle(running):
    """``settle(until=...)``: the event loop runs until that is so."""

    def wait(until, limit=60.0):
        end = time.monotonic() + limit
        while not until():
            assert time.monotonic() < end, "it did not come about"
            slicer.app.processEvents()
            time.sleep(0.005)

    return wait
