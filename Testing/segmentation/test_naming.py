import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spines import candidates, flat, levels_between, pointing_at

from spinescrew.anatomy.levels import Level, position
from spinescrew.errors import InputError
from spinescrew.segmentation.naming import LEVELS, Candidate, name_vertebrae
from spinescrew.segmentation.usual import usual_step_mm

LUMBAR = levels_between(Level.L1, Level.S1)
THORACOLUMBAR = levels_between(Level.T8, Level.L4)


def muddled(wrong):
    """Scores that point one level too low in the vertebrae of ``wrong``."""
    return lambda level: pointing_at(LEVELS[position(level) + 1] if level in wrong else level)


def test_clear_scores_are_kept_and_sure():
    naming = name_vertebrae(candidates(LUMBAR))
    assert naming.levels == tuple(LUMBAR)
    assert min(naming.confidence) > 0.95


def test_names_come_back_in_the_order_in_which_vertebrae_were_given():
    found = candidates(LUMBAR)[::-1]
    assert name_vertebrae(found).levels == tuple(LUMBAR[::-1])


def test_one_wrong_name_is_outvoted_by_its_neighbours():
    naming = name_vertebrae(candidates(THORACOLUMBAR, muddled([Level.T11, Level.L2])))
    assert naming.levels == tuple(THORACOLUMBAR)


def test_a_shift_of_all_names_is_undone_by_the_sacrum():
    found = candidates(LUMBAR, muddled([Level.L1, Level.L2, Level.L3, Level.L4]))[:-1]
    low = found[-1].centroid - (0, 0, usual_step_mm(Level.L5, Level.S1))
    assert name_vertebrae(found, sacrum=low).levels == tuple(LUMBAR[:-1])


def test_without_scores_the_sacrum_names_the_lumbar_spine():
    found = candidates(LUMBAR, lambda level: flat())[:-1]
    low = found[-1].centroid - (0, 0, usual_step_mm(Level.L5, Level.S1))
    assert name_vertebrae(found, sacrum=low).levels == tuple(LUMBAR[:-1])


def test_ribs_name_the_thoracolumbar_junction_without_scores():
    ribs = levels_between(Level.T1, Level.T12)
    naming = name_vertebrae(candidates(THORACOLUMBAR, lambda level: flat(), ribs=ribs))
    assert naming.levels == tuple(THORACOLUMBAR)


def test_without_any_hint_nothing_is_sure():
    naming = name_vertebrae(candidates(levels_between(Level.L1, Level.L3), lambda level: flat()))
    assert max(naming.confidence) < 0.6


def test_a_missed_vertebra_leaves_a_gap_in_names_where_there_is_one_in_space():
    found = candidates(LUMBAR)
    del found[2]
    assert name_vertebrae(found).levels == (Level.L1, Level.L2, Level.L4, Level.L5, Level.S1)


def test_no_name_is_left_out_without_space_for_it():
    found = candidates(THORACOLUMBAR, lambda level: pointing_at(Level.L3) if level is Level.L2 else flat())
    ranks = [position(level) for level in name_vertebrae(found).levels if level is not Level.T13]
    assert np.diff(ranks).max() <= 2


@pytest.mark.parametrize(("rare", "first", "last"), [(Level.L6, Level.L1, Level.S1), (Level.T13, Level.T10, Level.L3)])
def test_a_rare_vertebra_is_named_where_its_scores_say_so(rare, first, last):
    levels = levels_between(first, last, rare=(rare,))
    assert name_vertebrae(candidates(levels)).levels == tuple(levels)


def test_a_rare_vertebra_is_not_made_up_where_scores_say_nothing_about_it():
    levels = levels_between(Level.T12, Level.S1)
    found = candidates(levels, lambda level: flat() if level is Level.L5 else pointing_at(level))
    assert name_vertebrae(found).levels == tuple(levels)


def test_small_and_large_people_are_named_alike():
    for scale in (0.8, 1.2):
        assert name_vertebrae(candidates(THORACOLUMBAR, scale=scale)).levels == tuple(THORACOLUMBAR)


def test_the_runner_up_is_another_naming_and_worse():
    naming = name_vertebrae(candidates(THORACOLUMBAR))
    assert naming.runner_up != naming.levels
    assert naming.runner_up_margin > 0


def test_doubtful_scores_give_less_confidence_than_clear_ones():
    clear = name_vertebrae(candidates(THORACOLUMBAR))
    vague = name_vertebrae(candidates(THORACOLUMBAR, lambda level: pointing_at(level, 0.2)))
    assert min(vague.confidence) < min(clear.confidence)


def test_nothing_found_and_too_much_found_are_refused():
    with pytest.raises(InputError, match="no vertebra"):
        name_vertebrae([])
    with pytest.raises(InputError, match="at most"):
        name_vertebrae([Candidate(np.array([0.0, 0.0, -20.0 * n]), np.nan, flat()) for n in range(28)])


def test_scores_of_another_length_are_a_defect_of_the_caller():
    with pytest.raises(ValueError, match="scores of shape"):
        name_vertebrae([Candidate(np.zeros(3), np.nan, np.ones(5))])


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(1, 20))
def test_any_input_gives_distinct_names_that_run_downwards(seed, count):
    random = np.random.default_rng(seed)
    heights = -np.cumsum(random.uniform(8.0, 60.0, count))
    found = [
        Candidate(np.array([*random.normal(0, 10, 2), z]), random.uniform(5e3, 9e4), random.random(len(LEVELS)))
        for z in heights
    ]
    try:
        naming = name_vertebrae(found)
    except InputError:
        return
    from_the_head = [naming.levels[n] for n in np.argsort([-c.centroid[2] for c in found])]
    steep = np.ptp(heights) > 3 * 10 or count < 3
    if steep:
        assert np.all(np.diff([position(level) for level in from_the_head]) > 0)
    assert len(set(naming.levels)) == count
    assert all(0.0 <= sure <= 1.0 for sure in naming.confidence)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_moderate_noise_does_not_change_names_with_the_sacrum_in_view(seed):
    random = np.random.default_rng(seed)
    levels = levels_between(Level.T10, Level.S1)
    found = candidates(levels, random=random, scale=float(random.uniform(0.85, 1.15)))
    assert name_vertebrae(found).levels == tuple(levels)


def noisy_case(random):
    """A random stretch of spine whose scores are often one off, now and then in every vertebra."""
    count = int(random.integers(3, 12))
    first = int(random.integers(7, 25 - count))
    levels = levels_between(Level.C1, Level.S1)[first : first + count]
    shift = int(random.choice([-1, 1])) if random.random() < 0.05 else 0
    sure = float(random.choice([0.6, 0.8, 0.95]))

    def scores(level):
        off = shift or (0 if random.random() < sure else int(random.choice([-1, 1])))
        return pointing_at(LEVELS[min(max(position(level) + off, 0), len(LEVELS) - 1)], float(random.uniform(0.3, 0.9)))

    found = candidates(levels, scores, random, float(random.choice([0.05, 0.12])), float(np.exp(random.normal(0, 0.1))))
    return levels, found


def test_confidence_is_about_the_share_of_right_names():
    random = np.random.default_rng(6)
    sure, right = [], []
    for _ in range(400):
        levels, found = noisy_case(random)
        naming = name_vertebrae(found)
        sure += naming.confidence
        right += [a is b for a, b in zip(naming.levels, levels, strict=True)]
    sure, right = np.array(sure), np.array(right)
    assert abs(sure.mean() - right.mean()) < 0.05
    assert right[sure < 0.7].mean() < 0.75 < 0.88 < right[sure > 0.9].mean()
