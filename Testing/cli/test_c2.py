"""``spinescrew c2`` as it is typed: what it prints, and how it refuses."""

import subprocess
import sys
from dataclasses import replace
from functools import partial

import pytest
from axis_samples import perfect_assessment
from typer.testing import CliRunner

from spinescrew.cli import app
from spinescrew.cohort import c2
from spinescrew.feasibility.assessment import disagreement
from spinescrew.images import write_volume


@pytest.fixture(scope="module")
def known():
    """A narrow left pedicle that the network would instrument, and a wide right one that it would not."""
    found = perfect_assessment(9, 1.0, "narrow")
    left, right = (found.sides[side] for side in ("left", "right"))
    sides = {
        "left": replace(left, probability=0.93, low=0.8, high=0.99, disagreement=disagreement(0.93, left.measures)),
        "right": replace(right, probability=0.42, low=0.2, high=0.6, verdict="unsure"),
    }
    return replace(found, sides=sides, warnings=("slices of 3 mm",))


@pytest.fixture(scope="module")
def said(known, tmp_path_factory):
    """What one run prints, and where it wrote."""
    folder = tmp_path_factory.mktemp("c2")
    write_volume(known.ct, folder / "neck.nii.gz")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "120")
        patch.setattr(c2, "assess_case", partial(c2.assess_case, assess=lambda ct, **options: known))
        done = CliRunner().invoke(app, ["c2", str(folder / "neck.nii.gz"), "--out", str(folder / "out")])
    assert done.exit_code == 0, done.output
    return done.stdout, folder / "out"


def test_both_sides_have_a_row_with_probability_interval_verdict_and_geometry(said, known):
    rows = {line.split()[0]: line for line in said[0].splitlines() if line.strip().startswith(("left ", "right "))}
    for words in ("93 %", "80 to 99 %", "disagrees", f"{known.sides['left'].measures.outer_width_mm:.1f}"):
        assert words in rows["left"]
    for words in ("42 %", "20 to 60 %", "unsure", "agrees"):
        assert words in rows["right"]


def test_it_says_what_to_doubt_and_on_what_the_networks_were_trained(said, known):
    text = " ".join(said[0].split())
    assert f"left: {known.sides['left'].disagreement}" in text
    assert "slices of 3 mm" in text
    assert "Trained on simulated images; for research" in text
    assert "left, way out through the lamina: 3.5 mm" in text


def test_it_names_every_file_and_the_step_times(said):
    text, out = said
    assert {line for line in text.splitlines() if line.startswith(str(out))} == {str(path) for path in out.iterdir()}
    assert "read the CT" in text
    assert "write the report" in text


def test_the_help_shows_an_example():
    text = CliRunner().invoke(app, ["c2", "--help"]).stdout
    assert "Example: spinescrew c2 neck.nii.gz --out c2-case" in text
    for option in ("--out", "--series", "--device", "--force"):
        assert option in text


def test_what_cannot_be_read_ends_in_one_line_and_writes_nothing(tmp_path):
    command = [sys.executable, "-m", "spinescrew.cli", "c2", str(tmp_path / "no.nii.gz"), "--out", str(tmp_path / "o")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("error: ")
    assert "no.nii.gz" in line
    assert not list(tmp_path.iterdir())
