"""``spinescrew pose`` as it is typed: what it prints, and how it refuses."""

import subprocess
import sys
from functools import partial
from types import SimpleNamespace

import pytest
from known_poses import solved
from typer.testing import CliRunner

from spinescrew.cli import app
from spinescrew.cli.pose import show_pose
from spinescrew.cli.screen import OUT
from spinescrew.cohort import pose
from spinescrew.cohort.pose_pair import SolvedPair
from spinescrew.errors import InputError
from spinescrew.outcome.compare import Outcome
from spinescrew.radiographs import write_geometry, write_radiograph


@pytest.fixture(scope="module")
def known():
    return solved()


@pytest.fixture(scope="module")
def files(known, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pose")
    images = [write_radiograph(folder / f"{n}.dcm", image) for n, image in enumerate(known.radiographs)]
    return [str(path) for path in (*images, "--geometry", write_geometry(folder / "geometry.json", known.views))]


@pytest.fixture(scope="module")
def said(known, files, tmp_path_factory):
    """What one run prints, where it wrote, and the sizes it was given."""
    out = tmp_path_factory.mktemp("out") / "poses"
    asked = []

    def solver(pair, sizes, **_options):
        asked.append(sizes)
        return SolvedPair(pair.radiographs, known.result)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "160")
        patch.setattr(pose, "solve_case", partial(pose.solve_case, pose=solver))
        patch.setattr(pose, "write_pose_report", lambda *_given, **_options: None)
        done = CliRunner().invoke(app, ["pose", *files, "--size", "6.5x45", "--out", str(out)])
    assert done.exit_code == 0, done.output
    return done.stdout, out, asked


def test_every_screw_has_a_row_with_size_places_deviations_and_match(said, known):
    lines = said[0].splitlines()
    for posed in known.result.screws:
        (row,) = (line for line in lines if line.strip().startswith(f"{posed.number} ") and " x " in line)
        entry = " ".join(f"{value:.1f}" for value in posed.screw.entry)
        for words in (entry, "0.24", "0.50", "0.45", "good 0.6 px", f"{posed.screw.shape.length_mm:.1f}"):
            assert words in row


def test_it_says_what_to_doubt_what_is_not_known_and_on_what_it_was_trained(said, known):
    text = " ".join(said[0].split())
    assert text.index("please check: one screw of each view has no partner") < text.index("size mm")
    assert "5 screws in both views, 1 in view 1 only" in text
    assert "screw 5: tulip straight, slot not told; the shaft crosses" in text
    assert "Roll is not given: a shaft looks the same from all sides." in text
    assert "The calibration fits what is seen and was used as given." in text
    assert "Trained on simulated images; for research" in text


def test_it_names_every_file_and_hands_the_sizes_on(said):
    text, out, asked = said
    listed = {line for line in text.splitlines() if line.startswith(str(out))}
    assert listed == {str(path) for path in out.rglob("*") if path.is_file()}
    assert asked == [[(6.5, 45.0)]]


def test_the_help_shows_an_example():
    text = CliRunner().invoke(app, ["pose", "--help"]).stdout
    assert "Example: spinescrew pose AP.dcm LAT.dcm --geometry geometry.json --out poses" in text
    for option in ("--geometry", "--out", "--size", "--plan", "--ct", "--labels", "--postop", "--force", "--device"):
        assert option in text


def test_one_image_alone_is_refused_in_one_line(files, tmp_path):
    command = [sys.executable, "-m", "spinescrew.cli", "pose", files[0], *files[2:], "--out", str(tmp_path / "o")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("error: one view does not tell depth; give two radiographs")
    assert not list(tmp_path.iterdir())


def test_screws_beside_their_plan_are_told_in_lines(known):
    outcome = SimpleNamespace(title="Planned against placed", found=Outcome((), (3,), ("screw 3: at no pedicle",)))
    with OUT.capture() as captured:
        show_pose(pose.PoseCase(known.result, known.radiographs, outcome))
    text = captured.get()
    assert text.index("Planned against placed:") < text.index("screw 3: at no pedicle")


def test_a_plan_without_its_ct_is_refused(files, tmp_path):
    done = CliRunner().invoke(app, ["pose", *files, "--plan", "plan.json", "--out", str(tmp_path / "o")])
    assert "give it with --ct" in str(done.exception)


def test_what_is_no_size_is_refused_before_anything_is_read(tmp_path):
    given = ["pose", "no.dcm", "no.dcm", "--geometry", "no.json", "--size", "big", "--out", str(tmp_path / "o")]
    done = CliRunner().invoke(app, given)
    assert isinstance(done.exception, InputError)
    assert "'big' is no size" in str(done.exception)
