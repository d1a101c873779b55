"""A session: one plan that is edited, graded, taken back and told about."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from edit_cases import L3, L4, VERTEBRAE, plan, vertebra
from hypothesis import given, settings
from hypothesis import strategies as st
from test_history import EDITS, content, one_edit

from spinescrew.anatomy.levels import Level
from spinescrew.anatomy.vertebra import Spine, Vertebra
from spinescrew.errors import InputError
from spinescrew.geometry.sdf import SignedDistance
from spinescrew.geometry.vectors import rotation
from spinescrew.geometry.volume import Volume
from spinescrew.grading.grade import assess, execution_risk
from spinescrew.grading.options import GradingOptions
from spinescrew.implants.catalog import load_catalog
from spinescrew.implants.clearance import capsule_clearances
from spinescrew.planning import edits
from spinescrew.planning.plan import Plan
from spinescrew.planning.session import MERGE_WITHIN_S, Change, Session

HERE, ACROSS, BELOW = (Level.L3, "left"), (Level.L3, "right"), (Level.L4, "left")
EMPTY = (Level.L4, "right")


class Clock:
    """Seconds that pass when a test says so."""

    now = 50.0

    def __call__(self) -> float:
        return self.now


def with_bone(bare: Vertebra, radius: float = 4.5) -> Vertebra:
    """The vertebra with a box for a body and a tube of this radius around each pedicle's axis."""
    frame = bare.frame

    def distance(points):
        parts = [np.max(np.abs(frame.to_local(points)) - (20.0, 15.0, 12.0), axis=1)]
        for pedicle in bare.pedicles.values():
            along = (points - pedicle.isthmus) @ pedicle.axis
            around = np.linalg.norm(points - pedicle.isthmus - along[:, None] * pedicle.axis, axis=1)
            parts.append(np.maximum(around - radius, np.abs(along + 1.0) - 13.0))
        return np.min(parts, axis=0)

    corners = frame.to_ras(np.array(np.meshgrid((-26, 26), (-44, 18), (-16, 16))).reshape(3, -1).T)
    bone = SignedDistance.from_function(distance, corners.min(axis=0), corners.max(axis=0), 1.0)
    return replace(bare, bone=bone)


def spine_of(*bones: Vertebra) -> Spine:
    affine = np.eye(4)
    affine[:3, 3] = (-80.0, -90.0, -90.0)
    labels = Volume(np.zeros((160, 160, 160), dtype=np.uint8), affine)
    return Spine({bone.level: bone for bone in bones}, labels)


@pytest.fixture(scope="session")
def spine() -> Spine:
    return spine_of(with_bone(L3), with_bone(L4))


@pytest.fixture(scope="session")
def thinner() -> Spine:
    """The same spine after its segmentation was edited: the pedicles of L3 are 5 mm wide."""
    made = spine_of(with_bone(L3, 2.5), with_bone(L4))
    made.labels.array[0, 0, 0] = Level.L3
    return made


@pytest.fixture(scope="session")
def three(spine) -> Spine:
    lowest = with_bone(vertebra(Level.L5, (6.0, 10.0, -70.0), rotation((1.0, 0.0, 0.0), -5.0)))
    return spine_of(*spine.vertebrae.values(), lowest)


@pytest.fixture(scope="session")
def graded(spine) -> Plan:
    return Session(plan(), spine).plan


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def session(graded, spine, clock) -> Session:
    return Session(graded, spine, clock=clock)


@pytest.fixture
def heard(session) -> list[Change]:
    """What a listener is told."""
    changes: list[Change] = []
    session.subscribe(changes.append)
    return changes


def deeper(by: float = 1.0, key=HERE):
    return lambda p: edits.slide(p, *key, by)


def rows_that_differ(before: Plan, after: Plan) -> set:
    old, new = ({row.key: row for row in p.screws} for p in (before, after))
    return {key for key in old.keys() | new.keys() if old.get(key) is not new.get(key)}


