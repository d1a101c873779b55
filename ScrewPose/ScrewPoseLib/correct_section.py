"""Correct: which screw of the second image is this one of the first; the way back. Axes are dragged in the images."""

from slicer.i18n import tr as _

NOBODY = ""


class CorrectSection:
    """Asks the session for corrections; holds nothing itself."""

    def __init__(self, panel):
        self.panel, self.ui = panel, panel.ui
        self._showing = False
        self._names = ([], [])
        ui = self.ui
        ui.firstBox.connect("currentIndexChanged(int)", self.onFirst)
        ui.secondBox.connect("currentIndexChanged(int)", self.onSecond)
        ui.undoButton.connect("clicked(bool)", lambda *_unused: self.do(lambda session: session.undo()))
        ui.redoButton.connect("clicked(bool)", lambda *_unused: self.do(lambda session: session.redo()))

    def do(self, work):
        """``work(session)``, or the one line that says why not."""
        if self.panel.session is not None:
            self.panel.tell("")
            self.panel.attempt(lambda: work(self.panel.session))
            self.panel.refreshPoses()

    def refresh(self, *_unused):
        """As the session has it."""
        self._showing = True
        try:
            self._show()
        finally:
            self._showing = False

    def onFirst(self, place):
        """Another screw of the first image: it is taken in hand; one that belongs to none waits for its partner."""
        name = self._name(0, place)
        if self._showing or self.panel.session is None or name is None:
            return
        if name.isdigit():
            self.do(lambda session: session.select(int(name)))
        else:
            self._showing = True
            self.ui.secondBox.currentIndex = self._names[1].index(NOBODY)
            self._showing = False

    def onSecond(self, place):
        """This one of the second image belongs to it."""
        first, second = self._name(0, self.ui.firstBox.currentIndex), self._name(1, place)
        if not self._showing and first is not None and second is not None:
            self.do(lambda session: self.panel.solve(session.match_correction(first, second)))

    def _name(self, box, place):
        return self._names[box][place] if 0 <= place < len(self._names[box]) else None

    def _show(self):
        ui, session = self.ui, self.panel.session
        for box in (ui.firstBox, ui.secondBox):
            box.clear()
            box.enabled = session is not None
        self._names = ([], [])
        history = session.history if session is not None else None
        names = (history.undo_name, history.redo_name) if history is not None else ("", "")
        for button, name, text in zip((ui.undoButton, ui.redoButton), names, (_("Undo"), _("Redo")), strict=True):
            button.enabled = bool(name)
            button.toolTip = f"{text}: {name}" if name else text
        if session is None:
            return
        for n, box in enumerate((ui.firstBox, ui.secondBox)):
            for candidate in session.seen(n):
                text = _("screw {name}") if candidate.matched else _("{name}, in this image only")
                self._add(n, box, text.format(name=candidate.name), candidate.name)
        self._add(1, ui.secondBox, _("none"), NOBODY)
        if session.selected is not None:
            place = self._names[0].index(str(session.selected))
            ui.firstBox.currentIndex = ui.secondBox.currentIndex = place

    def _add(self, n, box, text, name):
        self._names[n].append(name)
        box.addItem(text)
