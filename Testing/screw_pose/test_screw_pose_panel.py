"""The real panel on the stand-in: files, the job, the table, what is looked at, corrections, nothing left behind."""

import json

import numpy as np
import pytest
import slicer
from known_poses import KnownPlan
from slicer_stand_in import open_module
from stand_in_signals import connected

from spinescrew.errors import GeometryError
from spinescrew.reports.palette import screw_colour
from spinescrew.scene.aligned_slices import plane_of
from spinescrew.scene.pose_wording import COLUMNS, PLACED_COLUMNS
from spinescrew.scene.radiograph_nodes import slice_plane

RED, YELLOW = "vtkMRMLSliceNodeRed", "vtkMRMLSliceNodeYellow"


class KnownJob:
    """A background job whose answer is known: it is half done until :attr:`done`."""

    def __init__(self, result):
        self.answer, self.done, self.cancelled = result, False, False

    def poll(self):
        from spinescrew.cohort.background import State

        return State(1.0 if self.done else 0.5, "find the screws", self.done)

    def result(self):
        return self.answer

    def cancel(self):
        self.cancelled = True


@pytest.fixture
def job(posed, running, monkeypatch):
    """The poses that Run will find, and what it was asked for."""
    import ScrewPoseLib.logic

    made = KnownJob(posed)
    made.asked = []
    monkeypatch.setattr(ScrewPoseLib.logic, "startSolving", lambda *asked: made.asked.append(asked) or made)
    return made


def nodes():
    return {slicer.mrmlScene.GetNthNode(n).GetID() for n in range(slicer.mrmlScene.GetNumberOfNodes())}


def texts(box):
    return [box.itemText(n) for n in range(box.count)]


def drag_end(panel, view_index, number, end, by_mm):
    handles = panel.shown.handles[view_index]
    point = handles.numbers()[number, end]
    view = panel.session.result.views[view_index]
    handles.node.SetNthControlPointPositionWorld(point, *(handles.position(point) + by_mm * view.down))
    panel.shown.correct(number, view_index)


def test_the_window_opens_with_nothing_to_solve(panel):
    assert not panel.ui.runButton.enabled
    assert "Choose two radiographs" in panel.ui.runButton.toolTip
    assert not panel.ui.exportButton.enabled
    assert panel.ui.screwsTable.rowCount == 0
    assert panel.ui.warningsLabel.isHidden()


def test_what_the_network_was_trained_on_is_always_said(panel, shown):
    assert "Trained on simulated images; for research" in panel.ui.provenanceLabel.text
    assert not panel.ui.provenanceLabel.isHidden()


def test_every_button_does_something(panel):
    import qt

    silent = []
    for name, widget in vars(panel.ui).items():
        if isinstance(widget, qt.QAbstractButton) and not name.startswith("qt_") and not connected(widget):
            silent.append(name)
    assert silent == []


def test_files_are_dropped_in_any_order_and_swapped(panel):
    import qt

    data = qt.QMimeData()
    data.setUrls([qt.QUrl.fromLocalFile(path) for path in ("/x/geometry.json", "/x/LAT.dcm", "/x/AP.dcm")])
    spot = qt.QPointF(3, 3)
    event = qt.QDropEvent(spot, qt.Qt.CopyAction, data, qt.Qt.LeftButton, qt.Qt.NoModifier)
    panel.files.dropArea.dropEvent(event)
    ui = panel.ui
    assert [ui.firstPath.currentPath, ui.secondPath.currentPath] == ["/x/AP.dcm", "/x/LAT.dcm"]
    assert ui.geometryPath.currentPath == "/x/geometry.json"
    assert ui.runButton.enabled
    ui.swapButton.click()
    assert [ui.firstPath.currentPath, ui.secondPath.currentPath] == ["/x/LAT.dcm", "/x/AP.dcm"]


