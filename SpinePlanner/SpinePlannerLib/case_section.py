"""Case: which image, which vertebrae, whose; an example; a plan that exists already."""

import qt
import slicer
from slicer.i18n import tr as _

from SpinePlannerLib import logic, sample_data
from SpinePlannerLib.parameters import EXTENSION
from spinescrew.errors import OtherImageError, SpineScrewError
from spinescrew.scene.identity import identity_text
from spinescrew.scene.open_case import discard, recoverable
from spinescrew.scene.store import PlanStore
from spinescrew.scene.volumes import labels_from_node


class CaseSection:
    """Inputs of a plan; the panel does the work."""

    def __init__(self, panel):
        self.panel, self.ui = panel, panel.ui
        self.unsaved = None
        ui = self.ui
        ui.volumeSelector.connect("currentNodeChanged(vtkMRMLNode*)", self.onInputs)
        ui.labelSelector.connect("currentNodeChanged(vtkMRMLNode*)", self.onInputs)
        ui.exampleButton.connect("clicked(bool)", self.onExample)
        ui.segmentButton.connect("clicked(bool)", self.onSegment)
        ui.openPlanButton.connect("clicked(bool)", self.onOpenPlan)
        ui.continueButton.connect("clicked(bool)", self.onContinue)
        ui.recoverButton.connect("clicked(bool)", self.onRecover)

    def refresh(self):
        """Identity, and what can be done with the inputs."""
        ui, busy = self.ui, self.panel.busy
        volume, labels = ui.volumeSelector.currentNode(), ui.labelSelector.currentNode()
        ui.identityLabel.text = identity_text(volume) or identity_text(labels) or _("No case is open")
        ui.openPlanButton.enabled = labels is not None and not busy
        ui.openPlanButton.toolTip = (
            _("Open a plan.json on these vertebrae") if labels is not None else _("Choose named vertebrae first")
        )
        kept = PlanStore.find(slicer.mrmlScene) is not None and self.panel.case is None
        ui.continueButton.visible = kept
        ui.continueButton.enabled = not busy
        ui.recoverButton.visible = self.unsaved is not None and self.panel.case is None
        ui.recoverButton.enabled = not busy
        ui.exampleButton.enabled = not busy
        ui.segmentButton.enabled = volume is not None and not busy
        ui.segmentButton.toolTip = (
            _("Find and name the vertebrae of this CT") if volume is not None else _("Choose a CT first")
        )

    def onInputs(self, *_unused):
        """Another image or other vertebrae: look for unsaved work on them."""
        self.unsaved = self._findUnsaved()
        if self.unsaved is not None and self.panel.case is None:
            text = _("Unsaved work on this case was found ({steps} edits): press Recover to get it back.")
            self.panel.tell(text.format(steps=self.unsaved.steps))
        self.panel.refreshInputs()

    def onExample(self, *_unused):
        """Make the simulated case and choose it."""
        with slicer.util.WaitCursor():
            volume, labels = sample_data.load(slicer.mrmlScene, self.panel.exampleSpacing)
        self.ui.volumeSelector.setCurrentNode(volume)
        self.ui.labelSelector.setCurrentNode(labels)
        self.panel.tell(_("A simulated spine was loaded. Press Plan screws."))

    def onSegment(self, *_unused):
        """Find the vertebrae in the background, or go to the extension that does."""
        engine = self.ui.engineBox.currentText
        if engine != EXTENSION:
            self.panel.attempt(lambda: self.panel.segment(engine))
        elif hasattr(slicer.modules, "totalsegmentator"):
            slicer.util.selectModule("TotalSegmentator")
        else:
            self.panel.tell(_("Install the extension TotalSegmentator in the Extensions Manager, then restart."), True)

    def onOpenPlan(self, *_unused):
        """A plan file on these inputs; on another image than its own only when confirmed."""
        path = qt.QFileDialog.getOpenFileName(
            self.panel.widget, _("Open a plan"), "", _("Plan") + " (*.json);;" + _("All files") + " (*)"
        )
        if path:
            self.panel.attempt(lambda: self._openPlan(path))

    def onContinue(self, *_unused):
        """Edit the plan that the scene holds."""
        self.panel.continueScene()

    def onRecover(self, *_unused):
        """Edit the unsaved work again."""
        unsaved, self.unsaved = self.unsaved, None
        if unsaved is not None:
            self.panel.attempt(lambda: self._recover(unsaved))

    def askAboutUnsaved(self):
        """Before planning anew: whether unsaved work is to be dropped. False: do not plan."""
        if self.unsaved is None:
            return True
        text = _("There is unsaved work on this case ({steps} edits). Plan anew and discard it?")
        if not slicer.util.confirmYesNoDisplay(text.format(steps=self.unsaved.steps)):
            return False
        discard(self.unsaved)
        self.unsaved = None
        return True

    def _findUnsaved(self):
        node = self.ui.labelSelector.currentNode()
        if node is None or not logic.journalFolder().is_dir():
            return None
        try:
            return recoverable(logic.journalFolder(), labels_from_node(slicer.mrmlScene, node))
        except SpineScrewError:
            return None  # what is wrong with the labels is said when they are planned on

    def _openPlan(self, path):
        inputs = self.panel.readInputs()
        try:
            plan = logic.readPlanFor(inputs, path)
        except OtherImageError as error:
            text = _("{problem}\n\nOpen it on this image nevertheless?").format(problem=error)
            if not slicer.util.confirmYesNoDisplay(text, windowTitle=_("Another image")):
                return
            plan = logic.readPlanFor(inputs, path, confirmed=True)
        self.panel.measureFor(inputs, plan, None)

    def _recover(self, unsaved):
        self.panel.measureFor(self.panel.readInputs(), unsaved.plan, unsaved.automatic, unsaved=unsaved)
