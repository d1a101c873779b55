"""The spine among things that look like vertebrae."""

import numpy as np
import pytest

from spinescrew.segmentation.column import Piece, column


def spine(count=6, step=32.0, lean=0.0, weight=100.0, sacrum=True):
    """Pieces from the head down, as far to the right as ``lean`` says for each mm down."""
    places = [np.array([lean * step * n, 5.0 * np.sin(n), -step * n]) for n in range(count)]
    pieces = [Piece(place, weight) for place in places]
    if sacrum:
        pieces.append(Piece(places[-1] + (0.0, -30.0, -55.0), 3 * weight, sacral=True))
    return pieces


@pytest.mark.parametrize("lean", [0.0, 0.5, -0.7])
def test_a_spine_is_one_chain_from_the_head_down_also_where_it_leans(lean):
    pieces = spine(lean=lean)
    mixed = [3, 0, 6, 5, 1, 4, 2]
    assert [mixed[n] for n in column([pieces[n] for n in mixed])] == list(range(7))


def test_heads_of_femurs_a_table_and_crumbs_are_no_vertebrae():
    pieces = spine()
    others = [
        Piece(np.array([90.0, 0.0, -300.0]), 80.0),
        Piece(np.array([-90.0, 0.0, -300.0]), 80.0),
        Piece(np.array([0.0, -120.0, -60.0]), 150.0),
        Piece(np.array([14.0, 8.0, -40.0]), 20.0),
    ]
    assert column([*others, *pieces]) == list(range(4, 11))


def test_nothing_follows_the_sacrum():
    pieces = [*spine(), Piece(np.array([0.0, -30.0, -250.0]), 100.0)]
    assert column(pieces) == list(range(7))


def test_one_vertebra_that_was_missed_does_not_break_the_chain_two_do():
    pieces = spine(count=7, step=34.0)
    without = [piece for n, piece in enumerate(pieces) if n != 2]
    assert column(without) == list(range(7))
    without = [piece for n, piece in enumerate(pieces) if n not in (2, 3)]
    assert column(without) == [2, 3, 4, 5], "the heavier part counts"


def test_nothing_has_no_chain():
    assert column([]) == []
