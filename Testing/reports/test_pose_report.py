"""The report of screws in two radiographs: warnings first, what is not known said, pictures that show what they say."""

import io
import re
from dataclasses import replace

import numpy as np
import pytest
from html_page import Page, without_pictures
from known_poses import solved
from PIL import Image

from spinescrew.outcome.compare import Outcome, VertebraFound, compare_plan
from spinescrew.progress import Cancelled, Progress
from spinescrew.radiographs.pose_words import ROLL
from spinescrew.radiographs.recalibration import told
from spinescrew.reports import pose_report
from spinescrew.reports.outcome_table import PlacedSection
from spinescrew.reports.palette import screw_colour
from spinescrew.reports.pose_report import NEVER_SAW, write_pose_report
from spinescrew.reports.pose_tables import screw_lines
from spinescrew.reports.pose_views import close_view, found_view, image_view, room_view


@pytest.fixture(scope="module")
def case():
    return solved()


@pytest.fixture(scope="module")
def html(case, tmp_path_factory):
    path = tmp_path_factory.mktemp("pose") / "report.html"
    hashes = {"image 1": "sha256:" + "b" * 64}
    return write_pose_report(case.result, case.radiographs, path, hashes=hashes).read_text(encoding="utf-8")


@pytest.fixture
def quick(monkeypatch):
    """Without the slow pictures."""
    monkeypatch.setattr(pose_report, "rendering_problem", lambda: "no graphics driver")


def test_warnings_come_first_then_what_the_network_was_trained_on(html, case):
    text = Page(html).text
    places = [text.index(words) for words in ("Please check.", "Trained on simulated images; for research", "Screw")]
    assert places == sorted(places)
    assert NEVER_SAW in text
    assert "Research use, not a medical device" in text
    said = case.result.warnings[0]
    assert said[1:] in text


def test_a_network_of_other_images_is_not_said_to_be_blind(case, quick, tmp_path):
    path = write_pose_report(case.result, case.radiographs, tmp_path / "a.html", provenance="Trained on 900 films")
    text = Page(path.read_text()).text
    assert "Trained on 900 films." in text
    assert NEVER_SAW not in text


def test_every_screw_has_its_place_sizes_deviations_and_match(html, case):
    text = Page(html).text
    for posed, line in zip(case.result.screws, screw_lines(case.result), strict=True):
        assert text.count(f"Screw {posed.number}") == 1
        for words in (line.entry, line.tip, line.direction):
            assert text.count(words) >= 2, words
        assert line.size.replace("\u00a0", " ") in text
    assert "0.24" in text
    assert "good" in text
    assert "the shaft crosses that of screw 6 in view 2" in text


def test_roll_is_said_not_to_be_given_and_the_tulip_stands_apart(html):
    text = Page(html).text
    assert ROLL in text
    assert "its axis and slot stand apart" in text
    assert text.count("against the shaft straight Slot of the tulip, from cranial not told Roll not given") == 5
    assert "5 screws in both views, 1 in view 1 only, 1 in view 2 only" in text


def test_the_calibration_is_told_in_words(case, html, quick, tmp_path):
    assert "Calibration. The calibration fits what is seen and was used as given." in Page(html).text

    turned = np.concatenate([np.radians([0.8, 0.0, 0.0]), [1.4, 0.0, 0.0], np.zeros(6)])
    other = replace(case.result, calibration=told(turned, True))
    path = write_pose_report(other, case.radiographs, tmp_path / "a.html")
    assert "view 2 turned by 0.8 degrees and shifted by 1.4 mm against view 1" in Page(path.read_text()).text


def test_the_page_is_one_file_without_nan_and_names_nobody(html):
    page = Page(html)
    assert not re.search(r"https?:|<script|<link|@import|url\(", without_pictures(html))
    assert not re.search(r"\b(nan|NaN|None|inf|null|undefined)\b", page.text)
    assert len(page.ids) == len(set(page.ids)) == 5
    assert all(source.startswith("data:image/png;base64,") for source in page.images)
    assert len(html) < 6e6


def test_there_are_both_images_twice_the_room_and_two_looks_at_each_screw(html):
    images = Page(html).images
    assert len(set(images)) == len(images)
    assert len(images) in (4 + 1 + 10, 4 + 1 + 10 + 2)  # without a graphics driver there is no 3D


def test_without_3d_the_reason_stands_in_its_place(case, quick, tmp_path):
    path = write_pose_report(case.result, case.radiographs, tmp_path / "a.html")
    assert Page(path.read_text()).text.count("No picture: no graphics driver") == 2


