"""Export: the plan file alone, or every file of the case."""

import qt
import slicer
from slicer.i18n import tr as _

from SpinePlannerLib import logic
from spinescrew.progress import Progress


class ExportSection:
    """Two buttons; what they write is the library's."""

    def __init__(self, panel):
        self.panel, self.ui = panel, panel.ui
        self.ui.savePlanButton.connect("clicked(bool)", self.onSavePlan)
        self.ui.exportButton.connect("clicked(bool)", self.onExport)

    def refresh(self):
        """Only a case can be exported, and only with current grades."""
        case = self.panel.case
        ready = case is not None and not self.panel.busy and not case.session.stale
        self.ui.savePlanButton.enabled = self.ui.exportButton.enabled = ready
        stale = case is not None and case.session.stale
        self.ui.exportButton.toolTip = (
            _("Grades are being made anew; export then") if stale else _("plan.json, table, STL, report and scene")
        )

    def onSavePlan(self, *_unused):
        """The plan as one file."""
        path = qt.QFileDialog.getSaveFileName(self.panel.widget, _("Save the plan"), "plan.json", "*.json")
        if path:
            self.panel.attempt(lambda: self._save(path))

    def onExport(self, *_unused):
        """Every file, into a new folder inside the one that is chosen."""
        folder = qt.QFileDialog.getExistingDirectory(self.panel.widget, _("Export into"))
        if folder:
            self.panel.attempt(lambda: self._export(folder))

    def _save(self, path):
        written = logic.savePlan(self.panel.case, path)
        self.panel.tell(_("Saved: {path}").format(path=written))

    def _export(self, folder):
        with slicer.util.WaitCursor():
            files = logic.exportCase(
                self.panel.case, folder, self.ui.titleEdit.text.strip(), Progress(self.panel.showProgress)
            )
        self.panel.showProgress(0.0, "")
        text = _("{count} files were written to {folder}").format(count=len(files), folder=files[0].parent)
        self.panel.tell(text)
