"""The C2 tab in a real browser: run, cancel, read, look where the network looked, take the screw in hand, export."""

import json
import zipfile

import numpy as np
import pytest
from axis_samples import perfect_assessment
from browsed import Browsed, differs
from c2_workshop import VARIANT, KnownAnswer

from spinescrew.anatomy.levels import Level
from spinescrew.exchange import read_plan
from spinescrew.scene.aligned_slices import plane_of
from spinescrew.viewer.opened import Target
from spinescrew.viewer.places import C2

LEFT = (Level.C2, "left")
REFUSAL = "no whole C2 is in view; take a CT that holds it from the dens to the arch"


@pytest.fixture(scope="module")
def found():
    """Wide on the left, narrow on the right."""
    return perfect_assessment(7, 1.0, VARIANT)


@pytest.fixture(scope="module")
def tab(found):
    """The page as ``spinescrew view --c2`` opens it, on an image that is refused once."""
    with Browsed(Target(), workshop=KnownAnswer(polls=40, refusals=[REFUSAL]), tab=C2) as browsed:
        yield browsed


@pytest.fixture
def judged(tab):
    """With the answer on it, and nothing edited."""
    if not tab.planner.server.state.opened:
        tab.until(lambda: not tab.planner.server.state.busy, "the first run")
        tab.click("#c2-run")
        tab.until(lambda: tab.planner.server.state.opened, "the answer")
    while tab.session.history.can_undo:
        tab.session.undo()
    tab.click("#c2-left")
    tab.shows("#hand-title", "C2 left")
    yield tab
    assert tab.harmful() == []


def screw(tab):
    return tab.session.plan.get(*LEFT)


def test_a_refusal_is_told_and_work_shows_how_far_it_is_until_it_is_cancelled(tab):
    tab.shows("#c2-asked", REFUSAL, 120)
    tab.shows("#c2-warning", "never saw a real neck CT")
    tab.click("#c2-run")
    tab.shows("#waiting", "judge both pedicles")
    tab.click("#cancel")
    tab.shows("#c2-asked", "Cancelled")
    assert tab.desk.case is None


def test_both_sides_have_a_gauge_a_verdict_measures_and_ways_out(judged, found):
    width = "side => document.querySelector(`#c2-${side} .gauge-fill`).style.width"
    for side, own in found.sides.items():
        judged.shows(f"#c2-{side} .verdict", own.verdict)
        judged.shows(f"#c2-{side}", f"{round(100 * own.probability)} %")
        assert judged.run(judged.page.evaluate(width, side)) == f"{round(100 * own.probability)}%"
    line = "document.querySelector('#c2-left .gauge-line').style.left"
    assert judged.run(judged.page.evaluate(line)) == "50%"
    table = judged.text("#c2-measures")
    assert f"{found.sides['right'].measures.outer_width_mm:.2f}" in table
    assert "4.78" in table
    assert "Right: Translaminar screw" in judged.text("#c2-ways")
    judged.shows("#c2-warning", "never saw a real neck CT")


def test_the_key_turns_attention_off_and_on_in_slices_and_on_the_bone(judged):
    slices, bone = judged.picture("Red"), judged.picture("1")
    judged.press("a")
    judged.until(lambda: not judged.planner.server.state.attention, "the key")
    judged.redrawn("Red", slices, 0.003)
    judged.redrawn("1", bone, 0.003)
    judged.press("a")
    judged.until(lambda: judged.planner.server.state.attention, "the key again")
    judged.until(lambda: differs(slices, judged.glance("Red")) < 0.001, "the picture of before")


def test_the_sliders_say_how_much_attention_covers_and_from_where_on(judged):
    for name in ("attention_opacity", "attention_threshold"):
        before = judged.picture("Red")
        slider = judged.page.locator(f"[data-slider={name}] [role=slider]")
        judged.run(slider.focus())
        for _ in range(6):
            judged.press("ArrowRight")
        judged.until(lambda name=name: judged.planner.server.state[name] > 0.55, "the slider")
        judged.redrawn("Red", before, 0.002)
    judged.press("a")  # also while a slider has the focus
    judged.until(lambda: not judged.planner.server.state.attention, "the key")
    judged.press("a")
    judged.until(lambda: judged.planner.server.state.attention, "the key again")


