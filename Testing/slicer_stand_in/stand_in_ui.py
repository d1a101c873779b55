"""``.ui`` files with Slicer's widgets in them; scene connections are wired as the file says."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import Any

import stand_in_widgets
from PySide6 import QtCore, QtUiTools
from stand_in_qt import LOADING


class UiFileError(RuntimeError):
    """The .ui file asks for something that Slicer would not do either, or that the stand-in does not know."""


class QUiLoader:
    """``qt.QUiLoader().load(qt.QFile(path))``."""

    def load(self, file: Any, parent: Any = None) -> Any:
        """The widget; an unknown class, an undeclared custom widget or a connection to nothing raises."""
        file.seek(0)
        text = bytes(file.readAll().data()).decode("utf-8")
        tree = ElementTree.fromstring(text)
        loader = QtUiTools.QUiLoader()
        for name in _custom(tree):
            loader.registerCustomWidget(getattr(stand_in_widgets, name))
        LOADING.append(True)
        try:
            widget = loader.load(_without_connections(text), parent)
        finally:
            LOADING.pop()
        if widget is None:
            raise UiFileError(loader.errorString())
        _connect(tree, widget)
        return widget


def _without_connections(text: str) -> Any:
    """Qt would look for the scene's signals among C++ ones; :func:`_connect` makes them."""
    tree = ElementTree.fromstring(text)
    for found in tree.findall("connections"):
        tree.remove(found)
    buffer = QtCore.QBuffer()
    buffer.setData(ElementTree.tostring(tree))
    buffer.open(QtCore.QIODevice.OpenModeFlag.ReadOnly)
    return buffer


def _custom(tree: ElementTree.Element) -> list[str]:
    declared = {element.text or "" for element in tree.iter("class") if element is not tree.find("class")}
    used = {widget.get("class", "") for widget in tree.iter("widget")}
    strange = {name for name in used if not name.startswith("Q")} | {name for name in used if name[:2] == "qM"}
    if strange - declared:
        raise UiFileError(f"<customwidgets> does not declare {', '.join(sorted(strange - declared))}")
    unknown = [name for name in sorted(declared & used) if not hasattr(stand_in_widgets, name)]
    if unknown:
        raise UiFileError(f"the stand-in has no {', '.join(unknown)}")
    names = [widget.get("name") for widget in tree.iter("widget")]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise UiFileError(f"two widgets are called {', '.join(map(str, sorted(twice, key=str)))}")
    return sorted(declared & used)


def _connect(tree: ElementTree.Element, widget: Any) -> None:
    """The connections of the file; each MRML widget must be given the scene by one."""
    named = {child.objectName: child for child in [widget, *widget.findChildren(QtCore.QObject)]}
    receivers = set()
    for connection in tree.iter("connection"):
        sender, signal, receiver, slot = (
            connection.findtext(tag, "") for tag in ("sender", "signal", "receiver", "slot")
        )
        if sender not in named or receiver not in named:
            raise UiFileError(f"a connection leads from '{sender}' to '{receiver}', which are not both there")
        named[sender].connect(signal, named[receiver], slot)
        receivers.add(receiver)
    for name, child in named.items():
        if child is not widget and hasattr(child, "setMRMLScene") and name not in receivers:
            raise UiFileError(f"'{name}' is not given the scene: connect mrmlSceneChanged to its setMRMLScene")
