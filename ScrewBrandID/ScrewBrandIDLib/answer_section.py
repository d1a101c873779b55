"""Answer: the headline, doubts, every system with its probability and picture, and who agrees."""

import numpy as np
import qt
from slicer.i18n import tr as _

from ScrewBrandIDLib.pictures import pixmapOf
from spinescrew.brands.models import member_words
from spinescrew.brands.names import LOCKED, UNLOCKED
from spinescrew.reports.brand_lines import (
    answer_colour,
    answer_words,
    banner_words,
    headline,
    installed_words,
    other_words,
    system_lines,
    view_words,
)
from spinescrew.reports.palette import ink_on

ICON = (78, 32)
REFERENCE = (520, 210)


class AnswerSection:
    """Shows the answer; holds nothing itself."""

    def __init__(self, panel):
        self.panel, self.ui = panel, panel.ui
        self._showing = False
        self.lookForModels()
        table = self.ui.systemsTable
        table.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)
        table.setSelectionBehavior(qt.QAbstractItemView.SelectRows)
        table.setSelectionMode(qt.QAbstractItemView.SingleSelection)
        table.setIconSize(qt.QSize(*ICON))
        table.verticalHeader().hide()
        table.connect("itemSelectionChanged()", self.showReference)
        self.ui.unlockCheck.connect("toggled(bool)", self.onUnlock)

    def refresh(self):
        """Everything of the answer, or nothing."""
        found = self.panel.found
        self._showing = True
        try:
            self._showWords(found.result if found is not None else None)
            self._showTable(found)
        finally:
            self._showing = False
        self.showReference()

    def lookForModels(self):
        """What is installed, for the banner; reading the files takes a moment."""
        self._installed = installed_words()

    def showReference(self):
        """The picture of the system whose row is chosen, large."""
        found, ui = self.panel.found, self.ui
        row = ui.systemsTable.currentRow()
        lines = system_lines(found.result) if found is not None else ()
        if not 0 <= row < len(lines):
            ui.referenceLabel.clear()
            ui.referenceName.text = ""
            return
        picture = found.references.get(lines[row].number)
        if picture is None:
            ui.referenceLabel.text = _("no picture of this system")
        else:
            ui.referenceLabel.setPixmap(pixmapOf(_lying(picture), *REFERENCE))
        ui.referenceName.text = _("<b>{name}</b>, as it looks from the side and from above").format(
            name=lines[row].name
        )

    def onUnlock(self, on):
        """Names of the user's own folder are shown only to someone who knows what they are worth."""
        if self._showing or self.panel.found is None:
            return
        question = _(
            "These models learned from simulated images, too. A maker's name that they give is no finding on a real "
            "patient. Show the names of your folder all the same?"
        )
        if on and not self.panel.confirm(question):
            self.refresh()
            return
        self.panel.unlock(bool(on))

    def _showWords(self, result):
        ui = self.ui
        ui.provenanceLabel.text = banner_words(result) if result is not None else self._installed
        ui.answerLabel.text = headline(result) if result is not None else ""
        colour = answer_colour(result) if result is not None else ""
        style = f"background-color: {colour}; color: {ink_on(colour)}; padding: 6px" if colour else ""
        ui.answerLabel.setStyleSheet(f"{style}; font-size: 15px; font-weight: bold" if style else "")
        ui.agreementLabel.text = _agreement(result) if result is not None else ""
        ui.warningsLabel.text = "\n".join(result.warnings) if result is not None else ""
        ui.warningsLabel.visible = bool(result is not None and result.warnings)
        names = result.names_words if result is not None else ""
        ui.unlockCheck.visible = names in (LOCKED, UNLOCKED)
        ui.unlockCheck.checked = names == UNLOCKED

    def _showTable(self, found):
        table = self.ui.systemsTable
        if found is None:
            table.setRowCount(0)
            table.setColumnCount(0)
            return
        lines, other = system_lines(found.result), other_words(found.result)
        models = [member_words(member) for member in found.result.answers]
        titles = [_("System"), _("Probability"), *models]
        table.setColumnCount(len(titles))
        table.setHorizontalHeaderLabels(titles)
        for n, model in enumerate(models, start=2):
            table.horizontalHeaderItem(n).setToolTip(_("What the {model} model says alone").format(model=model))
        table.setRowCount(len(lines) + bool(other))
        for row, line in enumerate(lines):
            for column, text in enumerate((line.name, line.chance, *line.models)):
                table.setItem(row, column, _item(text))
            picture = found.references.get(line.number)
            if picture is not None:
                table.item(row, 0).setIcon(qt.QIcon(pixmapOf(_lying(picture), *ICON)))
        table.item(0, 1).setBackground(qt.QBrush(qt.QColor(lines[0].colour)))
        table.item(0, 1).setForeground(qt.QBrush(qt.QColor(ink_on(lines[0].colour))))
        if other:
            for column, text in enumerate((_("any other system"), other, *[""] * len(models))):
                table.setItem(len(lines), column, _item(text))
        table.resizeColumnsToContents()
        table.resizeRowsToContents()
        table.selectRow(0)


def _agreement(result):
    views = "; ".join(f"{name}: {text}" for name, text in view_words(result))
    return f"{answer_words(result)}\n{views}."


def _lying(picture):
    """Shafts point to the right: a row of a table is wide."""
    return np.rot90(picture) / np.float32(255.0)


def _item(text):
    """A cell of a table, whose text is seen whole when it is pointed at."""
    made = qt.QTableWidgetItem(text)
    made.setToolTip(text)
    return made
