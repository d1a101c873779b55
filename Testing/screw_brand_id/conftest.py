"""A running Slicer with the module's panel, and answers that the library gave to drawn films."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import slicer

pytest.importorskip("torch")

from known_brand import identified
from slicer_stand_in import open_module, register_module, running_slicer

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "ScrewBrandID"


@pytest.fixture(scope="session")
def found():
    """Two drawn films, answered."""
    return identified()


@pytest.fixture
def running():
    """Slicer with an empty scene; what it would have shown is written down."""
    with running_slicer(MODULE, ROOT / "SpinePlanner") as records:
        register_module("ScrewBrandID", MODULE)
        yield records


@pytest.fixture
def opened(running):
    """The module, open and entered."""
    made = open_module("ScrewBrandID")
    yield made
    made.close()


@pytest.fixture
def panel(opened):
    """Its panel."""
    return opened.widget.panel


@pytest.fixture
def chosen(panel):
    """The panel with files named."""
    panel.files.choose(["/images/AP.dcm", "/images/LAT.dcm"])
    return panel


@pytest.fixture
def shown(chosen, found):
    """The panel with the answer shown."""
    chosen.open(found)
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
