"""plan.json: written whole, read back the same, refused with the reason."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from spinescrew import __version__
from spinescrew.anatomy.frame import direction_from_angles
from spinescrew.anatomy.levels import Level
from spinescrew.errors import InputError
from spinescrew.exchange import check_plan_matches, document, plan_file, read_plan, write_plan
from spinescrew.geometry.volume import Volume
from spinescrew.implants.screw import Screw, ScrewShape
from spinescrew.planning.plan import Plan, PlannedScrew


@pytest.fixture
def written(plan, tmp_path) -> Path:
    return write_plan(plan, tmp_path / "plan.json")


def loaded(path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def refusal(path) -> str:
    with pytest.raises(InputError) as error:
        read_plan(path)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_the_schema_is_a_schema_and_holds_for_what_is_written(written):
    schema = json.loads(plan_file._SCHEMA.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(loaded(written))
    assert set(loaded(written)) <= set(schema["properties"])
    for screw in loaded(written)["screws"]:
        assert set(screw) <= set(schema["$defs"]["screw"]["properties"])
        assert set(screw["assessment"] or ()) <= set(schema["$defs"]["assessment"]["properties"])


def test_the_file_says_what_it_holds_in_which_coordinates(written):
    values = loaded(written)
    assert values["schema_version"] == document.SCHEMA_VERSION
    assert values["coordinate_system"] == "RAS" and values["numbering"] == "VerSe"
    assert values["software_version"] == __version__
    assert values["input_hash"] == {"labels": "sha256:abc", "ct": None}
    assert values["parameters"]["trajectory"] == "anatomic"
    assert values["timings_s"] == {"search": 1.25}
    assert values["levels"] == [{"level": "T13", "verse_id": 28}, {"level": "L3", "verse_id": 22}]
    assert "junction of pedicle and body" in values["grading_zone_rule"]


def test_each_screw_stands_there_with_its_level_id_and_measures(written, plan):
    bare, left, right = loaded(written)["screws"]
    assert (bare["level"], bare["verse_id"], bare["status"]) == ("T13", 28, "not_planned")
    assert bare["reason"] == "the pedicle is 3.1 mm wide, 4.0 mm are needed" and bare["entry_ras"] is None
    assert (left["level"], left["verse_id"], left["side"], left["status"]) == ("L3", 22, "left", "planned")
    assert (left["diameter_mm"], left["length_mm"], left["item"]) == (6.5, 45.0, "generic 6.5 x 45")
    assert left["entry_ras"] == plan.screws[1].screw.entry.tolist()
    assert (left["pta_deg"], left["psa_deg"], left["depth_percent"], left["fill_percent"]) == (15.5, None, 79.5, 72.0)
    assert left["assessment"]["gertzbein_robbins"] == "B" and left["assessment"]["breach_mm"] == 1.25
    assert left["assessment"]["breach_direction"] == "lateral"
    assert right["assessment"] is None and right["pta_deg"] is None


def test_a_plan_read_back_is_the_plan_that_was_written(written, plan):
    again = read_plan(written)
    for name in ("parameters", "input_hash", "timings_s", "created", "engine"):
        assert getattr(again, name) == getattr(plan, name)
    assert len(again.screws) == len(plan.screws)
    for new, old in zip(again.screws, plan.screws, strict=True):
        for name in ("key", "status", "reason", "planned_by", "locked", "reviewed", "notes"):
            assert getattr(new, name) == getattr(old, name)
        if old.screw is not None:
            assert new.screw.shape == old.screw.shape and new.screw.notes == old.screw.notes
            assert np.abs(new.screw.entry - old.screw.entry).max() <= 1e-6
            assert np.abs(new.screw.tip - old.screw.tip).max() <= 1e-6


def test_an_assessment_read_back_is_the_one_that_was_written(written, plan, assessment):
    again = read_plan(written).get(Level.L3, "left").assessment
    assert again.to_dict() == assessment.to_dict()
    assert again.breach == assessment.breach and again.grade_range == assessment.grade_range
    assert again.execution_risk == assessment.execution_risk
    assert again.hu_by_depth == (1.5, None, 3.5) and np.isnan(again.psa_deg)


def test_writing_what_was_read_gives_the_same_file(written, tmp_path):
    again = write_plan(read_plan(written), tmp_path / "again.json")
    first, second = loaded(written), loaded(again)
    for a, b in zip(first["screws"], second["screws"], strict=True):
        assert a.pop("tip_ras") == pytest.approx(b.pop("tip_ras"), abs=1e-9)
    assert first == second


def test_rows_out_of_order_are_put_in_order(written):
    values = loaded(written)
    values["screws"].reverse()
    written.write_text(json.dumps(values), encoding="utf-8")
    assert [row.key for row in read_plan(written).screws] == [
        (Level.T13, "right"),
        (Level.L3, "left"),
        (Level.L3, "right"),
    ]


def test_a_spine_adds_hash_spacing_and_the_angles_of_ungraded_screws(spine, tmp_path):
    direction = direction_from_angles(18.0, -4.0, spine.vertebrae[Level.L3].frame, "right")
    screw = Screw(np.zeros(3), direction, ScrewShape(6.0, 45.0))
    rows = (PlannedScrew(Level.L3, "right", screw), PlannedScrew(Level.L4, "right", screw))
    values = loaded(write_plan(Plan(rows), tmp_path / "plan.json", spine=spine))
    assert values["input_hash"] == {"labels": spine.labels.content_hash(), "ct": None}
    assert values["voxel_spacing_mm"] == [0.5, 0.5, 2.0]
    known, unknown = values["screws"]
    assert (known["pta_deg"], known["psa_deg"]) == (pytest.approx(18.0), pytest.approx(-4.0))
    assert known["fill_percent"] == pytest.approx(75.0) and known["depth_percent"] is None
    assert unknown["pta_deg"] is None and unknown["fill_percent"] is None


def test_parameters_of_any_kind_become_plain_and_lose_their_folders(plan, tmp_path):
    parameters = {
        "labels": "/data/Doe^Jane 1950/labels.nii.gz",
        "ct": Path("/data/Doe^Jane 1950/ct.nii.gz"),
        "windows": "C:\\scans\\Doe Jane\\list.csv",
        "relative": "scans/Doe/list.csv",
        "rule": "medial/lateral",
        "level": Level.L3,
        "levels": (Level.L3, Level.S1),
        "sizes": np.array([1.5, 2.5]),
        "limit": float("inf"),
        "shape": ScrewShape(6.5, 45.0),
        "count": np.int64(3),
        "flags": {True},
    }
    path = write_plan(replace(plan, parameters=parameters), tmp_path / "plan.json")
    assert "Doe" not in path.read_text(encoding="utf-8")
    found = loaded(path)["parameters"]
    assert found.pop("shape")["diameter_mm"] == 6.5
    assert found == {
        "labels": "labels.nii.gz",
        "ct": "ct.nii.gz",
        "windows": "list.csv",
        "relative": "list.csv",
        "rule": "medial/lateral",
        "level": "L3",
        "levels": ["L3", "S1"],
        "sizes": [1.5, 2.5],
        "limit": None,
        "count": 3,
        "flags": [True],
    }


def changed(path: Path, change) -> Path:
    values = loaded(path)
    change(values)
    path.write_text(json.dumps(values), encoding="utf-8")
    return path


def put(place: str, value):
    """A change that puts ``value`` at a place such as ``screws.1.side``."""

    def change(values):
        *way, last = (int(part) if part.isdigit() else part for part in place.split("."))
        for part in way:
            values = values[part]
        values[last] = value

    return change


def test_a_newer_plan_is_refused_with_what_to_do(written):
    message = refusal(changed(written, put("schema_version", document.SCHEMA_VERSION + 1)))
    assert message == "plan.json has plan version 2, this program knows up to 1; update SpineScrew to open it"


def test_an_older_plan_opens_in_the_next_version(written, monkeypatch):
    monkeypatch.setattr(document, "SCHEMA_VERSION", document.SCHEMA_VERSION + 1)
    assert len(read_plan(written).planned) == 2


def test_a_plan_with_the_least_it_can_say_is_read(tmp_path):
    screw = {"level": "L3", "side": "left", "status": "planned", "entry_ras": [0, 0, 0], "tip_ras": [0, 45, 0]}
    screw |= {"diameter_mm": 6.5, "length_mm": 45, "assessment": {"gertzbein_robbins": "A"}}
    values = {"schema_version": 1, "coordinate_system": "RAS", "screws": [screw]}
    path = tmp_path / "least.json"
    path.write_text(json.dumps(values), encoding="utf-8")
    row = read_plan(path).get(Level.L3, "left")
    assert row.screw.shape.item == "custom" and row.screw.tip == pytest.approx([0, 45, 0])
    assert row.assessment.gertzbein_robbins == "A" and row.assessment.facet_grade == "not gradable"
    assert row.assessment.breach is None and row.assessment.mean_hu is None and row.assessment.hu_by_depth == ()


def test_measures_and_entries_of_a_later_hand_are_left_out(written):
    values = loaded(written)
    values["extra"] = values["screws"][1]["extra"] = values["screws"][1]["assessment"]["extra"] = 1
    written.write_text(json.dumps(values), encoding="utf-8")
    assert len(read_plan(written).planned) == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (put("coordinate_system", "LPS"), "is in LPS coordinates; plans are in RAS"),
        (lambda v: v.pop("coordinate_system"), "'coordinate_system' is a required property"),
        (lambda v: v.pop("screws"), "'screws' is a required property"),
        (put("schema_version", 0), "schema_version: 0 is less than the minimum"),
        (put("schema_version", "one"), "schema_version: 'one' is not of type 'integer'"),
        (put("screws.1.side", "links"), "screws[1].side: 'links' is not one of"),
        (put("screws.1.level", "Q9"), "screws[1].level: 'Q9' does not match"),
        (put("screws.1.verse_id", 23), "screws[1] (L3 left): verse_id 23 is not that of L3 (22)"),
        (put("screws.1.entry_ras", [1, 2]), "screws[1].entry_ras: [1, 2] is too short"),
        (put("screws.1.entry_ras", None), "screws[1].entry_ras: None is not of type 'array'"),
        (put("screws.1.diameter_mm", -1), "screws[1].diameter_mm: -1 is less than"),
        (put("screws.1.length_mm", 40), "screws[1] (L3 left): entry and tip lie 45.00 mm apart but length_mm is 40"),
        (put("screws.1.shape.tip_taper_mm", 60), "screws[1] (L3 left): the tip taper (60.0 mm) must lie within"),
        (put("screws.1.assessment", "fine"), "screws[1].assessment"),
        (put("screws.1.assessment.breach", "none"), "screws[1].assessment"),
        (put("screws.2.side", "left"), "the plan holds two screws for L3 (22) left"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused_with_the_place(written, change, said):
    message = refusal(changed(written, change))
    assert said in message and message.startswith("plan.json")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not a readable JSON file"),
        (b"\xff\xfe\x00\x80", "not a readable JSON file"),
        (b'{"schema_version": 1, "scre', "not a readable JSON file"),
        (b'{"schema_version": 1, "coordinate_system": "RAS", "screws": [NaN]}', "NaN is no number JSON knows"),
        (b"[1, 2]", "it holds a list"),
        (b"[" * 200_000, "not a readable JSON file"),
    ],
    ids=["empty", "binary", "truncated", "not a number", "list", "bottomless"],
)
def test_a_damaged_file_is_refused(tmp_path, content, said):
    path = tmp_path / "plan.json"
    path.write_bytes(content)
    assert said in refusal(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    assert "there is no plan file" in refusal(tmp_path / "nowhere.json")
    assert "cannot be read" in refusal(tmp_path)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(written, plan, monkeypatch):
    before = written.read_bytes()

    def full(self, *_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(InputError, match="No space left on device"):
        write_plan(plan, written)
    assert written.read_bytes() == before and list(written.parent.iterdir()) == [written]


def test_a_plan_belongs_to_its_image(spine):
    ct = Volume(np.zeros((4, 4, 4), dtype=np.int16), np.eye(4))
    whole = replace(spine, ct=ct)
    both = Plan(input_hash={"labels": spine.labels.content_hash(), "ct": ct.content_hash()})
    assert check_plan_matches(both, whole) == ()
    assert check_plan_matches(both, spine) == ()
    assert check_plan_matches(replace(both, input_hash={**both.input_hash, "ct": None}), whole) == ()


def test_a_plan_of_another_image_is_refused_unless_confirmed(spine):
    other = Plan(input_hash={"labels": "sha256:abc"})
    with pytest.raises(InputError, match="made on other labels; open its own image, or confirm"):
        check_plan_matches(other, spine)
    assert check_plan_matches(other, spine, confirmed=True) == ("the plan was made on other labels",)
    ct = Volume(np.zeros((4, 4, 4), dtype=np.int16), np.eye(4))
    other_ct = Plan(input_hash={"labels": spine.labels.content_hash(), "ct": "sha256:abc"})
    with pytest.raises(InputError, match="made on another CT"):
        check_plan_matches(other_ct, replace(spine, ct=ct))
    with pytest.raises(InputError, match="does not say which labels"):
        check_plan_matches(Plan(), spine)
