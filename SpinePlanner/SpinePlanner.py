"""SpinePlanner: pedicle screws on both sides of every level of a segmented spine, graded under the hand."""

import sys
from pathlib import Path

import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import ScriptedLoadableModule, ScriptedLoadableModuleTest
from SpinePlannerLib.module_logic import ModuleLogic
from SpinePlannerLib.module_widget import ModuleWidget

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
            "Plans a pedicle screw on both sides of every chosen level of a segmented spine, and grades every screw "
            "against the cortex and the facet joints while it is dragged. From the console: "
            "<code>SpinePlannerLogic().planVolume(ct, segmentation, levels='L1-S1')</code>."
        )
        self.parent.acknowledgementText = _("For research; not a medical device. Rules and sources: see the plan.")
        slicer.app.connect("startupCompleted()", self.onStartupCompleted)

    def onStartupCompleted(self):
        """What needs the whole application."""
        from SpinePlannerLib import sample_data

        sample_data.register()


class SpinePlannerWidget(ModuleWidget):
    """The panel; see SpinePlannerLib."""

    def makeLogic(self):
        """The logic that the panel works with."""
        return SpinePlannerLogic()


class SpinePlannerLogic(ModuleLogic):
    """Planning without a window: ``SpinePlannerLogic().planVolume(ct, segmentation, "L1-S1")``."""


class SpinePlannerTest(ScriptedLoadableModuleTest):
    """What Slicer's own test run can show; the full suite is in Testing/."""

    def runTest(self):
        """Reload&Test calls this."""
        self.test_the_simulated_case_is_planned()

    def test_the_simulated_case_is_planned(self):
        """One level of the simulated case, from nodes to nodes."""
        from SpinePlannerLib import sample_data

        slicer.mrmlScene.Clear()
        volume, labels = sample_data.load(spacing=(1.5, 1.5, 1.5))
        plan = SpinePlannerLogic().planVolume(volume, labels, "L3")
        self.assertEqual(len(plan.planned), 2)
        self.assertTrue(all(row.assessment.gertzbein_robbins == "A" for row in plan.planned))
