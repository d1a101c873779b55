"""Lines for display."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import vtk
from numpy.typing import NDArray
from vtk.util.numpy_support import numpy_to_vtk


def polylines(lines: Iterable[NDArray[np.float64]]) -> Any:
    """vtkPolyData of open lines, each (n, 3) points in RAS; repeat the first point to close one."""
    kept = [np.asarray(line, dtype=np.float64) for line in lines if len(line) > 1]
    mesh, points, cells = vtk.vtkPolyData(), vtk.vtkPoints(), vtk.vtkCellArray()
    every = np.vstack(kept) if kept else np.zeros((0, 3))
    points.SetData(numpy_to_vtk(np.ascontiguousarray(every, dtype=np.float32), deep=True))
    start = 0
    for line in kept:
        cells.InsertNextCell(len(line))
        for number in range(start, start + len(line)):
            cells.InsertCellPoint(number)
        start += len(line)
    mesh.SetPoints(points)
    mesh.SetLines(cells)
    return mesh
