"""C2Feasibility: can this C2 pedicle take a screw, where did the network look, and what does the geometry say."""

import slicer
from C2FeasibilityLib.module_logic import ModuleLogic
from C2FeasibilityLib.module_widget import ModuleWidget
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import ScriptedLoadableModule, ScriptedLoadableModuleTest


class C2Feasibility(ScriptedLoadableModule):
    """What Slicer shows of the module before it is opened."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("C2 Feasibility")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Planning")]
        self.parent.dependencies = ["Markups", "Segmentations", "SpinePlanner"]
        self.parent.contributors = ["SpineScrew engineers (SpineScrew)"]
        self.parent.helpText = _(
            "Tells for both pedicles of C2 how probably a 3.5 mm screw stays inside, shows where the network looked, "
            "and measures the pedicle beside it. From the console: "
            "<code>C2FeasibilityLogic().assessVolume(ct)</code>."
        )
        self.parent.acknowledgementText = _(
            "For research; not a medical device. Trained on simulated images; never saw a real neck CT."
        )
        slicer.app.connect("startupCompleted()", self.onStartupCompleted)

    def onStartupCompleted(self):
        """What needs the whole application."""
        from C2FeasibilityLib import sample_data

        sample_data.register()


class C2FeasibilityWidget(ModuleWidget):
    """The panel; see C2FeasibilityLib."""

    def makeLogic(self):
        """The logic that the panel works with."""
        return C2FeasibilityLogic()


class C2FeasibilityLogic(ModuleLogic):
    """Judging without a window: ``C2FeasibilityLogic().assessVolume(ct)``."""


class C2FeasibilityTest(ScriptedLoadableModuleTest):
    """What Slicer's own test run can show; the full suite is in Testing/."""

    def runTest(self):
        """Reload&Test calls this."""
        self.test_both_pedicles_of_the_simulated_neck_are_judged()

    def test_both_pedicles_of_the_simulated_neck_are_judged(self):
        """From a volume node to probabilities and nodes."""
        from C2FeasibilityLib import sample_data

        slicer.mrmlScene.Clear()
        found = C2FeasibilityLogic().assessVolume(sample_data.load())
        self.assertEqual(set(found.sides), {"left", "right"})
        self.assertTrue(all(0.0 <= side.probability <= 1.0 for side in found.sides.values()))
