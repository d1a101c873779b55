"""The panel: choose a CT and named vertebrae, press Plan, read the table. Qt only; the logic does the work."""

import qt
import slicer
from slicer.i18n import tr as _

from spinescrew.errors import SpineScrewError
from spinescrew.progress import Progress

COLUMNS = (_("Level"), _("Side"), _("Screw"), _("PTA"), _("PSA"), _("GR"), _("Facet"))


class SpinePlannerPanel:
    """The module's window over a logic that has ``planVolume``."""

    def __init__(self, logic, uiFile):
        self.logic = logic
        self.widget = slicer.util.loadUI(uiFile)
        self.ui = slicer.util.childWidgetVariables(self.widget)
        self.widget.setMRMLScene(slicer.mrmlScene)
        self.ui.planButton.connect("clicked(bool)", self.onPlan)
        self.ui.labelSelector.connect("currentNodeChanged(vtkMRMLNode*)", self.onSelectionChanged)
        self.ui.screwTable.setColumnCount(len(COLUMNS))
        self.ui.screwTable.setHorizontalHeaderLabels(list(COLUMNS))
        self.onSelectionChanged()

    def onSelectionChanged(self, *_unused):
        """The button is enabled once there are named vertebrae to plan on."""
        ready = self.ui.labelSelector.currentNode() is not None
        self.ui.planButton.enabled = ready
        self.ui.planButton.toolTip = (
            _("Plan a screw on both sides of every level") if ready else _("Choose named vertebrae first")
        )

    def onPlan(self, *_unused):
        """Plan, and show the table or the one line that says what is wrong."""
        self.ui.planButton.enabled = False
        try:
            plan = self.logic.planVolume(
                self.ui.volumeSelector.currentNode(),
                self.ui.labelSelector.currentNode(),
                self.ui.levelsEdit.text.strip() or None,
                self.ui.trajectoryBox.currentText,
                progress=Progress(self.onProgress),
            )
        except SpineScrewError as error:
            self.ui.statusLabel.text = str(error)
        else:
            self.show(plan)
        finally:
            self.onSelectionChanged()

    def onProgress(self, fraction, text):
        """Step and share of the work."""
        self.ui.progressBar.value = round(100 * fraction)
        self.ui.statusLabel.text = text
        slicer.app.processEvents()

    def show(self, plan):
        """The screws as a table, what was not planned with its reason below it."""
        table = self.ui.screwTable
        table.setRowCount(len(plan.screws))
        for number, row in enumerate(plan.screws):
            for column, text in enumerate(cells(row)):
                table.setItem(number, column, qt.QTableWidgetItem(text))
        reasons = [f"{row.level.label} {row.side}: {row.reason}" for row in plan.screws if row.screw is None]
        planned = _("{planned} of {all} screws planned").format(planned=len(plan.planned), all=len(plan.screws))
        self.ui.statusLabel.text = "\n".join([planned, *reasons])

    def cleanup(self):
        """Nothing is observed beyond the widgets' own signals, which end with them."""
        self.widget.setMRMLScene(None)


def cells(row):
    """Texts of one table row."""
    if row.screw is None or row.assessment is None:
        return [row.level.label, row.side, _("not planned"), "", "", "", ""]
    found, shape = row.assessment, row.screw.shape
    return [
        row.level.label,
        row.side,
        f"{shape.diameter_mm:g} x {shape.length_mm:g}",
        f"{found.pta_deg:.1f}",
        f"{found.psa_deg:.1f}",
        found.gertzbein_robbins,
        str(found.facet_grade),
    ]