def test_single_images_fill_the_places_one_after_the_other(panel):
    panel.files.take(["/x/b.png"])
    panel.files.take(["/x/a.png"])
    assert [panel.ui.firstPath.currentPath, panel.ui.secondPath.currentPath] == ["/x/b.png", "/x/a.png"]
    panel.files.take(["/x/c.png"])
    assert panel.ui.secondPath.currentPath == "/x/c.png"


def test_a_file_is_browsed_for(panel, running):
    running.answers["getOpenFileName"] = "/x/AP.dcm"
    panel.ui.firstPath.browse()
    assert panel.ui.firstPath.currentPath == "/x/AP.dcm"


def test_solving_runs_beside_the_window(chosen, job, settle):
    chosen.ui.sizesEdit.text = "6.5x45, 5.5 x 40"
    chosen.ui.runButton.click()
    assert chosen.busy and chosen.ui.cancelButton.enabled and not chosen.ui.runButton.enabled
    assert not chosen.ui.firstPath.enabled
    target, planned = job.asked[0]
    assert planned is None
    assert [path.name for path in target.images] == ["first.dcm", "second.dcm"]
    assert target.geometry.name == "geometry.json"
    assert target.sizes == ((6.5, 45.0), (5.5, 40.0))
    settle(until=lambda: chosen.ui.progressBar.value == 50)
    job.done = True
    settle(until=lambda: not chosen.busy)
    assert chosen.posed is job.answer
    assert chosen.ui.screwsTable.rowCount == 5


def test_a_cancelled_job_changes_nothing(chosen, job):
    before = nodes()
    chosen.ui.runButton.click()
    chosen.ui.cancelButton.click()
    assert job.cancelled and not chosen.busy and chosen.posed is None
    assert "Cancelled" in chosen.ui.statusLabel.text
    assert nodes() == before


def test_sizes_that_are_none_are_refused(chosen, job):
    chosen.ui.sizesEdit.text = "thick"
    chosen.ui.runButton.click()
    assert "'thick' is no size" in chosen.ui.statusLabel.text
    assert job.asked == []


def test_missing_files_are_told_by_the_job(chosen, settle):
    chosen.ui.runButton.click()
    settle(until=lambda: not chosen.busy)
    text = chosen.ui.statusLabel.text
    assert "geometry.json" in text and "defect" not in text
    assert chosen.posed is None


def test_the_table_says_where_each_screw_is_and_how_sure(shown, posed):
    table = shown.ui.screwsTable
    row = {column.title: table.item(2, n).text() for n, column in enumerate(COLUMNS)}
    screw = posed.result.screws[2].screw
    assert row["Screw"] == "3 left"
    assert "sizes as measured" in row["Notes"]
    assert row["Size"].startswith(f"{screw.shape.diameter_mm:.1f}")
    assert row["Entry"] == ", ".join(f"{value:.1f}".replace("-", "−") for value in screw.entry)
    assert (row["± across"], row["± along"], row["± tilt"]) == ("0.24", "0.50", "0.45")
    assert row["Match"].startswith("good")
    assert "crosses that of screw 6" in table.item(4, len(COLUMNS) - 1).text()
    assert table.item(2, 0).background().color().name() == screw_colour(3).lower()


def test_doubts_are_told_in_words(shown):
    assert "one screw of each view has no partner" in shown.ui.warningsLabel.text
    assert not shown.ui.warningsLabel.isHidden()
    assert "5 screws in both views, 1 in view 1 only, 1 in view 2 only" in shown.ui.summaryLabel.text
    assert "Roll is not given" in shown.ui.summaryLabel.text
    assert shown.ui.calibrationLabel.text


def test_both_slice_views_show_their_image(shown, posed):
    for name, view in zip((RED, YELLOW), posed.result.views, strict=True):
        np.testing.assert_allclose(plane_of(slicer.mrmlScene.GetNodeByID(name)), slice_plane(view))
    slicer.mrmlScene.GetNodeByID(RED).SetOrientation("Coronal")
    shown.ui.imagesButton.click()
    np.testing.assert_allclose(plane_of(slicer.mrmlScene.GetNodeByID(RED)), slice_plane(posed.result.views[0]))


