"""The report on C2: what a reader must not miss, beside the limits, with pictures that show what they say."""

import io
import re
from dataclasses import replace

import numpy as np
import pytest
from axis_samples import perfect_assessment
from html_page import Page, without_pictures
from PIL import Image

from spinescrew.feasibility.assessment import disagreement
from spinescrew.feasibility.wording import percent, percent_range
from spinescrew.progress import Cancelled, Progress
from spinescrew.reports.c2_report import NEVER_SAW, write_c2_report
from spinescrew.reports.c2_tables import corridor_value, measure_rows
from spinescrew.reports.c2_views import corridor_colour, shaft_of, side_views, way_view


@pytest.fixture(scope="module")
def found():
    """A narrow left pedicle and a wide right one."""
    return perfect_assessment(9, 1.0, "narrow")


@pytest.fixture(scope="module")
def doubted(found):
    """The same, with a network that wants a screw in the narrow one, and doubts about the image."""
    left = found.sides["left"]
    other = replace(left, probability=0.93, verdict="feasible", disagreement=disagreement(0.93, left.measures))
    assert other.disagreement
    return replace(
        found,
        sides={**found.sides, "left": other},
        warnings=("slices of 3 mm",),
        seconds={"find C2": 4.2, "judge": 3.1},
    )


@pytest.fixture(scope="module")
def html(doubted, tmp_path_factory):
    path = tmp_path_factory.mktemp("c2") / "report.html"
    return write_c2_report(doubted, path).read_text(encoding="utf-8")


def test_the_first_screen_says_on_what_it_was_trained_and_that_it_never_saw_a_neck(html):
    head = Page(html).text.split("Right pedicle")[0]
    assert "Trained on simulated images; for research" in head
    assert NEVER_SAW in head
    assert "Research use, not a medical device" in head
    assert "slices of 3 mm" in head


def test_networks_of_other_images_are_not_said_to_be_blind(found, tmp_path):
    taught = replace(found, provenance="Trained on 400 neck CTs of a hospital; for research")
    text = Page(write_c2_report(taught, tmp_path / "a.html").read_text()).text
    assert "400 neck CTs" in text
    assert NEVER_SAW not in text


def test_each_side_has_its_gauge_interval_threshold_and_verdict(html, doubted):
    text = Page(html).text
    for own in doubted.sides.values():
        assert f"{percent(own.probability)} %" in text
        assert f"interval {percent_range(own.low, own.high)} %" in text
        assert own.verdict in text
    assert "interval under 1 to 12 %" in text
    assert text.count("reading threshold 50 %") == 2
    bars = [float(width) for width in re.findall(r'class="filled"[^>]* width="([\d.]+)"', html)]
    track = float(re.search(r'class="track"[^>]* width="([\d.]+)"', html)[1])
    assert np.allclose(
        np.array(bars) / track, [doubted.sides[side].probability for side in ("right", "left")], atol=1e-3
    )


def test_a_disagreement_stands_beside_the_gauge_and_again_beside_the_pictures(html, doubted):
    text = Page(html).text
    said = doubted.sides["left"].disagreement
    assert text.count("Network and geometry disagree.") == 2
    assert text.count(said[1:]) == 2
    assert text.count("say the same") == 1


def test_measures_stand_beside_the_published_limits(found):
    rows = {row.name: row for row in measure_rows(found)}
    width = rows["Minimum pediculoisthmic diameter (MPD, outer)"]
    assert [tag.text.replace("\u202f", " ") for tag in width.values["left"].tags] == ["≤ 4.78"]
    assert [tag.good for tag in width.values["right"].tags] == [True]
    for name, limits in (("Isthmus height (C2IsH)", ("5 mm", "5.59")), ("Internal height (C2InH)", ("2 mm", "4.22"))):
        assert all(limit in rows[name].meaning for limit in limits)
        assert len(rows[name].values["left"].tags) == 2
    artery = rows["High-riding vertebral artery"].values
    assert {side: value.tags[0].text for side, value in artery.items()} == {
        side: "yes" if own.measures.high_riding else "no" for side, own in found.sides.items()
    }


