"""Length of rays in metal, against shapes whose chords are known."""

import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from spinescrew.errors import GeometryError
from spinescrew.geometry.vectors import rotation
from spinescrew.implants.mesh import screw_mesh
from spinescrew.implants.screw import ScrewShape
from spinescrew.radiographs.c_arm import ap, from_c_arm, lateral
from spinescrew.radiographs.metal import metal_path, metal_paths

SMALL = {"pixel_mm": 0.776, "shape": (96, 128)}
OBLIQUE = from_c_arm(25, -15, (3, -4, 5), **SMALL)
CORNERS = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=float)
SIDES = [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]
BOX = np.array([half for a, b, c, d in SIDES for half in ([a, b, c], [a, c, d])])


def sphere(radius, turns=96):
    """Rings from pole to pole."""
    angles = 2 * np.pi * np.arange(turns) / turns
    points, triangles = [[0, 0, radius]], []
    for polar in np.linspace(0, np.pi, turns // 2 + 1)[1:-1]:
        for angle in angles:
            points.append(
                radius * np.array([np.sin(polar) * np.cos(angle), np.sin(polar) * np.sin(angle), np.cos(polar)])
            )
    points.append([0, 0, -radius])
    last = len(points) - 1
    for k in range(turns):
        after = (k + 1) % turns
        triangles += [[0, 1 + k, 1 + after], [last, last - turns + after, last - turns + k]]
        for ring in range(turns // 2 - 2):
            a, b, c, d = (1 + (ring + down) * turns + side for down in (0, 1) for side in (k, after))
            triangles += [[a, c, b], [b, c, d]]
    return np.array(points, dtype=float), np.array(triangles)


def cylinder(radius, half, turns=360):
    angles = 2 * np.pi * np.arange(turns) / turns
    ring = np.column_stack([radius * np.cos(angles), radius * np.sin(angles), np.zeros(turns)])
    points = np.vstack([ring - (0, 0, half), ring + (0, 0, half), [[0, 0, -half], [0, 0, half]]])
    k, after = np.arange(turns), (np.arange(turns) + 1) % turns
    low, high = np.full(turns, 2 * turns), np.full(turns, 2 * turns + 1)
    parts = [
        (k, after, after + turns),
        (k, after + turns, k + turns),
        (low, after, k),
        (high, k + turns, after + turns),
    ]
    return points, np.concatenate([np.column_stack(part) for part in parts])


def all_rays(view):
    rows, columns = np.indices(view.shape)
    return view.rays(np.stack([columns, rows], axis=-1))


def chords_of_box(view, low, high):
    with np.errstate(divide="ignore"):
        to_low, to_high = (
            (np.asarray(low) - view.source) / all_rays(view),
            (np.asarray(high) - view.source) / all_rays(view),
        )
    enter, leave = np.minimum(to_low, to_high).max(-1), np.maximum(to_low, to_high).min(-1)
    return np.maximum(leave - enter, 0.0)


def chords_of_sphere(view, centre, radius):
    to_centre = np.asarray(centre) - view.source
    along = all_rays(view) @ to_centre
    return 2 * np.sqrt(np.maximum(radius**2 - (to_centre @ to_centre - along**2), 0.0))


@pytest.mark.parametrize("view", [ap(**SMALL), lateral(**SMALL), OBLIQUE], ids=["ap", "lateral", "oblique"])
def test_a_box_has_the_chords_of_its_slabs(view):
    low, high = np.array([-7.3, -4.1, -9.7]), np.array([6.2, 5.9, 3.3])
    path = metal_path(view, (low + high) / 2 + CORNERS * (high - low) / 2, BOX)
    assert path.dtype == np.float32
    assert path.shape == view.shape
    # Rays that graze an edge may fall on either side of it by the 0.0001 pixel to which corners are placed.
    np.testing.assert_allclose(path, chords_of_box(view, low, high), atol=5e-3)
    assert np.abs(path - chords_of_box(view, low, high)).mean() < 1e-5


def test_a_sphere_has_the_chords_of_a_sphere():
    points, triangles = sphere(12.0)
    path = metal_path(OBLIQUE, points + (3, -4, 5), triangles)
    truth = chords_of_sphere(OBLIQUE, (3, -4, 5), 12.0)
    assert truth.max() > 23.9
    inside = truth > 8
    assert np.abs(path - truth)[inside].max() < 0.08
    np.testing.assert_array_equal(path[truth == 0], 0)
    area = np.prod(OBLIQUE.pixel_mm) / OBLIQUE.magnification((3, -4, 5)) ** 2
    assert path.sum() * area == pytest.approx(4 / 3 * np.pi * 12**3, rel=0.01)


def test_a_cylinder_end_on_and_side_on():
    points, triangles = cylinder(5.0, 20.0)
    end_on = points @ rotation((1, 0, 0), 90).T
    view = ap(**SMALL)
    column, row = np.round(view.centre_pixel).astype(int)
    slant = 1 / (all_rays(view)[row, column] @ view.normal)
    assert metal_path(view, end_on, triangles)[row, column] == pytest.approx(40.0 * slant, abs=1e-4)
    side_on = metal_path(view, points, triangles)[row]
    # In the plane through the source at right angles to the cylinder, chords are those of a circle.
    rays = all_rays(view)[row]
    flat = np.linalg.norm(rays[:, :2], axis=1)
    past = np.abs(rays[:, 0] * view.source[1] - rays[:, 1] * view.source[0]) / flat
    np.testing.assert_allclose(side_on, 2 * np.sqrt(np.maximum(25 - past**2, 0)) / flat, atol=0.02)


def u_shape():
    """Two walls on a floor: a tulip seen along its rod. Its outline (x, z), pulled from y = -6 to 6."""
    outline = np.array([[-6, 0], [6, 0], [6, 14], [3, 14], [3, 4], [-3, 4], [-3, 14], [-6, 14]], dtype=float)
    cap = np.array([[0, 1, 4], [1, 2, 4], [2, 3, 4], [0, 4, 5], [0, 5, 7], [5, 6, 7]])
    k, after = np.arange(8), (np.arange(8) + 1) % 8
    points = np.vstack([np.insert(outline, 1, y, axis=1) for y in (-6.0, 6.0)])
    walls = np.vstack([np.column_stack([k, after + 8, after]), np.column_stack([k, k + 8, after + 8])])
    return points, np.vstack([cap, cap[:, ::-1] + 8, walls])


@pytest.mark.parametrize("view", [ap(**SMALL), lateral(**SMALL), OBLIQUE], ids=["ap", "lateral", "oblique"])
def test_a_u_shape_counts_both_its_walls_and_not_what_lies_between(view):
    path = metal_path(view, *u_shape())
    boxes = [((-6, -6, 0), (6, 6, 4)), ((-6, -6, 4), (-3, 6, 14)), ((3, -6, 4), (6, 6, 14))]
    np.testing.assert_allclose(path, sum(chords_of_box(view, *box) for box in boxes), atol=1e-2)


@pytest.mark.parametrize("view", [ap(**SMALL), OBLIQUE], ids=["ap", "oblique"])
def test_a_mirrored_view_shows_the_mirrored_image(view):
    flipped = replace(view, detector_origin=view.on_detector((view.shape[1] - 1, 0)), right=-view.right)
    assert flipped.mirrored
    mesh = screw_mesh(ScrewShape(6.5, 35.0))
    difference = np.abs(metal_path(flipped, *mesh) - metal_path(view, *mesh)[:, ::-1])
    # The outermost pixels may lie exactly on an outline, which belongs to one side only.
    assert np.quantile(difference, 0.999) < 1e-4


def test_what_lies_beyond_the_edge_is_cut_off():
    view = ap(**SMALL)
    points, triangles = screw_mesh(ScrewShape(6.5, 45.0))
    moved = points + (24, 0, 10)
    whole = metal_path(view.cropped(-200, -200, 500, 500), moved, triangles)
    assert whole[:200].any()
    np.testing.assert_allclose(metal_path(view, moved, triangles), whole[200:296, 200:328], atol=1e-4)
    assert not metal_path(view, points + (900, 0, 0), triangles).any()
    assert not metal_path(view, np.zeros((0, 3)), np.zeros((0, 3), dtype=int)).any()


def test_a_dense_mesh_leaves_no_speckles():
    """Ten thousand triangles much smaller than a pixel: nothing negative, no pixel far from what surrounds it."""
    points, triangles = sphere(6.0, turns=200)
    path = metal_path(OBLIQUE, points + (3, -4, 5), triangles)
    truth = chords_of_sphere(OBLIQUE, (3, -4, 5), 6.0)
    assert path.min() == 0
    assert path.max() <= 12.0
    assert np.abs(path - truth)[truth > 4].max() < 0.02
    assert not path[truth == 0].any()


def test_binned_pixels_agree_with_the_mean_of_finer_ones():
    mesh = screw_mesh(ScrewShape(6.5, 45.0))
    fine = ap(pixel_mm=0.194, shape=(384, 512))
    means = metal_path(fine, *mesh).reshape(96, 4, 128, 4).mean(axis=(1, 3))
    assert np.abs(metal_path(fine.binned(4), *mesh) - means).mean() < 0.03


def test_several_surfaces_at_once_are_the_same_as_each():
    meshes = [screw_mesh(ScrewShape(6.5, 45.0)), sphere(5.0, turns=32)]
    for path, mesh in zip(metal_paths(OBLIQUE, meshes), meshes, strict=True):
        np.testing.assert_array_equal(path, metal_path(OBLIQUE, *mesh))


def test_surfaces_that_cannot_be_measured_are_refused():
    view = ap(**SMALL)
    points, triangles = sphere(5.0, turns=32)
    with pytest.raises(GeometryError, match="behind the source"):
        metal_path(view, points + view.source, triangles)
    with pytest.raises(GeometryError, match="inside out"):
        metal_path(view, points, triangles[:, ::-1])
    with pytest.raises(GeometryError, match="not closed"):
        metal_path(view, points, triangles[: len(triangles) // 2])
    with pytest.raises(GeometryError, match="near to the source"):
        metal_path(view, CORNERS + view.source + 1.0001 * view.normal, BOX)


def test_the_time_of_one_screw_is_told(capsys):
    view, mesh = ap(), screw_mesh(ScrewShape(6.5, 45.0))
    metal_path(view, *mesh)
    start = time.perf_counter()
    metal_path(view, *mesh)
    with capsys.disabled():
        sys.stdout.write(f" {len(mesh[1])} triangles on 1536 x 1536: {1e3 * (time.perf_counter() - start):.1f} ms")
