"""Slicer around the real MRML of slicer-core: enough to run the modules' real code, nothing that only seems to work.

``running_slicer(folder)`` is a Slicer with an empty scene; ``open_module(name)`` opens a module's panel in it. Whatever
is not here raises, so that a test cannot pass on something that does not exist. Messages, questions, installations and
errors in slots are written down in :class:`stand_in_records.Records`.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
import types
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import slicer
import slicer.util
from PySide6 import QtCore, QtWidgets
from stand_in_parameters import Choice, WithinRange, parameterNodeWrapper
from stand_in_qt import native, qt_module, start_qt
from stand_in_records import Recording, Records, records
from stand_in_widgets import CTK, QMRML, qMRMLWidget

from spinescrew.scene.standalone import application_of, full_scene

SLICES = ("Red", "Yellow", "Green")
SAMPLE_DATA_WORDS = ("category", "sampleName", "thumbnailFileName", "uris", "fileNames", "nodeNames", "checksums")
SAMPLE_DATA_WORDS += ("loadFiles", "loadFileTypes", "customDownloader", "sampleDescription")


@native
class Application(QtCore.QObject):
    """``slicer.app``."""

    startupCompleted = QtCore.Signal()  # noqa: N815
    aboutToQuit = QtCore.Signal()  # noqa: N815

    def __init__(self, scene: Any, folder: str) -> None:
        super().__init__()
        self._scene, self._folder = scene, folder
        self._settings = QtCore.QSettings(f"{folder}/Slicer.ini", QtCore.QSettings.Format.IniFormat)

    slicerUserSettingsFilePath = QtCore.Property(str, lambda self: f"{self._folder}/Slicer.ini")  # noqa: N815
    temporaryPath = QtCore.Property(str, lambda self: self._folder)  # noqa: N815
    cachePath = QtCore.Property(str, lambda self: self._folder)  # noqa: N815
    applicationName = QtCore.Property(str, lambda self: "Slicer")  # noqa: N815
    majorVersion = QtCore.Property(int, lambda self: 5)  # noqa: N815
    minorVersion = QtCore.Property(int, lambda self: 10)  # noqa: N815

    def testingEnabled(self) -> bool:
        """Dialogs are asked for here, not skipped."""
        return False

    def processEvents(self) -> None:
        """Timers that are due, events that wait."""
        start_qt().processEvents()

    def mrmlScene(self) -> Any:
        """The scene."""
        return self._scene

    def applicationLogic(self) -> Any:
        """Slicer's own."""
        return application_of(self._scene)

    def layoutManager(self) -> None:
        """None, as without a main window."""
        return

    def settings(self) -> Any:
        """A file of this run."""
        return self._settings

    userSettings = settings  # noqa: N815

    def pauseRender(self) -> None:
        """Counted."""
        records().render_pauses += 1

    def resumeRender(self) -> None:
        """Counted."""
        records().render_pauses -= 1


class ScriptedLoadableModule:
    """Base of the module class; ``parent`` is what Slicer's factory makes."""

    def __init__(self, parent: Any) -> None:
        self.parent = parent
        self.moduleName = type(self).__name__

    def resourcePath(self, name: str) -> str:
        """Under the module's Resources."""
        return str(Path(self.parent.path).parent / "Resources" / name)

    def getDefaultModuleDocumentationLink(self, docPage: Any = None) -> str:
        """A sentence with a link."""
        return f"<p>For more information see the documentation of {docPage or self.moduleName}.</p>"


class ScriptedLoadableModuleWidget:
    """Base of the panel; without a parent it makes its own and sets itself up, as in Slicer."""

    def __init__(self, parent: Any = None) -> None:
        self.moduleName = type(self).__name__.removesuffix("Widget")
        self.developerMode = False
        self.parent = parent if parent is not None else a_panel()
        self.layout = self.parent.layout()
        if parent is None:
            self.setup()

    def resourcePath(self, name: str) -> str:
        """Under the module's Resources."""
        return str(Path(sys.modules[type(self).__module__].__file__ or "").parent / "Resources" / name)

    def setup(self) -> None:
        """Nothing without developer mode."""

    def enter(self) -> None:
        """Shown."""

    def exit(self) -> None:
        """Hidden."""

    def cleanup(self) -> None:
        """Removed."""


