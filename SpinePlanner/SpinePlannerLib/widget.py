"""The panel: sections over one open case. Qt only; everything it does is a function of the library."""

from typing import ClassVar

import slicer
from slicer.i18n import tr as _

from SpinePlannerLib import logic
from SpinePlannerLib.adjust_section import AdjustSection
from SpinePlannerLib.case_section import CaseSection
from SpinePlannerLib.export_section import ExportSection
from SpinePlannerLib.host import QtHost
from SpinePlannerLib.job_panel import JobPanel
from SpinePlannerLib.levels_section import LevelsSection
from SpinePlannerLib.review_section import ReviewSection
from SpinePlannerLib.sample_data import SPACING_MM
from spinescrew.exchange.journal import discard
from spinescrew.scene.aligned_slices import AlignedSlices
from spinescrew.scene.open_case import kept_plan
from spinescrew.scene.store import PlanStore

SLICE_NODES = ("vtkMRMLSliceNodeRed", "vtkMRMLSliceNodeYellow", "vtkMRMLSliceNodeGreen")


class SpinePlannerPanel(JobPanel):
    """The module's window.

    Attributes
    ----------
    case:
        :class:`spinescrew.scene.open_case.OpenCase`, or None while nothing is planned.
    """

    SHORTCUTS: ClassVar = {"Ctrl+Z": "undoButton", "Ctrl+Shift+Z": "redoButton", "Ctrl+Y": "redoButton"}
    exampleSpacing = SPACING_MM

    def __init__(self, uiFile):
        JobPanel.__init__(self, uiFile)
        self.case = None
        self._entered = False
        self.caseSection, self.levels = CaseSection(self), LevelsSection(self)
        self.adjust, self.review, self.export = AdjustSection(self), ReviewSection(self), ExportSection(self)
        self.widget.setMRMLScene(slicer.mrmlScene)
        self.ui.planButton.connect("clicked(bool)", self.onPlan)
        self.ui.cancelButton.connect("clicked(bool)", self.onCancel)
        for box in (self.ui.alignCheck, self.ui.holdImageCheck, self.ui.automaticCheck, self.ui.snapCheck):
            box.connect("toggled(bool)", self.onViewOptions)
        self.refresh()

    def enter(self):
        """The module is shown: shortcuts, the views along the screw, and the plan that the scene holds."""
        self._entered = True
        JobPanel.enter(self)
        self.onViewOptions()
        if self.case is None and not self.busy and PlanStore.find(slicer.mrmlScene) is not None:
            self.continueScene()

    def exit(self):
        """Another module is shown: the views are given back; the case stays open, so that corrections are graded."""
        self._entered = False
        JobPanel.exit(self)
        self.adjust.stopAdding()
        if self.case is not None:
            self.case.shown.watch_slices(None)

    def cleanup(self):
        """Slicer ends or reloads: jobs and observers end, unsaved work is kept for the next time."""
        self.exit()
        self.onCancel()
        self.closeCase(keepJournal=True)
        self.bind(None)
        self.widget.setMRMLScene(None)

    def sceneClosing(self):
        """The scene is emptied under the panel."""
        self.onCancel()
        self.closeCase(keepJournal=True)
        self.bind(None)
        self.levels.clear()

    def closeCase(self, keepJournal=False):
        """Let go of the plan under edit."""
        self.adjust.stopAdding()
        case, self.case = self.case, None
        if case is not None:
            case.close(keep_journal=keepJournal)
        self.refresh()

    def refresh(self):
        """Everything."""
        self.refreshInputs()
        self.refreshPlan()

    def refreshInputs(self):
        """What can be planned."""
        ui = self.ui
        ready = ui.labelSelector.currentNode() is not None
        ui.planButton.enabled = ready and not self.busy
        ui.planButton.toolTip = (
            _("Plan a screw on both sides of every level") if ready else _("Choose named vertebrae first")
        )
        ui.cancelButton.enabled = self.busy
        for selector in (ui.volumeSelector, ui.labelSelector):
            selector.enabled = not self.busy
        self.caseSection.refresh()
        self.levels.refresh()

    def refreshPlan(self, *_unused):
        """The plan under edit."""
        self.adjust.refresh()
        self.review.refresh()
        self.export.refresh()

    def readInputs(self):
        """The nodes that are chosen, read; a label volume becomes a segmentation, which is chosen then."""
        ui = self.ui
        inputs = logic.Inputs(slicer.mrmlScene, ui.volumeSelector.currentNode(), ui.labelSelector.currentNode())
        if inputs.segmentationNode is not ui.labelSelector.currentNode():
            ui.labelSelector.setCurrentNode(inputs.segmentationNode)
        return inputs

    def onPlan(self, *_unused):
        """Plan in the background; a plan under edit is replaced only when confirmed."""
        if not self.caseSection.askAboutUnsaved():
            return
        edited = self.case is not None and self.case.session.history.can_undo
        question = _("Plan anew? The present plan and its edits are replaced.")
        if edited and not slicer.util.confirmYesNoDisplay(question):
            return
        self.attempt(self._plan)

    def onViewOptions(self, *_unused):
        """Slices along the screw, which of both moves, the automatic plan, the catalogue."""
        case, ui = self.case, self.ui
        if case is None:
            return
        case.session.snap = ui.snapCheck.checked
        case.shown.show_ghost(ui.automaticCheck.checked)
        nodes = [slicer.mrmlScene.GetNodeByID(name) for name in SLICE_NODES]
        wanted = ui.alignCheck.checked and self._entered and all(node is not None for node in nodes)
        if wanted != (case.shown.slices is not None):
            case.shown.watch_slices(AlignedSlices(nodes) if wanted else None)
        if case.shown.slices is not None:
            case.shown.slices.follow = "image" if ui.holdImageCheck.checked else "screw"

    def continueScene(self):
        """Edit the plan that the scene holds, once its vertebrae are measured."""
        self.attempt(self._continueScene)

    def measureFor(self, inputs, plan, automatic, unsaved=None):
        """Measure the vertebrae of ``plan`` in the background and open it."""
        job = logic.startMeasuring(inputs, plan)

        def opened(spine):
            self.open(inputs, plan, spine, automatic, unsaved is not None)
            if unsaved is not None:
                discard(unsaved)

        self.start(job, opened)

    def segment(self, engine):
        """Find the vertebrae of the chosen CT in the background, and choose them."""
        volume = self.ui.volumeSelector.currentNode()

        def found(case):
            self.ui.labelSelector.setCurrentNode(logic.addVertebrae(slicer.mrmlScene, volume, case))
            self.tell("\n".join(case.notes), bool(case.found.check))

        self.start(logic.startSegmenting(volume, self.ui.levelsEdit.text, engine), found)

    def _plan(self):
        inputs = self.readInputs()
        job = logic.startPlanning(inputs, self.ui.levelsEdit.text, self.ui.trajectoryBox.currentText)
        self.start(job, lambda result: self.open(inputs, result.plan, result.spine, None))

    def _continueScene(self):
        kept = kept_plan(slicer.mrmlScene)
        if kept is None:
            return
        plan, automatic, volume, labels = kept
        self.ui.volumeSelector.setCurrentNode(volume)
        self.ui.labelSelector.setCurrentNode(labels)
        self.measureFor(self.readInputs(), plan, automatic)

    def open(self, inputs, plan, spine, automatic=None, unsaved=False):
        """Put a measured plan under edit, in place of the one that is."""
        self.closeCase()
        case = logic.openCase(slicer.mrmlScene, inputs, plan, spine, automatic, QtHost(), unsaved)
        self.case = case
        case.shown.on_change.append(self.refreshPlan)
        case.shown.on_problem.append(lambda text: self.tell(text, True))
        self.onViewOptions()
        planned = len(case.session.plan.planned)
        self.tell(_("{planned} of {all} screws stand.").format(planned=planned, all=len(case.session.plan.screws)))
        self.ui.adjustSection.collapsed = False
        self.refresh()
