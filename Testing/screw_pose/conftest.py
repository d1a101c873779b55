"""A running Slicer with the module's panel, and screws that were solved."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import slicer
from known_poses import solved, use_known_solver
from slicer_stand_in import open_module, register_module, running_slicer

from spinescrew.viewer.opened import Posed

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "ScrewPose"


@pytest.fixture(autouse=True)
def _known(monkeypatch):
    use_known_solver(monkeypatch)


@pytest.fixture(scope="session")
def posed():
    """Five screws in two views, one of each view left over."""
    known = solved()
    return Posed(known.result, known.radiographs, "first.dcm, second.dcm")


@pytest.fixture
def running():
    """Slicer with an empty scene; what it would have shown is written down."""
    with running_slicer(MODULE, ROOT / "SpinePlanner") as records:
        register_module("ScrewPose", MODULE)
        yield records


@pytest.fixture
def opened(running):
    """The module, open and entered."""
    made = open_module("ScrewPose")
    yield made
    made.close()


@pytest.fixture
def panel(opened):
    """Its panel."""
    return opened.widget.panel


@pytest.fixture
def chosen(panel):
    """The panel with files named."""
    for name in ("first", "second", "geometry"):
        getattr(panel.ui, f"{name}Path").currentPath = f"/images/{name}.{'json' if name == 'geometry' else 'dcm'}"
    return panel


@pytest.fixture
def shown(chosen, posed):
    """The panel with the poses shown."""
    chosen.open(posed)
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
