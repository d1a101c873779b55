"""``spinescrew view`` as it is typed: what it refuses before anything listens, and how it ends."""

import re
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

COMMAND = [sys.executable, "-m", "spinescrew.cli", "view"]


def said(*arguments):
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=120)
    return done.returncode, done.stderr.strip()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere.json"], "'nowhere.json' does not exist"),
        (["--host", "0.0.0.0"], "--tls-certificate"),
        (["--port", "70000"], "70000"),
        (["--radiograph", "README.md"], "--radiograph twice"),
        (["--brand", "README.md", "nowhere.dcm"], "'nowhere.dcm' does not exist"),
        (["README.md", "README.md"], "two radiographs need --brand"),
    ],
)
def test_what_cannot_be_is_said_in_one_line_before_anything_listens(arguments, words):
    status, text = said(*arguments)
    assert status == 1
    assert words in text
    assert len(text.splitlines()) == 1


def test_the_folder_of_a_c2_case_asks_for_its_image(tmp_path):
    (tmp_path / "c2.json").write_text("{}")
    status, text = said(str(tmp_path))
    assert status == 1
    assert "--ct" in text
    assert len(text.splitlines()) == 1


@pytest.mark.parametrize("names", [(), ("AP.dcm",), ("AP.dcm", "LAT.dcm")])
def test_films_are_opened_in_the_brand_tab(names, tmp_path, monkeypatch):
    from typer.testing import CliRunner

    from spinescrew.cli import app
    from spinescrew.viewer import app as viewer

    asked = []
    monkeypatch.setattr(
        viewer, "Planner", lambda *_, **what: asked.append(what) or SimpleNamespace(run=lambda *_: None)
    )
    paths = [tmp_path / name for name in names]
    for path in paths:
        path.write_text("")
    done = CliRunner().invoke(app, ["view", "--brand", *map(str, paths)])
    assert done.exit_code == 0, done.output
    assert asked[0]["tab"] == "brand"
    assert asked[0]["brand"].images == tuple(paths)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_one_address_and_ends_quietly_when_told_to(how):
    process = subprocess.Popen(COMMAND, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    lines = []
    try:
        while not lines or "http" not in lines[-1]:
            lines.append(process.stdout.readline())
            assert lines[-1] != ""
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?secret=[\w-]{40,}", lines[-1].strip())
        assert "one person" in lines[0]
        time.sleep(1.0)
        process.send_signal(how)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert "Traceback" not in errors
