"""From a neck CT file to the answer for both C2 pedicles, by an assessment that a test can rely on."""

import gzip
import json
from dataclasses import replace

import nibabel
import numpy as np
import pytest
from axis_samples import perfect_assessment

from spinescrew.cohort.c2 import C2Case, assess_case, write_case
from spinescrew.errors import InputError
from spinescrew.feasibility.scheme import BONE, FIND, JOIN, PEDICLE
from spinescrew.images import read_image, read_labels, write_volume
from spinescrew.networks.card import ModelCard
from spinescrew.networks.weights import ModelEntry
from spinescrew.progress import Cancelled, Progress

NAMES = {"c2.json", "c2.nii.gz", "pedicles.nii.gz", "attention.nii.gz", "report.html"}


@pytest.fixture(scope="module")
def known():
    return perfect_assessment()


@pytest.fixture(scope="module")
def neck(known, tmp_path_factory):
    """The CT in a file whose name tells a patient."""
    return write_volume(known.ct, tmp_path_factory.mktemp("ct") / "Doe_Jane.nii.gz")


@pytest.fixture
def assess(known):
    """An assessment that knows the answer, and what it was asked."""
    asked = []

    def answer(ct, *, device, progress):
        asked.append((ct, device))
        with progress.step("find C2"):
            progress.update(0.5)
        return known

    answer.asked = asked
    return answer


@pytest.fixture(scope="module")
def models():
    """Installed models, and one that is not asked."""
    cards = [
        ModelCard(name=name, task="c2", version="1.0", created="2026-01-01", trained_on="phantoms", sha256=letter * 64)
        for name, letter in ((FIND, "a"), (BONE, "b"), (PEDICLE, "c"), ("vertebrae-fine", "d"), (JOIN, "e"))
    ]
    return [ModelEntry(card.name, None, card, "") for card in cards]


@pytest.fixture
def case(neck, assess, models, monkeypatch, tmp_path) -> C2Case:
    monkeypatch.setattr("spinescrew.cohort.c2.list_models", lambda: models)
    return assess_case(neck, tmp_path / "out", assess=assess)


def told(folder):
    return json.loads((folder / "c2.json").read_text(encoding="utf-8"))


def test_everything_is_written_and_listed(case, tmp_path):
    assert {path.name for path in (tmp_path / "out").iterdir()} == NAMES
    assert {path.name for path in case.files} == NAMES
    assert case.files[0].name == "c2.json"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_volumes_lie_on_the_grid_of_the_ct(case, known, neck, tmp_path):
    ct = read_image(neck)
    labels, pedicles = (read_labels(tmp_path / "out" / name) for name in ("c2.nii.gz", "pedicles.nii.gz"))
    for volume in (labels, pedicles):
        assert volume.same_grid(ct)
    assert set(np.unique(labels.array)) == {0, 2}
    assert np.array_equal(pedicles.array, known.pedicles.array)
    attention = nibabel.load(tmp_path / "out" / "attention.nii.gz")
    assert np.allclose(attention.affine, ct.affine, atol=1e-4)
    assert attention.get_data_dtype() == np.float32
    assert np.array_equal(np.asarray(attention.dataobj), known.attention.array)


def test_the_summary_tells_both_sides_the_models_and_the_image(case, known, tmp_path):
    document = told(tmp_path / "out")
    assert document["schema_version"] == 1
    assert document["coordinate_system"] == "RAS"
    assert "simulated images" in document["provenance"]
    assert document["image"]["shape"] == list(known.ct.shape)
    assert document["sides"]["left"]["probability"] == pytest.approx(known.sides["left"].probability, abs=1e-4)
    assert [model["name"] for model in document["models"]] == [FIND, BONE, PEDICLE, JOIN]
    assert [model["sha256"][0] for model in document["models"]] == ["a", "b", "c", "e"]
    assert document["sides"]["left"]["network"] == pytest.approx(known.sides["left"].network, abs=1e-4)


def test_step_times_are_kept_from_the_reading_to_the_report(case, tmp_path):
    seconds = told(tmp_path / "out")["seconds"]
    assert list(seconds) == ["read the CT", "find C2", "write the volumes", "write the report"]
    assert case.assessment.seconds.keys() == seconds.keys()
    assert "find C2" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_no_file_tells_whose_image_it_is(case, tmp_path):
    for path in (tmp_path / "out").iterdir():
        content = path.read_bytes()
        content += gzip.decompress(content) if path.suffix == ".gz" else b""
        assert b"Doe_Jane" not in content, path.name


def test_the_device_is_handed_on(neck, assess, tmp_path):
    assess_case(neck, tmp_path / "out", device="cpu", assess=assess)
    assert [device for _, device in assess.asked] == ["cpu"]


def test_a_case_of_ours_is_replaced_and_a_foreign_folder_only_by_force(neck, assess, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.doc").write_text("mine")
    with pytest.raises(InputError, match="holds other files"):
        assess_case(neck, out, assess=assess)
    assert assess.asked == []
    assert [path.name for path in out.iterdir()] == ["thesis.doc"]
    for force in (True, False):
        assess_case(neck, out, force=force, assess=assess)
        assert {path.name for path in out.iterdir()} == NAMES


def test_what_is_refused_or_cancelled_leaves_nothing(neck, tmp_path):
    def refuse(ct, *, device, progress):
        raise InputError("the image shows no whole C2")

    def cancel(ct, *, device, progress):
        progress.cancel()
        progress.check()

    for assess, error in ((refuse, InputError), (cancel, Cancelled)):
        with pytest.raises(error):
            assess_case(neck, tmp_path / "out", assess=assess, progress=Progress())
    assert not list(tmp_path.iterdir())


def test_an_assessment_in_memory_is_written_with_the_times_it_took(known, tmp_path):
    timed = replace(known, seconds={"find C2": 4.2})
    case = write_case(timed, tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == NAMES
    assert told(tmp_path / "out")["seconds"]["find C2"] == 4.2
    assert list(case.assessment.seconds) == ["find C2", "write the volumes", "write the report"]
