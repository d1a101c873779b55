"""Review: every row of the plan with its grade; a row that is clicked is the screw in hand."""

import qt
from slicer.i18n import tr as _

from spinescrew.reports.palette import grade_colour, ink_on
from spinescrew.scene.wording import COLUMNS, table_cells

GRADE_COLUMN = COLUMNS.index("GR")
STATE_COLUMN = COLUMNS.index("State")


class ReviewSection:
    """The table of the plan."""

    def __init__(self, panel):
        self.panel, self.ui = panel, panel.ui
        self._cells = {}
        self._keys = []
        table = self.ui.screwTable
        table.setColumnCount(len(COLUMNS))
        table.setHorizontalHeaderLabels(list(COLUMNS))
        table.setSelectionBehavior(qt.QAbstractItemView.SelectRows)
        table.setSelectionMode(qt.QAbstractItemView.SingleSelection)
        table.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(22)
        table.connect("cellClicked(int,int)", self.onRow)

    def refresh(self):
        """Rows that differ from what is shown are written anew."""
        case, table = self.panel.case, self.ui.screwTable
        rows = case.session.plan.screws if case is not None else ()
        keys = [row.key for row in rows]
        anew = keys != self._keys
        if anew:
            self._keys, self._cells = keys, {}
            table.setRowCount(len(keys))
        for number, row in enumerate(rows):
            cells = table_cells(row, case.session.automatic, row.level in case.session.stale)
            if cells != self._cells.get(row.key):
                self._cells[row.key] = cells
                self._write(number, row, cells)
        if anew:
            table.resizeColumnsToContents()
        here = case.session.selected if case is not None else None
        if here in keys and table.currentRow() != keys.index(here):
            table.selectRow(keys.index(here))
            table.scrollToItem(table.item(keys.index(here), 0), qt.QAbstractItemView.PositionAtCenter)
        self.ui.reviewLabel.text = self._summary(rows)

    def onRow(self, number, _column=0):
        """The row's screw in hand."""
        if 0 <= number < len(self._keys):
            self.panel.attempt(lambda: self.panel.case.session.select(self._keys[number]))

    def _write(self, number, row, cells):
        for column, text in enumerate(cells):
            item = qt.QTableWidgetItem(text)
            if column == GRADE_COLUMN and text:
                colour = grade_colour(text if len(text) == 1 else None)
                item.setBackground(qt.QBrush(qt.QColor(colour)))
                item.setForeground(qt.QBrush(qt.QColor(ink_on(colour))))
            if column == STATE_COLUMN and row.notes:
                item.setToolTip("\n".join(row.notes))
            self.ui.screwTable.setItem(number, column, item)

    def _summary(self, rows):
        planned = [row for row in rows if row.screw is not None]
        if not rows:
            return ""
        text = _("{planned} of {all} screws planned, {reviewed} reviewed.").format(
            planned=len(planned), all=len(rows), reviewed=sum(row.reviewed for row in planned)
        )
        reasons = [f"{row.level.name} {row.side}: {row.reason}" for row in rows if row.screw is None]
        return "\n".join([text, *reasons])
