"""The real panel on the stand-in: files, the job, the answer, crops, attention, names, report, nothing left behind."""

import json

import numpy as np
import pytest
import slicer
from known_brand import MAKERS, identified
from slicer_stand_in import open_module
from stand_in_signals import connected

from spinescrew.brands import models
from spinescrew.brands.names import LOCKED, SIMULATED, UNLOCKED
from spinescrew.scene.aligned_slices import plane_of

RED, YELLOW = "vtkMRMLSliceNodeRed", "vtkMRMLSliceNodeYellow"


class KnownJob:
    """A background job whose answer is known: it is half done until :attr:`done`."""

    def __init__(self, result):
        self.answer, self.done, self.cancelled = result, False, False

    def poll(self):
        from spinescrew.cohort.background import State

        return State(1.0 if self.done else 0.5, "ask the models", self.done)

    def result(self):
        return self.answer

    def cancel(self):
        self.cancelled = True


@pytest.fixture
def job(found, running, monkeypatch):
    """The answer that Run will get, and what it was asked for."""
    import ScrewBrandIDLib.logic

    made = KnownJob(found)
    made.asked = []
    monkeypatch.setattr(ScrewBrandIDLib.logic, "startIdentifying", lambda images: made.asked.append(images) or made)
    return made


def nodes():
    return {slicer.mrmlScene.GetNthNode(n).GetID() for n in range(slicer.mrmlScene.GetNumberOfNodes())}


def texts(box):
    return [box.itemText(n) for n in range(box.count)]


def row_of(table, row):
    return [table.item(row, column).text() for column in range(table.columnCount)]


def test_the_window_opens_with_nothing_to_ask(panel):
    ui = panel.ui
    assert not ui.runButton.enabled
    assert "Choose one or two radiographs" in ui.runButton.toolTip
    assert not ui.exportButton.enabled and not ui.modelBox.enabled
    assert ui.systemsTable.rowCount == 0
    assert ui.warningsLabel.isHidden() and ui.unlockCheck.isHidden()


def test_without_models_the_window_says_which_command_trains_them(running, monkeypatch):
    from spinescrew.reports import brand_lines

    monkeypatch.setattr(brand_lines, "about_installed", lambda: (models.NO_MODEL, ""))
    made = open_module("ScrewBrandID")
    panel = made.widget.panel
    assert "train one with `spinescrew train brand`" in panel.ui.provenanceLabel.text
    monkeypatch.setattr(brand_lines, "about_installed", lambda: ("", "Trained on images of our own"))
    made.exit()
    made.enter()
    assert panel.ui.provenanceLabel.text == "Trained on images of our own."
    made.close()


def test_what_the_models_learned_from_is_said_above_the_answer(shown):
    text = shown.ui.provenanceLabel.text
    assert "Trained on simulated images; for research." in text
    assert "never saw a real radiograph" in text
    assert SIMULATED in text
    assert not shown.ui.provenanceLabel.isHidden()


def test_every_button_does_something(panel):
    import qt

    silent = []
    for name, widget in vars(panel.ui).items():
        if isinstance(widget, qt.QAbstractButton) and not name.startswith("qt_") and not connected(widget):
            silent.append(name)
    assert silent == []


def test_files_are_dropped_together_or_one_by_one(panel):
    import qt

    data = qt.QMimeData()
    data.setUrls([qt.QUrl.fromLocalFile(path) for path in ("/x/LAT.dcm", "/x/AP.dcm")])
    event = qt.QDropEvent(qt.QPointF(3, 3), qt.Qt.CopyAction, data, qt.Qt.LeftButton, qt.Qt.NoModifier)
    panel.files.dropArea.dropEvent(event)
    assert panel.files.images == ["/x/AP.dcm", "/x/LAT.dcm"]
    panel.ui.clearButton.click()
    assert panel.files.images == [] and not panel.ui.runButton.enabled
    panel.files.take(["/x/b.png"])
    assert panel.ui.runButton.enabled
    panel.files.take(["/x/a.png"])
    assert panel.files.images == ["/x/b.png", "/x/a.png"]
    panel.files.take(["/x/1.png", "/x/2.png", "/x/3.png"])
    assert panel.files.images == ["/x/1.png", "/x/2.png"]
    assert "One or two radiographs" in panel.ui.statusLabel.text


def test_asking_runs_beside_the_window(chosen, job, settle):
    chosen.ui.runButton.click()
    assert chosen.busy and chosen.ui.cancelButton.enabled and not chosen.ui.runButton.enabled
    assert not chosen.ui.firstPath.enabled
    assert job.asked == [["/images/AP.dcm", "/images/LAT.dcm"]]
    settle(until=lambda: chosen.ui.progressBar.value == 50)
    job.done = True
    settle(until=lambda: not chosen.busy)
    assert chosen.found is job.answer
    assert "Compare each crop" in chosen.ui.statusLabel.text


