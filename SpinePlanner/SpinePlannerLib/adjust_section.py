"""Adjust: the figures of the screw in hand, typed or slid; what else can be done to it; undo and redo."""

from slicer.i18n import tr as _

from spinescrew.planning import actions
from spinescrew.reports.palette import grade_colour, ink_on
from spinescrew.scene.add_screw import TwoClicks
from spinescrew.scene.wording import difference, long_label

SLIDERS = {
    "ptaSlider": "pta_deg",
    "psaSlider": "psa_deg",
    "diameterSlider": "diameter_mm",
    "lengthSlider": "length_mm",
    "depthSlider": "seating_mm",
    "lateralSlider": "lateral_mm",
    "cranialSlider": "cranial_mm",
}


class AdjustSection:
    """Shows the screw in hand and asks the session for edits; holds nothing itself."""

    def __init__(self, panel):
        self.panel, self.ui = panel, panel.ui
        self.clicks = None
        self._showing = False
        ui = self.ui
        for name, figure in SLIDERS.items():
            slider = getattr(ui, name)
            low, high, step = actions.RANGES[figure]
            slider.minimum, slider.maximum, slider.singleStep = low, high, step
            slider.connect("valueChanged(double)", lambda value, figure=figure: self.onFigure(figure, value))
        ui.screwBox.connect("activated(int)", self.onScrew)
        for button, work in (
            (ui.previousButton, lambda session: session.select_next(-1)),
            (ui.nextButton, lambda session: session.select_next(1)),
            (ui.mirrorButton, actions.mirror),
            (ui.copyButton, actions.copy_to_next),
            (ui.deleteButton, actions.delete),
            (ui.restoreButton, actions.restore),
            (ui.undoButton, lambda session: session.undo()),
            (ui.redoButton, lambda session: session.redo()),
        ):
            button.connect("clicked(bool)", lambda *_unused, work=work: self.do(work))
        ui.addButton.connect("clicked(bool)", self.onAdd)
        ui.lockCheck.connect("clicked(bool)", self.onLock)
        ui.reviewedCheck.connect("clicked(bool)", self.onReviewed)

    def refresh(self):
        """Everything of the screw in hand, as the session has it."""
        self._showing = True
        try:
            self._show()
        finally:
            self._showing = False

    def do(self, work):
        """``work(session)``, or the one line that says why not; the panel shows what came of it."""
        case = self.panel.case
        if case is not None:
            self.panel.attempt(lambda: work(case.session))
            self.refresh()

    def onFigure(self, figure, value):
        """A slider moved or a number was typed."""
        if not self._showing:
            pivot = self.ui.pivotBox.currentText
            self.do(lambda session: actions.set_figure(session, figure, value, pivot))

    def onScrew(self, number):
        """Another screw from the list."""
        keys = self._keys()
        if 0 <= number < len(keys):
            self.do(lambda session: session.select(keys[number]))

    def onAdd(self, *_unused):
        """Wait for two clicks; a second press ends the waiting."""
        if self.clicks is not None:
            self.stopAdding()
        elif self.panel.case is not None:
            case = self.panel.case
            self.clicks = TwoClicks(case.shown.scene, case.session, self.onAdded)
            self.panel.tell(_("Click the entry, then the tip, in any view; press Add again to stop."))
        self.refresh()

    def onAdded(self, key, problem):
        """The two clicks were made."""
        self.clicks = None
        self.panel.tell(problem or _("{level} {side} was added.").format(level=key[0].name, side=key[1]), bool(problem))
        self.panel.refresh()

    def stopAdding(self):
        """No screw after all."""
        clicks, self.clicks = self.clicks, None
        if clicks is not None:
            clicks.cancel()

    def onLock(self, *_unused):
        """As the box says."""
        self.do(lambda session: actions.set_locked(session, self.ui.lockCheck.checked))

    def onReviewed(self, *_unused):
        """As the box says."""
        self.do(lambda session: actions.set_reviewed(session, self.ui.reviewedCheck.checked))

    def _keys(self):
        case = self.panel.case
        return [row.key for row in case.session.plan.screws] if case is not None else []

    def _show(self):
        ui, case = self.ui, self.panel.case
        session = case.session if case is not None else None
        row = actions.in_hand(session) if session is not None else None
        found = actions.read(session) if row is not None else None
        self._showList(session)
        for name, figure in SLIDERS.items():
            slider = getattr(ui, name)
            value = getattr(found, figure) if found is not None else None
            slider.enabled = value is not None and not row.locked
            if value is not None and abs(slider.value - value) > 0.5 * 10.0**-slider.decimals:
                slider.value = value
        for button in (ui.mirrorButton, ui.copyButton, ui.deleteButton, ui.lockCheck, ui.reviewedCheck):
            button.enabled = row is not None
        for button in (ui.addButton, ui.previousButton, ui.nextButton):
            button.enabled = session is not None
        ui.restoreButton.enabled = session is not None and session.selected is not None
        ui.addButton.checked = self.clicks is not None
        ui.lockCheck.checked = row is not None and row.locked
        ui.reviewedCheck.checked = row is not None and row.reviewed
        self._showHistory(session)
        self._showGrade(session, row)

    def _showList(self, session):
        box, texts, here = self.ui.screwBox, [], -1
        for number, row in enumerate(session.plan.screws if session is not None else ()):
            texts.append(f"{row.level.name} {row.side}" + ("" if row.screw is not None else " " + _("(none)")))
            here = number if row.key == session.selected else here
        if [box.itemText(n) for n in range(box.count)] != texts:
            box.clear()
            box.addItems(texts)
        box.setCurrentIndex(here)
        box.enabled = bool(texts)

    def _showHistory(self, session):
        history = session.history if session is not None else None
        undo, redo = (history.undo_name, history.redo_name) if history is not None else ("", "")
        for button, name, text in ((self.ui.undoButton, undo, _("Undo")), (self.ui.redoButton, redo, _("Redo"))):
            button.enabled = bool(name)
            button.toolTip = f"{text}: {name}" if name else text

    def _showGrade(self, session, row):
        ui = self.ui
        if row is None:
            ui.gradeLabel.text = _("No screw is selected") if session is not None else ""
            ui.movedLabel.text = ""
            return
        stale = row.level in session.stale
        letter = row.assessment.gertzbein_robbins if row.assessment is not None and not stale else None
        colour = grade_colour(letter)
        chip = f"<span style='background-color: {colour}; color: {ink_on(colour)}'>&nbsp;{letter or '?'}&nbsp;</span>"
        ui.gradeLabel.text = f"{chip}&nbsp; <b>{long_label(row, stale)}</b>"
        moved = difference(row, session.automatic)
        text = _("the planner placed no screw here")
        if moved is not None:
            text = _("{entry:.1f} mm at the entry, {tip:.1f} mm at the tip, {axis:.1f} degrees from the automatic plan")
            text = text.format(entry=moved.entry_mm, tip=moved.tip_mm, axis=moved.axis_deg)
        ui.movedLabel.text = text
