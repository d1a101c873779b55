"""``object.connect("clicked(bool)", function)`` as PythonQt does it; a signature that is not there raises."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import shiboken6
from PySide6 import QtCore

_connect_natively = QtCore.QObject.connect
_disconnect_natively = QtCore.QObject.disconnect
_made: dict[int, list[tuple[str, Any, Any]]] = {}
_vtk_pointer = re.compile(r"\bvtk\w+\*")


def connect(self: Any, signal: str, receiver: Any, slot: str | None = None) -> bool:
    """Call ``receiver`` (or its slot ``"name()"``) at the signal of exactly this signature.

    Raises
    ------
    ValueError
        If there is no such signal, or no such slot.
    """
    signature = signature_of(self, signal)
    function = receiver if slot is None else slot_of(receiver, slot)
    if not callable(function):
        raise TypeError(f"{function!r} cannot be called; connect a function")
    adapted = with_arguments(function, argument_count(signature))
    key = _key(self)
    if key not in _made:
        _made[key] = []
        _connect_natively(self, QtCore.SIGNAL("destroyed(QObject*)"), lambda *_: _made.pop(key, None))
    _made[key].append((signature, function, adapted))
    if not _connect_natively(self, QtCore.SIGNAL(signature), adapted):
        raise ValueError(f"{type(self).__name__}.{signal} could not be connected")
    return True


def disconnect(self: Any, signal: str | None = None, receiver: Any = None, slot: str | None = None) -> bool:
    """Undo :func:`connect`; without a receiver all of the signal, without a signal all; says if there was one."""
    signature = None if signal is None else signature_of(self, signal)
    function = receiver if slot is None else slot_of(receiver, slot)
    made = _made.get(_key(self), [])
    found = [
        entry for entry in made if signature in (None, entry[0]) and (function is None or _same(entry[1], function))
    ]
    if signal is not None and function is not None:
        found = found[:1]
    for entry in found:
        made.remove(entry)
        _disconnect_natively(self, QtCore.SIGNAL(entry[0]), entry[2])
    return bool(found)


def signature_of(item: Any, signal: str) -> str:
    """The signature as Qt knows it here: ``"changed(vtkMRMLNode*)"`` is ``"changed(PyObject)"`` of a stand-in."""
    wanted = _normalized(signal)
    signature = wanted
    if _vtk_pointer.search(wanted):
        if wanted not in getattr(item, "vtkSignals", ()):
            raise ValueError(_no_signal(item, signal))
        signature = _vtk_pointer.sub("PyObject", wanted)
    if item.metaObject().indexOfSignal(signature) < 0:
        raise ValueError(_no_signal(item, signal))
    return signature


def slot_of(receiver: Any, slot: str) -> Callable[..., Any]:
    """The method of ``"setVisible(bool)"``."""
    name = slot.split("(")[0].strip()
    method = getattr(receiver, name, None)
    if not callable(method):
        raise ValueError(f"{type(receiver).__name__} has no slot {slot}")
    count = argument_count(_normalized(slot))
    return lambda *arguments: method(*arguments[:count])


def argument_count(signature: str) -> int:
    """Of ``"changed(int,double)"``."""
    inside = signature[signature.index("(") + 1 : signature.rindex(")")].strip()
    return inside.count(",") + 1 if inside else 0


def with_arguments(function: Callable[..., Any], count: int) -> Callable[..., Any]:
    """A slot that takes ``count`` arguments and hands over as many as ``function`` takes."""
    taken = min(count, _accepted(function, count))

    def call(*arguments: Any) -> None:
        function(*arguments[:taken])

    # Qt counts the arguments of the slot, so they have to be written out
    slots: tuple[Callable[..., Any], ...] = (
        lambda: call(),
        lambda a: call(a),
        lambda a, b: call(a, b),
        lambda a, b, c: call(a, b, c),
        lambda a, b, c, d: call(a, b, c, d),
    )
    return slots[count]


def _accepted(function: Callable[..., Any], count: int) -> int:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return count
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return count
    return sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)


def _normalized(signal: str) -> str:
    return bytes(QtCore.QMetaObject.normalizedSignature(signal).data()).decode()


def _no_signal(item: Any, signal: str) -> str:
    about = item.metaObject()
    methods = (about.method(index) for index in range(about.methodCount()))
    known = {bytes(m.methodSignature().data()).decode() for m in methods if m.methodType().name == "Signal"}
    known = {signature for signature in known if "PyObject" not in signature} | set(getattr(item, "vtkSignals", ()))
    return f"{about.className()} has no signal '{signal}'; it has {', '.join(sorted(known))}"


def _same(one: Any, other: Any) -> bool:
    return bool(one == other)


def _key(item: Any) -> int:
    return int(shiboken6.getCppPointer(item)[0])


def connected(item: Any) -> bool:
    """Whether anything was connected to any signal of ``item``."""
    return bool(_made.get(_key(item)))
