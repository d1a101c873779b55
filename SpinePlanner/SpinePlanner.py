"""SpinePlanner: pedicle screws on both sides of every level of a segmented spine."""

import sys
from pathlib import Path

from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)

try:
    import spinescrew  # noqa: F401
except ImportError:
    # Unbuilt use: the library lies beside the module's folder.
    sys.path.append(str(Path(__file__).resolve().parent.parent))


class SpinePlanner(ScriptedLoadableModule):
    """What Slicer shows of the module before it is opened."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("Spine Planner")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Planning")]
        self.parent.dependencies = ["Markups", "Segmentations"]
        self.parent.contributors = ["SpineScrew engineers (SpineScrew)"]
        self.parent.helpText = _(
            "Plans a pedicle screw on both sides of every chosen level of a segmented spine and grades it against the "
            "cortex and the facet joints. From the console: "
            "<code>SpinePlannerLogic().planVolume(ct, segmentation, levels='L1-S1')</code>."
        )
        self.parent.acknowledgementText = _("For research; not a medical device. Rules and sources: see the plan.")


class SpinePlannerWidget(ScriptedLoadableModuleWidget):
    """The panel; everything it does is a method of :class:`SpinePlannerLogic`."""

    def __init__(self, parent=None):
        self.panel = None
        self.logic = None
        ScriptedLoadableModuleWidget.__init__(self, parent)

    def setup(self):
        """Build the panel."""
        ScriptedLoadableModuleWidget.setup(self)
        from SpinePlannerLib.widget import SpinePlannerPanel

        self.logic = SpinePlannerLogic()
        self.panel = SpinePlannerPanel(self.logic, self.resourcePath("UI/SpinePlanner.ui"))
        self.layout.addWidget(self.panel.widget)
        self.layout.addStretch(1)

    def cleanup(self):
        """Let go of what the panel watches."""
        if self.panel is not None:
            self.panel.cleanup()


class SpinePlannerLogic(ScriptedLoadableModuleLogic):
    """Planning of volume nodes, without any window."""

    def planVolume(self, volumeNode, labelNode, levels=None, trajectory="straight-forward", scene=None, progress=None):
        """Plan the screws of a CT and put them into the scene.

        See :func:`SpinePlannerLib.logic.planNodes`; ``scene`` is that of ``labelNode`` when left out.
        """
        from SpinePlannerLib.logic import planNodes

        scene = scene if scene is not None else labelNode.GetScene()
        return planNodes(scene, volumeNode, labelNode, levels, trajectory, progress)


class SpinePlannerTest(ScriptedLoadableModuleTest):
    """What Slicer's own test run can show; the full suite is in Testing/."""

    def runTest(self):
        """Reload&Test calls this."""
        self.test_the_library_is_found()

    def test_the_library_is_found(self):
        """The library and its catalogue load."""
        from spinescrew.anatomy.levels import Level
        from spinescrew.implants.catalog import load_catalog

        self.assertTrue(load_catalog().diameters(Level.L3))