class ScriptedLoadableModuleLogic:
    """Base of the logic: a parameter node in the scene."""

    def __init__(self, parent: Any = None) -> None:
        self.moduleName = type(self).__name__.removesuffix("Logic")
        self.isSingletonParameterNode = True

    def getParameterNode(self) -> Any:
        """The module's own, made when it is not there."""
        node = slicer.mrmlScene.GetSingletonNode(self.moduleName, "vtkMRMLScriptedModuleNode")
        return node if node is not None else self.createParameterNode()

    def createParameterNode(self) -> Any:
        """A new one, in the scene."""
        node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLScriptedModuleNode")
        node.UnRegister(None)
        node.SetSingletonTag(self.moduleName)
        node.SetModuleName(self.moduleName)
        node.SetNodeReferenceID("", None)
        return slicer.mrmlScene.AddNode(node)


class ScriptedLoadableModuleTest(unittest.TestCase):
    """Base of the module's own test."""

    def delayDisplay(self, message: str, msec: int = 0) -> None:
        """Noted."""
        records().tell("delayDisplay", message)


def a_panel() -> Any:
    """What Slicer gives a module's widget as its parent."""
    panel = qMRMLWidget()
    panel.setLayout(QtWidgets.QVBoxLayout())
    panel.setMRMLScene(slicer.mrmlScene)
    return panel


class OpenModule:
    """A module's panel as Slicer keeps it."""

    def __init__(self, name: str, panel: Any, widget: Any) -> None:
        self.name, self.panel, self.widget = name, panel, widget

    def enter(self) -> None:
        """The user selects the module."""
        self.panel._entered = True
        self.widget.enter()

    def exit(self) -> None:
        """The user selects another module."""
        self.widget.exit()
        self.panel._entered = False

    def close(self) -> None:
        """Slicer ends, or reloads the module."""
        if self.panel._entered:
            self.exit()
        self.widget.cleanup()
        self.panel.setMRMLScene(None)
        self.panel.deleteLater()
        start_qt().processEvents()


def open_module(name: str) -> OpenModule:
    """Import a module of the running Slicer, build its panel and enter it."""
    module = importlib.import_module(name)
    panel = a_panel()
    widget = getattr(module, f"{name}Widget")(panel)
    widget.setup()
    opened = OpenModule(name, panel, widget)
    opened.enter()
    return opened


def register_module(name: str, path: Path) -> Any:
    """What Slicer's factory does at start-up: the module class on its parent object, then ``startupCompleted``."""
    module = importlib.import_module(name)
    parent = types.SimpleNamespace(name=name, path=str(path / f"{name}.py"), hidden=False, icon=None)
    found = getattr(module, name)(parent)
    slicer.app.startupCompleted.emit()
    return found


@contextmanager
def running_slicer(*module_folders: Path, slices: bool = True) -> Iterator[Records]:
    """Slicer with an empty scene, and the modules of these folders; errors in slots are raised at the end.

    Without ``slices`` there are no slice nodes: views that are drawn bring their own.
    """
    qt = qt_module()
    with full_scene() as scene, tempfile.TemporaryDirectory() as folder, Recording() as written:
        if slices:
            _add_slices(scene)
        added = _modules(qt)
        kept = {name: sys.modules.get(name) for name in added}
        before = {name: getattr(slicer, name, None) for name in ("mrmlScene", "app", "modules")}
        replaced = {name: getattr(slicer.util, name) for name in UTIL}
        sys.modules.update(added)
        sys.path[:0] = [str(path) for path in module_folders]
        present = set(sys.modules)
        slicer.mrmlScene, slicer.app, slicer.modules = scene, Application(scene, folder), types.SimpleNamespace()
        for name, function in UTIL.items():
            setattr(slicer.util, name, function)
        try:
            yield written
            start_qt().processEvents()
            written.raise_errors()
        finally:
            for path in module_folders:
                sys.path.remove(str(path))
            for name in [name for name in set(sys.modules) - present if _inside(name, module_folders)]:
                del sys.modules[name]
            for name, module in kept.items():
                if module is None:
                    sys.modules.pop(name, None)
                else:
                    sys.modules[name] = module
            for name, value in before.items():
                setattr(slicer, name, value)
            for name, function in replaced.items():
                setattr(slicer.util, name, function)


