"""No window ever opens: file dialogs, message boxes and modal dialogs ask the test for their answer."""

from __future__ import annotations

from typing import Any

from PySide6 import QtWidgets
from stand_in_records import records

FILE_DIALOGS = ("getOpenFileName", "getSaveFileName", "getExistingDirectory", "getOpenFileNames")
MESSAGES = ("question", "information", "warning", "critical", "about")


def no_windows() -> None:
    """Replace what would open a window by a question to :func:`stand_in_records.records`."""
    for name in FILE_DIALOGS:
        setattr(QtWidgets.QFileDialog, name, staticmethod(_file_dialog(name)))
    for name in MESSAGES:
        setattr(QtWidgets.QMessageBox, name, staticmethod(_message(name)))
    dialog: Any = QtWidgets.QDialog
    dialog.exec = dialog.exec_ = lambda self: records().ask("exec", type(self).__name__)
    menu: Any = QtWidgets.QMenu
    menu.exec = menu.exec_ = lambda self, *_: records().ask("menu", type(self).__name__)


def _file_dialog(name: str) -> Any:
    def asked(_parent: Any = None, caption: str = "", *_unused: Any) -> str:
        return str(records().ask(name, caption))  # PythonQt gives the path alone, not the filter beside it

    return asked


def _message(name: str) -> Any:
    def asked(_parent: Any, title: str, text: str, *_unused: Any) -> Any:
        return records().ask(name, text, title)

    return asked
