"""Slicer's 3D and slice views without a window: real view nodes, displayable managers, interactor styles and pixels.

On Linux they draw through EGL, in software where there is no graphics card; Debian's packages for it are libegl1,
libgl1, libegl-mesa0 and libgl1-mesa-dri. Positions in a view are (x, y) pixels from the lower left corner, as
VTK counts them; pictures have their first row on top. Nothing is drawn until it is asked for.
"""

from __future__ import annotations

import itertools
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import slicer
import vtk
from numpy.typing import NDArray
from vtk.util.numpy_support import vtk_to_numpy

from spinescrew.reports.render3d import rendering_problem
from spinescrew.scene.standalone import application_of

if sys.platform == "linux":
    os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")  # before VTK looks for an X server

Floats = NDArray[np.float64]
XY = tuple[float, float]

MANAGERS_3D = (
    "vtkMRMLCameraDisplayableManager",
    "vtkMRMLViewDisplayableManager",
    "vtkMRMLModelDisplayableManager",
    "vtkMRMLThreeDReformatDisplayableManager",
    "vtkMRMLCrosshairDisplayableManager3D",
    "vtkMRMLOrientationMarkerDisplayableManager",
    "vtkMRMLRulerDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager3D",
    "vtkMRMLMarkupsDisplayableManager",
    "vtkMRMLTransformsDisplayableManager3D",
    "vtkMRMLLinearTransformsDisplayableManager",
)
MANAGERS_SLICE = (
    "vtkMRMLCrosshairDisplayableManager",
    "vtkMRMLVolumeGlyphSliceDisplayableManager",
    "vtkMRMLModelSliceDisplayableManager",
    "vtkMRMLOrientationMarkerDisplayableManager",
    "vtkMRMLRulerDisplayableManager",
    "vtkMRMLScalarBarDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager2D",
    "vtkMRMLMarkupsDisplayableManager",
    "vtkMRMLTransformsDisplayableManager2D",
    "vtkMRMLLinearTransformsDisplayableManager",
)
# slicer-core's default presets by layout name
SLICES = {"Red": ("Axial", "R"), "Green": ("Coronal", "G"), "Yellow": ("Sagittal", "Y")}
PROBE = """
import os, sys
if sys.platform == "linux":
    os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
import vtk
import slicer
window = vtk.vtkRenderWindow()
window.SetOffScreenRendering(1)
window.SetSize(16, 16)
window.AddRenderer(vtk.vtkRenderer())
window.Render()
sys.exit(0 if window.GetNeverRendered() == 0 else 1)
"""


def views_problem() -> str:
    """Why views cannot be drawn here, in words; empty when they can. Tried once, in a process of its own."""
    problem = rendering_problem(PROBE)
    return f"{problem} (Debian: libegl1 libgl1 libegl-mesa0 libgl1-mesa-dri)" if problem else ""


class View:
    """What 3D and slice views have in common."""

    def __init__(self, scene: Any, factory: Any, managers: tuple[str, ...], size: tuple[int, int]) -> None:
        self.scene = scene
        self.renderer = vtk.vtkRenderer()
        self.window = vtk.vtkRenderWindow()
        self.window.SetOffScreenRendering(1)
        self.window.SetMultiSamples(0)  # software drivers lose translucent surfaces with samples and depth peeling
        self.window.SetSize(*size)
        self.window.AddRenderer(self.renderer)
        self.interactor = vtk.vtkGenericRenderWindowInteractor()
        self.interactor.SetRenderWindow(self.window)
        self.interactor.Initialize()
        self.interactor.SetSize(*size)
        self.style: Any = None
        self.managers = self._make_managers(factory.GetInstance(), managers)

    def _make_managers(self, factory: Any, names: tuple[str, ...]) -> Any:
        factory.SetMRMLApplicationLogic(application_of(self.scene))
        for name in names:
            if not factory.IsDisplayableManagerRegistered(name):
                factory.RegisterDisplayableManager(name)
        group = slicer.vtkMRMLDisplayableManagerGroup()
        group.Initialize(factory, self.renderer)
        return group

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return tuple(self.window.GetSize())

    def manager(self, name: str) -> Any:
        """A displayable manager by its class name."""
        return self.managers.GetDisplayableManagerByClassName(name)

    def render(self) -> None:
        """Draw what the scene holds now."""
        self.interactor.Render()

    def picture(self) -> NDArray[np.uint8]:
        """The view drawn anew, as (height, width, 3) 0..255, first row on top."""
        self.render()
        grab = vtk.vtkWindowToImageFilter()
        grab.SetInput(self.window)
        grab.ReadFrontBufferOff()
        grab.ShouldRerenderOff()
        grab.Update()
        width, height, _ = grab.GetOutput().GetDimensions()
        values = vtk_to_numpy(grab.GetOutput().GetPointData().GetScalars())
        return values.reshape(height, width, 3)[::-1].copy()

    def save(self, path: str | Path) -> None:
        """Write :meth:`picture` as a PNG file."""
        from PIL import Image

        Image.fromarray(self.picture()).save(path)

    def colour_at(self, ras: Any) -> NDArray[np.uint8]:
        """(3,) colour of the pixel where a point lies."""
        x, y = np.round(self.ras_to_display(ras)).astype(int)
        return self.picture()[self.size[1] - 1 - y, x]

    def ras_to_display(self, ras: Any) -> XY:
        """(x, y) of a RAS point."""
        raise NotImplementedError

    def drag(self, start_xy: XY, end_xy: XY, steps: int = 10, button: str = "left") -> None:
        """Move the mouse in, press at ``start_xy``, move in ``steps`` moves to ``end_xy`` and release there."""
        self.render()  # what lies under the mouse is asked of the last picture
        self._event("EnterEvent", start_xy)
        self.hover(start_xy)
        self._event(f"{button.capitalize()}ButtonPressEvent", start_xy)
        start, end = np.asarray(start_xy, float), np.asarray(end_xy, float)
        for fraction in np.linspace(0.0, 1.0, steps + 1)[1:]:
            self._event("MouseMoveEvent", start + fraction * (end - start))
        self._event(f"{button.capitalize()}ButtonReleaseEvent", end_xy)

    def hover(self, xy: XY) -> None:
        """Move the mouse to ``xy`` without a button: handles become active under it."""
        for x in (xy[0] - 1, xy[0]):
            self._event("MouseMoveEvent", (x, xy[1]))

    def _event(self, name: str, xy: Any) -> None:
        x, y = (round(float(value)) for value in xy)
        self.interactor.SetEventInformation(x, y, 0, 0, "\0", 0, None)
        self.interactor.InvokeEvent(name)

    def _close(self) -> None:
        self.style.SetInteractor(None)
        self.managers.SetMRMLDisplayableNode(None)
        self.interactor.SetInteractorStyle(None)
        self.style = self.managers = None
        self.window.Finalize()
        self.window.RemoveRenderer(self.renderer)


