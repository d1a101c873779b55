"""The page in a real browser: what a hand does there changes grade, table and picture."""

import zipfile

import numpy as np
import pytest
from browsed import Browsed

from spinescrew.anatomy.levels import Level
from spinescrew.exchange import read_plan
from spinescrew.viewer.opened import Target

L3_LEFT = (Level.L3, "left")


@pytest.fixture(scope="module")
def planner(tmp_path_factory):
    with Browsed(Target(), tmp_path_factory.mktemp("journals")) as browsed:
        browsed.until(lambda: browsed.desk is not None and browsed.planner.server.state.opened, "the demo case")
        browsed.shows("#summary", "12 of 12")
        yield browsed


@pytest.fixture(autouse=True)
def on_l3_left(planner):
    while planner.session.history.can_undo:
        planner.session.undo()
    planner.click('tr[data-key="L3 left"]')
    planner.shows("#hand-title", "L3 left")
    yield
    assert planner.harmful() == []


def row_text(planner, key="L3 left"):
    return planner.text(f'tr[data-key="{key}"]')


def screw(planner, key=L3_LEFT):
    return planner.session.plan.get(*key)


def test_a_handle_dragged_in_3d_moves_the_screw_and_everything_that_tells_of_it(planner):
    before, picture, row = screw(planner), planner.picture("1"), row_text(planner)
    planner.drag("1", planner.grip(L3_LEFT, "whole"), (30, 0))
    planner.until(lambda: planner.session.history.undo_name == "move L3 left", "the edit")
    moved = screw(planner).screw.entry - before.screw.entry
    assert np.linalg.norm(moved) > 3.0
    assert np.allclose(moved, screw(planner).screw.tip - before.screw.tip, atol=0.1)  # the whole screw
    planner.shows("#moved", "from the automatic plan")
    assert row_text(planner) != row
    planner.redrawn("1", picture, 0.002)


def test_a_handle_dragged_in_a_slice_turns_the_screw_until_it_breaches_and_the_grade_says_so(planner):
    picture = planner.picture("Red")
    planner.drag("Red", planner.grip(L3_LEFT, "tip"), (-110, 0))
    planner.until(lambda: planner.session.history.can_undo, "the edit")
    found = screw(planner).assessment
    assert found.gertzbein_robbins in "BCDE"
    planner.shows("#grade", f"GR {found.gertzbein_robbins}")
    planner.shows("#grade-text", "breach of")
    assert planner.text('tr[data-key="L3 left"] .chip') == found.gertzbein_robbins
    planner.redrawn("Red", picture, 0.01)


def test_an_angle_that_is_typed_is_the_screws(planner):
    picture = planner.picture("1")
    planner.type("#type-pta_deg", 25)
    planner.until(lambda: abs(screw(planner).assessment.pta_deg - 25) < 0.01, "the angle")
    planner.shows('tr[data-key="L3 left"]', "25.0")
    planner.redrawn("1", picture, 0.0005)


def test_what_is_no_number_of_a_screw_is_refused_in_words_and_the_field_goes_back(planner):
    planner.type("#type-length_mm", 5000)
    planner.shows("#message", "outside")
    shape = screw(planner).screw.shape
    assert shape.length_mm < 100
    value = planner.page.locator("#type-length_mm").input_value
    assert float(planner.run(value())) == shape.length_mm
    planner.type("#type-length_mm", shape.length_mm + 0.4)  # the nearest of the catalogue is the one there is
    planner.wait(1.0)
    assert screw(planner).screw.shape == shape
    assert float(planner.run(value())) == shape.length_mm


def test_the_diameter_slides_through_the_catalogue(planner):
    before = screw(planner).screw.shape.diameter_mm
    planner.run(planner.page.locator("[data-figure=diameter_mm] [role=slider]").focus())
    for _ in range(3):
        planner.press("ArrowRight")
        planner.wait(0.3)
    planner.until(lambda: screw(planner).screw.shape.diameter_mm > before, "the diameter")
    for place in ("#hand-size", 'tr[data-key="L3 left"]'):
        told = lambda place=place: f"{screw(planner).screw.shape.diameter_mm:g}" in planner.text(place)  # noqa: E731
        planner.until(told, "the page's word of it")


