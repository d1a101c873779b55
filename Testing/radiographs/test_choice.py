"""The cheapest choice of things that want the same."""

from itertools import product

import numpy as np
import pytest

from spinescrew.radiographs.choice import Wanted, cheapest

NONE = np.zeros((0, 2), np.intp)


def test_what_is_not_worth_it_is_left():
    total, chosen = cheapest(np.array([-2.0, 3.0, -1.0]), [], NONE)
    assert (total, chosen.tolist()) == (pytest.approx(-3.0), [0, 2])
    assert cheapest(np.zeros(0), [], NONE)[1].tolist() == []


def test_a_second_user_pays_and_a_third_is_refused():
    wanted = [Wanted(np.arange(3), 1.5)]
    total, chosen = cheapest(np.array([-5.0, -4.0, -3.0]), wanted, NONE)
    assert (total, chosen.tolist()) == (pytest.approx(-7.5), [0, 1])
    total, chosen = cheapest(np.array([-5.0, -1.0, -1.0]), wanted, NONE)
    assert (total, chosen.tolist()) == (pytest.approx(-5.0), [0])


def test_what_excludes_each_other_is_never_chosen_together():
    _, chosen = cheapest(np.array([-3.0, -5.0, -3.0]), [], np.array([[0, 1], [1, 2]]))
    assert chosen.tolist() == [0, 2]


@pytest.mark.parametrize("seed", range(5))
def test_no_other_choice_is_cheaper(seed):
    random = np.random.default_rng(seed)
    count = 9
    costs = random.normal(-1.0, 2.0, count)
    wanted = [Wanted(np.sort(random.choice(count, 3, replace=False)), float(random.uniform(0, 3))) for _ in range(4)]
    conflicts = np.array([sorted(random.choice(count, 2, replace=False)) for _ in range(3)])

    def price(taken):
        uses = [sum(taken[n] for n in each.by) for each in wanted]
        if max(uses) > 2 or any(taken[i] and taken[j] for i, j in conflicts):
            return np.inf
        return costs @ taken + sum(each.price for each, used in zip(wanted, uses, strict=True) if used == 2)

    best = min(price(np.array(taken)) for taken in product((0, 1), repeat=count))
    total, chosen = cheapest(costs, wanted, conflicts)
    taken = np.isin(np.arange(count), chosen).astype(int)
    assert total == pytest.approx(best, abs=0.01)
    assert price(taken) == pytest.approx(best, abs=0.01)
