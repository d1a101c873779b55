import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinescrew.anatomy.levels import Level, cranial_to_caudal, parse_levels
from spinescrew.anatomy.relabel import check_names, gaps, relabel, shifted, spatial_order
from spinescrew.errors import InputError
from spinescrew.geometry.volume import Volume

USUAL = [level for level in cranial_to_caudal() if level not in (Level.T13, Level.L6)]


def stack(levels, flip=False):
    """Blocks one below the other, in this order from the head down."""
    array = np.zeros((4, 4, 6 * len(levels)), np.int16)
    for number, level in enumerate(reversed(levels)):
        array[1:3, 1:3, 6 * number + 1 : 6 * number + 5] = level.value
    affine = np.eye(4)
    if flip:
        array, affine = array[:, :, ::-1], np.diag([1.0, 1.0, -1.0, 1.0])
    return Volume(np.ascontiguousarray(array), affine)


@pytest.mark.parametrize("flip", [False, True])
def test_the_order_is_that_of_the_patient_not_of_the_names(flip):
    mixed = [Level.L2, Level.T12, Level.L6, Level.S1]
    assert spatial_order(stack(mixed, flip)) == tuple(mixed)


@given(st.integers(0, 20), st.integers(2, 5), st.integers(-3, 3))
def test_shifting_there_and_back_gives_the_first_names(start, count, step):
    levels = USUAL[start : start + count]
    if not 0 <= start + step <= len(USUAL) - count:
        return
    there = shifted(levels, step)
    assert list(there.values()) == USUAL[start + step : start + step + count]
    assert list(shifted(there.values(), -step).values()) == levels


def test_rare_vertebrae_shift_to_their_neighbours():
    assert shifted([Level.T13], 1) == {Level.T13: Level.L1}
    assert shifted([Level.T13], -1) == {Level.T13: Level.T12}
    assert shifted([Level.L6], -2) == {Level.L6: Level.L4}


@pytest.mark.parametrize(("level", "step", "end"), [(Level.S1, 1, "the sacrum"), (Level.C1, -1, "C1")])
def test_nothing_is_shifted_beyond_the_spine(level, step, end):
    with pytest.raises(InputError, match=f"{level.name} cannot be shifted beyond {end}"):
        shifted([level], step)


def test_two_vertebrae_of_one_name_are_refused_and_named():
    labels = stack(parse_levels("L3-S1"))
    with pytest.raises(InputError, match=r"two vertebrae would be called L4 \(those called L4 and L5 now\)"):
        relabel(labels, {Level.L5: Level.L4})


def test_an_impossible_order_is_refused_and_named():
    labels = stack(parse_levels("L3-L5"))
    with pytest.raises(InputError, match="L5 would lie above L4"):
        relabel(labels, {Level.L4: Level.L5, Level.L5: Level.L4})


def test_a_sixth_lumbar_and_a_thirteenth_thoracic_vertebra_may_be_named():
    labels = stack(parse_levels("T12-S1"))
    below = {Level.T12: Level.T13}
    assert Level.T13 in spatial_order(relabel(labels, below))
    six = {level: name for level, name in shifted(parse_levels("T12-L5"), 1).items() if level is not Level.L5}
    assert spatial_order(relabel(labels, {**six, Level.L5: Level.L6})) == (*parse_levels("L1-L5"), Level.L6, Level.S1)


def test_no_voxel_is_lost():
    labels = stack(parse_levels("L1-L5"))
    again = relabel(labels, shifted(parse_levels("L1-L5"), -1))
    assert np.array_equal(again.array > 0, labels.array > 0)
    assert np.array_equal(relabel(again, shifted(spatial_order(again), 1)).array, labels.array)


def test_missing_vertebrae_are_pointed_out():
    assert gaps(parse_levels("T12-S1")) == ()
    assert gaps([Level.T12, Level.L2, Level.L3]) == ((Level.T12, Level.L2),)
    assert gaps([Level.T12, Level.T13, Level.L1]) == ()


def test_good_names_pass():
    check_names({Level.L1: Level.L2, Level.L2: Level.L4}, [Level.L1, Level.L2])
