"""The module's place in Slicer: that of Spine Planner, with another panel in it."""

from SpinePlannerLib import module_widget


class ModuleWidget(module_widget.ModuleWidget):
    """Parameter node, scene events and installation around :class:`ScrewBrandIDLib.widget.ScrewBrandIDPanel`."""

    def makePanel(self):
        """The panel; only called where the library can be imported."""
        from ScrewBrandIDLib.widget import ScrewBrandIDPanel

        return ScrewBrandIDPanel(self.resourcePath("UI/ScrewBrandID.ui"))
