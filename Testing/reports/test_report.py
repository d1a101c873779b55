"""The report as a whole: well formed, complete, self-contained, anonymous."""

import base64
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from spinescrew.errors import InputError
from spinescrew.progress import Cancelled, Progress
from spinescrew.reports import document, write_report

PNG = b"\x89PNG\r\n\x1a\n"
VOID = {"meta", "img", "br", "hr", "link", "input"}


class Page(HTMLParser):
    """Checks that tags close in order; keeps visible text, pictures, links and ids."""

    def __init__(self, text):
        super().__init__()
        self.open, self.words, self.images, self.links, self.ids = [], [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.images += [values["src"]] if tag == "img" else []
        self.links += [values["href"]] if "href" in values else []
        self.ids += [values["id"]] if "id" in values else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        assert tag in VOID
        self.handle_starttag(tag, attributes)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def without_pictures(text):
    """The page as it was written, less the bytes of its pictures, in which any word may occur by chance."""
    return re.sub(r"data:image/png;base64,[A-Za-z0-9+/=]+", "", text)


@pytest.fixture(scope="module")
def no_driver():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(document, "rendering_problem", lambda: "no graphics driver here")
        yield


@pytest.fixture(scope="module")
def ct_html(tmp_path_factory, ct_plan, ct_spine):
    path = tmp_path_factory.mktemp("ct") / "report.html"
    return write_report(ct_plan, ct_spine, path, title="Training case").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def mask_html(tmp_path_factory, mask_plan, mask_spine, no_driver):
    path = tmp_path_factory.mktemp("mask") / "report.html"
    return write_report(mask_plan, mask_spine, path).read_text(encoding="utf-8")


def test_the_page_is_well_formed_and_its_links_lead_somewhere(ct_html):
    page = Page(ct_html)
    assert {link.lstrip("#") for link in page.links} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))


def test_every_screw_is_there_and_what_is_not_planned_says_why(ct_html, ct_plan):
    page = Page(ct_html)
    for row in ct_plan.screws:
        assert row.level.label in page.text
        if row.screw is None:
            assert row.reason in page.text
        else:
            assert f"{row.level.name}-{row.side}" in page.ids
            assert f"{row.level.label} {row.side}" in page.text
    assert len(page.ids) == len(ct_plan.planned)


def test_what_is_not_gradable_is_a_dash_with_its_reason(mask_html):
    text = Page(mask_html).text
    for reason in ("L1 is the topmost vertebra in view", "the field of view cuts the right pedicle", "no CT"):
        assert reason in text
    assert "–" in text


@pytest.mark.parametrize("page", ["ct_html", "mask_html"])
def test_there_is_no_nan_none_or_not_a_number_in_the_text(page, request):
    text = Page(request.getfixturevalue(page)).text
    assert not re.search(r"\b(nan|NaN|None|inf|null|undefined)\b", text)


def test_the_grades_measures_and_step_times_are_written_out(ct_html):
    text = Page(ct_html).text
    expected = ("2.6\u00a0mm lateral", "6.5\u00a0×\u00a045\u00a0mm", "12.5°", "straight-forward", "0.80 × 0.80 × 0.80")
    for words in (*expected, "search the corridors", "4.02 s", "6.33 s", "Research use, not a medical device"):
        assert " ".join(words.split()) in text


def test_nothing_is_loaded_from_outside(ct_html):
    assert not re.search(r"https?:|//[a-z]|<script|<link|@import|url\(", without_pictures(ct_html))
    assert all(source.startswith("data:image/png;base64,") for source in Page(ct_html).images)


def test_each_screw_has_four_real_pictures_and_the_case_two(ct_html, ct_plan):
    if "No picture" in ct_html:
        pytest.skip("no graphics driver for 3D pictures")
    images = [base64.b64decode(source.partition(",")[2]) for source in Page(ct_html).images]
    assert len(images) == 2 + 4 * len(ct_plan.planned)
    assert all(image.startswith(PNG) for image in images)
    assert len(set(images)) == len(images)
    assert len(ct_html) < 10e6 * len(ct_plan.planned) / 12


def test_without_a_graphics_driver_the_page_says_so_in_place_of_the_picture(mask_html, mask_plan):
    page = Page(mask_html)
    assert page.text.count("No picture: no graphics driver here") == 2 + len(mask_plan.planned)
    assert len(page.images) == 3 * len(mask_plan.planned)


def test_one_page_per_screw_is_asked_for_in_print(ct_html):
    assert re.search(r"\.screw[^{]*{[^}]*break-before: page", ct_html)
    assert "@page" in ct_html


