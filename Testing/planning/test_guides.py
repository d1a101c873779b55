"""Planning from a channel that a network saw: followed where it tells of the same pedicle, left aside otherwise."""

import numpy as np
import pytest

from spinescrew.anatomy.build import build_spine
from spinescrew.anatomy.frame import SIDES, direction_from_angles
from spinescrew.anatomy.levels import Level
from spinescrew.errors import InputError
from spinescrew.geometry.vectors import angle_deg
from spinescrew.phantoms import make_spine_phantom
from spinescrew.planning.guides import Guide, starting_point
from spinescrew.planning.options import PlanningOptions
from spinescrew.planning.planner import plan_spine


@pytest.fixture(scope="module")
def spine():
    phantom = make_spine_phantom(21)
    return build_spine(phantom.labels, phantom.ct, [Level.L3])


@pytest.fixture(scope="module")
def vertebra(spine):
    return spine.vertebrae[Level.L3]


def guide(vertebra, side="left", turn_deg=0.0, tilt_deg=0.0, lateral_mm=0.0, spread_mm=1.0, length_mm=50.0):
    """The measured channel, moved."""
    pedicle = vertebra.pedicles[side]
    along = direction_from_angles(pedicle.pta_deg + turn_deg, tilt_deg, vertebra.frame, side)
    middle = pedicle.isthmus + lateral_mm * vertebra.frame.right
    return Guide(middle - 0.3 * length_mm * along, middle + 0.7 * length_mm * along, spread_mm)


def test_without_a_guide_the_measured_pedicle_leads(vertebra):
    start = starting_point(vertebra, "left")
    assert start.led_by == "geometry" and not start.notes
    assert np.array_equal(start.through, vertebra.pedicles["left"].isthmus)


def test_a_guide_through_the_same_pedicle_leads(vertebra):
    start = starting_point(vertebra, "left", guide(vertebra, turn_deg=5.0, lateral_mm=1.0))
    pedicle = vertebra.pedicles["left"]
    assert start.led_by == "network" and not start.notes
    assert start.pta_deg == pytest.approx(pedicle.pta_deg + 5.0, abs=1e-6)
    assert start.psa_deg == pedicle.psa_deg
    assert (start.through - pedicle.isthmus) @ pedicle.axis == pytest.approx(0.0, abs=1e-9)
    assert np.linalg.norm(start.through - pedicle.isthmus) == pytest.approx(1.0, abs=0.3)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"spread_mm": 9.0}, "unsure by 9.0 mm"),
        ({"length_mm": 4.0}, "lie together"),
        ({"lateral_mm": 15.0}, "does not pass through the isthmus"),
        ({"turn_deg": 35.0}, "transverse angle is 35 degrees"),
    ],
)
def test_a_guide_that_tells_of_something_else_is_left_aside_with_the_reason(vertebra, change, why):
    start = starting_point(vertebra, "left", guide(vertebra, **change))
    assert start.led_by == "geometry" and why in start.notes[0]
    assert start.pta_deg == vertebra.pedicles["left"].pta_deg


def test_a_guide_of_nothing_is_left_aside(vertebra):
    nowhere = Guide(np.full(3, np.nan), np.full(3, np.nan), 20.0)
    assert starting_point(vertebra, "right", nowhere).led_by == "geometry"


def test_an_endplate_the_network_sees_elsewhere_is_to_be_checked(vertebra):
    start = starting_point(vertebra, "left", guide(vertebra, tilt_deg=20.0))
    assert start.led_by == "network" and "please check the endplate" in start.notes[0]


def test_the_plan_says_what_led_each_screw_and_follows_it(spine, vertebra):
    guides = {
        (Level.L3, "left"): guide(vertebra, "left", turn_deg=4.0),
        (Level.L3, "right"): guide(vertebra, "right", spread_mm=9.0),
    }
    led, plain = plan_spine(spine, [Level.L3], guides=guides), plan_spine(spine, [Level.L3])
    left, right = (led.get(Level.L3, side) for side in SIDES)
    assert (left.led_by, right.led_by) == ("network", "geometry")
    assert any("unsure" in note for note in right.notes)
    turned = angle_deg(left.screw.direction, plain.get(Level.L3, "left").screw.direction)
    assert 1.0 < turned < 8.0
    assert np.allclose(right.screw.entry, plain.get(Level.L3, "right").screw.entry)


def test_an_unknown_start_is_refused():
    with pytest.raises(InputError, match="'gut' is nothing to start from; use auto, geometry, network"):
        PlanningOptions(start="gut")
