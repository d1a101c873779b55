import numpy as np
import pytest
from shapes import ball, random_rotation, voxelised

from spinescrew.geometry.sdf import SignedDistance
from spinescrew.geometry.surface import bone_surface


@pytest.mark.parametrize("left_handed", [False, True])
def test_the_surface_of_a_ball_is_where_it_is_and_faces_outwards(left_handed):
    from vtk import vtkMassProperties, vtkPolyDataNormals
    from vtk.util.numpy_support import vtk_to_numpy

    mask = voxelised(ball, (0.8, 0.9, 1.0), random_rotation(1), left_handed=left_handed)
    surface = bone_surface(SignedDistance.from_mask(mask))
    points = vtk_to_numpy(surface.GetPoints().GetData())
    assert np.abs(np.linalg.norm(points, axis=1) - 9.0).max() < 0.4
    size = vtkMassProperties()
    size.SetInputData(surface)
    assert size.GetVolume() == pytest.approx(4 / 3 * np.pi * 9**3, rel=0.03)
    normals = vtkPolyDataNormals()
    normals.SetInputData(surface)
    normals.SplittingOff()
    normals.ConsistencyOff()
    normals.Update()
    outward = vtk_to_numpy(normals.GetOutput().GetPointData().GetNormals())
    where = vtk_to_numpy(normals.GetOutput().GetPoints().GetData())
    assert (np.sum(outward * where, axis=1) > 0).all()