def test_a_measure_without_a_value_is_a_dash_without_a_verdict(found):
    left = found.sides["left"]
    blank = replace(left, measures=replace(left.measures, outer_width_mm=float("nan")))
    rows = {row.name: row for row in measure_rows(replace(found, sides={**found.sides, "left": blank}))}
    row = rows["Minimum pediculoisthmic diameter (MPD, outer)"]
    assert row.values["left"].text == "–"
    assert row.values["left"].tags == ()


def test_no_corridor_says_by_how_much_a_screw_would_leave_the_bone(found):
    corridor = found.sides["right"].measures.corridors[3.5]
    assert corridor_value(corridor).text.startswith(f"{corridor.length_mm:.1f}")
    none = corridor_value(replace(corridor, length_mm=0.0, breach_mm=1.26))
    assert none.text == "none"
    assert none.tags[0].text == "1.3\u00a0mm out of bone"
    assert not none.tags[0].good


def test_the_page_is_one_file_without_nan_and_names_nobody(html):
    page = Page(html)
    assert not re.search(r"https?:|<script|<link|@import|url\(", without_pictures(html))
    assert not re.search(r"\b(nan|NaN|None|inf|null|undefined)\b", page.text)
    assert len(page.ids) == len(set(page.ids))
    assert all(source.startswith("data:image/png;base64,") for source in page.images)
    assert len(html) < 4e6


def test_there_are_pictures_of_both_sides_with_attention_and_of_every_way_out(html, doubted):
    images = Page(html).images
    assert len(images) == 12 + sum(len(own.ways_out) for own in doubted.sides.values())
    assert len(set(images)) == len(images)
    assert len(doubted.sides["left"].ways_out) == 2
    assert "Through the lamina" in Page(html).text


def test_who_it_is_stands_there_only_if_given_and_never_as_markup(found, html, tmp_path):
    named = write_c2_report(found, tmp_path / "a.html", title="<b>x</b>", identity={"Patient": "Doe"}).read_text()
    assert "Doe" in Page(named).text
    assert "<b>x</b>" in Page(named).text
    assert "Patient" not in Page(html).text.split("Right pedicle")[0]


def test_a_cancel_leaves_nothing(found, tmp_path):
    stopped = Progress()
    stopped.cancel()
    with pytest.raises(Cancelled):
        write_c2_report(found, tmp_path / "a.html", progress=stopped)
    assert not list(tmp_path.iterdir())


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)), float)


def test_attention_colours_only_what_was_looked_at(found):
    own = found.sides["right"]
    for plain, attended in zip(
        side_views(found, own, attention=False), side_views(found, own, attention=True), strict=True
    ):
        changed = np.abs(pixels(plain) - pixels(attended)).max(axis=-1) > 8
        assert 0.01 < changed.mean() < 0.5
    blind = replace(own, attention=own.attention.with_array(np.zeros_like(own.attention.array)))
    assert side_views(found, blind, attention=True) == side_views(found, blind, attention=False)


def test_the_shaft_drawn_is_the_corridor(found):
    for own in found.sides.values():
        for way in (*own.measures.corridors.values(), *own.ways_out):
            screw = shaft_of(way)
            assert screw.shape.diameter_mm == way.diameter_mm
            assert np.allclose(screw.entry + screw.shape.length_mm * screw.direction, way.tip)


def test_colours_tell_a_thick_wall_a_thin_one_and_a_breach(found):
    corridor = found.sides["right"].measures.corridors[3.5]
    colours = [corridor_colour(replace(corridor, margin_mm=wall)) for wall in (0.9, 0.3, -0.3)]
    assert len(set(colours)) == 3


def test_a_laminar_corridor_is_drawn_whole_in_its_transverse_plane(found):
    (lamina,) = (way for way in found.sides["left"].ways_out if way.name == "lamina")
    colour = np.array([int(corridor_colour(lamina)[n : n + 2], 16) for n in (1, 3, 5)])
    picture = pixels(way_view(found, found.sides["left"], lamina))
    drawn = np.argwhere(np.abs(picture - colour).max(axis=-1) < 40)
    mm = np.ptp(drawn, axis=0) / picture.shape[:2] * np.array([45.0, 50.0])
    assert abs(np.hypot(*mm) - np.hypot(np.linalg.norm(lamina.tip - lamina.entry), 3.5)) < 3.0
