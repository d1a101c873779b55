"""An engine against known vertebrae."""

import csv

import numpy as np
import pytest

from spinescrew.anatomy.levels import Level
from spinescrew.cohort.evaluate import evaluate_engine, write_scores
from spinescrew.errors import InputError
from spinescrew.phantoms import make_spine_phantom, reference_screws
from spinescrew.progress import Progress
from spinescrew.segmentation.finish import finish
from spinescrew.training.cases import LabelledImage


@pytest.fixture(scope="module")
def image():
    phantom = make_spine_phantom(5, spacing=(2.0, 2.0, 2.0))
    ends = {key: (screw.entry, screw.tip) for key, screw in reference_screws(phantom).items()}
    return LabelledImage(phantom.ct, phantom.labels, ends)


class Images(list):
    """A source."""

    generator = ""

    def describe(self):
        return "images"


class Answers:
    """Gives prepared labels, or refuses."""

    name, title = "answers", "gives what it was given"

    def __init__(self, *answers, problem=""):
        self.answers, self.problem = list(answers), problem

    def unavailable(self):
        return self.problem

    def segment(self, ct, levels, progress):
        answer = self.answers.pop(0)
        if answer is None:
            raise InputError("no vertebra was found")
        return finish(ct, answer, self.name, "prepared")


def test_right_wrong_and_refused_answers_are_told_apart(image):
    labels = image.labels
    without_l3 = labels.with_array(np.where(labels.array == Level.L3.value, 0, labels.array))
    found = evaluate_engine(Answers(labels, without_l3, None), Images([image] * 3), Progress())
    rows = {row.level: row for row in found.levels}
    assert rows[Level.L2].images == 3
    assert rows[Level.L2].dice == pytest.approx(2 / 3)
    assert rows[Level.L3].dice == pytest.approx(1 / 3)
    assert rows[Level.L3].named_right == pytest.approx(1 / 3)
    assert rows[Level.L2].wall_mean_mm < 0.05
    assert found.failures == {2: "no vertebra was found"}
    assert len(found.seconds) == 3


def test_every_vertebra_of_every_image_is_a_row(image, tmp_path):
    found = evaluate_engine(Answers(image.labels, None), Images([image] * 2))
    with write_scores(found, tmp_path / "scores.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(found.scores) == 14
    first = next(row for row in rows if row["image"] == "0" and row["level"] == "L3")
    assert (first["named"], float(first["dice"])) == ("L3", 1.0)
    second = next(row for row in rows if row["image"] == "1" and row["level"] == "L3")
    assert (second["named"], float(second["dice"])) == ("", 0.0)


def test_an_engine_that_cannot_run_is_refused(image):
    with pytest.raises(InputError, match="install it"):
        evaluate_engine(Answers(problem="install it"), Images([image]))
