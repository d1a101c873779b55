"""Who leads a plan: geometry, or the landmark network where it may speak."""

import numpy as np
import pytest

from spinescrew.anatomy.levels import Level
from spinescrew.cohort import guides
from spinescrew.cohort.guides import guides_for
from spinescrew.errors import InputError
from spinescrew.geometry.volume import Volume
from spinescrew.planning.options import PlanningOptions
from spinescrew.segmentation.landmarks import Channel, Landmarks

CT = Volume(np.zeros((4, 4, 4), np.int16), np.eye(4))
FOUND = CT.with_array(np.full((4, 4, 4), 22, np.int16))
FOUND.metadata["found_by"] = "spinescrew"
GIVEN = Volume(FOUND.array, FOUND.affine)
KEY = (Level.L3, "left")


@pytest.fixture(autouse=True)
def network(monkeypatch):
    channel = Channel(np.zeros(3), np.array([0.0, 50.0, 0.0]), 1.0, 2.0)
    monkeypatch.setattr(guides, "landmarks_unavailable", lambda: "")
    monkeypatch.setattr(guides, "measured_mm", lambda: 1.2)
    monkeypatch.setattr(guides, "find_landmarks", lambda *given, **named: Landmarks({KEY: channel}, "simulated"))


def asked(start, labels=FOUND, ct=CT):
    return guides_for(labels, ct, [Level.L3], PlanningOptions(start=start))


def test_the_network_leads_where_an_engine_found_the_vertebrae():
    found, told = asked("auto")
    assert found[KEY].spread_mm == 2.0
    assert told == "entry and exit: simulated"


def test_labels_made_elsewhere_are_planned_by_geometry_unless_asked():
    assert asked("auto", GIVEN) == ({}, "")
    assert asked("network", GIVEN)[0]


def test_geometry_alone_asks_no_network():
    assert asked("geometry") == ({}, "")


def test_a_missing_network_is_told_and_geometry_leads(monkeypatch):
    monkeypatch.setattr(guides, "landmarks_unavailable", lambda: "the model is not installed")
    assert asked("auto") == ({}, "entry and exit from geometry alone: the model is not installed")
    with pytest.raises(InputError, match="the model is not installed; or start from geometry"):
        asked("network")


def test_a_mask_alone_cannot_ask_the_network():
    assert "needs a CT" in asked("auto", ct=None)[1]
    with pytest.raises(InputError, match="needs a CT"):
        asked("network", ct=None)


@pytest.mark.parametrize(("error", "words"), [(4.2, "4.2 mm off"), (float("inf"), "was not measured")])
def test_a_network_that_is_too_far_off_leads_only_when_asked(monkeypatch, error, words):
    monkeypatch.setattr(guides, "measured_mm", lambda: error)
    found, told = asked("auto")
    assert not found and words in told
    assert asked("network")[0]
