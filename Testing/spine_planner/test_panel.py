"""The real panel on the stand-in: every button, every handler, nothing left behind."""

from pathlib import Path

import numpy as np
import pytest
import slicer
from agreement import check
from offscreen_views import Views, views_problem
from slicer_stand_in import open_module, running_slicer
from stand_in_signals import connected

from spinescrew.anatomy.levels import Level
from spinescrew.anatomy.update import changed_levels
from spinescrew.planning import actions
from spinescrew.scene.volumes import add_segmentation, labels_from_node

KEY = (Level.L3, "right")


def row(panel, key=KEY):
    return panel.case.session.plan.get(*key)


def select(panel, key=KEY):
    panel.case.session.select(key)


def test_the_window_opens_with_nothing_to_plan(panel):
    assert not panel.ui.planButton.enabled
    assert "Choose named vertebrae" in panel.ui.planButton.toolTip
    assert panel.ui.identityLabel.text == "No case is open"
    assert panel.ui.screwTable.rowCount == 0


def test_every_button_does_something(panel):
    import qt

    silent = []
    for name, widget in vars(panel.ui).items():
        if isinstance(widget, qt.QAbstractButton) and not name.startswith("qt_"):
            bound = widget.property("SlicerParameterName")
            if not connected(widget) and not bound:
                silent.append(name)
    assert silent == []


def test_planning_runs_beside_the_window(chosen, settle, running):
    chosen.ui.levelsEdit.text = "L3"
    chosen.ui.planButton.click()
    assert chosen.busy
    assert chosen.ui.cancelButton.enabled
    assert not chosen.ui.planButton.enabled
    seen = set()
    settle(until=lambda: seen.add(chosen.ui.progressBar.value) or not chosen.busy)
    assert len(seen) > 2
    assert [r.key for r in chosen.case.session.plan.planned] == [(Level.L3, "left"), (Level.L3, "right")]
    assert chosen.ui.screwTable.rowCount == 2
    check(chosen.case.shown)
    assert running.messages == []


def test_a_cancelled_job_changes_nothing(chosen, settle):
    nodes = slicer.mrmlScene.GetNumberOfNodes()
    chosen.ui.planButton.click()
    pid = chosen._watch.job.pid
    chosen.ui.cancelButton.click()
    assert not chosen.busy
    assert "Cancelled" in chosen.ui.statusLabel.text
    assert chosen.case is None
    assert slicer.mrmlScene.GetNumberOfNodes() == nodes
    with pytest.raises(ProcessLookupError):
        import os

        os.kill(pid, 0)
    assert chosen.ui.planButton.enabled


def test_what_cannot_be_planned_is_said_in_the_window(chosen, settle):
    chosen.ui.levelsEdit.text = "T4"
    chosen.ui.planButton.click()
    settle(until=lambda: not chosen.busy)
    assert "none of T4 (11) is in the label map" in chosen.ui.statusLabel.text
    chosen.ui.levelsEdit.text = "L9"
    chosen.ui.planButton.click()
    assert "'L9' is not a vertebra level" in chosen.ui.statusLabel.text
    assert not chosen.busy


@pytest.mark.parametrize(
    ("slider", "figure", "value"),
    [
        ("ptaSlider", "pta_deg", 17.5),
        ("psaSlider", "psa_deg", 4.0),
        ("diameterSlider", "diameter_mm", 5.5),
        ("lengthSlider", "length_mm", 40.0),
        ("depthSlider", "seating_mm", 2.0),
        ("lateralSlider", "lateral_mm", 1.5),
        ("cranialSlider", "cranial_mm", -1.0),
    ],
)
def test_a_figure_that_is_typed_is_the_screws(planned, slider, figure, value):
    select(planned)
    before = row(planned).screw
    widget = getattr(planned.ui, slider)
    widget.value = value
    assert getattr(actions.read(planned.case.session), figure) == pytest.approx(value, abs=0.05)
    assert widget.value == pytest.approx(value)
    check(planned.case.shown)
    planned.ui.undoButton.click()
    assert row(planned).screw is before
    planned.ui.redoButton.click()
    assert getattr(actions.read(planned.case.session), figure) == pytest.approx(value, abs=0.05)


