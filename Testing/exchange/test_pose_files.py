"""pose.json, the table and the surfaces of screws found in two radiographs."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from known_poses import solved

from spinescrew.errors import InputError, OtherImageError
from spinescrew.exchange.pose_file import read_pose, write_pose
from spinescrew.exchange.pose_record import geometry_hash, image_hash
from spinescrew.exchange.pose_table import COLUMNS, write_pose_csv, write_pose_stls
from spinescrew.radiographs import read_geometry, write_geometry

MODEL = {"name": "screw-pixels", "version": "1.0", "sha256": "a" * 64, "provenance": "Trained on simulated images"}


@pytest.fixture(scope="module")
def case():
    return solved()


@pytest.fixture
def written(case, tmp_path):
    return write_pose(
        case.result, case.radiographs, tmp_path / "pose.json", models=[MODEL], outcome={"source": "views"}
    )


def test_what_is_written_is_read_again_to_the_last_digit(case, written):
    kept = read_pose(written)
    assert list(kept.screws) == [posed.number for posed in case.result.screws]
    for posed in case.result.screws:
        mine = kept.screws[posed.number]
        assert np.allclose(mine.entry, posed.screw.entry, atol=1e-9)
        assert np.allclose(mine.tip, posed.screw.tip, atol=1e-9)
        assert mine.shape.diameter_mm == posed.screw.shape.diameter_mm
    for mine, view in zip(kept.used, case.result.views, strict=True):
        assert np.allclose(mine.matrix, view.matrix, atol=1e-9)
    assert kept.check_images(case.radiographs) == ()


def test_it_says_its_units_its_models_and_that_roll_is_not_known(written):
    told = json.loads(written.read_text(encoding="utf-8"))
    assert (told["coordinate_system"], told["units"]["length"]) == ("RAS", "mm")
    assert told["models"] == [MODEL]
    assert told["provenance"] == MODEL["provenance"]
    assert told["outcome"] == {"source": "views"}
    first = told["screws"][0]
    assert first["roll_deg"] is None
    assert first["standard_deviation"]["across_u_mm"] == pytest.approx(0.21)
    assert np.shape(first["covariance"]) == (5, 5)


def test_pixels_are_those_of_the_whole_image(case, written):
    told = json.loads(written.read_text(encoding="utf-8"))
    for posed, record in zip(case.result.screws, told["screws"], strict=True):
        for view, seen in zip(case.views, record["seen"], strict=True):
            assert np.allclose(seen["neck_px"], view.project(posed.screw.entry), atol=0.02)
            assert np.allclose(seen["tip_px"], view.project(posed.screw.tip), atol=0.02)


def test_the_hash_is_that_of_the_content(case, tmp_path):
    image = case.radiographs[0]
    assert image_hash(replace(image, notes=("a note",))) == image_hash(image)
    assert image_hash(replace(image, pixels=image.pixels + 1)) != image_hash(image)
    views = read_geometry(write_geometry(tmp_path / "geometry.json", case.views))
    assert geometry_hash(views) == geometry_hash(case.views)
    assert geometry_hash(views[::-1]) != geometry_hash(case.views)


def test_other_images_are_told_and_may_be_confirmed(case, written):
    kept = read_pose(written)
    with pytest.raises(OtherImageError, match="image 1 is not the one"):
        kept.check_images(case.radiographs[::-1])
    assert len(kept.check_images(case.radiographs[::-1], confirmed=True)) == 2


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"schema_version": 1', '"schema_version": 2', "has pose version 2"),
        ('"coordinate_system": "RAS"', '"coordinate_system": "LPS"', "is in LPS coordinates"),
        ('"kind": "screw poses"', '"kind": "plan"', r"kind: 'screw poses' was expected"),
        ('"number": 1', '"number": 0', r"screws\[0\].number: 0 is less"),
        ('"images"', '"image"', "'images' is a required property"),
        ("{", "[{", "is not a readable JSON file"),
    ],
)
def test_what_is_damaged_is_refused_in_words(written, old, new, said):
    written.write_text(written.read_text().replace(old, new, 1))
    with pytest.raises(InputError, match=said):
        read_pose(written)


def test_a_screw_without_length_is_refused_by_name(written):
    told = json.loads(written.read_text())
    told["screws"][0]["tip_ras"] = told["screws"][0]["entry_ras"]
    written.write_text(json.dumps(told))
    with pytest.raises(InputError, match="screw 1"):
        read_pose(written)


def test_the_table_has_a_row_for_each_screw_with_units_in_its_columns(case, tmp_path):
    path = write_pose_csv(case.result, tmp_path / "screws.csv", names={2: ("L3", "right")}, more={2: {"gr": "A"}})
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == (*COLUMNS, "gr")
    assert [row["number"] for row in rows] == ["1", "2", "3", "4", "5"]
    assert (rows[1]["level"], rows[1]["side"], rows[1]["gr"], rows[0]["gr"]) == ("L3", "right", "A", "")
    assert rows[0]["roll_deg"] == ""
    assert float(rows[0]["entry_r_mm"]) == pytest.approx(case.screws[0].entry[0], abs=1e-3)
    assert float(rows[0]["sd_tilt_v_deg"]) == pytest.approx(0.45)
    assert "crosses" in rows[4]["notes"]


def test_each_screw_has_a_surface_named_by_number_and_size(case, tmp_path):
    files = write_pose_stls(case.result, tmp_path, threaded=False)
    assert [path.name for path in files][:2] == ["screw_1_6.0x40.stl", "screw_2_6.0x40.stl"]
    content = files[0].read_bytes()
    assert content.startswith(b"SPACE=LPS")
    facets = np.frombuffer(content[84:], dtype=np.dtype([("n", "<f4", 3), ("c", "<f4", (3, 3)), ("a", "<u2")]))
    corners = facets["c"].reshape(-1, 3) * (-1, -1, 1)
    assert np.linalg.norm(corners - case.screws[0].tip, axis=1).min() < 0.6
