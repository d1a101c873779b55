"""From the mouse to the picture: moves are matched to pictures, and a real browser gives plausible figures."""

import asyncio
import json

import numpy as np
import pytest
from typer.testing import CliRunner

from spinescrew.cli import app
from spinescrew.cohort import bench_browser, browser_hand
from spinescrew.cohort.bench_browser import browser_drag_figures, circle
from spinescrew.cohort.browser_hand import Hand, find_chromium
from spinescrew.cohort.browser_log import Seen, pictures_per_s, single_ms, sweep_ms
from spinescrew.errors import InputError


def move(ms):
    return Seen("move", ms)


def call(ms, number):
    return Seen("call", ms, "", 0, number)


def picture(ms, revision, events=0, area="here"):
    return Seen("picture", ms, area, revision, events)


def test_a_single_move_is_seen_with_the_first_picture_of_its_view_that_has_a_newer_edit():
    log = [move(10), picture(30, 4), picture(40, 5, area="there"), picture(55, 5), picture(60, 5)]
    assert single_ms([*log, move(100), picture(130, 6)], "here", revision=4) == [45, 30]


def test_a_single_move_that_was_never_seen_is_not_forgotten():
    log = [move(10), picture(20, 4), move(50), picture(80, 5), move(90)]
    assert np.array_equal(single_ms(log, "here", revision=4), [np.nan, 30, np.nan], equal_nan=True)


def test_moves_of_a_sweep_go_out_together_and_are_seen_with_the_first_picture_that_contains_their_call():
    log = [move(0), call(0, 1), move(10), move(20), call(25, 2), picture(40, 7, 11), move(45), picture(60, 8, 12)]
    log += [call(61, 3), picture(70, 9, 13, "there"), picture(75, 8, 12), picture(90, 9, 13)]
    assert sweep_ms(log, "here", ahead=10) == [40, 50, 40, 45]


def test_pictures_that_are_overtaken_on_their_way_do_not_count_twice():
    log = [move(0), call(0, 1), move(5), call(6, 2), picture(30, 2, 2), picture(31, 1, 1)]
    assert sweep_ms(log, "here", ahead=0) == [30, 25]


def test_a_move_of_a_sweep_that_was_never_sent_or_seen_is_not_forgotten():
    log = [move(0), call(1, 1), picture(20, 1, 1), move(30), call(31, 2), picture(50, 1, 1), move(60)]
    assert np.array_equal(sweep_ms(log, "here", 0), [20, np.nan, np.nan], equal_nan=True)


def test_only_pictures_with_something_new_are_counted():
    log = [picture(0, 1), picture(100, 2), picture(150, 2), picture(160, 3, area="there"), picture(200, 3)]
    assert pictures_per_s(log, "here") == pytest.approx(10.0)
    assert pictures_per_s(log[:1], "here") == 0.0


def test_every_pixel_of_the_way_is_another_one_close_to_the_last():
    way = [(100, 200), *circle((100, 200), 30), *circle((100, 200), 100, 30)]
    steps = np.linalg.norm(np.diff(way, axis=0), axis=1)
    assert steps.min() >= 1 and steps.max() < 4


def test_without_a_browser_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(browser_hand.shutil, "which", lambda name: None)
    monkeypatch.delenv(browser_hand.ENVIRONMENT, raising=False)
    with pytest.raises(InputError, match="apt install chromium"):
        find_chromium()
    monkeypatch.setenv(browser_hand.ENVIRONMENT, "/nowhere/chromium")
    with pytest.raises(InputError, match="'/nowhere/chromium' of SPINESCREW_CHROMIUM"):
        find_chromium()


def test_without_what_drives_a_browser_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(bench_browser, "find_chromium", lambda: "/usr/bin/chromium")
    monkeypatch.setattr(bench_browser, "find_spec", lambda name: None if name == "playwright" else object())
    with pytest.raises(InputError, match="pip install playwright"):
        browser_drag_figures()


def test_a_browser_that_cannot_start_is_told_in_one_line():
    pytest.importorskip("playwright")

    async def start():
        async with Hand("/bin/false") as hand:
            await hand.ask("open", "http://127.0.0.1:9/")

    with pytest.raises(InputError, match="the browser failed") as told:
        asyncio.run(start())
    assert "\n" not in str(told.value)


def test_the_command_shows_the_figures_and_writes_them(monkeypatch, tmp_path):
    monkeypatch.setattr(bench_browser, "browser_drag_figures", lambda progress, edits: {"edits": edits})
    words = ["bench", "drag", "--browser", "--json", str(tmp_path / "out.json")]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0 and "bench drag --browser" in done.output
    assert json.loads((tmp_path / "out.json").read_text()) == {"edits": bench_browser.EDITS}


@pytest.mark.slow
def test_a_real_browser_gives_plausible_figures(monkeypatch):
    pytest.importorskip("playwright")
    try:
        find_chromium()
    except InputError as missing:
        pytest.skip(str(missing))
    monkeypatch.setattr(bench_browser, "SINGLES", 4)
    monkeypatch.setattr(bench_browser, "SWEEP_S", 1.5)
    figures = browser_drag_figures(edits=10)
    picture_ms = figures["one 3D picture median ms"]
    assert figures["one assessment median ms"] > 0 and picture_ms > 0
    for name in ("3D", "slice"):
        assert 0 < figures[f"{name}, one event median ms"] <= figures[f"{name}, one event p95 ms"] < 60_000
        assert 0 < figures[f"{name}, dragging median ms"] <= figures[f"{name}, dragging p95 ms"] < 60_000
        assert 0 < figures[f"{name}, dragging pictures/s"] < 200
        ratio = figures[f"{name}, one event median ms"] / picture_ms
        assert figures[f"{name}, one event / one 3D picture"] == pytest.approx(ratio)
    assert figures["3D, one event median ms"] > picture_ms / 4, "a picture is seen after it is drawn"
    assert figures["events"] >= 2 * (4 + 80) and figures["events never seen"] == 0
    assert figures["edits"] >= 10 and 100 < figures["memory MB"] < 20_000
    assert abs(figures["memory growth MB"]) < 500