def check_grades(plan: Plan, spine: Spine, stale=()) -> None:
    """Every planned row holds what grading it from scratch among the plan's other screws gives."""
    for row in plan.planned:
        if row.level in stale:
            assert row.assessment is None
            continue
        assert row.assessment is not None
        others = [other.screw for other in plan.planned if other.key != row.key]
        found = replace(row.assessment, execution_risk=None)
        assert found.to_dict() == assess(row.screw, spine, *row.key, others).to_dict()


def test_a_session_grades_what_has_no_grade_and_keeps_what_has(spine):
    session = Session(plan(), spine)
    check_grades(session.plan, spine)
    assert session.plan.get(*HERE).reviewed and session.plan.get(*EMPTY).assessment is None
    assert [row.assessment.gertzbein_robbins for row in session.plan.planned] == ["A", "A", "A"]
    again = Session(session.plan, spine)
    assert again.plan is session.plan and again.automatic is session.plan


def test_a_session_begins_at_rest(session):
    assert session.selected == HERE and session.gesture == "" and session.stale == frozenset() and session.snap
    assert not session.history.can_undo and not session.history.can_redo


def test_an_edit_is_graded_named_and_told_once(session, heard, spine):
    before = session.plan
    after = session.edit("turn L3 left", lambda p: edits.rotate(p, *HERE, L3, pta_deg=40.0))
    assert session.plan is after and session.history.names == ("turn L3 left",)
    check_grades(after, spine)
    assert after.get(*HERE).assessment.gertzbein_robbins != before.get(*HERE).assessment.gertzbein_robbins
    assert heard == [Change(frozenset(rows_that_differ(before, after)), step="turn L3 left")]


def test_an_edit_changes_only_its_row_and_the_rows_it_is_nearest_to(session):
    before = session.plan
    session.edit("deeper", deeper(5.0, BELOW))
    assert BELOW in rows_that_differ(before, session.plan)
    for row in session.plan.planned:
        was = before.get(*row.key)
        if row.key != BELOW and row is not was:
            room = row.assessment.neighbour_screw_clearance_mm
            assert room != was.assessment.neighbour_screw_clearance_mm and row.reviewed


def test_a_change_clears_the_reviewed_mark_of_its_row_alone(session):
    assert all(row.reviewed for row in session.plan.planned)
    session.edit("deeper", deeper())
    assert [row.key for row in session.plan.planned if not row.reviewed] == [HERE]
    session.edit("review", lambda p: edits.set_reviewed(p, *HERE))
    assert session.plan.get(*HERE).reviewed and session.plan.get(*HERE).assessment is not None
    session.undo()
    assert not session.plan.get(*HERE).reviewed


def test_an_edit_that_changes_nothing_is_no_step_and_not_told(session, heard):
    before = session.plan
    assert session.edit("nothing", lambda p: p) is before
    assert session.edit("nothing", lambda p: replace(p)) is before
    assert not session.history.can_undo and heard == []


REFUSED = {
    "slide": deeper(),
    "place": lambda p: edits.place(p, *HERE, (0, 0, 0), (0, 45, 0)),
    "turn": lambda p: edits.rotate(p, *HERE, L3, pta_deg=3.0),
    "resize": lambda p: edits.resize(p, *HERE, length_mm=40.0),
    "delete": lambda p: edits.delete(p, *HERE),
    "mirror onto it": lambda p: edits.mirror(p, *ACROSS, L3.frame),
    "copy onto it": lambda p: edits.copy_to(p, "left", L4, L3),
}


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED.keys())
@pytest.mark.parametrize("in_gesture", [False, True], ids=["at once", "in a gesture"])
def test_a_locked_screw_refuses(session, heard, change, in_gesture):
    locked = session.edit("lock", lambda p: edits.set_locked(p, *HERE))
    heard.clear()
    if in_gesture:
        session.begin("drag")
    with pytest.raises(InputError, match=r"L3 \(22\) left is locked; unlock it to change it"):
        session.edit("change", change)
    session.end()
    assert session.plan is locked and session.history.names == ("lock",) and heard == []
    session.edit("unlock", lambda p: edits.set_locked(p, *HERE, locked=False))
    session.edit("change", change)
    assert session.plan.get(*HERE).planned_by == "edited"