def test_showing_a_screw_edits_nothing(planned):
    for key in [row.key for row in planned.case.session.plan.planned]:
        select(planned, key)
        planned.refresh()
    assert not planned.case.session.history.can_undo


def test_sizes_snap_to_the_catalogue_or_not(planned):
    select(planned)
    planned.ui.lengthSlider.value = 41.0
    assert planned.ui.lengthSlider.value in (40.0, 42.0, 42.5, 45.0)
    planned.ui.snapCheck.click()
    planned.ui.lengthSlider.value = 41.3
    assert row(planned).screw.shape.length_mm == pytest.approx(41.3)


def test_turning_about_the_pedicle_keeps_the_isthmus(planned):
    select(planned)
    planned.ui.pivotBox.currentText = "isthmus"
    pedicle = planned.case.session.spine.vertebrae[Level.L3].pedicles["right"]

    def nearest():
        screw = row(planned).screw
        return screw.entry + ((pedicle.isthmus - screw.entry) @ screw.direction) * screw.direction

    at = nearest()
    planned.ui.ptaSlider.value = planned.ui.ptaSlider.value + 5
    assert np.linalg.norm(nearest() - at) < 0.3
    assert np.linalg.norm(row(planned).screw.entry - planned.case.session.automatic.get(*KEY).screw.entry) > 1


def test_the_buttons_edit_the_screw_in_hand(planned):
    session = planned.case.session
    select(planned)
    planned.ui.ptaSlider.value = 20.0
    planned.ui.mirrorButton.click()
    assert session.selected == (Level.L3, "left")
    assert actions.read(session).pta_deg == pytest.approx(20.0, abs=0.01)
    planned.ui.copyButton.click()
    assert session.selected == (Level.L4, "left")
    assert actions.read(session).pta_deg == pytest.approx(20.0, abs=0.01)
    planned.ui.deleteButton.click()
    assert row(planned, (Level.L4, "left")).screw is None
    select(planned, (Level.L4, "left"))
    planned.ui.restoreButton.click()
    assert row(planned, (Level.L4, "left")).screw is session.automatic.get(Level.L4, "left").screw
    while planned.ui.undoButton.enabled:
        planned.ui.undoButton.click()
    assert all(row(planned, r.key).screw is r.screw for r in session.automatic.planned)
    check(planned.case.shown)


def test_locked_and_reviewed(planned):
    select(planned)
    planned.ui.reviewedCheck.click()
    assert row(planned).reviewed
    planned.ui.ptaSlider.value = planned.ui.ptaSlider.value + 1
    assert not row(planned).reviewed
    assert not planned.ui.reviewedCheck.checked
    planned.ui.lockCheck.click()
    assert row(planned).locked
    assert not planned.ui.ptaSlider.enabled
    planned.ui.deleteButton.click()
    assert "locked" in planned.ui.statusLabel.text
    assert row(planned).screw is not None


def test_going_through_the_screws(planned):
    keys = [r.key for r in planned.case.session.plan.planned]
    seen = []
    for _ in keys:
        seen.append(planned.case.session.selected)
        planned.ui.nextButton.click()
    assert sorted(seen) == sorted(keys)
    planned.ui.previousButton.click()
    assert planned.case.session.selected == seen[-1]
    planned.ui.screwBox.setCurrentIndex(0)
    planned.ui.screwBox.activated.emit(0)
    assert planned.case.session.selected == keys[0]
    planned.ui.screwTable.cellClicked.emit(3, 0)
    assert planned.case.session.selected == keys[3]
    assert planned.ui.screwBox.currentIndex == 3


