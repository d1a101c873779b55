"""Screws: what was found, what to doubt, and the table; selecting a row takes its screw in hand."""

import html

import qt
from slicer.i18n import tr as _

from spinescrew.radiographs.pose_words import ROLL, summary
from spinescrew.reports.palette import ink_on
from spinescrew.reports.pose_report import calibration_words
from spinescrew.reports.pose_tables import screw_lines
from spinescrew.scene.pose_wording import COLUMNS, MATCH, SCREW, cells, placed_names, remarks


class ScrewsSection:
    """Shows the session; holds nothing itself."""

    def __init__(self, panel):
        self.panel, self.ui = panel, panel.ui
        self._showing = False
        table = self.ui.screwsTable
        table.setColumnCount(len(COLUMNS))
        table.setHorizontalHeaderLabels([_(column.title) for column in COLUMNS])
        for n, column in enumerate(COLUMNS):
            table.horizontalHeaderItem(n).setToolTip(_(column.meaning))
        table.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)
        table.setSelectionBehavior(qt.QAbstractItemView.SelectRows)
        table.setSelectionMode(qt.QAbstractItemView.SingleSelection)
        table.verticalHeader().hide()
        table.connect("itemSelectionChanged()", self.onSelected)

    def refresh(self, *_unused):
        """Everything of the session."""
        session = self.panel.session
        result = session.result if session is not None else None
        self.ui.summaryLabel.text = f"<b>{summary(result)}</b>. {ROLL}" if result is not None else ""
        self.ui.calibrationLabel.text = calibration_words(result) if result is not None else ""
        self.ui.warningsLabel.text = "\n".join(result.warnings) if result is not None else ""
        self.ui.warningsLabel.visible = bool(result is not None and result.warnings)
        outcome = self.panel.outcome
        names = placed_names(outcome.found) if outcome is not None else None
        lines = screw_lines(result, names) if result is not None else ()
        self.ui.handLabel.text = _inHand(lines, session)
        self._showing = True
        try:
            self._showTable(lines)
            self._showSelection(session)
        finally:
            self._showing = False

    def onSelected(self):
        """A row was clicked."""
        session, row = self.panel.session, self.ui.screwsTable.currentRow()
        if not self._showing and session is not None and 0 <= row < len(session.result.screws):
            session.select(session.result.screws[row].number)

    def _showTable(self, lines):
        table = self.ui.screwsTable
        table.setRowCount(len(lines))
        for row, line in enumerate(lines):
            for column, text in enumerate(cells(line)):
                table.setItem(row, column, item(text))
            paint(table.item(row, SCREW), line.colour)
            paint(table.item(row, MATCH), line.match.ground)
        table.resizeColumnsToContents()
        table.resizeRowsToContents()

    def _showSelection(self, session):
        table = self.ui.screwsTable
        numbers = [screw.number for screw in session.result.screws] if session is not None else []
        if session is not None and session.selected in numbers:
            table.selectRow(numbers.index(session.selected))
        else:
            table.clearSelection()


def _inHand(lines, session):
    """The screw in hand in full, below the table."""
    line = next((line for line in lines if line.number == session.selected), None)
    if line is None:
        return ""
    place = _("entry {entry}; tip {tip} mm; direction {direction}").format(
        entry=line.entry, tip=line.tip, direction=line.direction
    )
    spread = _("± {across} mm across, {along} mm along, {tilt}°").format(
        across=line.across, along=line.along, tilt=line.tilt
    )
    notes = html.escape("; ".join(remarks(line)))
    return f"<b>{_('Screw')} {line.number}</b>, {line.size}: {place}<br>{spread}; {notes}"


def item(text):
    """A cell of a table, whose text is seen whole when it is pointed at."""
    made = qt.QTableWidgetItem(text)
    made.setToolTip(text)
    return made


def paint(cell, colour):
    """A cell on a colour."""
    cell.setBackground(qt.QBrush(qt.QColor(colour)))
    cell.setForeground(qt.QBrush(qt.QColor(ink_on(colour))))