def test_a_locked_screw_is_not_put_back_to_automatic(session):
    session.edit("deeper", deeper())
    locked = session.edit("lock", lambda p: edits.set_locked(p, *HERE))
    with pytest.raises(InputError, match=r"L3 \(22\) left is locked"):
        session.restore_automatic(HERE)
    assert session.plan is locked


def test_a_refused_edit_leaves_everything_as_it_was(session, heard):
    before = session.plan
    with pytest.raises(InputError, match="PTA of 85"):
        session.edit("turn", lambda p: edits.rotate(p, *HERE, L3, pta_deg=85.0))
    assert session.plan is before and not session.history.can_undo and heard == []


def test_undo_and_redo_give_the_same_plans_back_and_name_the_step(session, heard):
    first = session.plan
    second = session.edit("deeper", deeper())
    third = session.edit("delete", lambda p: edits.delete(p, *ACROSS))
    heard.clear()
    assert session.undo() is second and session.undo() is first and session.plan is first
    assert session.redo() is second and session.redo() is third and session.plan is third
    assert [change.step for change in heard] == ["delete", "deeper", "deeper", "delete"]
    assert heard[0].keys == heard[3].keys == rows_that_differ(second, third)
    assert not any(change.live for change in heard)


def test_without_a_step_undo_and_redo_are_refused(session, heard):
    with pytest.raises(InputError, match="nothing to undo"):
        session.undo()
    with pytest.raises(InputError, match="nothing to redo"):
        session.redo()
    assert heard == []


how = st.sampled_from(["edit", "slider", "gesture", "abandoned gesture"])


def make(session: Session, edit, way: str) -> None:
    name, level, side, amount = edit

    def function(p):
        return EDITS[name](p, (level, side), VERTEBRAE[level], amount)

    if "gesture" in way:
        session.begin(name)
    with suppress(InputError):
        session.edit(name, function, merge=way == "slider")
    if way == "gesture":
        session.end()
    elif way == "abandoned gesture":
        session.cancel()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(one_edit, how, st.floats(0, 2)), min_size=5, max_size=30))
def test_any_series_of_edits_taken_back_gives_the_first_plan_and_made_again_the_last(graded, spine, series):
    clock = Clock()
    session = Session(graded, spine, clock=clock)
    before, line = content(graded), [graded]
    for edit, way, wait in series:
        clock.now += wait
        steps = len(session.history.names)
        make(session, edit, way)
        if len(session.history.names) > steps:
            line.append(session.plan)
        elif way == "slider":
            line[-1] = session.plan
        assert session.plan is line[-1]
    assert len(line) == 1 + len(session.history.names)
    check_grades(session.plan, spine)
    after = content(session.plan)
    for earlier in reversed(line[:-1]):
        assert session.undo() is earlier
    assert not session.history.can_undo and session.plan is graded and content(session.plan) == before
    for later in line[1:]:
        assert session.redo() is later
    assert not session.history.can_redo and content(session.plan) == after


def test_a_run_of_slider_moves_is_one_step(session, heard, clock):
    first = session.plan
    for _ in range(5):
        clock.now += MERGE_WITHIN_S - 0.1
        session.edit("slide L3 left", deeper(0.5), merge=True)
    assert session.history.names == ("slide L3 left",)
    assert [change.step for change in heard] == ["slide L3 left"] * 5
    moved = session.plan.get(*HERE).screw.entry - first.get(*HERE).screw.entry
    assert np.linalg.norm(moved) == pytest.approx(2.5)
    last = session.plan
    assert session.undo() is first and session.redo() is last


BETWEEN = {
    "another slider": lambda s: s.edit("slide L4 left", deeper(1.0, BELOW), merge=True),
    "an edit that is not merged": lambda s: s.edit("slide", deeper(1.0)),
    "a step taken back": lambda s: (s.edit("turn", lambda p: edits.rotate(p, *HERE, L3, psa_deg=0.0)), s.undo()),
    "undo and redo": lambda s: (s.undo(), s.redo()),
    "a gesture": lambda s: (s.begin("drag"), s.edit("drag", deeper(1.0, ACROSS)), s.end()),
}