def test_a_screw_is_added_by_two_clicks(planned):
    import vtk

    select(planned)
    screw = row(planned).screw
    planned.ui.deleteButton.click()
    planned.ui.addButton.click()
    assert planned.ui.addButton.checked
    line = planned.adjust.clicks.node
    for point in (screw.entry, screw.tip):
        line.AddControlPointWorld(vtk.vtkVector3d(*point))
    assert not planned.ui.addButton.checked
    assert planned.adjust.clicks is None
    np.testing.assert_allclose(row(planned).screw.direction, screw.direction, atol=1e-6)
    planned.ui.addButton.click()
    planned.ui.addButton.click()
    assert planned.adjust.clicks is None
    assert not planned.ui.addButton.checked


def test_dragging_is_shown_once_a_frame(planned, settle):
    select(planned)
    shown, written = planned.case.shown, []
    planned.case.session.subscribe(lambda change: written.append(change))
    node, number = shown.grips.node, shown.grips.keys()[KEY]
    at = shown.grips.position(number)
    node.InvokeEvent(slicer.vtkMRMLMarkupsNode.PointStartInteractionEvent)
    for n in range(20):
        node.SetNthControlPointPositionWorld(number, *(at + [0.1 * n, 0, 0]))
    assert written == []
    settle(0.1)
    assert len(written) == 1
    node.InvokeEvent(slicer.vtkMRMLMarkupsNode.PointEndInteractionEvent)
    settle(0.1)
    assert planned.ui.lateralSlider.value == pytest.approx(1.9, abs=0.1)
    check(shown)


def test_the_views_stand_along_the_screw_and_come_back(opened, planned):
    select(planned)
    slices = planned.case.shown.slices
    red = slicer.mrmlScene.GetNodeByID("vtkMRMLSliceNodeRed")
    assert slices is not None
    along = np.array([red.GetSliceToRAS().GetElement(n, 1) for n in range(3)])
    np.testing.assert_allclose(along, row(planned).screw.direction, atol=1e-6)
    planned.ui.holdImageCheck.click()
    assert slices.follow == "image"
    opened.exit()
    assert planned.case.shown.slices is None
    assert [red.GetSliceToRAS().GetElement(n, 1) for n in range(3)] == [0.0, 1.0, 0.0]
    opened.enter()
    assert planned.case.shown.slices.follow == "image"
    planned.ui.alignCheck.click()
    assert planned.case.shown.slices is None


def test_the_automatic_plan_is_shown_on_request(planned):
    planned.ui.automaticCheck.click()
    ghost = planned.case.shown.ghost
    assert ghost.shown
    select(planned)
    assert not ghost.node(KEY).GetDisplayNode().GetVisibility(), "it is where the screw is"
    planned.ui.lateralSlider.value = 3.0
    assert ghost.node(KEY).GetDisplayNode().GetVisibility()
    assert not ghost.node((Level.L3, "left")).GetDisplayNode().GetVisibility()
    assert "3.0 mm at the entry, 3.0 mm at the tip, 0.0 degrees" in planned.ui.movedLabel.text
    planned.ui.automaticCheck.click()
    assert not planned.case.shown.ghost.shown


def test_a_corrected_segmentation_makes_grades_stale_and_new(planned, settle):
    session, node = planned.case.session, planned.ui.labelSelector.currentNode()
    select(planned)
    labels = session.spine.labels
    array = labels.array.copy()
    index = np.round(labels.ras_to_index(session.spine.vertebrae[Level.L3].pedicles["right"].isthmus)).astype(int)
    box = tuple(slice(i - 4, i + 5) for i in index)
    array[box] = np.where(array[box] == Level.L3.value, 0, array[box])
    from spinescrew.scene.volumes import segments_by_level, write_segment

    write_segment(
        node, segments_by_level(node)[Level.L3], labels.with_array((array == Level.L3.value).astype(np.uint8))
    )
    settle(until=lambda: Level.L3 in session.stale, limit=1.0)
    assert "stale" in planned.ui.gradeLabel.text
    assert not planned.ui.exportButton.enabled
    planned.ui.reviewedCheck.click()
    assert "anew" in planned.ui.statusLabel.text
    assert not row(planned).reviewed
    settle(until=lambda: not session.stale)
    assert Level.L3 in changed_levels(labels, session.spine.labels)
    assert row(planned).assessment.gertzbein_robbins != session.automatic.get(*KEY).assessment.gertzbein_robbins
    assert row(planned).assessment.gertzbein_robbins in planned.ui.gradeLabel.text
    assert planned.ui.exportButton.enabled