@pytest.mark.usefixtures("no_driver")
class TestWriting:
    """Calls with a one-screw plan, without 3D pictures."""

    @pytest.fixture
    def plan(self, mask_plan):
        return replace(mask_plan, screws=mask_plan.screws[:1])

    def test_nobody_is_named_unless_asked(self, plan, mask_spine, tmp_path):
        spine = replace(mask_spine, metadata={"PatientName": "Doe^Jane", "PatientID": "4711"})
        anonymous = write_report(plan, spine, tmp_path / "a.html").read_text(encoding="utf-8")
        assert "Doe" not in without_pictures(anonymous)
        assert "4711" not in without_pictures(anonymous)
        named = write_report(plan, spine, tmp_path / "b.html", identity={"Patient": "Doe, Jane"})
        assert "Doe, Jane" in Page(named.read_text(encoding="utf-8")).text

    def test_words_from_outside_cannot_become_markup(self, plan, mask_spine, tmp_path):
        path = write_report(plan, mask_spine, tmp_path / "a.html", title="<script>alert(1)</script>")
        text = path.read_text(encoding="utf-8")
        assert "<script" not in text
        assert "<script>alert(1)</script>" in Page(text).text

    def test_a_screw_that_was_not_graded_says_so(self, plan, mask_spine, tmp_path):
        bare = replace(plan, screws=(replace(plan.screws[0], assessment=None),))
        text = Page(write_report(bare, mask_spine, tmp_path / "a.html").read_text(encoding="utf-8")).text
        assert "this screw was not graded" in text

    def test_a_screw_in_a_vertebra_without_measures_keeps_its_row(self, plan, mask_spine, tmp_path):
        level = plan.screws[0].level
        rest = {key: value for key, value in mask_spine.vertebrae.items() if key != level}
        spine = replace(mask_spine, vertebrae=rest, skipped={level: "too few voxels"})
        text = Page(write_report(plan, spine, tmp_path / "a.html").read_text(encoding="utf-8")).text
        assert "No picture: too few voxels" in text

    def test_a_plan_without_screws_is_a_page_too(self, plan, mask_spine, tmp_path):
        path = write_report(replace(plan, screws=()), mask_spine, tmp_path / "a.html")
        assert Page(path.read_text(encoding="utf-8")).images == []

    def test_the_limits_of_the_letters_are_those_of_the_grading(self, plan, mask_spine, tmp_path):
        inclusive = replace(plan, parameters={"grading": {"inclusive": True}})
        for case, limits in ((plan, "2 to below 4 mm"), (inclusive, "over 2 to 4 mm")):
            page = Page(write_report(case, mask_spine, tmp_path / "a.html").read_text(encoding="utf-8"))
            assert limits in page.text

    def test_progress_runs_to_one_and_a_cancel_leaves_nothing(self, plan, mask_spine, tmp_path):
        seen = []
        write_report(plan, mask_spine, tmp_path / "a.html", progress=Progress(lambda f, _: seen.append(f)))
        assert seen == sorted(seen)
        assert seen[-1] == 1.0
        stopped = Progress()
        stopped.cancel()
        with pytest.raises(Cancelled):
            write_report(plan, mask_spine, tmp_path / "b.html", progress=stopped)
        assert [path.name for path in tmp_path.iterdir()] == ["a.html"]

    def test_a_place_that_cannot_be_written_to_is_one_readable_line(self, plan, mask_spine, tmp_path):
        (tmp_path / "taken").write_text("a file")
        with pytest.raises(InputError, match="taken") as caught:
            write_report(plan, mask_spine, tmp_path / "taken" / "a.html")
        assert "\n" not in str(caught.value)

    def test_the_breach_is_marked_only_where_there_is_one(self, mask_plan, mask_spine):
        from spinescrew.reports.screw_views import axial_view

        row = mask_plan.screws[3]
        healed = replace(row.assessment, breach=replace(row.assessment.breach, mm=0.0))
        vertebra = mask_spine.vertebrae[row.level]
        marked = axial_view(row, row.screw, mask_spine, vertebra)
        assert marked != axial_view(replace(row, assessment=healed), row.screw, mask_spine, vertebra)
        assert pink(marked) > 20 > pink(axial_view(replace(row, assessment=healed), row.screw, mask_spine, vertebra))


def pink(png):
    """Number of pixels in the colour of the breach mark."""
    import io

    from PIL import Image

    colours = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)
    return int((np.abs(colours - (255, 79, 163)).max(axis=-1) < 30).sum())