class ThreeDView(View):
    """The 3D view; :attr:`node` is its ``vtkMRMLViewNode``."""

    def __init__(self, scene: Any, size: tuple[int, int]) -> None:
        super().__init__(scene, slicer.vtkMRMLThreeDViewDisplayableManagerFactory, MANAGERS_3D, size)
        self.logic = slicer.vtkMRMLViewLogic()
        self.logic.SetMRMLApplicationLogic(application_of(scene))
        self.logic.SetMRMLScene(scene)
        application_of(scene).GetViewLogics().AddItem(self.logic)
        self.node = self.logic.AddViewNode("1")
        self.node.SetBoxVisible(False)
        self.node.SetAxisLabelsVisible(False)
        self.managers.SetMRMLDisplayableNode(self.node)
        self.interactor.SetInteractorStyle(vtk.vtkInteractorStyle3D())
        self.style = slicer.vtkMRMLThreeDViewInteractorStyle()
        self.style.SetDisplayableManagers(self.managers)
        self.style.SetInteractor(self.interactor)

    @property
    def camera(self) -> Any:
        """The ``vtkMRMLCameraNode`` of the view."""
        return self.manager("vtkMRMLCameraDisplayableManager").GetCameraNode()

    def look_from(self, direction: Any, up: Any = (0.0, 0.0, 1.0)) -> None:
        """Turn the camera so that it looks at its focal point from ``direction`` (towards the viewer)."""
        camera, unit = self.camera, np.asarray(direction, float) / np.linalg.norm(direction)
        focus = np.array(camera.GetFocalPoint())
        camera.SetPosition(focus + unit * np.linalg.norm(focus - camera.GetPosition()))
        camera.SetViewUp(up)
        self.renderer.ResetCameraClippingRange()

    def reset_camera(self) -> None:
        """Show all that is visible, without turning."""
        self.render()
        self.renderer.ResetCamera()
        self.renderer.ResetCameraClippingRange()

    def fit(self, ras_bounds: Any) -> None:
        """Show the box (x0, x1, y0, y1, z0, z1), without turning."""
        self.renderer.ResetCamera([float(value) for value in ras_bounds])
        self.renderer.ResetCameraClippingRange()

    def ras_to_display(self, ras: Any) -> XY:
        self.renderer.SetWorldPoint(*map(float, ras), 1.0)
        self.renderer.WorldToDisplay()
        x, y, _ = self.renderer.GetDisplayPoint()
        return x, y


