"""The panel: radiographs, the answer, what is looked at, the report. Qt only."""

from dataclasses import replace

import qt
import slicer
from slicer.i18n import tr as _

# All modules are installed into one folder: frames, timers, keys and watching of jobs are written once.
from SpinePlannerLib.host import QtHost
from SpinePlannerLib.job_panel import JobPanel

from ScrewBrandIDLib import logic, sample_data
from ScrewBrandIDLib.answer_section import AnswerSection
from ScrewBrandIDLib.files_section import FilesSection
from ScrewBrandIDLib.look_section import LookSection
from spinescrew.progress import Progress
from spinescrew.scene import image_layout

FIT_S = 0.3
"""A new arrangement of views needs a moment to have its size."""


class ScrewBrandIDPanel(JobPanel):
    """The module's window.

    Attributes
    ----------
    found:
        :class:`spinescrew.viewer.opened.Identified`, or None while nothing was asked.
    shown:
        :class:`spinescrew.scene.brand_scene.BrandScene`, or None.
    """

    def __init__(self, uiFile):
        JobPanel.__init__(self, uiFile)
        self.found = self.shown = self._layoutBefore = None
        self._host = QtHost()
        self.files, self.answer, self.look = FilesSection(self), AnswerSection(self), LookSection(self)
        self.widget.setMRMLScene(slicer.mrmlScene)
        ui = self.ui
        ui.runButton.connect("clicked(bool)", self.onRun)
        ui.cancelButton.connect("clicked(bool)", self.onCancel)
        ui.exampleButton.connect("clicked(bool)", self.onExample)
        ui.exportButton.connect("clicked(bool)", self.onExport)
        self.refresh()

    def enter(self):
        """The module is shown; models may have been trained meanwhile."""
        JobPanel.enter(self)
        self.answer.lookForModels()
        self.answer.refresh()

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
        """Of the answer that is shown; its nodes stay in the scene unless they are to be removed."""
        shown = self.shown
        self.found = self.shown = None
        self._host.stop()
        if shown is not None:
            shown.close(removeNodes)
            image_layout.give_back(slicer.mrmlScene, self._layoutBefore)
        self.refresh()

    def refresh(self):
        """Everything."""
        self.refreshInputs()
        self.answer.refresh()
        self.look.refresh()

    def refreshInputs(self, *_unused):
        """What can be asked."""
        ui, ready = self.ui, bool(self.files.images)
        ui.runButton.enabled = ready and not self.busy
        ui.runButton.toolTip = (
            _("Say which system the screws belong to") if ready else _("Choose one or two radiographs first")
        )
        ui.cancelButton.enabled = self.busy
        ui.exampleButton.enabled = not self.busy
        ui.exportButton.enabled = self.found is not None and not self.busy
        self.files.refresh()

    def onExample(self, *_unused):
        """Make the simulated films and choose them."""
        made = sample_data.ready()
        if made is not None:
            self._choose(made)
        else:
            self.attempt(lambda: self.start(logic.startExample(sample_data.folder()), self._choose))

    def onRun(self, *_unused):
        """Ask in the background."""
        self.attempt(lambda: self.start(logic.startIdentifying(self.files.images), self.open))

    def onExport(self, *_unused):
        """Report and answer, into a new folder inside the one that is chosen."""
        folder = qt.QFileDialog.getExistingDirectory(self.widget, _("Export into"))
        if folder:
            self.attempt(lambda: self._export(folder))

    def open(self, found):
        """Show an answer in place of the one that is."""
        self.letGo(removeNodes=True)
        scene = slicer.mrmlScene
        self.found = found
        self._layoutBefore = image_layout.arrange_films(scene, len(found.result.views))
        self.shown = logic.show(scene, found.result)
        self._host.later("fit", FIT_S, self._fit)
        self.tell(_("Compare each crop with the picture of the system before an answer is believed."))
        self.refresh()

    def unlock(self, on):
        """Names of the user's own folder shown, or withheld again."""
        self.found = replace(self.found, result=replace(self.found.result, unlocked=on))
        self.refresh()

    def confirm(self, question):
        """Whether the user says yes."""
        return slicer.util.confirmYesNoDisplay(question)

    def _fit(self):
        if self.shown is not None and not self.shown.closed:
            self.shown.look_at_images()

    def _choose(self, target):
        self.files.choose(target.images)
        self.tell(_("Two simulated films were chosen. Press Run."))

    def _export(self, folder):
        with slicer.util.WaitCursor():
            files = logic.export(self.found.result, folder, Progress(self.showProgress))
        self.showProgress(0.0, "")
        self.tell(_("{count} files were written to {folder}").format(count=len(files), folder=files[0].parent))