@pytest.mark.parametrize("between", BETWEEN.values(), ids=BETWEEN.keys())
def test_slider_moves_are_two_steps_with_something_between_them(session, between):
    session.edit("slide", deeper(0.5), merge=True)
    between(session)
    before, steps = session.plan, len(session.history.names)
    session.edit("slide", deeper(0.5), merge=True)
    assert len(session.history.names) == steps + 1
    assert session.undo() is before


def test_slider_moves_are_two_steps_after_a_pause(session, clock):
    session.edit("slide", deeper(0.5), merge=True)
    clock.now += MERGE_WITHIN_S + 0.1
    session.edit("slide", deeper(0.5), merge=True)
    assert session.history.names == ("slide", "slide")


def test_edits_that_are_not_merged_are_steps_of_their_own_however_quick(session):
    session.edit("slide", deeper(0.5))
    session.edit("slide", deeper(0.5))
    assert session.history.names == ("slide", "slide")


def test_a_gesture_is_one_step_whatever_happened_in_it(session, heard):
    first = session.plan
    session.begin("drag L3 left")
    assert session.gesture == "drag L3 left"
    lives = [session.edit("a part of it", deeper(0.3), merge=n % 2 == 0) for n in range(4)]
    assert session.history.names == () and session.plan is lives[-1]
    assert all(change.live and change.step == "" for change in heard) and len(heard) == 4
    last = session.end()
    assert last is lives[-1] and session.history.names == ("drag L3 left",) and session.gesture == ""
    assert heard[4:] == [Change(frozenset(rows_that_differ(first, last)), step="drag L3 left")]
    assert session.undo() is first and session.redo() is last


def test_every_moment_of_a_gesture_is_graded(session, spine):
    session.begin("drag")
    for _ in range(3):
        session.edit("move", lambda p: edits.move(p, *HERE, (2.0, 0.0, 1.0)))
        check_grades(session.plan, spine)
    assert session.plan.get(*HERE).assessment.gertzbein_robbins != "A"


def test_a_gesture_that_changed_nothing_is_no_step(session, heard):
    before = session.plan
    session.begin("drag")
    session.edit("nothing", lambda p: p)
    assert session.end() is before and session.end() is before
    assert not session.history.can_undo and heard == []


@pytest.mark.parametrize("leave", [Session.cancel, Session.undo], ids=["cancel", "undo"])
def test_a_cancelled_gesture_leaves_no_trace(session, heard, leave):
    first = session.plan
    session.edit("deeper", deeper())
    second = session.undo()
    assert second is first and session.history.redo_name == "deeper"
    heard.clear()
    session.begin("drag")
    session.edit("move", deeper(4.0))
    assert leave(session) is first and session.plan is first
    assert session.gesture == "" and session.history.names == () and session.history.redo_name == "deeper"
    assert heard[-1] == Change(heard[0].keys) and HERE in heard[-1].keys


def test_a_gesture_ends_where_the_next_begins(session):
    session.begin("first")
    session.edit("move", deeper(1.0))
    session.begin("second")
    assert session.history.names == ("first",) and session.gesture == "second"
    session.edit("move", deeper(1.0))
    session.end()
    assert session.history.names == ("first", "second")


def test_redo_during_a_gesture_ends_it_and_finds_nothing_to_make_again(session):
    session.edit("deeper", deeper())
    session.undo()
    session.begin("drag")
    moved = session.edit("move", deeper(2.0))
    with pytest.raises(InputError, match="nothing to redo"):
        session.redo()
    assert session.plan is moved and session.history.names == ("drag",) and session.gesture == ""


def test_ending_what_never_began_does_nothing(session, heard):
    before = session.plan
    assert session.end() is before and session.cancel() is before and heard == []


def test_selecting_is_told_with_both_rows_and_is_no_step(session, heard):
    session.select(BELOW)
    assert session.selected == BELOW and heard == [Change(frozenset({HERE, BELOW}))]
    session.select(BELOW)
    session.select(None)
    session.select(EMPTY)
    assert session.selected == EMPTY and [change.keys for change in heard[1:]] == [{BELOW}, {EMPTY}]
    assert not session.history.can_undo


