"""Which image the C2 tab judges, and what is refused before anything is judged."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from spinescrew.cohort import c2_open
from spinescrew.cohort.c2_open import NECK_NAME, is_c2_case, judge_target
from spinescrew.errors import InputError, OtherImageError
from spinescrew.geometry.volume import Volume
from spinescrew.images import write_volume
from spinescrew.viewer.opened import Target


@pytest.fixture
def ct():
    return Volume(np.arange(24**3, dtype=np.int16).reshape(24, 24, 24), np.eye(4))


@pytest.fixture(autouse=True)
def judged(monkeypatch):
    """What was given to the networks; the answer is the image itself."""
    seen = []
    monkeypatch.setattr(c2_open, "assess_c2", lambda image, progress: seen.append(image) or image)
    return seen


@pytest.fixture
def case(tmp_path, ct):
    folder = tmp_path / "patient 3"
    folder.mkdir()
    (folder / "c2.json").write_text(json.dumps({"image": {"sha256": ct.content_hash()}}))
    return folder


def test_the_ct_that_the_planner_holds_is_not_read_again(judged, ct, tmp_path):
    told = judge_target(Target(tmp_path / "gone.nii.gz"), ct)
    assert judged[0] is ct
    assert told.name == "gone.nii.gz"


def test_a_ct_file_is_read(judged, ct, tmp_path):
    path = write_volume(ct, tmp_path / "neck.nii.gz")
    assert judge_target(Target(path)).name == "neck.nii.gz"
    assert np.array_equal(judged[0].array, ct.array)


def test_a_c2_case_takes_its_own_image_and_no_other(judged, ct, case):
    assert is_c2_case(case)
    assert not is_c2_case(case.parent)
    assert judge_target(Target(c2=case), ct).name == "patient 3"
    other = ct.with_array(ct.array + 1)
    with pytest.raises(OtherImageError, match="another one"):
        judge_target(Target(c2=case), other)
    assert len(judged) == 1
    judge_target(Target(c2=case, confirmed=True), other)
    assert len(judged) == 2


def test_a_damaged_c2_case_is_named(ct, case):
    (case / "c2.json").write_text("{}")
    with pytest.raises(InputError, match=r"c2\.json"):
        judge_target(Target(c2=case), ct)


def test_a_plan_without_its_image_asks_for_one(tmp_path):
    path = tmp_path / "plan.json"
    path.write_text("{}")
    with pytest.raises(InputError, match="--ct"):
        judge_target(Target(path))


def test_without_a_target_there_is_a_neck(judged, monkeypatch, ct):
    monkeypatch.setattr(c2_open, "make_axis_case", lambda *_args, **_options: SimpleNamespace(ct=ct))
    assert judge_target(Target()).name == NECK_NAME
    assert judged[0] is ct
