"""Screws found in pairs of radiographs whose truth is known: scores, refusals, folders, and the command's tables."""

import csv
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from known_poses import solved
from typer.testing import CliRunner

from spinescrew.cli import app
from spinescrew.cli.pose_learning import parse_error
from spinescrew.cohort import evaluate_pose, pose_phantoms
from spinescrew.cohort.case import CaseInput
from spinescrew.cohort.evaluate_pose import score_pairs, sources_of, wrong_views
from spinescrew.errors import InputError
from spinescrew.evaluation.pose_folder import FolderPairs, PoseImage, write_pose_folder
from spinescrew.evaluation.pose_pixels import classes_of
from spinescrew.evaluation.pose_score import AS_GIVEN, write_pose_scores
from spinescrew.geometry.volume import Volume
from spinescrew.progress import Cancelled, Progress


@pytest.fixture(scope="module")
def case():
    return solved()


@pytest.fixture(scope="module")
def image(case):
    labels = tuple(classes_of(maps, view) for maps, view in zip(case.result.maps, case.views, strict=True))
    return PoseImage("a", "clean", case.radiographs, case.views, case.views, case.screws, labels)


class Pairs(list):
    """A source."""

    def describe(self):
        return "pairs"


@pytest.fixture
def find(case):
    def answer(radiograph, view, progress=None):
        answer.count += 1
        return case.result.maps[0 if radiograph is case.radiographs[0] else 1]

    answer.count = 0
    return answer


def solve(case):
    """The truth, in the views that the maps say."""

    def answer(maps, progress=None):
        answer.views.append(tuple(each.view for each in maps))
        return case.result

    answer.views = []
    return answer


def test_screws_and_pixels_are_scored_against_the_truth(image, find, case):
    found = score_pairs(Pairs([image]), find=find, solve=solve(case))
    assert [score.state for score in found.screws] == ["right"] * 5 + ["missed"]
    first = found.screws[0]
    assert (first.case, first.style, first.screws, first.error_deg) == ("a", "clean", 6, -1.0)
    assert first.between_deg == pytest.approx(72.0, abs=0.5)
    assert 0 < first.noise < 0.2
    assert first.seconds >= 0
    assert [score.view for score in found.pixels] == [1, 2]
    assert all(score.shaft_dice == score.head_recall == 1.0 for score in found.pixels)


def test_the_images_are_searched_once_and_solved_for_each_error(image, find, case):
    own = solve(case)
    found = score_pairs(Pairs([image]), [(0.0, 0.0), (1.0, 2.0)], find=find, solve=own)
    assert find.count == 2
    assert len(own.views) == 2
    assert np.allclose(own.views[0][0].matrix, case.result.maps[0].view.matrix)
    turned = own.views[0][1].angle_to(own.views[1][1])
    assert 0.0 < turned < 1.5
    assert {(score.error_deg, score.error_mm) for score in found.screws} == {(0.0, 0.0), (1.0, 2.0)}
    assert len(found.pixels) == 2


def test_wrong_views_are_the_same_each_time_and_as_wrong_as_said(image):
    first, second = wrong_views(image, (1.0, 2.0))
    again, _ = wrong_views(image, (1.0, 2.0))
    assert np.array_equal(first.source, again.source)
    assert not np.allclose(first.right, image.true_views[0].right, atol=1e-3) or not np.allclose(
        second.right, image.true_views[1].right, atol=1e-3
    )
    assert wrong_views(image, AS_GIVEN) is image.views
    assert wrong_views(image, (0.0, 0.0)) is image.true_views


def test_refusals_are_missed_screws_with_the_reason(image, find, case):
    def refuse(*_given, **_options):
        raise InputError("none is the same in both")

    found = score_pairs(Pairs([image]), [(0.0, 0.0), (1.0, 2.0)], find=find, solve=refuse)
    assert {score.refused for score in found.screws} == {"none is the same in both"}
    assert len(found.screws) == 12
    assert len(found.pixels) == 2
    found = score_pairs(Pairs([image]), find=refuse, solve=solve(case))
    assert len(found.screws) == 6
    assert found.pixels == ()


def test_without_label_maps_nothing_is_said_of_pixels(image, find, case):
    found = score_pairs(Pairs([replace(image, labels=(None, None))]), find=find, solve=solve(case))
    assert found.pixels == ()
    assert np.isnan(found.screws[0].noise)


def test_it_can_be_stopped_between_pairs(image, find, case):
    progress = Progress()

    def cancel(maps, progress=None):
        progress.cancel()
        return case.result

    with pytest.raises(Cancelled):
        score_pairs(Pairs([image] * 2), find=find, solve=cancel, progress=progress)


@pytest.fixture(scope="module")
def folder(image, tmp_path_factory):
    given = tuple(view.moved(np.eye(4) + np.diag([2.0], 3)) for view in image.views)
    other = replace(image, name="007", style="realistic", views=given, labels=(image.labels[0], None))
    return write_pose_folder(tmp_path_factory.mktemp("pairs"), [image, other]).parent