def test_a_row_the_plan_does_not_have_cannot_be_selected(session, heard):
    with pytest.raises(InputError, match=r"no screw for S1 \(26\) left"):
        session.select((Level.S1, "left"))
    assert session.selected == HERE and heard == []


def test_the_next_planned_screw_is_selected_round_and_round(session):
    seen = []
    for _ in range(4):
        session.select_next()
        seen.append(session.selected)
    assert seen == [ACROSS, BELOW, HERE, ACROSS]
    session.select_next(-1)
    session.select_next(-1)
    assert session.selected == BELOW


def test_from_a_row_without_a_screw_the_next_one_is_the_first(session):
    session.select(EMPTY)
    session.select_next()
    assert session.selected == HERE
    Session(Plan(), session.spine).select_next()


def test_a_screw_goes_back_to_where_the_planner_had_it(session, spine):
    started = session.plan
    session.edit("turn", lambda p: edits.rotate(p, *HERE, L3, pta_deg=40.0))
    session.edit("delete", lambda p: edits.delete(p, *BELOW))
    for key in (HERE, BELOW):
        session.restore_automatic(key)
        row = session.plan.get(*key)
        assert row.screw is started.get(*key).screw and row.planned_by == "automatic" and not row.reviewed
    check_grades(session.plan, spine)
    assert session.history.names[2:] == ("L3 left back to automatic", "L4 left back to automatic")
    session.undo()
    assert session.plan.get(*BELOW).screw is None


def test_a_screw_that_went_back_is_graded_against_the_spine_of_now(session, thinner):
    session.use_spine(thinner, [Level.L3])
    session.edit("deeper", deeper())
    session.restore_automatic(HERE)
    check_grades(session.plan, thinner)


def test_a_screw_the_planner_refused_goes_back_to_its_reason(session):
    session.edit("add", lambda p: edits.copy_to(p, "right", VERTEBRAE[Level.L3], VERTEBRAE[Level.L4]))
    assert session.plan.get(*EMPTY).assessment is not None
    session.restore_automatic(EMPTY)
    row = session.plan.get(*EMPTY)
    assert (row.screw, row.reason, row.assessment) == (None, "the pedicle is 3.1 mm wide", None)


def test_automatic_is_another_plan_where_one_is_given(session, spine, graded):
    moved = edits.slide(graded, *HERE, 3.0)
    opened = Session(moved, spine, automatic=graded)
    opened.restore_automatic(HERE)
    assert opened.plan.get(*HERE).screw is graded.get(*HERE).screw


def test_a_stale_level_has_no_grade_and_neither_has_the_one_below(session, heard):
    session.mark_stale([Level.L3])
    assert session.stale == {Level.L3, Level.L4}
    assert all(row.assessment is None and not row.reviewed for row in session.plan.screws)
    assert heard == [Change(frozenset({HERE, ACROSS, BELOW, EMPTY}))]
    session.mark_stale([Level.L4])
    assert len(heard) == 1 and not session.history.can_undo


def test_the_level_above_a_stale_one_keeps_its_grades(session, spine):
    before = session.plan
    session.mark_stale([Level.L4])
    assert session.stale == {Level.L4}
    assert session.plan.get(*HERE) is before.get(*HERE) and session.plan.get(*ACROSS) is before.get(*ACROSS)
    check_grades(session.plan, spine, session.stale)


def test_levels_stay_stale_when_others_become_so(three):
    session = Session(plan(), three)
    session.mark_stale([Level.L5])
    assert session.stale == {Level.L5} and session.plan.get(*BELOW).assessment is not None
    session.mark_stale([Level.L3])
    assert session.stale == {Level.L3, Level.L4, Level.L5}


def test_what_is_stale_stays_ungraded_through_edits_undo_and_redo(session, spine):
    session.edit("deeper", deeper(1.0, BELOW))
    session.mark_stale([Level.L4])
    session.edit("deeper", deeper(1.0, BELOW))
    session.edit("deeper", deeper(1.0, HERE))
    check_grades(session.plan, spine, session.stale)
    for go in (session.undo, session.undo, session.undo, session.redo, session.redo):
        check_grades(go(), spine, session.stale)
    assert not session.plan.get(*BELOW).reviewed