def test_a_row_takes_its_screw_in_hand_everywhere(shown):
    shown.ui.screwsTable.selectRow(3)
    assert shown.session.selected == 4
    assert shown.ui.firstBox.currentText == "screw 4"
    assert shown.ui.secondBox.currentText == "screw 4"
    shown.session.select(2)
    assert shown.ui.screwsTable.currentRow() == 1


def test_without_a_plan_nothing_is_compared(shown):
    assert shown.outcome is None
    assert shown.ui.outcomeSection.isHidden()


def test_screws_stand_beside_the_plan_and_follow_corrections(chosen, posed, tmp_path, running, monkeypatch):
    from dataclasses import replace

    import ScrewPoseLib.logic

    chosen.open(replace(posed, planned=KnownPlan()))
    ui = chosen.ui
    assert not ui.outcomeSection.isHidden()
    row = {column.title: ui.outcomeTable.item(1, n).text() for n, column in enumerate(PLACED_COLUMNS)}
    assert (row["Pedicle"], row["Screw"], row["Tip"]) == ("L3 (22) right", "2", "2.0\u00a0mm")
    assert "tip 2.0 mm more medial" in row["What changed"]
    assert "not gradable: a test" in row["What changed"]
    assert "L3 right" in ui.screwsTable.item(1, 0).text()
    assert slicer.mrmlScene.GetFirstNodeByName("L4 left planned") is not None
    before = chosen.outcome
    ui.screwsTable.selectRow(3)
    assert chosen.outcome is before
    drag_end(chosen, 1, 3, "tip", 8.0)
    assert chosen.outcome is not before
    written = []

    def write(case, out, progress):
        written.append(case)
        return replace(case, files=(out,))

    monkeypatch.setattr(ScrewPoseLib.logic, "write_pose_case", write)
    running.answers["getExistingDirectory"] = str(tmp_path)
    ui.exportButton.click()
    placed = {one.number: one.placed for one in written[0].outcome.found.screws}
    assert placed[3] is chosen.session.screw(3).screw
    ui.plannedCheck.click()
    node = slicer.mrmlScene.GetFirstNodeByName("L4 left planned")
    assert not node.GetDisplayNode().GetVisibility()
    chosen.letGo(removeNodes=True)
    assert slicer.mrmlScene.GetFirstNodeByName("L4 left planned") is None


def test_the_plan_of_the_scene_goes_with_the_job(chosen, job, monkeypatch):
    import ScrewPoseLib.logic

    monkeypatch.setattr(ScrewPoseLib.logic, "planOf", lambda _scene: ("plan", "ct", "labels"))
    chosen.ui.runButton.click()
    chosen.ui.cancelButton.click()
    chosen.ui.compareCheck.click()
    chosen.ui.runButton.click()
    assert [planned for _target, planned in job.asked] == [("plan", "ct", "labels"), None]


def test_the_plan_of_the_scene_is_found_with_its_image(running):
    from scene_cases import planned_case
    from ScrewPoseLib.logic import planOf

    from spinescrew.scene.open_case import OpenCase
    from spinescrew.scene.volumes import add_segmentation, add_volume

    scene = slicer.mrmlScene
    assert planOf(scene) is None
    case = planned_case()
    nodes = {
        "ct_node": add_volume(scene, case.spine.ct, "CT"),
        "labels_node": add_segmentation(scene, case.spine.labels, "Vertebrae", surface=False),
    }
    opened = OpenCase(scene, case.plan, case.spine, **nodes)
    plan, ct, labels = planOf(scene)
    assert [row.key for row in plan.planned] == [row.key for row in case.plan.planned]
    np.testing.assert_array_equal(ct.array, case.spine.ct.array)
    np.testing.assert_array_equal(labels.array, case.spine.labels.array)
    opened.close()


