"""Answer: both sides' probability, the verdicts, what network and geometry say differently, and the measures."""

import html

import qt
from slicer.i18n import tr as _

from C2FeasibilityLib import gauge
from spinescrew.anatomy.frame import SIDES
from spinescrew.feasibility.assessment import SCREW_MM
from spinescrew.feasibility.judge import FEASIBLE
from spinescrew.feasibility.wording import percent, percent_range
from spinescrew.reports.c2_report import VERDICT_COLOURS
from spinescrew.reports.c2_tables import SOURCES, corridor_value, measure_rows
from spinescrew.reports.wording import number

COLUMNS = ("Measure", "Left", "Right")
_GOOD, _BAD = "#0072B2", "#B3471D"


class AnswerSection:
    """Shows an assessment; holds nothing itself."""

    def __init__(self, panel):
        self.panel, self.ui = panel, panel.ui
        table = self.ui.measuresTable
        table.setColumnCount(len(COLUMNS))
        table.setHorizontalHeaderLabels([_(name) for name in COLUMNS])
        table.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)
        table.setSelectionMode(qt.QAbstractItemView.NoSelection)
        table.verticalHeader().hide()
        table.verticalHeader().setSectionResizeMode(qt.QHeaderView.ResizeToContents)
        table.horizontalHeader().setSectionResizeMode(qt.QHeaderView.ResizeToContents)
        table.horizontalHeader().setSectionResizeMode(0, qt.QHeaderView.Stretch)

    def refresh(self):
        """Everything of the assessment that is shown."""
        found = self.panel.found
        for side in SIDES:
            own = found.sides[side] if found is not None else None
            gauge.paint(getattr(self.ui, f"{side}Gauge"), own, found.threshold if found is not None else FEASIBLE)
            getattr(self.ui, f"{side}Verdict").text = _verdict(side, own)
        self._showDisagreement(found)
        self._showTable(found)
        self.ui.waysOutLabel.text = _waysOut(found) if found is not None else ""
        self.ui.warningsLabel.text = "\n".join(found.warnings) if found is not None else ""

    def _showDisagreement(self, found):
        """Above the measures, and only where there is one."""
        texts = []
        for side, own in found.sides.items() if found is not None else ():
            if own.disagreement:
                texts.append(f"<b>{side.capitalize()}:</b> {html.escape(own.disagreement)}.")
        self.ui.disagreementLabel.text = "<br>".join(texts)
        self.ui.disagreementLabel.visible = bool(texts)

    def _showTable(self, found):
        table = self.ui.measuresTable
        rows = measure_rows(found) if found is not None else ()
        table.setRowCount(len(rows))
        for place, row in enumerate(rows):
            table.setItem(place, 0, _item(row.name, _meaning(row)))
            for column, side in enumerate(SIDES, start=1):
                table.setItem(place, column, _valueItem(row.values[side]))


def _verdict(side, own):
    if own is None:
        return f"<b>{side.capitalize()}</b>"
    chance, among = percent(own.probability), percent_range(own.low, own.high)
    interval = f" ({among} %)" if among != chance else ""
    share = _("{probability} that a {screw:g} mm screw stays inside").format(
        probability=f"{chance} %{interval}", screw=SCREW_MM
    )
    colour = VERDICT_COLOURS[own.verdict]
    return f"<b>{side.capitalize()}: <span style='color: {colour}'>{own.verdict}</span></b><br>{share}"


def _waysOut(found):
    """The corridors beside the pedicle, one line for each side that may need one."""
    lines = []
    for side, own in found.sides.items():
        if own.ways_out:
            texts = "; ".join(_wayOut(way) for way in own.ways_out)
            lines.append(f"<b>{_('Ways out')}, {side}:</b> {html.escape(texts)}")
    return "<br>".join(lines)


def _wayOut(way):
    longest, wall = corridor_value(way), number(way.margin_mm, unit="mm")
    length = " ".join([longest.text, *(tag.text for tag in longest.tags)])
    return f"{way.name} {way.diameter_mm:g} mm, longest {length}, wall {wall}"


def _meaning(row):
    """What the limits of a measure are, and who published them."""
    sources = [f"[{n}] {text}" for n, text in enumerate(SOURCES, start=1) if f"[{n}]" in row.meaning]
    return "\n".join([row.meaning or row.name, *sources])


def _item(text, tip=""):
    item = qt.QTableWidgetItem(text)
    item.setToolTip(tip or text)
    return item


def _valueItem(value):
    """The figure and how it lies to its cut-offs; a colour where one of them speaks against a screw."""
    item = _item("  ".join([value.text, *(tag.text for tag in value.tags)]).strip())
    if value.tags:
        good = all(tag.good for tag in value.tags)
        item.setForeground(qt.QBrush(qt.QColor(_GOOD if good else _BAD)))
    return item
