"""The pose tab in a real browser: files, run, cancel, read, select, drag an axis, match, export."""

import numpy as np
import pytest
from known_poses import solved, use_known_solver
from pose_workshop import KnownPoses, PoseBrowsed

from spinescrew.scene.aligned_slices import plane_of
from spinescrew.scene.radiograph_nodes import slice_plane

REFUSAL = "image 2 shows no pedicle screw that the network finds"


@pytest.fixture(scope="module")
def tab():
    """The page as ``spinescrew view --pose`` opens it, on a pair that is refused once."""
    with pytest.MonkeyPatch.context() as patch:
        use_known_solver(patch)
        with PoseBrowsed(KnownPoses(refusals=[REFUSAL])) as browsed:
            yield browsed


@pytest.fixture
def found(tab):
    """With the screws on it, and nothing corrected."""
    if not tab.planner.server.state.opened:
        tab.until(lambda: not tab.planner.server.state.busy, "the first run")
        tab.click("#pose-run")
        tab.until(lambda: tab.planner.server.state.opened, "the screws")
    while tab.session.history.can_undo:
        tab.session.undo()
    tab.session.select(1)
    tab.shows("#pose-hand", "Screw 1")
    yield tab
    assert tab.harmful() == []


def chosen(tab, selector):
    return tab.run(tab.page.locator(f"{selector} option:checked").inner_text())


def choose(tab, selector, label):
    tab.run(tab.page.locator(selector).select_option(label=label))


def end(tab, view_index, number, name):
    handles = tab.desk.picture.handles[view_index]
    return handles.position(handles.numbers()[number, name])


def test_files_are_chosen_refused_run_and_cancelled(tab, tmp_path):
    tab.shows("#pose-asked", REFUSAL, 120)
    tab.shows("#pose-warning", "Trained on simulated images")
    files = {name: tmp_path / name for name in ("LAT.dcm", "AP.dcm", "geometry.json")}
    for name, path in files.items():
        path.write_bytes(name.encode() * 400_000)  # larger than one message
    for place, name in (("first", "LAT.dcm"), ("second", "AP.dcm"), ("geometry", "geometry.json")):
        tab.run(tab.page.locator(f"#pose-{place}").set_input_files(files[name]))
        tab.shows(f"#pose-{place}-name", name)
    tab.click("#pose-swap")
    tab.shows("#pose-first-name", "AP.dcm")
    tab.type("#pose-sizes", "6.5x45")
    tab.until(lambda: tab.planner.server.state.pose_files["sizes"] == "6.5x45", "the sizes")
    tab.workshop.held.append("until it is cancelled")
    tab.click("#pose-run")
    tab.shows("#waiting", "Cancel")
    tab.click("#cancel")
    tab.shows("#pose-asked", "Cancelled")
    tab.workshop.held.clear()
    images, geometry, sizes, planned = tab.workshop.asked[-1]
    assert [path.read_bytes()[:6] for path in images] == [b"AP.dcm", b"LAT.dc"]
    assert [path.stat().st_size for path in images] == [400_000 * len("AP.dcm"), 400_000 * len("LAT.dcm")]
    assert (geometry.suffix, sizes, planned) == (".json", "6.5x45", None)
    assert tab.desk.session is None


def test_screws_are_in_the_table_on_both_images_and_in_3d(found):
    found.shows(".bar .case", "AP.dcm, LAT.dcm")
    found.shows("#pose-doubts", "one screw of each view has no partner")
    found.shows("#pose-summary", "5 screws in both views")
    rows = found.run(found.page.locator("#pose-screws tbody tr").all_inner_texts())
    assert len(rows) == 5 and "good" in rows[2]
    for node, view, title in zip(("Red", "Yellow"), solved().views, ("View 1 (AP)", "View 2 (LAT)"), strict=True):
        found.shows(f"#pane-{node} .pane-title", title)
        np.testing.assert_allclose(plane_of(found.desk.panes.named(node).view.get_view_node()), slice_plane(view))
        assert found.picture(node).std() > 20
    assert found.run(found.page.locator("#pane-Green").is_hidden())
    letters = found.run(found.page.locator("#pane-Red .letter").all_inner_texts())
    assert letters == ["R", "L", "S", "I"]


