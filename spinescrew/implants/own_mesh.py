"""Screw surfaces of one's own (STL or VTP), checked against the stated axis convention."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.errors import InputError
from spinescrew.implants.screw import ScrewShape
from spinescrew.implants.sizes import LIMITS_MM, size_problem

Floats = NDArray[np.float64]
Triangles = NDArray[np.int64]

CONVENTION = "millimetres, +z from head to tip, origin on the screw's axis where the shaft begins below the head"
_LONGEST_MM = (LIMITS_MM["length"][0], LIMITS_MM["length"][1] + LIMITS_MM["tulip height"][1])
_UNITS = ((1000.0, "metres"), (25.4, "inches"), (10.0, "centimetres"), (0.1, "tenths of a millimetre"))
_USUAL_LONGEST_MM = (25.0, 90.0)
_OFF_AXIS_SHARE = 0.2
_HEAD_SHARE = 1.3
_HEADLESS_MM = 1.0
_NECK_SHARE = 1.05
_FULL_RADIUS_SHARE = 0.95
_HEIGHTS = 200
_Z = 2


@dataclass(frozen=True, eq=False)
class ScrewMesh:
    """A screw's own surface, with the sizes that grading and planning use.

    Attributes
    ----------
    name:
        File name, without its folder.
    points, triangles:
        (n, 3) mm in the screw's own frame (:data:`CONVENTION`), and (m, 3) indices.
    shape:
        Shaft, taper and tulip measured on the surface; its item is ``"mesh <name>"``, so that a plan says which
        surface was meant.
    notes:
        Doubts for people to read.
    """

    name: str
    points: Floats
    triangles: Triangles
    shape: ScrewShape
    notes: tuple[str, ...] = ()


def read_screw_mesh(path: str | Path) -> ScrewMesh:
    """A screw's surface from an ``.stl`` or ``.vtp`` file.

    The surface must be closed and follow :data:`CONVENTION`; nothing is turned, moved or scaled silently. How far it
    is turned about its own axis does not matter, so STL files in RAS and in LPS read the same.

    Raises
    ------
    InputError
        If the file cannot be read, holds no closed surface, is in another unit, points the wrong way, stands beside
        its axis, or is no screw anyone sells; the message says which and what to change.
    """
    path = Path(path)
    points, triangles = _read(path)
    try:
        shape, notes = _measured(points, triangles, f"mesh {path.name}")
    except InputError as error:
        raise InputError(f"{path.name}: {error} (a screw mesh needs {CONVENTION})") from error
    return ScrewMesh(path.name, points, triangles, shape, notes)


def _read(path: Path) -> tuple[Floats, Triangles]:
    """Points and triangles of a closed surface; points of neighbouring triangles are shared."""
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkFiltersCore import vtkCleanPolyData, vtkFeatureEdges, vtkTriangleFilter
    from vtkmodules.vtkIOGeometry import vtkSTLReader
    from vtkmodules.vtkIOXML import vtkXMLPolyDataReader

    readers: dict[str, Any] = {".stl": vtkSTLReader, ".vtp": vtkXMLPolyDataReader}
    if path.suffix.lower() not in readers:
        raise InputError(f"{path.name} is neither .stl nor .vtp; save the screw's surface as one of them")
    if not path.is_file():
        raise InputError(f"there is no file '{path}'; check the path")
    reader = readers[path.suffix.lower()]()
    reader.SetFileName(str(path))
    complaints: list[str] = []
    reader.AddObserver("ErrorEvent", lambda *_: complaints.append("error"))
    triangulate = vtkTriangleFilter()
    triangulate.PassLinesOff()
    triangulate.PassVertsOff()
    triangulate.SetInputConnection(reader.GetOutputPort())
    clean = vtkCleanPolyData()
    clean.SetInputConnection(triangulate.GetOutputPort())
    clean.Update()
    surface = clean.GetOutput()
    if complaints or surface.GetNumberOfPolys() == 0:
        raise InputError(f"{path.name} holds no readable surface; export the screw again")
    edges = vtkFeatureEdges()
    edges.BoundaryEdgesOn()
    edges.FeatureEdgesOff()
    edges.ManifoldEdgesOff()
    edges.NonManifoldEdgesOff()
    edges.SetInputData(surface)
    edges.Update()
    open_edges = edges.GetOutput().GetNumberOfCells()
    if open_edges:
        raise InputError(f"{path.name}: the surface is not closed, {open_edges} edges are open; close its holes")
    points = vtk_to_numpy(surface.GetPoints().GetData()).astype(np.float64)
    triangles = vtk_to_numpy(surface.GetPolys().GetConnectivityArray()).reshape(-1, 3).astype(np.int64)
    if not np.isfinite(points).all():
        raise InputError(f"{path.name} holds points that are not numbers; export the screw again")
    return points, triangles


def _measured(points: Floats, triangles: Triangles, item: str) -> tuple[ScrewShape, tuple[str, ...]]:
    """Sizes of the screw, after checks on unit, axis and origin."""
    extent = np.ptp(points, axis=0)
    _check_unit(float(extent.max()))
    if extent.argmax() != _Z:
        raise InputError(f"the screw lies along {'xyz'[extent.argmax()]}; turn it so that +z runs from head to tip")
    low, high = float(points[:, _Z].min()), float(points[:, _Z].max())
    outline = _outline(points, triangles)
    radius, z = np.linalg.norm(outline[:, :_Z], axis=1), outline[:, _Z]
    half = (low + high) / 2
    if high < _HEADLESS_MM or _widest(radius, z > half) > _HEAD_SHARE * _widest(radius, z <= half):
        raise InputError("its tip points towards -z; turn it by 180 degrees about x")
    middle = outline[(z > 0.3 * high) & (z < 0.8 * high), :_Z]
    centre = (middle.max(axis=0) + middle.min(axis=0)) / 2
    thickness = float(np.ptp(middle, axis=0).max())
    if np.linalg.norm(centre) > _OFF_AXIS_SHARE * thickness / 2:
        raise InputError(f"its axis passes ({centre[0]:.1f}, {centre[1]:.1f}) mm beside the origin; centre it on z")
    wide = z[(radius > _HEAD_SHARE * thickness / 2) & (z > _HEADLESS_MM)]
    if wide.size:
        raise InputError(f"its head reaches to z = {wide.max():.1f}; move it so that the shaft begins at z = 0")
    if low < -_HEADLESS_MM and _widest(radius, z < 0) < _NECK_SHARE * thickness / 2:
        raise InputError(f"its shaft begins at z = {low:.1f}; move it so that the shaft begins at z = 0")
    shaft = _widest(radius, z > _HEADLESS_MM)
    for what, value in (("diameter", 2 * shaft), ("length", high)):
        if problem := size_problem(what, value):
            raise InputError(problem)
    taper = min(high - float(z[(radius >= _FULL_RADIUS_SHARE * shaft) & (z > 0)].max()), high / 2)
    if low >= -_HEADLESS_MM:
        return ScrewShape(2 * shaft, high, taper, item=item), ("the mesh has no head; a usual tulip is assumed",)
    return ScrewShape(2 * shaft, high, taper, 0.5, 2 * _widest(radius, z < 0), -low, item), ()


def _outline(points: Floats, triangles: Triangles) -> Floats:
    """Points (n, 3) where the edges of the surface cross evenly spaced heights: long triangles count in full."""
    edges = np.unique(np.sort(triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1), axis=0)
    start, end = points[edges[:, 0]], points[edges[:, 1]]
    low, high = points[:, _Z].min(), points[:, _Z].max()
    crossings = []
    for height in np.linspace(low, high, _HEIGHTS + 2)[1:-1]:
        across = (start[:, _Z] < height) != (end[:, _Z] < height)
        a, b = start[across], end[across]
        share = (height - a[:, _Z]) / (b[:, _Z] - a[:, _Z])
        crossings.append(a + share[:, None] * (b - a))
    return np.concatenate(crossings)


def _widest(radius: Floats, where: NDArray[np.bool_]) -> float:
    return float(radius[where].max()) if where.any() else 0.0


def _check_unit(longest: float) -> None:
    low, high = _LONGEST_MM
    if low <= longest <= high:
        return
    for factor, unit in _UNITS:
        if _USUAL_LONGEST_MM[0] <= longest * factor <= _USUAL_LONGEST_MM[1]:
            raise InputError(f"its longest side is {longest:g} mm, is it in {unit}? Scale it by {factor:g}")
    raise InputError(f"its longest side is {longest:g} mm, a screw has {low:g} to {high:g} mm")
