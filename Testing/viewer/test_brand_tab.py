"""The brand tab in a real browser: films, run, cancel, the answer, crops, attention, names, export."""

import numpy as np
import pytest

pytest.importorskip("torch")

from brand_workshop import BrandBrowsed, KnownBrands
from known_brand import MAKERS

from spinescrew.brands.models import NO_MODEL
from spinescrew.scene.aligned_slices import plane_of


@pytest.fixture(scope="module")
def tab():
    """The page as ``spinescrew view --brand`` opens it, before any model was trained."""
    with BrandBrowsed(KnownBrands(refusals=[NO_MODEL])) as browsed:
        yield browsed


def answered(tab, **kinds):
    """The page with this answer, all of it in sight."""
    tab.until(lambda: not tab.planner.server.state.busy, "the run before")
    tab.workshop.kinds.clear()
    tab.workshop.kinds.update(kinds)
    before = tab.desk.found
    tab.click("#brand-again")
    tab.until(lambda: tab.desk.found is not before, "the answer")
    tab.until(lambda: not tab.planner.server.state.busy, "the end")
    return tab


@pytest.fixture
def found(tab):
    """With the usual answer on it."""
    from known_brand import identified

    if tab.desk.found is None or tab.desk.found.result is not identified().result:
        answered(tab)
    tab.planner.server.state.update({"brand_model": "merge", "brand_outlines": True, "brand_opacity": 0.5})
    tab.planner.server.state.flush()
    tab.shows("#brand-headline", "Family A")
    yield tab
    assert tab.harmful() == []


def plane(tab, node):
    return plane_of(tab.desk.panes.named(node).view.get_view_node())


def test_without_models_the_page_says_which_command_trains_them(tab, tmp_path):
    tab.shows("#brand-asked", "spinescrew train brand", 120)
    files = {name: tmp_path / name for name in ("LAT.dcm", "AP.dcm")}
    for name, path in files.items():
        path.write_bytes(name.encode() * 400_000)  # larger than one message
    for place, name in (("first", "LAT.dcm"), ("second", "AP.dcm")):
        tab.run(tab.page.locator(f"#brand-{place}").set_input_files(files[name]))
        tab.shows(f"#brand-{place}-name", name)
    tab.workshop.held.append("until it is cancelled")
    tab.click("#brand-run")
    tab.shows("#waiting", "Cancel")
    tab.click("#cancel")
    tab.shows("#brand-asked", "Cancelled")
    tab.workshop.held.clear()
    images = tab.workshop.asked[-1]
    assert [path.read_bytes()[:6] for path in images] == [b"LAT.dc", b"AP.dcm"]
    assert tab.desk.found is None


def test_the_answer_says_what_it_is_worth_and_who_agrees(found):
    found.shows(".bar .case", "LAT.dcm, AP.dcm")
    found.shows("#brand-warning", "Trained on simulated images; for research.")
    found.shows("#brand-warning", "never saw a real radiograph")
    found.shows("#brand-warning", "their names are no maker's")
    found.shows("#brand-said", "6 of 6 screws and 4 of 4 models say family A")
    found.shows("#brand-answer", "3 of 3 screws say family A")
    rows = found.run(found.page.locator("#brand-answer tbody tr").all_inner_texts())
    assert len(rows) == 3 and rows[0].count("%") == 5 and "any other system" in rows[2]
    heads = found.run(found.page.locator("#brand-answer th").all_inner_texts())
    assert heads == ["", "System", "Joined", "AP", "Lat", "Concat", "Merge"]
    assert found.run(found.page.locator(".brand-small").count()) == 2


def attribute(found, selector, name):
    return found.run(found.page.locator(selector).get_attribute(name))


def test_each_system_has_its_picture(found):
    found.shows("#brand-reference", "family A, as it looks")
    first = attribute(found, ".brand-large", "src")
    found.click('tr[data-system="family B"]')
    found.shows("#brand-reference", "family B, as it looks")
    found.until(lambda: attribute(found, ".brand-large", "src") != first, "the other picture")
    found.click('tr[data-system="family A"]')


