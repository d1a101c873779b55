"""C2 assessed on images whose truth is known: scores, refusals, and the tables of the command."""

import csv
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

from spinescrew.anatomy.frame import SIDES
from spinescrew.cli import app
from spinescrew.cohort.evaluate_c2 import held_out_axes, score_images, sources_of
from spinescrew.errors import InputError
from spinescrew.evaluation.pedicle_score import PedicleScore, write_scores
from spinescrew.geometry.sdf import SignedDistance
from spinescrew.phantoms.axis import PEDICLE_LABELS
from spinescrew.progress import Cancelled, Progress
from spinescrew.training.axis_cases import AxisImage, AxisPhantoms, PedicleTruth

RADIUS = 3.0
CENTRES = {"left": np.array([-12.0, 0.0, 0.0]), "right": np.array([12.0, 0.0, 0.0])}
LOW, HIGH = (-22.0, -22.0, -10.0), (22.0, 22.0, 10.0)


def rods(radius):
    """Distance to two rods from front to back, the pedicles."""

    def distance(points):
        return (
            np.min([np.linalg.norm((points - centre)[:, ::2], axis=1) for centre in CENTRES.values()], axis=0) - radius
        )

    return SignedDistance.from_function(distance, LOW, HIGH, 0.5)


def mask(radius):
    own = rods(radius).volume
    out = np.zeros(own.shape, np.uint8)
    half = own.index_to_ras(np.argwhere(own.array < 0))[:, 0]
    out[own.array < 0] = np.where(half < 0, PEDICLE_LABELS["left"], PEDICLE_LABELS["right"])
    return own.with_array(out)


def points(centre):
    return centre + np.array([-9.0, 0.0, 10.0])[:, None] * (0.0, 1.0, 0.0)


@pytest.fixture(scope="module")
def image():
    own = rods(RADIUS).volume
    truth = {
        side: PedicleTruth(
            points(CENTRES[side]), own.with_array(-own.array), side == "left", 0.8, 5.5, 0.7, 8, 6, False
        )
        for side in SIDES
    }
    ct = own.with_array(np.zeros(own.shape, np.int16))
    return AxisImage(ct, ct, mask(RADIUS), truth)


def assessment(radius, margin=0.6):
    measures = SimpleNamespace(outer_width_mm=5.2, corridors={3.5: SimpleNamespace(margin_mm=margin)})
    sides = {
        side: SimpleNamespace(
            probability=0.9 if side == "left" else 0.2, low=0.1, high=0.95, network=0.7, measures=measures
        )
        for side in SIDES
    }
    return SimpleNamespace(bone=rods(radius), pedicles=mask(radius), sides=sides, provenance="made up")


class Images(list):
    """A source."""

    generator = ""

    def describe(self):
        return "images"


def test_both_sides_are_scored_against_the_truth(image):
    left, right = score_images(Images([image]), lambda ct, progress: assessment(RADIUS))
    assert (left.case, left.side, left.feasible, left.probability) == (0, "left", True, 0.9)
    assert (right.side, right.feasible, right.probability) == ("right", False, 0.2)
    assert left.network == right.network == 0.7
    assert (left.true_probability, left.true_mpd_mm, left.own_width_mm) == (0.8, 5.5, 5.2)
    assert (left.corridor_fits, left.corridor_margin_mm, left.slice_mm) == (True, 0.6, 0.5)
    assert left.dice == right.dice == 1.0 and left.wall_mm < 0.02


def test_a_surface_too_wide_has_that_error(image):
    left, _ = score_images(Images([image]), lambda ct, progress: assessment(RADIUS + 0.4, margin=0.49))
    assert left.wall_mm == pytest.approx(0.4, abs=0.02)
    wide, true = mask(RADIUS + 0.4).array == 1, image.pedicles.array == 1
    assert left.dice == pytest.approx(2 * true.sum() / (wide.sum() + true.sum()))
    assert left.corridor_fits is False


