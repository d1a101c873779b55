"""Levels: what each vertebra is called, corrected before anything is planned; and the way to the Segment Editor."""

import qt
import slicer
from slicer.i18n import tr as _

from spinescrew.anatomy.levels import parse_level
from spinescrew.anatomy.relabel import gaps, shifted, spatial_order
from spinescrew.scene.open_case import as_segmentation, rename_levels
from spinescrew.scene.volumes import labels_from_node, segments_by_level


class LevelsSection:
    """A table of names: as they are, as they shall be."""

    def __init__(self, panel):
        self.panel, self.ui = panel, panel.ui
        ui = self.ui
        ui.levelsTable.setColumnCount(2)
        ui.levelsTable.setHorizontalHeaderLabels([_("Called now"), _("Shall be")])
        ui.levelsTable.verticalHeader().hide()
        ui.levelsTable.verticalHeader().setDefaultSectionSize(22)
        ui.levelsTable.horizontalHeader().setStretchLastSection(True)
        ui.readLevelsButton.connect("clicked(bool)", self.onRead)
        ui.shiftUpButton.connect("clicked(bool)", lambda *_unused: self.onShift(-1))
        ui.shiftDownButton.connect("clicked(bool)", lambda *_unused: self.onShift(1))
        ui.applyLevelsButton.connect("clicked(bool)", self.onApply)
        ui.correctButton.connect("clicked(bool)", self.onCorrect)

    def refresh(self):
        """What can be done."""
        ready = self.ui.labelSelector.currentNode() is not None and not self.panel.busy
        listed = self.ui.levelsTable.rowCount > 0
        self.ui.readLevelsButton.enabled = self.ui.correctButton.enabled = ready
        for button in (self.ui.shiftUpButton, self.ui.shiftDownButton, self.ui.applyLevelsButton):
            button.enabled = ready and listed

    def clear(self):
        """Other vertebrae: what was read is void."""
        self.ui.levelsTable.setRowCount(0)
        self.ui.levelsMessage.text = ""

    def onRead(self, *_unused):
        """List the vertebrae from the head down."""
        self.panel.attempt(self._read)

    def onShift(self, step):
        """All names one vertebra further up or down."""
        self.panel.attempt(lambda: self._shift(step))

    def onApply(self, *_unused):
        """Rename, unless no spine could have these names."""
        self.panel.attempt(self._apply)

    def onCorrect(self, *_unused):
        """To the Segment Editor, with these vertebrae and this image; grades follow while it is corrected."""
        self.panel.attempt(self._correct)

    def names(self):
        """{level now: level it shall be}, as typed."""
        table = self.ui.levelsTable
        rows = range(table.rowCount)
        return {parse_level(table.item(n, 0).text()): parse_level(table.item(n, 1).text()) for n in rows}

    def _read(self):
        node = self._segmentation()
        order = spatial_order(labels_from_node(slicer.mrmlScene, node))
        self._fill({level: level for level in order})
        missing = gaps(order)
        text = _("Nothing is missing between {first} and {last}.").format(first=order[0].name, last=order[-1].name)
        if missing:
            pairs = ", ".join(f"{upper.name}-{lower.name}" for upper, lower in missing)
            text = _("A vertebra is missing between: {pairs}. Is one unnamed?").format(pairs=pairs)
        self.ui.levelsMessage.text = text

    def _shift(self, step):
        names = self.names()
        moved = shifted(names.values(), step)
        self._fill({level: moved[name] for level, name in names.items()})

    def _apply(self):
        node = self._segmentation()
        names = {level: name for level, name in self.names().items() if level in segments_by_level(node)}
        rename_levels(node, names)
        self._read()
        self.panel.tell(_("The levels were renamed."))

    def _correct(self):
        self._segmentation()
        slicer.util.selectModule("SegmentEditor")

    def _segmentation(self):
        """The segmentation node; one is made of a label volume and chosen instead of it."""
        given = self.ui.labelSelector.currentNode()
        node = as_segmentation(slicer.mrmlScene, given)
        if node is not given:
            self.ui.labelSelector.setCurrentNode(node)
        return node

    def _fill(self, names):
        table = self.ui.levelsTable
        table.setRowCount(len(names))
        for number, (level, name) in enumerate(names.items()):
            now = qt.QTableWidgetItem(level.name)
            now.setFlags(qt.Qt.ItemIsEnabled)
            table.setItem(number, 0, now)
            table.setItem(number, 1, qt.QTableWidgetItem(name.name))
        self.refresh()
