"""Three-dimensional pictures of bones and screws, drawn off screen by VTK.

Bones and screws are drawn apart, both opaque, and put together by depth: what lies behind bone shines through it,
what stands out of it has its full colour. The picture is the same on every graphics driver, also on those that lose
translucent surfaces.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.geometry.sdf import SignedDistance
from spinescrew.geometry.surface import bone_surface
from spinescrew.geometry.volume import Volume
from spinescrew.implants.mesh import posed_mesh
from spinescrew.implants.screw import Screw
from spinescrew.reports.slices import ViewPlane

Picture = NDArray[np.uint8]
REACH_MM = 1000.0
CUT_MM = np.float32(0.05)
PROBE = """
import vtk
window = vtk.vtkRenderWindow()
window.SetOffScreenRendering(1)
window.SetSize(16, 16)
window.AddRenderer(vtk.vtkRenderer())
window.Render()
"""


@dataclass(frozen=True, eq=False)
class BonePart:
    """A bone, its ``"#RRGGBB"`` colour and the image it was seen in: it is drawn as cut where that image ends."""

    bone: SignedDistance
    colour: str
    image: Volume | None = None


@dataclass(frozen=True, eq=False)
class ScrewPart:
    """A screw, its ``"#RRGGBB"`` colour and the RAS direction (3,) in which its rod runs."""

    screw: Screw
    colour: str
    rod: Any = (0.0, 0.0, 1.0)


@lru_cache(maxsize=4)
def rendering_problem(probe: str = PROBE, timeout_s: float = 60.0) -> str:
    """Why 3D pictures cannot be drawn here, in words; empty when they can.

    Where no graphics driver is installed VTK ends the whole process, so it is tried once in a process of its own.
    Inside an application that shows windows itself (where the running program is not a Python) nothing is tried.
    """
    if "python" not in Path(sys.executable or "").name.lower():
        return ""
    try:
        tried = subprocess.run([sys.executable, "-c", probe], capture_output=True, timeout=timeout_s, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "3D drawing did not answer on this computer"
    if tried.returncode == 0:
        return ""
    if b"ModuleNotFoundError" in tried.stderr:
        return "3D pictures need the package vtk, which is not installed"
    return "no graphics driver for 3D drawing (OpenGL, EGL or OSMesa) was found on this computer"


def render(
    bones: Sequence[BonePart], screws: Sequence[ScrewPart], plane: ViewPlane, see_through: float = 0.6
) -> Picture:
    """Parallel projection on ``plane`` as (rows, columns, 3) 0..255 on white.

    ``see_through`` is how much of a screw's colour shines through the bone before it. Ask :func:`rendering_problem`
    first: without a graphics driver VTK may end the process.
    """
    bone_image, bone_depth = _draw([(_bone_mesh(part), part.colour, 0.12) for part in bones], plane)
    if not screws:
        return _shrink(bone_image)
    screw_image, screw_depth = _draw([(_screw_mesh(part), part.colour, 0.30) for part in screws], plane)
    share = np.where(screw_depth <= bone_depth, 1.0, see_through) * (screw_depth < 1.0)
    return _shrink(screw_image * share[..., None] + bone_image * (1.0 - share[..., None]))


def _shrink(image: NDArray[Any]) -> Picture:
    """Mean of 2 x 2 pixels: edges without steps, on any driver."""
    rows, columns = image.shape[0] // 2, image.shape[1] // 2
    blocks = image[: rows * 2, : columns * 2].astype(np.float64).reshape(rows, 2, columns, 2, 3)
    return np.round(blocks.mean(axis=(1, 3))).astype(np.uint8)


def _draw(parts: Sequence[tuple[Any, str, float]], plane: ViewPlane) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Colours (2 rows, 2 columns, 3) and depths in [0, 1] (1 where nothing is) of meshes at twice the resolution."""
    import vtk

    verbosity = vtk.vtkLogger.GetCurrentVerbosityCutoff()
    vtk.vtkLogger.SetStderrVerbosity(vtk.vtkLogger.VERBOSITY_ERROR)  # a missing X server is no news off screen
    renderer = vtk.vtkRenderer()
    renderer.SetBackground(1.0, 1.0, 1.0)
    for mesh, colour, ambient in parts:
        renderer.AddActor(_actor(mesh, colour, ambient))
    lights = vtk.vtkLightKit()
    lights.AddLightsToRenderer(renderer)
    _aim(renderer.GetActiveCamera(), plane)
    window = vtk.vtkRenderWindow()
    window.SetOffScreenRendering(1)
    window.SetMultiSamples(0)
    rows, columns = plane.shape
    window.SetSize(2 * columns, 2 * rows)
    window.AddRenderer(renderer)
    window.Render()
    colours, depths = _read(window, depth=False), _read(window, depth=True)
    window.Finalize()
    vtk.vtkLogger.SetStderrVerbosity(verbosity)
    return colours, depths[..., 0]