def test_no_screw_makes_a_report_too(case, quick, tmp_path):
    none = replace(case.result, screws=())
    text = Page(write_pose_report(none, case.radiographs, tmp_path / "a.html").read_text()).text
    assert "0 screws in both views" in text


@pytest.fixture
def outcome(mask_spine, mask_plan):
    """Four screws 2 mm beside their plan, the fifth not found, a sixth at no pedicle."""
    moved = [
        replace(row.screw, entry=row.screw.entry + (2.0, 0.0, 1.0))
        for row in mask_plan.planned
        if row.screw is not None
    ]
    away = replace(moved[0], entry=moved[0].entry + 200.0)
    placed = {**dict(enumerate(moved[:4], start=1)), 5: away}
    vertebrae = {level: VertebraFound(np.eye(4), 0.5) for level in mask_spine.vertebrae}
    return compare_plan(mask_plan, placed, vertebrae, mask_spine)


def test_planned_against_placed_has_the_words_and_grades_of_the_plan(case, outcome, quick, tmp_path):
    path = tmp_path / "a.html"
    later = PlacedSection("In the later CT", Outcome(outcome.screws[:1]))
    placed = [PlacedSection("Planned against placed", outcome, "Found in both images."), later]
    write_pose_report(case.result, case.radiographs, path, placed=placed)
    text = Page(path.read_text()).text
    for words in (
        "Planned against placed",
        "L1 (20) left 1 2.2 mm 2.2 mm 0.0° 0.0° 0.0° A B A to B 0.7 mm medial",
        "entry 2.0 mm more medial, 1.0 mm more cranial",
        "L3 (22) left – – – – – –",
        "planned, not found; no screw was found there",
        "4 to below 6 mm",
        "Found in both images.",
        "screw 1, L1 left",
    ):
        assert words.lower() in text.lower(), words
    assert text.index("Planned against placed") < text.index("In the later CT") < text.index("Both images")
    assert text.index("Screw 5: at no pedicle") < text.index("Planned against placed")
    assert "nan" not in text


def test_without_a_plan_nothing_is_said_of_one(html):
    assert "Planned against placed" not in html


def test_who_it_is_stands_there_only_if_given_and_never_as_markup(case, html, quick, tmp_path):
    path = tmp_path / "a.html"
    write_pose_report(case.result, case.radiographs, path, title="<b>x</b>", identity={"Patient": "Doe"})
    text = Page(path.read_text()).text
    assert "Doe" in text
    assert "<b>x</b>" in text
    assert "Patient " not in Page(html).text


def test_a_cancel_leaves_nothing(case, tmp_path):
    stopped = Progress()
    stopped.cancel()
    with pytest.raises(Cancelled):
        write_pose_report(case.result, case.radiographs, tmp_path / "a.html", progress=stopped)
    assert not list(tmp_path.iterdir())


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)), float)


def near(picture, colour, reach=60):
    rgb = np.array([int(colour[n : n + 2], 16) for n in (1, 3, 5)])
    return np.argwhere(np.abs(picture - rgb).max(axis=-1) < reach)


def test_an_outline_lies_where_the_image_shows_the_screw(case):
    plain, found = pixels(image_view(case.radiographs[0])), pixels(found_view(case.radiographs[0], case.result, 0))
    assert plain.shape == found.shape
    posed = case.result.screws[2]
    drawn = near(found, screw_colour(posed.number))[:, ::-1].mean(axis=0)
    scale = found.shape[0] / case.views[0].shape[0]
    middle = case.views[0].project((posed.screw.entry + posed.screw.tip) / 2) * scale
    assert np.hypot(*(drawn - middle)) < 40
    head = case.result.unmatched[0][0].neck * 2 * scale
    box = (slice(int(head[1]) - 30, int(head[1]) + 30), slice(int(head[0]) - 30, int(head[0]) + 30))
    assert np.abs(found - plain).max(axis=-1)[box].max() > 100  # what belongs to no screw is marked


def test_a_close_look_shows_the_whole_screw(case):
    for posed in case.result.screws[:2]:
        picture = pixels(close_view(case.radiographs[1], case.result, posed, 1))
        assert picture.shape[0] == picture.shape[1]
        drawn = near(picture, screw_colour(posed.number))
        assert len(drawn) > 200
        assert drawn.min() > 5
        assert drawn.max() < picture.shape[0] - 5


def test_the_room_shows_every_source(case):
    picture = pixels(room_view(case.result))
    assert (picture.min(axis=-1) < 60).sum() > 500
    turned = replace(case.result, views=case.result.views[::-1])
    assert np.abs(pixels(room_view(turned)) - picture).max() > 0
