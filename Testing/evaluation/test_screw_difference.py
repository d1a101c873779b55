import numpy as np
import pytest

from spinescrew.anatomy.frame import VertebralFrame, direction_from_angles
from spinescrew.evaluation.screws import compare, screw_dice
from spinescrew.geometry.vectors import rotation
from spinescrew.implants.screw import Screw, ScrewShape

FRAME = VertebralFrame(np.zeros(3), *np.eye(3))


def a_screw(entry=(0, 0, 0), direction=(0, 1, 0), diameter=6.5, length=45.0):
    return Screw(np.array(entry, float), np.array(direction, float), ScrewShape(diameter, length))


@pytest.mark.parametrize(
    ("offset", "dice"),
    [(0.25, 0.951), (0.5, 0.902), (1.0, 0.805), (1.5, 0.709), (2.0, 0.615), (2.5, 0.523), (3.0, 0.434)],
)
def test_dice_of_a_shifted_screw_is_the_closed_form(offset, dice):
    assert screw_dice(a_screw(), a_screw(entry=(offset, 0, 0))) == pytest.approx(dice, abs=0.01)


@pytest.mark.parametrize(("tilt", "dice"), [(1, 0.955), (2, 0.919), (3, 0.883), (5, 0.809)])
def test_dice_of_a_tilted_screw(tilt, dice):
    turned = rotation((0, 0, 1), tilt) @ np.array([0.0, 1.0, 0.0])
    middle = np.array([0.0, 22.5, 0.0])
    assert screw_dice(a_screw(), a_screw(middle - 22.5 * turned, turned)) == pytest.approx(dice, abs=0.01)


def test_dice_of_smaller_sizes():
    assert screw_dice(a_screw(diameter=6.24, length=46.9), a_screw(diameter=6.51, length=49.5)) == pytest.approx(
        0.927, abs=0.012
    )


def test_differences_are_signed_and_measured_in_the_vertebra():
    mine = a_screw(direction=direction_from_angles(12, 3, FRAME, "left"), diameter=6.0)
    theirs = a_screw(entry=(0, 0, 2), direction=direction_from_angles(10, 0, FRAME, "left"), length=40.0)
    found = compare(mine, theirs, FRAME, "left")
    assert found.pta_deg == pytest.approx(2.0)
    assert found.psa_deg == pytest.approx(3.0)
    assert found.entry_mm == pytest.approx(2.0)
    assert found.length_mm == 5.0
    assert found.diameter_mm == -0.5
    assert 0 < found.dice < 1


def test_the_same_screw_differs_by_nothing():
    found = compare(a_screw(), a_screw(), FRAME, "right")
    assert (found.axis_deg, found.tip_mm, found.length_mm) == (0.0, 0.0, 0.0)
    assert found.dice == pytest.approx(1.0, abs=1e-6)
