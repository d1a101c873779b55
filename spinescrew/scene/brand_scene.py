"""Radiographs whose system was asked for, in a MRML scene: the screws found, the squares judged, where models looked.

Nothing tells where these films were taken, so they stand where Slicer's coronal and sagittal views look anyway; only
sizes on them are those of the patient, about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import slicer
import vtk
from numpy.typing import NDArray

from spinescrew.brands.attention import Attention
from spinescrew.brands.crop import SIZE, Window
from spinescrew.brands.identify import BrandResult
from spinescrew.brands.locate import Located
from spinescrew.brands.models import AP, KIND_WORDS, KINDS, VIEWS
from spinescrew.geometry.vectors import cross
from spinescrew.geometry.volume import Volume
from spinescrew.radiographs.radiograph import Radiograph
from spinescrew.radiographs.view import View
from spinescrew.reports.brand_lines import VIEW_WORDS
from spinescrew.scene import pose_models
from spinescrew.scene.aligned_slices import plane_of, set_plane
from spinescrew.scene.attention_colours import add_colour_table, attention_colours, fill
from spinescrew.scene.composites import composite_of
from spinescrew.scene.folders import add_folder, file_away, remove_folder
from spinescrew.scene.lines import polylines
from spinescrew.scene.observers import Observers
from spinescrew.scene.radiograph_nodes import fit_image, image_affine, on_slice, slice_plane
from spinescrew.scene.remove import remove_node
from spinescrew.scene.volumes import add_volume

Floats = NDArray[np.float64]

FOLDER_NAME = "System of screws"
NO_MODEL = ""
"""Stands for no attention at all."""

OPACITY = 0.5
LEAST_ATTENTION = 0.15
"""Attention below is not shown: it is everywhere."""

_BLACK_PERCENT, _WHITE_PERCENT = 0.5, 99.7
_FAR_MM = 100_000.0
_AROUND = 1.25
_DOWN = np.array([0.0, 0.0, -1.0])
_RIGHT = {True: np.array([-1.0, 0.0, 0.0]), False: np.array([0.0, -1.0, 0.0])}
"""Where columns run, of views from the front and from the side: as in Slicer's coronal and sagittal views."""


@dataclass(frozen=True)
class BrandLook:
    """What is seen.

    Attributes
    ----------
    model:
        Whose attention is shown, such as ``"lat"``; :data:`NO_MODEL` for none.
    opacity:
        0..1 of the attention.
    outlines:
        Whether squares, axes and numbers of the screws are drawn.
    """

    model: str = NO_MODEL
    opacity: float = OPACITY
    outlines: bool = True


def place_of(view: str, located: Located) -> View:
    """A plane for a film, its middle in the origin, with pixels as large as they are in the patient, about."""
    return _plane(view, located.radiograph.shape, 1.0 / located.px_per_mm)


def _plane(view: str, shape: tuple[int, int], step: float) -> View:
    """A plane through the origin, in the middle of an image with such pixels."""
    rows, columns = shape
    right = _RIGHT[view.lower() == AP]
    corner = -0.5 * step * ((columns - 1) * right + (rows - 1) * _DOWN)
    source = -_FAR_MM * cross(right, _DOWN)
    return View(source, corner, right, _DOWN, np.full(2, step), (rows, columns))


def attention_models(result: BrandResult) -> tuple[str, ...]:
    """Models whose attention was asked for."""
    return tuple(kind for kind in KINDS if any(each.kind == kind for each in result.attention))


