"""The stand-in has PythonQt's manners, and what it lacks raises."""

from pathlib import Path

import pytest
import slicer
from slicer_stand_in import running_slicer
from stand_in_ui import UiFileError

UI = """<ui version="4.0"><class>A</class><widget class="qMRMLWidget" name="A"><layout class="QVBoxLayout" name="v">
<item><widget class="{kind}" name="box"/></item></layout></widget>
<customwidgets><customwidget><class>qMRMLWidget</class></customwidget>{declared}</customwidgets>
<connections>{connections}</connections></ui>"""
COMBO = "<customwidget><class>qMRMLNodeComboBox</class></customwidget>"
CONNECTED = (
    "<connection><sender>A</sender><signal>mrmlSceneChanged(vtkMRMLScene*)</signal>"
    "<receiver>box</receiver><slot>setMRMLScene(vtkMRMLScene*)</slot></connection>"
)


@pytest.fixture
def records(tmp_path):
    with running_slicer(tmp_path) as made:
        yield made


@pytest.fixture
def qt(records):
    import qt as module

    return module


def load(tmp_path, kind="qMRMLNodeComboBox", declared=COMBO, connections=CONNECTED):
    path = Path(tmp_path) / "a.ui"
    path.write_text(UI.format(kind=kind, declared=declared, connections=connections))
    return slicer.util.loadUI(str(path))


def test_properties_are_attributes(qt):
    button = qt.QPushButton("one")
    assert button.text == "one"
    button.text = "two"
    button.enabled = False
    assert (button.text, button.enabled, button.isEnabled()) == ("two", False, False)
    with pytest.raises(TypeError):
        button.text()


def test_strays_are_refused(qt):
    with pytest.raises(AttributeError, match="QPushButton has no attribute 'txt'"):
        qt.QPushButton().txt = "typo"
    with pytest.raises(AttributeError):
        _ = slicer.app.extensionsManagerModel
    with pytest.raises(AttributeError):
        _ = slicer.modules.nothing
    with pytest.raises(AttributeError):
        slicer.app.nothing = 1


def test_signals_are_connected_by_their_exact_signature(qt):
    button, heard = qt.QPushButton(), []
    button.connect("clicked(bool)", heard.append)
    button.connect("clicked()", lambda: heard.append("plain"))
    button.click()
    assert heard == [False, "plain"]
    button.disconnect("clicked(bool)", heard.append)
    button.click()
    assert heard == [False, "plain", "plain"]
    with pytest.raises(ValueError, match=r"has no signal 'clicked\(int\)'"):
        button.connect("clicked(int)", print)


def test_errors_in_slots_fail_the_test(tmp_path):
    def fails():
        raise KeyError("in a slot")

    with pytest.raises(KeyError, match="in a slot"), running_slicer(tmp_path):
        import qt

        button = qt.QPushButton()
        button.connect("clicked()", fails)
        button.click()


def test_a_question_without_an_answer_raises(records):
    with pytest.raises(LookupError, match="no answer for 'confirmYesNo'"):
        slicer.util.confirmYesNoDisplay("Really?")
    records.answers["confirmYesNo"] = [True, False]
    assert [slicer.util.confirmYesNoDisplay("Really?") for _ in range(2)] == [True, False]


def test_ui_files_that_slicer_would_not_take_are_refused(records, tmp_path):
    assert load(tmp_path).findChild(slicer.qMRMLNodeComboBox) is not None
    with pytest.raises(UiFileError, match="does not declare qMRMLNodeComboBox"):
        load(tmp_path, declared="")
    with pytest.raises(UiFileError, match="the stand-in has no qMRMLTableView"):
        load(tmp_path, "qMRMLTableView", "<customwidget><class>qMRMLTableView</class></customwidget>", "")
    with pytest.raises(UiFileError, match="'box' is not given the scene"):
        load(tmp_path, connections="")
    with pytest.raises(UiFileError, match="which are not both there"):
        load(tmp_path, connections=CONNECTED.replace("<receiver>box", "<receiver>bix"))


def test_node_boxes_follow_the_scene(records, tmp_path):
    widget = load(tmp_path)
    box, heard = widget.findChild(slicer.qMRMLNodeComboBox), []
    box.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    box.hideChildNodeTypes = ["vtkMRMLLabelMapVolumeNode"]
    box.noneEnabled = True
    box.connect("currentNodeChanged(vtkMRMLNode*)", heard.append)
    widget.setMRMLScene(slicer.mrmlScene)
    image = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "CT")
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "labels")
    assert box.nodeCount() == 1
    assert box.currentNode() is None
    box.setCurrentNode(image)
    slicer.mrmlScene.RemoveNode(image)
    assert heard == [image, None]
    box.nodeTypes = ["vtkMRMLNothing"]
    assert "there is no class vtkMRMLNothing" in str(records.errors.pop()), "Qt gives errors of setters to the hook"


def test_parameters_are_typed_and_stay_in_the_scene(records):
    from typing import Annotated

    from slicer.parameterNodeWrapper import Choice, parameterNodeWrapper

    @parameterNodeWrapper
    class Parameters:
        name: str
        on: bool = True
        kind: Annotated[str, Choice(["a", "b"])]

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")
    parameters = Parameters(node)
    assert (parameters.name, parameters.on, parameters.kind) == ("", True, "a")
    parameters.on = False
    assert Parameters(node).on is False
    with pytest.raises(ValueError, match="none of"):
        parameters.kind = "c"
    with pytest.raises(TypeError):
        parameters.on = "yes"
    with pytest.raises(AttributeError):
        parameters.nothing = 1
