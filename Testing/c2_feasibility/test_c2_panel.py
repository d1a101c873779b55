"""The real panel on the stand-in: every button, every handler, nothing left behind."""

import json

import numpy as np
import pytest
import slicer
from slicer_stand_in import open_module
from stand_in_signals import connected

from spinescrew.anatomy.levels import Level
from spinescrew.planning import actions
from spinescrew.scene.aligned_slices import plane_of

LEFT, RIGHT = (Level.C2, "left"), (Level.C2, "right")


class KnownJob:
    """A background job whose answer is known: it is half done until :meth:`finish`."""

    def __init__(self, found):
        self.found, self.done, self.cancelled = found, False, False

    def poll(self):
        from spinescrew.cohort.background import State

        return State(1.0 if self.done else 0.5, "judge both pedicles", self.done)

    def result(self):
        return self.found

    def cancel(self):
        self.cancelled = True


@pytest.fixture
def job(found, running, monkeypatch):
    """The answer that Judge will find."""
    import C2FeasibilityLib.logic

    made = KnownJob(found)
    monkeypatch.setattr(C2FeasibilityLib.logic, "startAssessing", lambda _volumeNode: made)
    return made


def screw(panel, key=LEFT):
    return panel.case.session.plan.get(*key).screw


def nodes():
    return {slicer.mrmlScene.GetNthNode(n).GetID() for n in range(slicer.mrmlScene.GetNumberOfNodes())}


def test_the_window_opens_with_nothing_to_judge(panel):
    assert not panel.ui.runButton.enabled
    assert "Choose a neck CT" in panel.ui.runButton.toolTip
    assert not panel.ui.exportButton.enabled
    assert not panel.ui.leftButton.enabled
    assert panel.ui.measuresTable.rowCount == 0


def test_what_the_network_was_trained_on_is_always_said(panel, judged):
    for _ in range(2):
        assert "simulated images" in panel.ui.provenanceLabel.text
        assert "never saw a real neck CT" in panel.ui.provenanceLabel.text
        assert not panel.ui.provenanceLabel.isHidden()
        panel.letGo()


def test_every_button_does_something(panel):
    import qt

    silent = []
    for name, widget in vars(panel.ui).items():
        if isinstance(widget, qt.QAbstractButton) and not name.startswith("qt_") and not connected(widget):
            silent.append(name)
    assert silent == []


def test_judging_runs_beside_the_window(chosen, job, settle):
    chosen.ui.runButton.click()
    assert chosen.busy and chosen.ui.cancelButton.enabled and not chosen.ui.runButton.enabled
    settle(until=lambda: chosen.ui.progressBar.value == 50)
    job.done = True
    settle(until=lambda: not chosen.busy)
    assert chosen.found is job.found
    assert [row.key for row in chosen.case.session.plan.planned] == [LEFT]


def test_a_cancelled_job_changes_nothing(chosen, job):
    before = nodes()
    chosen.ui.runButton.click()
    chosen.ui.cancelButton.click()
    assert job.cancelled and not chosen.busy and chosen.found is None
    assert "Cancelled" in chosen.ui.statusLabel.text
    assert nodes() == before


def test_an_image_without_a_whole_c2_is_refused_with_the_reason(panel, found, settle):
    from spinescrew.scene.volumes import add_volume

    cut = found.ct.crop((0, 0, 0), (40, 40, 10))
    panel.ui.volumeSelector.setCurrentNode(add_volume(slicer.mrmlScene, cut, "CT"))
    panel.ui.runButton.click()
    settle(until=lambda: not panel.busy)
    assert panel.found is None
    text = panel.ui.statusLabel.text
    assert text and "defect" not in text and "Working" not in text


def test_both_sides_have_their_verdict_and_probability(judged, found):
    ui = judged.ui
    for side, label in (("left", ui.leftVerdict), ("right", ui.rightVerdict)):
        assert f">{found.sides[side].verdict}<" in label.text
    assert "98 % (88 to over 99 %) that a 3.5 mm screw" in ui.leftVerdict.text
    assert "2 % (under 1 to 12 %) that a 3.5 mm screw" in ui.rightVerdict.text


