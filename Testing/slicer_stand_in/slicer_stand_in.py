"""Just enough of Slicer around the real MRML of slicer-core to import a module and run its Logic.

Whatever is not here raises, so that a test cannot pass on something that does not exist.
"""

from __future__ import annotations

import sys
import types
import unittest
from contextlib import contextmanager
from pathlib import Path


def a_scene():
    """A new MRML scene with a subject hierarchy."""
    import slicer

    scene = slicer.vtkMRMLScene()
    logic = slicer.vtkSlicerApplicationLogic()
    logic.SetMRMLScene(scene)
    logic.GetColorLogic().SetMRMLScene(scene)
    logic.GetColorLogic().AddDefaultColorNodes()
    segmentations = slicer.vtkSlicerSegmentationsModuleLogic()
    segmentations.SetMRMLScene(scene)
    scene.kept = (logic, segmentations)
    return scene


class _Module:
    def __init__(self, parent):
        self.parent = parent


class _Widget:
    def __init__(self, parent=None):
        self.parent = parent


class _Logic:
    def __init__(self, parent=None):
        self.moduleName = type(self).__name__.removesuffix("Logic")


@contextmanager
def slicer_modules(module_folder: Path):
    """``slicer.i18n`` and ``slicer.ScriptedLoadableModule`` for the time of the block, and the folder on the path."""
    base = types.ModuleType("slicer.ScriptedLoadableModule")
    base.ScriptedLoadableModule = _Module
    base.ScriptedLoadableModuleWidget = _Widget
    base.ScriptedLoadableModuleLogic = _Logic
    base.ScriptedLoadableModuleTest = unittest.TestCase
    i18n = types.ModuleType("slicer.i18n")
    i18n.tr = lambda text: text
    i18n.translate = lambda context, text: text
    added = {"slicer.ScriptedLoadableModule": base, "slicer.i18n": i18n}
    sys.modules.update(added)
    sys.path.insert(0, str(module_folder))
    try:
        yield
    finally:
        sys.path.remove(str(module_folder))
        for name in added:
            sys.modules.pop(name, None)