def test_a_cancelled_job_changes_nothing(chosen, job):
    before = nodes()
    chosen.ui.runButton.click()
    chosen.ui.cancelButton.click()
    assert job.cancelled and not chosen.busy and chosen.found is None
    assert "Cancelled" in chosen.ui.statusLabel.text
    assert nodes() == before


def test_a_refusal_is_told_by_the_job(chosen, settle):
    chosen.ui.runButton.click()
    settle(until=lambda: not chosen.busy)
    text = chosen.ui.statusLabel.text
    assert "AP.dcm" in text or "spinescrew train brand" in text
    assert "defect" not in text
    assert chosen.found is None


def test_the_answer_the_ranking_and_who_agrees(shown, found):
    ui = shown.ui
    assert ui.answerLabel.text == f"Family A ({ui.systemsTable.item(0, 1).text()})"
    assert "6 of 6 screws and 4 of 4 models say family A" in ui.agreementLabel.text
    assert "From the side (lateral): 3 of 3 screws say family A" in ui.agreementLabel.text
    table = ui.systemsTable
    titles = [table.horizontalHeaderItem(n).text() for n in range(table.columnCount)]
    assert titles == ["System", "Probability", "AP", "Lat", "Concat", "Merge"]
    assert [row_of(table, row)[0] for row in range(3)] == ["family A", "family B", "any other system"]
    assert all(text.endswith("%") for text in row_of(table, 0)[1:])
    assert not table.item(0, 0).icon().isNull() and not table.item(1, 0).icon().isNull()


def test_a_system_has_its_picture_beside_it(shown):
    ui = shown.ui
    assert "family A" in ui.referenceName.text and not ui.referenceLabel.pixmap.isNull()
    ui.systemsTable.selectRow(1)
    assert "family B" in ui.referenceName.text
    ui.systemsTable.selectRow(2)
    assert ui.referenceName.text == ""


def test_an_unknown_system_is_said_plainly(chosen):
    chosen.open(identified(known=False))
    ui = chosen.ui
    assert ui.answerLabel.text.startswith("None of the known systems fits; the nearest is family A")
    assert "The ranking stands for what it is worth" in ui.agreementLabel.text
    known = "background-color: #"
    assert known in ui.answerLabel.styleSheet
    unknown = ui.answerLabel.styleSheet
    chosen.open(identified())
    assert ui.answerLabel.styleSheet != unknown


def test_doubts_are_told_in_words(chosen):
    from dataclasses import replace

    found = identified()
    chosen.open(replace(found, result=replace(found.result, warnings=("there may be two systems",))))
    assert chosen.ui.warningsLabel.text == "there may be two systems"
    assert not chosen.ui.warningsLabel.isHidden()


def test_crops_stand_with_what_they_say_and_lead_to_their_screw(shown, found):
    crops = shown.ui.cropsList
    labels = [crops.item(n).text() for n in range(crops.count)]
    assert len(labels) == 6
    assert labels[0].startswith("AP 1: family A, ") and labels[5].startswith("Lat 3: family A, ")
    assert not crops.item(0).icon().isNull()
    crops.setCurrentRow(4)
    place = shown.shown.places["lat"]
    window = found.result.crops["lat"].windows[1]
    origin = plane_of(slicer.mrmlScene.GetNodeByID(YELLOW))[:3, 3]
    np.testing.assert_allclose(origin, place.on_detector(window.centre), atol=1e-6)
    shown.ui.wholeButton.click()
    np.testing.assert_allclose(plane_of(slicer.mrmlScene.GetNodeByID(YELLOW))[:3, 3], 0.0, atol=1e-6)


def test_attention_of_any_model_lies_on_the_films(shown, found):
    ui = shown.ui
    assert texts(ui.modelBox) == ["none", "AP", "Lat", "Concat", "Merge"]
    assert ui.modelBox.currentText == "Merge"
    assert shown.shown.shown.model == "merge"
    ui.modelBox.currentIndex = 2
    ui.opacitySlider.value = 0.8
    assert (shown.shown.shown.model, shown.shown.shown.opacity) == ("lat", pytest.approx(0.8))
    ui.outlinesCheck.click()
    assert not shown.shown.shown.outlines
    shown.open(found)
    assert (shown.shown.shown.model, shown.shown.shown.outlines) == ("lat", False)
    ui.modelBox.currentIndex = 0
    assert shown.shown.shown.model == ""


def test_one_film_is_shown_alone(chosen):
    node = slicer.vtkMRMLLayoutNode()
    slicer.mrmlScene.AddNode(node)
    before = node.GetViewArrangement()
    chosen.open(identified(views=("lat",)))
    assert node.GetViewArrangement() == node.SlicerLayoutOneUpRedSliceView
    assert texts(chosen.ui.modelBox) == ["none", "Lat", "Merge"]
    assert chosen.ui.cropsList.count == 3
    chosen.letGo()
    assert node.GetViewArrangement() == before