def test_a_gauge_is_as_full_as_the_probability_is_high(judged):
    from C2FeasibilityLib import gauge

    from spinescrew.reports.c2_report import VERDICT_COLOURS

    def filled(label, colour):
        image = label.pixmap.toImage()
        return sum(image.pixelColor(x, gauge._TOP + 1).name() == colour.lower() for x in range(image.width()))

    left = filled(judged.ui.leftGauge, VERDICT_COLOURS["feasible"])
    right = filled(judged.ui.rightGauge, VERDICT_COLOURS["not feasible"])
    assert left == pytest.approx(0.98 * (gauge.WIDTH - 16), abs=4)
    assert right == pytest.approx(0.02 * (gauge.WIDTH - 16), abs=2)


def test_measures_of_both_sides_stand_side_by_side(judged, found):
    table = judged.ui.measuresTable
    texts = [[table.item(row, column).text() for column in range(3)] for row in range(table.rowCount)]
    width = next(row for row in texts if row[0].startswith("Minimum pediculoisthmic"))
    for column, side in ((1, "left"), (2, "right")):
        assert f"{found.sides[side].measures.outer_width_mm:.2f}" in width[column]
        assert "4.78" in width[column]
    assert "Ways out, right" in judged.ui.waysOutLabel.text
    assert "lamina" in judged.ui.waysOutLabel.text


def test_a_disagreement_is_prominent_and_silence_is_not(chosen, found):
    from dataclasses import replace

    sides = {**found.sides, "right": replace(found.sides["right"], disagreement="the network expects <other>")}
    chosen.open(replace(found, sides=sides), chosen.ui.volumeSelector.currentNode())
    assert not chosen.ui.disagreementLabel.isHidden()
    assert "<b>Right:</b> the network expects &lt;other&gt;." in chosen.ui.disagreementLabel.text
    chosen.open(found, chosen.ui.volumeSelector.currentNode())
    assert chosen.ui.disagreementLabel.isHidden()


def test_what_the_image_cannot_tell_stands_under_the_measures(chosen, found):
    from dataclasses import replace

    chosen.open(replace(found, warnings=("metal lies near",)), chosen.ui.volumeSelector.currentNode())
    assert chosen.ui.warningsLabel.text == "metal lies near"
    assert chosen.ui.disagreementLabel.isHidden()


def test_attention_follows_its_switches(judged):
    ui, shown = judged.ui, judged.shown
    ui.opacitySlider.value = 0.35
    ui.thresholdSlider.value = 0.55
    ui.surfaceCheck.click()
    assert (shown.opacity, shown.threshold, shown.surface_coloured) == (0.35, 0.55, False)
    ui.attentionCheck.click()
    assert not shown.attention_shown
    assert not ui.opacitySlider.enabled


def test_the_key_a_switches_attention(judged):
    shortcut = next(each for each in judged._shortcuts if each.key.toString() == "A")
    shortcut.activated.emit()
    assert not judged.shown.attention_shown
    shortcut.activated.emit()
    assert judged.shown.attention_shown


def test_choices_are_kept_for_the_next_answer(judged, found):
    judged.ui.attentionCheck.click()
    judged.ui.thresholdSlider.value = 0.7
    judged.open(found, judged.ui.volumeSelector.currentNode())
    assert not judged.shown.attention_shown
    assert judged.shown.threshold == 0.7


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_side_button_puts_the_slices_along_that_pedicle(judged, found, side):
    getattr(judged.ui, f"{side}Button").click()
    node = slicer.mrmlScene.GetNodeByID("vtkMRMLSliceNodeGreen")
    isthmus, pose = found.sides[side].measures.isthmus, found.sides[side].pose
    np.testing.assert_allclose(plane_of(node)[:3, 3], isthmus, atol=1e-6)
    judged.ui.alongSlider.value = 4.0
    np.testing.assert_allclose(plane_of(node)[:3, 3], isthmus + 4.0 * pose.forwards, atol=1e-6)
    assert judged.ui.leftButton.checked == (side == "left")


def test_a_side_without_a_screw_says_why(judged):
    judged.ui.rightButton.click()
    assert "Right: the chance of a 3.5 mm screw is 2 %" in judged.ui.gradeLabel.text
    assert not judged.ui.ptaSlider.enabled


