"""What a window can do to the screw in hand: one named step each, or one line that says why not."""

from dataclasses import fields

import numpy as np
import pytest
from edit_cases import L3, L4, plan
from test_session import spine_of, with_bone

from spinescrew.anatomy.levels import Level
from spinescrew.errors import InputError
from spinescrew.planning import actions
from spinescrew.planning.session import Session

LEFT, RIGHT, BELOW, EMPTY = (Level.L3, "left"), (Level.L3, "right"), (Level.L4, "left"), (Level.L4, "right")


@pytest.fixture(scope="module")
def spine():
    return spine_of(with_bone(L3), with_bone(L4))


@pytest.fixture
def session(spine):
    made = Session(plan(), spine)
    made.snap = False
    made.select(LEFT)
    return made


VALUES = {
    "pta_deg": 21.5,
    "psa_deg": -3.0,
    "diameter_mm": 5.5,
    "length_mm": 41.0,
    "seating_mm": 1.5,
    "lateral_mm": 2.0,
    "cranial_mm": -1.0,
}


@pytest.mark.parametrize("figure", actions.RANGES)
def test_a_figure_that_is_set_is_read_again_and_is_one_step(session, figure):
    for value in (VALUES[figure] + 0.5, VALUES[figure]):
        actions.set_figure(session, figure, value)
    assert getattr(actions.read(session), figure) == pytest.approx(VALUES[figure], abs=0.01)
    assert len(session.history.names) == 1
    assert session.history.names[0].endswith("of L3 left")


@pytest.mark.parametrize("figure", ["pta_deg", "psa_deg", "diameter_mm"])
def test_the_other_figures_stay(session, figure):
    before = actions.read(session)
    actions.set_figure(session, figure, VALUES[figure])
    after = actions.read(session)
    for item in fields(before):
        if item.name not in (figure, "seating_mm"):
            assert getattr(after, item.name) == pytest.approx(getattr(before, item.name), abs=1e-6), item.name


def test_every_figure_has_a_range_that_holds_what_is_planned(session):
    found = actions.read(session)
    assert set(actions.RANGES) == {item.name for item in fields(found)}
    for figure, (low, high, step) in actions.RANGES.items():
        assert low <= getattr(found, figure) <= high and step > 0


def test_turning_about_the_isthmus_moves_the_entry(session):
    entry = session.plan.get(*LEFT).screw.entry
    actions.set_figure(session, "pta_deg", 25.0, "isthmus")
    screw = session.plan.get(*LEFT).screw
    assert np.linalg.norm(screw.entry - entry) > 1.0
    isthmus = L3.pedicles["left"].isthmus
    assert np.linalg.norm(np.cross(isthmus - screw.entry, screw.direction)) < 1e-6


def test_mirrored_and_copied_screws_are_selected(session):
    actions.set_figure(session, "pta_deg", 22.0)
    actions.mirror(session)
    assert session.selected == RIGHT
    assert actions.read(session).pta_deg == pytest.approx(22.0)
    session.select(LEFT)
    actions.copy_to_next(session)
    assert session.selected == BELOW
    assert actions.read(session).pta_deg == pytest.approx(22.0)
    with pytest.raises(InputError, match="no vertebra below L4"):
        actions.copy_to_next(session)
    actions.copy_to_next(session, -1)
    assert session.selected == LEFT
    names = session.history.names
    assert names[1:] == ("mirror L3 left", "copy L3 left to L4", "copy L4 left to L3")


def test_a_deleted_screw_comes_back_as_planned(session):
    first = session.plan.get(*LEFT).screw
    actions.delete(session)
    assert session.plan.get(*LEFT).screw is None
    assert session.selected != LEFT
    session.select(LEFT)
    assert actions.in_hand(session) is None
    assert actions.read(session) is None
    actions.restore(session)
    assert session.plan.get(*LEFT).screw is first


def test_marks_are_steps_too(session):
    actions.set_locked(session, True)
    with pytest.raises(InputError, match="locked"):
        actions.set_figure(session, "pta_deg", 20.0)
    actions.set_locked(session, False)
    actions.set_reviewed(session, False)
    actions.set_reviewed(session, True)
    assert session.history.names == ("lock L3 left", "unlock L3 left", "not reviewed: L3 left", "reviewed: L3 left")


def test_a_stale_grade_is_not_reviewed(session):
    session.mark_stale([Level.L3])
    with pytest.raises(InputError, match="made anew"):
        actions.set_reviewed(session, True)
    actions.set_reviewed(session, False)


def test_without_a_screw_in_hand_everything_says_so(session):
    session.select(EMPTY)
    for work in (actions.mirror, actions.copy_to_next, actions.delete):
        with pytest.raises(InputError, match="no screw is selected"):
            work(session)
    session.select(None)
    with pytest.raises(InputError, match="select a screw first"):
        actions.restore(session)


def test_a_screw_in_bone_that_is_not_measured_can_only_be_dragged(spine):
    session = Session(plan(), spine_of(spine.vertebrae[Level.L3]))
    session.select(BELOW)
    assert actions.read(session) is None
    with pytest.raises(InputError, match="can only be dragged"):
        actions.set_figure(session, "pta_deg", 20.0)


def test_a_nudge_goes_along_the_vertebra_and_a_run_of_them_is_one_step(session, spine):
    frame, before = spine.vertebrae[Level.L3].frame, session.plan.get(*LEFT).screw
    actions.nudge(session, left_mm=0.5)
    actions.nudge(session, cranial_mm=1.0)
    actions.nudge(session, forward_mm=2.0)
    shift = session.plan.get(*LEFT).screw.entry - before.entry
    assert np.allclose(shift, -0.5 * frame.right + frame.superior + 2.0 * before.direction)
    session.undo()
    assert session.plan.get(*LEFT).screw is before


def test_a_turn_is_relative(session):
    before = actions.read(session)
    actions.turn(session, pta_deg=1.5, psa_deg=-2.0)
    after = actions.read(session)
    assert (after.pta_deg - before.pta_deg, after.psa_deg - before.psa_deg) == pytest.approx((1.5, -2.0), abs=1e-6)


def test_sizes_step_through_the_catalogue_to_its_end(session):
    session.snap = True
    actions.set_figure(session, "diameter_mm", 5.5)
    sizes = session.catalog.diameters(Level.L3)
    thicker = [size for size in sizes if size > 5.5]
    actions.step_size(session, "diameter_mm", 1)
    assert actions.read(session).diameter_mm == thicker[0]
    for _ in thicker[1:]:
        actions.step_size(session, "diameter_mm", 1)
    with pytest.raises(InputError, match="no diameter above"):
        actions.step_size(session, "diameter_mm", 1)
    length = actions.read(session).length_mm
    actions.step_size(session, "length_mm", -1)
    assert actions.read(session).length_mm < length


def test_sizes_step_as_the_slider_does_without_the_catalogue(session):
    before = actions.read(session).diameter_mm
    actions.step_size(session, "diameter_mm", -1)
    assert actions.read(session).diameter_mm == pytest.approx(before - 0.5)
