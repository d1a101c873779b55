"""Radiographs as windows ask for their system: what is read, what is refused, what is handed out."""

import pickle
import zipfile
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("torch")

from brand_teeth import models, pair
from known_brand import FAMILIES, JUDGE, identified

from spinescrew.brands import models as models_module
from spinescrew.brands.models import why_none
from spinescrew.cohort import brand_demo, brand_open, worker
from spinescrew.cohort.background import BackgroundBrand, BackgroundBrandExample, BackgroundBrandExport
from spinescrew.cohort.brand_open import EXAMPLE_NAME, open_brand, pack_brand
from spinescrew.errors import InputError
from spinescrew.networks import weights
from spinescrew.progress import Cancelled, Progress
from spinescrew.radiographs.image import write_radiograph
from spinescrew.reports.brand_lines import answer_words, screw_lines, system_lines, view_words, vote_words
from spinescrew.viewer.opened import BrandTarget


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """Two drawn films as files."""
    where = tmp_path_factory.mktemp("films")
    return tuple(
        write_radiograph(where / name, image) for name, image in zip(("AP.dcm", "LAT.dcm"), pair("comb"), strict=True)
    )


def entries(monkeypatch, *told):
    """Models that are installed: (name, why it cannot be used)."""
    made = [SimpleNamespace(name=name, unavailable=why, card=None) for name, why in told]
    monkeypatch.setattr(weights, "list_models", lambda: made)


def test_films_give_the_answer_and_a_picture_of_every_system(films):
    steps = []
    progress = Progress(lambda fraction, text: steps.append((fraction, text)))
    found = open_brand(BrandTarget(films), models=models(FAMILIES), judge=JUDGE, device="cpu", progress=progress)
    assert found.name == "AP.dcm, LAT.dcm"
    assert found.result.ranked[0][0] == "family A"
    assert set(found.references) == {0, 1}
    assert all(picture.dtype == np.uint8 and picture.max() > 200 for picture in found.references.values())
    assert [fraction for fraction, _ in steps] == sorted(fraction for fraction, _ in steps)
    again = pickle.loads(pickle.dumps(found))
    assert again.result.headline == found.result.headline
    assert len(again.result.attention) == 6


def test_one_film_is_enough(films):
    found = open_brand(BrandTarget(films[1:]), models=models(FAMILIES), judge=JUDGE, device="cpu")
    assert found.result.views == ("lat",)
    assert found.name == "LAT.dcm"


def test_three_images_and_images_that_are_none_are_refused(films, tmp_path):
    own = models(FAMILIES)
    with pytest.raises(InputError, match="3 were given"):
        open_brand(BrandTarget((*films, films[0])), models=own, judge=JUDGE)
    with pytest.raises(InputError, match=r"gone\.dcm"):
        open_brand(BrandTarget((tmp_path / "gone.dcm",)), models=own, judge=JUDGE)


def test_without_models_the_command_that_trains_them_is_named_before_anything_is_read(monkeypatch, tmp_path):
    entries(monkeypatch, ("screw-pixels", ""), ("brand-ensemble", ""))
    with pytest.raises(InputError, match="train one with `spinescrew train brand`"):
        open_brand(BrandTarget((tmp_path / "gone.dcm",)))
    with pytest.raises(InputError, match="spinescrew train brand"):
        models_module.load_models("cpu")


def test_models_that_cannot_be_used_say_why(monkeypatch):
    entries(monkeypatch, ("brand-ap", "torch not installed"))
    assert why_none() == "the model 'brand-ap' cannot be used: torch not installed"
    entries(monkeypatch, ("brand-ap", "damaged"), ("brand-lat", ""))
    assert why_none() == ""


def test_a_cancel_is_heard(films):
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        open_brand(BrandTarget(films), models=models(FAMILIES), judge=JUDGE, progress=progress)


def test_without_files_there_are_simulated_films(monkeypatch, films):
    monkeypatch.setattr(brand_open, "write_example", lambda folder, progress: BrandTarget(films))
    found = open_brand(BrandTarget(), models=models(FAMILIES), judge=JUDGE, device="cpu")
    assert found.name == EXAMPLE_NAME
    assert brand_demo.FAMILY in EXAMPLE_NAME


def test_the_example_is_found_again_only_when_it_is_whole(tmp_path):
    for name in brand_demo.IMAGES:
        assert brand_demo.example_in(tmp_path) is None
        (tmp_path / name).write_text("")
    assert [path.name for path in brand_demo.example_in(tmp_path).images] == list(brand_demo.IMAGES)


def test_the_example_is_two_films_of_one_patient(tmp_path, monkeypatch):
    from spinescrew.phantoms.xray import brand_case, brand_scene

    asked = []
    shots = tuple(SimpleNamespace(radiograph=image) for image in pair("comb"))
    monkeypatch.setattr(brand_scene, "make_scenes", lambda *what: asked.append(what) or ["scene"])
    monkeypatch.setattr(
        brand_case, "make_case", lambda *what, **how: asked.append((*what[:2], how)) or SimpleNamespace(shots=shots)
    )
    target = brand_demo.write_example(tmp_path)
    assert all(path.is_file() for path in target.images)
    assert asked == [
        (brand_demo.SEED, brand_scene.HELD_OUT),
        ("scene", brand_demo.FAMILY, {"levels": brand_demo.LEVELS, "crosslink": True}),
    ]


def test_everything_is_packed_without_a_name(tmp_path):
    report, document, archive = pack_brand(identified(), tmp_path / "brand", tmp_path / "brand.zip")
    assert "family A" in document.read_text()
    assert "Trained on simulated images" in report.read_text()
    names = {name.split("/")[-1] for name in zipfile.ZipFile(archive).namelist()}
    assert {"report.html", "brand.json"} <= names
    assert "AP.dcm" not in report.read_text() + document.read_text()


def test_jobs_of_windows_are_known_to_their_process(tmp_path):
    assert {"brand", "brand_example", "export_brand"} <= set(worker.JOBS)
    for job in (
        BackgroundBrand(BrandTarget()),
        BackgroundBrandExample(tmp_path),
        BackgroundBrandExport(identified(), tmp_path, tmp_path / "a.zip"),
    ):
        assert not job.poll().finished


def test_lines_for_windows_say_systems_screws_and_views():
    result = identified().result
    lines = system_lines(result)
    assert [line.name for line in lines] == ["family A", "family B"]
    assert [line.number for line in lines] == [0, 1]
    assert len(lines[0].models) == 4
    screws = screw_lines(result)
    assert [line.view for line in screws] == ["ap"] * 3 + ["lat"] * 3
    assert all(line.agrees and "family A" in line.said for line in screws)
    assert view_words(result)[1] == ("From the side (lateral)", "3 of 3 screws say family A")
    assert "6 of 6 screws and 4 of 4 models say family A." in answer_words(result)
    doubtful = replace(result.votes[0], probability=0.2)
    assert vote_words(result, doubtful) == "nearest family A, 20\u202f%"
    assert vote_words(result, replace(doubtful, brand="")) == "fits none, 20\u202f%"
    assert vote_words(result, None) == ""
    assert "not shown a system" in answer_words(identified(known=False).result)