def test_what_was_done_is_undone_and_redone_by_button_and_key(planner):
    planner.type("#type-psa_deg", 12)
    planner.until(lambda: planner.session.history.can_undo, "the edit")
    planner.click("#undo")
    planner.until(lambda: not planner.session.history.can_undo, "the undo")
    planner.shows("#moved", "as planned automatically")
    planner.press("Control+Shift+z")
    planner.until(lambda: planner.session.history.can_undo, "the redo")
    planner.press("Control+z")
    planner.until(lambda: not planner.session.history.can_undo, "the second undo")


def test_keys_choose_and_nudge(planner):
    planner.run(planner.page.locator("#hand-title").click())
    planner.press("]")
    planner.shows("#hand-title", "L3 right")
    planner.press("[")
    planner.shows("#hand-title", "L3 left")
    before = screw(planner).screw.entry.copy()
    planner.press("ArrowUp")
    planner.until(lambda: planner.session.history.can_undo, "the nudge")
    frame = planner.session.spine.vertebrae[Level.L3].frame
    assert (screw(planner).screw.entry - before) @ frame.superior == pytest.approx(0.5)


def test_the_automatic_plan_stays_to_be_seen_beside_what_was_moved(planner):
    planner.type("#type-lateral_mm", 6)
    before = planner.picture("1")
    planner.click("#view-menu")
    planner.click("#option-ghost")
    planner.until(lambda: planner.desk.case.shown.ghost.shown, "the ghost")
    planner.dismiss()
    planner.redrawn("1", before, 0.0005)
    planner.planner.server.state.ghost = False
    planner.planner.server.state.flush()


def test_slices_of_the_patient_instead_of_the_screw(planner):
    planner.click("#view-menu")
    planner.click("#option-aligned")
    planner.dismiss()
    planner.shows("#pane-Green .pane-title", "Coronal")
    edges = ("left", "right", "top", "bottom")
    letters = {
        name: [planner.text(f"#pane-{name} .letter-{edge}") for edge in edges] for name in ("Red", "Yellow", "Green")
    }
    assert letters == {"Red": [*"RLAP"], "Yellow": [*"APSI"], "Green": [*"RLSI"]}
    for n, view in enumerate(planner.desk.panes.slices):
        matrix = view.get_view_node().GetSliceToRAS()
        assert abs(matrix.GetElement((2, 0, 1)[n], 2)) == pytest.approx(1.0)  # where it looks along
    red, left = planner.picture("Red"), planner.grip(L3_LEFT, "entry")
    x, _ = planner.point_on_page("Red", left)
    right, _ = planner.point_on_page("Red", planner.grip((Level.L3, "right"), "entry"))
    assert x > right  # the patient's left is on the right
    planner.redrawn("Yellow", red, 0.1)
    node = planner.desk.panes.slices[0].get_view_node()
    node.SetSliceOffset(node.GetSliceOffset() + 20.0)
    there = node.GetSliceOffset()
    planner.session.refine()
    assert node.GetSliceOffset() == there  # where someone scrolled to, grades that come later leave it
    planner.press("ArrowUp")
    planner.until(lambda: node.GetSliceOffset() != there, "the slice at the screw again")
    planner.click("#view-menu")
    planner.click("#option-aligned")
    planner.dismiss()
    planner.shows("#pane-Green .pane-title", "Across")


def test_a_view_alone_and_a_smaller_window_are_drawn_in_their_size(planner):
    planner.click("#expand-1")
    planner.until(lambda: planner.fitted("1")["width"] > 850, "the view alone")
    planner.click("#expand-1")
    planner.run(planner.page.set_viewport_size({"width": 1024, "height": 700}))
    planner.until(lambda: 0 < planner.fitted("1")["width"] < 850, "the smaller window")
    planner.run(planner.page.set_viewport_size({"width": 1280, "height": 800}))


def test_dark_and_light(planner):
    dark = planner.picture("1").mean()
    planner.click("#theme")
    planner.until(lambda: planner.glance("1").mean() > dark + 60, "the light")
    card = "getComputedStyle(document.querySelector('.panel .card')).backgroundColor"
    colour = planner.run(planner.page.evaluate(card))
    assert colour == "rgb(255, 255, 255)"
    planner.click("#theme")


def test_the_page_can_be_loaded_again_and_shows_the_same(planner):
    planner.type("#type-pta_deg", 21)
    planner.until(lambda: planner.session.history.can_undo, "the edit")
    planner.run(planner.page.reload())
    planner.shows("#hand-title", "L3 left", 60)
    planner.shows('tr[data-key="L3 left"]', "21.0")
    planner.picture("1")


