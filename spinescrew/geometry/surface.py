"""Surfaces of distance fields as triangles."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinescrew.geometry.sdf import SignedDistance


def bone_surface(bone: SignedDistance, distances: NDArray[np.float32] | None = None) -> Any:
    """Zero surface of a distance field as ``vtkPolyData`` in RAS mm, triangles facing outwards.

    ``distances`` replaces the field's values on its own grid, to cut parts away.
    """
    import vtk
    from vtk.util.numpy_support import numpy_to_vtk

    array = bone.volume.array if distances is None else distances
    image = vtk.vtkImageData()
    image.SetDimensions(array.shape)
    image.GetPointData().SetScalars(numpy_to_vtk(np.ascontiguousarray(array.ravel(order="F")), deep=True))
    contour = vtk.vtkFlyingEdges3D()
    contour.SetInputData(image)
    contour.SetValue(0, 0.0)
    contour.ComputeNormalsOff()
    contour.ComputeScalarsOff()
    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy(bone.volume.affine.ravel().tolist())
    transform = vtk.vtkMatrixToLinearTransform()
    transform.SetInput(matrix)
    moved = vtk.vtkTransformPolyDataFilter()
    moved.SetTransform(transform)
    moved.SetInputConnection(contour.GetOutputPort())
    moved.Update()
    # Contours face the smaller value, which is inside.
    if np.linalg.det(bone.volume.affine[:3, :3]) < 0:
        return moved.GetOutput()
    turned = vtk.vtkReverseSense()
    turned.SetInputConnection(moved.GetOutputPort())
    turned.Update()
    return turned.GetOutput()
