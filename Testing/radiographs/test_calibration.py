"""Calibration files, sound and damaged."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from spinescrew.errors import GeometryError, InputError
from spinescrew.geometry.vectors import rotation
from spinescrew.radiographs import View, ap, from_c_arm, lateral, read_geometry, write_geometry
from spinescrew.radiographs.projection_matrix import view_from_matrix

VECTORS = ("source", "detector_origin", "right", "down", "pixel_mm")


def some_views():
    return from_c_arm(3, -7, (1, 2, 3)), lateral((1, 2, 3), shape=(700, 900)).cropped(40, 20, 500, 600)


def same(first, second, atol=1e-9):
    assert first.shape == second.shape
    for name in VECTORS:
        assert_allclose(getattr(first, name), getattr(second, name), rtol=0, atol=atol, err_msg=name)


def document(*records, **changes):
    return {"schema_version": 1, "coordinate_system": "RAS", "views": list(records), **changes}


def placed(view, **changes):
    record = {name: getattr(view, name).tolist() for name in VECTORS} | {"shape": list(view.shape)} | changes
    return {name: value for name, value in record.items() if value is not None}


def projected(view, scale=1.0, **changes):
    return {
        "projection": (scale * view.matrix).tolist(),
        "pixel_mm": view.pixel_mm.tolist(),
        "shape": list(view.shape),
        **changes,
    }


def c_arm(**changes):
    scales = {"orbital_deg": 90, "angular_deg": 0, "isocentre": [1, 2, 3]}
    scales |= {"source_detector_mm": 1020, "source_isocentre_mm": 530}
    return {"c_arm": scales | changes, "pixel_mm": [0.194, 0.194], "shape": [1536, 1536]}


def written(folder, values):
    path = folder / "geometry.json"
    path.write_text(values if isinstance(values, str) else json.dumps(values))
    return path


def refusal(folder, values):
    with pytest.raises(InputError) as caught:
        read_geometry(written(folder, values))
    return str(caught.value)


def test_what_is_written_is_read_back_exactly(tmp_path):
    views = some_views()
    path = write_geometry(tmp_path / "new" / "geometry.json", views)
    for first, second in zip(views, read_geometry(path), strict=True):
        same(first, second, atol=1e-12)
    text = json.loads(path.read_text())
    assert text["units"] == {"length": "mm", "angle": "degree"}
    assert text["views"][0]["name"] == "AP"


@given(seed=st.integers(0, 10**6), scale=st.floats(0.001, 1000))
@settings(max_examples=60, deadline=None)
def test_the_view_comes_back_from_its_matrix(seed, scale):
    random = np.random.default_rng(seed)
    turn = rotation(random.normal(size=3), random.uniform(0, 360))
    source = random.uniform(-400, 400, 3)
    origin = source + random.uniform((-300, -300, 800), (300, 300, 1300)) @ turn
    pixel_mm = random.uniform(0.1, 0.6, 2)
    view = View(source, origin, random.choice([-1, 1]) * turn[0], turn[1], pixel_mm, (300, 400))
    found = view_from_matrix(scale * view.matrix, pixel_mm, view.shape)
    same(view, found, atol=1e-6)
    assert_allclose(found.matrix, view.matrix, atol=1e-6 * np.abs(view.matrix).max())


def test_a_matrix_with_noise_is_kept_as_it_is():
    view = from_c_arm(20, 5)
    noisy = np.diag([1.002, 1, 1]) @ view.matrix
    found = view_from_matrix(noisy, view.pixel_mm, view.shape)
    assert_allclose(found.matrix / found.matrix[2, 3], noisy / noisy[2, 3], atol=1e-9 * np.abs(noisy).max())


@pytest.mark.parametrize("scale", [1.0, 0.02, -1.0, -35.0])
def test_matrices_of_any_sign_face_the_place_that_both_show(tmp_path, scale):
    views = some_views()
    path = written(tmp_path, document(projected(views[0], scale), projected(views[1])))
    for first, second in zip(views, read_geometry(path), strict=True):
        same(first, second, atol=1e-6)


def test_lps_is_turned_to_ras(tmp_path):
    views, flip = some_views(), np.diag([-1.0, -1.0, 1.0])
    turned = {name: (flip @ getattr(views[0], name)).tolist() for name in VECTORS[:4]}
    matrix = (views[1].matrix @ np.diag([-1, -1, 1, 1])).tolist()
    records = [placed(views[0], **turned), projected(views[1], projection=matrix), c_arm(isocentre=[-1, -2, 3])]
    found = read_geometry(written(tmp_path, document(*records, coordinate_system="LPS")))
    for first, second in zip((*views, lateral((1, 2, 3))), found, strict=True):
        same(first, second, atol=1e-6)


def test_the_scales_of_a_c_arm_give_its_view(tmp_path):
    found = read_geometry(written(tmp_path, document(c_arm(), c_arm(orbital_deg=0))))
    same(found[0], lateral((1, 2, 3)))
    same(found[1], ap((1, 2, 3)))


def test_directions_written_with_few_digits_are_made_exact(tmp_path):
    view = from_c_arm(33, 21)
    record = placed(view, right=np.round(view.right, 4).tolist(), down=np.round(view.down, 4).tolist())
    (found,) = read_geometry(written(tmp_path, document(record)))
    assert abs(found.right @ found.down) < 1e-12
    assert_allclose(found.right, view.right, atol=1e-4)


@pytest.mark.parametrize(
    ("record", "field"),
    [
        (placed(ap(), source=None), "views[0]: 'source' is a required property"),
        (placed(ap(), pixel_mm=None), "views[0]: 'pixel_mm' is a required property"),
        (placed(ap(), pixel_mm=[0.2, -0.2]), "views[0].pixel_mm[1]"),
        (placed(ap(), right=[1, 2]), "views[0].right"),
        (placed(ap(), right=[1, 0, 0.1]), "views[0]: right and down"),
        (placed(ap(), shape=[1536.5, 1536]), "views[0].shape[0]"),
        (projected(ap(), projection=[[1, 0, 0, 0]]), "views[0].projection"),
        (projected(ap(), projection=[[1, 0, 0, 0]] * 3), "views[0]: the projection matrix is singular"),
        (projected(ap(), pixel_mm=[0.194, 0.388]), "views[0]: the source would be 1020 mm away"),
        (projected(ap(), pixel_mm=[194, 194]), "views[0]: the source is 1.02e+06 mm from the detector"),
        (c_arm(isocentre=None), "views[0].c_arm.isocentre"),
        (c_arm(source_detector_mm=102, source_isocentre_mm=53), "views[0]: the source is 102 mm"),
        (c_arm(source_detector_mm=530, source_isocentre_mm=1020), "views[0]: an isocentre 1020 mm from the source"),
        (c_arm() | {"pixel_mm": [0.2, 0.3]}, "views[0]: the pixels of a C-arm's detector are square"),
    ],
)
def test_what_is_wrong_in_a_view_is_named(tmp_path, record, field):
    words = refusal(tmp_path, document(record))
    assert words.startswith("geometry.json: ")
    assert field in words
    assert "\n" not in words


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ("{", "not a readable JSON file"),
        ("[1]", "is not of type 'object'"),
        (document(), "views: [] should be non-empty"),
        (document(placed(ap()), coordinate_system="IJK"), "coordinate_system: 'IJK' is not one of"),
        (document(placed(ap()), units={"length": "cm"}), "units.length: 'mm' was expected"),
        (document(placed(ap()), schema_version=7), "schema_version: 7 is newer"),
        ({"views": [placed(ap())], "coordinate_system": "RAS"}, "'schema_version' is a required property"),
        (json.dumps(document(placed(ap(), source=[0, float("nan"), 0]))), "NaN is no number"),
    ],
)
def test_what_is_wrong_in_the_file_is_named(tmp_path, values, field):
    words = refusal(tmp_path, values)
    assert words.startswith("geometry.json")
    assert field in words


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(InputError, match="there is no calibration file"):
        read_geometry(tmp_path / "none.json")


def test_skewed_pixels_are_no_detector():
    matrix = np.array([[1, 0.1, 0], [0, 1, 0], [0, 0, 1]]) @ ap().matrix
    with pytest.raises(GeometryError, match="not at right angles"):
        view_from_matrix(matrix, (0.194, 0.194), (1536, 1536))