class BrandScene:
    """An answer as nodes.

    Parameters
    ----------
    scene:
        The MRML scene.
    result:
        What is shown.

    Attributes
    ----------
    views:
        ``"ap"``, ``"lat"`` or both: the one from the front first.
    """

    def __init__(self, scene: Any, result: BrandResult) -> None:
        self.scene, self.result = scene, result
        self.shown = BrandLook()
        self.closed = False
        self.views = tuple(view for view in VIEWS if view in result.located)
        self.places = {view: place_of(view, result.located[view]) for view in self.views}
        self._slices: dict[str, Any] = {}
        self._planes: dict[Any, Floats] = {}
        self._nodes: dict[tuple[str, str, Any], Any] = {}
        self._observers = Observers()
        self._folder = add_folder(scene, FOLDER_NAME)
        self._scale = add_colour_table(scene, "Attention of models")
        fill(self._scale, attention_colours())
        for view in self.views:
            self._add_view(view)
        self._observers.add(scene, slicer.vtkMRMLScene.StartCloseEvent, lambda *_: self.close(False))
        self._dress()

    def node(self, what: str, view: str, which: Any = None) -> Any:
        """A node by what it shows; ``None`` if there is none or someone removed it.

        ``"image"`` and ``"numbers"`` of a view; ``"attention"`` with a model; ``"screw"`` with a number from 1.
        """
        node = self._nodes.get((what, view, which))
        return node if node is not None and self.scene.IsNodePresent(node) else None

    def put_into(self, slice_nodes: Sequence[Any]) -> None:
        """Show each film in a slice view of its own, whole; views beyond their number stay. :meth:`close` ends it."""
        self._slices = dict(zip(self.views, slice_nodes, strict=False))
        for view, node in self._slices.items():
            self._planes.setdefault(node, plane_of(node))
            composite = composite_of(self.scene, node)
            if composite is not None:
                composite.SetBackgroundVolumeID(self._nodes["image", view, None].GetID())
                composite.SetLabelVolumeID(None)
        self.look_at_images()
        self._dress()

    def look_at_images(self) -> None:
        """Every slice view stands on its film, with all of it."""
        for view, node in self._slices.items():
            set_plane(node, slice_plane(self.places[view]))
            fit_image(node, self.places[view])

    def look_at(self, view: str, number: int) -> None:
        """The square of one screw (from 1) fills its slice view."""
        node = self._slices.get(view)
        window = next((own for own in self.result.crops[view].windows if own.screw == number - 1), None)
        if node is None or window is None:
            return
        place = self.places[view]
        plane = slice_plane(place)
        plane[:3, 3] = place.on_detector(window.centre)
        set_plane(node, plane)
        width, height = (max(int(n), 1) for n in node.GetDimensions()[:2])
        scale = _AROUND * window.side_px * float(place.pixel_mm[0]) / min(width, height)
        node.SetFieldOfView(scale * width, scale * height, max(node.GetFieldOfView()[2], 1.0))

    def look(self, **changes: Any) -> None:
        """Other values of :class:`BrandLook`."""
        self.shown = replace(self.shown, **changes)
        self._dress()

    def close(self, remove_nodes: bool = True) -> None:
        """Let go of the scene, take out what was put into it, and give the slice views back."""
        if self.closed:
            return
        self.closed = True
        self._observers.remove()
        if remove_nodes:
            self._remove_nodes()

    @property
    def observer_count(self) -> int:
        """How many observers stand; none after :meth:`close`."""
        return len(self._observers)

    def _remove_nodes(self) -> None:
        own = {node.GetID() for node in self._nodes.values()}
        for node, plane in self._planes.items():
            set_plane(node, plane)
            composite = composite_of(self.scene, node)
            if composite is None:
                continue
            if composite.GetBackgroundVolumeID() in own:
                composite.SetBackgroundVolumeID(None)
            if composite.GetForegroundVolumeID() in own:
                composite.SetForegroundVolumeID(None)
        for node in (*self._nodes.values(), self._scale):
            if self.scene.IsNodePresent(node):
                remove_node(self.scene, node)
        self._nodes.clear()
        remove_folder(self.scene, self._folder)

    def _keep(self, what: str, view: str, which: Any, node: Any) -> Any:
        self._nodes[what, view, which] = node
        return file_away(self.scene, node, self._folder)

    def _add_view(self, view: str) -> None:
        located, place = self.result.located[view], self.places[view]
        self._keep("image", view, None, _add_image(self.scene, VIEW_WORDS[view], located.radiograph, place))
        for each in self.result.attention:
            if each.view == view:
                self._keep("attention", view, each.kind, self._add_attention(each, place))
        windows = {window.screw: window for window in self.result.crops[view].windows}
        for number in range(1, len(located.necks) + 1):
            lines = _lines(place, located, number - 1, windows.get(number - 1))
            self._keep("screw", view, number, self._add_lines(view, number, lines, number - 1 in windows))
        corners = {n + 1: _corners(window)[0] for n, window in windows.items()}
        points = {n: place.on_detector(corner) for n, corner in corners.items()}
        self._keep("numbers", view, None, _add_numbers(self.scene, f"Screws, {KIND_WORDS[view]}", points))

    def _add_attention(self, attention: Attention, place: View) -> Any:
        name = f"{KIND_WORDS[attention.kind]} model, {KIND_WORDS[attention.view]} image"
        affine = image_affine(place)
        affine[:3, :2] *= attention.step_px
        node = add_volume(self.scene, Volume(on_slice(attention.field), affine), name)
        display = node.GetDisplayNode()
        display.SetAndObserveColorNodeID(self._scale.GetID())
        display.SetWindowLevelMinMax(0.0, 1.0)
        display.SetInterpolate(True)
        display.ApplyThresholdOn()
        display.SetThreshold(LEAST_ATTENTION, 2.0)
        return node

    def _add_lines(self, view: str, number: int, lines: list[Floats], judged: bool) -> Any:
        name = f"Screw {number}, {KIND_WORDS[view]}" + ("" if judged else ", not judged")
        node = pose_models.add_model(self.scene, name)
        node.SetAndObservePolyData(polylines(lines))
        pose_models.dress_on_image(node)
        if judged:
            pose_models.paint(node, number, False)
        else:
            node.GetDisplayNode().SetColor(*pose_models.ALONE_COLOUR)
        return node

    def _dress(self) -> None:
        """What is seen, as :attr:`shown` says."""
        shown = self.shown
        for view, slice_node in self._slices.items():
            composite = composite_of(self.scene, slice_node)
            attention = self.node("attention", view, shown.model)
            if composite is not None:
                composite.SetForegroundVolumeID(attention.GetID() if attention is not None else None)
                composite.SetForegroundOpacity(
                    float(np.clip(shown.opacity, 0.0, 1.0)) if attention is not None else 0.0
                )
        for (what, view, _which), node in self._nodes.items():
            if what not in ("screw", "numbers") or not self.scene.IsNodePresent(node):
                continue
            own, display = self._slices.get(view), node.GetDisplayNode()
            display.SetViewNodeIDs([own.GetID()] if own is not None else [])
            display.SetVisibility(shown.outlines and own is not None)


