"""The module's place in Slicer: that of Spine Planner, with another panel in it."""

from SpinePlannerLib import module_widget


class ModuleWidget(module_widget.ModuleWidget):
    """Parameter node, scene events and installation around :class:`ScrewPoseLib.widget.ScrewPosePanel`."""

    def makePanel(self):
        """The panel; only called where the library can be imported."""
        from ScrewPoseLib.widget import ScrewPosePanel

        return ScrewPosePanel(self.resourcePath("UI/ScrewPose.ui"))
