"""The ctk and qMRML widgets that the modules use: properties, signals and behaviour as in Slicer, no more."""

from __future__ import annotations

from typing import Any

import slicer
from PySide6 import QtCore, QtWidgets
from stand_in_qt import native, start_qt

start_qt()

Signal, Property = QtCore.Signal, QtCore.Property


@native
class qMRMLWidget(QtWidgets.QWidget):  # noqa: N801
    """A widget that knows the scene."""

    mrmlSceneChanged = Signal(object)  # noqa: N815
    vtkSignals = ("mrmlSceneChanged(vtkMRMLScene*)",)  # noqa: N815
    _scene: Any = None
    _entered = False

    def setMRMLScene(self, scene: Any) -> None:
        """Given on to every widget that the .ui file connects."""
        if scene is not self._scene:
            self._scene = scene
            self.mrmlSceneChanged.emit(scene)

    def mrmlScene(self) -> Any:
        """The scene."""
        return self._scene

    def is_entered(self) -> bool:
        """Whether the module is shown."""
        return self._entered

    isEntered = Property(bool, is_entered)  # noqa: N815


@native
class ctkCollapsibleButton(QtWidgets.QWidget):  # noqa: N801
    """A section under a title bar."""

    contentsCollapsed = Signal(bool)  # noqa: N815
    TITLE_HEIGHT = 22
    _text, _collapsed = "", False

    def read_text(self) -> str:
        """The title."""
        return self._text

    def write_text(self, value: str) -> None:
        """Another title."""
        self._text = value
        self.setContentsMargins(0, self.TITLE_HEIGHT, 0, 0)
        self.update()

    def read_collapsed(self) -> bool:
        """Whether only the title is seen."""
        return self._collapsed

    def write_collapsed(self, value: bool) -> None:
        """Open or close."""
        if value != self._collapsed:
            self._collapsed = value
            for child in self.children():
                if child.isWidgetType():
                    child.setVisible(not value)
            self.contentsCollapsed.emit(value)

    text = Property(str, read_text, write_text)
    collapsed = Property(bool, read_collapsed, write_collapsed)

    def paintEvent(self, _event: Any) -> None:
        """The title bar."""
        painter = QtWidgets.QStylePainter(self)
        bar = QtCore.QRect(0, 0, self.size.width(), self.TITLE_HEIGHT - 2)
        painter.fillRect(bar, self.palette.mid())
        sign = "\u25b8" if self._collapsed else "\u25be"
        painter.drawText(bar.adjusted(6, 0, 0, 0), QtCore.Qt.AlignmentFlag.AlignVCenter, f"{sign}  {self._text}")


def _of_spin_box(name: str, kind: Any, setter: str) -> Any:
    """A property of the slider widget that lives in its spin box."""

    def read(self: Any) -> Any:
        return self._spin.property(name)

    def write(self: Any, value: Any) -> None:
        getattr(self._spin, setter)(value)
        self._place_slider()

    return Property(kind, read, write)


@native
class ctkSliderWidget(QtWidgets.QWidget):  # noqa: N801
    """Slider and spin box of one value."""

    valueChanged = Signal(float)  # noqa: N815
    valueIsChanging = Signal(float)  # noqa: N815
    STEPS = 1000

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._spin = QtWidgets.QDoubleSpinBox(self)
        self._slider = QtWidgets.QSlider(QtCore.Qt.Orientation.Horizontal, self)
        self._slider.setRange(0, self.STEPS)
        row = QtWidgets.QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._slider, 1)
        row.addWidget(self._spin)
        self._spin.connect("valueChanged(double)", self._on_spin)
        self._slider.connect("sliderMoved(int)", self._on_slider)

    def setValue(self, value: float) -> None:
        """Also a slot."""
        self._spin.setValue(value)

    def setRange(self, low: float, high: float) -> None:
        """Both ends at once."""
        self._spin.setRange(low, high)
        self._place_slider()

    def _ends(self) -> tuple[float, float]:
        return self._spin.property("minimum"), self._spin.property("maximum")

    def _place_slider(self) -> None:
        low, high = self._ends()
        share = (self._spin.property("value") - low) / max(high - low, 1e-9)
        self._slider.setValue(round(self.STEPS * share))

    def _on_spin(self, value: float) -> None:
        self._place_slider()
        self.valueChanged.emit(value)

    def _on_slider(self, place: int) -> None:
        low, high = self._ends()
        self._spin.setValue(low + place / self.STEPS * (high - low))

    value = _of_spin_box("value", float, "setValue")
    minimum = _of_spin_box("minimum", float, "setMinimum")
    maximum = _of_spin_box("maximum", float, "setMaximum")
    singleStep = _of_spin_box("singleStep", float, "setSingleStep")  # noqa: N815
    decimals = _of_spin_box("decimals", int, "setDecimals")
    suffix = _of_spin_box("suffix", str, "setSuffix")