def test_a_case_that_is_exported_can_be_carried_away(planner, tmp_path):
    planner.type("#type-pta_deg", 23)
    planner.until(lambda: planner.session.history.can_undo, "the edit")
    planner.click("#export")
    planner.until(lambda: planner.planner.server.state.exported, "the export")

    async def fetch(name):
        async with planner.page.expect_download() as download:
            await planner.page.locator(f"#download-{name}").click()
        path = tmp_path / (await download.value).suggested_filename
        await (await download.value).save_as(path)
        return path

    planner.shows("#download-report", "Report")
    plan = planner.run(fetch("plan"))
    assert read_plan(plan).get(*L3_LEFT).assessment.pta_deg == pytest.approx(23, abs=0.01)
    report = planner.run(fetch("report"))
    assert "L3" in report.read_text(encoding="utf-8")
    archive = planner.run(fetch("archive"))
    packed = {name.split("/")[-1] for name in zipfile.ZipFile(archive).namelist()}
    assert {"plan.json", "report.html", "scene.mrb"} <= packed
    planner.dismiss()


def typed_while_the_page_hears_of_something(planner, selector, text):
    """Type all but the last sign, have the page drawn anew, and type the rest."""
    field, state = planner.page.locator(selector), planner.planner.server.state
    planner.run(field.select_text())
    planner.run(field.press_sequentially(text[:-1]))
    said = state.summary
    with state:
        state.summary = "something else"
    planner.shows("#summary", "something else")
    with state:
        state.summary = said
    planner.shows("#summary", said)
    planner.run(field.press_sequentially(text[-1]))
    planner.press("Enter")


def test_what_is_being_typed_stays_whatever_the_page_hears_meanwhile(planner):
    typed_while_the_page_hears_of_something(planner, "#type-pta_deg", "26")
    planner.until(lambda: abs(screw(planner).assessment.pta_deg - 26) < 0.01, "the angle")
    planner.click("#levels summary")
    typed_while_the_page_hears_of_something(planner, "#level-T12", "T11")
    planner.until(lambda: planner.desk.names == {Level.T12: Level.T11}, "the name")
    planner.desk.names.clear()
    planner.desk.refresh()
    planner.holds("#level-T12", "T12")
    planner.click("#levels summary")


def called(planner, now, name):
    """Type a level's name, and wait until the desk has heard it."""
    planner.type(f"#level-{now}", name)
    planner.until(lambda: planner.desk.names.get(Level[now], Level[now]) == Level[name], f"{now} called {name}")


def test_a_vertebra_that_is_called_otherwise_keeps_its_screws_and_has_them_graded(planner):
    planner.type("#type-pta_deg", 20)
    planner.until(lambda: planner.session.history.can_undo, "the edit")
    entry = screw(planner).screw.entry.copy()
    picture = planner.picture("1")
    planner.click("#levels summary")
    planner.click("#shift-down")
    planner.shows("#message", "beyond the sacrum")
    planner.type("#level-T12", "T11")
    planner.until(lambda: planner.desk.names, "the first name")
    for now, name in (("L1", "T12"), ("L2", "L1"), ("L3", "L2"), ("L4", "L5")):
        called(planner, now, name)
    planner.click("#rename")
    planner.shows("#message", "two vertebrae would be called L5")  # and nothing was changed
    called(planner, "L4", "L4")
    planner.click("#rename")
    planner.until(lambda: planner.planner.server.state.busy, "the renaming")
    called(planner, "L5", "L4")  # what is done meanwhile counts too
    planner.click("#locked")
    planner.until(lambda: screw(planner).locked, "the lock")
    assert planner.planner.server.state.busy
    planner.shows("#message", "renamed", 600)
    assert planner.desk.names == {Level.L5: Level.L4}
    planner.holds("#level-L5", "L4")
    assert screw(planner, (Level.L2, "left")).locked
    assert Level.T12 in planner.session.spine.vertebrae
    renamed = screw(planner, (Level.L2, "left"))
    assert np.allclose(renamed.screw.entry, entry)
    assert renamed.assessment is not None
    assert renamed.assessment.pta_deg == pytest.approx(20, abs=0.2)
    planner.shows("#screws", "T12 left")
    planner.redrawn("1", picture, 0.0005)  # the labels of the screws
