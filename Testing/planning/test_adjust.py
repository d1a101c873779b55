"""Figures that are read and typed, screws placed by both ends, and amended histories."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest
from edit_cases import L3, plan
from pytest import approx

from spinescrew.anatomy.frame import side_sign
from spinescrew.anatomy.levels import Level
from spinescrew.anatomy.vertebra import Spine, Vertebra
from spinescrew.errors import InputError
from spinescrew.geometry.sdf import SignedDistance
from spinescrew.geometry.volume import Volume
from spinescrew.implants.catalog import load_catalog
from spinescrew.implants.screw import Screw, ScrewShape
from spinescrew.planning import adjust, edits
from spinescrew.planning.history import History
from spinescrew.planning.plan import Plan, PlannedScrew

HERE = (Level.L3, "left")
EMPTY = (Level.L4, "right")
CATALOG = load_catalog()


def bone_of(distance, spacing: float = 8.0) -> SignedDistance:
    """Bone around the origin; a coarse grid is exact where ``distance`` is linear in whole numbers."""
    return SignedDistance.from_function(distance, (-96, -96, -96), (96, 96, 96), spacing)


def between(*slabs):
    """Bone where y lies in one of these slabs (from, to), whole multiples of 8 mm apart."""
    return lambda points: np.min([np.maximum(a - points[:, 1], points[:, 1] - b) for a, b in slabs], axis=0)


def spine_of(*vertebrae: Vertebra) -> Spine:
    return Spine({v.level: v for v in vertebrae}, Volume(np.zeros((2, 2, 2), dtype=np.uint8), np.eye(4)))


@pytest.fixture(scope="session")
def flat() -> Vertebra:
    """L3 with a flat back: bone from y = -20 forwards."""
    return replace(L3, bone=bone_of(lambda points: -20.0 - points[:, 1]))


@pytest.fixture(scope="session")
def round_one() -> Vertebra:
    """L3 as a ball of 30 mm around its centre."""
    return replace(L3, bone=bone_of(lambda points: np.linalg.norm(points - L3.frame.origin, axis=1) - 30.0, 1.0))


def figures_of(edited: Plan, vertebra: Vertebra, key=HERE, reference: Plan | None = None) -> dict:
    row = None if reference is None else reference.get(*key)
    return asdict(adjust.figures(edited.get(*key), vertebra, row))


def straight(y: float, length: float = 45.0) -> Screw:
    """A screw that points forwards and enters at this y."""
    return Screw(np.array([3.0, y, 2.0]), np.array([0.0, 1.0, 0.0]), ScrewShape(6.5, length))


def with_screw(screw: Screw) -> Plan:
    return plan().with_screw(replace(plan().get(*HERE), screw=screw))


def test_figures_say_where_a_screw_stands(flat):
    shown = adjust.figures(plan().get(*HERE), flat)
    assert (shown.diameter_mm, shown.length_mm, shown.lateral_mm, shown.cranial_mm) == (6.5, 45.0, 0.0, 0.0)
    assert (shown.pta_deg, shown.psa_deg) == (approx(15.0), approx(-5.0))
    screw = plan().get(*HERE).screw
    assert shown.seating_mm == approx((screw.entry[1] + 20.0) / screw.direction[1], abs=1e-6)


@pytest.mark.parametrize("side", ["left", "right"])
def test_entry_shifts_are_told_in_the_vertebras_frame_away_from_the_midline(flat, side):
    key = (Level.L3, side)
    moved = edits.shift_entry(
        plan(), *key, flat.frame, right_mm=2.0 * side_sign(side), anterior_mm=5.0, superior_mm=-3.0
    )
    shown = figures_of(moved, flat, key, plan())
    assert (shown["lateral_mm"], shown["cranial_mm"]) == (approx(2.0), approx(-3.0))
    bare = figures_of(moved, flat, key)
    assert (bare["lateral_mm"], bare["cranial_mm"]) == (0.0, 0.0)


def test_a_reference_without_a_screw_gives_no_shift(flat):
    shown = adjust.figures(plan().get(*HERE), flat, plan().get(*EMPTY))
    assert (shown.lateral_mm, shown.cranial_mm) == (0.0, 0.0)


@pytest.mark.parametrize("value", [-12.5, -0.1, 0.0, 3.0, 17.3])
def test_a_typed_seating_is_read_back_and_nothing_else_changes(flat, value):
    edited = adjust.set_seating(plan(), *HERE, spine_of(flat), value)
    before, after = figures_of(plan(), flat), figures_of(edited, flat)
    assert after.pop("seating_mm") == approx(value, abs=1e-6)
    del before["seating_mm"]
    assert after == approx(before, abs=1e-9)
    moved = edited.get(*HERE).screw.entry - plan().get(*HERE).screw.entry
    assert np.cross(moved, plan().get(*HERE).screw.direction) == approx([0, 0, 0], abs=1e-9)
    assert edited.get(*HERE).planned_by == "edited"


@pytest.mark.parametrize("value", [-7.0, 0.0, 4.0])
def test_a_typed_seating_is_read_back_in_round_bone(round_one, value):
    once = adjust.set_seating(plan(), *HERE, spine_of(round_one), value)
    screw = once.get(*HERE).screw
    on_surface = screw.entry - value * screw.direction
    assert np.linalg.norm(on_surface - L3.frame.origin) == approx(30.0, abs=0.05)
    assert adjust.seating(screw, round_one) == approx(value, abs=2e-3)


@pytest.mark.parametrize("value", [-8.0, 0.0, 2.5])
@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("name", ["lateral_mm", "cranial_mm"])
def test_a_typed_entry_shift_is_read_back_and_nothing_else_changes(flat, name, side, value):
    key = (Level.L3, side)
    start = edits.shift_entry(plan(), *key, flat.frame, right_mm=1.0, anterior_mm=-2.0, superior_mm=1.5)
    edited = adjust.set_entry_shift(start, *key, flat.frame, plan().get(*key), **{name: value})
    before, after = (figures_of(p, flat, key, plan()) for p in (start, edited))
    assert after.pop(name) == approx(value, abs=1e-9)
    del before[name], before["seating_mm"], after["seating_mm"]
    assert after == approx(before, abs=1e-9)
    local = flat.frame.axes.T @ (edited.get(*key).screw.entry - start.get(*key).screw.entry)
    assert local[1] == approx(0.0, abs=1e-9)


def test_both_entry_shifts_at_once_and_none_at_all(flat):
    reference = plan().get(*HERE)
    both = adjust.set_entry_shift(plan(), *HERE, flat.frame, reference, lateral_mm=3.0, cranial_mm=-2.0)
    shown = figures_of(both, flat, HERE, plan())
    assert (shown["lateral_mm"], shown["cranial_mm"]) == (approx(3.0), approx(-2.0))
    same = adjust.set_entry_shift(both, *HERE, flat.frame, reference)
    assert same.get(*HERE).screw.entry == approx(both.get(*HERE).screw.entry)


@pytest.mark.parametrize("name", ["pta_deg", "psa_deg"])
def test_a_typed_angle_is_read_back_and_nothing_else_changes(flat, name):
    edited = edits.rotate(plan(), *HERE, flat, **{name: 21.25})
    before, after = (figures_of(p, flat, HERE, plan()) for p in (plan(), edited))
    assert after.pop(name) == approx(21.25, abs=1e-6)
    del before[name], before["seating_mm"], after["seating_mm"]
    assert after == approx(before, abs=1e-6)


@pytest.mark.parametrize(("name", "typed", "snapped"), [("diameter_mm", 6.8, 7.0), ("length_mm", 41.7, 40.0)])
@pytest.mark.parametrize("catalog", [None, CATALOG], ids=["free", "snapped"])
def test_a_typed_size_is_read_back_and_nothing_else_changes(flat, name, typed, snapped, catalog):
    edited = adjust.set_size(plan(), *HERE, catalog=catalog, **{name: typed})
    before, after = (figures_of(p, flat, HERE, plan()) for p in (plan(), edited))
    assert after.pop(name) == (typed if catalog is None else snapped)
    del before[name]
    assert after == approx(before, abs=1e-9)
    assert (edited.get(*HERE).screw.shape.item == "custom") == (catalog is None)


@pytest.mark.parametrize(
    ("entry_y", "expected"),
    [
        (-40.0, 0.0),
        (-52.0, -12.0),
        (-25.0, 15.0),
        (-10.0, -2.0),
        (8.0, 16.0),
        (40.0, 48.0),
        (70.0, None),
        (-90.0, None),
    ],
    ids=[
        "on it",
        "before it",
        "in it",
        "in the gap",
        "in the second",
        "deep in the second",
        "past it all",
        "too far away",
    ],
)
def test_seating_is_measured_from_the_piece_of_bone_that_holds_the_shaft(entry_y, expected):
    pieces = replace(L3, bone=bone_of(between((-40, -16), (-8, 64)), 4.0))
    found = adjust.seating(straight(entry_y), pieces)
    assert found == (None if expected is None else approx(expected, abs=1e-6))


def test_a_piece_of_bone_behind_the_head_is_not_its_surface():
    spinous = replace(L3, bone=bone_of(between((-72, -56), (-32, 64)), 4.0))
    assert adjust.seating(straight(-40.0), spinous) == approx(-8.0, abs=1e-6)
    assert adjust.seating(straight(-20.0), spinous) == approx(12.0, abs=1e-6)


def test_an_axis_that_meets_no_bone_has_no_seating_and_none_can_be_typed(flat):
    away = with_screw(Screw(np.array([0.0, -30.0, 0.0]), np.array([0.0, -1.0, 0.0]), ScrewShape(6.5, 45.0)))
    row = away.get(*HERE)
    beside = replace(flat, bone=bone_of(lambda points: 60.0 + 0 * points[:, 1]))
    assert adjust.figures(row, beside).seating_mm is None
    with pytest.raises(InputError, match=r"axis of L3 \(22\) left meets no bone; turn or move the screw first"):
        adjust.set_seating(away, *HERE, spine_of(beside), 0.0)


TYPING = {
    "seating": lambda p, key, bone: adjust.set_seating(p, *key, spine_of(bone), 1.0),
    "entry shift": lambda p, key, bone: adjust.set_entry_shift(p, *key, bone.frame, plan().get(*HERE), lateral_mm=1.0),
    "size": lambda p, key, bone: adjust.set_size(p, *key, length_mm=50.0),
    "place": lambda p, key, bone: edits.place(p, *key, (0, -20, 0), (0, 20, 0)),
}
each_typing = pytest.mark.parametrize("change", TYPING.values(), ids=TYPING.keys())


@each_typing
def test_a_locked_screw_takes_no_figures(flat, change):
    with pytest.raises(InputError, match=r"L3 \(22\) left is locked; unlock it to change it"):
        change(edits.set_locked(plan(), *HERE), HERE, flat)


@each_typing
def test_a_row_without_a_screw_takes_no_figures(flat, change):
    with pytest.raises(InputError, match=r"L4 \(23\) right has no screw \(the pedicle is 3.1 mm wide\); add one first"):
        change(plan(), EMPTY, flat)


@each_typing
def test_a_typed_figure_clears_what_was_said_and_leaves_the_other_rows(flat, change):
    before = plan().with_screw(replace(plan().get(*HERE), assessment=object()))
    after = change(before, HERE, flat)
    row = after.get(*HERE)
    assert (row.assessment, row.reviewed, row.planned_by, row.notes) == (None, False, "edited", ())
    assert all(new is old for new, old in zip(after.screws, before.screws, strict=True) if old.key != HERE)


@pytest.mark.parametrize("value", [-60.0, 130.0], ids=["before the bone", "through it"])
def test_a_seating_that_could_not_be_read_again_is_refused(round_one, value):
    with pytest.raises(InputError):
        adjust.set_seating(plan(), *HERE, spine_of(round_one), value)


def test_figures_that_make_no_sense_are_refused_with_the_reason(flat):
    with pytest.raises(InputError, match=r"L4 \(23\) left|L4 \(23\) is not in the label map"):
        adjust.set_seating(plan(), Level.L4, "left", spine_of(flat), 0.0)
    with pytest.raises(InputError, match="three finite numbers"):
        adjust.set_seating(plan(), *HERE, spine_of(flat), float("nan"))
    with pytest.raises(InputError, match="three finite numbers"):
        adjust.set_entry_shift(plan(), *HERE, flat.frame, plan().get(*HERE), cranial_mm=float("inf"))
    with pytest.raises(InputError, match="has no screw"):
        adjust.set_entry_shift(plan(), *HERE, flat.frame, plan().get(*EMPTY), cranial_mm=1.0)
    with pytest.raises(InputError, match="length 400 mm is outside"):
        adjust.set_size(plan(), *HERE, length_mm=400.0)
    with pytest.raises(InputError, match="has no screw"):
        adjust.figures(PlannedScrew(Level.L3, "left", reason="too narrow"), flat)


def test_a_placed_screw_runs_from_its_entry_to_its_tip():
    entry, tip = np.array([-20.0, -30.0, 4.0]), np.array([-9.0, 7.0, 1.0])
    screw = edits.place(plan(), *HERE, entry, tip).get(*HERE).screw
    assert screw.entry == approx(entry) and screw.tip == approx(tip)
    assert (screw.shape.diameter_mm, screw.shape.item) == (6.5, "custom")
    assert screw.shape.length_mm == approx(np.linalg.norm(tip - entry))


def test_a_placed_screw_snaps_to_a_length_there_is_measured_from_its_entry():
    entry, towards = np.array([-20.0, -30.0, 4.0]), np.array([2.0, 6.0, -3.0]) / 7.0
    screw = edits.place(plan(), *HERE, entry, entry + 41.0 * towards, catalog=CATALOG).get(*HERE).screw
    assert screw.entry == approx(entry) and screw.tip == approx(entry + 40.0 * towards)
    assert screw.shape.item == "generic 6.5 x 40"


def test_a_screw_placed_at_its_own_length_keeps_its_item():
    screw = plan().get(*HERE).screw
    shift = np.array([1.0, 2.0, 3.0])
    placed = edits.place(plan(), *HERE, screw.entry + shift, screw.tip + shift).get(*HERE).screw
    assert placed.shape == screw.shape and placed.tip == approx(screw.tip + shift)


def test_a_placed_screw_keeps_its_diameter():
    thin = edits.resize(plan(), *HERE, diameter_mm=6.2)
    screw = edits.place(thin, *HERE, (0, 0, 0), (0, 41, 0), catalog=CATALOG).get(*HERE).screw
    assert screw.shape.diameter_mm == 6.2


def test_a_placed_screw_keeps_its_head_and_its_notes():
    shape = ScrewShape(6.5, 45.0, tulip_diameter_mm=11.0, tulip_height_mm=17.0)
    noted = with_screw(Screw(np.zeros(3), np.array([0.0, 1.0, 0.0]), shape, notes=("typed",)))
    placed = edits.place(noted, *HERE, (0, 0, 0), (0, 30, 0)).get(*HERE).screw
    assert (placed.shape.tulip_diameter_mm, placed.shape.tulip_height_mm, placed.notes) == (11.0, 17.0, ("typed",))


@pytest.mark.parametrize(
    ("entry", "tip", "said"),
    [
        ((0, 0, 0), (0, 0, 0), "length 0 mm is outside 8-140"),
        ((0, 0, 0), (0, 200, 0), "length 200 mm is outside 8-140"),
        ((0, 0), (0, 40, 0), "three finite numbers"),
        ((0, 0, 0), (0, float("nan"), 0), "three finite numbers"),
    ],
)
@pytest.mark.parametrize("catalog", [None, CATALOG], ids=["free", "snapped"])
def test_a_place_that_makes_no_sense_is_refused(entry, tip, said, catalog):
    with pytest.raises(InputError, match=said):
        edits.place(plan(), *HERE, entry, tip, catalog=catalog)


def named(word: str) -> Plan:
    return Plan(engine=word)


def test_an_amended_plan_is_part_of_the_last_edit():
    history = History(named("first"))
    history.do(named("second"), "edit")
    amended = named("better")
    assert history.amend(amended) is amended and history.current is amended
    assert history.names == ("edit",)
    assert history.undo().engine == "first"
    assert history.redo() is amended


def test_amending_forgets_nothing_that_was_taken_back():
    history = History(named("first"))
    later = history.do(named("second"), "edit")
    history.undo()
    amended = history.amend(named("first, graded"))
    assert history.redo_name == "edit" and not history.can_undo
    assert history.redo() is later and history.undo() is amended


def test_rewriting_reaches_every_plan_once_and_keeps_names_and_limit():
    history = History(named("0"), limit=3)
    for n in range(1, 6):
        history.do(named(str(n)), f"step {n}")
    history.undo()
    seen = []

    def function(p: Plan) -> Plan:
        seen.append(p.engine)
        return named(p.engine + "!")

    assert history.rewrite(function) is history.current and history.current.engine == "4!"
    assert sorted(seen) == ["2", "3", "4", "5"]
    assert history.names == ("step 3", "step 4") and history.redo_name == "step 5"
    assert history.redo().engine == "5!"
    assert [history.undo().engine for _ in range(3)] == ["4!", "3!", "2!"]
    for n in range(4):
        history.do(named(str(n)), f"new {n}")
    assert history.names == ("new 1", "new 2", "new 3")