def test_a_new_spine_ends_staleness_and_grades_every_step_anew(session, heard, thinner):
    first = [row.screw for row in session.plan.planned]
    session.edit("deeper", deeper(1.0, BELOW))
    session.mark_stale([Level.L3])
    heard.clear()
    after = session.use_spine(thinner, [Level.L3])
    assert session.stale == frozenset() and session.spine is thinner and session.plan is after
    assert heard == [Change(frozenset(row.key for row in after.screws), spine=True)]
    check_grades(after, thinner)
    assert after.get(*HERE).assessment.gertzbein_robbins != "A"
    check_grades(session.undo(), thinner)
    assert [row.screw for row in session.plan.planned] == first and session.history.redo_name == "deeper"
    check_grades(session.redo(), thinner)


def test_a_new_spine_clears_the_reviewed_marks_of_what_changed(session, thinner):
    session.use_spine(thinner, [Level.L4])
    assert [row.key for row in session.plan.planned if row.reviewed] == [HERE, ACROSS]
    session.use_spine(thinner)
    assert not any(row.reviewed for row in session.plan.planned)


def test_a_level_that_left_the_label_map_is_not_graded_and_says_so(session):
    session.use_spine(spine_of(session.spine.vertebrae[Level.L3]), [Level.L4])
    row = session.plan.get(*BELOW)
    assert row.assessment is None and row.notes[-1] == "not graded: L4 (23) is not in the label map"
    session.edit("deeper", deeper(1.0, HERE))
    assert session.plan.get(*BELOW).notes == row.notes


def test_the_plan_names_the_labels_it_is_graded_against_at_every_step(session, thinner):
    session.edit("deeper", deeper())
    session.use_spine(thinner, [Level.L3])
    name = thinner.labels.content_hash()
    assert session.plan.input_hash["labels"] == name
    assert session.undo().input_hash["labels"] == session.redo().input_hash["labels"] == name


@pytest.mark.parametrize("leave", [Session.cancel, Session.undo], ids=["cancel", "undo"])
def test_a_gesture_cancelled_after_a_new_spine_came_leaves_a_graded_plan(session, thinner, leave):
    session.begin("drag")
    session.edit("move", deeper())
    session.use_spine(thinner, [Level.L3])
    leave(session)
    check_grades(session.plan, thinner)


def test_a_gesture_during_which_a_new_spine_came_is_one_step(session, thinner):
    session.begin("drag")
    session.edit("move", deeper())
    session.use_spine(thinner, [Level.L3])
    check_grades(session.end(), thinner)
    assert session.history.names == ("drag",)
    check_grades(session.undo(), thinner)


@pytest.mark.parametrize(
    "news", [lambda s, _: s.mark_stale([Level.L3]), lambda s, new: s.use_spine(new)], ids=["stale", "new spine"]
)
def test_news_of_the_segmentation_do_not_make_a_step_of_a_gesture_that_changed_nothing(session, thinner, news):
    session.begin("drag")
    news(session, thinner)
    session.end()
    assert session.history.names == ()


def test_no_level_keeps_its_grade_when_all_are_measured_anew(three):
    session = Session(edits.copy_to(plan(), "left", L4, three.vertebrae[Level.L5]), three)
    session.use_spine(spine_of(three.vertebrae[Level.L3]))
    rows = [row for row in session.plan.planned if row.level is not Level.L3]
    assert [row.assessment for row in rows] == [None, None] and not any(row.reviewed for row in rows)


def test_a_level_that_came_back_no_longer_says_that_it_is_not_graded(session, spine):
    session.use_spine(spine_of(spine.vertebrae[Level.L3]), [Level.L4])
    session.use_spine(spine, [Level.L4])
    row = session.plan.get(*BELOW)
    assert row.assessment is not None and row.notes == ("found by search",)