def a_scene() -> Any:
    """The running scene."""
    return slicer.mrmlScene


def _inside(name: str, folders: tuple[Path, ...]) -> bool:
    file = getattr(sys.modules[name], "__file__", None)
    return bool(file) and any(folder in Path(str(file)).parents for folder in folders)


def _add_slices(scene: Any) -> None:
    for name in SLICES:
        node = slicer.vtkMRMLSliceNode()
        node.SetSingletonTag(name)
        node.SetName(name)
        node.SetLayoutName(name)
        scene.AddNode(node)


def _modules(qt: types.ModuleType) -> dict[str, types.ModuleType]:
    ctk, base, i18n = (types.ModuleType(name) for name in ("ctk", "slicer.ScriptedLoadableModule", "slicer.i18n"))
    wrapper, sample = types.ModuleType("slicer.parameterNodeWrapper"), types.ModuleType("SampleData")
    for kind in CTK:
        setattr(ctk, kind.__name__, kind)
    for kind in QMRML:
        setattr(slicer, kind.__name__, kind)
    bases = (ScriptedLoadableModule, ScriptedLoadableModuleWidget, ScriptedLoadableModuleLogic)
    for kind in (*bases, ScriptedLoadableModuleTest):
        setattr(base, kind.__name__, kind)
    i18n.tr = lambda text: text  # type: ignore[attr-defined]
    i18n.translate = lambda context, text: text  # type: ignore[attr-defined]
    wrapper.parameterNodeWrapper = parameterNodeWrapper  # type: ignore[attr-defined]
    wrapper.Choice, wrapper.WithinRange = Choice, WithinRange  # type: ignore[attr-defined]
    sample.SampleDataLogic = types.SimpleNamespace(  # type: ignore[attr-defined]
        registerCustomSampleDataSource=_register_sample
    )
    modules = {"qt": qt, "ctk": ctk, "SampleData": sample}
    return modules | {module.__name__: module for module in (base, i18n, wrapper)}


def _register_sample(**words: Any) -> None:
    strange = set(words) - set(SAMPLE_DATA_WORDS)
    if strange:
        raise TypeError(f"registerCustomSampleDataSource has no {', '.join(sorted(strange))}")
    thumbnail = words.get("thumbnailFileName")
    if thumbnail and not Path(thumbnail).is_file():
        raise FileNotFoundError(thumbnail)
    records().sample_data.append(words)


def _select_module(module: Any) -> None:
    records().selected_modules.append(module if isinstance(module, str) else module.name)


def _pip_install(requirements: Any) -> None:
    records().pip.append(requirements)
    if not records().allow_pip:
        raise RuntimeError("nothing is installed in this test")


def _asked(kind: str) -> Any:
    def ask(text: str, windowTitle: str = "", parent: Any = None, **_options: Any) -> bool:
        return bool(records().ask(kind, text, windowTitle))

    return ask


def _told(kind: str) -> Any:
    def tell(text: str, windowTitle: str = "", parent: Any = None, detailedText: str = "", **_options: Any) -> None:
        records().tell(kind, text, windowTitle, detailedText)

    return tell


def _status(message: str, duration: int = 0) -> bool:
    records().status.append(message)
    return True


UTIL = {
    "confirmYesNoDisplay": _asked("confirmYesNo"),
    "confirmOkCancelDisplay": _asked("confirmOkCancel"),
    "errorDisplay": _told("error"),
    "warningDisplay": _told("warning"),
    "infoDisplay": _told("info"),
    "showStatusMessage": _status,
    "selectModule": _select_module,
    "pip_install": _pip_install,
    "mainWindow": lambda: None,
}
