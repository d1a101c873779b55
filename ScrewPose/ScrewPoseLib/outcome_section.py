"""Planned and placed: each screw beside the plan of the scene, as it was solved and as it is corrected."""

import qt
from slicer.i18n import tr as _

from ScrewPoseLib.screws_section import item, paint
from spinescrew.reports.outcome_table import placed_lines
from spinescrew.scene.pose_wording import GRADE, PLACED_COLUMNS, placed_cells


class OutcomeSection:
    """Shows the comparison; holds nothing itself."""

    def __init__(self, panel):
        self.panel, self.ui = panel, panel.ui
        table = self.ui.outcomeTable
        table.setColumnCount(len(PLACED_COLUMNS))
        table.setHorizontalHeaderLabels([_(column.title) for column in PLACED_COLUMNS])
        for n, column in enumerate(PLACED_COLUMNS):
            table.horizontalHeaderItem(n).setToolTip(_(column.meaning))
        table.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)
        table.setSelectionMode(qt.QAbstractItemView.NoSelection)
        table.verticalHeader().hide()

    def refresh(self, *_unused):
        """As the poses stand; nothing where they were not compared."""
        outcome = self.panel.outcome
        lines = placed_lines(outcome.found) if outcome is not None else ()
        self.ui.outcomeSection.visible = outcome is not None
        self.ui.outcomeLabel.text = "\n".join((outcome.words, *outcome.found.warnings)) if outcome is not None else ""
        table = self.ui.outcomeTable
        table.setRowCount(len(lines))
        for row, line in enumerate(lines):
            for column, text in enumerate(placed_cells(line)):
                table.setItem(row, column, item(text))
            paint(table.item(row, GRADE), line.placed.ground)
        table.resizeColumnsToContents()
        table.resizeRowsToContents()