@pytest.mark.parametrize(
    ("slider", "figure", "value"),
    [
        ("ptaSlider", "pta_deg", 24.0),
        ("psaSlider", "psa_deg", 18.0),
        ("diameterSlider", "diameter_mm", 4.0),
        ("lengthSlider", "length_mm", 24.0),
        ("lateralSlider", "lateral_mm", 1.0),
        ("cranialSlider", "cranial_mm", -1.0),
    ],
)
def test_a_figure_that_is_typed_is_the_screws(judged, slider, figure, value):
    judged.ui.leftButton.click()
    before = screw(judged)
    getattr(judged.ui, slider).value = value
    assert getattr(actions.read(judged.case.session), figure) == pytest.approx(value, abs=0.05)
    judged.ui.undoButton.click()
    assert screw(judged) is before
    judged.ui.redoButton.click()
    assert getattr(actions.read(judged.case.session), figure) == pytest.approx(value, abs=0.05)
    judged.ui.restoreButton.click()
    np.testing.assert_allclose(screw(judged).tip, before.tip)


def test_a_dragged_screw_is_graded_in_the_window(judged, settle):
    before = judged.ui.gradeLabel.text
    line = judged.case.shown.nodes(LEFT).node("line")
    line.SetNthControlPointPositionWorld(1, *(screw(judged).tip + (4.0, 0.0, 0.0)))
    settle(until=lambda: judged.ui.gradeLabel.text != before)
    assert judged.ui.undoButton.enabled


def test_edits_are_replaced_only_when_confirmed(judged, job, running, settle):
    judged.ui.ptaSlider.value = 24.0
    running.answers["confirmYesNo"] = False
    judged.ui.runButton.click()
    assert not judged.busy


def test_a_new_answer_takes_the_place_of_the_old_one(judged, found):
    before = slicer.mrmlScene.GetNumberOfNodes()
    judged.open(found, judged.ui.volumeSelector.currentNode())
    assert slicer.mrmlScene.GetNumberOfNodes() == before


def test_an_export_holds_report_volumes_and_plan(judged, running, tmp_path):
    running.answers["getExistingDirectory"] = str(tmp_path)
    judged.ui.exportButton.click()
    folder = next(tmp_path.iterdir())
    names = {path.name for path in folder.iterdir()}
    assert names == {"c2.json", "c2.nii.gz", "pedicles.nii.gz", "attention.nii.gz", "report.html", "plan.json"}
    assert f"{len(names)} files" in judged.ui.statusLabel.text
    told = json.loads((folder / "c2.json").read_text())
    assert told["sides"]["right"]["verdict"] == "not feasible"


def test_the_example_is_a_neck(panel):
    panel.ui.exampleButton.click()
    assert panel.ui.volumeSelector.currentNode().GetName() == "Simulated neck CT"
    assert panel.ui.runButton.enabled


def test_a_closed_scene_leaves_an_empty_window(judged):
    slicer.mrmlScene.Clear(0)
    assert judged.found is None and judged.shown is None and judged.case is None
    assert judged.ui.measuresTable.rowCount == 0


def test_keys_are_heard_only_while_the_module_is_shown(opened, panel):
    assert len(panel._shortcuts) == 4
    opened.exit()
    assert panel._shortcuts == []
    opened.enter()
    assert len(panel._shortcuts) == 4


def test_closing_the_module_ends_every_observer(running, found):
    from spinescrew.scene.volumes import add_volume

    made = open_module("C2Feasibility")
    panel = made.widget.panel
    panel.open(found, add_volume(slicer.mrmlScene, found.ct, "CT"))
    case = panel.case
    made.close()
    assert case.closed and case.observer_count == 0


def test_the_console_judges_a_node_and_shows_it(running, found, monkeypatch):
    import C2FeasibilityLib.logic

    from C2Feasibility import C2FeasibilityLogic
    from spinescrew.scene.volumes import add_volume

    asked = []
    monkeypatch.setattr(C2FeasibilityLib.logic, "assess_c2", lambda ct, progress: asked.append(ct) or found)
    answer = C2FeasibilityLogic().assessVolume(add_volume(slicer.mrmlScene, found.ct, "CT"))
    assert answer is found
    np.testing.assert_array_equal(asked[0].array, found.ct.array)
    names = {slicer.mrmlScene.GetNthNode(n).GetName() for n in range(slicer.mrmlScene.GetNumberOfNodes())}
    assert {"C2 surface", "C2 attention", "C2 pedicles", "C2 left", "C2 right pars 3.5 mm"} <= names


def test_the_neck_is_sample_data(running):
    assert [words["sampleName"] for words in running.sample_data] == ["SimulatedNeck"]