def test_the_pedicle_of_the_other_side_is_no_overlap(image):
    found = assessment(RADIUS)
    found.pedicles = found.pedicles.with_array((3 - found.pedicles.array) * (found.pedicles.array > 0))
    assert [score.dice for score in score_images(Images([image]), lambda ct, progress: found)] == [0.0, 0.0]


def test_a_refusal_is_kept_with_its_reason(image):
    answers = iter([None, assessment(RADIUS)])

    def assess(ct, progress):
        found = next(answers)
        if found is None:
            raise InputError("no whole C2 is in view")
        return found

    scores = score_images(Images([image, image]), assess)
    assert [score.refused for score in scores] == ["no whole C2 is in view"] * 2 + ["", ""]
    assert [score.case for score in scores] == [0, 0, 1, 1]
    assert scores[0].feasible is True and np.isnan(scores[0].probability)


def test_a_side_without_an_answer_or_without_truth_is_told(image):
    half = assessment(RADIUS)
    del half.sides["right"]
    unknown = AxisImage(image.ct, image.labels, image.ct, {"right": image.truth["right"]})
    left, right = score_images(Images([unknown]), lambda ct, progress: half)
    assert right.refused == "the right side was not assessed"
    assert left.feasible is None and np.isnan([left.dice, left.wall_mm, left.true_mpd_mm]).all()


def test_it_can_be_stopped_between_images(image):
    progress = Progress()
    with pytest.raises(Cancelled):
        score_images(Images([image] * 2), lambda ct, progress: progress.cancel() or assessment(RADIUS), progress)


def test_held_out_phantoms_are_the_same_patients_at_every_thickness(tmp_path):
    sources = sources_of("phantoms", tmp_path, 5, [1.0, 3.0])
    assert all(isinstance(source, AxisPhantoms) and source.describe().endswith("seeds 0-4") for source in sources)
    assert [source._make.keywords["slice_mm"] for source in sources] == [1.0, 3.0]
    assert sources[0]._folder != sources[1]._folder
    assert sources_of("phantoms", tmp_path, 5, [], 400)[0].seeds == range(400, 405)
    assert held_out_axes(tmp_path)._make.keywords["held_out"] is True
    with pytest.raises(InputError, match="leave out --slice-mm"):
        sources_of(str(tmp_path), tmp_path, 5, [1.0])
    with pytest.raises(InputError, match="leave out --first"):
        sources_of(str(tmp_path), tmp_path, 5, [], 400)


def rows(step):
    random = np.random.default_rng(3)
    for case in range(30):
        for side in SIDES:
            width = float(random.uniform(3, 7))
            own = width + float(random.normal(0, 0.3))
            sure = float(np.clip((width - 3.8) / 2, 0, 1))
            figures = (sure, width, sure, max(sure - 0.1, 0.0), min(sure + 0.1, 1.0), own, own > 4.9, own - 4.3)
            yield PedicleScore(case, side, sure > 0.5, *figures, 0.93, 0.3, step)


def run(*arguments):
    return CliRunner().invoke(app, ["evaluate", "c2", *map(str, arguments)], env={"COLUMNS": "200"})


def test_the_command_shows_every_figure_of_earlier_rows(tmp_path):
    table = write_scores(
        tmp_path / "rows.csv", [*rows(1.0), *rows(2.0), PedicleScore(99, "left", True, refused="metal")]
    )
    readers = tmp_path / "readers.csv"
    readers.write_text("case,side,reader,feasible\n" + "".join(f"{n},left,A,{n % 2}\n" for n in range(20)))
    done = run(
        "--scores", table, "--readers", readers, "--figure", tmp_path / "c2.png", "--csv", tmp_path / "again.csv"
    )
    assert done.exit_code == 0, done.output
    for word in ("slices up to 2 mm", "sensitivity", "NPV", "AUC", "Brier", "Dice", "McNemar", "4.5-5", "kappa"):
        assert word in done.output, word
    assert (tmp_path / "c2.png").is_file()
    with (tmp_path / "again.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 121


def test_a_list_of_readers_is_read_before_anything_is_assessed(tmp_path):
    done = run("--readers", tmp_path / "nobody.csv")
    assert isinstance(done.exception, InputError) and "nobody.csv" in str(done.exception)