def test_levels_are_shifted_and_renamed_before_planning(chosen):
    node = chosen.ui.labelSelector.currentNode()
    table = chosen.ui.levelsTable
    chosen.ui.readLevelsButton.click()
    assert [table.item(n, 0).text() for n in range(table.rowCount)] == ["T12", "L1", "L2", "L3", "L4", "L5", "S1"]
    assert "Nothing is missing" in chosen.ui.levelsMessage.text
    chosen.ui.shiftUpButton.click()
    chosen.ui.applyLevelsButton.click()
    names = {int(v) for v in np.unique(labels_from_node(slicer.mrmlScene, node).array)} - {0}
    assert names == {18, 19, 20, 21, 22, 23, 24}
    table.item(1, 1).setText("T13")
    chosen.ui.applyLevelsButton.click()
    assert table.item(1, 0).text() == "T13"
    assert "A vertebra is missing between: T11-T13" in chosen.ui.levelsMessage.text
    table.item(2, 1).setText("L2")
    chosen.ui.applyLevelsButton.click()
    assert "two vertebrae would be called L2" in chosen.ui.statusLabel.text
    assert table.item(2, 0).text() == "L1"
    table.item(2, 1).setText("Q7")
    chosen.ui.shiftDownButton.click()
    assert "'Q7' is not a vertebra level" in chosen.ui.statusLabel.text


def test_the_way_to_the_editors(chosen, running):
    chosen.ui.engineBox.currentText = "TotalSegmentator extension"
    chosen.ui.segmentButton.click()
    assert "Install the extension TotalSegmentator" in chosen.ui.statusLabel.text
    slicer.modules.totalsegmentator = object()
    chosen.ui.correctButton.click()
    chosen.ui.segmentButton.click()
    assert running.selected_modules == ["SegmentEditor", "TotalSegmentator"]


def test_an_engine_that_cannot_run_says_why(chosen, settle):
    chosen.ui.engineBox.currentText = "totalsegmentator"
    chosen.ui.segmentButton.click()
    assert chosen.busy
    settle(until=lambda: not chosen.busy)
    assert "TotalSegmentator is not installed" in chosen.ui.statusLabel.text
    assert chosen.ui.segmentButton.enabled


def test_vertebrae_that_an_engine_found_are_chosen_with_its_doubts(chosen, case, settle, monkeypatch):
    from SpinePlannerLib import logic

    from spinescrew.cohort.segment import SegmentedCase
    from spinescrew.segmentation.finish import finish

    found = finish(case.spine.ct, case.spine.labels, "known", "Trained on simulated images; for research")

    class Ready:
        """A job that has ended."""

        def poll(self):
            from spinescrew.cohort.background import State

            return State(1.0, "", True)

        def result(self):
            return SegmentedCase(case.spine.ct, found, ("left and right cannot be told",))

        def cancel(self):
            pass

    asked = []
    monkeypatch.setattr(logic, "startSegmenting", lambda *arguments: asked.append(arguments) or Ready())
    chosen.ui.labelSelector.setCurrentNode(None)
    chosen.ui.segmentButton.click()
    settle(until=lambda: not chosen.busy)
    assert asked[0][2] == "spinescrew"
    assert chosen.ui.labelSelector.currentNode().GetName() == "CT vertebrae"
    assert "Trained on simulated images; for research" in chosen.ui.statusLabel.text
    assert "left and right cannot be told" in chosen.ui.statusLabel.text
    assert np.array_equal(chosen.readInputs().labels.array, case.spine.labels.array)


