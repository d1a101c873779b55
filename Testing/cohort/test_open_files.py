"""From a path to a case that can be edited, and what is said where that cannot be."""

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from scene_cases import planned_case

from spinescrew.anatomy.levels import Level
from spinescrew.anatomy.numbering import to_verse
from spinescrew.cohort.background import BackgroundExport
from spinescrew.cohort.open_files import open_target
from spinescrew.errors import InputError, OtherImageError
from spinescrew.exchange import read_plan, write_plan
from spinescrew.images import read_labels, write_volume
from spinescrew.scene.bundle import write_bundle
from spinescrew.viewer.opened import Target


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Plan and scene of a case, as a case folder holds them, and its labels as a file."""
    made, case = tmp_path_factory.mktemp("case"), planned_case()
    write_plan(case.plan, made / "plan.json", spine=case.spine)
    write_bundle(case.plan, case.spine, made / "scene.mrb")
    write_volume(case.spine.labels, made / "labels.nii.gz")
    return made


@pytest.mark.parametrize("name", ["", "plan.json", "scene.mrb"])
def test_a_case_folder_its_plan_and_its_scene_open_the_same_case(folder, name):
    opened = open_target(Target(folder / name))
    planned = planned_case().plan
    assert [row.key for row in opened.plan.screws] == [row.key for row in planned.screws]
    assert opened.spine.ct is not None
    assert opened.folder == (folder if name == "" else None)  # saved where the whole case lies


def test_a_plan_alone_asks_for_its_labels_and_takes_them(folder, tmp_path):
    labels, plan = to_verse(read_labels(folder / "labels.nii.gz")), read_plan(folder / "plan.json")
    alone = write_plan(replace(plan, input_hash={"labels": labels.content_hash()}), tmp_path / "plan.json")
    with pytest.raises(InputError, match="--labels"):
        open_target(Target(alone))
    opened = open_target(Target(alone, labels=folder / "labels.nii.gz"))
    assert set(opened.spine.vertebrae) >= {Level.L2, Level.L3, Level.L4}


def test_a_plan_of_other_labels_is_refused_unless_confirmed_and_then_graded_anew(folder, tmp_path):
    plan = read_plan(folder / "plan.json")
    write_plan(replace(plan, input_hash={**plan.input_hash, "labels": "sha256:other"}), tmp_path / "plan.json")
    target = Target(tmp_path / "plan.json", labels=folder / "labels.nii.gz")
    with pytest.raises(OtherImageError):
        open_target(target)
    opened = open_target(replace(target, confirmed=True))
    assert all(row.assessment is None for row in opened.plan.planned)
    assert "other labels" in opened.notes[0]


def test_what_is_not_there_or_holds_no_plan_is_named_and_spoils_nothing(folder, tmp_path):
    with pytest.raises(InputError, match=r"nothing\.json"):
        open_target(Target(tmp_path / "nothing.json"))
    broken = tmp_path / "scene.mrb"
    broken.write_bytes(b"no archive")
    here = Path.cwd()
    with pytest.raises(InputError, match=r"scene\.mrb"):
        open_target(Target(broken))
    whole = (folder / "scene.mrb").read_bytes()
    broken.write_bytes(whole[: len(whole) // 2] + whole[-2000:])
    with pytest.raises(InputError):
        open_target(Target(broken))
    assert Path.cwd() == here
    assert open_target(Target(folder)).plan.planned  # and others can still be read


def test_an_export_in_another_process_writes_every_file_and_the_archive(tmp_path):
    case = planned_case()
    archive = tmp_path / "out" / "all.zip"
    with BackgroundExport(case.plan, case.spine, tmp_path / "out" / "case", archive).start() as job:
        report, plan, packed = job.result(timeout_s=300)
    assert report.name == "report.html"
    assert read_plan(plan).get(Level.L3, "left").screw is not None
    assert packed == archive
    assert "case/scene.mrb" in zipfile.ZipFile(archive).namelist()
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"case", "all.zip"}
