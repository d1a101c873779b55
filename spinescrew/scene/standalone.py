"""A MRML scene with the logics that Slicer's core gives it, without an application around it.

It saves and loads ``.mrb`` files (``scene.WriteToMRB(path, None)``, ``scene.ReadFromMRB(path, True)``). Inside Slicer
there is a scene already; this one is for the console, the browser and tests. Its helpers live as long as the scene:
:func:`application_of` and :func:`logic_of` find them, :func:`close_scene` frees them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from tempfile import TemporaryDirectory
from typing import Any

import slicer
import vtk

# Colors first: the others colour their nodes with it
MODULES = {
    "Colors": "vtkMRMLColorLogic",
    "Units": "vtkSlicerUnitsLogic",
    "SubjectHierarchy": "vtkSlicerSubjectHierarchyModuleLogic",
    "Terminologies": "vtkSlicerTerminologiesModuleLogic",
    "Transforms": "vtkSlicerTransformLogic",
    "Volumes": "vtkSlicerVolumesLogic",
    "Models": "vtkSlicerModelsLogic",
    "Markups": "vtkSlicerMarkupsLogic",
    "Segmentations": "vtkSlicerSegmentationsModuleLogic",
    "Tables": "vtkSlicerTablesLogic",
    "Texts": "vtkSlicerTextsLogic",
    "Cameras": "vtkSlicerCamerasModuleLogic",
}


@dataclass(eq=False)
class Helpers:
    """What a scene needs around it."""

    application: Any
    folder: TemporaryDirectory[str]
    modules: dict[str, Any] = field(default_factory=dict)
    exchange: tuple[Any, ...] = ()


def a_full_scene() -> Any:
    """A new ``vtkMRMLScene`` with application logic, module logics, default nodes and reading and writing of .mrb."""
    scene = slicer.vtkMRMLScene()
    crosshair = slicer.vtkMRMLCrosshairNode()
    crosshair.SetCrosshairName("default")
    scene.AddNode(crosshair)
    application = slicer.vtkSlicerApplicationLogic()
    application.SetMRMLScene(scene)
    application.GetColorLogic().SetMRMLScene(scene)
    application.GetColorLogic().AddDefaultColorNodes()
    application.SetSliceLogics(vtk.vtkCollection())
    application.SetViewLogics(vtk.vtkCollection())
    scene.helpers = Helpers(application, TemporaryDirectory())
    with quiet():  # the terminologies miss their files, which only the application brings
        for name, class_name in MODULES.items():
            _add_module(scene, name, getattr(slicer, class_name)())
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene, True)
    _add_exchange(scene)
    return scene


def application_of(scene: Any) -> Any:
    """The application logic of a scene made by :func:`a_full_scene`."""
    return scene.helpers.application


def logic_of(scene: Any, module: str) -> Any:
    """The logic of a module, by the module's name (``"Markups"``)."""
    return scene.helpers.modules[module]


def close_scene(scene: Any) -> None:
    """Remove all nodes and helpers."""
    helpers = scene.__dict__.pop("helpers")
    with quiet():
        scene.Clear(True)
        for logic in (*helpers.modules.values(), *helpers.exchange, helpers.application):
            logic.SetMRMLScene(None)
    helpers.folder.cleanup()


@contextmanager
def quiet() -> Iterator[None]:
    """VTK says nothing on the console inside the block."""
    verbosity, window = vtk.vtkLogger.GetCurrentVerbosityCutoff(), vtk.vtkOutputWindow.GetInstance()
    mode = window.GetDisplayMode()
    vtk.vtkLogger.SetStderrVerbosity(vtk.vtkLogger.VERBOSITY_OFF)
    window.SetDisplayModeToNever()
    try:
        yield
    finally:
        vtk.vtkLogger.SetStderrVerbosity(verbosity)
        window.SetDisplayMode(mode)


@contextmanager
def full_scene() -> Iterator[Any]:
    """:func:`a_full_scene` for the time of a block."""
    scene = a_full_scene()
    try:
        yield scene
    finally:
        close_scene(scene)


def _add_module(scene: Any, name: str, logic: Any) -> None:
    application = application_of(scene)
    if hasattr(logic, "SetModuleShareDirectory"):
        logic.SetModuleShareDirectory(scene.helpers.folder.name)
    logic.SetMRMLScene(scene)
    logic.SetMRMLApplicationLogic(application)
    application.SetModuleLogic(name, logic)
    scene.helpers.modules[name] = logic


def _add_exchange(scene: Any) -> None:
    remote = slicer.vtkMRMLRemoteIOLogic()
    remote.SetMRMLScene(scene)
    remote.SetMRMLApplicationLogic(application_of(scene))
    remote.GetCacheManager().SetRemoteCacheDirectory(scene.helpers.folder.name)
    data = slicer.vtkDataIOManagerLogic()
    data.SetMRMLScene(scene)
    data.SetMRMLApplicationLogic(application_of(scene))
    data.SetAndObserveDataIOManager(remote.GetDataIOManager())
    remote.AddDataIOToScene()
    scene.helpers.exchange = (data, remote)
