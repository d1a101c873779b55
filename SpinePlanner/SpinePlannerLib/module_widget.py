"""The module's place in Slicer. The library is imported only where it is there: it may have to be installed first."""

import slicer
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleWidget
from slicer.util import VTKObservationMixin

from SpinePlannerLib import install
from SpinePlannerLib.install_panel import InstallPanel


class ModuleWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """Parameter node, scene events and installation around a panel; C2Feasibility puts another into the same place."""

    makeLogic = None

    def __init__(self, parent=None):
        self.logic = self.panel = self.installPanel = None
        VTKObservationMixin.__init__(self)
        ScriptedLoadableModuleWidget.__init__(self, parent)

    def setup(self):
        """Build the panel, or what installs its packages."""
        ScriptedLoadableModuleWidget.setup(self)
        self.logic = self.makeLogic()
        if install.missing():
            self.installPanel = InstallPanel(self.onInstalled)
            self.layout.addWidget(self.installPanel.widget)
        else:
            self._build()
        self.layout.addStretch(1)

    def enter(self):
        """The user comes to the module."""
        if self.panel is not None:
            self._bind()
            self.panel.enter()

    def exit(self):
        """The user goes to another module."""
        if self.panel is not None:
            self.panel.exit()
            self.panel.bind(None)

    def cleanup(self):
        """Slicer ends, or the module is reloaded."""
        self.removeObservers()
        if self.panel is not None:
            self.panel.cleanup()

    def onInstalled(self):
        """The packages are there: the panel takes the place of the button."""
        self.installPanel.widget.hide()
        self._build()
        if self.parent.isEntered:
            self.enter()

    def onSceneStartClose(self, _caller=None, _event=None):
        """Nothing of this scene is used any more."""
        self.panel.sceneClosing()

    def onSceneLoaded(self, _caller=None, _event=None):
        """A new scene, or one that was loaded: its choices, and the plan it may hold."""
        if self.parent.isEntered:
            self.panel.exit()
            self.enter()

    def makePanel(self):
        """The panel; only called where the library can be imported."""
        from SpinePlannerLib.widget import SpinePlannerPanel

        return SpinePlannerPanel(self.resourcePath("UI/SpinePlanner.ui"))

    def _build(self):
        self.panel = self.makePanel()
        self.layout.insertWidget(0, self.panel.widget)
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self.onSceneLoaded)
        self.addObserver(scene, scene.EndImportEvent, self.onSceneLoaded)

    def _bind(self):
        self.panel.bind(self.logic.getParameterNode())
