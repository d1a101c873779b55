"""``slicer.parameterNodeWrapper``: typed fields over a parameter node, bound to widgets by ``SlicerParameterName``."""

from __future__ import annotations

import typing
from collections.abc import Callable
from typing import Annotated, Any, get_args, get_origin

import vtk
from PySide6 import QtCore

Validate = Callable[[Any], None]


class Choice:
    """One of these values."""

    def __init__(self, choices: list[Any]) -> None:
        self.choices = list(choices)

    def validate(self, value: Any) -> None:
        """ValueError for others."""
        if value not in self.choices:
            raise ValueError(f"{value!r} is none of {self.choices}")


class WithinRange:
    """Between two numbers."""

    def __init__(self, minimum: float, maximum: float) -> None:
        self.minimum, self.maximum = minimum, maximum

    def validate(self, value: float) -> None:
        """ValueError outside."""
        if not self.minimum <= value <= self.maximum:
            raise ValueError(f"{value} is not within [{self.minimum}, {self.maximum}]")


class Field:
    """One typed field."""

    def __init__(self, name: str, annotation: Any, default: Any) -> None:
        self.name = name
        self.kind, *validators = get_args(annotation) if get_origin(annotation) is Annotated else (annotation,)
        options = [option for option in get_args(self.kind) if option is not type(None)]
        self.kind = options[0] if options else self.kind
        self.validators = [v for v in validators if hasattr(v, "validate")]
        self.is_node = isinstance(self.kind, type) and issubclass(self.kind, vtk.vtkObject)
        if not self.is_node and self.kind not in (bool, int, float, str):
            raise TypeError(f"'{name}': parameter nodes hold no {self.kind}")
        first = next((v.choices[0] for v in self.validators if isinstance(v, Choice)), None)
        self.default = default if default is not None or self.is_node else first if first is not None else self.kind()

    def read(self, node: Any) -> Any:
        """The value in the node."""
        if self.is_node:
            return node.GetNodeReference(self.name)
        text = node.GetParameter(self.name)
        if not node.HasParameter(self.name) if hasattr(node, "HasParameter") else not text:
            return self.default
        return text == "True" if self.kind is bool else self.kind(text)

    def write(self, node: Any, value: Any) -> None:
        """Check and keep a value."""
        if self.is_node:
            if value is not None and not isinstance(value, self.kind):
                raise TypeError(f"'{self.name}' takes a {self.kind.__name__}, not {value!r}")
            node.SetNodeReferenceID(self.name, value.GetID() if value is not None else None)
            return
        if not isinstance(value, self.kind) and not (self.kind is float and isinstance(value, int)):
            raise TypeError(f"'{self.name}' takes a {self.kind.__name__}, not {value!r}")
        for validator in self.validators:
            validator.validate(value)
        node.SetParameter(self.name, str(value))


def parameterNodeWrapper(cls: type) -> type:
    """The class over a ``vtkMRMLScriptedModuleNode``; unknown names are refused."""
    hints = typing.get_type_hints(cls, include_extras=True)
    fields = {name: Field(name, hint, getattr(cls, name, None)) for name, hint in hints.items()}

    class Wrapper:
        """See :func:`parameterNodeWrapper`."""

        def __init__(self, node: Any) -> None:
            object.__setattr__(self, "parameterNode", node)
            object.__setattr__(self, "_bound", {})
            for field in fields.values():
                if not field.is_node and not node.GetParameter(field.name):
                    field.write(node, field.default)

        def __getattr__(self, name: str) -> Any:
            if name in fields:
                return fields[name].read(self.parameterNode)
            return getattr(self.parameterNode, name)

        def __setattr__(self, name: str, value: Any) -> None:
            if name not in fields:
                raise AttributeError(f"the parameter node has no '{name}'")
            fields[name].write(self.parameterNode, value)

        def connectGui(self, ui: Any) -> int:
            """Bind every widget that names a parameter; returns a tag."""
            found = {}
            for widget in vars(ui).values():
                name = widget.property("SlicerParameterName") if isinstance(widget, QtCore.QObject) else None
                if name:
                    found[name] = widget
            return self.connectParametersToGui(found)

        def connectParametersToGui(self, widgets: dict[str, Any]) -> int:
            """Bind by name; returns a tag."""
            bindings = [Binding(self, fields[name], widget) for name, widget in widgets.items()]
            tag = self.parameterNode.AddObserver(
                vtk.vtkCommand.ModifiedEvent, lambda *_: [binding.show() for binding in bindings]
            )
            self._bound[tag] = bindings
            return tag

        def disconnectGui(self, tag: int) -> None:
            """Undo :meth:`connectGui`."""
            for binding in self._bound.pop(tag):
                binding.end()
            self.parameterNode.RemoveObserver(tag)

    Wrapper.__name__ = cls.__name__
    Wrapper.FIELDS = fields  # type: ignore[attr-defined]
    return Wrapper


class Binding:
    """A widget that shows and sets one parameter."""

    # widget class -> (signal, how it is read, how it is written, types)
    KINDS = {  # noqa: RUF012
        "QCheckBox": ("toggled(bool)", "checked", "checked", (bool,)),
        "QPushButton": ("toggled(bool)", "checked", "checked", (bool,)),
        "QLineEdit": ("textChanged(QString)", "text", "text", (str,)),
        "QComboBox": ("currentTextChanged(QString)", "currentText", "currentText", (str,)),
        "QSpinBox": ("valueChanged(int)", "value", "value", (int,)),
        "ctkSliderWidget": ("valueChanged(double)", "value", "value", (float, int)),
    }

    def __init__(self, parameters: Any, field: Field, widget: Any) -> None:
        self.parameters, self.field, self.widget = parameters, field, widget
        name = type(widget).__name__
        if name == "qMRMLNodeComboBox" and field.is_node:
            self.signal = "currentNodeChanged(vtkMRMLNode*)"
        elif name in self.KINDS and field.kind in self.KINDS[name][3]:
            self.signal = self.KINDS[name][0]
        else:
            raise TypeError(f"a {name} cannot be bound to '{field.name}' ({field.kind})")
        if name == "QComboBox" and widget.count == 0:
            for choice in next(v.choices for v in field.validators if isinstance(v, Choice)):
                widget.addItem(choice)
        self.show()
        widget.connect(self.signal, self.take)

    def show(self) -> None:
        """The parameter to the widget."""
        value = getattr(self.parameters, self.field.name)
        if self.field.is_node:
            if self.widget.currentNode() is not value:
                self.widget.setCurrentNode(value)
        elif getattr(self.widget, self.KINDS[type(self.widget).__name__][1]) != value:
            setattr(self.widget, self.KINDS[type(self.widget).__name__][2], value)

    def take(self, *_unused: Any) -> None:
        """The widget to the parameter."""
        if self.field.is_node:
            value = self.widget.currentNode()
        else:
            value = getattr(self.widget, self.KINDS[type(self.widget).__name__][1])
        if getattr(self.parameters, self.field.name) != value:
            setattr(self.parameters, self.field.name, value)

    def end(self) -> None:
        """Let go."""
        self.widget.disconnect(self.signal, self.take)
