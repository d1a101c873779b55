"""Undo and redo."""

from __future__ import annotations

import numpy as np
import pytest
from edit_cases import VERTEBRAE, plan
from hypothesis import given, settings
from hypothesis import strategies as st

from spinescrew.anatomy.levels import Level
from spinescrew.errors import InputError
from spinescrew.implants.catalog import load_catalog
from spinescrew.implants.screw import Screw, ScrewShape
from spinescrew.planning import edits
from spinescrew.planning.history import History
from spinescrew.planning.plan import Plan

CATALOG = load_catalog()
FRESH = Screw(np.zeros(3), np.array([0.0, 1.0, 0.0]), ScrewShape(6.5, 45.0))
OTHER = {Level.L3: Level.L4, Level.L4: Level.L3}

EDITS = {
    "move": lambda p, k, v, x: edits.move(p, *k, (x, -x, 1)),
    "move the entry": lambda p, k, v, x: edits.move(p, *k, (x, 0, 0), "entry"),
    "move the tip": lambda p, k, v, x: edits.move(p, *k, (0, x, 0), "tip"),
    "turn": lambda p, k, v, x: edits.rotate(p, *k, v, pta_deg=x),
    "turn about the isthmus": lambda p, k, v, x: edits.rotate(p, *k, v, psa_deg=x, about="isthmus"),
    "change the diameter": lambda p, k, v, x: edits.resize(p, *k, diameter_mm=6 + x / 10),
    "change the length": lambda p, k, v, x: edits.resize(p, *k, length_mm=45 + x, catalog=CATALOG),
    "slide": lambda p, k, v, x: edits.slide(p, *k, x),
    "shift the entry": lambda p, k, v, x: edits.shift_entry(p, *k, v.frame, superior_mm=x, hold="tip"),
    "add": lambda p, k, v, x: edits.add(p, *k, FRESH),
    "delete": lambda p, k, v, x: edits.delete(p, *k),
    "mirror": lambda p, k, v, x: edits.mirror(p, *k, v.frame),
    "copy": lambda p, k, v, x: edits.copy_to(p, k[1], v, VERTEBRAE[OTHER[k[0]]]),
    "lock": lambda p, k, v, x: edits.set_locked(p, *k, locked=x < -15),
    "review": lambda p, k, v, x: edits.set_reviewed(p, *k, reviewed=x > 0),
}

one_edit = st.tuples(
    st.sampled_from(sorted(EDITS)),
    st.sampled_from(sorted(VERTEBRAE)),
    st.sampled_from(["left", "right"]),
    st.floats(-20, 20),
)


def content(p: Plan) -> list[tuple]:
    """Everything of a plan that edits can change, as numbers and words."""
    return [
        (
            row.key,
            None if row.screw is None else (*row.screw.entry, *row.screw.direction, row.screw.shape),
            (row.reason, row.planned_by, row.locked, row.reviewed, row.notes, row.assessment),
        )
        for row in p.screws
    ]


def make(history: History, edit) -> bool:
    """The edit made; ``False`` where it was refused, which must leave everything as it was."""
    name, level, side, amount = edit
    try:
        after = EDITS[name](history.current, (level, side), VERTEBRAE[level], amount)
    except InputError:
        return False
    history.do(after, name)
    return True


@settings(max_examples=25, deadline=None)
@given(st.lists(one_edit, min_size=200, max_size=200))
def test_two_hundred_edits_and_as_many_undos_end_where_they_began(sequence):
    start = plan()
    before = content(start)
    history = History(start)
    made = [edit[0] for edit in sequence if make(history, edit)]
    assert history.names == tuple(made)
    after = content(history.current)
    for name in reversed(made):
        assert history.undo_name == name
        history.undo()
    assert not history.can_undo and history.current is start and content(history.current) == before
    while history.can_redo:
        history.redo()
    assert content(history.current) == after and history.names == tuple(made)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(one_edit, st.sampled_from(["undo", "redo"])), max_size=60))
def test_undo_and_redo_walk_the_same_line_of_plans_in_any_order(steps):
    history = History(plan())
    line, at = [history.current], 0
    for step in steps:
        if step == "undo":
            assert history.can_undo == (at > 0)
            if at:
                at -= 1
                history.undo()
        elif step == "redo":
            assert history.can_redo == (at < len(line) - 1)
            if history.can_redo:
                at += 1
                history.redo()
        elif make(history, step):
            at += 1
            line[at:] = [history.current]
        assert history.current is line[at]


def test_menus_are_told_what_can_be_taken_back_and_made_again():
    history = History(plan())
    assert (history.undo_name, history.redo_name) == ("", "")
    history.do(edits.delete(history.current, Level.L3, "left"), "delete L3 left")
    assert (history.undo_name, history.redo_name) == ("delete L3 left", "")
    history.undo()
    assert (history.undo_name, history.redo_name) == ("", "delete L3 left")


def test_a_new_edit_forgets_what_had_been_taken_back():
    history = History(plan())
    history.do(Plan(), "clear")
    history.undo()
    history.do(Plan(engine="other"), "change the engine")
    assert not history.can_redo and history.names == ("change the engine",)


def test_beyond_its_limit_the_oldest_steps_are_forgotten():
    history = History(plan(), limit=3)
    plans = [history.do(Plan(engine=str(k)), f"step {k}") for k in range(5)]
    assert history.names == ("step 2", "step 3", "step 4")
    while history.can_undo:
        history.undo()
    assert history.current is plans[1]


def test_taking_back_or_making_again_without_a_step_is_refused():
    history = History(plan())
    with pytest.raises(InputError, match="nothing to undo"):
        history.undo()
    with pytest.raises(InputError, match="nothing to redo"):
        history.redo()
    with pytest.raises(InputError, match="at least one step"):
        History(plan(), limit=0)
