"""What the panel shows while Python packages are missing: which, and a button that installs them."""

import qt
import slicer
from slicer.i18n import tr as _

from SpinePlannerLib import install


class InstallPanel:
    """``onReady()`` is called once everything is there."""

    def __init__(self, onReady):
        self._onReady = onReady
        self.widget = qt.QWidget()
        column = qt.QVBoxLayout(self.widget)
        self.label = qt.QLabel()
        self.label.setWordWrap(True)
        self.button = qt.QPushButton(_("Install the missing packages"))
        column.addWidget(self.label)
        column.addWidget(self.button)
        self.button.connect("clicked(bool)", self.onInstall)
        self.show()

    def show(self, problem=""):
        """What is missing."""
        names = ", ".join(install.missing())
        text = _("SpineScrew needs Python packages that this Slicer does not have yet: {names}.").format(names=names)
        self.label.text = f"{text}\n\n{problem}".strip()

    def onInstall(self, *_unused):
        """Ask, install, go on."""
        question = _("Download and install from the Python Package Index: {names}?")
        if not slicer.util.confirmOkCancelDisplay(question.format(names=", ".join(install.missing()))):
            return
        try:
            with slicer.util.WaitCursor():
                install.install()
        except Exception as error:  # pip has many ways to fail; each is shown, none ends Slicer
            self.show(_("The installation failed: {error}. Check the network and try again.").format(error=error))
            return
        self._onReady() if not install.missing() else self.show(_("Restart Slicer to finish the installation."))