def test_looks_follow_their_switches_and_are_kept(shown, posed):
    ui = shown.ui
    ui.overlaySlider.value = 0.7
    ui.beamsCheck.click()
    assert shown.shown.shown.overlay == pytest.approx(0.7)
    assert not shown.shown.shown.beams
    shown.open(posed)
    assert not shown.shown.shown.beams
    assert shown.shown.images[0].nodes["beam"].GetDisplayNode().GetVisibility() == 0


def test_the_3d_view_looks_at_the_screws_or_at_the_room(shown):
    camera = slicer.vtkMRMLCameraNode()
    slicer.mrmlScene.AddNode(camera)
    away = {}
    for name in ("screwsViewButton", "roomViewButton"):
        getattr(shown.ui, name).click()
        away[name] = np.linalg.norm(np.array(camera.GetPosition()) - camera.GetFocalPoint())
    assert away["roomViewButton"] > 4 * away["screwsViewButton"] > 400


def test_views_are_arranged_for_images_and_given_back(chosen, posed):
    node = slicer.vtkMRMLLayoutNode()
    slicer.mrmlScene.AddNode(node)
    before = node.GetViewArrangement()
    chosen.open(posed)
    assert node.GetViewArrangement() != before
    chosen.letGo()
    assert node.GetViewArrangement() == before


def test_two_left_over_are_matched_by_hand(shown):
    ui = shown.ui
    assert texts(ui.firstBox)[-1] == "a, in this image only"
    assert texts(ui.secondBox)[-1] == "none"
    ui.firstBox.setCurrentIndex(5)
    assert ui.secondBox.currentText == "none"
    ui.secondBox.setCurrentIndex(texts(ui.secondBox).index("a, in this image only"))
    assert len(shown.session.result.screws) == 6
    assert ui.screwsTable.rowCount == 6
    assert ui.firstBox.currentText == ui.secondBox.currentText == "screw 6"
    assert ui.undoButton.toolTip == "Undo: match a with a"
    ui.undoButton.click()
    assert ui.screwsTable.rowCount == 5
    ui.redoButton.click()
    assert ui.screwsTable.rowCount == 6


def test_a_screw_that_is_none_is_taken_out(shown):
    shown.ui.screwsTable.selectRow(1)
    shown.ui.secondBox.setCurrentIndex(shown.ui.secondBox.count - 1)
    assert [screw.number for screw in shown.session.result.screws] != [1, 2, 3, 4, 5]
    assert shown.ui.screwsTable.rowCount == 4


def test_an_axis_that_was_dragged_is_told_in_the_table(shown):
    tip = next(n for n, column in enumerate(COLUMNS) if column.title == "Tip")
    before = shown.ui.screwsTable.item(2, tip).text()
    drag_end(shown, 1, 3, "tip", 8.0)
    after = shown.ui.screwsTable.item(2, tip).text()
    assert after != before and after in shown.ui.handLabel.text
    assert shown.ui.undoButton.toolTip == "Undo: axis of screw 3 in view 2"
    assert shown.session.selected == 3


def test_a_correction_that_cannot_be_solved_is_told(shown, monkeypatch):
    from spinescrew.radiographs import pose

    def refuse(*_unused):
        raise GeometryError("the rays of a point are parallel")

    monkeypatch.setattr(pose, "with_axis", refuse)
    drag_end(shown, 0, 1, "tip", 8.0)
    assert shown.ui.statusLabel.text == "the rays of a point are parallel"
    monkeypatch.setattr(pose, "with_match", refuse)
    shown.ui.secondBox.setCurrentIndex(3)
    assert shown.ui.secondBox.currentText == "screw 1"


def test_corrections_are_replaced_only_when_confirmed(shown, job, running):
    drag_end(shown, 1, 3, "tip", 8.0)
    running.answers["confirmYesNo"] = False
    shown.ui.runButton.click()
    assert not shown.busy


