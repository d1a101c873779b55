"""PySide6 with the manners of PythonQt: properties are attributes, signals connect by signature, strays are refused.

The patch of the classes is made once in a process; :func:`qt_module` builds the flat ``qt`` on it.
"""

from __future__ import annotations

import ctypes
import os
import types
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import shiboken6
from PySide6 import QtCore, QtGui, QtNetwork, QtWidgets
from stand_in_dialogs import no_windows
from stand_in_signals import connect, disconnect

PARTS = (QtCore, QtGui, QtWidgets, QtNetwork)
NOT_IN_QT = ("Signal", "Slot", "Property", "SIGNAL", "SLOT")
# reading these through the meta-object would ask Python for an override and so read them again
VIRTUAL = ("sizeHint", "minimumSizeHint", "duration")

LOADING: list[bool] = []
OF_OURS = {"connect": connect, "disconnect": disconnect}

_set_plainly = ctypes.pythonapi.PyObject_GenericSetAttr
_set_plainly.argtypes = [ctypes.py_object, ctypes.py_object, ctypes.py_object]
_set_plainly.restype = ctypes.c_int
_application: list[Any] = []


class QtProperty:
    """A Qt property as an attribute; on the class, what the name was before (``QTimer.singleShot``)."""

    def __init__(self, name: str, original: Any, writable: bool) -> None:
        self.name, self.original, self.writable = name, original, writable

    def __get__(self, item: Any, owner: type | None = None) -> Any:
        if item is None:
            return self if self.original is None else self.original
        if self.name in VIRTUAL:
            return self.original(item)
        return QtCore.QObject.property(item, self.name)

    def __set__(self, item: Any, value: Any) -> None:
        if not self.writable:
            raise AttributeError(f"the property '{self.name}' of {type(item).__name__} cannot be written")
        write_property(item, self.name, value)


class NameAlias:
    """``name`` for ``objectName``, as Slicer has it."""

    def __get__(self, item: Any, owner: type | None = None) -> Any:
        return self if item is None else QtCore.QObject.property(item, "objectName")

    def __set__(self, item: Any, value: str) -> None:
        write_property(item, "objectName", value)


def write_property(item: Any, name: str, value: Any) -> None:
    """Set a declared property; a value of a wrong type raises."""
    if not QtCore.QObject.setProperty(item, name, value):
        raise ValueError(f"the property '{name}' of {type(item).__name__} does not take {value!r}")


def native(cls: type) -> type:
    """Mark a stand-in class as one that is C++ in Slicer: its instances take no new attributes."""
    cls._native = True  # type: ignore[attr-defined]
    return cls


def refusing_setattr(self: Any, name: str, value: Any) -> None:
    """Attributes that the class does not declare are refused, except on classes written in Python."""
    kind = type(self)
    if isinstance(value, QtCore.SignalInstance):
        _set_plainly(self, name, value)  # PySide6 keeps a signal that was asked for
        return
    if LOADING and not name.startswith("_") and isinstance(value, QtCore.QObject):
        # PySide6's loader hangs children to their parent by name, which keeps them alive; Slicer's does not
        _set_plainly(self, f"_loaded_{name}", value)
        return
    declared = next((base.__dict__[name] for base in kind.__mro__ if name in base.__dict__), None)
    if isinstance(declared, QtCore.Property):
        write_property(self, name, value)
        return
    stand_in = "_native" in kind.__dict__
    plain = kind.__module__.startswith(("PySide6", "Shiboken", "shiboken6"))
    allowed = hasattr(type(declared), "__set__") or (stand_in and name.startswith("_"))
    if (stand_in or plain) and not allowed:
        raise AttributeError(f"{kind.__name__} has no attribute '{name}', and PythonQt lets nobody add one")
    _set_plainly(self, name, value)


def start_qt() -> Any:
    """The application object; made, and PySide6 patched, at the first call."""
    if not _application:
        application = QtWidgets.QApplication.instance() or QtWidgets.QApplication(["stand-in"])
        _application.append(application)
        _patch()
    return _application[0]


def qt_module() -> types.ModuleType:
    """The flat module ``qt``."""
    start_qt()
    from stand_in_ui import QUiLoader

    module = types.ModuleType("qt")
    for part in PARTS:
        for name in dir(part):
            if not name.startswith("_") and name not in NOT_IN_QT:
                setattr(module, name, getattr(part, name))
    module.QUiLoader = QUiLoader  # type: ignore[attr-defined]
    return module


def _patch() -> None:
    for part in PARTS:
        for kind in [getattr(part, name) for name in dir(part)]:
            if isinstance(kind, type) and issubclass(kind, shiboken6.Object):
                _patch_class(kind)
    base: Any = QtCore.QObject
    base.connect, base.disconnect = connect, disconnect
    natively = base.__getattribute__

    def getattribute(self: Any, name: str) -> Any:
        # PySide6 answers these two itself for every instance, whatever stands in the class
        if name in OF_OURS:
            return OF_OURS[name].__get__(self)
        return natively(self, name)

    base.__getattribute__ = getattribute
    base.className = lambda self: self.metaObject().className()
    base.delete = lambda self: shiboken6.delete(self)
    base.name = NameAlias()
    no_windows()


def _patch_class(kind: Any) -> None:
    if "__setattr__" in kind.__dict__:
        kind.__setattr__ = refusing_setattr
    if not issubclass(kind, QtCore.QObject):
        return
    about = kind.staticMetaObject
    for index in range(about.propertyOffset(), about.propertyCount()):
        found = about.property(index)
        setattr(kind, found.name(), QtProperty(found.name(), getattr(kind, found.name(), None), found.isWritable()))
