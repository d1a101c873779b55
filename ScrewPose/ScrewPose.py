"""ScrewPose: where the screws really are, from two fluoroscopy views."""

import slicer
from ScrewPoseLib.module_logic import ModuleLogic
from ScrewPoseLib.module_widget import ModuleWidget
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import ScriptedLoadableModule, ScriptedLoadableModuleTest


class ScrewPose(ScriptedLoadableModule):
    """What Slicer shows of the module before it is opened."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("Screw Pose")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Planning")]
        self.parent.dependencies = ["Markups", "SpinePlanner"]
        self.parent.contributors = ["SpineScrew engineers (SpineScrew)"]
        self.parent.helpText = _(
            "Finds the pedicle screws in two radiographs whose geometry is known, tells which is which, and where each "
            "stands; matches and axes can be corrected by hand. From the console: "
            "<code>ScrewPoseLogic().solve([first, second], geometry)</code>."
        )
        self.parent.acknowledgementText = _(
            "For research; not a medical device. Trained on simulated images; never saw a real radiograph."
        )
        slicer.app.connect("startupCompleted()", self.onStartupCompleted)

    def onStartupCompleted(self):
        """What needs the whole application."""
        from ScrewPoseLib import sample_data

        sample_data.register()


class ScrewPoseWidget(ModuleWidget):
    """The panel; see ScrewPoseLib."""

    def makeLogic(self):
        """The logic that the panel works with."""
        return ScrewPoseLogic()


class ScrewPoseLogic(ModuleLogic):
    """Solving without a window: ``ScrewPoseLogic().solve([first, second], geometry)``."""


class ScrewPoseTest(ScriptedLoadableModuleTest):
    """What Slicer's own test run can show; the full suite is in Testing/."""

    def runTest(self):
        """Reload&Test calls this."""
        self.test_the_simulated_screws_are_found()

    def test_the_simulated_screws_are_found(self):
        """From two image files to poses and nodes."""
        from ScrewPoseLib import sample_data

        slicer.mrmlScene.Clear()
        target = sample_data.load()
        posed = ScrewPoseLogic().solve(target.images, target.geometry)
        self.assertGreaterEqual(len(posed.result.screws), 2)
        self.assertIsNotNone(slicer.mrmlScene.GetFirstNodeByName("Screw 1"))
