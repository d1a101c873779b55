"""Surfaces for display: screws in their own frame, and where a screw pierces bone."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import vtk
from numpy.typing import NDArray
from vtk.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray, vtk_to_numpy

from spinescrew.anatomy.vertebra import Vertebra
from spinescrew.geometry.surface import bone_surface
from spinescrew.grading.assessment import Assessment
from spinescrew.implants.mesh import pose_matrix, screw_mesh
from spinescrew.implants.screw import Screw, ScrewShape

Floats = NDArray[np.float64]
Triangles = NDArray[np.int64]

_LIFTED_MM = 0.15
_SPOT_RADIUS_MM = 0.9


def polydata(points: Floats, triangles: Triangles, normals: bool = False) -> Any:
    """vtkPolyData of ``points`` (n, 3) and ``triangles`` (m, 3)."""
    mesh, corners, faces = vtk.vtkPolyData(), vtk.vtkPoints(), vtk.vtkCellArray()
    corners.SetData(numpy_to_vtk(np.ascontiguousarray(points, dtype=np.float32), deep=True))
    cells = np.column_stack([np.full(len(triangles), 3), triangles]).astype(np.int64)
    faces.ImportLegacyFormat(numpy_to_vtkIdTypeArray(np.ascontiguousarray(cells.ravel()), deep=True))
    mesh.SetPoints(corners)
    mesh.SetPolys(faces)
    if normals:
        mesh.GetPointData().SetNormals(numpy_to_vtk(_point_normals(points, triangles), deep=True))
    return mesh


@lru_cache(maxsize=128)
def screw_surface(shape: ScrewShape, threaded: bool = True, light: bool = False) -> Any:
    """Surface of a screw in its own frame as vtkPolyData; the same object for the same shape, never change it.

    A ``light`` one has a quarter of the triangles, for the eye only.
    """
    points, triangles = screw_mesh(shape, threaded=threaded)
    return _lightened(polydata(points, triangles)) if light else polydata(points, triangles, normals=True)


def _lightened(surface: Any) -> Any:
    fewer = vtk.vtkQuadricDecimation()
    fewer.SetInputData(surface)
    fewer.SetTargetReduction(0.75)
    normals = vtk.vtkPolyDataNormals()
    normals.SetInputConnection(fewer.GetOutputPort())
    normals.SetFeatureAngle(40.0)
    normals.Update()
    return normals.GetOutput()


class BonePiercing:
    """Where screws pierce one vertebra: its surface, kept as arrays."""

    def __init__(self, vertebra: Vertebra) -> None:
        self._bone = vertebra.bone
        surface = bone_surface(vertebra.bone)
        self._points = vtk_to_numpy(surface.GetPoints().GetData()).astype(np.float64)
        self._triangles = vtk_to_numpy(surface.GetPolys().GetConnectivityArray()).reshape(-1, 3)
        self._triangles = np.asfortranarray(self._triangles.astype(np.int64))

    def patch(self, screw: Screw, assessment: Assessment) -> Any:
        """vtkPolyData in RAS: the part of the shaft outside bone, the bone inside the shaft, and the deepest point.

        Told for the graded zone and, where the body is breached too, from there to the tip.
        """
        zone = assessment.zone_mm
        if zone is None:
            return vtk.vtkPolyData()
        end = screw.shape.length_mm if any(mm > 0 for mm in assessment.body_breaches.values()) else zone[1]
        parts = [self._shaft_outside(screw, zone[0], end), self._bone_inside(screw, zone[0], end)]
        if assessment.breach is not None and assessment.breach.point is not None:
            parts.append(_spot(np.array(assessment.breach.point)))
        return _joined(parts)

    def _shaft_outside(self, screw: Screw, start: float, end: float) -> tuple[Floats, Triangles]:
        points, triangles = _envelope(screw.shape)
        shaft = (points[:, 2] >= start) & (points[:, 2] <= end)
        radial = points * (1.0, 1.0, 0.0)
        lifted = points + _LIFTED_MM * radial / np.maximum(np.linalg.norm(radial, axis=1, keepdims=True), 1e-9)
        matrix = pose_matrix(screw)
        placed = lifted @ matrix[:3, :3].T + matrix[:3, 3]
        outside = np.zeros(len(points), bool)
        outside[shaft] = self._bone.sample(placed[shaft]) > 0
        return _kept(placed, triangles, outside)

    def _bone_inside(self, screw: Screw, start: float, end: float) -> tuple[Floats, Triangles]:
        arm = self._points - screw.entry
        depth = arm @ screw.direction
        square = np.einsum("ij,ij->i", arm, arm) - depth * depth
        inside = (square <= (screw.shape.radius_mm + 0.3) ** 2) & (depth >= start) & (depth <= end)
        return _kept(self._points, self._triangles, inside)


def _kept(points: Floats, triangles: Triangles, keep: NDArray[np.bool_]) -> tuple[Floats, Triangles]:
    """The triangles all of whose corners are kept, points renumbered."""
    a, b, c = triangles.T
    chosen = triangles[np.flatnonzero(keep[a] & keep[b] & keep[c])]
    used, numbers = np.unique(chosen, return_inverse=True)
    return points[used], numbers.reshape(-1, 3)


@lru_cache(maxsize=32)
def _envelope(shape: ScrewShape) -> tuple[Floats, Triangles]:
    """The smooth surface that grading uses."""
    points, triangles = screw_mesh(shape, threaded=False)
    return points, np.asfortranarray(triangles)


def _spot(centre: Floats) -> tuple[Floats, Triangles]:
    points, triangles = _ball()
    return points + centre, triangles


@lru_cache(maxsize=1)
def _ball() -> tuple[Floats, Triangles]:
    source = vtk.vtkSphereSource()
    source.SetRadius(_SPOT_RADIUS_MM)
    source.SetThetaResolution(10)
    source.SetPhiResolution(8)
    source.Update()
    mesh = source.GetOutput()
    points = vtk_to_numpy(mesh.GetPoints().GetData()).astype(np.float64)
    return points, vtk_to_numpy(mesh.GetPolys().GetConnectivityArray()).reshape(-1, 3).astype(np.int64)


def _joined(parts: list[tuple[Floats, Triangles]]) -> Any:
    offsets = np.cumsum([0, *(len(points) for points, _ in parts)])
    points = np.concatenate([points for points, _ in parts])
    triangles = np.concatenate([t + n for (_, t), n in zip(parts, offsets[:-1], strict=True)])
    return polydata(points, triangles)


def _point_normals(points: Floats, triangles: Triangles) -> NDArray[np.float32]:
    """Mean of the faces around each point, by area."""
    a, b, c = (points[triangles[:, n]] for n in range(3))
    faces = np.cross(b - a, c - a)
    summed = np.stack(
        [np.bincount(triangles.ravel(), np.repeat(faces[:, n], 3), minlength=len(points)) for n in range(3)], axis=1
    )
    length = np.maximum(np.linalg.norm(summed, axis=1, keepdims=True), 1e-12)
    return np.asarray(summed / length, dtype=np.float32)
