"""Screw: the suggested corridor's screw in hand, its figures typed or slid, undo and redo."""

from slicer.i18n import tr as _

from spinescrew.planning import actions
from spinescrew.reports.palette import grade_colour, ink_on
from spinescrew.scene.wording import long_label

SLIDERS = {
    "ptaSlider": "pta_deg",
    "psaSlider": "psa_deg",
    "diameterSlider": "diameter_mm",
    "lengthSlider": "length_mm",
    "lateralSlider": "lateral_mm",
    "cranialSlider": "cranial_mm",
}
PIVOT = "entry"


class ScrewSection:
    """Shows the screw in hand and asks the session for edits; holds nothing itself."""

    def __init__(self, panel):
        self.panel, self.ui = panel, panel.ui
        self._showing = False
        ui = self.ui
        for name, figure in SLIDERS.items():
            slider = getattr(ui, name)
            slider.minimum, slider.maximum, slider.singleStep = actions.RANGES[figure]
            slider.connect("valueChanged(double)", lambda value, figure=figure: self.onFigure(figure, value))
        for button, work in (
            (ui.undoButton, lambda session: session.undo()),
            (ui.redoButton, lambda session: session.redo()),
            (ui.restoreButton, actions.restore),
        ):
            button.connect("clicked(bool)", lambda *_unused, work=work: self.do(work))

    def take(self, side):
        """This side's screw in hand, where it has one."""
        self.do(lambda session: session.select(next(row.key for row in session.plan.screws if row.side == side)))

    def do(self, work):
        """``work(session)``, or the one line that says why not; the panel shows what came of it."""
        if self.panel.case is not None:
            self.panel.attempt(lambda: work(self.panel.case.session))
            self.refresh()

    def onFigure(self, figure, value):
        """A slider moved or a number was typed."""
        if not self._showing:
            self.do(lambda session: actions.set_figure(session, figure, value, PIVOT))

    def refresh(self, *_unused):
        """Everything of the screw in hand, as the session has it."""
        self._showing = True
        try:
            self._show()
        finally:
            self._showing = False

    def _show(self):
        ui, case = self.ui, self.panel.case
        session = case.session if case is not None else None
        row = actions.in_hand(session) if session is not None else None
        figures = actions.read(session) if row is not None else None
        for name, figure in SLIDERS.items():
            slider = getattr(ui, name)
            value = getattr(figures, figure) if figures is not None else None
            slider.enabled = value is not None
            if value is not None and abs(slider.value - value) > 0.5 * 10.0**-slider.decimals:
                slider.value = value
        history = session.history if session is not None else None
        names = (history.undo_name, history.redo_name) if history is not None else ("", "")
        for button, name, text in zip((ui.undoButton, ui.redoButton), names, (_("Undo"), _("Redo")), strict=True):
            button.enabled = bool(name)
            button.toolTip = f"{text}: {name}" if name else text
        ui.restoreButton.enabled = session is not None and session.selected is not None
        ui.gradeLabel.text = _grade(row) if row is not None else _reasons(session)


def _grade(row):
    letter = row.assessment.gertzbein_robbins if row.assessment is not None else None
    colour = grade_colour(letter)
    chip = f"<span style='background-color: {colour}; color: {ink_on(colour)}'>&nbsp;{letter or '?'}&nbsp;</span>"
    return f"{chip}&nbsp; <b>{long_label(row)}</b>"


def _reasons(session):
    """Why a side has no screw."""
    if session is None:
        return ""
    return "\n".join(f"{row.side.capitalize()}: {row.reason}" for row in session.plan.screws if row.screw is None)