def test_a_makers_name_is_withheld_until_it_is_unlocked_knowingly(chosen, running):
    chosen.open(identified(system="plain", brands=MAKERS))
    ui = chosen.ui
    assert LOCKED in ui.provenanceLabel.text
    assert ui.answerLabel.text.startswith("System 1 of your folder")
    assert not ui.unlockCheck.isHidden()
    running.answers["confirmYesNo"] = False
    ui.unlockCheck.click()
    assert not ui.unlockCheck.checked and "Maker X" not in ui.answerLabel.text
    running.answers["confirmYesNo"] = True
    ui.unlockCheck.click()
    assert ui.answerLabel.text.startswith("Maker X")
    assert UNLOCKED in ui.provenanceLabel.text
    ui.unlockCheck.click()
    assert "Maker X" not in ui.answerLabel.text
    every = " ".join(row_of(ui.systemsTable, row)[0] for row in range(2))
    assert "Maker X" not in every
    chosen.open(identified())
    assert ui.unlockCheck.isHidden()


def test_names_that_were_learned_from_real_images_need_no_key(chosen):
    chosen.open(identified(system="plain", brands=MAKERS, real=True))
    assert chosen.ui.answerLabel.text.startswith("Maker X")
    assert chosen.ui.unlockCheck.isHidden()


def test_new_answers_take_the_place_of_the_old_ones(shown, found):
    before = slicer.mrmlScene.GetNumberOfNodes()
    shown.open(found)
    assert slicer.mrmlScene.GetNumberOfNodes() == before


def test_the_report_is_written_without_a_name(shown, running, tmp_path):
    running.answers["getExistingDirectory"] = str(tmp_path)
    shown.ui.exportButton.click()
    (folder,) = tmp_path.iterdir()
    assert {path.name for path in folder.iterdir()} == {"report.html", "brand.json"}
    assert "2 files were written" in shown.ui.statusLabel.text
    assert "AP.dcm" not in (folder / "brand.json").read_text()


def test_the_example_is_chosen_once_it_is_made(panel, settle, monkeypatch):
    import ScrewBrandIDLib.logic
    from ScrewBrandIDLib import sample_data

    from spinescrew.viewer.opened import BrandTarget

    folder = sample_data.folder()
    target = BrandTarget((folder / "AP.dcm", folder / "LAT.dcm"))
    job = KnownJob(target)
    monkeypatch.setattr(ScrewBrandIDLib.logic, "startExample", lambda _folder: job)
    panel.ui.exampleButton.click()
    assert panel.busy
    job.done = True
    settle(until=lambda: not panel.busy)
    assert panel.files.images == [str(path) for path in target.images]
    for path in target.images:
        path.write_text("")
    panel.ui.clearButton.click()
    panel.ui.exampleButton.click()
    assert not panel.busy and len(panel.files.images) == 2


def test_a_closed_scene_leaves_an_empty_window(shown):
    slicer.mrmlScene.Clear(0)
    assert shown.found is None and shown.shown is None
    assert shown.ui.systemsTable.rowCount == 0 and shown.ui.cropsList.count == 0
    assert shown.ui.answerLabel.text == ""


def test_closing_the_module_ends_every_observer(running, found):
    made = open_module("ScrewBrandID")
    panel = made.widget.panel
    panel.open(found)
    shown = panel.shown
    made.close()
    assert shown.closed and shown.observer_count == 0


def test_the_console_asks_and_shows_the_films(running, found, monkeypatch):
    import ScrewBrandIDLib.logic

    from ScrewBrandID import ScrewBrandIDLogic

    asked = []
    monkeypatch.setattr(ScrewBrandIDLib.logic, "open_brand", lambda target, progress: asked.append(target) or found)
    assert ScrewBrandIDLogic().identify(["a.dcm", "b.dcm"]) is found
    assert [path.name for path in asked[0].images] == ["a.dcm", "b.dcm"]
    names = {slicer.mrmlScene.GetNthNode(n).GetName() for n in range(slicer.mrmlScene.GetNumberOfNodes())}
    assert {"From the front (AP)", "Screw 2, Lat", "Merge model, AP image"} <= names


def test_films_of_the_sample_are_shown_as_they_are(running, tmp_path):
    from brand_teeth import pair
    from ScrewBrandIDLib.logic import addFilms

    from spinescrew.radiographs.image import write_radiograph

    made = addFilms(slicer.mrmlScene, [write_radiograph(tmp_path / "AP.dcm", pair("comb")[0])])
    assert made[0].GetName() == "AP"
    assert made[0].GetImageData().GetDimensions()[:2] == (340, 300)


def test_no_file_name_is_kept_in_the_scene(shown):
    node = slicer.mrmlScene.GetSingletonNode("ScrewBrandID", "vtkMRMLScriptedModuleNode")
    kept = [node.GetParameter(name) for name in node.GetParameterNames()]
    assert json.dumps(kept).count("/images") == 0


def test_the_films_are_sample_data(running):
    assert [words["sampleName"] for words in running.sample_data] == ["SimulatedFilms"]