def add_film(scene: Any, name: str, radiograph: Radiograph) -> Any:
    """A film in which nothing was sought yet, as a new volume node: bone and metal bright."""
    step = float(np.mean(radiograph.pixel_mm)) if radiograph.pixel_mm is not None else 1.0
    return _add_image(scene, name, radiograph, _plane(radiograph.view or "AP", radiograph.shape, step))


def _add_image(scene: Any, name: str, radiograph: Radiograph, place: View) -> Any:
    """The film as the models see it: bone and metal bright."""
    pixels = radiograph.dense_bright()
    node = add_volume(scene, Volume(on_slice(pixels), image_affine(place)), name)
    low, high = np.percentile(pixels, (_BLACK_PERCENT, _WHITE_PERCENT))
    node.GetDisplayNode().SetWindowLevelMinMax(float(low), float(max(high, low + 1e-3)))
    node.GetDisplayNode().SetInterpolate(True)
    return node


def _corners(window: Window) -> Floats:
    """(4, 2) of the image, in turn."""
    edge = SIZE - 0.5
    return window.to_image(np.array([(-0.5, -0.5), (edge, -0.5), (edge, edge), (-0.5, edge)]))


def _lines(place: View, located: Located, screw: int, window: Window | None) -> list[Floats]:
    """The axis of a screw on its film, and the square that was judged."""
    lines = [place.on_detector(np.stack([located.necks[screw], located.tips[screw]]))]
    if window is not None:
        corners = _corners(window)
        lines.append(place.on_detector(np.vstack([corners, corners[:1]])))
    return lines


def _add_numbers(scene: Any, name: str, points: dict[int, Floats]) -> Any:
    """Numbers at the squares; nobody can drag them."""
    node = scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", name)
    node.SetSaveWithScene(False)
    node.SetLocked(True)
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetPropertiesLabelVisibility(False)
    display.SetPointLabelsVisibility(True)
    display.SetGlyphTypeFromString("Circle2D")
    display.SetUseGlyphScale(True)
    display.SetGlyphScale(0.6)
    display.SetTextScale(4.0)
    for setter in (display.SetColor, display.SetSelectedColor):
        setter(1.0, 1.0, 1.0)
    for number, place in points.items():
        point = node.AddControlPointWorld(vtk.vtkVector3d(*place))
        node.SetNthControlPointLabel(point, str(number))
    return node
