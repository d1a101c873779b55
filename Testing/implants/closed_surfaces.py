"""What every surface of an implant has to be."""

import numpy as np


def volume(points, triangles):
    a, b, c = (points[triangles[:, k]] for k in range(3))
    return float((a * np.cross(b, c)).sum() / 6)


def assert_closed(mesh):
    """Every edge in exactly two triangles that agree on outside, every point used, no triangle flat."""
    points, triangles = mesh
    assert np.isfinite(points).all()
    edges = triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    there = edges[:, 0] * len(points) + edges[:, 1]
    back = edges[:, 1] * len(points) + edges[:, 0]
    assert len(np.unique(there)) == len(there)
    np.testing.assert_array_equal(np.sort(there), np.sort(back))
    np.testing.assert_array_equal(np.unique(triangles), np.arange(len(points)))
    a, b, c = (points[triangles[:, k]] for k in range(3))
    assert np.linalg.norm(np.cross(b - a, c - a), axis=1).min() > 1e-7
    assert volume(points, triangles) > 0