def _read(window: Any, depth: bool) -> NDArray[np.float64]:
    import vtk
    from vtk.util.numpy_support import vtk_to_numpy

    grab = vtk.vtkWindowToImageFilter()
    grab.SetInput(window)
    grab.ReadFrontBufferOff()
    if depth:
        grab.SetInputBufferTypeToZBuffer()
    grab.Update()
    image = grab.GetOutput()
    columns, rows, _ = image.GetDimensions()
    values = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(rows, columns, -1)
    return values[::-1].astype(np.float64)


def _aim(camera: Any, plane: ViewPlane) -> None:
    camera.ParallelProjectionOn()
    camera.SetFocalPoint(*plane.centre)
    camera.SetPosition(*(plane.centre + REACH_MM / 2 * plane.towards_viewer))
    camera.SetViewUp(*plane.up)
    camera.SetParallelScale(plane.height_mm / 2)
    camera.SetClippingRange(1.0, REACH_MM)


def _actor(mesh: Any, colour: str, ambient: float) -> Any:
    import vtk

    mapper = vtk.vtkPolyDataMapper()
    mapper.SetInputData(mesh)
    mapper.ScalarVisibilityOff()
    actor = vtk.vtkActor()
    actor.SetMapper(mapper)
    look = actor.GetProperty()
    look.SetColor(*[int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    look.SetAmbient(ambient)
    look.SetDiffuse(0.95)
    look.SetSpecular(0.15)
    look.SetSpecularPower(25)
    return actor


def _bone_mesh(part: BonePart) -> Any:
    """The surface of a bone as vtkPolyData in RAS, with outward normals whatever the handedness of its grid."""
    from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

    bone = part.bone
    distances = None
    if part.image is not None:
        seen = part.image.contains(bone.volume.index_to_ras(np.moveaxis(np.indices(bone.volume.shape), 0, -1)))
        distances = np.where(seen, bone.volume.array, np.maximum(bone.volume.array, CUT_MM))
    mesh = bone_surface(bone, distances)
    if mesh.GetNumberOfPoints():
        points = vtk_to_numpy(mesh.GetPoints().GetData()).astype(float)
        mesh.GetPointData().SetNormals(numpy_to_vtk(bone.gradient(points).astype(np.float32), deep=True))
    return mesh


def _screw_mesh(part: ScrewPart) -> Any:
    """A screw with its thread and tulip as vtkPolyData in RAS."""
    import vtk
    from vtk.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray

    points, triangles = posed_mesh(part.screw, part.rod)
    cells = np.column_stack([np.full(len(triangles), 3), triangles]).astype(np.int64)
    mesh, corners, faces = vtk.vtkPolyData(), vtk.vtkPoints(), vtk.vtkCellArray()
    corners.SetData(numpy_to_vtk(points.astype(np.float32), deep=True))
    faces.ImportLegacyFormat(numpy_to_vtkIdTypeArray(cells.ravel(), deep=True))
    mesh.SetPoints(corners)
    mesh.SetPolys(faces)
    normals = vtk.vtkPolyDataNormals()
    normals.SetInputData(mesh)
    normals.SetFeatureAngle(40)
    normals.Update()
    return normals.GetOutput()
