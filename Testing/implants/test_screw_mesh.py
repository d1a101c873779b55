"""Surfaces of screws, made and read."""

from __future__ import annotations

import numpy as np
import pytest

from spinescrew.errors import InputError
from spinescrew.geometry.vectors import rotation
from spinescrew.implants.mesh import pose_matrix, posed_mesh, screw_mesh
from spinescrew.implants.own_mesh import read_screw_mesh
from spinescrew.implants.screw import Screw, ScrewShape

SHAPES = [
    ScrewShape(6.5, 45.0),
    ScrewShape(8.5, 35.0),
    ScrewShape(3.5, 14.0, tulip_diameter_mm=8.0, tulip_height_mm=9.0),
    ScrewShape(10.5, 120.0),
    ScrewShape(6.5, 45.0, tip_taper_mm=0.0),
    ScrewShape(4.0, 8.0, tip_taper_mm=8.0),
]
THICK = ScrewShape(9.0, 30.0, tulip_diameter_mm=8.0)
named = pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"{shape.diameter_mm:g}x{shape.length_mm:g}")
threads = pytest.mark.parametrize("threaded", [True, False], ids=["threaded", "smooth"])


def corners(points, triangles):
    return (points[triangles[:, k]] for k in range(3))


def enclosed_volume(points, triangles) -> float:
    a, b, c = corners(points, triangles)
    return float((a * np.cross(b, c)).sum() / 6)


@pytest.mark.parametrize("shape", [*SHAPES, THICK], ids=lambda shape: f"{shape.diameter_mm:g}x{shape.length_mm:g}")
@threads
def test_every_edge_of_a_screw_belongs_to_two_triangles_that_agree_on_outside(shape, threaded):
    points, triangles = screw_mesh(shape, threaded=threaded)
    edges = triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    directed = set(map(tuple, edges.tolist()))
    assert len(directed) == len(edges)
    assert all((b, a) in directed for a, b in directed)
    assert len(points) - len(edges) // 2 + len(triangles) == 2
    assert set(np.unique(triangles)) == set(range(len(points)))


@named
@threads
def test_no_triangle_of_a_screw_is_flat(shape, threaded):
    a, b, c = corners(*screw_mesh(shape, threaded=threaded))
    assert np.linalg.norm(np.cross(b - a, c - a), axis=1).min() > 1e-4


@named
@threads
def test_a_screw_fills_its_sizes_and_no_more(shape, threaded):
    points, _ = screw_mesh(shape, threaded=threaded)
    radius, z = np.linalg.norm(points[:, :2], axis=1), points[:, 2]
    assert z.max() == shape.length_mm
    assert z.min() == pytest.approx(-shape.tulip_height_mm)
    shaft = z > 0
    assert (radius[shaft] <= shape.radius_at(z[shaft]) + 1e-9).all()
    if shape.length_mm > 3 * shape.tip_taper_mm:
        assert radius[shaft].max() == pytest.approx(shape.radius_mm, abs=0.05)
    assert radius[~shaft].max() == pytest.approx(shape.tulip_diameter_mm / 2)


def test_the_volume_of_a_smooth_shaft_is_that_of_its_cylinder_and_cone():
    def shaft_only(length):
        return enclosed_volume(*screw_mesh(ScrewShape(6.5, length), threaded=False))

    polygon = 48 / 2 * np.sin(2 * np.pi / 48)
    assert shaft_only(55.0) - shaft_only(45.0) == pytest.approx(polygon * 3.25**2 * 10, rel=1e-6)


def test_a_thread_takes_metal_away_but_not_more_than_to_its_core():
    smooth = enclosed_volume(*screw_mesh(SHAPES[0], threaded=False))
    threaded = enclosed_volume(*screw_mesh(SHAPES[0]))
    shaft = np.pi * 3.25**2 * 45
    assert 0.15 * shaft < smooth - threaded < (1 - 0.68**2) * shaft


