"""What the page is told of a session: plain values, and words where nothing can be said."""

import json

import pytest
from scene_cases import planned_case

from spinescrew.anatomy.levels import Level
from spinescrew.errors import InputError
from spinescrew.planning import actions
from spinescrew.planning.session import Session
from spinescrew.viewer import shown
from spinescrew.viewer.controls import KEYS

LEFT = (Level.L3, "left")


@pytest.fixture
def session():
    case = planned_case()
    made = Session(case.plan, case.spine)
    made.select(LEFT)
    return made


def test_everything_can_go_to_a_browser(session):
    told = [shown.table_rows(session), shown.screw_in_hand(session), shown.steps(session), shown.figure_fields()]
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_the_screw_in_hand_is_told_with_its_grade_figures_and_place(session):
    hand = shown.screw_in_hand(session)
    row = session.plan.get(*LEFT)
    assert hand["key"] == "L3 left"
    assert hand["letter"] == row.assessment.gertzbein_robbins
    assert hand["figures"]["pta_deg"] == pytest.approx(row.assessment.pta_deg, abs=0.01)
    assert hand["moved"] == "as planned automatically"
    assert {fact["name"] for fact in hand["facts"]} >= {"Canal", "Depth", "Fill", "Facet gap"}


def test_a_screw_that_was_moved_says_how_far_and_its_row_is_marked(session):
    actions.nudge(session, left_mm=2.0)
    assert "entry 2.0" in shown.screw_in_hand(session)["moved"]
    moved = {row["key"] for row in shown.table_rows(session) if row["moved"]}
    assert moved == {"L3 left"}
    assert shown.steps(session) == {"undo": "nudge L3 left", "redo": ""}


def test_a_breach_is_told_in_millimetres_and_direction(session):
    actions.nudge(session, left_mm=-7.0)
    hand = shown.screw_in_hand(session)
    assert hand["letter"] in "BCDE"
    assert "breach of" in hand["grade_text"]


def test_a_stale_grade_is_not_shown(session):
    session.mark_stale([Level.L3])
    hand, row = shown.screw_in_hand(session), next(r for r in shown.table_rows(session) if r["key"] == "L3 left")
    assert hand["letter"] == row["letter"] == "..."
    assert hand["facts"] == []
    assert "made anew" in hand["grade_text"]


def test_a_deleted_screw_says_why_there_is_none(session):
    actions.delete(session)
    session.select(LEFT)
    hand = shown.screw_in_hand(session)
    assert not hand["planned"]
    assert "deleted by hand" in hand["grade_text"]
    assert hand["figures"] == {}


def test_execution_risk_stands_beside_the_grade_once_it_is_known(session):
    session.refine(draws=20)
    facts = {fact["name"]: fact["value"] for fact in shown.screw_in_hand(session)["facts"]}
    assert "%" in facts["If executed"]


def test_keys_are_read_as_they_are_written():
    assert shown.key_from_text(shown.key_text(LEFT)) == LEFT
    for text in ("L3", "L3 middle", "Q9 left", ""):
        with pytest.raises(InputError):
            shown.key_from_text(text)


def test_a_missing_vertebra_is_asked_about():
    told = shown.level_rows([Level.L1, Level.L3], {Level.L3: Level.L2})
    assert told["changed"]
    assert "L1-L3" in told["message"]
    assert told["rows"][1] == {"now": "L3", "name": "L2"}


@pytest.mark.parametrize("key", sorted(KEYS))
def test_every_key_does_something_or_says_why_not(session, key):
    does, deed = KEYS[key]
    assert does
    before = (session.plan, session.selected)
    try:
        deed(session)
    except InputError as error:
        assert str(error)
    else:
        assert (session.plan, session.selected) != before or key.startswith("Ctrl") or key == "r"