def test_the_example_is_made_and_chosen(panel, running):
    panel.exampleSpacing = (3.0, 3.0, 3.0)
    panel.ui.exampleButton.click()
    assert panel.ui.volumeSelector.currentNode().GetName() == "Simulated CT"
    assert panel.ui.labelSelector.currentNode().IsA("vtkMRMLSegmentationNode")
    assert panel.ui.planButton.enabled
    assert running.sample_data[0]["sampleName"] == "SimulatedLumbarSpine"


def test_everything_is_written(planned, running, tmp_path):
    running.answers["getExistingDirectory"] = str(tmp_path)
    running.answers["getSaveFileName"] = str(tmp_path / "mine.json")
    planned.ui.exportButton.click()
    (folder,) = [path for path in tmp_path.iterdir() if path.is_dir()]
    assert {path.name for path in folder.iterdir()} == {"plan.json", "screws.csv", "screws", "report.html", "scene.mrb"}
    assert f"files were written to {folder}" in planned.ui.statusLabel.text
    planned.ui.savePlanButton.click()
    assert (tmp_path / "mine.json").is_file()
    running.answers["getExistingDirectory"] = running.answers["getSaveFileName"] = ""
    planned.ui.exportButton.click()
    planned.ui.savePlanButton.click()
    assert len(list(tmp_path.iterdir())) == 2


def test_identity_is_on_the_screen_and_in_no_file(planned, running, tmp_path):
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    names = slicer.vtkMRMLSubjectHierarchyConstants
    patient = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), "Doe^Jane")
    hierarchy.SetItemAttribute(patient, names.GetDICOMPatientNameAttributeName(), "Doe^Jane")
    hierarchy.SetItemAttribute(patient, names.GetDICOMPatientIDAttributeName(), "MRN-4711")
    study = hierarchy.CreateStudyItem(patient, "Spine")
    hierarchy.SetItemAttribute(study, names.GetDICOMStudyDateAttributeName(), "20240131")
    volume = planned.ui.volumeSelector.currentNode()
    item = hierarchy.GetItemByDataNode(volume) or hierarchy.CreateItem(study, volume)
    hierarchy.SetItemParent(item, study)
    planned.refresh()
    assert planned.ui.identityLabel.text == "Doe, Jane · ID MRN-4711 · 2024-01-31 · CT"
    running.answers["getExistingDirectory"] = str(tmp_path)
    planned.ui.exportButton.click()
    from zipfile import ZipFile

    texts = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".mrb"]
    (bundle,) = tmp_path.rglob("*.mrb")
    with ZipFile(bundle) as archive:
        texts += [archive.read(name) for name in archive.namelist()]
    assert len(texts) > 8
    assert not any(b"Doe^Jane" in text or b"MRN-4711" in text or b"20240131" in text for text in texts)


def test_a_plan_of_another_image_is_opened_only_when_confirmed(chosen, case, running, settle, tmp_path):
    from dataclasses import replace

    from spinescrew.exchange import write_plan

    own = write_plan(case.plan, tmp_path / "own.json", spine=case.spine)
    other = write_plan(replace(case.plan, input_hash={"labels": "0" * 64, "ct": None}), tmp_path / "other.json")
    running.answers["getOpenFileName"] = str(other)
    running.answers["confirmYesNo"] = [False, True]
    chosen.ui.openPlanButton.click()
    assert not chosen.busy
    assert "made on other labels" in running.messages[-1].text
    chosen.ui.openPlanButton.click()
    settle(until=lambda: not chosen.busy)
    assert len(chosen.case.session.plan.planned) == len(case.plan.planned)
    asked = len([m for m in running.messages if m.kind == "confirmYesNo"])
    running.answers["getOpenFileName"] = str(own)
    chosen.ui.openPlanButton.click()
    settle(until=lambda: not chosen.busy)
    assert len([m for m in running.messages if m.kind == "confirmYesNo"]) == asked
    (tmp_path / "broken.json").write_text("{")
    running.answers["getOpenFileName"] = str(tmp_path / "broken.json")
    chosen.ui.openPlanButton.click()
    assert "broken.json" in chosen.ui.statusLabel.text