def test_a_rod_fits_through_the_tulip_along_x():
    points, triangles = screw_mesh(SHAPES[0])
    tulip = points[points[:, 2] < 0]
    wall_beside_rod = tulip[(np.abs(tulip[:, 1]) < 5.5 / 2 - 0.1) & (tulip[:, 2] < -7.5)]
    assert len(wall_beside_rod) == 0
    assert (np.abs(tulip[:, 1]) > 6.0)[tulip[:, 2] < -14].any()


@pytest.mark.parametrize("sizes", [{"tulip_height_mm": 0.0}, {"tulip_diameter_mm": float("nan")}])
def test_a_tulip_without_a_size_is_refused(sizes):
    with pytest.raises(InputError, match="cannot be drawn"):
        screw_mesh(ScrewShape(6.5, 45.0, **sizes))


@pytest.mark.parametrize("direction", [(0, 1, 0), (0.3, 0.9, -0.2), (0, 0, 1), (0, 0, -1)])
def test_the_pose_takes_junction_to_entry_and_tip_to_tip_without_mirroring(direction):
    screw = Screw(np.array([10.0, -20.0, 300.0]), np.array(direction, dtype=float), SHAPES[0])
    matrix = pose_matrix(screw)
    assert np.linalg.det(matrix[:3, :3]) == pytest.approx(1)
    assert matrix @ [0, 0, 0, 1] == pytest.approx([*screw.entry, 1])
    assert matrix @ [0, 0, 45, 1] == pytest.approx([*screw.tip, 1])
    assert enclosed_volume(*posed_mesh(screw)) == pytest.approx(enclosed_volume(*screw_mesh(SHAPES[0])))


def test_the_slot_of_a_level_screw_lies_along_the_rod():
    screw = Screw(np.zeros(3), np.array([0.0, 1.0, 0.0]), SHAPES[0])
    assert pose_matrix(screw)[:3, 0] == pytest.approx([0, 0, 1])
    assert pose_matrix(screw, rod=(1, 0, 0))[:3, 0] == pytest.approx([1, 0, 0])


def saved(path, points, triangles):
    """Written by a library of others, so that reading is not tested against our own writer."""
    from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
    from vtkmodules.vtkCommonCore import vtkPoints
    from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
    from vtkmodules.vtkIOGeometry import vtkSTLWriter
    from vtkmodules.vtkIOXML import vtkXMLPolyDataWriter

    where, cells = vtkPoints(), vtkCellArray()
    where.SetData(numpy_to_vtk(np.ascontiguousarray(points), deep=True))
    offsets = np.arange(0, 3 * len(triangles) + 1, 3, dtype=np.int64)
    flat = np.ascontiguousarray(triangles, dtype=np.int64).ravel()
    cells.SetData(numpy_to_vtkIdTypeArray(offsets, deep=True), numpy_to_vtkIdTypeArray(flat, deep=True))
    surface = vtkPolyData()
    surface.SetPoints(where)
    surface.SetPolys(cells)
    writer = vtkSTLWriter() if path.suffix == ".stl" else vtkXMLPolyDataWriter()
    writer.SetFileName(str(path))
    writer.SetInputData(surface)
    writer.Write()
    return path


@named
@threads
@pytest.mark.parametrize("suffix", [".stl", ".vtp"])
def test_a_screw_saved_and_read_again_has_its_sizes(tmp_path, shape, threaded, suffix):
    found = read_screw_mesh(saved(tmp_path / f"own{suffix}", *screw_mesh(shape, threaded=threaded)))
    assert found.name == f"own{suffix}" and found.shape.item == f"mesh own{suffix}" and found.notes == ()
    if shape.tip_taper_mm < 8:
        assert found.shape.diameter_mm == pytest.approx(shape.diameter_mm, rel=0.03)
        assert found.shape.tip_taper_mm == pytest.approx(shape.tip_taper_mm, abs=2.5)
    assert found.shape.length_mm == pytest.approx(shape.length_mm, abs=1e-3)
    assert found.shape.tulip_diameter_mm == pytest.approx(shape.tulip_diameter_mm, rel=0.01)
    assert found.shape.tulip_height_mm == pytest.approx(shape.tulip_height_mm, abs=1e-3)