def test_both_films_stand_beside_one_another(found):
    for node, title in (("Red", "From the front (AP)"), ("Yellow", "From the side (lateral)")):
        found.shows(f"#pane-{node} .pane-title", title)
        assert found.picture(node).std() > 20
    for node in ("Green", "1"):
        assert found.run(found.page.locator(f"#pane-{node}").is_hidden())
    assert found.run(found.page.locator(".letter").count()) == 0
    boxes = [found.run(found.page.locator(f"#pane-{node}").bounding_box()) for node in ("Red", "Yellow")]
    assert boxes[0]["y"] == boxes[1]["y"] and boxes[0]["height"] > 500


def test_whole_films_are_seen_in_a_page_of_another_size(found):
    for size in ({"width": 900, "height": 900}, {"width": 1280, "height": 800}):
        found.run(found.page.set_viewport_size(size))
        for name, view in (("Red", "ap"), ("Yellow", "lat")):
            node, place = found.desk.panes.named(name).view.get_view_node(), found.desk.picture.places[view]
            rows, columns = place.shape

            def whole(node=node, place=place, rows=rows, columns=columns):
                width, height = node.GetFieldOfView()[:2]
                tight = max(columns * place.pixel_mm[0] / width, rows * place.pixel_mm[1] / height)
                return 0.97 < tight <= 1.001

            found.until(whole, f"the whole film in {name}", 30)


def test_a_crop_leads_to_its_screw_and_back(found):
    assert found.run(found.page.locator(".brand-crop").count()) == 6
    found.shows('[data-crop="lat 2"]', "family A")
    found.click('[data-crop="lat 2"]')
    place = found.desk.picture.places["lat"]
    centre = place.on_detector(found.desk.found.result.crops["lat"].windows[1].centre)
    found.until(lambda: np.allclose(plane(found, "Yellow")[:3, 3], centre), "the screw")
    found.until(lambda: attribute(found, '[data-crop="lat 2"]', "aria-pressed") == "true", "the pressed crop")
    found.click("#brand-whole")
    found.until(lambda: np.allclose(plane(found, "Yellow")[:3, 3], 0.0), "the whole film")


def test_attention_of_each_model_is_seen_and_taken_away(found):
    merged = found.picture("Red")
    found.press("a")
    found.until(lambda: found.planner.server.state.brand_model == "", "the key")
    found.redrawn("Red", merged, 0.005)
    bare = found.picture("Red")
    found.run(found.page.locator("#brand-model").select_option(label="AP"))
    found.until(lambda: found.desk.picture.shown.model == "ap", "the choice")
    found.redrawn("Red", bare, 0.005)
    found.click("#brand_outlines")
    found.until(lambda: not found.desk.picture.shown.outlines, "the switch")


def test_the_answer_is_handed_out_and_other_tabs_keep_theirs(found):
    found.click("#export")
    found.shows("#download-report", "Report")
    found.shows("#download-plan", "Answer (JSON)")
    assert found.workshop.asked[-1] is found.desk.found
    found.dismiss()
    found.click("#tab-pose")
    found.shows("#pose-asked", "No files were chosen")
    found.press("a")
    found.click("#tab-brand")
    found.shows("#brand-headline", "Family A")
    assert found.picture("Red").std() > 20


def test_an_unknown_system_is_said_plainly(tab):
    answered(tab, known=False)
    tab.shows("#brand-headline", "None of the known systems fits; the nearest is family A")
    tab.shows("#brand-said", "The ranking stands for what it is worth")


def test_a_makers_name_is_withheld_until_it_is_unlocked_knowingly(tab):
    answered(tab, system="plain", brands=MAKERS)
    tab.shows("#brand-headline", "System 1 of your folder")
    tab.shows("#brand-warning", "names from your folder are withheld")
    assert "Maker X" not in tab.text(".panel")
    tab.click("#brand-unlock")
    tab.shows("#brand-headline", "Maker X")
    tab.shows("#brand-warning", "no name is a finding")
    tab.click("#brand-unlock")
    tab.shows("#brand-headline", "System 1 of your folder")


def test_one_film_has_the_views_to_itself(tab):
    tab.click("#brand-drop")
    tab.shows("#brand-second-name", "–")
    answered(tab, views=("lat",))
    assert len(tab.workshop.asked[-1]) == 1
    tab.shows("#pane-Red .pane-title", "From the side (lateral)")
    assert tab.run(tab.page.locator("#pane-Yellow").is_hidden())
    tab.until(lambda: tab.fitted("Red")["width"] > 700, "the page's size")
    assert tab.picture("Red").std() > 20
    tab.click("#brand-forget")
    tab.shows("#brand-first-name", "–")
    assert tab.harmful() == []
