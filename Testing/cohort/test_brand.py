"""Radiographs to the files of an answer, and the tables of many answers."""

import json
import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

pytest.importorskip("torch")

from brand_fakes import SYSTEMS
from brand_teeth import CARD, FILMS, find, models, pair

from spinescrew.brands.identify import identify
from spinescrew.cli import app
from spinescrew.cohort import brand as brand_module
from spinescrew.cohort import evaluate_brand
from spinescrew.cohort.brand import BRAND, REPORT, identify_case
from spinescrew.cohort.evaluate_brand import (
    BrandImages,
    HeldOutBrands,
    score_patients,
    sources_of,
    usual_ensemble,
)
from spinescrew.errors import InputError
from spinescrew.evaluation.brand_score import write_brand_scores
from spinescrew.evaluation.brands import BrandFigures
from spinescrew.radiographs.image import write_radiograph
from spinescrew.training import brand_command

FAMILIES = ("family A", "family B")
JUDGE = partial(identify, find=find)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two films as files."""
    where = tmp_path_factory.mktemp("films")
    for name, image in zip(("AP.dcm", "LAT.dcm"), pair("comb"), strict=True):
        write_radiograph(where / name, image)
    return where


@pytest.fixture(scope="module")
def case(folder):
    own = models(FAMILIES)
    return identify_case(
        [folder / "AP.dcm", folder / "LAT.dcm"], folder / "out", models=own, device="cpu", judge=JUDGE, title="Case 3"
    )


def test_the_files_hold_the_answer_and_no_names(case, folder):
    document = json.loads((folder / "out" / BRAND).read_text())
    assert document["answer"]["ranked"][0]["system"] == "family A"
    assert document["answer"]["known"]
    assert set(document["by_model"]) == {"ap", "lat", "concat", "merge"}
    assert [image["view"] for image in document["images"]] == ["ap", "lat"]
    assert len(document["images"][1]["screws"]) == 3
    assert document["simulated"]
    for text in ("AP.dcm", str(folder)):
        assert text not in (folder / "out" / BRAND).read_text()


def test_the_report_says_answer_provenance_agreement_and_shows_all_pictures(case, folder):
    page = (folder / "out" / REPORT).read_text()
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "Case 3" in text
    assert "Family A (" in text
    assert "Trained on simulated images; for research" in text
    assert "The models never saw a real radiograph." in text
    assert "their names are no maker" in text
    assert "6 of 6 screws and 4 of 4 models say family A" in text
    assert "Research use, not a medical device" in text
    assert page.count("data:image/png;base64,") == 2 + 6 + 6 + 2
    assert "http" not in page.replace("http-equiv", "")


def test_a_refused_image_writes_nothing(folder, tmp_path):
    with pytest.raises(InputError, match="3 were given"):
        identify_case([folder / "AP.dcm"] * 3, tmp_path / "out", models=models())
    assert not list(tmp_path.iterdir())


def test_the_command_prints_the_answer_and_the_files(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setattr(brand_module, "load_models", lambda device: models(FAMILIES))
    patched = partial(identify_case, judge=JUDGE)
    monkeypatch.setattr(brand_module, "identify_case", patched)
    command = [
        "brand",
        str(folder / "AP.dcm"),
        str(folder / "LAT.dcm"),
        "--out",
        str(tmp_path / "o"),
        "--device",
        "cpu",
    ]
    done = CliRunner().invoke(app, [*command, "--ensemble", "ap + lat"])
    assert done.exit_code == 0, done.output
    assert "family A (" in done.stdout
    assert "Merge" in done.stdout
    assert str(tmp_path / "o" / REPORT) in done.stdout
    assert "find the screws" in done.stdout


class Drawn:
    """Patients with drawn films."""

    def __init__(self, count=4, part="held out"):
        self.count, self.part = count, part

    def __len__(self):
        return self.count

    def __getitem__(self, number):
        system = SYSTEMS[number % 2]
        films = [FILMS[system, view] for view in ("ap", "lat")]
        brand = FAMILIES[number % 2] if self.part != "unknown" else "unknown family 1"
        metal = tuple(film.heads | film.shafts for film in films)
        return BrandImages(number, self.part, brand, number < 2, 2, tuple(film.radiograph for film in films), metal)

    def describe(self):
        """For the screen."""
        return "drawn"


@pytest.fixture(scope="module")
def figures():
    own = models(FAMILIES)
    scores = [*score_patients(Drawn(), own, judge=JUDGE), *score_patients(Drawn(2, "unknown"), own, judge=JUDGE)]
    return BrandFigures(tuple(scores), own.outputs, own.brands)


def test_patients_are_scored_by_every_model_and_ensemble(figures):
    held = figures.of("held out")
    assert set(figures.models) == {"ap", "ap+lat", "ap+lat+concat+merge", "ap+merge-ap", "lat+merge-lat"}
    assert held.rates("ap+lat").accuracy.value == 1.0
    assert usual_ensemble(figures.models) == "ap+lat+concat+merge"
    assert np.isfinite([score.attention for score in held.scores]).any()
    assert all(score.seconds > 0 for score in held.scores)


def test_a_patient_who_is_refused_is_a_row_with_the_reason():
    def refuse(*_, **__):
        raise InputError("image 1 shows no pedicle screw")

    (row,) = score_patients(Drawn(1), models(FAMILIES), judge=refuse)
    assert row.refused == "image 1 shows no pedicle screw"


def test_the_command_prints_all_tables_from_kept_rows(figures, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    path = write_brand_scores(tmp_path / "rows.csv", figures.scores, figures.outputs)
    (tmp_path / "readers.csv").write_text("case,reader,brand\n0,A. N.,family A\n1,A. N.,family A\n")
    options = ["--scores", str(path), "--readers", str(tmp_path / "readers.csv"), "--figure", str(tmp_path / "f.png")]
    done = CliRunner().invoke(app, ["evaluate", "brand", *options])
    assert done.exit_code == 0, done.output
    for words in ("macro averages", "best member", "by system", "truth in rows", "by crosslink", "readers beside"):
        assert words in done.stdout, words
    assert "systems that no model was shown" in done.stdout
    assert (tmp_path / "f.png").is_file()


def test_held_out_families_are_those_that_the_models_know(tmp_path):
    own = models(("family A", "unknown family 1"))
    held, external, unknown = sources_of("phantoms", tmp_path, 20, [], own)
    assert len(held) == 20
    assert len(external) == len(unknown) == 10
    assert "2 design families" in held.describe()
    assert "4 design families" in unknown.describe()
    with pytest.raises(InputError, match="know no simulated family"):
        sources_of("phantoms", tmp_path, 20, [], models(("Maker",), card=replace(CARD, generator_hash="")))


def test_held_out_patients_are_made_once_and_kept(tmp_path, monkeypatch):
    film = FILMS["comb", "ap"]
    grey = np.rint(100 * film.pixels).astype(np.uint16)
    held = {"crosslink": True, "levels": 2}
    for view in ("ap", "lat"):
        held |= {f"pixels-{view}": grey, f"dense-{view}": True, f"step-{view}": np.full(2, 0.6)}
        held[f"metal-{view}"] = np.packbits(film.heads, axis=1)
    calls = []
    monkeypatch.setattr(HeldOutBrands, "_made", lambda self, *what: calls.append(what) or held)
    source = HeldOutBrands(tmp_path, "held out", 4, FAMILIES)
    first, again = source[1], source[1]
    assert len(calls) == 1
    assert first.brand == "family B"
    assert first.crosslink
    assert np.array_equal(again.radiographs[1].pixels, grey)
    assert np.array_equal(first.metal[0], film.heads)


def test_training_of_systems_has_its_own_options(monkeypatch, tmp_path):
    seen = {}

    def train_brands(runs, models, options, **more):
        seen.update(more, options=options)
        return ()

    monkeypatch.setattr(brand_command, "train_brands", train_brands)
    command = ["train", "brand", "--data", "films", "--cycle", "80", "--extend", "--network", "brand-lat"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert seen["options"].cycle == 80
    assert seen["options"].time_s is None
    assert seen["options"].weight_decay == 0.0
    assert seen["kinds"] == ("lat",)
    assert seen["extend"]
    assert Path(seen["data"]) == Path("films")
    assert evaluate_brand.COUNT >= 210
