"""The module's place in Slicer: that of Spine Planner, with another panel in it."""

from SpinePlannerLib import module_widget


class ModuleWidget(module_widget.ModuleWidget):
    """Parameter node, scene events and installation around :class:`C2FeasibilityLib.widget.C2FeasibilityPanel`."""

    def makePanel(self):
        """The panel; only called where the library can be imported."""
        from C2FeasibilityLib.widget import C2FeasibilityPanel

        return C2FeasibilityPanel(self.resourcePath("UI/C2Feasibility.ui"))
