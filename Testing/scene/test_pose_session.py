"""Corrections of solved screws by hand, and the way back."""

import numpy as np
import pytest
from known_poses import solved, use_known_solver

from spinescrew.errors import InputError
from spinescrew.radiographs import pose
from spinescrew.radiographs.pose_session import PoseSession


@pytest.fixture(autouse=True)
def _known(monkeypatch):
    use_known_solver(monkeypatch)


@pytest.fixture
def session():
    return PoseSession(solved().result)


@pytest.fixture
def told(session):
    heard = []
    session.on_change.append(lambda: heard.append(session.selected))
    return heard


def names(session, view_index):
    return [candidate.name for candidate in session.seen(view_index)]


def seen_numbers(session):
    """Which screw of view 1 stands with which of view 2, by their first numbers."""
    result = solved().result
    every = [[one.seen[n] for one in result.screws] + list(result.unmatched[n]) for n in range(2)]
    return {every[0].index(one.seen[0]) + 1: every[1].index(one.seen[1]) + 1 for one in session.result.screws}


def test_screws_go_by_number_and_the_rest_by_letter(session):
    assert names(session, 0) == ["1", "2", "3", "4", "5", "a"]
    assert [candidate.matched for candidate in session.seen(1)] == [True] * 5 + [False]


def test_selection_goes_around_and_is_told_once(session, told):
    assert session.selected == 1
    session.select(1)
    session.select_next(-1)
    session.select_next(1)
    assert told == [5, 1]
    with pytest.raises(InputError, match="no screw 9"):
        session.select(9)


def test_two_that_were_left_over_become_a_screw(session, told):
    session.match("a", "a")
    assert seen_numbers(session) == {n: n for n in range(1, 7)}
    assert session.in_hand.seen[0] is solved().result.unmatched[0][0]
    assert session.in_hand.screw.entry == pytest.approx(solved().screws[5].entry, abs=0.05)
    assert len(told) == 1


def test_two_screws_swap_what_they_have_in_the_other_view(session):
    session.match("1", "2")
    assert seen_numbers(session) == {1: 2, 2: 1, 3: 3, 4: 4, 5: 5}
    assert session.history.undo_name == "match 1 with 2"


def test_a_partner_taken_away_is_left_over(session):
    session.match("2", "")
    assert seen_numbers(session) == {1: 1, 3: 3, 4: 4, 5: 5}
    assert len(session.result.unmatched[0]) == 2


def test_the_partner_that_it_has_already_is_no_correction(session, told):
    session.match("3", "3")
    session.match("", "")
    assert not told
    assert not session.history.can_undo


def test_a_wrong_name_is_refused(session):
    with pytest.raises(InputError, match="view 2 shows no screw 'z'"):
        session.match("1", "z")


def test_an_axis_placed_by_hand_is_solved_and_taken_back(session, told):
    before = session.screw(4)
    neck, tip = before.seen[1].neck, before.seen[1].tip + (4.0, 6.0)
    session.place_axis(4, 1, neck, tip)
    assert session.selected == 4
    assert np.linalg.norm(session.in_hand.screw.tip - before.screw.tip) > 2.0
    session.undo()
    assert session.result is solved().result
    session.redo()
    assert session.in_hand.seen[1].tip == pytest.approx(tip)
    assert len(told) == 3


def test_what_cannot_be_solved_changes_nothing(session, told, monkeypatch):
    def refuse(*_unused):
        raise InputError("both ends lie on one ray; drag them apart")

    monkeypatch.setattr(pose, "with_axis", refuse)
    with pytest.raises(InputError, match="one ray"):
        session.place_axis(1, 0, (0.0, 0.0), (0.0, 0.0))
    assert session.result is solved().result
    assert not told


def test_a_session_without_screws_has_none_in_hand():
    from dataclasses import replace

    session = PoseSession(replace(solved().result, screws=()))
    session.select_next(1)
    assert session.in_hand is None


def test_views_stay_those_of_the_images_and_what_was_said_of_these_is_said_again(monkeypatch):
    """The solver knows the grids of the maps only."""
    from dataclasses import replace

    known = solved()
    session = PoseSession(replace(known.result, warnings=("image 1: a colour image was turned to grey", "old")))
    grids = tuple(maps.view for maps in known.result.maps)
    moved = grids[1].moved(np.array([[1, 0, 0, 3.0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]))
    monkeypatch.setattr(
        pose,
        "with_axis",
        lambda result, *_unused: replace(result, views=(grids[0], moved), given_views=grids, warnings=("new",)),
    )
    session.place_axis(1, 0, (0.0, 0.0), (1.0, 1.0))
    assert session.result.given_views == known.views
    assert session.result.views[1].shape == known.views[1].shape
    np.testing.assert_allclose(session.result.views[1].source, known.views[1].source + (3.0, 0.0, 0.0))
    assert session.result.warnings == ("image 1: a colour image was turned to grey", "new")


def test_a_screw_that_hides_another_stays_with_its_own_when_the_other_is_matched_anew():
    from dataclasses import replace

    result = solved().result
    shared = replace(result.screws[3], seen=(result.screws[3].seen[0], result.screws[2].seen[1]))
    session = PoseSession(replace(result, screws=(*result.screws[:3], shared, result.screws[4])))
    session.match("4", "a")
    pairs = [screw.seen for screw in session.result.screws]
    assert (result.screws[2].seen[0], result.screws[2].seen[1]) in pairs
    assert (result.screws[3].seen[0], result.unmatched[1][0]) in pairs
