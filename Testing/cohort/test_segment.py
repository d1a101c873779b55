"""From a CT file to vertebrae and to a plan, by an engine that a test can rely on."""

import json
from dataclasses import dataclass, field

import numpy as np
import pytest

from spinescrew.anatomy.levels import Level, parse_levels
from spinescrew.cohort.case import CaseInput, plan_case
from spinescrew.cohort.segment import segment_case
from spinescrew.errors import InputError
from spinescrew.geometry.volume import Volume
from spinescrew.images import read_labels, write_volume
from spinescrew.phantoms import make_spine_phantom
from spinescrew.progress import Cancelled, Progress
from spinescrew.segmentation import EngineState, Segmentation
from spinescrew.segmentation.finish import finish


@dataclass
class KnownVertebrae:
    """An engine that knows the answer."""

    labels: Volume
    name: str = "known"
    title: str = "knows the answer"
    asked: list = field(default_factory=list)

    def unavailable(self):
        return ""

    def segment(self, ct, levels, progress) -> Segmentation:
        self.asked.append(levels)
        progress.check()
        return finish(ct, self.labels, self.name, "Trained on simulated images; for research", wanted=levels)


@pytest.fixture(scope="module")
def phantom():
    return make_spine_phantom(7, spacing=(1.5, 1.5, 1.5))


@pytest.fixture
def ct(phantom, tmp_path):
    return write_volume(phantom.ct, tmp_path / "ct.nii.gz") or tmp_path / "ct.nii.gz"


@pytest.fixture
def engine(phantom, monkeypatch):
    made = KnownVertebrae(phantom.labels)
    monkeypatch.setattr("spinescrew.cohort.segment.get_engine", lambda name, options: made)
    monkeypatch.setattr("spinescrew.cohort.segment.list_engines", lambda options: [EngineState("known", "", "")])
    return made


def test_labels_lie_on_the_grid_of_the_ct(engine, phantom, tmp_path, ct):
    case = segment_case(tmp_path / "ct.nii.gz", tmp_path / "out")
    assert [path.name for path in case.files] == ["vertebrae.nii.gz", "segmentation.json"]
    read = read_labels(case.files[0])
    assert np.array_equal(read.array, phantom.labels.array)
    assert read.same_grid(phantom.ct)


def test_the_summary_says_who_how_sure_and_what_to_check(engine, tmp_path, ct):
    segment_case(tmp_path / "ct.nii.gz", tmp_path / "out", parse_levels("L3-L4"))
    told = json.loads((tmp_path / "out" / "segmentation.json").read_text())
    assert told["engine"] == "known"
    assert "simulated images" in told["provenance"]
    assert 0 < told["levels"]["L3"]["confidence"] <= 1
    assert told["levels"]["L3"]["verse_id"] == 22
    assert any("orientation" in text or "left and right" in text for text in told["warnings"])
    assert "read the CT" in told["timings_s"]
    assert engine.asked == [(Level.L3, Level.L4)]


def test_a_plan_from_an_image_alone_says_where_its_vertebrae_come_from(engine, tmp_path, ct):
    source = CaseInput(None, tmp_path / "ct.nii.gz")
    result = plan_case(source, parse_levels("L3"), out=tmp_path / "case")
    assert len(result.plan.planned) == 2
    notes = " ".join(result.plan.parameters["input_notes"])
    assert "vertebrae by known: Trained on simulated images; for research" in notes
    assert "Trained on simulated images; for research" in (tmp_path / "case" / "report.html").read_text()
    assert "find the vertebrae" in result.plan.timings_s


def test_an_image_that_cannot_be_planned_from_stops_before_any_engine(engine, phantom, tmp_path):
    write_volume(phantom.ct.with_array(np.zeros_like(phantom.ct.array)), tmp_path / "empty.nii.gz")
    with pytest.raises(InputError):
        segment_case(tmp_path / "empty.nii.gz", tmp_path / "out")
    assert engine.asked == []
    assert not (tmp_path / "out").exists()


def test_a_cancel_writes_nothing(engine, tmp_path, ct):
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        segment_case(tmp_path / "ct.nii.gz", tmp_path / "out", progress=progress)
    assert not (tmp_path / "out").exists()


def test_without_an_engine_every_reason_is_named(monkeypatch, tmp_path, ct):
    states = [EngineState("one", "", "no weights"), EngineState("two", "", "no network")]
    monkeypatch.setattr("spinescrew.cohort.segment.list_engines", lambda options: states)
    with pytest.raises(InputError, match="one: no weights; two: no network.*--labels"):
        segment_case(tmp_path / "ct.nii.gz")


def test_nothing_at_all_is_refused():
    with pytest.raises(InputError, match="nothing to plan from"):
        plan_case(CaseInput(None))
