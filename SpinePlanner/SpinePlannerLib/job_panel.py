"""What all panels have in common: a .ui file, parameters, keys, one line to the user, one job at a time."""

from typing import ClassVar

import qt
import slicer
from slicer.i18n import tr as _

from SpinePlannerLib.host import Watch
from spinescrew.errors import SpineScrewError


class JobPanel:
    """A module's window, to be derived from.

    The .ui file has a ``statusLabel``, a ``progressBar`` and a ``cancelButton``.

    Attributes
    ----------
    SHORTCUTS:
        Keys, and the name of the button or box that they press while the module is shown.
    """

    SHORTCUTS: ClassVar[dict[str, str]] = {}

    def __init__(self, uiFile):
        self.widget = slicer.util.loadUI(uiFile)
        self.ui = slicer.util.childWidgetVariables(self.widget)
        self._watch = self._bound = self._parametersTag = None
        self._shortcuts = []

    @property
    def busy(self):
        """Whether a job runs in the background."""
        return self._watch is not None

    def refresh(self):
        """Everything."""
        raise NotImplementedError

    def refreshInputs(self, *_unused):
        """What can be worked on."""
        raise NotImplementedError

    def bind(self, parameters):
        """Show these parameters, and keep what is chosen in them; None lets go."""
        if self._bound is not None:
            self._bound.disconnectGui(self._parametersTag)
        self._bound, self._parametersTag = parameters, None
        if parameters is not None:
            self._parametersTag = parameters.connectGui(self.ui)
        self.refreshInputs()

    def enter(self):
        """The module is shown: its keys are heard."""
        for keys, button in self.SHORTCUTS.items():
            shortcut = qt.QShortcut(slicer.util.mainWindow() or self.widget)
            shortcut.setKey(qt.QKeySequence(keys))
            shortcut.connect("activated()", lambda name=button: getattr(self.ui, name).click())
            self._shortcuts.append(shortcut)

    def exit(self):
        """Another module is shown: its keys are its own."""
        for shortcut in self._shortcuts:
            shortcut.setEnabled(False)
            shortcut.deleteLater()
        self._shortcuts = []

    def attempt(self, work):
        """``work()``; what the library refuses stands in the status line. Returns its result, or None."""
        try:
            return work()
        except SpineScrewError as error:
            self.tell(str(error), True)
            return None

    def tell(self, text, problem=False):
        """One line to the user."""
        self.ui.statusLabel.text = text
        self.ui.statusLabel.setStyleSheet("color: #B3261E" if problem else "")

    def showProgress(self, fraction, text):
        """Share of the work, and the step."""
        self.ui.progressBar.value = round(100 * fraction)
        if text:
            self.tell(text)
        if not self.busy:
            slicer.app.processEvents()

    def start(self, job, done):
        """Watch a job that was started, in place of the one that runs; ``done(result)`` when it ended well."""
        self.onCancel()

        def ended():
            self._watch = None
            self.showProgress(0.0, "")

        def finished(result):
            ended()
            self.attempt(lambda: done(result))
            self.refresh()

        def failed(error):
            ended()
            self.tell(str(error), True)
            self.refresh()

        self._watch = Watch(job, self.showProgress, finished, failed)
        self.tell(_("Working ..."))
        self.refreshInputs()

    def onCancel(self, *_unused):
        """End the job; everything is as it was."""
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.cancel()
            self.showProgress(0.0, "")
            self.tell(_("Cancelled; nothing was changed."))
        self.refreshInputs()
