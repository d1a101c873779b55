"""Edits of one screw in a plan."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from edit_cases import L3, L4, VERTEBRAE, plan

from spinescrew.anatomy.frame import screw_angles
from spinescrew.anatomy.levels import Level
from spinescrew.errors import InputError
from spinescrew.implants.catalog import load_catalog
from spinescrew.implants.screw import Screw, ScrewShape
from spinescrew.planning import edits

HERE = (Level.L3, "left")

CHANGES = {
    "move": lambda p: edits.move(p, *HERE, (1, 2, 3)),
    "move the entry": lambda p: edits.move(p, *HERE, (1, 2, 3), "entry"),
    "move the tip": lambda p: edits.move(p, *HERE, (1, 2, 3), "tip"),
    "rotate": lambda p: edits.rotate(p, *HERE, L3, pta_deg=20.0),
    "rotate about the isthmus": lambda p: edits.rotate(p, *HERE, L3, psa_deg=3.0, about="isthmus"),
    "resize": lambda p: edits.resize(p, *HERE, diameter_mm=7.0),
    "slide": lambda p: edits.slide(p, *HERE, 2.0),
    "shift the entry": lambda p: edits.shift_entry(p, *HERE, L3.frame, superior_mm=1.0),
    "delete": lambda p: edits.delete(p, *HERE),
    "mirror onto it": lambda p: edits.mirror(p, Level.L3, "right", L3.frame),
    "copy onto it": lambda p: edits.copy_to(p, "left", L4, L3),
}
each_change = pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())


def screw_of(edited, level=Level.L3, side="left") -> Screw:
    return edited.get(level, side).screw


@each_change
def test_every_change_clears_what_was_said_and_says_a_person_made_it(change):
    before = plan().with_screw(replace(plan().get(*HERE), assessment=object()))
    row = change(before).get(*HERE)
    assert (row.assessment, row.reviewed, row.planned_by, row.notes) == (None, False, "edited", ())


@each_change
def test_an_edit_leaves_the_old_plan_and_all_other_rows_as_they_were(change):
    before = plan()
    rows = before.screws
    after = change(before)
    assert before.screws is rows and before.get(*HERE).reviewed
    assert [row.key for row in after.screws] == [row.key for row in rows]
    assert all(new is old for new, old in zip(after.screws, rows, strict=True) if old.key != HERE)


@each_change
def test_a_locked_screw_refuses_until_it_is_unlocked(change):
    locked = edits.set_locked(plan(), *HERE)
    with pytest.raises(InputError, match=r"L3 \(22\) left is locked; unlock it to change it"):
        change(locked)
    assert change(edits.set_locked(locked, *HERE, locked=False)).get(*HERE).planned_by == "edited"


def test_locking_and_reviewing_change_nothing_else():
    row = edits.set_locked(plan(), *HERE).get(*HERE)
    assert row.locked and row.reviewed and row.screw is not None and row.planned_by == "automatic"
    assert not edits.set_reviewed(plan(), *HERE, reviewed=False).get(*HERE).reviewed


def test_moving_a_screw_keeps_its_direction_and_item():
    before, after = screw_of(plan()), screw_of(edits.move(plan(), *HERE, (1, -2, 3)))
    assert after.entry - before.entry == pytest.approx([1, -2, 3])
    assert after.tip - before.tip == pytest.approx([1, -2, 3])
    assert after.shape == before.shape


@pytest.mark.parametrize("part", ["entry", "tip"])
def test_moving_one_end_holds_the_other(part):
    before, after = screw_of(plan()), screw_of(edits.move(plan(), *HERE, (1, -2, 3), part))
    shift = {"entry": after.entry - before.entry, "tip": after.tip - before.tip}
    assert shift.pop(part) == pytest.approx([1, -2, 3])
    assert shift.popitem()[1] == pytest.approx([0, 0, 0], abs=1e-12)
    assert after.shape.item == "custom" and after.shape.diameter_mm == 6.5


@pytest.mark.parametrize("side", ["left", "right"])
def test_typed_angles_are_the_angles_of_the_screw(side):
    edited = edits.rotate(plan(), Level.L3, side, L3, pta_deg=22.0, psa_deg=7.5)
    angles = screw_angles(screw_of(edited, side=side).direction, L3.frame, side)
    assert (angles.pta, angles.psa) == (pytest.approx(22.0), pytest.approx(7.5))


def test_an_angle_left_out_stays():
    angles = screw_angles(screw_of(edits.rotate(plan(), *HERE, L3, pta_deg=22.0)).direction, L3.frame, "left")
    assert (angles.pta, angles.psa) == (pytest.approx(22.0), pytest.approx(-5.0))


def test_turning_about_the_entry_or_the_isthmus_holds_that_point():
    before = screw_of(plan())
    assert screw_of(edits.rotate(plan(), *HERE, L3, pta_deg=30.0)).entry == pytest.approx(before.entry)
    after = screw_of(edits.rotate(plan(), *HERE, L3, pta_deg=30.0, about="isthmus"))
    isthmus = L3.pedicles["left"].isthmus
    assert np.cross(isthmus - after.entry, after.direction) == pytest.approx([0, 0, 0], abs=1e-9)
    assert np.linalg.norm(isthmus - after.entry) == pytest.approx(14.0)
    assert np.linalg.norm(after.entry - before.entry) > 3


def test_a_resized_screw_is_custom_or_the_nearest_of_the_catalogue():
    free = screw_of(edits.resize(plan(), *HERE, diameter_mm=6.2, length_mm=43.0)).shape
    assert (free.diameter_mm, free.length_mm, free.item) == (6.2, 43.0, "custom")
    snapped = screw_of(edits.resize(plan(), *HERE, diameter_mm=7.1, length_mm=41.0, catalog=load_catalog())).shape
    assert (snapped.diameter_mm, snapped.length_mm, snapped.item) == (7.0, 40.0, "generic 7.0 x 40")
    longer = screw_of(edits.resize(plan(), *HERE, length_mm=50.0, catalog=load_catalog())).shape
    assert longer.item == "generic 6.5 x 50"


def test_sliding_goes_along_the_axis():
    before, after = screw_of(plan()), screw_of(edits.slide(plan(), *HERE, -3.0))
    assert (before.entry - after.entry) @ before.direction == pytest.approx(3.0)
    assert after.direction == pytest.approx(before.direction)


def test_the_entry_is_shifted_along_the_vertebras_axes_not_the_patients():
    before = screw_of(plan())
    parallel = screw_of(edits.shift_entry(plan(), *HERE, L3.frame, right_mm=1, anterior_mm=2, superior_mm=3))
    assert L3.frame.to_local(parallel.entry) - L3.frame.to_local(before.entry) == pytest.approx([1, 2, 3])
    assert parallel.direction == pytest.approx(before.direction)
    pivoted = screw_of(edits.shift_entry(plan(), *HERE, L3.frame, superior_mm=3, hold="tip"))
    assert pivoted.tip == pytest.approx(before.tip)
    assert L3.frame.to_local(pivoted.entry)[2] - L3.frame.to_local(before.entry)[2] == pytest.approx(3)


def test_a_deleted_screw_leaves_its_row_with_the_reason():
    row = edits.delete(plan(), *HERE).get(*HERE)
    assert (row.status, row.reason, row.planned_by) == ("not_planned", "deleted by hand", "edited")


def test_a_screw_can_be_added_where_there_is_none():
    screw = Screw(np.zeros(3), np.array([0.0, 1.0, 0.0]), ScrewShape(6.5, 45.0))
    for level, side in ((Level.L4, "right"), (Level.T12, "left")):
        row = edits.add(plan(), level, side, screw).get(level, side)
        assert (row.screw, row.status, row.reason, row.planned_by) == (screw, "planned", "", "edited")
    assert edits.add(plan(), Level.T12, "left", screw).screws[0].level is Level.T12
    with pytest.raises(InputError, match=r"L3 \(22\) left has a screw already"):
        edits.add(plan(), *HERE, screw)
    with pytest.raises(InputError, match="is locked"):
        edits.add(edits.set_locked(plan(), Level.L4, "right"), Level.L4, "right", screw)


def test_a_mirrored_screw_has_the_same_angles_on_the_other_side():
    edited = edits.mirror(edits.rotate(plan(), *HERE, L3, pta_deg=21.0, psa_deg=4.0), *HERE, L3.frame)
    left, right = screw_of(edited), screw_of(edited, side="right")
    angles = screw_angles(right.direction, L3.frame, "right")
    assert (angles.pta, angles.psa) == (pytest.approx(21.0), pytest.approx(4.0))
    assert L3.frame.to_local(right.entry) == pytest.approx(L3.frame.to_local(left.entry) * [-1, 1, 1])
    assert right.shape == left.shape


def test_mirroring_twice_gives_the_screw_back():
    there = edits.mirror(plan(), *HERE, L3.frame)
    back = screw_of(edits.mirror(there, Level.L3, "right", L3.frame))
    assert back.entry == pytest.approx(screw_of(plan()).entry)
    assert back.tip == pytest.approx(screw_of(plan()).tip)


def test_a_copied_screw_stands_in_the_next_vertebra_as_in_its_own():
    edited = edits.copy_to(edits.rotate(plan(), *HERE, L3, pta_deg=21.0), "left", L3, L4)
    source, copy = screw_of(edited), screw_of(edited, Level.L4)
    assert screw_angles(copy.direction, L4.frame, "left") == pytest.approx(
        screw_angles(source.direction, L3.frame, "left")
    )
    offsets = [
        bone.frame.axes.T @ (screw.entry - bone.pedicles["left"].isthmus) for bone, screw in ((L3, source), (L4, copy))
    ]
    assert offsets[0] == pytest.approx(offsets[1])


def test_a_copy_to_a_vertebra_without_that_pedicle_goes_by_the_body():
    bare = replace(L4, pedicles={})
    copy = screw_of(edits.copy_to(plan(), "left", L3, bare), Level.L4)
    assert L4.frame.to_local(copy.entry) == pytest.approx(L3.frame.to_local(screw_of(plan()).entry))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda p: edits.move(p, Level.S1, "left", (1, 0, 0)), r"no screw for S1 \(26\) left"),
        (lambda p: edits.move(p, Level.L4, "right", (1, 0, 0)), r"has no screw \(the pedicle is 3.1 mm wide\)"),
        (lambda p: edits.move(p, *HERE, (1, 0)), "three finite numbers"),
        (lambda p: edits.move(p, *HERE, (1, 0, float("nan"))), "three finite numbers"),
        (lambda p: edits.move(p, *HERE, (1, 0, 0), "middle"), "'middle' is no part"),
        (lambda p: edits.move(p, *HERE, screw_of(p).tip - screw_of(p).entry, "entry"), "length .* outside 8-140"),
        (lambda p: edits.slide(p, *HERE, float("inf")), "three finite numbers"),
        (lambda p: edits.rotate(p, *HERE, L3, pta_deg=85.0), "PTA of 85 degrees is no pedicle screw"),
        (lambda p: edits.rotate(p, *HERE, L3, psa_deg=float("nan")), "PSA of nan"),
        (lambda p: edits.rotate(p, *HERE, L4, pta_deg=5.0), r"frame of L4 \(23\) was given for a screw in L3"),
        (
            lambda p: edits.rotate(p, *HERE, replace(L3, pedicles={}, missing={"left": "cut off"}), about="isthmus"),
            r"no isthmus to turn about \(cut off\)",
        ),
        (lambda p: edits.resize(p, *HERE, diameter_mm=65.0), "is it in tenths of a millimetre"),
        (lambda p: edits.resize(p, *HERE, length_mm=float("nan"), catalog=load_catalog()), "length nan mm"),
        (lambda p: edits.mirror(p, Level.L4, "right", VERTEBRAE[Level.L4].frame), "add one first"),
        (lambda p: edits.delete(p, Level.L4, "right"), "has no screw"),
    ],
)
def test_an_edit_that_makes_no_sense_is_refused_with_the_reason(change, said):
    with pytest.raises(InputError, match=said):
        change(plan())


def test_screws_of_a_renamed_vertebra_stay_in_their_bone_and_lose_their_grade():
    before = plan()
    names = {Level.L3: Level.L2, Level.L4: Level.L3}
    after = edits.renamed(before, names)
    assert [row.key for row in after.screws] == [(names.get(row.level, row.level), row.side) for row in before.screws]
    assert all(
        now.screw is row.screw and now.assessment is None for now, row in zip(after.screws, before.screws, strict=True)
    )