@native
class ctkDirectoryButton(QtWidgets.QPushButton):  # noqa: N801
    """A folder to choose."""

    directoryChanged = Signal(str)  # noqa: N815
    _directory = ""

    def read_directory(self) -> str:
        """The folder."""
        return self._directory

    def write_directory(self, value: str) -> None:
        """Another folder."""
        if value != self._directory:
            self._directory = value
            QtWidgets.QPushButton.setText(self, value)
            self.directoryChanged.emit(value)

    directory = Property(str, read_directory, write_directory)


@native
class ctkPathLineEdit(QtWidgets.QWidget):  # noqa: N801
    """A path to type, or to browse for."""

    currentPathChanged = Signal(str)  # noqa: N815

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._filters: list[str] = []
        self._edit = QtWidgets.QLineEdit(self)
        self._button = QtWidgets.QToolButton(self)
        self._button.setText("...")
        row = QtWidgets.QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._edit, 1)
        row.addWidget(self._button)
        self._edit.connect("textChanged(QString)", self.currentPathChanged.emit)
        self._button.connect("clicked(bool)", lambda *_: self.browse())

    def browse(self) -> None:
        """Ask for a file; nothing happens where none is chosen."""
        chosen = QtWidgets.QFileDialog.getOpenFileName(self, "Select a file to open", self.read_path())
        if chosen:
            self.write_path(str(chosen))

    def read_path(self) -> str:
        """As it stands."""
        return str(self._edit.property("text"))

    def write_path(self, value: str) -> None:
        """Another path."""
        self._edit.setText(value)

    def read_filters(self) -> list[str]:
        """Names that the browser offers."""
        return self._filters

    def write_filters(self, value: list[str]) -> None:
        """Other names."""
        self._filters = list(value)

    currentPath = Property(str, read_path, write_path)  # noqa: N815
    nameFilters = Property("QStringList", read_filters, write_filters)  # noqa: N815


def _flag(name: str) -> Any:
    def read(self: Any) -> bool:
        return bool(self._flags[name])

    def write(self: Any, value: bool) -> None:
        self._flags[name] = bool(value)
        self._look()

    return Property(bool, read, write)