def test_refining_adds_the_risk_of_the_selected_screw_to_the_plan_as_it_stands(session, heard, spine):
    session.edit("deeper", deeper())
    session.undo()
    heard.clear()
    before = session.plan
    session.refine(draws=20)
    row = session.plan.get(*HERE)
    assert row.assessment.execution_risk == execution_risk(row.screw, spine, *HERE, draws=20)
    assert rows_that_differ(before, session.plan) == {HERE} and row.reviewed
    assert heard == [Change(frozenset({HERE}))]
    assert session.history.names == () and session.history.redo_name == "deeper"


def test_risks_follow_the_sessions_options(graded, spine):
    session = Session(graded, spine, options=GradingOptions(entry_exclusion_mm=12.0))
    session.edit("shift", lambda p: edits.shift_entry(p, *HERE, L3.frame, right_mm=2.0))
    screw = session.edit("turn", lambda p: edits.rotate(p, *HERE, L3, pta_deg=8.0)).get(*HERE).screw
    session.refine(draws=50)
    expected = execution_risk(screw, spine, *HERE, session.options, draws=50)
    assert expected != execution_risk(screw, spine, *HERE, draws=50)
    assert session.plan.get(*HERE).assessment.execution_risk == expected


def test_refining_again_changes_nothing_and_an_edit_forgets_the_risk(session, heard):
    session.refine([HERE, BELOW, EMPTY], draws=10)
    assert [row.assessment.execution_risk is None for row in session.plan.planned] == [False, True, False]
    heard.clear()
    session.refine([HERE, BELOW], draws=10)
    assert heard == []
    session.edit("deeper", deeper())
    assert session.plan.get(*HERE).assessment.execution_risk is None
    assert session.plan.get(*BELOW).assessment.execution_risk is not None


def test_refining_waits_for_the_hand_to_rest_and_for_a_grade(session, heard):
    session.begin("drag")
    session.refine(draws=10)
    session.end()
    session.mark_stale([Level.L3])
    heard.clear()
    session.refine(draws=10)
    session.select(None)
    session.refine(draws=10)
    assert heard == [Change(frozenset({HERE}))] and not session.history.can_undo


def test_listeners_are_told_until_they_unsubscribe(session):
    first, second = [], []
    leave = session.subscribe(first.append)
    session.subscribe(second.append)
    session.edit("deeper", deeper())
    leave()
    leave()
    session.edit("deeper", deeper())
    assert (len(first), len(second)) == (1, 2)


def test_a_listener_sees_the_plan_that_it_is_told_about(session):
    seen = []
    session.subscribe(lambda change: seen.append((change.step, session.plan, session.history.names)))
    after = session.edit("deeper", deeper())
    assert seen == [("deeper", after, ("deeper",))]


def test_a_listener_may_leave_while_it_is_told(session):
    told = []

    def once(change):
        told.append(change)
        leave()

    leave = session.subscribe(once)
    session.subscribe(told.append)
    session.edit("deeper", deeper())
    session.edit("deeper", deeper())
    assert len(told) == 3


def test_sizes_snap_to_the_sessions_catalogue_unless_that_is_off(graded, spine):
    session = Session(graded, spine, catalog=load_catalog())

    def longer(p):
        return edits.resize(p, *HERE, length_mm=43.0, catalog=session.catalog if session.snap else None)

    assert session.edit("longer", longer).get(*HERE).screw.shape.item == "generic 6.5 x 45"
    session.snap = False
    assert session.edit("longer", longer).get(*HERE).screw.shape.length_mm == 43.0


def test_grades_follow_the_sessions_options(spine, graded):
    session = Session(graded, spine, options=GradingOptions(entry_exclusion_mm=10.0))
    row = session.edit("deeper", deeper()).get(*HERE)
    assert row.assessment.zone_mm == assess(row.screw, spine, *HERE, (), session.options).zone_mm
    assert row.assessment.zone_mm != assess(row.screw, spine, *HERE).zone_mm


def test_room_between_screws_follows_every_edit(session):
    for by in (3.0, -8.0, 4.0):
        session.edit("move", lambda p, by=by: edits.move(p, *HERE, (by, by, -by)))
        for row in session.plan.planned:
            others = [other.screw for other in session.plan.planned if other is not row]
            room = row.assessment.neighbour_screw_clearance_mm
            assert room == pytest.approx(capsule_clearances(row.screw, others).min(), abs=1e-9)