def test_unsaved_work_is_offered_back(opened, planned, case, settle, running):
    select(planned)
    planned.ui.ptaSlider.value = 21.0
    edited = row(planned).screw
    slicer.mrmlScene.Clear(False)
    assert planned.case is None
    from spinescrew.scene.volumes import add_segmentation

    planned.ui.labelSelector.setCurrentNode(add_segmentation(slicer.mrmlScene, case.spine.labels, "Vertebrae"))
    assert not planned.ui.recoverButton.isHidden()
    assert "1 edits" in planned.ui.statusLabel.text
    running.answers["confirmYesNo"] = False
    planned.ui.planButton.click()
    assert not planned.busy
    planned.ui.recoverButton.click()
    settle(until=lambda: not planned.busy)
    found = row(planned).screw
    np.testing.assert_allclose(found.entry, edited.entry, atol=1e-9)
    np.testing.assert_allclose(found.direction, edited.direction, atol=1e-9)
    assert planned.ui.recoverButton.isHidden()


def test_planning_anew_over_edits_is_confirmed(planned, running):
    select(planned)
    planned.ui.ptaSlider.value = 21.0
    running.answers["confirmYesNo"] = False
    planned.ui.planButton.click()
    assert not planned.busy
    assert "edits are replaced" in running.messages[-1].text


def test_choices_come_back_with_the_scene(opened, planned, tmp_path, settle):
    from spinescrew.scene.standalone import quiet

    planned.ui.levelsEdit.text = "L2-L3"
    planned.ui.trajectoryBox.currentText = "anatomic"
    planned.ui.snapCheck.click()
    select(planned)
    planned.ui.ptaSlider.value = 19.0
    with quiet():
        assert slicer.mrmlScene.WriteToMRB(str(tmp_path / "case.mrb"), None)
        slicer.mrmlScene.Clear(False)
    assert planned.ui.levelsEdit.text == ""
    assert planned.ui.snapCheck.checked
    with quiet():
        assert slicer.mrmlScene.ReadFromMRB(str(tmp_path / "case.mrb"), True)
    assert planned.ui.levelsEdit.text == "L2-L3"
    assert planned.ui.trajectoryBox.currentText == "anatomic"
    assert not planned.ui.snapCheck.checked
    settle(until=lambda: not planned.busy)
    assert planned.case is not None
    select(planned)
    assert actions.read(planned.case.session).pta_deg == pytest.approx(19.0, abs=1e-3)
    check(planned.case.shown)


def test_a_scene_with_a_plan_is_continued_on_entering(running, case, settle):
    from spinescrew.scene.bundle import fill_scene

    fill_scene(slicer.mrmlScene, case.plan, case.spine)
    made = open_module("SpinePlanner")
    panel = made.widget.panel
    settle(until=lambda: panel.case is not None)
    assert len(panel.case.session.plan.planned) == len(case.plan.planned)
    assert panel.case.session.plan.get(*KEY).assessment.gertzbein_robbins
    made.close()


def watched(scene):
    """(event, whether someone listens) of everything the module could observe."""
    events = ("StartCloseEvent", "EndCloseEvent", "EndImportEvent", "NodeRemovedEvent", "NodeAddedEvent")
    return {name: bool(scene.HasObserver(getattr(scene, name))) for name in events}


def test_nothing_is_left_behind(running, case, settle):
    from spinescrew.scene.volumes import add_segmentation

    scene = slicer.mrmlScene
    node = add_segmentation(scene, case.spine.labels, "Vertebrae")
    before = watched(scene)
    made = open_module("SpinePlanner")
    panel = made.widget.panel
    panel.ui.labelSelector.setCurrentNode(node)
    panel.open(panel.readInputs(), case.plan, case.spine)
    parameters = made.widget.logic.getParameterNode().parameterNode
    opened_case = panel.case
    assert opened_case.observer_count > 0
    assert parameters.HasObserver("ModifiedEvent")
    made.exit()
    assert not parameters.HasObserver("ModifiedEvent")
    made.enter()
    made.close()
    settle(0.3)
    assert opened_case.observer_count == 0
    assert list(made.widget.Observations) == []
    assert not parameters.HasObserver("ModifiedEvent")
    assert watched(scene) == before