def test_the_slices_go_through_the_pedicle_of_the_side_that_was_pressed(judged, found):
    for side in ("right", "left"):
        judged.click(f"#c2-{side}")
        judged.until(lambda side=side: judged.planner.server.state.c2_side == side, "the side")
        isthmus = found.sides[side].measures.isthmus
        for view in judged.desk.panes.slices[:2]:
            plane = plane_of(view.get_view_node())
            assert abs((isthmus - plane[:3, 3]) @ plane[:3, 2]) < 2.0
    judged.click("#c2-right")
    judged.shows("#pane-Green .pane-title", "Across the pedicle")
    judged.shows("#grade-text", "not planned: the chance of a 3.5 mm screw is")
    plane = plane_of(judged.desk.panes.slices[2].get_view_node())
    assert plane[:3, 3] == pytest.approx(found.sides["right"].measures.isthmus, abs=0.01)


def test_the_screw_is_grabbed_in_a_slice_and_its_grade_follows(judged):
    before = screw(judged)
    assert judged.text("#c2-left .c2-screw .chip") == f"GR {before.assessment.gertzbein_robbins}"
    judged.drag("Red", judged.grip(LEFT, "tip"), (-90, 0))
    judged.until(lambda: judged.session.history.can_undo, "the edit")
    assert np.linalg.norm(screw(judged).screw.tip - before.screw.tip) > 5.0
    letter = screw(judged).assessment.gertzbein_robbins
    assert letter in "BCDE"
    judged.shows("#c2-left .c2-screw .chip", f"GR {letter}")
    judged.shows("#grade-text", "breach of")
    judged.shows(".bar .unsaved", "unsaved")


def test_the_screw_is_nudged_by_keys_and_sized_by_its_fields(judged):
    before = screw(judged).screw
    judged.run(judged.page.locator("#hand-title").click())
    judged.press("ArrowUp")
    judged.until(lambda: judged.session.history.can_undo, "the nudge")
    frame = judged.session.spine.vertebrae[Level.C2].frame
    assert (screw(judged).screw.entry - before.entry) @ frame.superior == pytest.approx(0.5)
    judged.type("#type-length_mm", before.shape.length_mm - 4)
    judged.until(lambda: screw(judged).screw.shape.length_mm < before.shape.length_mm, "the length")
    judged.shows("#c2-left .c2-screw", f"{screw(judged).screw.shape.length_mm:g} mm")
    judged.click("#undo")
    judged.until(lambda: screw(judged).screw.shape == before.shape, "the undo")


def test_a_case_that_is_exported_can_be_carried_away(judged, tmp_path, found):
    judged.press("ArrowUp")
    judged.until(lambda: judged.session.history.can_undo, "the nudge")
    judged.click("#export")
    judged.until(lambda: judged.planner.server.state.exported, "the export", 600)

    async def fetch(name):
        async with judged.page.expect_download() as download:
            await judged.page.locator(f"#download-{name}").click()
        path = tmp_path / (await download.value).suggested_filename
        await (await download.value).save_as(path)
        return path

    judged.shows("#download-report", "Report")
    plan = read_plan(judged.run(fetch("plan")))
    assert plan.get(*LEFT).screw.entry == pytest.approx(screw(judged).screw.entry, abs=0.01)
    archive = zipfile.ZipFile(judged.run(fetch("archive")))
    packed = {name.split("/")[-1]: name for name in archive.namelist()}
    assert {"c2.json", "c2.nii.gz", "pedicles.nii.gz", "attention.nii.gz", "report.html", "plan.json"} <= set(packed)
    told = json.loads(archive.read(packed["c2.json"]))
    assert told["sides"]["left"]["probability"] == pytest.approx(found.sides["left"].probability, abs=1e-4)
    judged.dismiss()
    judged.until(lambda: not judged.planner.server.state.unsaved, "nothing unsaved")


def test_the_planners_tab_opens_its_own_case_and_the_answer_stays(judged):
    judged.click("#tab-planner")
    judged.shows("#waiting", "Cancel")
    judged.press("a")  # means nothing there
    judged.click("#cancel")
    judged.shows("#failed", "Cancelled", 60)
    assert judged.run(judged.page.locator("#c2-warning").count()) == 0
    judged.click("#tab-c2")
    judged.shows("#c2-left .verdict", "feasible")
    assert judged.planner.server.state.attention
    judged.until(lambda: judged.glance("Red").std() > 20, "the slice")