class SliceView(View):
    """A slice view; :attr:`node` is its ``vtkMRMLSliceNode``, :attr:`composite` says which volumes it shows."""

    def __init__(self, scene: Any, name: str, size: tuple[int, int]) -> None:
        super().__init__(scene, slicer.vtkMRMLSliceViewDisplayableManagerFactory, MANAGERS_SLICE, size)
        self.renderer.GetActiveCamera().ParallelProjectionOn()
        self.logic = slicer.vtkMRMLSliceLogic()
        self.logic.SetMRMLApplicationLogic(application_of(scene))
        self.logic.SetMRMLScene(scene)
        application_of(scene).GetSliceLogics().AddItem(self.logic)
        self.node = self.logic.AddSliceNode(name)
        self._add_image()
        orientation, label = SLICES[name]
        self.node.SetLayoutLabel(label)
        self.node.SetOrientation(orientation)
        self.logic.ResizeSliceNode(*size)
        self.managers.SetMRMLDisplayableNode(self.node)
        self.interactor.SetInteractorStyle(vtk.vtkInteractorStyleUser())
        self.style = slicer.vtkMRMLSliceViewInteractorStyle()
        self.style.SetSliceLogic(self.logic)
        self.style.SetDisplayableManagers(self.managers)
        self.style.SetInteractor(self.interactor)

    def _add_image(self) -> None:
        """The actor of the volumes, first of all actors: what is added before it would be drawn without blending."""
        mapper = vtk.vtkImageMapper()
        mapper.SetColorWindow(255)
        mapper.SetColorLevel(127.5)
        self._image = vtk.vtkActor2D()
        self._image.SetMapper(mapper)
        self._image.GetProperty().SetDisplayLocationToBackground()
        self._image.SetVisibility(False)
        self.renderer.AddViewProp(self._image)

    @property
    def composite(self) -> Any:
        """The ``vtkMRMLSliceCompositeNode`` of the view."""
        return self.logic.GetSliceCompositeNode()

    def render(self) -> None:
        connection = self.logic.GetImageDataConnection()
        self._image.GetMapper().SetInputConnection(connection)
        self._image.SetVisibility(connection is not None)
        super().render()

    def set_background(self, volume_node: Any) -> None:
        """Show a volume, or none (``None``)."""
        self.composite.SetBackgroundVolumeID(volume_node.GetID() if volume_node is not None else None)
        self.logic.UpdatePipeline()

    def set_plane(self, origin: Any, normal: Any, up: Any) -> None:
        """Cut through ``origin`` (in the middle of the view), seen from the side to which ``normal`` points."""
        normal = np.asarray(normal, float) / np.linalg.norm(normal)
        right = np.cross(up, normal)
        right /= np.linalg.norm(right)
        matrix = np.eye(4)
        matrix[:3] = np.column_stack([right, np.cross(normal, right), normal, np.asarray(origin, float)])
        self.node.GetSliceToRAS().DeepCopy(matrix.ravel())
        self.node.UpdateMatrices()

    def reset_camera(self) -> None:
        """Show the whole background volume."""
        self.logic.FitSliceToBackground()

    def fit(self, ras_bounds: Any) -> None:
        """Show the box (x0, x1, y0, y1, z0, z1) in the middle, without leaving the plane."""
        corners = np.array(list(itertools.product(*np.reshape(ras_bounds, (3, 2)))), float)
        axes = _array(self.node.GetSliceToRAS())
        inside = (corners - axes[:3, 3]) @ axes[:3, :3]
        low, high = inside[:, :2].min(axis=0), inside[:, :2].max(axis=0)
        middle = axes[:3, 3] + axes[:3, :2] @ ((low + high) / 2)
        for row in range(3):
            self.node.GetSliceToRAS().SetElement(row, 3, middle[row])
        self.node.UpdateMatrices()
        width, height = self.size
        scale = max((high - low) / (width, height))
        self.node.SetFieldOfView(scale * width, scale * height, self.node.GetFieldOfView()[2])

    def ras_to_display(self, ras: Any) -> XY:
        x, y = (np.linalg.inv(_array(self.node.GetXYToRAS())) @ (*ras, 1.0))[:2]
        return float(x), float(y)


class Views:
    """A 3D view :attr:`three_d` and slice views :attr:`slices` of a scene made by ``full_scene.a_full_scene``.

    Ask :func:`views_problem` first: without a graphics driver VTK may end the process.
    """

    def __init__(self, scene: Any, size: tuple[int, int] = (400, 400)) -> None:
        self.scene = scene
        self.three_d = ThreeDView(scene, size)
        self.slices = {name: SliceView(scene, name, size) for name in SLICES}

    @property
    def all(self) -> tuple[View, ...]:
        """All four views."""
        return (self.three_d, *self.slices.values())

    def render(self) -> None:
        """Draw all of them."""
        for view in self.all:
            view.render()

    def close(self) -> None:
        """Free the windows, take the view nodes out of the scene."""
        application = application_of(self.scene)
        for view in self.all:
            view._close()
        for view in self.slices.values():
            application.GetSliceLogics().RemoveItem(view.logic)
            view.logic.SetMRMLScene(None)
        application.GetViewLogics().RemoveItem(self.three_d.logic)
        self.three_d.logic.SetMRMLScene(None)

    def __enter__(self) -> Views:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _array(matrix: Any) -> Floats:
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])