def test_new_poses_take_the_place_of_the_old_ones(shown, posed):
    before = slicer.mrmlScene.GetNumberOfNodes()
    shown.open(posed)
    assert slicer.mrmlScene.GetNumberOfNodes() == before


def test_an_export_holds_the_poses_as_corrected(shown, running, tmp_path, monkeypatch):
    import ScrewPoseLib.logic

    written = []

    def write(case, out, progress=None):
        written.append(case)
        out.mkdir()
        (out / "pose.json").write_text("{}")
        from dataclasses import replace

        return replace(case, files=(out / "pose.json",))

    monkeypatch.setattr(ScrewPoseLib.logic, "write_pose_case", write)
    drag_end(shown, 1, 3, "tip", 8.0)
    running.answers["getExistingDirectory"] = str(tmp_path)
    shown.ui.exportButton.click()
    assert written[0].result is shown.session.result
    assert written[0].radiographs is shown.posed.radiographs
    assert "1 files were written" in shown.ui.statusLabel.text


def test_the_example_is_chosen_once_it_is_made(panel, settle, monkeypatch):
    import ScrewPoseLib.logic
    from ScrewPoseLib import sample_data

    from spinescrew.viewer.opened import PoseTarget

    folder = sample_data.folder()
    target = PoseTarget((folder / "first.dcm", folder / "second.dcm"), folder / "geometry.json")
    job = KnownJob(target)
    monkeypatch.setattr(ScrewPoseLib.logic, "startExample", lambda _folder: job)
    panel.ui.exampleButton.click()
    assert panel.busy
    job.done = True
    settle(until=lambda: not panel.busy)
    assert panel.ui.geometryPath.currentPath == str(target.geometry)
    for path in (*target.images, target.geometry):
        path.write_text("")
    panel.ui.firstPath.currentPath = ""
    panel.ui.exampleButton.click()
    assert not panel.busy and panel.ui.firstPath.currentPath == str(target.images[0])


def test_a_closed_scene_leaves_an_empty_window(shown):
    slicer.mrmlScene.Clear(0)
    assert shown.posed is None and shown.session is None and shown.shown is None
    assert shown.ui.screwsTable.rowCount == 0
    assert texts(shown.ui.firstBox) == []


def test_keys_are_heard_only_while_the_module_is_shown(opened, panel):
    assert len(panel._shortcuts) == 3
    opened.exit()
    assert panel._shortcuts == []
    opened.enter()
    assert len(panel._shortcuts) == 3


def test_closing_the_module_ends_every_observer(running, posed):
    made = open_module("ScrewPose")
    panel = made.widget.panel
    panel.open(posed)
    shown = panel.shown
    made.close()
    assert shown.closed and shown.observer_count == 0


def test_the_console_solves_files_and_shows_the_screws(running, posed, monkeypatch):
    import ScrewPoseLib.logic

    from ScrewPose import ScrewPoseLogic

    asked = []
    monkeypatch.setattr(ScrewPoseLib.logic, "open_pose", lambda target, progress: asked.append(target) or posed)
    found = ScrewPoseLogic().solve(["a.dcm", "b.dcm"], "g.json", sizes=[(6.5, 45.0)])
    assert found is posed
    assert asked[0].sizes == ((6.5, 45.0),)
    names = {slicer.mrmlScene.GetNthNode(n).GetName() for n in range(slicer.mrmlScene.GetNumberOfNodes())}
    assert {"Screw 1", "View 1 (AP)", "Screw 5 in view 2"} <= names


def test_no_file_name_is_kept_in_the_scene(shown):
    node = slicer.mrmlScene.GetSingletonNode("ScrewPose", "vtkMRMLScriptedModuleNode")
    kept = [node.GetParameter(name) for name in node.GetParameterNames()]
    assert json.dumps(kept).count("/images") == 0


def test_the_pair_is_sample_data(running):
    assert [words["sampleName"] for words in running.sample_data] == ["SimulatedRadiographs"]
