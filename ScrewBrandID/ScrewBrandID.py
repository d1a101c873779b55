"""ScrewBrandID: which system of pedicle screws is on these radiographs."""

import slicer
from ScrewBrandIDLib.module_logic import ModuleLogic
from ScrewBrandIDLib.module_widget import ModuleWidget
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import ScriptedLoadableModule, ScriptedLoadableModuleTest


class ScrewBrandID(ScriptedLoadableModule):
    """What Slicer shows of the module before it is opened."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("Screw Brand ID")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Planning")]
        self.parent.dependencies = ["Markups", "SpinePlanner"]
        self.parent.contributors = ["SpineScrew engineers (SpineScrew)"]
        self.parent.helpText = _(
            "Says which system of pedicle screws one or two plain radiographs show, how sure that is, and where the "
            "models looked; says so where no known system fits. From the console: "
            "<code>ScrewBrandIDLogic().identify([first, second])</code>."
        )
        self.parent.acknowledgementText = _(
            "For research; not a medical device. Design families stand in for real systems; they are no maker's. "
            "Four models and their ensemble after Yao et al. 2024."
        )
        slicer.app.connect("startupCompleted()", self.onStartupCompleted)

    def onStartupCompleted(self):
        """What needs the whole application."""
        from ScrewBrandIDLib import sample_data

        sample_data.register()


class ScrewBrandIDWidget(ModuleWidget):
    """The panel; see ScrewBrandIDLib."""

    def makeLogic(self):
        """The logic that the panel works with."""
        return ScrewBrandIDLogic()


class ScrewBrandIDLogic(ModuleLogic):
    """Asking without a window: ``ScrewBrandIDLogic().identify([first, second])``."""


class ScrewBrandIDTest(ScriptedLoadableModuleTest):
    """What Slicer's own test run can show; the full suite is in Testing/."""

    def runTest(self):
        """Reload&Test calls this."""
        self.test_the_simulated_films_are_answered()

    def test_the_simulated_films_are_answered(self):
        """From two image files to an answer and nodes, or to the line that says which command trains the models."""
        from ScrewBrandIDLib import sample_data

        from spinescrew.brands.models import why_none
        from spinescrew.errors import InputError

        slicer.mrmlScene.Clear()
        if why_none():
            self.assertRaises(InputError, ScrewBrandIDLogic().identify, ["AP.dcm"])
            return
        found = ScrewBrandIDLogic().identify(sample_data.load().images)
        self.assertEqual(len(found.result.views), 2)
        self.assertIsNotNone(slicer.mrmlScene.GetFirstNodeByName("From the front (AP)"))