def test_a_scene_that_closes_under_a_job_ends_it(chosen, settle):
    chosen.ui.planButton.click()
    folder = chosen._watch.job.folder
    slicer.mrmlScene.Clear(False)
    settle(0.2)
    assert not chosen.busy
    assert chosen.case is None
    assert not folder.exists()
    assert not chosen.ui.planButton.enabled


def test_shortcuts_work_only_while_the_module_is_shown(opened, planned, settle):
    select(planned)
    planned.ui.ptaSlider.value = 21.0
    first = planned._shortcuts[0]
    first.activated.emit()
    assert not planned.case.session.history.can_undo
    opened.exit()
    settle(0.05)
    assert planned._shortcuts == []
    opened.enter()
    assert len(planned._shortcuts) == 3


def test_without_its_packages_the_module_offers_to_install_them(running, monkeypatch, tmp_path):
    import importlib

    install = importlib.import_module("SpinePlannerLib.install")
    (tmp_path / "requirements.txt").write_text("numba>=0.60\nno-such-package>=1.0\n")
    monkeypatch.setattr(install, "REQUIREMENTS", tmp_path / "requirements.txt")
    made = open_module("SpinePlanner")
    offer = made.widget.installPanel
    assert made.widget.panel is None
    assert "no-such-package>=1.0" in offer.label.text
    assert "numba" not in offer.label.text
    running.answers["confirmOkCancel"] = False
    offer.button.click()
    assert running.pip == []
    running.answers["confirmOkCancel"] = True
    offer.button.click()
    assert running.pip == [["no-such-package>=1.0"]]
    assert "The installation failed" in offer.label.text
    (tmp_path / "requirements.txt").write_text("numba>=0.60\n")
    offer.button.click()
    assert made.widget.panel is not None
    assert made.widget.panel.ui.planButton is not None
    made.close()


def test_the_modules_own_test_passes(running):
    import importlib

    module = importlib.import_module("SpinePlanner")
    module.SpinePlannerTest().runTest()


@pytest.mark.skipif(bool(views_problem()), reason=views_problem() or "views can be drawn")
def test_the_mouse_in_a_view_moves_the_figures_in_the_window(case, settle_anywhere):
    """Slicer's own displayable managers under the real panel, from the mouse button to the text of a label."""
    with (
        running_slicer(Path(__file__).resolve().parents[2] / "SpinePlanner", slices=False),
        Views(slicer.mrmlScene, (300, 300)) as views,
    ):
        made = open_module("SpinePlanner")
        panel = made.widget.panel
        panel.ui.labelSelector.setCurrentNode(add_segmentation(slicer.mrmlScene, case.spine.labels, "Vertebrae"))
        panel.open(panel.readInputs(), case.plan, case.spine)
        select(panel)
        across = views.slices["Green"]
        across.node.SetFieldOfView(75, 75, 1)
        screw = row(panel).screw
        at = np.array(across.ras_to_display(screw.entry + 0.4 * screw.shape.length_mm * screw.direction))
        across.drag(tuple(at), tuple(at + (-24, 0)))
        settle_anywhere(until=lambda: panel.ui.lateralSlider.value < -5, limit=5.0)
        assert panel.ui.lateralSlider.value == pytest.approx(-6.0, abs=0.4)
        letter = row(panel).assessment.gertzbein_robbins
        assert letter in "CDE"
        assert f" {letter} " in panel.ui.gradeLabel.text
        assert panel.ui.undoButton.toolTip == "Undo: move L3 right"
        made.close()
