"""The panel: two radiographs, the screws in them, what is looked at, corrections. Qt only."""

from typing import ClassVar

import qt
import slicer
from slicer.i18n import tr as _

# All modules are installed into one folder: frames, timers, keys and watching of jobs are written once.
from SpinePlannerLib.host import QtHost
from SpinePlannerLib.job_panel import JobPanel

from ScrewPoseLib import logic, sample_data
from ScrewPoseLib.correct_section import CorrectSection
from ScrewPoseLib.files_section import FilesSection
from ScrewPoseLib.look_section import LookSection
from ScrewPoseLib.outcome_section import OutcomeSection
from ScrewPoseLib.screws_section import ScrewsSection
from spinescrew.progress import Progress
from spinescrew.scene import image_layout
from spinescrew.scene.pose_planned import planned_in_views

FIT_S = 0.3
"""A new arrangement of views needs a moment to have its size."""


class ScrewPosePanel(JobPanel):
    """The module's window.

    Attributes
    ----------
    posed:
        :class:`spinescrew.viewer.opened.Posed` as it was solved, or None while nothing was.
    session, shown:
        The poses under correction and :class:`spinescrew.scene.pose_scene.PoseScene`, or None.
    outcome:
        The poses as they stand beside the plan, or None where there is none.
    """

    SHORTCUTS: ClassVar = {"Ctrl+Z": "undoButton", "Ctrl+Shift+Z": "redoButton", "Ctrl+Y": "redoButton"}

    def __init__(self, uiFile):
        JobPanel.__init__(self, uiFile)
        self.posed = self.session = self.shown = self.outcome = None
        self._layoutBefore = self._comparedResult = None
        self._host = QtHost()
        self.files, self.screws = FilesSection(self), ScrewsSection(self)
        self.look, self.correct = LookSection(self), CorrectSection(self)
        self.compared = OutcomeSection(self)
        self.widget.setMRMLScene(slicer.mrmlScene)
        ui = self.ui
        ui.runButton.connect("clicked(bool)", self.onRun)
        ui.cancelButton.connect("clicked(bool)", self.onCancel)
        ui.exampleButton.connect("clicked(bool)", self.onExample)
        ui.exportButton.connect("clicked(bool)", self.onExport)
        self.refresh()

    def cleanup(self):
        """Slicer ends or reloads."""
        self.exit()
        self.sceneClosing()
        self.widget.setMRMLScene(None)

    def sceneClosing(self):
        """The scene is emptied under the panel, or the panel goes: jobs and observers end."""
        self.onCancel()
        self.letGo()
        self.bind(None)

    def letGo(self, removeNodes=False):
        """Of the poses that are shown; their nodes stay in the scene unless they are to be removed."""
        shown, self._comparedResult = self.shown, None
        self.posed = self.session = self.shown = self.outcome = None
        self._host.stop()
        if shown is not None:
            shown.close(removeNodes)
            image_layout.give_back(slicer.mrmlScene, self._layoutBefore)
        self.refresh()

    def refresh(self):
        """Everything."""
        self.refreshInputs()
        self.refreshPoses()
        self.look.refresh()

    def refreshInputs(self, *_unused):
        """What can be solved."""
        ui, ready = self.ui, self.files.complete
        ui.runButton.enabled = ready and not self.busy
        ui.runButton.toolTip = (
            _("Find the screws and where each stands")
            if ready
            else _("Choose two radiographs and their geometry first")
        )
        ui.cancelButton.enabled = self.busy
        ui.exampleButton.enabled = not self.busy
        ui.exportButton.enabled = self.posed is not None and not self.busy
        self.files.refresh()

    def refreshPoses(self, *_unused):
        """The screws as the session has them."""
        self._compare()
        self.screws.refresh()
        self.compared.refresh()
        self.correct.refresh()

    def onExample(self, *_unused):
        """Make the simulated pair and choose it."""
        made = sample_data.ready()
        if made is not None:
            self._choose(made)
        else:
            self.attempt(lambda: self.start(logic.startExample(sample_data.folder()), self._choose))

    def onRun(self, *_unused):
        """Solve in the background; corrected poses are replaced only when confirmed."""
        question = _("Solve anew? The present screws and their corrections are replaced.")
        corrected = self.session is not None and self.session.history.can_undo
        if not corrected or slicer.util.confirmYesNoDisplay(question):
            self.attempt(self._run)

    def onExport(self, *_unused):
        """Report, table and surfaces, into a new folder inside the one that is chosen."""
        folder = qt.QFileDialog.getExistingDirectory(self.widget, _("Export into"))
        if folder:
            self.attempt(lambda: self._export(folder))

    def open(self, posed):
        """Show poses in place of those that are."""
        self.letGo(removeNodes=True)
        scene = slicer.mrmlScene
        self.posed = posed
        self._layoutBefore = image_layout.arrange(scene)
        self.session, self.shown = logic.show(scene, posed, self._host)
        self.session.on_change.append(self.refreshPoses)
        self.shown.correct_by = self.solve
        self.look.onChoices()
        self._host.later("fit", FIT_S, self._fit)
        self.look.lookAt(everything=False)
        self.tell(_("Check each outline against both images; drag the ends of an axis where one is off."))
        self.refresh()

    def solve(self, correction):
        """Solve a correction, which takes a second; what cannot be solved is told, and everything stays."""
        if correction is None:
            return
        with slicer.util.WaitCursor():
            self.attempt(lambda: self.session.apply(correction, correction.solve()))
        self.shown.refresh()
        self.refreshPoses()

    def _fit(self):
        if self.shown is not None and not self.shown.closed:
            self.shown.look_at_images()

    def _run(self):
        target = self.files.target
        planned = logic.planOf(slicer.mrmlScene) if self.ui.compareCheck.checked else None
        self.start(logic.startSolving(target, planned), self.open)

    def _compare(self):
        """Anew where the poses were corrected; selecting a screw changes nothing."""
        result = self.session.result if self.session is not None else None
        if self.posed is None or self.posed.planned is None or result is self._comparedResult:
            return
        self._comparedResult = result
        self.outcome = self.posed.planned.compare(result)
        self.shown.show_planned(planned_in_views(self.outcome))

    def _choose(self, target):
        self.files.choose(target.images, target.geometry)
        self.tell(_("Two simulated radiographs were chosen. Press Run."))

    def _export(self, folder):
        with slicer.util.WaitCursor():
            files = logic.export(self.posed, self.session, folder, Progress(self.showProgress))
        self.showProgress(0.0, "")
        self.tell(_("{count} files were written to {folder}").format(count=len(files), folder=files[0].parent))
