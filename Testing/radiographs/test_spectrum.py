"""Beams against the effective attenuations of tissue, cortex and titanium behind a patient."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from spinescrew.errors import InputError
from spinescrew.radiographs.materials import CORTEX_G_CM3, SOFT_G_CM3
from spinescrew.radiographs.spectrum import METALS, beam, displaced, transmission

TISSUE_20_CM = 20 * SOFT_G_CM3
KNOWN = {
    # kV: (20 cm of tissue, 30 cm of it, and behind 20 cm: 6.5 mm of titanium, 5 mm of cortex)
    60: (3.8e-3, 3.0e-4, 0.027, 0.62),
    90: (9.8e-3, 1.1e-3, 0.150, 0.73),
    120: (1.4e-2, 1.9e-3, 0.262, 0.78),
}


@pytest.mark.parametrize("kilovolts", KNOWN)
def test_what_is_left_of_the_beam_is_what_is_known(kilovolts):
    tissue, thick, titanium, cortex = KNOWN[kilovolts]

    def left(soft, bone=0.0, metal=0.0):
        return float(transmission(soft, bone, metal, kilovolts=kilovolts))

    behind = left(TISSUE_20_CM)
    assert_allclose(behind, tissue, rtol=0.1)
    assert_allclose(left(1.5 * TISSUE_20_CM), thick, rtol=0.1)
    assert_allclose(left(TISSUE_20_CM, metal=6.5) / behind, titanium, rtol=0.1)
    assert_allclose(left(TISSUE_20_CM, bone=0.5 * CORTEX_G_CM3) / behind, cortex, rtol=0.05)


def test_the_open_beam_is_one_and_voltages_between_lie_between():
    assert_allclose(transmission(0.0, 0.0, kilovolts=77), 1.0, rtol=1e-6)
    left = [float(transmission(TISSUE_20_CM, 1.0, 5.0, kilovolts=kv)) for kv in range(40, 131, 5)]
    assert (np.diff(left) > 0).all()
    assert_allclose(beam(80.0).share.sum(), 1.0)


def test_more_in_the_way_leaves_less_and_steel_stops_more_than_titanium():
    path = np.linspace(0, 60, 61)
    for metal in METALS:
        left = transmission(10.0, 0.5, path, kilovolts=80, metal=metal)
        assert left.shape == (61,)
        assert (np.diff(left) < 0).all()
    by_metal = [float(transmission(10.0, 0.0, 6.5, kilovolts=80, metal=metal)) for metal in METALS]
    assert by_metal[0] > 4 * by_metal[1] > 4 * by_metal[2]


def test_behind_metal_the_beam_is_harder():
    first, second = (float(transmission(0.0, 0.0, path, kilovolts=90)) for path in (5.0, 10.0))
    assert second > first**2


def test_metal_takes_the_place_of_tissue_as_far_as_there_is_any():
    assert_allclose(displaced(np.float32([20, 0.1]), np.float32([10, 10])), [20 - SOFT_G_CM3, 0], rtol=1e-6)


def test_what_is_no_metal_and_no_voltage_is_refused():
    with pytest.raises(InputError, match="titanium, steel"):
        transmission(0.0, 0.0, kilovolts=80, metal="wood")
    with pytest.raises(InputError, match="between 40 and 130"):
        transmission(0.0, 0.0, kilovolts=300)
