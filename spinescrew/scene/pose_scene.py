"""Screws of two radiographs in a MRML scene: what is shown, and axes that can be dragged on either image."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import slicer
import vtk
from numpy.typing import NDArray

from spinescrew.errors import SpineScrewError
from spinescrew.implants.screw import Screw
from spinescrew.radiographs.pose_session import Correction, PoseSession
from spinescrew.radiographs.radiograph import Radiograph
from spinescrew.radiographs.regrid import same_part
from spinescrew.radiographs.view import View
from spinescrew.scene import pose_models
from spinescrew.scene.aligned_slices import plane_of, set_plane
from spinescrew.scene.composites import composite_of
from spinescrew.scene.folders import add_folder, file_away, remove_folder
from spinescrew.scene.host import DirectHost, Host
from spinescrew.scene.lines import polylines
from spinescrew.scene.look import PLAIN, Look
from spinescrew.scene.observers import Observers
from spinescrew.scene.pose_handles import Handles
from spinescrew.scene.pose_look import Shown
from spinescrew.scene.pose_names import Names, screw_names
from spinescrew.scene.pose_planned import PlannedScrews
from spinescrew.scene.radiograph_nodes import (
    RadiographNodes,
    detector_corners,
    fit_image,
    slice_plane,
    view_name,
)
from spinescrew.scene.remove import remove_node

if TYPE_CHECKING:
    from spinescrew.radiographs.pose import PosedScrew

Floats = NDArray[np.float64]

FOLDER_NAME = "Screws of two radiographs"
_CLICK_PX = 0.25
"""A hand that moved an end less than this only selected its screw."""


class PoseScene:
    """The poses of a session as nodes; ends of axes that are dragged become corrections of the session.

    Each radiograph is a volume of one slice that stands where its detector stood, so that slice views, 3D view and
    every point agree in RAS.

    Parameters
    ----------
    scene:
        The MRML scene.
    session:
        What is shown.
    radiographs:
        The two images, in the order of the session's views.
    host:
        Frames; without one everything happens at once.
    look:
        How much is drawn.

    Attributes
    ----------
    correct_by:
        What is done with a correction when a hand lets go; it is solved at once unless a window has another way.
    on_problem:
        Called with one line when a correction could not be solved; everything is as it was then.
    """

    def __init__(
        self,
        scene: Any,
        session: PoseSession,
        radiographs: Sequence[Radiograph],
        host: Host | None = None,
        look: Look = PLAIN,
    ) -> None:
        self.scene, self.session, self._look = scene, session, look
        self.host: Host = host or DirectHost()
        self.shown = Shown()
        self.correct_by: Callable[[Correction], None] = self._correct_now
        self.on_problem: list[Callable[[str], None]] = []
        self.closed = False
        self._slices: list[Any] = []
        self._planes: dict[Any, Floats] = {}
        self._models: dict[tuple[str, int], Any] = {}
        self._held: tuple[int, int] | None = None
        self._writing = 0
        self._observers = Observers()
        self._folder = add_folder(scene, FOLDER_NAME)
        self.images = [self._add_image(n, image) for n, image in enumerate(radiographs)]
        self.handles = [Handles(scene, f"{view_name(n, view)} axes") for n, view in enumerate(session.result.views)]
        self._names = Names(scene, "Screw numbers")
        self._planned = PlannedScrews(scene, self._file_away, look.light)
        for node in (*(handles.node for handles in self.handles), self._names.node):
            self._file_away(node)
        self._observe()
        session.on_change.append(self._on_session)
        self.refresh()

    def node(self, what: str, number: int = 0) -> Any:
        """A node by what it shows; ``None`` if someone removed it.

        ``"screw"`` (3D) and ``"view 1"``, ``"view 2"`` (its outline there) with a screw's number; ``"rays"`` of the
        screw in hand; ``"alone 1"``, ``"alone 2"``: axes that belong to no screw.
        """
        node = self._models.get((what, number))
        return node if node is not None and self.scene.IsNodePresent(node) else None

    def grid(self, view_index: int) -> View:
        """Where the pixels of a view's maps stand now: on the refined detector."""
        result = self.session.result
        given, used = result.given_views[view_index], result.views[view_index]
        return same_part(result.maps[view_index].view, given, used)

    def put_into(self, slice_nodes: Sequence[Any]) -> None:
        """Show each image in a slice view of its own, upright and whole; :meth:`close` gives the views back."""
        for handles in self.handles:
            handles.show_only_in(None)
        self._slices = list(slice_nodes)
        for node, image, handles in zip(self._slices, self.images, self.handles, strict=True):
            self._planes.setdefault(node, plane_of(node))
            composite = composite_of(self.scene, node)
            if composite is not None:
                composite.SetBackgroundVolumeID(image.nodes["image"].GetID())
                composite.SetForegroundVolumeID(None)
                composite.SetLabelVolumeID(image.nodes["labels"].GetID())
            handles.show_only_in(node)
        self.refresh()
        self.look_at_images()

    def show_planned(self, screws: Mapping[str, Screw]) -> None:
        """Planned screws, by name, where they would be in the views; none takes them away."""
        self._planned.show(screws, self.session.result.views)
        self._dress()

    def look_at_images(self) -> None:
        """The slice views stand on their detectors again, with the whole image in them."""
        for node, image in zip(self._slices, self.images, strict=False):
            set_plane(node, slice_plane(image.view))
            fit_image(node, image.view)

    def look(self, **changes: Any) -> None:
        """Other values of :class:`Shown`."""
        self.shown = replace(self.shown, **changes)
        self._show_names()
        self._dress()

    def box(self, everything: bool = False) -> Floats:
        """(6,) RAS bounds, as VTK has them, of the screws, or of sources and detectors too."""
        result = self.session.result
        points = [end for one in result.screws for end in (one.screw.tip, one.screw.entry - 15 * one.screw.direction)]
        if everything or not points:
            points += [point for image in self.images for point in (image.view.source, *detector_corners(image.view))]
        low, high = np.min(points, axis=0), np.max(points, axis=0)
        return np.column_stack([low, high]).ravel()

    def refresh(self) -> None:
        """Bring every node up to date."""
        self._writing += 1
        try:
            self._show()
        finally:
            self._writing -= 1

    def flush(self) -> None:
        """While an end is dragged: its axis follows."""
        if self._held is None or self.closed:
            return
        number, view_index = self._held
        node = self.node(f"view {view_index + 1}", number)
        ends = self._ends_of_handles(view_index, number)
        if node is not None and ends is not None:
            node.SetAndObservePolyData(polylines([ends]))

    def close(self, remove_nodes: bool = True) -> None:
        """Let go of the scene, take out what was put into it, and give the slice views back."""
        if self.closed:
            return
        self.closed = True
        self.host.stop()
        self._observers.remove()
        self.session.on_change.remove(self._on_session)
        if remove_nodes:
            self._remove_nodes()

    @property
    def observer_count(self) -> int:
        """How many observers stand; none after :meth:`close`."""
        return len(self._observers)

    def _remove_nodes(self) -> None:
        own = [image.nodes[part].GetID() for image in self.images for part in ("image", "labels")]
        for node, plane in self._planes.items():
            set_plane(node, plane)
            composite = composite_of(self.scene, node)
            if composite is None:
                continue
            if composite.GetBackgroundVolumeID() in own:
                composite.SetBackgroundVolumeID(None)
            if composite.GetLabelVolumeID() in own:
                composite.SetLabelVolumeID(None)
        self._planned.remove()
        nodes = [node for image in self.images for node in image.nodes.values()]
        nodes += [*self._models.values(), *(handles.node for handles in self.handles), self._names.node]
        for node in nodes:
            if self.scene.IsNodePresent(node):
                remove_node(self.scene, node)
        self._models.clear()
        remove_folder(self.scene, self._folder)

    def _add_image(self, number: int, image: Radiograph) -> RadiographNodes:
        result = self.session.result
        view, maps = result.views[number], result.maps[number]
        made = RadiographNodes(self.scene, view_name(number, view), image, maps, view, self.grid(number))
        for part, node in made.nodes.items():
            if part != "colours":
                self._file_away(node)
        return made

    def _file_away(self, node: Any) -> Any:
        return file_away(self.scene, node, self._folder)

    def _observe(self) -> None:
        kind = slicer.vtkMRMLMarkupsNode
        for number, handles in enumerate(self.handles):
            start, end, moved = self._on_start, self._on_end, self._on_moved
            node = handles.node
            self._observers.add(node, kind.PointStartInteractionEvent, lambda *_, n=number, do=start: do(n))
            self._observers.add(node, kind.PointEndInteractionEvent, lambda *_, n=number, do=end: do(n))
            self._observers.add(node, kind.PointModifiedEvent, lambda *_, n=number, do=moved: do(n))
        self._observers.add(self.scene, slicer.vtkMRMLScene.StartCloseEvent, lambda *_: self.close(False))

    def _on_start(self, view_index: int) -> None:
        held = self.handles[view_index].under_hand()
        if held is None or self._writing or self.closed:
            return
        self._held = held[0], view_index
        self.session.select(held[0])

    def _on_moved(self, view_index: int) -> None:
        if not self._writing and not self.closed and self._held is not None and self._held[1] == view_index:
            self.host.soon(self.flush)

    def _on_end(self, view_index: int) -> None:
        held, self._held = self._held, None
        if held is None or self._writing or self.closed:
            return
        self.correct(held[0], view_index)

    def correct(self, number: int, view_index: int) -> None:
        """The ends of a screw's axis as they lie on an image now become its axis there, where they were moved."""
        ends = self._ends_of_handles(view_index, number)
        if ends is None:
            return
        pixels = self.grid(view_index).project(ends)
        before = self.grid(view_index).project(self._ends(view_index, self.session.screw(number)))
        if np.abs(pixels - before).max() > _CLICK_PX:
            self.correct_by(self.session.axis_correction(number, view_index, pixels[0], pixels[1]))
        else:
            self.refresh()

    def _correct_now(self, correction: Correction) -> None:
        try:
            self.session.apply(correction, correction.solve())
        except SpineScrewError as error:
            for listener in tuple(self.on_problem):
                listener(str(error))
            self.refresh()

    def _ends_of_handles(self, view_index: int, number: int) -> Floats | None:
        """(2, 3) RAS where the handles of a screw are, on the detector."""
        handles = self.handles[view_index]
        points = handles.numbers()
        if (number, "neck") not in points or (number, "tip") not in points:
            return None
        places = np.stack([handles.position(points[number, "neck"]), handles.position(points[number, "tip"])])
        view = self.session.result.views[view_index]
        return view.on_detector(view.project(places))

    def _ends(self, view_index: int, screw: PosedScrew) -> Floats:
        """(2, 3) RAS: the ends of a screw's axis as they fall on the detector."""
        view = self.session.result.views[view_index]
        return view.on_detector(view.project(np.stack([screw.screw.entry, screw.screw.tip])))

    def _on_session(self) -> None:
        if not self.closed:
            self.refresh()

    def _show(self) -> None:
        result = self.session.result
        for n, image in enumerate(self.images):
            image.stand(result.views[n], self.grid(n))
        wanted = {("rays", 0)}
        for screw in result.screws:
            wanted.add(("screw", screw.number))
            self._show_screw(screw)
            for n in range(2):
                wanted.add((f"view {n + 1}", screw.number))
                self._show_outline(n, screw)
        for n, handles in enumerate(self.handles):
            wanted.add((f"alone {n + 1}", 0))
            self._show_alone(n)
            handles.show({screw.number: self._ends(n, screw) for screw in result.screws}, self.session.selected)
        for key in set(self._models) - wanted:
            remove_node(self.scene, self._models.pop(key))
        self._show_rays()
        self._show_names()
        self._dress()

    def _model(self, what: str, number: int, name: str) -> Any:
        node = self.node(what, number)
        if node is None:
            node = self._models[what, number] = self._file_away(pose_models.add_model(self.scene, name))
            if what.startswith(("view", "alone")):
                pose_models.dress_on_image(node)
            else:
                node.GetDisplayNode().SetVisibility2D(False)
        return node

    def _show_screw(self, screw: PosedScrew) -> None:
        node = self._model("screw", screw.number, f"Screw {screw.number}")
        node.SetAndObservePolyData(
            pose_models.posed_surface(screw.screw, screw.tulip_axis, screw.slot_deg, self._look.light)
        )
        pose_models.paint(node, screw.number, screw.number == self.session.selected)

    def _show_outline(self, n: int, screw: PosedScrew) -> None:
        node = self._model(f"view {n + 1}", screw.number, f"Screw {screw.number} in view {n + 1}")
        view = self.session.result.views[n]
        node.SetAndObservePolyData(pose_models.outline_lines(view, screw.screw, screw.tulip_axis))
        pose_models.paint(node, screw.number, screw.number == self.session.selected)

    def _show_alone(self, n: int) -> None:
        node = self._model(f"alone {n + 1}", 0, f"Seen in view {n + 1} only")
        grid = self.grid(n)
        alone = [np.stack([seen.neck, seen.tip]) for seen in self.session.result.unmatched[n]]
        node.SetAndObservePolyData(polylines([grid.on_detector(ends) for ends in alone]))
        node.GetDisplayNode().SetColor(*pose_models.ALONE_COLOUR)
        node.GetDisplayNode().SetSliceIntersectionThickness(pose_models.LINE_WIDTH)

    def _show_rays(self) -> None:
        node, screw = self._model("rays", 0, "Rays of the screw in hand"), self.session.in_hand
        lines = pose_models.rays(self.session.result.views, screw.screw) if screw is not None else vtk.vtkPolyData()
        node.SetAndObservePolyData(lines)
        if screw is not None:
            pose_models.paint(node, screw.number, False)
        node.GetDisplayNode().SetLighting(False)

    def _show_names(self) -> None:
        sources = [(image.name, image.view.source) for image in self.images] if self.shown.beams else []
        self._names.show([*screw_names(self.session.result.screws), *sources])

    def _dress(self) -> None:
        """What is seen, as :attr:`shown` says."""
        shown = self.shown
        for image in self.images:
            image.nodes["detector"].GetDisplayNode().SetVisibility(shown.detectors)
            for part in ("beam", "source"):
                image.nodes[part].GetDisplayNode().SetVisibility(shown.beams)
        self._planned.dress(self._slices, shown.planned, shown.outlines)
        rays = self.node("rays")
        if rays is not None:
            rays.GetDisplayNode().SetVisibility(shown.beams)
        for n, slice_node in enumerate(self._slices):
            composite = composite_of(self.scene, slice_node)
            if composite is not None:
                composite.SetLabelOpacity(float(np.clip(shown.overlay, 0.0, 1.0)))
            self._dress_lines(n, slice_node)

    def _dress_lines(self, n: int, slice_node: Any) -> None:
        for (what, _number), node in self._models.items():
            if what in (f"view {n + 1}", f"alone {n + 1}"):
                display = node.GetDisplayNode()
                display.SetViewNodeIDs([slice_node.GetID()])
                display.SetVisibility(self.shown.outlines)
