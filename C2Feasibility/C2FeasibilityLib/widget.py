"""The panel: a CT, the answer for both sides, what is looked at, and the screw. Qt only."""

from typing import ClassVar

import qt
import slicer
from slicer.i18n import tr as _

# Both modules are installed into one folder: frames, timers and watching of jobs are written once.
from SpinePlannerLib.host import QtHost
from SpinePlannerLib.job_panel import JobPanel

from C2FeasibilityLib import logic, sample_data
from C2FeasibilityLib.answer_section import AnswerSection
from C2FeasibilityLib.look_section import ATTENTION_KEY, LookSection
from C2FeasibilityLib.screw_section import ScrewSection
from spinescrew.progress import Progress
from spinescrew.scene.identity import identity_text


class C2FeasibilityPanel(JobPanel):
    """The module's window.

    Attributes
    ----------
    found:
        :class:`spinescrew.feasibility.assessment.C2Assessment`, or None while nothing was judged.
    shown, case:
        :class:`spinescrew.scene.c2_scene.C2Scene` and the screws under edit, or None.
    """

    SHORTCUTS: ClassVar = {
        ATTENTION_KEY: "attentionCheck",
        "Ctrl+Z": "undoButton",
        "Ctrl+Shift+Z": "redoButton",
        "Ctrl+Y": "redoButton",
    }

    def __init__(self, uiFile):
        JobPanel.__init__(self, uiFile)
        self.found = self.shown = self.case = None
        self.answer, self.look, self.screw = AnswerSection(self), LookSection(self), ScrewSection(self)
        self.widget.setMRMLScene(slicer.mrmlScene)
        ui = self.ui
        ui.runButton.connect("clicked(bool)", self.onRun)
        ui.cancelButton.connect("clicked(bool)", self.onCancel)
        ui.exampleButton.connect("clicked(bool)", self.onExample)
        ui.exportButton.connect("clicked(bool)", self.onExport)
        ui.volumeSelector.connect("currentNodeChanged(vtkMRMLNode*)", self.refreshInputs)
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
        """Of the answer that is shown; its nodes stay in the scene unless they are to be removed."""
        case, shown = self.case, self.shown
        self.found = self.shown = self.case = self.look.side = None
        if case is not None:
            case.close(removeNodes)
        if shown is not None and removeNodes:
            shown.remove()
        self.refresh()

    def refresh(self):
        """Everything."""
        self.refreshInputs()
        self.answer.refresh()
        self.look.refresh()
        self.screw.refresh()

    def refreshInputs(self, *_unused):
        """What can be judged."""
        ui = self.ui
        volume = ui.volumeSelector.currentNode()
        ui.identityLabel.text = identity_text(volume) or _("No case is open")
        ui.runButton.enabled = volume is not None and not self.busy
        ui.runButton.toolTip = _("Judge both pedicles of C2") if volume is not None else _("Choose a neck CT first")
        ui.cancelButton.enabled = self.busy
        ui.volumeSelector.enabled = ui.exampleButton.enabled = not self.busy
        ui.exportButton.enabled = self.found is not None and not self.busy

    def onExample(self, *_unused):
        """Make the simulated neck and choose it."""
        with slicer.util.WaitCursor():
            self.ui.volumeSelector.setCurrentNode(sample_data.load())
        self.tell(_("A simulated neck was loaded. Press Judge."))

    def onRun(self, *_unused):
        """Judge in the background; edited screws are replaced only when confirmed."""
        question = _("Judge anew? The present screws and their edits are replaced.")
        edited = self.case is not None and self.case.session.history.can_undo
        if not edited or slicer.util.confirmYesNoDisplay(question):
            self.attempt(self._run)

    def onExport(self, *_unused):
        """Report and volumes, into a new folder inside the one that is chosen."""
        folder = qt.QFileDialog.getExistingDirectory(self.widget, _("Export into"))
        if folder:
            self.attempt(lambda: self._export(folder))

    def open(self, found, volumeNode):
        """Show an answer in place of the one that is."""
        self.letGo(removeNodes=True)
        self.found = found
        self.shown, self.case = logic.show(found, volumeNode, QtHost())
        self.case.shown.on_change.append(self.screw.refresh)
        self.case.shown.on_problem.append(lambda text: self.tell(text, True))
        self.look.onChoices()
        self.tell(_("Both pedicles were judged: look at the slices, with attention and without."))
        self.refresh()

    def _run(self):
        volumeNode = self.ui.volumeSelector.currentNode()
        self.start(logic.startAssessing(volumeNode), lambda found: self.open(found, volumeNode))

    def _export(self, folder):
        session = self.case.session
        with slicer.util.WaitCursor():
            files = logic.export(self.found, session.plan, session.spine, folder, Progress(self.showProgress))
        self.showProgress(0.0, "")
        self.tell(_("{count} files were written to {folder}").format(count=len(files), folder=files[0].parent))