@native
class qMRMLNodeComboBox(QtWidgets.QWidget):  # noqa: N801
    """The nodes of some classes in the scene, one of them current."""

    currentNodeChanged = Signal(object)  # noqa: N815
    currentNodeIDChanged = Signal(str)  # noqa: N815
    vtkSignals = ("currentNodeChanged(vtkMRMLNode*)",)  # noqa: N815

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._types: list[str] = []
        self._hidden_types: list[str] = []
        self._flags = {"noneEnabled": False, "addEnabled": True, "removeEnabled": True, "renameEnabled": False}
        self._flags |= {"editEnabled": False, "showChildNodeTypes": True, "showHidden": False}
        self._scene: Any = None
        self._node: Any = None
        self._tags: list[int] = []
        self._box = QtWidgets.QComboBox(self)
        row = QtWidgets.QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._box)
        self._box.connect("activated(int)", self._on_chosen)

    def setMRMLScene(self, scene: Any) -> None:
        """The nodes of this scene from now on."""
        if self._scene is not None:
            for tag in self._tags:
                self._scene.RemoveObserver(tag)
        self._scene, self._tags = scene, []
        if scene is not None:
            for event in (scene.NodeAddedEvent, scene.NodeRemovedEvent, scene.EndCloseEvent):
                self._tags.append(scene.AddObserver(event, lambda *_: self._look()))
        self._look()

    def mrmlScene(self) -> Any:
        """The scene."""
        return self._scene

    def currentNode(self) -> Any:
        """The node chosen, or ``None``."""
        return self._node

    def setCurrentNode(self, node: Any) -> None:
        """Choose a node; one that the box does not list counts as none."""
        wanted = node if node is None or node in self.nodes() else None
        if wanted is not self._node:
            self._node = wanted
            self._show()
            self.currentNodeChanged.emit(wanted)
            self.currentNodeIDChanged.emit(wanted.GetID() if wanted is not None else "")

    def setCurrentNodeID(self, identifier: str) -> None:
        """Choose by identifier."""
        self.setCurrentNode(self._scene.GetNodeByID(identifier) if self._scene is not None and identifier else None)

    def nodeCount(self) -> int:
        """How many nodes there are to choose from."""
        return len(self.nodes())

    def nodes(self) -> list[Any]:
        """All that can be chosen."""
        found: list[Any] = []
        for kind in self._types if self._scene is not None else ():
            collection = self._scene.GetNodesByClass(kind)
            collection.UnRegister(None)
            for node in (collection.GetItemAsObject(n) for n in range(collection.GetNumberOfItems())):
                hidden = node.GetHideFromEditors() and not self._flags["showHidden"]
                if node not in found and not hidden and not any(node.IsA(name) for name in self._hidden_types):
                    found.append(node)
        return found

    def _look(self) -> None:
        present = self.nodes()
        if self._node is not None and self._node not in present:
            self.setCurrentNode(present[0] if present and not self._flags["noneEnabled"] else None)
        elif self._node is None and present and not self._flags["noneEnabled"]:
            self.setCurrentNode(present[0])
        self._show()

    def _show(self) -> None:
        names = (["None"] if self._flags["noneEnabled"] else []) + [node.GetName() for node in self.nodes()]
        self._box.clear()
        self._box.addItems(names)
        self._box.setCurrentText(self._node.GetName() if self._node is not None else "None")

    def _on_chosen(self, row: int) -> None:
        first = 1 if self._flags["noneEnabled"] else 0
        self.setCurrentNode(None if row < first else self.nodes()[row - first])

    def read_types(self) -> list[str]:
        """Classes listed."""
        return self._types

    def write_types(self, value: list[str]) -> None:
        """Every name must be a class of MRML."""
        for name in value:
            if not hasattr(slicer, name):
                raise ValueError(f"there is no class {name}")
        self._types = list(value)
        self._look()

    def read_hidden_types(self) -> list[str]:
        """Classes left out."""
        return self._hidden_types

    def write_hidden_types(self, value: list[str]) -> None:
        """As :meth:`write_types`."""
        self._hidden_types = list(value)
        self._look()

    nodeTypes = Property("QStringList", read_types, write_types)  # noqa: N815
    hideChildNodeTypes = Property("QStringList", read_hidden_types, write_hidden_types)  # noqa: N815
    noneEnabled = _flag("noneEnabled")  # noqa: N815
    addEnabled = _flag("addEnabled")  # noqa: N815
    removeEnabled = _flag("removeEnabled")  # noqa: N815
    renameEnabled = _flag("renameEnabled")  # noqa: N815
    editEnabled = _flag("editEnabled")  # noqa: N815
    showChildNodeTypes = _flag("showChildNodeTypes")  # noqa: N815
    showHidden = _flag("showHidden")  # noqa: N815
    currentNodeID = Property(str, lambda self: self._node.GetID() if self._node else "", setCurrentNodeID)  # noqa: N815


CTK = (ctkCollapsibleButton, ctkSliderWidget, ctkDirectoryButton, ctkPathLineEdit)
QMRML = (qMRMLWidget, qMRMLNodeComboBox)