def test_a_folder_gives_back_what_was_written(folder, image):
    source = FolderPairs(folder)
    first, other = source[0], source[1]
    assert (len(source), first.name, first.style, other.name, other.style) == (2, "a", "clean", "007", "realistic")
    assert np.allclose(first.true_views[1].matrix, image.true_views[1].matrix)
    assert not np.allclose(other.views[0].source, other.true_views[0].source)
    assert np.array_equal(first.labels[1], image.labels[1])
    assert other.labels[1] is None
    for mine, its in zip(first.screws, image.screws, strict=True):
        assert np.allclose(mine.entry, its.entry)
        assert np.allclose(mine.tip, its.tip)
    assert np.allclose(first.radiographs[0].pixels, image.radiographs[0].pixels, atol=0.1)
    assert first.radiographs[0].bright_is_dense is False
    assert source.describe() == "2 pairs of radiographs of a folder"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("001/first.dcm", "001/gone.dcm", r"line 2: there is no '.*gone.dcm'"),
        ("007", "a", "line 3: case 'a' is named twice"),
        ("001/first-labels.png", "001/second.dcm", "line 2: .*is no label map"),
        ("geometry,", "geo,", "lacks the columns geometry"),
    ],
)
def test_a_damaged_list_is_refused_by_its_line(folder, tmp_path, old, new, said):
    copy = shutil.copytree(folder, tmp_path / "copy")
    listed = copy / "cases.csv"
    listed.write_text(listed.read_text().replace(old, new, 1))
    with pytest.raises(InputError, match=said):
        FolderPairs(copy)[0]


def test_what_is_no_folder_is_refused(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="is no folder; give phantoms"):
        sources_of(str(tmp_path / "none"), tmp_path, 5, ["clean"])
    for options in ({"angles": [30.0]}, {"case": CaseInput(None)}):
        with pytest.raises(InputError, match="leave out --between, --ct and --labels, or --data"):
            sources_of(str(tmp_path), tmp_path, 5, ["clean"], **options)
    monkeypatch.setattr(evaluate_pose, "load_case", lambda source: (None, None))
    with pytest.raises(InputError, match="labels alone cannot be projected"):
        sources_of("phantoms", tmp_path, 5, ["clean"], case=CaseInput(tmp_path / "labels.nii.gz"))


def test_held_out_pairs_are_made_once_and_kept(image, tmp_path, monkeypatch):
    made = []

    def make(seed, style, between_deg):
        made.append((seed, style, between_deg))
        return replace(image, name=seed, style=style)

    monkeypatch.setattr(pose_phantoms, "_made", make)
    sources = sources_of("phantoms", tmp_path, 3, ["clean", "realistic"], [30.0])
    assert [source.describe().split(", ", 1)[1] for source in sources][:2] == [
        "clean, seeds 0-2",
        "realistic, seeds 0-2",
    ]
    for _ in range(2):
        kept = sources[2][1]
    assert made == [(1, "clean", 30.0)]
    assert (kept.name, kept.style, kept.setup) == (1, "clean", "30")
    assert np.array_equal(kept.labels[0], image.labels[0])
    assert np.array_equal(kept.radiographs[1].pixels, image.radiographs[1].pixels)
    assert np.allclose(kept.screws[2].tip, image.screws[2].tip)


def test_a_ct_is_projected_with_screws_about_its_plan(image, case, tmp_path, monkeypatch):
    ct = Volume(np.zeros((4, 5, 6), np.int16), np.eye(4))
    rows = [SimpleNamespace(key=("L3", n), screw=screw) for n, screw in enumerate(case.screws)]
    monkeypatch.setattr(evaluate_pose, "load_case", lambda source: (ct, ct))
    plan = SimpleNamespace(plan=SimpleNamespace(planned=rows))
    monkeypatch.setattr("spinescrew.cohort.case.plan_volumes", lambda labels, image: plan)
    shots = tuple(SimpleNamespace(classes=labels) for labels in image.labels)
    asked = []

    def pair_of(own, screws, seed, style, **options):
        asked.append((own is ct, len(screws), seed, style, options["cut"], options["between_deg"]))
        return SimpleNamespace(
            shots=shots, radiographs=image.radiographs, true_views=image.true_views, screws=image.screws
        )

    monkeypatch.setattr("spinescrew.phantoms.xray.pair.pair_of", pair_of)
    (source,) = sources_of("phantoms", tmp_path, 2, ["realistic"], case=CaseInput(tmp_path / "l", tmp_path / "c"))
    kept = source[1]
    assert asked == [(True, 6, 1, "realistic", True, None)]
    assert (kept.name, kept.style, kept.setup) == (1, "realistic, CT", "usual")
    assert "projected from a CT with screws put in, realistic" in source.describe()


def run(*given):
    return CliRunner().invoke(app, ["evaluate", "pose", *map(str, given)])


def test_the_command_shows_tables_of_rows_written_before_and_draws_them(image, find, case, tmp_path, monkeypatch):
    found = score_pairs(Pairs([image]), [(0.0, 0.0), (1.0, 2.0)], find=find, solve=solve(case))
    write_pose_scores(tmp_path / "rows.csv", found.screws, found.pixels)
    monkeypatch.setenv("COLUMNS", "180")
    done = run("--scores", tmp_path / "rows.csv", "--csv", tmp_path / "again.csv", "--figure", tmp_path / "pose.png")
    assert done.exit_code == 0, done.output
    for words in (
        "clean: pixels of 2 radiographs",
        "shaft Dice",
        "true calibration",
        "calibration wrong by 1°, 2 mm",
        "matched right",
        "mid-shaft mm",
        "by angle between the views",
        "by screws in view",
        "by noise over contrast",
    ):
        assert words in done.output, words
    assert (tmp_path / "pose.png").is_file()
    with (tmp_path / "again.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 12


def test_errors_of_a_calibration_are_read():
    assert parse_error("1,2") == (1.0, 2.0)
    for text in ("1", "a,b", "-1,2"):
        with pytest.raises(InputError, match="no error of a calibration"):
            parse_error(text)
