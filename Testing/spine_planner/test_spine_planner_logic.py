"""The module's Logic on a real MRML scene, as a script in the console uses it; and what files must agree on."""

import ast
import importlib
import tomllib
import types
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
import slicer

from spinescrew.errors import InputError
from spinescrew.progress import Cancelled, Progress
from spinescrew.scene.open_case import kept_plan
from spinescrew.scene.volumes import add_segmentation, add_volume

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "SpinePlanner"
LIBRARY = sorted((MODULE / "SpinePlannerLib").glob("*.py"))
BROUGHT_BY_SLICER = {"numpy", "scipy", "SimpleITK", "pydicom", "pillow", "vtk", "slicer-core"}


@pytest.fixture
def module(running):
    return importlib.import_module("SpinePlanner")


@pytest.fixture
def inputs(running, case):
    ct = add_volume(slicer.mrmlScene, case.spine.ct, "CT")
    return ct, add_volume(slicer.mrmlScene, case.spine.labels, "vertebrae", label_map=True)


def nodes(kind):
    found = slicer.mrmlScene.GetNodesByClass(kind)
    found.UnRegister(None)
    return [found.GetItemAsObject(n) for n in range(found.GetNumberOfItems())]


def test_the_module_says_what_it_is(module):
    shown = types.SimpleNamespace()
    module.SpinePlanner(shown)
    assert shown.title == "Spine Planner"
    assert shown.categories == ["Planning"]
    assert shown.contributors
    assert "planVolume" in shown.helpText
    assert "not a medical device" in shown.acknowledgementText


def test_the_logic_plans_a_volume_node_without_any_window(module, inputs):
    plan = module.SpinePlannerLogic().planVolume(*inputs, levels="L3-L4")
    assert len(plan.planned) == 4
    row = plan.planned[0]
    line = next(n for n in nodes("vtkMRMLMarkupsLineNode") if n.GetName().startswith(f"{row.level.name} {row.side}"))
    assert np.allclose(line.GetNthControlPointPositionWorld(0), row.screw.entry)
    assert np.allclose(line.GetNthControlPointPositionWorld(1), row.screw.tip)
    assert line.GetAttribute("SpineScrew.GertzbeinRobbins") == row.assessment.gertzbein_robbins
    assert row.assessment.mean_hu is not None
    kept, _, ct, labels = kept_plan(slicer.mrmlScene)
    assert [r.key for r in kept.planned] == [r.key for r in plan.planned]
    assert (ct, labels) == inputs


def test_planning_again_replaces_the_plan_in_the_scene(module, inputs):
    logic = module.SpinePlannerLogic()
    logic.planVolume(*inputs, levels="L3-L4")
    logic.planVolume(*inputs, levels="L2")
    assert len(nodes("vtkMRMLMarkupsLineNode")) == 2
    assert {n.GetName()[:2] for n in nodes("vtkMRMLMarkupsLineNode")} == {"L2"}


def test_a_segmentation_is_planned_like_a_label_volume(module, case):
    node = add_segmentation(slicer.mrmlScene, case.spine.labels, "Vertebrae")
    plan = module.SpinePlannerLogic().planVolume(None, node, levels="L3")
    for row in plan.planned:
        np.testing.assert_allclose(row.screw.entry, case.plan.get(*row.key).screw.entry, atol=1e-6)


def test_many_cases_are_planned_one_after_the_other(module, case):
    found = []
    for _ in range(2):
        slicer.mrmlScene.Clear(False)
        node = add_segmentation(slicer.mrmlScene, case.spine.labels, "Vertebrae")
        found.append(len(module.SpinePlannerLogic().planVolume(None, node, levels="L3").planned))
    assert found == [2, 2]


def test_a_cancel_leaves_the_scene_as_it_was(module, inputs):
    before = slicer.mrmlScene.GetNumberOfNodes()
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        module.SpinePlannerLogic().planVolume(*inputs, levels="L3", progress=progress)
    assert slicer.mrmlScene.GetNumberOfNodes() == before


def test_bad_input_is_refused_in_words(module, inputs):
    with pytest.raises(InputError, match="none of T4"):
        module.SpinePlannerLogic().planVolume(*inputs, levels="T4")
    inputs[1].SetAndObserveTransformNodeID(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode").GetID())
    with pytest.raises(InputError, match="harden"):
        module.SpinePlannerLogic().planVolume(*inputs)


def ui_tree():
    return ElementTree.parse(MODULE / "Resources" / "UI" / "SpinePlanner.ui")


def test_every_widget_the_panel_uses_is_in_the_ui_file_and_the_other_way_round():
    names = {widget.get("name") for widget in ui_tree().iter("widget")}
    used = set()
    for path in LIBRARY:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and (
                (isinstance(node.value, ast.Attribute) and node.value.attr == "ui")
                or (isinstance(node.value, ast.Name) and node.value.id == "ui")
            ):
                used.add(node.attr)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.endswith("Slider"):
                used.add(node.value)
    assert len(used) > 40
    assert used <= names
    ornaments = {name for name in names if name.endswith(("Label", "Section"))} | {"SpinePlanner"}
    assert names - used - ornaments == set()


def test_every_parameter_is_bound_to_a_widget(module):
    from SpinePlannerLib.parameters import SpinePlannerParameters

    bound = [
        prop.findtext("string")
        for widget in ui_tree().iter("widget")
        for prop in widget.findall("property")
        if prop.get("name") == "SlicerParameterName"
    ]
    assert sorted(bound) == sorted(SpinePlannerParameters.FIELDS)


def test_what_slicer_must_install_is_what_the_library_needs():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = {line for line in project["dependencies"] if line.split(">=")[0].split("==")[0] not in BROUGHT_BY_SLICER}
    lines = (MODULE / "Resources" / "requirements.txt").read_text().splitlines()
    assert {line for line in lines if line and not line.startswith("#")} == needed


def test_the_module_file_imports_nothing_that_may_be_missing():
    """Slicer imports it at start-up, before anything was installed."""
    brought = {"slicer", "qt", "sys", "pathlib", "importlib", "SpinePlannerLib", "spinescrew"}
    for name in ("SpinePlanner.py", "SpinePlannerLib/module_widget.py", "SpinePlannerLib/module_logic.py"):
        for node in ast.parse((MODULE / name).read_text()).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                module = node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
                assert module.split(".")[0] in brought, (name, module)
                assert not module.startswith("spinescrew."), (name, module)


def test_texts_for_people_can_be_translated():
    for path in LIBRARY:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "_":
                assert isinstance(node.args[0], ast.Constant), f"{path.name}:{node.lineno} _() takes one plain text"