def rod_of(length, radius, below=0.0):
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    ring = np.column_stack([radius * np.cos(angles), radius * np.sin(angles)])
    points = np.vstack([np.column_stack([ring, np.full(24, z)]) for z in (-below, length)])
    points = np.vstack([points, [0, 0, -below], [0, 0, length]])
    i, j = np.arange(24), (np.arange(24) + 1) % 24
    sides = np.vstack([np.column_stack([i, j, j + 24]), np.column_stack([i, j + 24, i + 24])])
    caps = np.vstack([np.column_stack([np.full(24, 48), j, i]), np.column_stack([np.full(24, 49), i + 24, j + 24])])
    return points, np.vstack([sides, caps])


def test_a_headless_screw_of_few_long_triangles_is_measured_and_doubted(tmp_path):
    found = read_screw_mesh(saved(tmp_path / "bare.stl", *rod_of(40.0, 3.0)))
    assert (found.shape.diameter_mm, found.shape.length_mm) == (pytest.approx(6.0), pytest.approx(40.0))
    assert found.notes == ("the mesh has no head; a usual tulip is assumed",)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda p: p / 1000, "is it in metres? Scale it by 1000"),
        (lambda p: p / 25.4, "is it in inches? Scale it by 25.4"),
        (lambda p: p * 10, "is it in tenths of a millimetre? Scale it by 0.1"),
        (lambda p: p * 1e5, "a screw has 8 to 180 mm"),
        (lambda p: p @ rotation((1, 0, 0), 180).T, "its tip points towards -z; turn it by 180 degrees"),
        (lambda p: p @ rotation((1, 0, 0), 90).T, "the screw lies along y; turn it so that +z runs from head to tip"),
        (lambda p: p + [0, 0, 15], "its head reaches to z = 14"),
        (lambda p: p - [0, 0, 60], "its tip points towards -z"),
        (lambda p: p + [4, 0, 0], "its axis passes (4.0, 0.0) mm beside the origin; centre it on z"),
    ],
)
def test_a_mesh_off_the_convention_is_refused_with_what_to_change(tmp_path, change, said):
    points, triangles = screw_mesh(SHAPES[0])
    with pytest.raises(InputError) as error:
        read_screw_mesh(saved(tmp_path / "own.stl", change(points), triangles))
    assert said in str(error.value) and str(error.value).startswith("own.stl: ")


def test_a_bare_shaft_that_does_not_begin_at_the_origin_is_refused(tmp_path):
    with pytest.raises(InputError, match="its shaft begins at z = -10"):
        read_screw_mesh(saved(tmp_path / "bare.stl", *rod_of(30.0, 3.0, below=10.0)))


def test_a_shaft_no_one_sells_is_refused(tmp_path):
    with pytest.raises(InputError, match="diameter 1.6 mm is outside 2-12 mm"):
        read_screw_mesh(saved(tmp_path / "thin.stl", *rod_of(40.0, 0.8)))


def test_an_open_surface_is_refused_with_the_number_of_open_edges(tmp_path):
    points, triangles = screw_mesh(SHAPES[0])
    with pytest.raises(InputError, match="not closed, 3 edges are open"):
        read_screw_mesh(saved(tmp_path / "open.stl", points, triangles[:-1]))


@pytest.mark.parametrize("content", [b"", b"not a mesh", b"\0" * 84], ids=["empty", "text", "no triangles"])
@pytest.mark.parametrize("suffix", [".stl", ".vtp"])
def test_a_file_without_a_surface_is_refused(tmp_path, content, suffix):
    path = tmp_path / f"bad{suffix}"
    path.write_bytes(content)
    with pytest.raises(InputError, match="holds no readable surface"):
        read_screw_mesh(path)


def test_another_kind_of_file_and_a_missing_one_are_refused(tmp_path):
    with pytest.raises(InputError, match="neither .stl nor .vtp"):
        read_screw_mesh(tmp_path / "own.obj")
    with pytest.raises(InputError, match="there is no file"):
        read_screw_mesh(tmp_path / "own.stl")