def test_the_plan_stands_beside_what_was_placed(found):
    found.shows("#pose-placed", "L3 (22) left, screw 1")
    found.shows("#pose-placed", "tip 2.0 mm more medial")
    planned = found.picture("1")
    found.click("#pose_planned")
    found.until(lambda: not found.planner.server.state.pose_planned, "the switch")
    assert (np.abs(found.picture("1") - planned).max(axis=2) > 10).mean() > 0.001


def test_a_row_takes_its_screw_in_hand_in_every_view(found):
    before = {node: found.picture(node) for node in ("Red", "Yellow", "1")}
    found.click('tr[data-screw="4"]')
    found.shows("#pose-hand", "Screw 4")
    assert chosen(found, "#pose-match-first") == chosen(found, "#pose-match-second") == "screw 4"
    for node, picture in before.items():
        assert (np.abs(found.picture(node) - picture).max(axis=2) > 25).mean() > 0.001
    found.press("]")
    found.shows("#pose-hand", "Screw 5")


def test_an_axis_is_dragged_on_an_image_and_the_way_back(found):
    before = found.session.screw(5)
    found.drag("Yellow", end(found, 1, 5, "tip"), (-14, 20))
    found.shows("#pose-hand", "Screw 5")
    assert found.session.history.names == ("axis of screw 5 in view 2",)
    found.shows("#pose-placed", "L3")
    moved = found.session.screw(5).screw.tip - before.screw.tip
    assert moved[2] < -2.0
    found.shows(".bar .unsaved", "unsaved")
    found.press("Control+z")
    found.until(lambda: found.session.screw(5) is before, "the undo")


def test_what_was_left_over_is_matched_by_hand(found):
    choose(found, "#pose-match-first", "a, in this image only")
    found.until(lambda: found.planner.server.state.pose["first"] == "a", "the choice")
    choose(found, "#pose-match-second", "a, in this image only")
    found.shows("#pose-hand", "Screw 6")
    found.shows("#pose-summary", "6 screws in both views")
    found.click("#undo")
    found.shows("#pose-summary", "5 screws in both views")


def test_switches_say_what_is_seen(found):
    bare = found.picture("Red")
    found.press("a")
    found.until(lambda: not found.planner.server.state.pose_outlines, "the key")
    assert (np.abs(found.picture("Red") - bare).max(axis=2) > 40).mean() > 0.002
    found.press("a")
    found.click("#pose-room")
    room = found.picture("1")
    found.click("#pose_detectors")
    found.until(lambda: not found.planner.server.state.pose_detectors, "the switch")
    assert (np.abs(found.picture("1") - room).max(axis=2) > 40).mean() > 0.005


def test_poses_as_corrected_are_handed_out_and_other_tabs_keep_theirs(found):
    found.session.match("1", "2")
    found.click("#export")
    found.shows("#download-report", "Report")
    assert found.workshop.asked[-1].result is found.session.result
    found.dismiss()
    found.until(lambda: not found.planner.server.state.unsaved, "nothing unsaved")
    name = found.desk.posed.name
    found.click("#tab-c2")
    found.shows("#c2-asked", "not judged")
    found.until(lambda: name not in found.text(".bar .case"), "a bar without the pair")
    found.press("a")
    found.click("#tab-pose")
    found.shows("#pose-hand", "Screw")
    assert found.picture("Red").std() > 20
    assert found.planner.server.state.pose_outlines
    found.shows(".bar .case", name)


def test_the_whole_image_is_seen_in_a_page_of_another_size(found):
    for size in ({"width": 900, "height": 900}, {"width": 1280, "height": 800}):
        found.run(found.page.set_viewport_size(size))
        found.until(lambda: all(found.fitted(place)["width"] for place in ("Red", "Yellow")), "the page's size")
        for place, view in zip(("Red", "Yellow"), solved().views, strict=True):
            node = found.desk.panes.named(place).view.get_view_node()
            wanted = pytest.approx(max(view.shape) * view.pixel_mm[0], rel=0.02)
            found.until(lambda node=node, wanted=wanted: min(node.GetFieldOfView()[:2]) == wanted, "the whole image")
